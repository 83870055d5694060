"""How fast is the engine on one thread, and does silence cost nothing?

Motivation: the figures by which a change of the engine is judged. It must build the Brunel network of 15.6 million
synapses in under 5 s, simulate 1 s of it in under 60 s at the right rate, and pass over 1 s of a million silent or
refractory neurons in under 10 ms. Speeds count only with the right rates beside them.

Run: taskset -c 1 python benchmarks/speed_floor.py, on an otherwise idle machine.

Result, 2026-11-27, 2-core AMD EPYC (Zen 4) virtual machine, 1 MiB of L2 a core, gcc 12, one thread, single runs:

    a million silent neurons: 1000 ms in 0.63 ms
    a million refractory neurons: 1000 ms in 1.42 ms
    brunel, 1000 ms: built 15,625,000 synapses in 0.24 s, ran in 7.33 s at 37.85 Hz, 8.41e+08 events, 8.7 ns an event
    brunel drive=dc, 1000 ms: built 15,625,000 synapses in 0.25 s, ran in 3.01 s at 37.62 Hz, 5.86e+08 events, 5.1 ns
    an event
    cuba, 10000 ms: built 320,003 synapses in 0.02 s, ran in 0.89 s at 5.72 Hz, 1.83e+07 events, 48.8 ns an event

This machine is slower than that of 2026-11-24, whose figures are in "What was tried": without calm neurons brunel dc
takes 17 ns an event here, and took 8.9 there. Single runs differ by 30 % from hour to hour, so compare in pairs.

The microcircuit in full, 300 ms of scenario.load("microcircuit").build(scale=1.0): 298,880,968 synapses built in 47.7
s, 3.74 GB, ran in 26.7 s (23.3 s collecting, 3.4 s processing) with 6.68e8 events, 40.0 ns an event, at 0.90, 2.97,
4.38, 5.85, 7.71, 8.65, 1.12 and 7.80 Hz after 100 ms. On 2026-11-24, without calm neurons, on the faster machine: 91.8
ns.

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
- Calm neurons (calm.pxd, scatter.pxd), 200 ms of brunel dc: 17 -> 7.4 ns an event with the loops of a slice in Cython,
  5.6 with each compiled for its kind of weight (scatter.h). Asking all neurons at once for room in AVX2, ties of shared
  weights by counting, and room taken slice by slice in the loop that adds, all together: 5.1. Alert neurons told by a
  branch cost 1.7 ns an arrival where 8 % are alert and nothing where none are; told by nan and without a branch they
  cost the same everywhere. Slices fetched before their turn: 0.2 ns spent, 0.4 saved. U, room and count in one struct
  of 16 bytes in place of three arrays: slower, 2.3 against 1.7 ns.
- External spikes of 32 neurons drawn at a time, with their exponentials (growth.h): brunel 16 -> 9 ns an event.
- Looks at neurons with currents as quick where they are late as elsewhere, and reckoned dearer: cuba 77 -> 57 ns.
- Lanes that meet once for the smallest delay and not before every part of it: less waiting, but no gain that stood
  out of the noise, and counters that depend on the number of threads; not kept.
- All that arrives in a window first taken from the room, and only then added, group by group of 2,500 neurons whose
  state the nearest cache holds, without any test. In loops by themselves an addition then takes 0.6 ns and not 1.1; in
  the engine brunel dc stayed where it was (5.2 to 5.9 ns against 5.2 to 5.9, in turns) and the microcircuit in full
  went from 31 to 54 ns, 35 with its rows fetched ahead a second time: each row is read twice. Not kept. Nor were ties
  added by a pass over all neurons of a group (0.9 against 0.7 ns), or the synapses of a pair without a branch (1.6
  against 1.7 ns; 5 % of the synapses have a twin).
- Looks when blocks begin: written so that compilers make vectors of them. brunel dc gains about 4 %, in turns; with
  currents cuba goes from 52 to 45 ns and brunel_exp_dc from 9.3 to 7.6. That looks are then cheaper makes blocks
  shorter, which changes nothing.
- Factors of a row found when a neuron first needs them, not those of all rows: of 20 arrivals one needs them where most
  neurons are calm. The microcircuit at a tenth of its size gains some 5 %.
- Neurons with a tau_m each and synapses with a delay each, 100 ms of brunel dc of which all is drawn: visiting each
  calm neuron with what arrives at it in a window was no faster than the ordinary way (51.6 against 53.7 ns): what it
  costs is not the memory of the neuron but mispredicted branches, some at the end of each short loop. Gathered, sorted
  by time, and added one by one: 27 against 42. Ties merged by neuron 35, summed aside 17 ns, where slices alone reach
  neurons with a tau_m each. Windows of fewer arrivals (16384): slower, 37 ns.
- What is left, dc, in ns an event: 3.6 to add slices (of which memory alone takes 1.2), 0.5 to look at neurons when
  blocks begin, 0.9 for alert neurons, 0.2 us each. In the microcircuit a slice has 15 synapses, so that what is done
  for each slice (an entry among what is due, a row, a segment, some 600 bytes moved) weighs more than its synapses.
- 2026-11-29, integers and the sign of D (calm.pxd) in place of doubles, room, tie sums and counts, CPU seconds of
  workloads.py on one core of a busier hour than that of 2026-11-27, one network after the other, best of
  two, before and after: brunel_dc 2.77 -> 1.76, brunel_dc_stored 3.34 -> 2.30, brunel_poisson 6.82 -> 5.04, cuba 0.86
  -> 0.77, brunel_exp_dc 4.14 -> 3.98, sparse_1e4 0.078 -> 0.077; worse are brunel_exp 9.95 -> 10.74, microcircuit 2.72
  -> 3.13, sparse_1e5 0.123 -> 0.142 and sparse_1e6 0.137 -> 0.152. Rates as before. Of brunel_exp a sixth is
  `begin_neuron`, neuron by neuron, and a tenth `skim_framed` of those that became alert: D takes all external input of
  a block to come at once, and compares with the line at the block's beginning what v may be at its end.
- 2026-11-29, later and on a slower machine (the prototypes of one word, currents and external input take 1.6 times what
  they took when they were written): neurons that may spike followed in place of put into their records, external input
  summed in lanes (external.h), passes in AVX-512, rows of projections merged, no skimming. workloads.py, CPU seconds on
  one core, before and after, the same spikes: brunel_dc 2.00 -> 1.24, brunel_poisson 5.95 -> 3.2, brunel_exp 12.4 ->
  5.6, brunel_exp_dc 4.9 -> 2.6, cuba 0.84 -> 0.6, microcircuit 3.68 -> 1.2 (1.73 before rows were merged),
  brunel_dc_het 20 -> 17 by the last step alone, sparse as it was. microcircuit_full 28; it took 84 with rows apart and
  a guard of ranges, since removed, that sent two thousand neurons a block the ordinary way. Blocks of 1/16 ms are
  best for brunel_dc (1.56, 1.30, 1.16, 1.26 and 1.38 s for 1/64 to 1/4 ms), brunel_exp_dc (3.9, 2.7, 2.3, 2.5 and 3.4)
  and brunel_exp; `review` finds them. What is left: of brunel_exp two fifths draw external input, of brunel_dc_het two
  thirds list and gather spans, which wait for the memory of rows.
- 2026-11-29, later again, the same machine kind: calm neurons wherever looks cost less than half of what events cost
  one by one, reviewed over four blocks and no more often (2 ms were too short: the looks of a wide block all come at
  once, and neurons were calm and apart in turn, 0.8 s for sparse_1e6); a weight too large for a calm neuron concerns
  its own neuron and no longer all that the slice reaches; frames in lanes. CPU seconds on one core, before and after,
  the same spikes: fly 2.6 -> 0.59 (none of its neurons were calm before, since some weights are 1,000 contacts),
  sparse_1e4 0.078 -> 0.014, sparse_1e5 0.124 -> 0.034, sparse_1e6 0.177 -> 0.16, brunel_dc_het 18.8 -> 13.4 (most of
  it by windows of 1/32 ms), microcircuit_full 24.9 -> 20.4; all others as before. Of fly's time a third is passes
  over the 136,000 neurons that hardly get any input, a quarter what its 84,000 spikes cost, 1.8 us each; to pass only
  over those at which something has arrived would save most of the third and cost a byte written for each arrival. Not
  tried yet.
- Two threads took twice the CPU time of one on microcircuit_full, so that nothing was gained. Not what was thought
  (that each files all rows) was behind it: a lane had a share of all eight populations, so that each cut each slice of
  48 synapses eight times, by a binary search in memory that nothing had fetched. One range a lane, as long as its load
  says, the place guessed, fetched eight slices ahead and looked for nearby. How much faster two threads are than one,
  by wall time, before -> after: brunel_dc 1.05 -> 1.38, brunel_dc_stored 1.56, brunel_exp_dc 1.66, brunel_poisson 1.43
  -> 1.70, brunel_exp 1.58 -> 1.78, microcircuit 1.0 -> 1.35 to 1.6, microcircuit_full 1.0 -> 1.4 to 1.7, coba 1.71,
  fly 1.3 to 1.85; cuba 1.03, whose windows of 0.1 ms are too short; brunel_dc_het 1.12, where each lane reads all
  spans. Of what two threads lose on brunel_dc half is the 0.3 us that each spends on each row: filed, cut, its factors
  found twice.
- A pass over neurons with currents with the numbers of eight turned in registers, a third of the instructions: expected
  a tenth of brunel_exp_dc, got 4 %: 2.1 ns a neuron are left, of which much is waiting for the second cache.
- Whole frames found by floor() and a division in place of a conversion: brunel_dc 2.5 against 1.8 s, sparse_1e6 0.22
  against 0.14. Compilers call a function for floor() where SSE4.1 is not at hand.
"""

import time

import eventsnn as esn
from eventsnn.cli import scenario


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
