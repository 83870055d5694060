"""How long do images take to become spike trains, and spike trains a source?

Motivation: a data set must be coded in less time than it takes to be shown. The goals: 60,000 images of 28 x 28 as
latencies in under 5 s and 2 GB, and 1e6 spikes as a SpikeSource in under 0.1 s.

Images are random with a fifth of the pixels lit, as in MNIST. Each code is measured in a process of its own, whose most
resident memory is given; the images take 188 MB of it (float32).

Run: python benchmarks/encoding.py [images], on an otherwise idle machine with 4 GB.

Result, 2026-11-28, one run on a virtual machine with two cores that was otherwise idle, with numpy 2.4:

    SpikeSource of 1e6 spikes sorted by time                   33.3 ms
    SpikeSource of 1e6 spikes sorted by neuron                 11.2 ms
    SpikeSource of 1e6 spikes in any order                    102.1 ms
    code                            images million  encode  source   peak
                                            spikes       s       s     GB
    latency                         60,000     9.4    1.82    1.56   0.90
    latency, rc                     60,000     8.3    2.75    1.52   0.83
    rank order                      60,000     9.4    3.17    1.70   0.87
    image, latency                  60,000    47.0   10.45    8.29   3.16
    phase                           60,000    37.8    9.12    6.25   3.01
    burst                           60,000    28.2    6.41    5.63   2.32
    rate, 100 ms, at most 100 Hz    60,000    47.0   17.72    7.64   3.68
    population                       6,000    10.2    1.44    0.77   0.86
    population order                 6,000    10.2    1.40    0.59   0.78

Latencies keep both goals. Spikes that are sorted, as all codes return them, keep that of sources; those in no order
take as long as sorting them does, 102 to 150 ms in several runs. A third of all times is spent by the system, which
hands out memory that was not used before.
"""

import multiprocessing
import resource
import sys
import time

import numpy as np

import eventsnn as esn
from eventsnn.encode import Burst, Code, Image, Latency, Phase, Population, PopulationOrder, RankOrder, Rate, present

CODES: dict[str, Code] = {
    "latency": Latency(),
    "latency, rc": Latency(method="rc", threshold=0.1),
    "rank order": RankOrder(threshold=0.0),
    "image, latency": Image(),
    "phase": Phase(),
    "burst": Burst(),
    "rate, 100 ms, at most 100 Hz": Rate(),
}
# Eight fields a pixel: of fewer images.
BANKS: dict[str, Code] = {"population": Population(), "population order": PopulationOrder()}


def images(n: int) -> np.ndarray:
    rng = np.random.default_rng(0)
    some = (rng.random((1000, 28, 28)) * (rng.random((1000, 28, 28)) < 0.2)).astype(np.float32)
    return np.tile(some, (max(n // 1000, 1), 1, 1))[:n]


def measure(name: str, n: int) -> str:
    code = {**CODES, **BANKS}[name]
    x = images(n)
    began = time.perf_counter()
    trains = code.encode(x)
    coded = time.perf_counter()
    shown = present(trains, every=trains.duration + 1.0)
    shown.to_source()
    done = time.perf_counter()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    return f"{name:30s} {n:7,d} {trains.times.size / 1e6:7.1f} {coded - began:7.2f} {done - coded:7.2f} {peak:6.2f}"


def source(order: str) -> str:
    rng = np.random.default_rng(0)
    times, ids = rng.uniform(0.0, 1000.0, 10**6), rng.integers(0, 10_000, 10**6)
    if order != "in any order":
        by = np.argsort(times) if order == "sorted by time" else np.lexsort((times, ids))
        times, ids = times[by], ids[by]
    taken = []
    for _ in range(5):
        began = time.perf_counter()
        esn.SpikeSource(times, ids)
        taken.append(time.perf_counter() - began)
    return f"SpikeSource of 1e6 spikes {order:30s} {1000 * sorted(taken)[2]:6.1f} ms"


def alone(function, *arguments):
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(function, arguments)


if __name__ == "__main__":
    n = int(float(sys.argv[1])) if len(sys.argv) > 1 else 60_000
    for order in ("sorted by time", "sorted by neuron", "in any order"):
        print(alone(source, order), flush=True)
    print(f"{'code':30s} {'images':>7s} {'million':>7s} {'encode':>7s} {'source':>7s} {'peak':>6s}")
    print(f"{'':30s} {'':>7s} {'spikes':>7s} {'s':>7s} {'s':>7s} {'GB':>6s}")
    for name in [*CODES, *BANKS]:
        print(alone(measure, name, n if name in CODES else n // 10), flush=True)
