"""The memory's own limit: the synapses of eventsnn's network, visited in the order of eventsnn's spikes."""

import ctypes
import os
import subprocess
from pathlib import Path
from typing import Any

import numpy as np

from peers import eventsnn, worker

SOURCE = Path(__file__).resolve().parents[1] / "scatter.c"
COMPILER = os.environ.get("CC", "cc")
FLAGS = ["-O3", "-ffp-contract=off", "-shared", "-fPIC"]  # as the kernels in ext/


def version() -> str:
    try:
        done = subprocess.run([COMPILER, "--version"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        raise worker.Unsupported(f"no C compiler called {COMPILER}") from None
    return done.stdout.splitlines()[0]


def library(folder: Path) -> ctypes.CDLL:
    built = folder / "scatter.so"
    if not built.exists():
        subprocess.run([COMPILER, *FLAGS, str(SOURCE), "-o", str(built)], check=True)
    loops = ctypes.CDLL(str(built))
    loops.add.restype = loops.add_two.restype = ctypes.c_int64
    return loops


def stretches(plan: Any, spikes: np.ndarray, stored: bool) -> tuple[np.ndarray, ...]:
    """Begin and end of each spike's synapses, a row in each projection of the neuron; targets and weights."""
    begins, ends, weights, order, offset = [], [], [], [], 0
    for p in plan.rows:
        row = np.full(plan.n, -1)
        row[p.pre] = np.arange(p.pre.size)
        mine = row[spikes]
        which = np.flatnonzero(mine >= 0)
        begins.append(p.start[mine[which]] + offset)
        ends.append(p.start[mine[which] + 1] + offset)
        weights.append(np.full(which.size, p.weight[0] if p.weight.size else 0.0))
        order.append(which)
        offset += p.n_synapses
    sequence = np.argsort(np.concatenate(order), kind="stable")
    begin, end, weight = (np.concatenate(parts)[sequence] for parts in (begins, ends, weights))
    target = np.concatenate([p.target for p in plan.rows])
    if stored:
        weight = np.concatenate([np.broadcast_to(p.weight, p.n_synapses) for p in plan.rows])
    return begin, end, target, weight


def pointer(array: np.ndarray) -> ctypes.c_void_p:
    return ctypes.c_void_p(array.ctypes.data)


def simulate(request: dict[str, Any]) -> dict[str, Any]:
    network, words = request["network"], request["words"]
    folder = Path(request["folder"])
    try:
        spikes = np.load(folder / "spikes.npy")
    except FileNotFoundError:
        raise worker.Unsupported("it visits the synapses of eventsnn's spikes; let eventsnn run before") from None
    loops = library(folder)
    worker.pin(request)
    begin_mark = worker.mark()
    plan = eventsnn.build(network, request["seed"]).compile().plan
    stored = any(p.weight.size > 1 for p in plan.rows)
    begin, end, target, weight = stretches(plan, spikes, stored)
    # Written, so that no page of it is made within the loop.
    state, above = np.full(words * plan.n, 0.0), ctypes.c_int64(0)
    arguments = [*(pointer(a) for a in (begin, end, target, weight)), int(stored), pointer(state)]
    loop = loops.add if words == 1 else loops.add_two
    if words == 2:
        arguments += [ctypes.c_double(1e6), ctypes.byref(above)]
    loop(ctypes.c_int64(0), *arguments)  # finds the function
    built = worker.mark()
    events = loop(ctypes.c_int64(begin.size), *arguments)
    done = worker.mark()

    counts = {"neurons": plan.n, "synapses": plan.n_synapses, "spikes": int(spikes.size), "rate": None}
    # The sum shows that the loop was not optimised away, and that both variants did the same.
    return worker.answer(begin_mark, built, done, events=int(events), sum=float(state[::words].sum()), **counts)


if __name__ == "__main__":
    worker.serve(version, simulate)
