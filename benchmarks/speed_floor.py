"""Is the plain engine fast enough to build on, and does silence cost nothing?

Motivation: the first engine is the simple one, without exponential frames, threads or lazy bounds. It must still
build the Brunel network of 15.6 million synapses in under 5 s, simulate 1 s of it on one thread in under 60 s at the
right rate, and pass over 1 s of a million silent or refractory neurons in under 10 ms. Speeds count only with the
right rates beside them.

Run: python benchmarks/speed_floor.py, on an otherwise idle machine.

Result, 2026-11-23, 2-core AMD EPYC virtual machine, gcc 12, one thread:

    a million silent neurons: built in 0.26 s, 1000 ms in 0.55 ms
    a million refractory neurons: built in 0.04 s, 1000 ms in 1.49 ms
    brunel, 1000 ms: built 15,625,000 synapses in 0.14 s, ran in 39.66 s at 37.85 Hz, 8.41e+08 events, 47.2 ns an event
    brunel drive=dc, 1000 ms: built 15,625,000 synapses in 0.20 s, ran in 12.38 s at 37.62 Hz, 5.86e+08 events, 21.1 ns
    an event
    cuba, 10000 ms: built 320,003 synapses in 0.01 s, ran in 2.10 s at 5.72 Hz, 1.83e+07 events, 115.2 ns an event

What was tried:
- Lower bounds of crossings in place of crossings, refined when due: cuba about 700 -> 120 ns, brunel dc 35 -> 21 ns.
- Neurons and streams of 128 bytes, aligned to cache lines, with prefetch: brunel dc 34 -> 31 ns. Fetching the streams
  whether due or not, or twice as far ahead, gained nothing that could be told from noise.
- What is left of brunel with Poisson input is the external spikes, some 100 ns each: drawing and sorting a cell, then
  one event of the neuron. Without synapses an external spike costs 77 ns.
"""

import time

import eventsnn as esn
from eventsnn import scenario


def timed(action, *arguments):
    began = time.perf_counter()
    result = action(*arguments)
    return result, time.perf_counter() - began


def network(name: str, duration: float, **parameters) -> None:
    net = scenario.load(name).build(**parameters)
    simulation, built = timed(net.compile)
    results, ran = timed(simulation.run, duration)
    events = results.summary["synaptic_events"] + results.summary["external_events"]
    neurons = sum(trains.n for trains in results.spikes.values())
    rate = sum(len(trains) for trains in results.spikes.values()) / neurons / duration * 1000.0
    label = " ".join([name, *(f"{k}={v}" for k, v in parameters.items())])
    print(
        f"{label}, {duration:g} ms: built {simulation.plan.n_synapses:,} synapses in {built:.2f} s, ran in {ran:.2f} s "
        f"at {rate:.2f} Hz, {events:.3g} events, {1e9 * ran / events:.1f} ns an event"
    )


def million(label: str, model, **state) -> None:
    net = esn.Network()
    net.population(1_000_000, model, **state)
    simulation, built = timed(net.compile)
    simulation.run(1.0)  # neurons that start above the threshold fire here
    _, ran = timed(simulation.run, 1000.0)
    print(f"a million {label} neurons: built in {built:.2f} s, 1000 ms in {1000 * ran:.2f} ms")


if __name__ == "__main__":
    million("silent", esn.LIFExp())
    million("refractory", esn.LIFExp(t_ref=5000.0), V_m=-50.0)
    network("brunel", 1000.0)
    network("brunel", 1000.0, drive="dc")
    network("cuba", 10_000.0)
