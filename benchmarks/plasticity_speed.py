"""What does learning cost, in time and memory, beside the same network whose weights stay?

Motivation: a plastic synapse has work at the spikes of both neurons, and must keep a weight and find its way from its
target as well as from its source. It is worth having if a network that learns is not many times slower than one that
does not, and if 1e7 such synapses still fit. Does it matter where the delay is, on the way to the synapse or behind it?

Brunel's network of 10,000 neurons: 8,000 excitatory and 2,000 inhibitory LIFDelta, a tenth of each connected to each
neuron, J = 0.1 mV, g = 5, delay 1.5 ms, a Poisson drive of 16 kHz with J. The 6.4 million synapses from excitatory to
excitatory neurons are static with one weight, static with float32 weights, or plastic with float32 weights: additive
STDP, lambda 0.001, alpha 1.05, w_max = 2 J, whose delay is axonal or dendritic. NEST and Brian2 have a grid of 0.1 ms
and float64 weights, NEST dendritic delays (static_synapse and stdp_synapse), Brian2 axonal ones (C++ standalone).

Each case runs in a process of its own, on one thread. Seconds are of CPU for the duration after the transient. An event
is a spike that comes to a neuron through any of the synapses: 1,000 for each spike; the drive is none, but is in the
seconds. "bytes" is the growth of resident memory from the imported package to the end of the transient, less that of
the same network without these synapses, for each of them; "grown" is what the run then adds, kept spikes among it.
w / J is the mean weight of plastic synapses at the end.

Run: python benchmarks/plasticity_speed.py [--n N] [--duration MS] [--transient MS] [--nest-python PYTHON]
[--brian2-python PYTHON] [--only PATTERN ...], on an otherwise idle machine. NEST and Brian2 may live in environments of
their own, named by the options or by the variables NEST_PYTHON and BRIAN2_PYTHON; what is not found is skipped. With
--n the connections of a neuron are a tenth of it, and J is such that all together stay as strong.

Result, 2026-11-30, 2-core AMD EPYC virtual machine without AVX-512, idle; one run each, 1 s after a transient of 0.2 s:

                                         s  ns/event    E (Hz)    I (Hz)     bytes     grown     w / J
    eventsnn one weight              4.836     15.98     30.25     30.35      3.09      3.56     1.000
    eventsnn float32                 5.811     19.20     30.25     30.32      7.09      3.53     1.000
    eventsnn plastic, axonal        12.287     42.87     28.55     29.10     14.06      2.76     0.997
    eventsnn plastic, dendritic     13.689     45.98     29.72     29.95     14.07      3.42     1.000
    NEST static_synapse             27.576     92.02     29.95     30.02     40.10      0.00     1.000
    NEST stdp_synapse               93.538    316.70     29.50     29.68    104.27      0.44     0.999
    Brian2 float64                  11.329     38.25     29.60     29.69     38.89      1.98     1.000
    Brian2 STDP                     29.740    105.99     27.95     28.49     80.50      1.86     0.998

Learning takes 2.1 to 2.4 times as long as staying with a weight a synapse, 2.5 to 2.8 times as long as with one weight,
and 7 bytes a synapse more than float32 weights alone. NEST takes 3.4 times as long as without, Brian2 2.6 times (while
other work went on); they take 7 and 2.3 times as long as eventsnn. Where the delay is makes little difference.

What was tried: with synapses taken one by one, each reading the train of its target, learning took 5 times
as long; 64 synapses at a time, the times of a target's last four spikes beside each other, and programs that are
carried out for all of them made it 2.4. What is left is spread over reading and writing of weights, the last spikes of
targets, which are not in the nearest cache, and two exponentials for each spike that comes to a synapse.
"""

import argparse
import fnmatch
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from peers import worker

G, TAU_M, V_TH, V_RESET, T_REF, DELAY = 5.0, 20.0, 20.0, 10.0, 2.0, 1.5
DRIVE = 1_600.0  # Hz mV: rate times weight
LAMBDA, ALPHA, TAU = 0.001, 1.05, 20.0
NONE, ONE, FLOAT32, AXONAL, DENDRITIC = "none", "one weight", "float32", "plastic, axonal", "plastic, dendritic"
STATIC, STDP = "static_synapse", "stdp_synapse"
WEIGHTS, PATHWAYS = "float64", "STDP"
CASES = {
    "eventsnn": (NONE, ONE, FLOAT32, AXONAL, DENDRITIC),
    "NEST": (NONE, STATIC, STDP),
    "Brian2": (NONE, WEIGHTS, PATHWAYS),
}


def sizes(n: int) -> tuple[int, int, int, int, float]:
    """Neurons and inputs of a neuron, excitatory and inhibitory, and J (mV)."""
    exc = round(0.8 * n)
    return exc, n - exc, exc // 10, (n - exc) // 10, 80.0 / (exc // 10)


def answer(marks: list[worker.Mark], spikes: tuple[int, int], n: int, duration: float, learned: float) -> dict:
    """Of the marks before building, after the transient and at the end."""
    exc, inh, *_ = sizes(n)
    begin, built, done = marks
    rates = [count / neurons / duration * 1000.0 for count, neurons in zip(spikes, (exc, inh), strict=True)]
    return {
        "seconds": done.cpu - built.cpu, "bytes": built.resident - begin.resident,
        "grown": done.resident - built.resident, "rates": rates, "events": sum(spikes) * n // 10, "learned": learned,
    }  # fmt: skip


# ---- the simulators, each in its own process and environment


def eventsnn(case: str, n: int, transient: float, duration: float) -> dict[str, Any]:
    import numpy as np

    import eventsnn as esn

    n_exc, n_inh, from_exc, from_inh, J = sizes(n)
    begin = worker.mark()
    net = esn.Network(seed=1)
    model = esn.LIFDelta(tau_m=TAU_M, E_L=0.0, V_th=V_TH, V_reset=V_RESET, t_ref=T_REF)
    state = {"V_m": esn.Uniform(-10.0, V_TH)}
    exc, inh = (net.population(k, model, name=name, **state) for k, name in ((n_exc, "E"), (n_inh, "I")))
    if case != NONE:
        given: dict[str, Any] = {"weight": J, "delay": DELAY}
        if case != ONE:
            given |= {"weight": esn.Uniform(0.999 * J, 1.001 * J), "dtype": "float32"}
        if case in (AXONAL, DENDRITIC):
            times = {"tau_plus": TAU, "tau_minus": TAU, "mu_plus": 0.0, "mu_minus": 0.0}
            given["plasticity"] = esn.STDP(lambda_=LAMBDA, alpha=ALPHA, w_max=2.0 * J, **times)
        if case == DENDRITIC:
            del given["delay"]
            given |= {"axonal_delay": 0.0, "dendritic_delay": DELAY}
        learning = net.connect(exc, exc, esn.FixedInDegree(from_exc), name="EE", **given)
    net.connect(exc, inh, esn.FixedInDegree(from_exc), weight=J, delay=DELAY)
    net.connect(inh, [exc, inh], esn.FixedInDegree(from_inh), weight=-G * J, delay=DELAY)
    net.stimulate([exc, inh], esn.Poisson(rate=DRIVE / J), weight=J)
    net.run(transient, threads=1)
    built = worker.mark()
    results = net.run(duration, threads=1)
    done = worker.mark()
    spikes = [int(np.count_nonzero(results.spikes[name].times >= transient)) for name in "EI"]
    learned = float(np.mean(learning.get("weight"))) / J if case in (AXONAL, DENDRITIC) else 1.0
    return answer([begin, built, done], tuple(spikes), n, duration, learned)


def nest(case: str, n: int, transient: float, duration: float) -> dict[str, Any]:
    import nest as simulator
    import numpy as np

    n_exc, n_inh, from_exc, from_inh, J = sizes(n)
    simulator.verbosity = simulator.VerbosityLevel.ERROR
    begin = worker.mark()
    simulator.set(resolution=worker.STEP, rng_seed=1, local_num_threads=1)
    neuron = {"tau_m": TAU_M, "C_m": 1.0, "E_L": 0.0, "V_th": V_TH, "V_reset": V_RESET, "t_ref": T_REF, "I_e": 0.0}
    exc, inh = (simulator.Create("iaf_psc_delta", k, params=neuron | {"tau_minus": TAU}) for k in (n_exc, n_inh))
    (exc + inh).V_m = simulator.random.uniform(-10.0, V_TH)
    inputs = [{"rule": "fixed_indegree", "indegree": k} for k in (from_exc, from_inh)]
    if case != NONE:
        synapse = {"weight": simulator.random.uniform(0.999 * J, 1.001 * J), "delay": DELAY, "synapse_model": case}
        if case == STDP:
            synapse |= {"lambda": LAMBDA, "alpha": ALPHA, "tau_plus": TAU, "Wmax": 2.0 * J}
            synapse |= {"mu_plus": 0.0, "mu_minus": 0.0}
        simulator.Connect(exc, exc, inputs[0], synapse)
    simulator.Connect(exc, inh, inputs[0], {"weight": J, "delay": DELAY})
    simulator.Connect(inh, exc + inh, inputs[1], {"weight": -G * J, "delay": DELAY})
    source = simulator.Create("poisson_generator", params={"rate": DRIVE / J})
    simulator.Connect(source, exc + inh, syn_spec={"weight": J, "delay": DELAY})
    # A recorder for each neuron would slow it: neurons that never fire count, as in peers/nest.py.
    endless = {"tau_m": 1e15, "C_m": 1.0, "E_L": 0.0, "V_m": 0.0, "V_th": 1e30}
    counters = simulator.Create("iaf_psc_delta", 2, params=endless)
    for part, counter in zip((exc, inh), counters, strict=True):
        simulator.Connect(part, counter, syn_spec={"weight": 1.0, "delay": DELAY})
    simulator.Prepare()
    simulator.Run(transient)
    before = np.array(counters.V_m)
    built = worker.mark()
    simulator.Run(duration)
    done = worker.mark()
    spikes = np.round(np.array(counters.V_m) - before).astype(int).tolist()
    simulator.Cleanup()
    learned = float(np.mean(simulator.GetConnections(exc[:100], exc, STDP).weight)) / J if case == STDP else 1.0
    return answer([begin, built, done], tuple(spikes), n, duration, learned)


def brian2(case: str, n: int, transient: float, duration: float) -> dict[str, Any]:
    """Its weights are float64, and the delay that a pathway has is axonal."""
    import tempfile

    import brian2 as b
    import numpy as np
    from peers.brian2 import MARK

    n_exc, n_inh, from_exc, from_inh, J = sizes(n)
    with tempfile.TemporaryDirectory() as folder:
        b.set_device("cpp_standalone", build_on_run=False, directory=folder)
        b.prefs.devices.cpp_standalone.extra_make_args_unix = ["-j2"]  # its default has no bound
        b.seed(1)
        for slot in ("before_start", "before_network_run"):
            b.device.insert_code(slot, MARK)
        b.device.insert_code("after_network_run", MARK)
        b.defaultclock.dt = worker.STEP * b.ms
        exc, inh = (
            b.NeuronGroup(
                k, "dv/dt = -v/tau_m : 1 (unless refractory)", threshold="v >= V_th", reset="v = V_reset",
                refractory=T_REF * b.ms, method="exact",
                namespace={"tau_m": TAU_M * b.ms, "V_th": V_TH, "V_reset": V_RESET},
            )
            for k in (n_exc, n_inh)
        )  # fmt: skip
        objects, arrives = [exc, inh], "v_post += {w}*int(not_refractory_post)"
        for part in (exc, inh):
            part.v = "-10 + 30*rand()"
            rate = DRIVE / J / 1000 * b.Hz
            objects += [b.PoissonInput(part, "v", N=1000, rate=rate, weight=repr(J)), b.SpikeMonitor(part)]
        monitors = [part for part in objects if isinstance(part, b.SpikeMonitor)]
        parts = [
            (exc, inh, from_exc, f"{J!r}"),
            (inh, exc, from_inh, f"({-G * J!r})"),
            (inh, inh, from_inh, f"({-G * J!r})"),
        ]
        for source, target, inputs, weight in parts:
            objects.append(b.Synapses(source, target, on_pre=arrives.format(w=weight), delay=DELAY * b.ms))
            wire(objects[-1], inputs, len(source), len(target))
        if case != NONE:
            plastic = case == PATHWAYS
            model, pre, post = "w : 1", arrives.format(w="w"), None
            if plastic:
                model += "\ndx/dt = -x/tau : 1 (event-driven)\ndy/dt = -y/tau : 1 (event-driven)"
                pre = "x += 1\nw = clip(w - alpha*step*y, 0, most)\n" + pre
                post = "y += 1\nw = clip(w + step*x, 0, most)"
            names = {"tau": TAU * b.ms, "alpha": ALPHA, "step": LAMBDA * 2.0 * J, "most": 2.0 * J}
            delay = {"pre": DELAY * b.ms} if plastic else DELAY * b.ms
            learning = b.Synapses(exc, exc, model, on_pre=pre, on_post=post, delay=delay, namespace=names)
            wire(learning, from_exc, n_exc, n_exc)
            learning.w = f"{J!r}*(0.999 + 0.002*rand())"
            objects.append(learning)
        network = b.Network(*objects)
        network.run(transient * b.ms)
        network.run(duration * b.ms)
        b.device.build(directory=folder, run=True, with_output=False)
        rows = [line.split() for line in (Path(folder) / "marks.txt").read_text().splitlines()]
        marks = [worker.Mark(float(a), float(b), int(c), int(d)) for a, b, c, d in rows]
        spikes = tuple(int(np.count_nonzero(np.asarray(m.t / b.ms) >= transient)) for m in monitors)
        learned = float(np.mean(learning.w[:])) / J if case == PATHWAYS else 1.0
        return answer([marks[0], marks[3], marks[4]], spikes, n, duration, learned)


def wire(synapses: Any, inputs: int, sources: int, targets: int) -> None:
    """So many inputs of each target, drawn with repetition."""
    import numpy as np

    pre = np.random.default_rng(1).integers(0, sources, inputs * targets)
    synapses.connect(i=pre, j=np.repeat(np.arange(targets), inputs))


# ---- here


def measured(python: str, simulator: str, case: str, options: argparse.Namespace) -> dict[str, Any] | None:
    """One case in a process of its own; None, with a line, if it does not run."""
    numbers = [str(value) for value in (options.n, options.transient, options.duration)]
    command = [python, str(Path(__file__).resolve()), "--worker", simulator, case, *numbers]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        print(f"{simulator} {case}: skipped, {(done.stderr.strip() or 'failed').splitlines()[-1]}")
        return None
    return dict(json.loads(done.stdout.splitlines()[-1]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n", type=int, default=10_000)
    parser.add_argument("--duration", type=float, default=1_000.0, metavar="MS")
    parser.add_argument("--transient", type=float, default=200.0, metavar="MS")
    parser.add_argument("--nest-python", metavar="PYTHON")
    parser.add_argument("--brian2-python", metavar="PYTHON")
    parser.add_argument("--only", nargs="*", default=["*"], metavar="PATTERN", help="of 'simulator case'")
    options = parser.parse_args()
    from accuracy_peers import interpreter

    pythons = {
        "eventsnn": sys.executable,
        "NEST": interpreter(options.nest_python, "NEST_PYTHON", "nest"),
        "Brian2": interpreter(options.brian2_python, "BRIAN2_PYTHON", "brian2"),
    }
    exc, _, from_exc, *_ = sizes(options.n)
    columns = "".join(f"{name:>10}" for name in ("s", "ns/event", "E (Hz)", "I (Hz)", "bytes", "grown", "w / J"))
    print(f"    {'':28}{columns}")
    for simulator, cases in CASES.items():
        python, without = pythons[simulator], None
        for case in cases:
            wanted = any(fnmatch.fnmatchcase(f"{simulator} {case}", pattern) for pattern in options.only)
            if python is None or not (wanted or case == NONE):
                continue
            found = measured(python, simulator, case, options)
            if found is None:
                continue
            if case == NONE:
                without = found["bytes"]
            else:
                took = "-" if without is None else f"{(found['bytes'] - without) / (exc * from_exc):.2f}"
                of_exc, of_inh = found["rates"]
                nanoseconds = 1e9 * found["seconds"] / max(found["events"], 1)
                numbers = f"{found['seconds']:10.3f}{nanoseconds:10.2f}{of_exc:10.2f}{of_inh:10.2f}{took:>10}"
                grown = f"{found['grown'] / (exc * from_exc):10.2f}{found['learned']:10.3f}"
                print(f"    {simulator + ' ' + case:28}{numbers}{grown}", flush=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--worker"]:
        _, _, simulator, case, n, transient, duration = sys.argv
        run = {"eventsnn": eventsnn, "NEST": nest, "Brian2": brian2}[simulator]
        print(json.dumps(run(case, int(n), float(transient), float(duration))))
    else:
        main()
