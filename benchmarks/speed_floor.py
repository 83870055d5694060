"""How fast is the engine on one thread, and does silence cost nothing?

Motivation: the figures by which a change of the engine is judged. It must build the Brunel network of 15.6 million
synapses in under 5 s, simulate 1 s of it in under 60 s at the right rate, and pass over 1 s of a million silent or
refractory neurons in under 10 ms. Speeds count only with the right rates beside them.

Run: taskset -c 1 python benchmarks/speed_floor.py, on an otherwise idle machine.

Result, 2026-11-24, 2-core AMD EPYC virtual machine (1 MiB of L2 a core), gcc 12, one thread:

    a million silent neurons: built in 0.50 s, 1000 ms in 0.41 ms
    a million refractory neurons: built in 0.10 s, 1000 ms in 1.05 ms
    brunel, 1000 ms: built 15,625,000 synapses in 0.14 s, ran in 10.21 s at 37.85 Hz, 8.41e+08 events, 12.1 ns an event
    brunel drive=dc, 1000 ms: built 15,625,000 synapses in 0.14 s, ran in 5.20 s at 37.62 Hz, 5.86e+08 events, 8.9 ns
    an event
    cuba, 10000 ms: built 320,003 synapses in 0.01 s, ran in 1.17 s at 5.72 Hz, 1.83e+07 events, 63.8 ns an event

The microcircuit in full, 1000 ms of scenario.load("microcircuit").build(scale=1.0): 298,880,968 synapses built in
28.2 s, 3.83 GB, ran in 204.9 s (40.9 s collecting, 163.9 s processing) with 2.23e9 events, 91.8 ns an event, at 0.91,
2.98, 4.41, 5.87, 7.73, 8.63, 1.12 and 7.84 Hz after 200 ms.

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
- Exponential frames and one bound for 16 arrivals, 200 ms of brunel dc: 12.9 ns an event -> 8.7; a Brunel-like network
  with exponential currents 60 -> 14. At first, with a struct of factors looked up for every arrival and three
  exponentials for every bound, 11.4 and 27, and cuba was slower than before (167 ns): now the factors of all rows of a
  window are found at once, by kind of neuron, and a bound uses those of the first and the last arrival.
- Arrivals as row numbers of 4 bytes in place of 16 bytes each: part of the above. Again the most sorted at a time, dc:
  65536 15.0, 131072 11.8, 262144 9.7, 524288 8.7 ns an event. A visit to a neuron costs 40 ns, an arrival 7.7.
- Drawing external spikes by vectors (external_input.py): 300 ms of brunel with Poisson input 21.5 -> 14 ns an event.
- A timing wheel for both queues (queues.py): microcircuit at a tenth of its size 126 -> 95 ns, cuba 106 -> 97.
- 2026-11-27, a delay, weight, tau_m and V_th of its own for each (workloads.brunel(1.0, "dc", varied=True)), CPU time
  on a machine that others used as well, so that only figures side by side compare. A slice for each synapse 348 ns an
  event, spans 215, the constants of classes fetched ahead (the cache does not hold 12 doubles for each of 12,500) 151,
  rows fetched ahead 83. Then, less disturbed: 81; the exponentials of 8 neurons side by side in AVX2 (1.7 ns each, in
  SSE2 3.2) 70; neurons visited in the order of memory, not in that in which they are reached, 51; two arrivals put in
  order without a branch 45, a short way for the plainest case 43; a record for each arrival in place of three arrays 43
  while brunel dc went from 11 to 12.5. In the end, within two minutes, slices against spans: dc 185 and 44, with
  Poisson input 222 and 65, with exponential currents 359 and 119, brunel dc itself 12.3 and 13.4. 1000 ms of dc: 29.4 s
  at 36.07 Hz, 5.63e8 events, 52 ns an event, half of it collecting. A window of 1/32 ms brings a neuron 1.9 arrivals,
  so that it is the 2.9e8 visits that cost.
- What is left, dc: half of the time goes into the two passes over the rows, counting and placing, each a random access
  to the cache's second level for every arrival; a third into the addition of what arrives. Adding into U directly, row
  by row, with a second look only at the neurons that came near their threshold, would need one such access.
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
