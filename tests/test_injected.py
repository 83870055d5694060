"""What stimuli inject into traced neurons: noted in the summary, drawn beneath the traces."""

import math

import numpy as np
import pytest
from matplotlib.colors import to_hex
from pictures import overlapping

import eventsnn as esn
from eventsnn.results import injected
from eventsnn.results.style import COLOURS

ENGINES = ["compiled", "reference"]
T_STOP = 100.0
LABEL = "injected (pA)"


def step(t):
    return np.where(t < 20.0, 0.0, np.where(t < 60.0, 400.0, -100.0))


def ramp(t):
    return np.interp(t, [10.0, 70.0], [0.0, 300.0])


def sine(t):
    return np.where((t >= 30.0) & (t < 80.0), 50.0 + 200.0 * np.sin(2.0 * np.pi * 0.1 * t + math.pi / 3.0), 0.0)


def driven(record=("step", "ramp", "sine")):
    """A pair under a step, a neuron under a ramp, and one under a sine besides a step and a ramp."""
    net = esn.Network()
    of = {name: net.population(n, esn.LIFExp(), name=name) for name, n in (("step", 2), ("ramp", 1), ("sine", 1))}
    net.stimulate([of["step"], of["sine"]], esn.StepCurrent([20.0, 60.0], [400.0, -100.0]), name="steps")
    net.stimulate([of["ramp"], of["sine"]], esn.RampCurrent([10.0, 70.0], [0.0, 300.0]))
    net.stimulate(of["sine"], esn.SineCurrent(200.0, 100.0, 60.0, offset=50.0, start=30.0, stop=80.0))
    for name in record:
        net.record(of[name], "V_m", every=0.5)
    return net


def lines(results, *arguments, **named):
    """The lines of the panel: time, current and colour; none if there is no panel."""
    panels = [panel for panel in results.plot(*arguments, **named).axes if panel.get_ylabel() == LABEL]
    assert len(panels) <= 1
    drawn = panels[0].get_lines()[1:] if panels else []
    return [(np.asarray(line.get_xdata()), np.asarray(line.get_ydata()), to_hex(line.get_color())) for line in drawn]


def follows(line, formula, t0=0.0, t1=T_STOP):
    """Whether a line goes from t0 to t1 along a formula, with both values where it jumps, and closely enough to it for
    values between the points to be right."""
    times, values, _ = line
    assert (times[0], times[-1]) == (t0, t1) and (np.diff(times) >= 0.0).all()
    last = np.append(np.diff(times) == 0.0, False)
    last[-1] = True
    at = np.where(last, np.nextafter(times, -math.inf), times)
    assert np.allclose(values, formula(at), rtol=0.0, atol=1e-9)
    between = np.linspace(t0, t1, 7919)[1:-1]
    between = between[np.abs(between[:, np.newaxis] - times[last]).min(axis=1) > 1e-6]
    assert np.abs(np.interp(between, times, values) - formula(between)).max() < 2.5
    return True


@pytest.mark.parametrize("engine", ENGINES)
def test_the_curves_are_those_of_the_currents(engine, tmp_path):
    results = driven().run(T_STOP, engine=engine)
    results.save(tmp_path / "run")
    loaded = esn.load(tmp_path / "run")
    assert loaded.summary == results.summary
    assert results.summary["currents"] == driven().run(T_STOP).summary["currents"]
    formulas = (step, ramp, lambda t: step(t) + ramp(t) + sine(t))
    for given in (results, loaded):
        drawn = lines(given)
        assert [colour for _, _, colour in drawn] == [colour.lower() for colour in COLOURS[:3]]
        assert all(follows(line, formula) for line, formula in zip(drawn, formulas, strict=True))


def test_steps_are_drawn_as_steps():
    ((times, values, _),) = lines(driven(["step"]).run(T_STOP))
    assert times.tolist() == [0.0, 20.0, 20.0, 60.0, 60.0, 100.0]
    assert values.tolist() == [0.0, 0.0, 400.0, 400.0, -100.0, -100.0]


@pytest.mark.parametrize(("t0", "t1"), [(0.0, 15.0), (25.0, 55.0), (35.0, 90.0)])
def test_a_window_shows_its_part(t0, t1):
    """Of 0 pA in it nothing: no step has come at 15 ms."""
    formulas = (step, ramp, lambda t: step(t) + ramp(t) + sine(t))[t1 == 15.0 :]
    drawn = lines(driven().run(T_STOP), t0, t1)
    assert all(follows(line, formula, t0, t1) for line, formula in zip(drawn, formulas, strict=True))


def test_the_panel_shares_the_axis_and_no_text_lies_over_another():
    picture = driven().run(T_STOP).plot(10.0, 90.0, title="driven")
    assert (picture.axes[-1].get_ylabel(), picture.axes[-1].get_xlabel()) == (LABEL, "time (ms)")
    assert picture.axes[-1].get_xlim() == picture.axes[0].get_xlim() == (10.0, 90.0)
    assert overlapping(picture) == []


def test_only_currents_of_traces_that_are_drawn_are_shown():
    results = driven().run(T_STOP)
    assert len(lines(results, populations=["ramp", "sine"])) == 2
    assert len(lines(results, traces=1)) == 1
    assert lines(results, traces=0) == []
    net = esn.Network()
    one, two = (net.population(1, esn.LIFExp(), name=name) for name in ("one", "two"))
    net.stimulate([one, two], esn.StepCurrent([20.0], [400.0]))
    net.record(one, "V_m", every=1.0)
    net.record(two, "V_m", every=1.0)
    shared = net.run(T_STOP)
    assert shared.summary["currents"] == [
        {"neurons": {"one": [0], "two": [0]}, "pieces": [[0.0, 0.0, 0.0, []], [20.0, 400.0, 0.0, []]]}
    ]
    assert [colour for *_, colour in lines(shared)] == ["#666666"]
    assert [colour for *_, colour in lines(shared, populations="two")] == [COLOURS[0].lower()]


def test_no_panel_without_current():
    """No neuron that is traced gets one; it is 0 until the run ends, or in the window."""
    assert driven([]).run(T_STOP).summary["currents"] == []
    assert lines(driven(["step"]).run(20.0)) == []
    assert lines(driven(["step"]).run(T_STOP), t1=20.0) == []
    assert len(lines(driven(["step"]).run(T_STOP), t1=20.5)) == 1
    net = esn.Network()
    cells = net.population(2, esn.LIFExp(), name="cells")
    net.stimulate(cells[:1], esn.StepCurrent([5.0], [100.0]))
    net.record(cells[1:], "V_m", every=1.0)
    assert lines(net.run(T_STOP)) == []
    assert lines(driven().run(0.0)) == []


def test_summaries_without_currents_or_with_odd_ones_are_drawn():
    results = driven(["step"]).run(T_STOP)
    (programme,) = results.summary["currents"]
    odd = [
        None, "text", 7, {}, {"neurons": {}}, [], [None], [[None]], ["text"], [{}], [programme["pieces"]],
        [{**programme, "neurons": 5}], [{**programme, "neurons": {"step": ["x"]}}],
        [{**programme, "neurons": {"other": [0]}}],
        *([{**programme, "pieces": pieces}] for pieces in (
            None, 7, "text", [], [[]], [[0.0, None, 0.0, []]], [[0.0, 1.0, 0.0, [[1.0]]]], [[0.0, 10**400, 0.0, []]],
            [[0.0, 1e300, 1e300, []]], [[5.0, 1.0, 0.0, []], [4.0, 2.0, 0.0, []]], [[math.nan, 1.0, 0.0, []]],
        )),
    ]  # fmt: skip
    for currents in odd:
        results.summary["currents"] = currents
        assert lines(results) == [], currents
    results.summary["currents"] = [None, programme]
    assert len(lines(results)) == 1
    del results.summary["currents"]
    assert lines(results) == []


@pytest.mark.parametrize("engine", ENGINES)
def test_what_was_injected_before_a_change_is_drawn_as_it_was(engine):
    net = driven()
    net.run(30.0, engine=engine)
    net.stimuli["steps"].set(amplitudes=[250.0, 50.0])
    net.run(0.0)
    net.populations["ramp"].set(I_e=10.0)  # no current of a stimulus
    net.run(20.0)
    net.stimuli["steps"].set(amplitudes=[-30.0, 50.0])
    net.stimuli["steps"].set(amplitudes=[-40.0, 50.0])
    results = net.run(50.0)

    def changed(t):
        return np.select([t < 20.0, t < 30.0, t < 50.0, t < 60.0], [0.0, 400.0, 250.0, -40.0], 50.0)

    formulas = (changed, ramp, lambda t: changed(t) + ramp(t) + sine(t))
    assert all(follows(line, formula) for line, formula in zip(lines(results), formulas, strict=True))


def test_a_run_that_keeps_only_the_new_notes_that_alone():
    net = driven(["step", "ramp"])
    net.run(30.0)
    net.stimuli["steps"].set(amplitudes=[250.0, 50.0])
    drawn = lines(net.run(50.0, keep="new"))
    assert follows(drawn[0], lambda t: np.where(t < 60.0, 250.0, 50.0), 30.0, 80.0)
    assert follows(drawn[1], ramp, 30.0, 80.0)


def test_neurons_that_are_traced_later_have_no_past():
    """What is not known is not drawn; what did not change is known."""
    net = driven([])
    net.run(30.0)
    net.stimuli["steps"].set(amplitudes=[250.0, 50.0])
    net.run(10.0)
    for name in ("step", "ramp"):
        net.record(net.populations[name], "V_m", every=0.5)
    steps, _ = lines(net.run(60.0))
    assert (steps[0][0], steps[1][0], steps[1][-1]) == (30.0, 250.0, 50.0)


def noisy(n, pieces, traced):
    net = esn.Network()
    cells = net.population(n, esn.LIFExp(), name="cells")
    values = np.random.default_rng(1).normal(0.0, 50.0, (n, pieces))
    net.stimulate(cells, esn.StepCurrent(np.arange(float(pieces)), values), name="noise")
    net.record(cells[:traced], "V_m", every=100.0)
    return net


def test_notes_are_bounded():
    assert len(noisy(20, 100, 20).run(100.0).summary["currents"]) == 20
    assert len(noisy(100, 10, 100).run(100.0).summary["currents"]) == 50
    assert noisy(21, 100, 21).run(100.0).summary["currents"] == []
    assert len(noisy(1, 5_000, 1).run(2_000.0).summary["currents"]) == 1
    many = noisy(1, 5_000, 1)
    assert many.run(2_001.0).summary["currents"] == []
    for k in range(3):
        many.stimuli["noise"].set(amplitudes=np.full((1, 5_000), float(k + 1)))
        assert many.run(1.0).summary["currents"] == []
    many.run(10.0, keep="new")
    many.stimuli["noise"].set(amplitudes=np.full((1, 5_000), 7.0))
    assert len(many.run(10.0).summary["currents"][0]["pieces"]) == 20


@pytest.mark.parametrize("frequency", [0.3, 1_000.0])
def test_a_fast_sine_fills_its_band(frequency):
    """Points at equal distances of 1 ms would draw 1 MHz as a line."""
    times, values = injected.current_curve([injected.Piece(0.0, 100.0, 0.0, ((frequency, 0.1, 50.0),))], 0.0, 50_000.0)
    assert times.size <= injected.MOST_POINTS + 3
    assert np.allclose(values, 100.0 + 50.0 * np.sin(2.0 * np.pi * (frequency * times + 0.1)))
    for part in np.array_split(values[:50_000], 100):
        assert part.min() < 55.0 and part.max() > 145.0
