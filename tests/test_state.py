"""The state of a running network: written and read back in a fresh process, it goes on with the same bits; forks; what
is refused."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from state_networks import KINDS, STOP, begin, go_on, laid_out, network_of, outcome

import eventsnn as esn
from eventsnn._core.engine import Engine
from eventsnn.errors import InputError, StateError
from eventsnn.layout import Net
from eventsnn.plan import Plan

SEEDS = {kind: range(12) for kind in KINDS} | {"random": range(60), "few at once": range(40), "crowded": range(4)}
BUDGETS = {"crowded": 20_000, "busy": 400, "varied": 400}

State = dict[str, Any]


def same(a: State, b: State) -> list[str]:
    """Names of the arrays in which two differ."""
    return [
        name for name in sorted(a.keys() | b.keys()) if name not in a or name not in b or not equal(a[name], b[name])
    ]


def equal(a: np.ndarray, b: np.ndarray) -> bool:
    return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()


def stopped(plan: Plan, net: Net, rng: np.random.Generator, kind: str) -> tuple[Engine, dict[str, np.ndarray]] | None:
    """An engine somewhere on its way, and what it has shown; None if the run ended before."""
    engine = Engine(net)
    begin(plan, engine)
    engine.set_calm(["auto", True, True, False][int(rng.integers(0, 4))], width=2.0**-4)
    until = rng.uniform(0.1, 0.6) * STOP
    budget = BUDGETS.get(kind, 60)
    while engine.time < until or (kind == "crowded" and engine.time % net.window == 0.0):
        threads = int(rng.integers(1, 4))
        if engine.advance(STOP, int(rng.integers(1, budget)), threads):
            return None
    shown = {"times": np.empty(0), "neurons": np.empty(0, dtype=np.int32)}
    shown["times"], shown["neurons"] = engine.take_spikes()
    for k, samples in enumerate(engine.samples):
        n = int(np.searchsorted(sampled_at(plan, k), engine.time))
        shown |= {f"sample {k} {name}": values[:, :n].copy() for name, values in samples.items()}
    return engine, shown


def sampled_at(plan: Plan, k: int) -> np.ndarray:
    probe = plan.probes[k]
    return esn.recording.sample_times(probe.every, probe.times, 0.0, STOP)


def joined(shown: State, later: State) -> State:
    """What a run shows that was interrupted."""
    found = dict(later)
    times = np.concatenate([shown["times"], later["times"]])
    neurons = np.concatenate([shown["neurons"], later["neurons"]])
    order = np.lexsort((neurons, times))
    found["times"], found["neurons"] = times[order], neurons[order]
    for name in later:
        if name.startswith("sample"):
            found[name] = np.concatenate([shown[name], later[name]], axis=1)
    return found


def in_a_fresh_process(folder: Path) -> None:
    tests = Path(__file__).parent
    environment = {**os.environ, "PYTHONPATH": f"{tests.parent}{os.pathsep}{tests}"}
    command = [sys.executable, str(tests / "state_networks.py"), str(folder)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=600)
    assert done.returncode == 0, done.stderr


def read(path: Path) -> State:
    with np.load(path) as found:
        return dict(found)


@pytest.mark.parametrize("kind", KINDS)
def test_a_fresh_process_goes_on_with_the_same_bits(kind, tmp_path):
    """From any time, also between the rounds of an instant and within a window, with any number of threads before and
    after; the run that went on, and one that was never stopped, show the same. A state that is restored is the same."""
    expected = {}
    for seed in SEEDS[kind]:
        rng = np.random.default_rng(seed)
        plan, net = laid_out(network_of(kind, seed))
        whole = Engine(net)
        begin(plan, whole)
        go_on(whole, [1])
        found = stopped(plan, net, rng, kind)
        if found is None:
            continue
        engine, shown = found
        state = engine.state()
        threads = "".join(str(number) for number in rng.integers(1, 4, 3))
        path = tmp_path / f"{kind},{seed},{threads}.npz"
        np.savez(path, **state)
        other = Engine(net)
        other.restore(state)
        assert same(other.state(), state) == []
        go_on(engine, [int(rng.integers(1, 4))])
        later = outcome(engine)
        for name in list(later):
            if name.startswith("sample"):
                later[name] = later[name][:, shown[name].shape[1] :]
        expected[path] = later
        if "failure" not in later:
            assert same(joined(shown, later), outcome(whole)) == [], (kind, seed)
        else:
            assert engine.failure == whole.failure
    assert len(expected) > 0.6 * len(SEEDS[kind])
    in_a_fresh_process(tmp_path)
    for path, later in expected.items():
        assert same(read(path.with_suffix(".out")), later) == [], path.name
