"""How long does it take to read ten million events, and to turn them into a spike source?

Motivation: a busy scene gives millions of events a second. The aim is 10^7 in two seconds.

Run: python benchmarks/event_files.py, on an otherwise idle machine with 2 GB of memory; with faery installed for all of
it. Events lie anywhere on a sensor of 1280 x 720 pixels and at any time of 8 s, which is the worst case for EVT 3.0 and
its like: neighbours share neither row nor time. The .bin file, which has 8 bits of x and y, has a sensor of 160 x 90.

Result, 2026-11-28, seconds, medians of three, on two cores of a virtual machine that was otherwise idle, with numpy
2.4, h5py 3.16 and faery 0.7.1:

                   MB   read   to_source   both
    .aedat4        90   0.99        1.25   2.24
    .aedat (3.1)   80   0.40        1.08   1.48
    .raw (EVT 2)   41   0.35        0.87   1.22
    .raw (EVT 3)   51   0.72        1.00   1.75
    .dat           80   0.19        1.08   1.27
    .es            50   0.35        0.91   1.31
    .hdf5         140   0.86        1.32   2.03
    .bin           50   0.22        0.57   0.87
    .csv          178   1.30        1.27   2.69
    .txt          178   1.27        1.47   2.74

Text misses the aim, AEDAT4 and HDF5 do about as often as not: they took 1.96 and 1.49 s in another hour. Of AEDAT4 0.4
s start a process. A third of all is spent by the system: behind a reader memory is used for the first time, which this
machine hands out slowly (160 MB took 0.3 s, and 0.02 s once they had been used).

What helped: words of EVT 3.0 picked by their indices and not by masks, 0.89 -> 0.65 s (in a profiler); text read by
numpy from the file itself and not from a string in memory, 3.9 -> 1.6; what another process sends laid out as it stays,
1.05 -> 0.83.
"""

import tempfile
import time
from pathlib import Path

import numpy as np

from eventsnn import events
from eventsnn.base.errors import InputError
from eventsnn.events.files import FORMATS

N = 10_000_000
SPAN = 8000.0  # ms
WIDTH, HEIGHT = 1280, 720
REPEATS = 3


def recording() -> events.Events:
    rng = np.random.default_rng(1)
    t = np.sort(rng.integers(0, int(1000.0 * SPAN), N)) / 1000.0
    x, y, p = rng.integers(0, WIDTH, N), rng.integers(0, HEIGHT, N), rng.integers(0, 2, N)
    return events.Events.of(t, x, y, p, WIDTH, HEIGHT)


def timed(action, *arguments):
    began = time.perf_counter()
    result = action(*arguments)
    return result, time.perf_counter() - began


def measure(path: Path) -> None:
    seconds = []
    for _ in range(REPEATS):
        read, reading = timed(events.read, path)
        _, turning = timed(read.to_source)
        seconds.append((reading, turning, reading + turning))
    reading, turning, both = np.median(seconds, axis=0)
    size = path.stat().st_size / 1e6
    print(f"{path.name:14} {size:4.0f} MB: read {reading:5.2f} s, to_source {turning:5.2f} s, both {both:5.2f} s")


if __name__ == "__main__":
    whole = recording()
    small = whole.downsample(8)
    with tempfile.TemporaryDirectory() as folder:
        for suffix, version in FORMATS:
            path = Path(folder) / f"{version or 'events'}{suffix}"
            try:
                events.write(small if suffix == ".bin" else whole, path, version=version)
            except InputError as error:
                print(f"{suffix}: {error}")
                continue
            measure(path)
            path.unlink()
