"""Currents with numbers of their own for each neuron, and the programmes that are made of all currents."""

import numpy as np
import pytest

import eventsnn as esn

ROWS = np.random.default_rng(1).normal(500.0, 100.0, (6, 3))
TIMES = [1.0, 4.5, 30.0]


def driven(*currents, engine="compiled", names=("step", "ramp", "sine")):
    """Spikes and potentials of neurons, of which number k receives currents[j][k], or currents[j] if it is for all."""
    net = esn.Network()
    cells = net.population(len(ROWS), esn.LIFExp(), name="cells")
    for name, current in zip(names, currents, strict=False):
        if isinstance(current, list):
            for k, one in enumerate(current):
                net.stimulate(cells[k], one, name=f"{name} {k}")
        else:
            net.stimulate(cells, current, name=name)
    net.record(cells, "V_m", every=0.5)
    results = net.run(60.0, engine=engine)
    return results.spikes["cells"].times.tolist(), results.traces["cells"].V_m.tolist()


@pytest.mark.parametrize("engine", ["compiled", "reference"])
def test_a_row_for_each_neuron_is_a_current_for_each(engine):
    arrays = driven(
        esn.StepCurrent(TIMES, ROWS),
        esn.RampCurrent(TIMES, ROWS - 480.0),
        esn.SineCurrent(ROWS[:, 0], frequency=ROWS[:, 1] / 10.0, phase=ROWS[:, 2], offset=3.0, start=2.0, stop=40.0),
        engine=engine,
    )
    singles = driven(
        [esn.StepCurrent(TIMES, row) for row in ROWS],
        [esn.RampCurrent(TIMES, row - 480.0) for row in ROWS],
        [esn.SineCurrent(row[0], row[1] / 10.0, row[2], 3.0, 2.0, 40.0) for row in ROWS],
        engine=engine,
    )
    assert arrays == singles and len(arrays[0]) > 5


def value_of(plan, neuron, t):
    """The current (pA) that a neuron's programme gives at t."""
    p = plan.of[neuron]
    if p < 0:
        return 0.0
    k = np.searchsorted(plan.time[plan.start[p] : plan.start[p + 1]], t, side="right") - 1
    if k < 0:
        return 0.0
    k += plan.start[p]
    sines = plan.sine[plan.sine_start[k] : plan.sine_start[k + 1]]
    line = plan.amplitude[k] + plan.slope[k] * (t - plan.time[k])
    return line + sum(a * np.sin(2.0 * np.pi * (f * t + phase)) for f, phase, a in sines)


def test_programmes_are_the_sums_of_what_neurons_receive():
    draw = np.random.default_rng(2)
    net = esn.Network()
    cells = net.population(12, esn.LIFExp(), name="cells")
    at = np.arange(0.25, 50.0, 0.5)
    expected = np.zeros((12, at.size))
    for _ in range(40):
        ids = np.sort(draw.choice(12, draw.integers(1, 12), replace=False))
        times = np.sort(draw.choice(40, 4, replace=False)) + draw.choice([0.0, 0.5])
        rows = draw.normal(0.0, 100.0, (ids.size, 4))
        kind = draw.choice(["step", "one step", "ramp", "sine"])
        if kind == "sine":
            current = esn.SineCurrent(rows[:, 0], np.abs(rows[:, 1]), rows[:, 2], rows[:, 3], times[0], times[1])
            turns = rows[:, 1:2].__abs__() / 1000.0 * at + rows[:, 2:3] / 360.0
            wave = rows[:, 3:] + rows[:, :1] * np.sin(2.0 * np.pi * turns)
            expected[ids] += np.where((at >= times[0]) & (at < times[1]), wave, 0.0)
        elif kind == "ramp":
            current = esn.RampCurrent(times, rows)
            expected[ids] += [np.interp(at, times, row, left=0.0) for row in rows]
        else:
            current = esn.StepCurrent(times, rows if kind == "step" else rows[0])
            rows = rows if kind == "step" else rows[:1].repeat(ids.size, 0)
            held = np.concatenate([np.zeros((ids.size, 1)), rows], axis=1)
            expected[ids] += held[:, np.searchsorted(times, at, side="right")]
        net.stimulate(cells[ids], current)
    plan = net.compile().plan.currents
    found = [[value_of(plan, neuron, t) for t in at] for neuron in range(12)]
    np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-9)


def test_equal_rows_share_a_programme():
    net = esn.Network()
    cells = net.population(1000, esn.LIFExp())
    net.stimulate(cells, esn.StepCurrent([0.0, 5.0], np.arange(2000.0).reshape(1000, 2) % 6))
    net.stimulate(cells[:500], esn.SineCurrent(np.ones(500), 5.0))
    plan = net.compile().plan.currents
    assert plan.start.size - 1 == 6  # three of each half
    assert plan.time.size == 12 and len(plan.sine) == 6


def test_currents_without_times_and_neurons_without_currents():
    net = esn.Network()
    cells = net.population(4, esn.LIFExp())
    net.stimulate(cells[:2], esn.StepCurrent([], []))
    net.stimulate(cells[1:3], esn.StepCurrent([2.0], [5.0]))
    plan = net.compile().plan.currents
    assert [value_of(plan, neuron, 3.0) for neuron in range(4)] == [0.0, 5.0, 5.0, 0.0]
    net.run(5.0)


@pytest.mark.parametrize(
    ("current", "words"),
    [
        (esn.StepCurrent(TIMES, ROWS), "push: StepCurrent has numbers for 6 neurons, but drives 5"),
        (esn.RampCurrent(TIMES, ROWS), "push: RampCurrent has numbers for 6 neurons"),
        (esn.SineCurrent([1.0], 5.0), "push: SineCurrent has numbers for 1 neurons, but drives 5; give a row"),
    ],
)
def test_other_numbers_of_rows_are_refused(current, words):
    net = esn.Network()
    cells = net.population(5, esn.LIFDelta())
    with pytest.raises(esn.InputError, match=words):
        net.stimulate([cells[:2], cells[2:]], current, name="push")
    assert not net.stimuli
