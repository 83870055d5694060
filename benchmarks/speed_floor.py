"""Is the plain engine fast enough to build on, and does silence cost nothing?

Motivation: the engine is the simple one, without exponential frames or threads. It must build the Brunel network of
15.6 million synapses in under 5 s, simulate 1 s of it on one thread in under 60 s at the right rate, and pass over 1 s
of a million silent or refractory neurons in under 10 ms. Speeds count only with the right rates beside them.

Run: taskset -c 1 python benchmarks/speed_floor.py, on an otherwise idle machine.

Result, 2026-11-24, 2-core AMD EPYC virtual machine (1 MiB of L2 a core), gcc 12, one thread:

    a million silent neurons: built in 0.56 s, 1000 ms in 0.52 ms
    a million refractory neurons: built in 0.08 s, 1000 ms in 1.42 ms
    brunel, 1000 ms: built 15,625,000 synapses in 0.14 s, ran in 18.50 s at 37.85 Hz, 8.41e+08 events, 22.0 ns an event
    brunel drive=dc, 1000 ms: built 15,625,000 synapses in 0.20 s, ran in 7.58 s at 37.62 Hz, 5.86e+08 events, 12.9 ns
    an event
    cuba, 10000 ms: built 320,003 synapses in 0.01 s, ran in 1.95 s at 5.72 Hz, 1.83e+07 events, 106.9 ns an event

What was tried:
- Lower bounds of crossings in place of crossings, refined when due: cuba about 700 -> 120 ns, brunel dc 35 -> 21 ns.
- One kernel for all linear models in place of two hand-written ones: brunel dc 12.4 -> 17.9 s.
- The arrivals of a window sorted by neuron, and a loop of its own for neurons without currents: brunel dc 15.9 -> 8 s.
  Alone, with a bound after each arrival, the sorting was slower (+10 %): the gain is that a neuron takes some 40
  arrivals in one go and is bounded once.
- Arrivals sorted at a time (MOST_ARRIVALS), 200 ms of brunel dc and with Poisson input: 32768 2.17 and 6.28 s, 65536
  1.77 and 5.09, 131072 1.54 and 4.20, 262144 1.39 and 3.77, 524288 1.53 and 3.76, 1048576 1.55 and 3.64. More than the
  cache holds, but each neuron then takes more at once.
- Prefetching. gcc takes a function that only prefetches for one without effect and leaves the call out, so that what
  was measured of it before was noise. Written into the loop: 200 ms of brunel 6.6 -> 4.6 s. 4, 8 and 16 places ahead:
  3.71, 3.76 and 3.51 s.
- What is left: of brunel with Poisson input drawing the spikes, 14 %; the exponential of each arrival.
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
