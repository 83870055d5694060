"""The tests that spare a search for a crossing are never wrong: for any linear neuron that hypothesis thinks of.

What says "no spike" is `hopeless` (never again), an interval that `shape_of` excludes, and the compiled `bound` (not
before). The first two decide what `crossing` returns, so the exact crossing is held against that: with V_th lower by
1e-13 of the potentials it must not come later, with V_th higher by as much not earlier. `bound` must not lie behind
what `crossing` returns.
"""

from __future__ import annotations

import math

import oracle
import pytest
from hypothesis import event, given, reject, settings
from hypothesis import strategies as st
from mpmath import mpf

import eventsnn as esn
from eventsnn.run.entry import SEARCH
from eventsnn.solve import closed_form, crossing

C_M, V_TH, HORIZON = 250.0, 15.0, 200.0
MARGIN = 1e-13


class Neuron(esn.LinearModel):
    """What is drawn: time constants, and whether the currents are alpha-shaped and V drives the thresholds."""

    def __init__(self, tau_m, currents, thresholds, I_e, V_th=V_TH):
        self.given = tau_m, currents, thresholds
        self.parameters = {"I_e": I_e, "V_th": V_th}
        super().__init__()

    def equations(self, p):
        tau_m, currents, thresholds = self.given
        return esn.Linear(
            esn.Membrane(tau_m, C_M, 0.0, p["V_th"], 0.0),
            [esn.Current(f"I_{i}", tau, alpha=alpha) for i, (tau, alpha, _, _) in enumerate(currents)],
            [esn.Threshold(f"T_{i}", tau, gain) for i, (tau, gain, _) in enumerate(thresholds)],
        )


@st.composite
def time_constants(draw, n):
    """Anything from 0.1 to 300 ms, and again and again the same, or nearly."""
    taus = [draw(st.sampled_from([10.0, 0.5, 2.0, 100.0]) | st.floats(0.1, 300.0))]
    while len(taus) < n:
        near = draw(st.sampled_from([None, None, 0.0, 1e-15, -1e-12, 1e-9, -1e-6, 1e-3]))
        tau = draw(st.floats(0.1, 300.0)) if near is None else draw(st.sampled_from(taus)) * (1.0 + near)
        taus.append(tau)
    return taus


@st.composite
def neurons(draw):
    """(model, initial state, stimuli, the same for the oracle): a neuron below its threshold."""
    n_currents, n_thresholds = draw(st.integers(0, 4)), draw(st.sampled_from([0, 0, 1, 2]))
    tau_m, *taus = draw(time_constants(1 + n_currents + n_thresholds))
    leaks = draw(st.booleans()) or draw(st.booleans())
    size = st.floats(-3.0, 3.0)
    state, currents, thresholds = {}, [], []
    for i, tau in enumerate(taus[:n_currents]):
        alpha = draw(st.booleans())
        # In units of what brings V by itself to the threshold, about.
        unit = C_M * V_TH * (1.0 / tau + 1.0 / tau_m)
        x, y = draw(size) * unit, draw(size) * unit / tau if alpha else 0.0
        currents.append((tau, alpha, x, y))
        state |= {f"I_{i}": x} | ({f"dI_{i}": y} if alpha else {})
    for i, tau in enumerate(taus[n_currents:]):
        gain = draw(st.sampled_from([None, 0.0]) | st.floats(-0.05, 0.2)) if leaks else None
        value = draw(st.sampled_from([0.0]) | st.floats(-5.0, 20.0))
        thresholds.append((tau, gain, value))
        state[f"T_{i}"] = value
    theta = V_TH + sum(value for _, _, value in thresholds)
    state["V_m"] = theta - draw(st.sampled_from([1e-9, 1.0, 15.0]) | st.floats(1e-12, 60.0))
    unit = C_M * V_TH / (tau_m if leaks else 100.0)
    I_e = unit * draw(st.sampled_from([0.0, 1.0, math.nextafter(1.0, 0.0), math.nextafter(1.0, 2.0)]) | size)
    slope = unit * draw(st.sampled_from([0.0, 0.0, 0.0, 0.01, -0.01]))
    sines = draw(st.lists(st.tuples(size, st.floats(0.1, 100.0), st.floats(-180.0, 180.0)), max_size=1))
    sines = [(unit * amplitude, frequency, phase) for amplitude, frequency, phase in sines]
    model = Neuron(tau_m if leaks else None, currents, thresholds, I_e)
    if draw(st.booleans()):  # a threshold near the highest V - threshold, if that is still to come
        height = highest(model, state, slope, sines) + draw(st.floats(-1e-3, 1e-3))
        if height > state["V_m"] - theta + 1e-6 and V_TH + height > 0.1:
            model = Neuron(*model.given, I_e, V_TH + height)
    return model, state, slope, sines


def highest(*neuron):
    """The highest of 100 values of V - threshold."""
    _, reference = engines(*neuron)
    model, s = neuron[0], reference.neurons[0].state
    return max(closed_form.solve(model.shape, reference.neurons[0].c, s, 0.01 * 1.1**k)[1] for k in range(100))


def engines(model, state, slope, sines):
    """The compiled engine and the reference, with what happens at 0 behind them."""
    net = esn.Network()
    cell = net.population(1, model, name="cell", **state)
    if slope:
        net.stimulate(cell, esn.RampCurrent([0.0, 1e6], [0.0, 1e6 * slope]))
    for amplitude, frequency, phase in sines:
        net.stimulate(cell, esn.SineCurrent(amplitude, frequency, phase=phase))
    compiled, reference = (net.compile(engine=engine)._state for engine in ("compiled", "reference"))
    for engine in (compiled, reference):
        engine.advance(math.nextafter(0.0, 1.0), 10)
    return compiled, reference


def simulated(model, *rest):
    """The neuron's first spike if nothing else happens, as the reference has queued it, with a flag whether it was
    found; a time before which there is none, as the compiled engine does; and whether it was excluded at once.

    Of a neuron in a frame both engines read V with what the frame rounds, so that a crossing from the given V is not
    the one that a bound must not lie behind."""
    compiled, reference = engines(model, *rest)
    neuron = reference.neurons[0]
    entry = neuron.crossing
    h, found = (math.inf, True) if entry is None else (entry.key[0], entry.key[1] != SEARCH)
    state = neuron.state.copy()
    model.leave(neuron.c, state, neuron.release)
    return h, found, compiled.bounds()[0], crossing.hopeless(model.shape, neuron.c, state)


def exact(model, state, slope, sines):
    """First spikes before HORIZON, inf if there is none, with a threshold that is lower and higher by the margin."""
    tau_m, currents, thresholds = model.given
    V_th = model.parameters["V_th"]
    real = oracle.ARITHMETIC.real
    cell = oracle.Cell(
        tau_m, C_M, V_th, I_e=model.parameters["I_e"],
        currents=[oracle.Current(f"I_{i}", 1 / real(tau), alpha) for i, (tau, alpha, _, _) in enumerate(currents)],
        thresholds=[
            oracle.Threshold(f"T_{i}", 1 / real(tau), real(gain or 0.0)) for i, (tau, gain, _) in enumerate(thresholds)
        ],
    )  # fmt: skip
    turn = 2 * oracle.ARITHMETIC.pi
    waves = [(a, turn * real(f) / 1000, turn * real(phase) / 360) for a, f, phase in sines]
    drive = oracle.Drive(0, real(slope), waves)
    x = cell.state(**state)
    margin = real(MARGIN) * real(cell.size(x, drive))
    times = []
    for theta in (real(V_th) - margin, real(V_th) + margin):
        cell.set_threshold(theta)
        found = cell.crossing(x, drive, HORIZON)
        times.append(math.inf if found is None else mpf(str(found.t)))
    return times


def check(neuron):
    h, found, bound, never = simulated(*neuron)
    try:
        early, late = exact(*neuron)
    except oracle.Undecided:
        reject()
    event("excluded for ever" if never else "spikes" if h < HORIZON else "does not spike")
    ulp = 4.0 * math.ulp(h) if h < math.inf else 0.0
    assert not found or h >= HORIZON or early <= h + ulp, (h, early, late)
    assert h <= late + ulp, (h, found, early, late)
    assert bound <= late + ulp and (bound <= h or not found), (bound, h, late)


@given(neurons())
@settings(max_examples=1_000)
def test_no_test_excludes_a_spike(neuron):
    check(neuron)


@pytest.mark.long
@given(neurons())
@settings(max_examples=20_000)
def test_no_test_excludes_a_spike_in_a_long_run(neuron):
    check(neuron)
