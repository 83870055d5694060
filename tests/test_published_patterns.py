"""The published figures of three linear models: every spike where two solutions apart from the package have it."""

from __future__ import annotations

import math

import numpy as np
import oracle
import pytest
from independent import Decaying, Neuron, integrated_spikes
from mpmath import log, mp, mpf

import eventsnn as esn
from eventsnn.scenarios import glif_adaptation as glif
from eventsnn.scenarios import mat2_types as mat2
from eventsnn.scenarios import mihalas_niebur_patterns as patterns

ULP = 2.0**-48  # mV, unit in the last place of a potential from 16 to 32 mV


def pattern_neuron(pattern, I_1=0.0, I_2=0.0):
    start = 0.0 if pattern.start is None else pattern.start + 70.0
    return Neuron(
        C=1.0,
        g=0.05,
        base=20.0,
        v=start,
        currents=[
            Decaying(0.2, x=I_1, scale=0.0, jump=pattern.A_1),
            Decaying(0.02, x=I_2, scale=1.0, jump=pattern.A_2),
        ],
        # The part of the threshold above Theta_inf; at a spike it is not below Theta_reset - Theta_inf.
        thresholds=[Decaying(0.01, x=start - 20.0 if start else 0.0, gain=pattern.a, lowest=-10.0)],
    )


def glif_neuron(level):
    with_r, with_asc = level in (2, 4, 5), level >= 3
    currents = [Decaying(0.003, jump=-9.18, scale=1.0, late=True), Decaying(0.1, jump=-198.94, scale=1.0, late=True)]
    thresholds = [Decaying(0.009, jump=0.37, late=True)] if with_r else []
    if level == 5:
        thresholds.append(Decaying(0.09, gain=0.005))
    return Neuron(
        C=58.72,
        g=9.43,
        base=-51.68 - -78.85,
        reset=(0.20, 18.51) if with_r else (0.0, 0.0),
        t_ref=3.75,
        currents=currents if with_asc else [],
        thresholds=thresholds,
    )


def mat2_neuron(kind):
    return Neuron(
        C=100.0,
        g=20.0,
        base=kind.omega - mat2.E_L,
        reset=None,
        t_ref=2.0,
        thresholds=[Decaying(1.0 / 10.0, jump=kind.alpha_1), Decaying(1.0 / 200.0, jump=kind.alpha_2)],
    )


def exact_spikes(neuron, changes, stop):
    """The oracle's spikes of the same neuron under the same current as of `integrated_spikes`."""
    real = oracle.ARITHMETIC.real

    def common(part):
        return {"scale": real(part.scale), "jump": real(part.jump), "at_release": part.late}

    currents = [
        oracle.Current(f"current {k}", real(part.rate), **common(part)) for k, part in enumerate(neuron.currents)
    ]
    thresholds = [
        oracle.Threshold(f"part {k}", real(part.rate), real(part.gain), lowest=real(part.lowest), **common(part))
        for k, part in enumerate(neuron.thresholds)
    ]
    scale, jump = neuron.reset or (1.0, 0.0)
    cell = oracle.Cell(
        None, neuron.C, neuron.base, neuron.t_ref, scale=scale, jump=jump, clamped=neuron.reset is not None,
        currents=currents, thresholds=thresholds, rate_m=real(neuron.g) / real(neuron.C),
    )  # fmt: skip
    state = [part.x for part in neuron.currents] + [neuron.v] + [part.x for part in neuron.thresholds]
    drives = [(time, lambda level=level: oracle.Drive(real(level))) for time, level in changes]
    return cell.spikes([real(value) for value in state], stop, drives=drives)


STEP = {
    glif: [(glif.ONSET, glif.CURRENT), (glif.OFFSET, 0.0)],
    mat2: [(mat2.ONSET, mat2.CURRENT), (mat2.OFFSET, 0.0)],
}
# name: neuron, its current, the end of the run, and what the scenario says of it
CASES = {p.name: (pattern_neuron(p), p.current, patterns.DURATION, p) for p in patterns.PATTERNS}
CASES |= {
    level.name: (glif_neuron(number), STEP[glif], glif.DURATION, level) for number, level in enumerate(glif.LEVELS, 1)
}
CASES |= {kind.name: (mat2_neuron(kind), STEP[mat2], mat2.DURATION, kind) for kind in mat2.TYPES}
glif_names = [level.name for level in glif.LEVELS]
by_name = pytest.mark.parametrize("name", CASES)


def simulated(scenario, network=None, duration=None, engine="compiled", **parameters):
    """Results as the scenario's functions get them from the command line."""
    network = network or scenario.build(**parameters)
    results = network.run(duration or scenario.DURATION, engine=engine)
    defaults = {} if scenario is patterns else {"current": scenario.CURRENT}
    results.summary["scenario"] = {"parameters": {**defaults, **parameters}}
    return results


@pytest.fixture(scope="module")
def trains():
    """Every neuron's spike times in the compiled engine, to the end of the run."""
    found = dict(zip((p.name for p in patterns.PATTERNS), simulated(patterns).spikes["patterns"].trains(), strict=True))
    found |= {name: spikes.trains()[0] for name, spikes in simulated(glif).spikes.items()}
    found |= zip((t.name for t in mat2.TYPES), simulated(mat2).spikes["types"].trains(), strict=True)
    return found


# ---- the two solutions themselves


def test_the_textbook_neuron_is_solved_as_by_hand():
    neuron = Neuron(C=250.0, g=25.0, base=15.0, t_ref=2.0)
    found = exact_spikes(neuron, [(5.0, 500.0)], 200.0)
    period = 2 + 10 * math.log(20.0 / 5.0)
    times = [float(spike.t) for spike in found]
    np.testing.assert_allclose(times, 3.0 + period * np.arange(1, len(found) + 1), atol=1e-12)
    assert len(found) == int((200.0 - 3.0) / period)
    assert all(spike.slope == pytest.approx(0.5) for spike in found)


@by_name
def test_exponentials_and_differential_equations_agree(name):
    """Two descriptions of each model that share no formula. DOP853's errors in V grow where a crossing is slow."""
    neuron, current, end, _ = CASES[name]
    exact, integrated = exact_spikes(neuron, current, end), integrated_spikes(neuron, current, end)
    assert len(exact) == len(integrated) > 0
    for spike, approximate in zip(exact, integrated, strict=True):
        assert abs(float(spike.t) - approximate) < max(1e-10, 1e-14 / abs(spike.slope))


# ---- the package


@by_name
def test_every_spike_is_where_the_independent_solution_has_it(name, trains):
    """To 1e-9 ms, or to 4 ulp of V where the crossing is so slow that these are more; to the end of the run, the later
    part of which belongs to no figure."""
    neuron, current, end, _ = CASES[name]
    exact = exact_spikes(neuron, current, end)
    assert len(trains[name]) == len(exact)
    for spike, measured in zip(exact, trains[name], strict=True):
        assert abs(measured - float(spike.t)) <= max(1e-9, 4 * ULP / abs(spike.slope))


@by_name
def test_the_scenarios_expect_what_the_independent_solution_gives(name):
    neuron, current, end, expected = CASES[name]
    exact = [float(spike.t) for spike in exact_spikes(neuron, current, getattr(expected, "duration", end))]
    assert (expected.spikes, expected.first, expected.last) == (len(exact), exact[0], exact[-1])
    if name in glif_names:
        assert expected.slowing == pytest.approx((exact[-1] - exact[-2]) / (exact[1] - exact[0]), abs=1e-14)


@pytest.mark.parametrize("scenario", [patterns, glif, mat2], ids=lambda scenario: scenario.__name__.split(".")[-1])
def test_both_engines_give_the_same_bits(scenario):
    compiled, reference = simulated(scenario), simulated(scenario, engine="reference")
    for name, trains in compiled.spikes.items():
        assert trains.times.tobytes() == reference.spikes[name].times.tobytes()
        for variable, values in compiled.traces[name].variables.items():
            assert values.tobytes() == reference.traces[name].variables[variable].tobytes()


def test_mat2_follows_a_fluctuating_current():
    """What the types were made for: 1,000 steps of a current whose course no figure gives; all spikes of all types."""
    rng = np.random.default_rng(1)
    times = 0.5 * np.arange(1_000)
    noise = np.zeros(times.size)
    for k in range(1, times.size):  # correlated over 2 ms
        noise[k] = noise[k - 1] * math.exp(-0.5 / 2.0) + rng.normal() * math.sqrt(1.0 - math.exp(-0.5))
    current = 450.0 + 250.0 * noise
    net = mat2.build(current=0.0)
    net.stimulate(net.populations["types"], esn.StepCurrent(times, current), name="fluctuations")
    for kind, train in zip(mat2.TYPES, net.run(500.0).spikes["types"].trains(), strict=True):
        exact = exact_spikes(mat2_neuron(kind), list(zip(times, current, strict=True)), 500.0)
        assert len(exact) == len(train) > 5
        np.testing.assert_allclose(train, [float(spike.t) for spike in exact], rtol=0, atol=1e-9)


# ---- what the figures show


def panel(trains, name):
    """A pattern's spikes as far as its panel goes, and its current's changes."""
    pattern = CASES[name][3]
    return trains[name][trains[name] < pattern.duration], [t for t, _ in pattern.current]


def groups(train, gap):
    """Numbers of spikes between intervals longer than `gap`."""
    return [len(part) for part in np.split(train, np.flatnonzero(np.diff(train) > gap) + 1)]


def test_tonic_and_class_1_spikes_are_multiples_of_one_interval(trains):
    """E_L = V_reset = -70 mV, threshold -50 mV, tau = 20 ms: at a current I, 20 ln(20 I / (20 I - 20)) ms."""
    tonic, _ = panel(trains, "tonic spiking")
    np.testing.assert_allclose(tonic, 20.0 * math.log(3.0) * np.arange(1, 10), rtol=0, atol=1e-12)
    slow, _ = panel(trains, "class 1")
    with mp.workdps(50):
        current, g = mpf(1.0 + 1e-6), mpf(0.05)
        by_hand = log(current / (current - 20 * g)) / g
        # An ulp of the current or of the threshold is worth this much: so slow is the approach.
        assert abs(slow[0] - float(by_hand)) < 4 * ULP / 1e-6
    assert len(slow) == 1


def test_spikes_thin_out_under_constant_current(trains):
    adapting, _ = panel(trains, "spike frequency adaptation")
    assert (np.diff(adapting, 2) > 0).all() and np.diff(adapting)[-1] / np.diff(adapting)[0] > 1.3
    phasic, _ = panel(trains, "phasic spiking")
    assert phasic[-1] < 200.0 and (np.diff(phasic, 2) > 0).all()


def test_a_current_that_rises_in_steps_evokes_nothing(trains):
    train, (_, off, *_) = panel(trains, "accommodation")
    assert len(train) == 3 and train[-1] < off  # at once: spikes. Later, by way of 0.5 and 1 pA: none


def test_history_decides_about_the_same_pulse(trains):
    (spike,), (_, _, inhibition, release, on, off) = panel(trains, "threshold variability")
    assert inhibition < release < on < spike < off
    (spike,), (_, _, second, end, *_) = panel(trains, "integrator")
    assert second < spike < end  # 10 ms after the first pulse, but not 20 ms after it


def test_rebound_after_inhibition(trains):
    (spike,), (_, release) = panel(trains, "rebound spike")
    assert 0.0 < spike - release < 100.0
    burst, (_, release) = panel(trains, "rebound burst")
    assert len(burst) == 7 and 0.0 < burst[0] - release < 100.0 and np.diff(burst).max() < 5.0


def test_class_2_starts_at_a_finite_rate(trains):
    train, _ = panel(trains, "class 2")
    assert train[0] == 0.0 and 25.0 < np.diff(train).min() and np.diff(train).max() < 60.0


def test_bistability(trains):
    """The same current finds one neuron firing and silent: which, depends on what came before."""
    train, (_, up, down, up_again) = panel(trains, "input bistability")
    assert (train < down).all() and train[-1] > down - 40.0 and up_again == 600.0
    train, (_, off, again, off_again) = panel(trains, "basal bistability")
    assert np.diff(train[train > off])[:-6].max() < 7.0 and train[-1] < off_again + 5.0
    assert groups(train, 10.0) == [25]  # fires on without current from 10 to 100 ms; a second pulse ends it


def test_hyperpolarization_evokes_spikes_and_bursts(trains):
    assert groups(panel(trains, "hyperpolarizing spiking")[0], 20.0) == [1, 1, 1]
    assert groups(panel(trains, "hyperpolarizing bursting")[0], 20.0) == [5, 4, 4]


def test_bursts(trains):
    assert groups(panel(trains, "tonic bursting")[0], 20.0) == [8, 6, 5, 5]
    assert groups(panel(trains, "phasic bursting")[0], 20.0) == [7]
    assert groups(panel(trains, "mixed mode")[0], 20.0) == [7, 2] + [1] * 10  # a burst, then single spikes


def test_afterpotentials(trains):
    """The potential comes back above rest after the spike, then falls below it."""
    (spike,), (_, off) = panel(trains, "afterpotentials")
    sampled = simulated(patterns).traces["patterns"]
    V_m = sampled.V_m[16][(sampled.times > spike) & (sampled.times < 200.0)]
    peak = V_m.argmax()
    assert spike < off and V_m[0] < -69.0 and V_m[peak] > -65.0 and V_m[peak:].min() < -71.0


def test_preferred_frequency(trains):
    """The second pulse of a pair, the weaker one, evokes a spike 50 ms after the first, not 10 ms after it."""
    train, (first, _, _, _, third, _, fourth, end) = panel(trains, "preferred frequency")
    assert np.histogram(train, [first, third, fourth, end])[0].tolist() == [1, 1, 1]


def test_spike_latency(trains):
    (spike,), (_, off) = panel(trains, "spike latency")
    assert spike > off + 10.0  # long after the pulse


def test_glif_levels_adapt_but_the_first(trains):
    step = 3.75 + 58.72 / 9.43 * math.log(400.0 / (400.0 - 9.43 * (-51.68 - -78.85)))
    np.testing.assert_allclose(np.diff(trains["LIF"]), step, rtol=0, atol=1e-11)
    for level in glif.LEVELS[1:]:
        assert (np.diff(trains[level.name], 2)[1:] > 0).all(), level.name


def test_mat2_types_are_of_their_type(trains):
    regular, intrinsic, fast, chattering = (np.diff(trains[kind.name]) for kind in mat2.TYPES)
    assert (np.diff(regular) > 0).all() and regular[-1] > 2.5 * regular[0]
    assert intrinsic[:2].sum() < 11.0 and intrinsic[-1] > 6.0 * intrinsic[0]
    assert fast.max() < 6.0 and len(fast) == 97
    bursts = mat2.bursts(trains["chattering"])
    assert [len(burst) for burst in bursts] == [17] + [3] * 7
    # Every spike but a burst's first waits for the end of refractoriness, and comes with it.
    for burst in bursts:
        np.testing.assert_allclose(np.diff(burst), 2.0, rtol=0, atol=1e-12)


def euler(pattern, step):
    """Number of spikes on a grid, with the table's parameters written out."""
    v, above, fast, slow, count = 0.0, 20.0, 0.0, 0.0, 0
    for k in range(round(pattern.duration / step)):
        current = next((x for t, x in reversed(pattern.current) if t <= k * step + 1e-9), 0.0)
        v, above = (
            v + step * (current + fast + slow - 0.05 * v),
            above + step * (pattern.a * v - 0.01 * (above - 20.0)),
        )
        fast, slow = fast - step * 0.2 * fast, slow - step * 0.02 * slow
        if v >= above:
            v, above, fast, slow, count = 0.0, max(10.0, above), pattern.A_1, slow + pattern.A_2, count + 1
    return count


@pytest.mark.parametrize(("step", "count"), [(0.1, 8), (0.01, 7)])
def test_a_grid_invents_a_spike_of_the_rebound_burst_and_a_finer_one_does_not(step, count):
    assert euler(CASES["rebound burst"][3], step) == count


def test_initial_currents_that_others_use_change_the_count_of_class_1_only():
    for pattern in patterns.PATTERNS:
        train = exact_spikes(pattern_neuron(pattern, I_1=0.01, I_2=0.001), pattern.current, pattern.duration)
        assert len(train) - pattern.spikes == (pattern.name == "class 1")
        if pattern.name != "class 1":
            assert abs(float(train[-1].t) - pattern.last) < 0.8


# ---- the scenarios' own checks


@pytest.mark.parametrize("scenario", [patterns, glif, mat2], ids=lambda scenario: scenario.__name__.split(".")[-1])
def test_checks_notice_a_spike_that_is_late_or_missing(scenario):
    assert all(check.passed for check in scenario.check(simulated(scenario)))
    for change, failing in (("late", "largest error"), ("missing", "spikes of")):
        network = scenario.build()
        for population in network.populations.values():
            C_m = population.get("C_m")
            population.set(**({"C_m": C_m * (1.0 + 1e-8)} if change == "late" else {"I_e": -C_m}))
        failed = [check.name for check in scenario.check(simulated(scenario, network)) if not check.passed]
        assert any(name.startswith(failing) for name in failed), failed


def test_checks_are_of_finished_panels_and_published_currents():
    assert len(patterns.check(simulated(patterns, duration=450.0))) == 11
    for scenario in (glif, mat2):
        assert scenario.check(simulated(scenario, current=500.0)) == []
        assert scenario.check(simulated(scenario, duration=450.0)) == []
