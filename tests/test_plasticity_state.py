"""The state of a network that learns: it goes on with the same bits, forks, and is refused where it is damaged."""

from __future__ import annotations

import io

import numpy as np
import pytest
from plastic_networks import Driven, random_trains
from plastic_recurrent import MODELS, RULES, recurrent
from state_networks import begin, go_on, laid_out, outcome, same

import eventsnn as esn
from eventsnn._core.run.engine import Engine

STOP = 30.0
NAMES = list(RULES)
CASES = [(list(MODELS)[k % 4], (NAMES[k], NAMES[-k]), k) for k in range(len(NAMES))]


def shown(engine, plan, since=0.0):
    """Spikes from a time on, the final state, and the weights."""
    found = outcome(engine)
    late = found["times"] >= since
    found["times"], found["neurons"] = found["times"][late], found["neurons"][late]
    weights = {f"weights {k}": engine.weights_of(k) for k, p in enumerate(plan.projections) if p.plastic is not None}
    return {name: values for name, values in found.items() if not name.startswith("sample")} | weights


def written(state):
    """A state that has been in a file."""
    file = io.BytesIO()
    np.savez(file, **state)
    file.seek(0)
    with np.load(file) as found:
        return dict(found)


@pytest.mark.parametrize(("model", "rules", "seed"), CASES, ids=[f"{m}, {', '.join(r)}" for m, r, _ in CASES])
def test_a_network_goes_on_from_its_state(model, rules, seed):
    rng = np.random.default_rng(seed)
    plan, net = laid_out(recurrent(model, rules, seed))
    whole = Engine(net)
    begin(plan, whole, STOP)
    go_on(whole, [1], stop=STOP)
    engine = Engine(net)
    begin(plan, engine, STOP)
    middle = float(rng.uniform(8.0, 20.0))
    go_on(engine, [2, 1], budget=int(rng.integers(50, 500)), stop=middle)
    if seed % 2:
        engine.weights_of(0)
    state = written(engine.state())
    assert any(name.startswith("plastic.") for name in state)
    forks = [Engine(net) for _ in range(2)]
    go_on(forks[1], [1], stop=3.0)
    for fork in forks:
        fork.restore(state)
        fork.verify()
        assert same(written(fork.state()), state) == []
    # Twice the same, though one has run meanwhile.
    go_on(forks[0], [3], stop=STOP)
    go_on(engine, [1], stop=STOP)
    go_on(forks[1], [1], budget=77, stop=STOP)
    expected = shown(whole, plan, middle)
    assert expected["times"].size > 8
    for other in (engine, *forks):
        assert same(shown(other, plan, middle), expected) == []


def test_what_was_set_and_frozen_is_in_a_state():
    seen = []
    for restored in (False, True):
        net = recurrent("LIFDelta", ("STDP", "own"), 4)
        net.run(10.0)
        net.projections["plastic0"].plasticity.enabled = False
        net.projections["plastic1"].set(weight=0.25 * np.sign(net.projections["plastic1"].get("weight")[0]))
        simulation = net._simulation
        if restored:
            state = written(simulation._state.state())
            simulation._state.restore(state)
        weights = net.projections["plastic0"].get("weight")
        net.run(15.0)
        assert np.array_equal(net.projections["plastic0"].get("weight"), weights)
        seen.append([net.projections[f"plastic{k}"].get("weight") for k in range(3)])
    assert all(np.array_equal(a, b) for a, b in zip(*seen, strict=True))


def a_state(rule="RewardSTDP", **keywords):
    trains = random_trains(np.random.default_rng(3), 3, 40.0, 4.25)
    driven = Driven(rule, trains, **keywords)
    plan, net = laid_out(driven.net)
    engine = Engine(net)
    begin(plan, engine, 40.0)
    go_on(engine, [1], stop=21.3)
    return net, engine.state()


def name_of(state, end):
    return next(name for name in state if name.startswith("plastic.") and name.endswith(end))


@pytest.mark.parametrize(
    ("end", "change", "words"),
    [
        (".swept", lambda a: a + 100.0, "swept"),
        (".enabled", lambda a: a + 2, "enabled"),
        (".at", lambda a: a + 100.0, "at holds a time"),
        (".at", lambda a: a - 1e3, "at holds a time"),
        (".own", lambda a: a * np.nan, "own holds"),
        (".pre_start", lambda a: a + 1, "pre_start"),
        (".pre_start", lambda a: a[::-1].copy(), "pre_start"),
        (".pre_first", lambda a: a + 1, "pre_first"),
        (".post_first", lambda a: a - 1, "post_first"),
        (".post_spikes", lambda a: a * np.nan, "post_spikes"),
        (".post_spikes", lambda a: a + 100.0, "post_spikes"),
        (".pre_spikes", lambda a: a - 100.0, "pre_spikes"),
        (".third_spikes", lambda a: a[:, :1].copy(), "third_spikes"),
        (".third_first", lambda a: a[:0].copy(), "third_first"),
        (".own", lambda a: a[:1].copy(), "own"),
        (".at", lambda a: a.astype(np.float32), "at"),
    ],
)
def test_damaged_states_are_refused(end, change, words):
    net, state = a_state()
    name = name_of(state, end)
    engine = Engine(net)
    with pytest.raises(esn.InputError, match=words):
        engine.restore({**state, name: change(state[name])})
    engine.restore(state)


def test_missing_arrays_are_refused():
    net, state = a_state()
    plastic = [name for name in state if name.startswith(("plastic.", "weights."))]
    assert len(plastic) == 14
    for name in plastic:
        with pytest.raises(esn.InputError, match=name):
            Engine(net).restore({other: array for other, array in state.items() if other != name})


@pytest.mark.parametrize("rule", ["STDP", "TsodyksMarkram"])
def test_weights_out_of_bounds_are_refused(rule):
    keywords = {"w_max": 60.0} if rule == "STDP" else {}
    net, state = a_state(rule, **keywords)
    name = next(name for name in state if name.startswith("weights."))
    for wrong in (-1.0, np.nan, 61.0) if rule == "STDP" else (-1.0, np.nan):
        damaged = state[name].copy()
        damaged[2] = wrong
        with pytest.raises(esn.InputError):
            Engine(net).restore({**state, name: damaged})
