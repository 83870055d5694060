"""What does the way back cost, beside the way there and beside a run of the engine?

Motivation: an event-driven gradient has the events of the forward pass once more, so that it should cost about as much.
And training needs passes of its own only if these are much cheaper than a run of the engine for each sample.

Networks, with C_m = tau_m, so that weights are in thresholds: the Yin-Yang network 5-200-3 without delays, in which
neurons of a layer share what arrives; the same with a delay for each synapse; 784-350-10, 150 of the inputs firing; and
1,000 neurons with 100 random synapses from each other, delays of 1 to 5 ms, driven by 100 inputs. Each sample is 60 ms.

Microseconds a sample are of one thread, the best of several repetitions of a mini-batch of 32. "engine" is a run of the
ordinary engine of the same sample, without compiling it. An event is an arrival of a spike at a neuron or a spike.

Run: python benchmarks/training_passes.py, on an otherwise idle machine.

Result, 2026-11-30, 2-core AMD EPYC virtual machine without AVX-512, idle; the last column is us of the engine:

                                 events    forward   backward    ratio     ns/event     engine
    5-200-3                        1332       61.6       18.7     0.30         60.3       1214
    5-200-3, delays                1371      165.5       51.0     0.31        157.9       1167
    784-350-10                    52677       95.2       67.6     0.71          3.1      13099
    1,000, recurrent             135705    16536.5     3599.6     0.22        148.4      34299

The way back takes less time than the way there: it has no spike to search for. Where a layer shares what arrives, an
event costs 3 ns, apart from spikes; where each neuron has arrivals of its own, 150 ns.

What was tried, while other work went on, us forward: 784-350-10 took 843 in plain C, of which gcc made no vectors, 333
as vectors, 124 with a test whether V has turned before the divisions that bound its top. 5-200-3 took 91; finding V at
its top from the slope there, which is 0, 72; a bound of the top before it is looked for, 61; exponentials that are left
out, 49.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

import eventsnn as esn
from eventsnn.train import Errors, Trainable

SAMPLES, DURATION = 32, 60.0
CELL = {"tau_m": 20.0, "C_m": 20.0, "tau_syn_ex": 5.0, "tau_syn_in": 5.0, "E_L": 0.0, "V_th": 1.0, "V_reset": 0.0}


def layered(
    inputs: int, hidden: int, outputs: int, strength: float, spread: bool
) -> tuple[esn.Network, esn.Population, esn.Population]:
    rng = np.random.default_rng(0)
    net = esn.Network()
    source = net.population(inputs, esn.SpikeSource([1.0]), name="source")
    middle = net.population(hidden, esn.LIFExp(**CELL), name="hidden")
    out = net.population(outputs, esn.LIFExp(**CELL), name="out")
    for pre, post, mean in ((source, middle, strength), (middle, out, 0.93)):
        shape = (len(pre), len(post))
        delay = rng.uniform(0.1, 5.0, shape) if spread else 0.0
        net.connect(pre, post, esn.AllToAll(), weight=rng.normal(mean, 0.5 * mean, shape), delay=delay)
    return net, source, out


def recurrent() -> tuple[esn.Network, esn.Population, esn.Population]:
    net = esn.Network(seed=1)
    source = net.population(100, esn.SpikeSource([1.0]), name="source")
    cells = net.population(1_000, esn.LIFExp(**CELL), name="cells")
    net.connect(source, cells, esn.FixedProbability(0.1), weight=esn.Normal(1.2, 0.3), delay=1.0)
    net.connect(
        cells, cells, esn.FixedInDegree(100, autapses=False), weight=esn.Normal(0.0, 0.1), delay=esn.Uniform(1.0, 5.0)
    )
    return net, source, cells[:10]


def best(call: Callable[[], object], repetitions: int) -> float:
    times = []
    for _ in range(repetitions):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return min(times)


def measure(name: str, net: esn.Network, source: esn.Population, out: esn.Population, firing: int) -> None:
    rng = np.random.default_rng(2)
    times = rng.uniform(0.0, 30.0, (SAMPLES, len(source)))
    for row in times:
        row[rng.permutation(len(source))[firing:]] = np.nan
    model = Trainable(net, source, out, DURATION)
    samples = model.samples(times)
    readout = model.forward(samples, all_spikes=False)
    spikes = [model.spikes(k)[0] for k in range(SAMPLES)]
    degrees = np.bincount(model.wiring.synapses.pre, minlength=model.wiring.place.size)
    events = np.mean([degrees[ids].sum() + ids.size for ids in spikes])
    errors = Errors(first=np.where(np.isfinite(readout.first), 1.0, 0.0))

    forward = best(lambda: model.forward(samples, all_spikes=False), 20)
    both = best(lambda: model.forward(samples, all_spikes=False) and model.backward(errors), 20)

    def engine() -> None:
        net.run(DURATION)

    runs = []
    for k in range(5):
        given = np.flatnonzero(np.isfinite(times[k]))
        source.set(times=times[k, given], ids=given)
        net.run(0.0)
        runs.append(best(engine, 1))
        net.reset()
    ahead, back = 1e6 * forward / SAMPLES, 1e6 * (both - forward) / SAMPLES
    print(
        f"    {name:24} {events:10.0f} {ahead:10.1f} {back:10.1f} {back / ahead:8.2f} "
        f"{1e3 * (ahead + back) / events:12.1f} {1e6 * min(runs):10.0f}"
    )


def main() -> None:
    print(f"    {'':24} {'events':>10} {'forward':>10} {'backward':>10} {'ratio':>8} {'ns/event':>12} {'engine':>10}")
    measure("5-200-3", *layered(5, 200, 3, 1.5, False), 5)
    measure("5-200-3, delays", *layered(5, 200, 3, 1.5, True), 5)
    measure("784-350-10", *layered(784, 350, 10, 0.05, False), 150)
    measure("1,000, recurrent", *recurrent(), 100)


if __name__ == "__main__":
    main()
