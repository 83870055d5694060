"""Does a layer keep up with a camera of a million events a second, and how long after an event does it answer?

    python benchmarks/live_input.py

A sensor of 100 x 100 pixels sends 1,000,000 events a second, at random pixels and times. Chunks of so many ms are
pushed into a SpikeSource, from which 3 x 3 pixels reach each of 10,000 neurons, and the network runs to the end of
each. Busy: what of the time of a chunk the processor works; below 1 the network keeps up. Delay: from an event to
the moment at which the spikes of its chunk can be read: the rest of its chunk, and the work (CPU time).

Result (2026-11-30, AMD EPYC (Zen 5), one core, `taskset -c 1`), and one day before, when all neurons were put into
their records at the end of each run and blocks of calm neurons were too narrow:

        1 ms: busy 1.86 (at most 3.25), delay 2.34 ms (median), 3.47 ms (99 %); 40.9 Hz; before 3.28
        2 ms: busy 1.54 (at most 2.39), delay 4.08 ms (median), 5.44 ms (99 %); 40.9 Hz; before 2.95
        5 ms: busy 1.35 (at most 2.00), delay 9.24 ms (median), 13.43 ms (99 %); 40.9 Hz; before 2.46
       10 ms: busy 1.26 (at most 1.45), delay 17.63 ms (median), 22.98 ms (99 %); 40.9 Hz; before 2.16
       50 ms: busy 1.25 (at most 1.60), delay 87.49 ms (median), 120.44 ms (99 %); 40.9 Hz; before 1.54

A layer that fires as much as this one, 409,000 spikes a second, does not keep up: 800,000 events a second are what it
takes. The layer of the scenario dvs_live, LIFDelta at 6 Hz, does, `esn.scenario("dvs_live", chunk=...).run(2000.0)`, on
the wall (summary["live"]), from the event that made a neuron fire to its spike:

        1 ms: busy 0.97, above 1 in 24 % of the packets; delay 1.94 ms (median), 3.32 ms (99 %)
        2 ms: busy 0.63, above 1 in 1.4 %; delay 2.76 ms, 4.04 ms
        5 ms: busy 0.41, never above 1; delay 5.08 ms, 7.88 ms
       10 ms: busy 0.36, never above 1; delay 9.08 ms, 14.09 ms
"""

from __future__ import annotations

import time

import numpy as np

import eventsnn as esn

SIDE, RATE, SECONDS = 100, 1_000_000, 2.0


def network() -> tuple[esn.Network, esn.Population]:
    net = esn.Network(seed=1)
    camera = net.population(SIDE * SIDE, esn.SpikeSource([], []), name="camera")
    layer = net.population(SIDE * SIDE, esn.LIFExp(tau_m=10.0, tau_syn_ex=1.0, t_ref=1.0), name="layer")
    net.connect(camera, layer, esn.Conv2D(np.full((3, 3), 450.0), (SIDE, SIDE), padding=1), weight=1.0, delay=0.5)
    net.record(layer, "spikes")
    return net, camera


def measure(width: float) -> str:
    """Chunks of `width` ms."""
    rng = np.random.default_rng(3)
    net, camera = network()
    net.run(width)
    busy, delays, spikes = [], [], 0
    for _ in range(int(1000.0 * SECONDS / width)):
        n = int(RATE * width / 1000.0)
        times, ids = np.sort(rng.uniform(0.0, width, n)), rng.integers(0, SIDE * SIDE, n)
        begin = time.process_time()
        camera.push(times + net.time, ids)
        results = net.run(width, keep="new")
        spikes += len(results.spikes["layer"])
        work = 1000.0 * (time.process_time() - begin)
        busy.append(work / width)
        delays.append(width - times + work)
    p50, p99 = np.percentile(np.concatenate(delays), [50.0, 99.0])
    rate = spikes / SECONDS / SIDE**2
    return (
        f"{width:5g} ms: busy {np.mean(busy):.2f} (at most {np.max(busy):.2f}), delay {p50:.2f} ms (median), "
        f"{p99:.2f} ms (99 %); {rate:.1f} Hz"
    )


def main() -> None:
    for width in (1.0, 2.0, 5.0, 10.0, 50.0):
        print(measure(width), flush=True)


if __name__ == "__main__":
    main()
