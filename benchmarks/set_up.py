"""Does the time to set up a network, and that of a run after many others, grow in proportion?

    python benchmarks/set_up.py

Seconds for n projections with default names, n neurons with a current of their own each (described, compiled, and
compiled as one current with a row for each), and n runs of 1 ms of a network of 100 neurons whose potentials are
recorded every 0.1 ms. Version 1: 4.9 s for 10,000 projections and 11.2 s to compile 8,000 currents, both quadratic;
4.2 ms a run after 4,000.

Result (2026-11-30, AMD EPYC (Zen 5), one core of a busy machine, where a programme for each set of currents, made one
by one, took 1.8 s for 100,000):

      1,000: projections 0.01 s, currents described 0.06 s, currents compiled 0.01 s, as one array 0.01 s
     10,000: projections 0.23 s, currents described 0.94 s, currents compiled 0.07 s, as one array 0.01 s
    100,000: projections 2.86 s, currents described 9.34 s, currents compiled 1.34 s, as one array 0.24 s
      1,000: 1.01 ms a run
     10,000: 1.10 ms a run
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

import eventsnn as esn


def seconds(action: Callable[..., object], *arguments: int) -> float:
    begin = time.perf_counter()
    action(*arguments)
    return time.perf_counter() - begin


def projections(n: int) -> None:
    net = esn.Network()
    cells = net.population(3, esn.LIFDelta(), name="cells")
    for _ in range(n):
        net.connect(cells, cells, esn.OneToOne())


def currents(n: int) -> esn.Network:
    net = esn.Network()
    cells = net.population(n, esn.LIFExp(), name="cells")
    for i in range(n):
        net.stimulate(cells[i], esn.StepCurrent([0.0, 100.0], [400.0 + 0.01 * i, 0.0]))
    return net


def array(n: int) -> esn.Network:
    net = esn.Network()
    cells = net.population(n, esn.LIFExp(), name="cells")
    amplitudes = np.stack([400.0 + 0.01 * np.arange(n), np.zeros(n)], axis=1)
    net.stimulate(cells, esn.StepCurrent([0.0, 100.0], amplitudes))
    return net


def runs(n: int) -> None:
    net = esn.Network()
    cells = net.population(100, esn.LIFExp(I_e=500.0), name="cells")
    net.record(cells, "V_m", every=0.1)
    for _ in range(n):
        net.run(1.0)


def main() -> None:
    for n in (1_000, 10_000, 100_000):
        net, one = currents(n), array(n)
        times = {
            "projections": seconds(projections, n),
            "currents described": seconds(currents, n),
            "currents compiled": seconds(net.compile),
            "as one array": seconds(one.compile),
        }
        print(f"{n:7,}: " + ", ".join(f"{name} {value:.2f} s" for name, value in times.items()), flush=True)
    for n in (1_000, 10_000):
        print(f"{n:7,}: {1000.0 * seconds(runs, n) / n:.2f} ms a run", flush=True)


if __name__ == "__main__":
    main()
