"""What do streamed results, checkpoints and forks cost, and does memory stay flat?

    python benchmarks/long_runs.py streaming    # brunel of 12,500 neurons, 1 s, in turns
    python benchmarks/long_runs.py memory       # 100,000,000 spikes
    python benchmarks/long_runs.py forks        # cuba, 4,000 neurons

streaming: CPU seconds of the same run with its results in memory, streamed, and streamed with a checkpoint every
100 ms, which must have the same fingerprint. memory: what the process holds (RSS) while 20,000 sources of 500 Hz spike
for 10 s into a folder. forks: the transient of 500 ms is simulated once; then forks a minute of CPU time, each with
another seed, that are only made, and that go on for 20 ms with one neuron lifted by 0.1 mV.

Result (2026-12-01, AMD EPYC, 2 cores, idle but for memory, which ran beside other work):

    in memory                2.363 s (+0.0 %)   37.9 Hz
    streamed                 2.398 s (+1.5 %)   37.9 Hz
    checkpoint every 100 ms  2.553 s (+8.0 %)   37.9 Hz

    memory: 107.6 MB after 1 s and 10,093,011 spikes, 107.9 MB after 9.1 s and 91,152,806; at most 302.2 MB, within a
    chunk, also while the fingerprint is computed; 32 s, 1.60 GB on the disk. With chunks eight times as long, as runs
    have that are not streamed, it was 521 MB.

    forks a minute: 10,891; with 20 ms more each: 8,358, 5.73 Hz

While every run read all former pieces again to see that they were whole, 100 runs of 10 ms (brunel, n = 1,000) took
5 s, and after 300 such runs 29 s; now they take 0.6 to 0.7 s.
"""

from __future__ import annotations

import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import eventsnn as esn

REPEATS = 7


def streaming() -> None:
    folder = Path(tempfile.mkdtemp())
    ways: dict[str, Callable[[Path], dict[str, Any]]] = {
        "in memory": lambda _: {},
        "streamed": lambda path: {"stream": path},
        "checkpoint every 100 ms": lambda path: {"checkpoint": path, "every": 100.0},
    }
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    fingerprints = set()
    for k in range(REPEATS):
        for name, options in ways.items():
            net = esn.scenario("brunel").network
            net.run(0.0)
            begin = time.process_time()
            results = net.run(1000.0, **options(folder / f"{name} {k}"))
            seconds[name].append(time.process_time() - begin)
            fingerprints.add(results.fingerprint())
            rate = sum(len(trains) for trains in results.spikes.values()) / 12_500
            shutil.rmtree(folder / f"{name} {k}", ignore_errors=True)
    shutil.rmtree(folder)
    least = min(seconds["in memory"])
    for name, found in seconds.items():
        print(f"{name:24} {min(found):.3f} s ({100 * (min(found) / least - 1):+.1f} %)   {rate:.1f} Hz")
    assert len(fingerprints) == 1


def memory() -> None:
    folder = Path(tempfile.mkdtemp())
    net = esn.Network(seed=1)
    net.population(20_000, esn.Poisson(500.0), name="sources")
    net.run(0.0)
    print(f"before                   {held():8.1f} MB")
    shown = 0.0

    def show(status: esn.RunStatus) -> None:
        nonlocal shown
        if status.time >= shown + 1000.0:
            shown = status.time
            print(f"{status.time:8.0f} ms {status.spikes:12,} {held():8.1f} MB", flush=True)

    begin = time.perf_counter()
    results = net.run(10_000.0, stream=folder / "run", progress=show)
    size = sum(path.stat().st_size for path in (folder / "run").rglob("*") if path.is_file())
    print(f"{time.perf_counter() - begin:.1f} s, {size / 1e9:.2f} GB; at most {most():.1f} MB")
    print(f"fingerprint {results.fingerprint()}, after which at most {most():.1f} MB")
    shutil.rmtree(folder)


def held() -> float:
    """MB that the process holds now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1e6


def most() -> float:
    """MB that the process has held at most."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


def forks() -> None:
    net = esn.scenario("cuba").network
    net.run(500.0)
    begin = time.process_time()
    for seed in range(200):
        net.fork(seed=seed)
    made = 200 / (time.process_time() - begin)
    begin = time.process_time()
    spikes = 0
    for k in range(200):
        twin = net.fork()
        cell = twin.populations["exc"][k]
        cell.set(V_m=cell.state("V_m") + 0.1)
        spikes += sum(map(len, twin.run(20.0).spikes.values()))
    gone_on = 200 / (time.process_time() - begin)
    print(f"forks a minute: {60 * made:,.0f}; with 20 ms more each: {60 * gone_on:,.0f}, {spikes / 200 / 80:.2f} Hz")


if __name__ == "__main__":
    {"streaming": streaming, "memory": memory, "forks": forks}[sys.argv[1]]()
