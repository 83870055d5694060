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
from state_networks import KINDS, STOP, begin, equal, go_on, laid_out, laid_out_alone, network_of, outcome, same

import eventsnn as esn
from eventsnn._core.run.engine import Engine
from eventsnn.base.errors import InputError, StateError
from eventsnn.compile.layout import Net
from eventsnn.compile.plan import Plan
from eventsnn.run.outcome import Outcome
from eventsnn.run.samples import sample_times

SEEDS = {kind: range(12) for kind in KINDS} | {"random": range(40), "few at once": range(26), "crowded": range(4)}
BUDGETS = {"crowded": 20_000, "busy": 400, "varied": 400}

State = dict[str, Any]


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
    return sample_times(probe.every, probe.times, 0.0, STOP)


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
    support = Path(__file__).parent / "support"
    environment = {**os.environ, "PYTHONPATH": f"{support.parent.parent}{os.pathsep}{support}"}
    command = [sys.executable, str(support / "state_networks.py"), str(folder)]
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
        other.verify()
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


def test_a_state_may_be_restored_twice_and_into_an_engine_that_has_run():
    """Forks do not touch each other, nor the arrays; what the engine had shown or begun is dropped."""
    for kind, seed in (("busy", 3), ("few at once", 4), ("procedural", 2), ("taylor", 1)):
        rng = np.random.default_rng(seed)
        plan, net = laid_out(network_of(kind, seed))
        found = stopped(plan, net, rng, kind)
        assert found is not None
        engine, _ = found
        state = engine.state()
        kept = {name: array.copy() for name, array in state.items()}
        outcomes = []
        for other in (Engine(net), Engine(net), engine):
            if other is not engine:
                begin(plan, other)
                go_on(other, [3], stop=rng.uniform(0.0, STOP))
            other.restore(state)
            assert other.time == state["time"]
            begin(plan, other)
            go_on(other, [int(rng.integers(1, 4))])
            outcomes.append(outcome(other))
        assert same(state, kept) == []
        assert same(outcomes[0], outcomes[1]) == [] and same(outcomes[0], outcomes[2]) == []
        assert outcomes[0]["times"].size and outcomes[0]["times"].min() >= state["time"]


def test_what_a_run_depends_on_is_in_its_state():
    """Each array changed by a little is refused, or gives another run: of those that count, in the tests below. A
    search for a crossing that begins anew finds the same."""
    counting = {"neurons.burst", "neurons.millisecond", "neurons.spikes", "neurons.bounded"}
    counting |= {"rows.ordinal", "rows.fired_round", "trains.stream", "trains.time"}
    matters: set[str] = set()
    for kind, seed in (("random", 5), ("random", 8), ("few at once", 4), ("taylor", 1), ("procedural", 2)):
        plan, net = laid_out(network_of(kind, seed))
        found = stopped(plan, net, np.random.default_rng(seed), kind)
        assert found is not None
        state = found[0].state()
        expected = restored_outcome(plan, net, state)
        for name in set(state) - matters:
            array = ~state[name] if state[name].dtype == np.bool_ else state[name] + state[name].dtype.type(1)
            if array.size and not equal(array, state[name]):
                try:
                    changed = restored_outcome(plan, net, {**state, name: np.asarray(array)})
                except InputError:
                    matters.add(name)
                else:
                    matters |= {name} if same(changed, expected) else set()
    assert set(state) - matters <= counting


def restored_outcome(plan: Plan, net: Net, state: State) -> State:
    engine = Engine(net)
    engine.restore(state)
    begin(plan, engine)
    go_on(engine, [1], budget=100_000)
    return outcome(engine)


def test_spikes_of_a_millisecond_are_counted_on():
    """Five are allowed; three of the six come before the state is taken, which says so."""
    net, cells = laid_out_alone(max_spikes=5)
    times = [3.125 + k * 0.0625 for k in range(6)]
    sources = net.population(2, esn.SpikeSource([times[::2], times[1::2]]))
    net.connect(sources, cells[:1], esn.AllToAll(), weight=2.0, delay=0.25)
    plan, laid = laid_out(net)
    engine = Engine(laid)
    assert engine.advance(times[3] + 0.25, 10**6)
    state = engine.state()
    assert state["neurons.burst"][:2].tolist() == [3, 0] and state["neurons.spikes"][:2].tolist() == [3, 0]
    assert state["neurons.millisecond"][0] == 3
    other = Engine(laid)
    other.restore(state)
    assert other.advance(10.0, 10**6) and other.failure == (0, times[5] + 0.25, Outcome.TOO_MANY_SPIKES)
    for name, value in (("neurons.burst", 1), ("neurons.millisecond", 2)):
        array = state[name].copy()
        array[0] = value
        other.restore({**state, name: array})
        assert other.advance(10.0, 10**6) and other.failure is None


def test_spikes_that_were_given_are_in_the_state():
    """Those given last, as far as they are to come, though the network was compiled with others."""
    net, cells = laid_out_alone()
    source = net.population(3, esn.SpikeSource([[1.0, 9.0], [2.0], []]), name="source")
    net.connect(source[:2], cells, esn.OneToOne(), weight=2.0, delay=0.5)
    plan, laid = laid_out(net)
    engine = Engine(laid)
    assert engine.advance(3.0, 10**6)
    first = next(p.start for p in plan.populations if p.name == "source")
    given = np.array([4.0, 6.0, 6.0, 5.0])
    engine.set_trains(first, given, np.array([0, 3, 4]), np.array([3, 4, 4]))
    assert engine.advance(4.5, 10**6)
    state = engine.state()
    # The third was silent and stays so.
    assert state["trains.time"].tolist() == given.tolist() and state["trains.start"].tolist() == [0, 3, 4, 4]
    given[:] = 7.0
    other = Engine(laid)
    other.restore(state)
    state["trains.time"][:] = 8.0
    for one in (engine, other):
        one.take_spikes()
        assert one.advance(20.0, 10**6)
    times, neurons = other.take_spikes()
    order = np.lexsort((neurons, times))
    expected = [(4.5, 0), (5.0, first + 1), (5.5, 1), (6.0, first), (6.0, first), (6.5, 0)]
    assert list(zip(times[order].tolist(), neurons[order].tolist(), strict=True)) == expected
    assert sorted(engine.take_spikes()[0].tolist()) == sorted(times.tolist())
    other.restore(Engine(laid).state())  # those of the plan again
    assert other.advance(20.0, 10**6)
    assert sorted(other.take_spikes()[0].tolist()) == [1.0, 1.5, 2.0, 2.5, 9.0, 9.5]


def test_a_run_that_has_ended_has_no_state():
    net, cells = laid_out_alone(max_spikes=1)
    net.connect(net.population(1, esn.SpikeSource([1.0, 1.25])), cells, esn.AllToAll(), weight=2.0)
    engine = Engine(laid_out(net)[1])
    before = engine.state()
    assert engine.advance(10.0, 10**6) and engine.failure is not None
    with pytest.raises(StateError, match="the run has ended"):
        engine.state()
    failure = engine.failure
    for threads in (1, 2):
        engine.restore(before)
        assert engine.failure is None and engine.time == 0.0
        assert engine.advance(10.0, 10**6, threads) and engine.failure == failure


@pytest.fixture(scope="module")
def middle() -> tuple[Net, State]:
    plan, net = laid_out(network_of("procedural", 2))
    engine = Engine(net)
    begin(plan, engine)
    engine.advance(12.0, 10**6)
    return net, engine.state()


def first_changed(state: State, name: str, value: object) -> np.ndarray:
    array = state[name].copy()
    array.reshape(-1)[0] = value
    return array


@pytest.mark.parametrize(
    ("name", "change", "sentence"),
    [
        ("neurons.v", None, "neurons.v is missing"),
        ("neurons.v", lambda a: a[:-1], r"neurons.v is float64 of shape \d+; it must be float64 of shape \d+"),
        ("neurons.v", lambda a: a.astype(np.float32), "neurons.v is float32"),
        ("neurons.v", lambda a: a.tolist(), "neurons.v is list, not an array"),
        ("neurons.u", lambda a: a[:, :1], r"neurons.u is int64 of shape 60x1; it must be int64 of shape 60x2"),
        ("neurons.t", lambda a: np.where(a == a[0], np.nan, a), "neurons.t holds a number that is none"),
        ("neurons.bounded", lambda a: a + np.int8(4), r"neurons.bounded\[0\] = \d+ is no certainty"),
        ("neurons.change", lambda a: a + np.int32(1), r"neurons.change\[0\] = 1 is no change of this neuron's current"),
        ("time", lambda a: np.array([a]), "time is float64 of shape 1; it must be float64 of shape a single number"),
        ("time", lambda a: a + 100.0, r"rows.fired\[0\] = .* ms: the spike should have arrived before"),
        ("time", lambda a: np.array(-1.0), "time = -1 ms is none"),
        ("network", lambda a: a[::-1], "network says that it is one of another network"),
        ("streams.first", lambda a: a + 0.5, r"streams.first\[0\] = .* ms is not when this stream spikes next"),
        ("streams.cell", lambda a: a + 1, r"streams.first\[0\] = .* ms is not when this stream spikes next"),
        ("streams.at", lambda a: a - np.int32(99), r"streams.at\[0\] = .* is no place in a stream"),
        ("trains.start", lambda a: a + 1, "trains.start does not cut trains.time"),
        ("trains.stream", lambda a: np.array([0]), "trains.start does not cut trains.time"),
        ("rows.projection", lambda a: a + np.int32(99), r"rows.projection\[0\] = \d+ is no projection"),
        ("rows.row", lambda a: a - np.int32(99), r"rows.row\[\d+\] = -\d+ is no row of rows\d"),
        ("rows.read", lambda a: a + 99, r"rows.read\[\d+\] = \d+ is not how far a row of rows\d can be read"),
        ("rows.read", lambda a: a[1:], r"the arrays rows.\* differ in length"),
        ("rows.spare", lambda a: np.zeros(3), "rows.spare is no array of a state"),
        ("weights.9", lambda a: np.zeros(3), "weights.9 is of no projection"),
        ("weights.0", lambda a: np.zeros(3), "weights.0: rows0 keeps no weights with storage='procedural'"),
    ],
)
def test_what_is_no_state_of_the_network_is_refused(name, change, sentence, middle):
    """In a sentence that names the array; the engine goes on as if nothing had been asked."""
    net, state = middle
    damaged = {**state}
    damaged.pop(name, None)
    if change is not None:
        damaged[name] = change(state.get(name))
    engine = Engine(net)
    engine.advance(5.0, 10**6)
    before = engine.state()
    with pytest.raises(InputError, match=f"^the state cannot be used: {sentence}"):
        engine.restore(damaged)
    assert same(engine.state(), before) == []


@pytest.mark.parametrize("change", ["seed", "weight", "delay", "parameter", "model"])
def test_a_state_of_another_network_is_refused(change):
    def network(changed: str) -> esn.Network:
        net = esn.Network(seed=2 if changed == "seed" else 1)
        kind = esn.AdEx if changed == "model" else esn.EIF
        cells = net.population(5, kind(t_ref=2.0 if changed == "parameter" else 1.0), name="cells")
        weight, delay = 2.0 if changed == "weight" else 1.0, 2.0 if changed == "delay" else 1.0
        net.connect(cells, cells, esn.FixedOutDegree(2), weight=weight, delay=delay)
        return net

    state = Engine(laid_out(network(change))[1]).state()
    with pytest.raises(InputError, match="neurons.words|network says that it is one of another network"):
        Engine(laid_out(network(""))[1]).restore(state)
    Engine(laid_out(network(change))[1]).restore(state)


def test_what_is_recorded_may_differ():
    def network(recorded: bool) -> esn.Network:
        net, cells = laid_out_alone()
        if recorded:
            net.record(cells[:1], "V_m", every=1.0)
            net.record(cells[:1], "spikes")
        return net

    Engine(laid_out(network(True))[1]).restore(Engine(laid_out(network(False))[1]).state())
