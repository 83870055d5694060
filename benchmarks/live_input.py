"""Does a layer keep up with a camera of a million events a second, and how long after an event does it answer?

    python benchmarks/live_input.py

A sensor of 100 x 100 pixels sends 1,000,000 events a second, at random pixels and times. Chunks of so many ms are
pushed into a SpikeSource, from which 3 x 3 pixels reach each of 10,000 neurons, and the network runs to the end of
each. Busy: what of the time of a chunk the processor works; below 1 the network keeps up. Delay: from an event to
the moment at which the spikes of its chunk can be read: the rest of its chunk, and the work (CPU time).

Result (2026-11-29, AMD EPYC (Zen 5), one core):

        1 ms: busy 3.28 (at most 16.06), delay 3.78 ms (median), 4.47 ms (99 %); 40.9 Hz
        2 ms: busy 2.95 (at most 3.63), delay 6.92 ms (median), 8.24 ms (99 %); 40.9 Hz
        5 ms: busy 2.46 (at most 3.09), delay 14.95 ms (median), 18.06 ms (99 %); 40.9 Hz
       10 ms: busy 2.16 (at most 2.47), delay 27.03 ms (median), 32.95 ms (99 %); 40.9 Hz
       50 ms: busy 1.54 (at most 1.98), delay 102.48 ms (median), 146.33 ms (99 %); 40.9 Hz

It does not keep up: half a million events a second are what it takes.
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
