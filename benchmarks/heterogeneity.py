"""Does heterogeneity of a part slow the rest?

Motivation: networks of the real world differ from synapse to synapse and from neuron to neuron. An engine that is fast
only where everything is alike would be fast only in benchmarks. Here one thing at a time is made to differ in Brunel's
network with constant drive: the weights, the delays, a parameter of the neurons, what is recorded, or a few synapses
elsewhere that have no delay. None of these may slow the rest of the network.

Run: taskset -c 1 python benchmarks/heterogeneity.py [--duration MS] [--only PATTERN ...] [--repeats N], on an otherwise
idle machine: about five minutes. Times are CPU seconds, medians of the repeats, which go round all cases; the ratio is
that of the nanoseconds an event, since a network that fires more has more to do.

Result, 2026-11-29, 2-core Intel Xeon virtual machine, --duration 500 --repeats 1, 36.2 to 37.6 Hz, ns an event:

    base          2.1    delays_1_3   15.4    tau_m      12.9
    weights64     2.7    delays_long  16.2    V_th        2.4
    weights32     2.3    delays_0_3   18.6    recorded    3.0
                         delays_short 19.4    zero_delay  1.8
                         delays_exp   21.3
                         delays_log   24.8

Only a delay for each synapse and a time constant for each neuron cost much: arrivals must be gathered and sorted, and
each needs an exponential. Delays that begin at 0 cost 1.2 (uniform), 1.4 (exponential) and 1.6 times (lognormal) what
those from 1 to 3 ms cost.
"""

import argparse
import fnmatch
import statistics
import time
from typing import Any, NamedTuple

import eventsnn as esn

N = 12_500
DELAY = 1.5  # ms


class Case(NamedTuple):
    """What differs from the base; `weights` is the type of individual ones."""

    about: str
    weights: str | None = None
    delay: Any = DELAY
    parameters: dict[str, Any] = {}
    recorded: int = 0
    without_delay: int = 0


CASES = {
    "base": Case("as in scenarios/brunel.py, drive=dc"),
    "weights64": Case("weights Normal, a tenth, float64", weights="float64"),
    "weights32": Case("weights Normal, a tenth, float32", weights="float32"),
    "delays_short": Case("delays Uniform(0.05, 3.0)", delay=esn.Uniform(0.05, 3.0)),
    "delays_long": Case("delays Uniform(0.5, 3.0)", delay=esn.Uniform(0.5, 3.0)),
    "delays_1_3": Case("delays Uniform(1, 3)", delay=esn.Uniform(1.0, 3.0)),
    "delays_0_3": Case("delays Uniform(1e-9, 3)", delay=esn.Uniform(1e-9, 3.0)),
    "delays_exp": Case("delays Exponential(1)", delay=esn.Exponential(1.0)),
    "delays_log": Case("delays LogNormal(0, 1)", delay=esn.LogNormal(0.0, 1.0)),
    "tau_m": Case("tau_m Uniform(18, 22)", parameters={"tau_m": esn.Uniform(18.0, 22.0)}),
    "V_th": Case("V_th Uniform(19, 21)", parameters={"V_th": esn.Uniform(19.0, 21.0)}),
    "recorded": Case("V_m of 100 neurons every 0.1 ms", recorded=100),
    "zero_delay": Case("100 synapses of delay 0 elsewhere", without_delay=10),
}


def build(case: Case, n: int = N) -> esn.Network:
    net = esn.Network(seed=1)
    lif = esn.LIFDelta(tau_m=20.0, E_L=0.0, V_th=20.0, V_reset=10.0, t_ref=2.0)
    state = {"V_m": esn.Uniform(-10.0, 20.0), **case.parameters}
    exc = net.population(round(0.8 * n), lif, name="exc", **state)
    inh = net.population(n - len(exc), lif, name="inh", **state)
    for part, weight in ((exc, 0.1), (inh, -0.5)):
        drawn = esn.Normal(weight, 0.1 * abs(weight)) if case.weights else weight
        rule = esn.FixedInDegree(round(0.1 * len(part)))
        net.connect(part, [exc, inh], rule, weight=drawn, delay=case.delay, dtype=case.weights or "float64")
    net.stimulate([exc, inh], esn.StepCurrent([0.0], [500.0]), name="external")
    if case.recorded:
        net.record(exc, "V_m", every=0.1, ids=range(case.recorded))
    if case.without_delay:
        listeners = net.population(case.without_delay, lif, name="listeners")
        net.connect(exc[: case.without_delay], listeners, esn.AllToAll(), weight=1.0, delay=0.0)
    return net


def measure(case: Case, duration: float) -> tuple[float, float, float]:
    """CPU seconds, events and the rate (Hz)."""
    simulation = build(case).compile()
    began = time.process_time()
    results = simulation.run(duration)
    seconds = time.process_time() - began
    spikes = sum(len(results.spikes[name]) for name in ("exc", "inh"))
    return seconds, results.summary["synaptic_events"], spikes / N / duration * 1000.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--duration", type=float, default=1000.0, metavar="MS")
    parser.add_argument("--only", nargs="*", metavar="PATTERN", help=f"of {', '.join(CASES)}; the base always runs")
    parser.add_argument("--repeats", type=int, default=3, metavar="N")
    options = parser.parse_args()
    patterns = ["base", *options.only] if options.only else ["*"]
    chosen = [name for name in CASES if any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)]
    runs: dict[str, list[tuple[float, float, float]]] = {name: [] for name in chosen}
    for _ in range(options.repeats):
        for name in chosen:
            runs[name].append(measure(CASES[name], options.duration))

    print(f"{'':14}{'':36}{'s':>8}{'events':>10}{'ns/event':>10}{'Hz':>8}{'ratio':>8}")
    base = 0.0
    for name in chosen:
        seconds = statistics.median(run[0] for run in runs[name])
        _, events, rate = runs[name][0]
        cost = 1e9 * seconds / max(events, 1.0)
        base = base or cost
        label = f"{name:14}{CASES[name].about:36}"
        print(f"{label}{seconds:8.2f}{events:10.3g}{cost:10.2f}{rate:8.2f}{cost / base:8.2f}")


if __name__ == "__main__":
    main()
