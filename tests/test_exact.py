"""Every linear model against the oracle: no spike missed, none invented, and each where it belongs.

Small samples of what benchmarks/accuracy.py runs; the long ones have another seed and more cases.
"""

import exact
import numpy as np
import oracle
import pytest
from families import FAMILIES

ANY_STATE = [name for name, family in FAMILIES.items() if family.humps == 1]
GRAZING = [name for name, family in FAMILIES.items() if family.model != "LIFDelta"]  # V of LIFDelta has no maximum


def check(tally, at_least):
    assert not tally.wrong, "\n".join(tally.wrong[:10])
    assert tally.missed == tally.invented == 0
    assert tally.spikes >= at_least


@pytest.mark.parametrize("name", ANY_STATE)
def test_first_crossing_of_random_states(name):
    check(exact.compare_states(FAMILIES[name], 300, seed=11), at_least=50)


@pytest.mark.parametrize("name", ANY_STATE)
def test_random_trains(name):
    check(exact.compare_trains(FAMILIES[name], 5, 0, seed=11, duration=300.0), at_least=5)


@pytest.mark.parametrize("name", GRAZING)
def test_maxima_at_the_threshold(name):
    tally = exact.compare_grazing(FAMILIES[name], 200, seed=11)
    check(tally, at_least=60)
    assert tally.decided >= 60 and 60 <= tally.over <= 140


def test_step_ramp_and_sine_currents_under_random_trains():
    check(exact.compare_trains(FAMILIES["LIFExp"], 9, 0, 11, 300.0, exact.random_current), at_least=20)


def test_sine_currents():
    check(exact.compare_sines(400, seed=11, group=20), at_least=100)


def test_a_train_of_100_kHz():
    check(exact.compare_trains(FAMILIES["LIFExp"], 1, 1, 11, 300.0), at_least=1)


@pytest.mark.long
@pytest.mark.parametrize("name", FAMILIES)
def test_many_random_states_trains_and_maxima(name):
    if name in ANY_STATE:
        check(exact.compare_states(FAMILIES[name], 5_000, seed=12), at_least=1_000)
        check(exact.compare_trains(FAMILIES[name], 20, 1, seed=12), at_least=200)
    if name in GRAZING:
        check(exact.compare_grazing(FAMILIES[name], 5_000, seed=12), at_least=2_000)


@pytest.mark.long
def test_many_sine_currents():
    check(exact.compare_sines(10_000, seed=12), at_least=3_000)


# ---- the comparison itself


@pytest.fixture
def crossing():
    """From rest to 15 of 20 mV: the slope at the crossing is 0.5 mV/ms."""
    cell = FAMILIES["LIFDelta"].cell(
        {"tau_m": 10.0, "C_m": 250.0, "E_L": 0.0, "V_th": 15.0, "V_reset": 0.0, "t_ref": 2.0, "I_e": 500.0}
    )
    return cell.crossing(cell.state(), oracle.Drive(), 100.0)


@pytest.mark.parametrize(
    ("shift", "margin", "agrees"),
    [(0.0, 1.0, True), (5e-13, 1.0, True), (2e-12, 1.0, False), (2e-12, 1e-13, True), (np.nan, 1.0, False)],
)
def test_what_is_noticed(crossing, shift, margin, agrees):
    tally = exact.Tally()
    exact.compare(tally, float(crossing.t) + shift, crossing, 20.0, margin, "case")
    assert bool(tally.wrong) is not agrees
    assert tally.missed == np.isnan(shift)


def test_an_invented_spike_is_noticed():
    tally = exact.Tally()
    exact.compare(tally, 3.0, None, 20.0, 1e-10, "case")
    assert tally.invented == 1 and len(tally.wrong) == 1
    exact.compare(tally, np.nan, None, 20.0, 1e-10, "case")
    assert tally.invented == 1 and tally.cases == 2


def test_a_threshold_that_is_off_by_one_part_in_1e13_is_noticed():
    """The same neurons with a threshold that is 1e-12 higher: maxima that reach it no longer do."""
    family = FAMILIES["LIFExp"]
    p, states, margins = exact.grazing(family, 200, seed=13)
    higher = {**p, "V_th": p["V_th"] * (1.0 + 1e-12)}
    got = exact.first_spikes(family, higher, states, exact.HORIZON)
    between = (margins > 1e-13 * p["V_th"]) & (margins < 9e-13 * p["V_th"])
    assert between.sum() >= 5 and np.isnan(got[between]).any()
