"""The scenarios of plasticity: each runs and passes its check, also cut short, and programs written apart agree."""

import math

import numpy as np
import pytest
from scenario_runs import run, simulated
from scipy.linalg import expm

import eventsnn as esn
from eventsnn.scenarios import short_term, song_abbott, stdp_window, triplet_frequency


@pytest.mark.parametrize(
    ("name", "duration", "checks"),
    [
        ("stdp_window", stdp_window.DURATION, 1),
        ("stdp_window", 2_500.0, 1),
        ("stdp_window", 500.0, 0),
        ("triplet_frequency", triplet_frequency.DURATION, 4),
        ("triplet_frequency", 5_000.0, 2),
        ("triplet_frequency", 200.0, 0),
        ("short_term", short_term.DURATION, 4),
        ("short_term", 900.0, 0),
        ("short_term", 50.0, 0),
        ("song_abbott", 500.0, 0),
        ("song_abbott", 2.0, 0),
    ],
)
def test_scenarios_pass_their_checks(tmp_path, name, duration, checks):
    assert len(run(tmp_path, name, "--duration", duration)) == checks


@pytest.mark.long
def test_song_abbott_in_full(tmp_path):
    assert len(run(tmp_path, "song_abbott")) == 12


# ---- stdp_window

BI_POO = {"a_plus": 0.777, "a_minus": 0.273, "tau_plus": 16.8, "tau_minus": 33.7}


def test_stdp_window_by_hand():
    """One pair: 1.295 % by the rule at +0, decayed over 10 ms of 16.8; 0.455 % the other way, over 20 ms of 33.7."""
    changes = stdp_window.measured(simulated(stdp_window.build(), 1_001.0, **BI_POO))[1]
    at = {delta: changes[stdp_window.DELTAS == delta][0] for delta in (10.0, 0.0, -20.0)}
    assert at[10.0] == pytest.approx(0.01295 * math.exp(-10.0 / 16.8), abs=1e-15)
    assert at[-20.0] == pytest.approx(-0.00455 * math.exp(-20.0 / 33.7), abs=1e-15)
    assert at[0.0] == 0.0


@pytest.mark.parametrize(
    ("delays", "shift"), [({"delay": 1.25}, -0.25), ({"axonal_delay": 1.0, "dendritic_delay": 0.5}, 0.5)]
)
def test_stdp_window_moves_with_the_delays(delays, shift):
    """An axon that is longer makes the presynaptic spike late, a dendrite the postsynaptic one."""
    network = stdp_window.build()
    rule = esn.STDP(16.8, 33.7, lambda_=0.001295, alpha=0.273 / 0.777, mu_plus=0.0, mu_minus=0.0, w_max=10.0)
    pre, post = network.populations["presynaptic"], network.populations["postsynaptic"]
    other = network.connect(pre, post, esn.OneToOne(), weight=1.0, plasticity=rule, name="other", **delays)
    network.record(other, "weight", every=1_000.0)
    results = simulated(network, 1_001.0, **BI_POO)
    assert stdp_window.check(results)[0].passed
    changed = results.traces["other"].weight[:, -1] - 1.0
    expected = stdp_window.window(stdp_window.DELTAS + shift, BI_POO)
    np.testing.assert_allclose(changed, expected, rtol=0, atol=1e-13)


def test_stdp_window_check_notices_another_window():
    results = simulated(stdp_window.build(tau_plus=16.8 + 1e-8), 1_001.0, **BI_POO)
    assert not stdp_window.check(results)[0].passed


def test_stdp_window_bad_input():
    with pytest.raises(esn.InputError, match=r"a_minus = 1 between 0 and 1, so that no weight comes to a bound"):
        stdp_window.build(a_minus=1.0)


# ---- triplet_frequency

PUBLISHED = {"pairings": 60, "Aplus": 5e-10, "Aplus_triplet": 6.2e-3, "Aminus": 7e-3, "Aminus_triplet": 2.3e-4}


def test_triplet_frequency_gives_the_rule_s_published_figures():
    """Changes at 0.1 (with pre first), 10, 20, 40 and 50 Hz that the rule's authors give, to the two digits given."""
    changed = triplet_frequency.changes(
        simulated(triplet_frequency.build(), triplet_frequency.DURATION, **PUBLISHED), "triplet"
    )
    at = np.searchsorted(triplet_frequency.FREQUENCIES, [0.1, 10.0, 20.0, 40.0, 50.0])
    assert changed[0, at].round(2).tolist() == pytest.approx([0.0, 0.13, 0.25, 0.53, 0.74])
    assert changed[1, at[1:]].round(2).tolist() == pytest.approx([-0.33, -0.35, 0.15, 0.73], abs=0.0051)


def test_triplet_frequency_check_notices_another_amplitude():
    network = triplet_frequency.build(Aminus_triplet=2.3e-4 + 1e-12)
    checks = triplet_frequency.check(simulated(network, triplet_frequency.DURATION, **PUBLISHED))
    assert [check.passed for check in checks] == [False, True, True, True]


def test_triplet_frequency_pair_rule_is_the_best_of_all():
    """By non-negative least squares over its two amplitudes, and no better by a grid of them."""
    from scipy.optimize import nnls

    spread, data = triplet_frequency.DATA[:, 2::2].T.ravel(), triplet_frequency.DATA[:, 1::2].T.ravel()
    rows = []
    for order in triplet_frequency.ORDERS:
        for frequency in triplet_frequency.DATA[:, 0]:
            pre, post = triplet_frequency.trains(frequency, order, 60)
            lags = post[:, None] - pre
            rows.append(
                [
                    np.exp(-lags[lags > 0.0] / triplet_frequency.TAU_PLUS).sum(),
                    -np.exp(lags[lags < 0.0] / triplet_frequency.TAU_MINUS).sum(),
                ]
            )
    amplitudes, distance = nnls(np.array(rows) / spread[:, None], data / spread)
    written = (triplet_frequency.PAIR_PLUS, triplet_frequency.PAIR_MINUS)
    assert amplitudes == pytest.approx(written, abs=1e-8)
    assert distance**2 / spread.size == pytest.approx(7.58, abs=0.005)


# ---- short_term


@pytest.mark.parametrize("kind", short_term.kinds({}), ids=lambda kind: kind.name)
def test_short_term_spike_by_spike(kind):
    """The first 30 responses at 20 Hz by the exponential of the matrix of dx, dy and dz."""
    rates = np.array(
        [[0.0, 0.0, 1.0 / kind.tau_rec], [0.0, -1.0 / kind.tau_inact, 0.0], [0.0, 1.0 / kind.tau_inact, 0.0]]
    )
    rates[2, 2] = -1.0 / kind.tau_rec
    flow = expm(50.0 * rates)
    state, u, expected = np.array([1.0, 0.0, 0.0]), 0.0, []
    for _ in range(30):
        u = kind.U + (u * (1.0 - kind.U) * math.exp(-50.0 / kind.tau_fac) if kind.tau_fac else 0.0)
        expected.append(kind.A * u * state[0])
        state = flow @ (state + u * state[0] * np.array([-1.0, 1.0, 0.0]))
    results = simulated(short_term.build(), 1_600.0, U=0.5, tau_rec=800.0)
    np.testing.assert_allclose(short_term.transmitted(results, kind, 20.0)[:30], expected, rtol=1e-9)


def test_short_term_check_notices_another_synapse():
    given = {"U": 0.5, "tau_rec": 800.0}
    checks = short_term.check(simulated(short_term.build(U=0.5 + 1e-7), short_term.DURATION, **given))
    assert [check.passed for check in checks] == [False, True, True, True]


# ---- song_abbott


def weights_by_pairs(pre, post, a_plus, ratio, weight, stop):
    """The weight of a synapse between two spike trains after all that comes before `stop`, in parts of the largest."""
    events = sorted([(t, 0) for t in pre] + [(t, 1) for t in post])
    x = y = last = 0.0
    for t, side in events:
        if t >= stop:
            break
        x, y, last = x * math.exp((last - t) / 20.0), y * math.exp((last - t) / 20.0), t
        weight = min(weight + a_plus * x, 1.0) if side else max(weight - ratio * a_plus * y, 0.0)
        x, y = (x, y + 1.0) if side else (x + 1.0, y)
    return weight


def test_song_abbott_weights_follow_from_the_spikes():
    """Learning is so fast that weights come to either bound; 30 synapses of each neuron are computed anew."""
    parameters = {"a_plus": 0.2, "ratio": 1.05, "seed": 3}
    network = song_abbott.build(**parameters)
    for rate in song_abbott.OUTCOMES:
        network.record(network.populations[f"inputs at {rate:g} Hz"], "spikes")
        synapses = network.projections[f"synapses at {rate:g} Hz"]
        network.record(synapses, "weight", times=[350.0], name=f"late, {rate:g} Hz")
    results = simulated(network, 400.0, **parameters)
    found = []
    for rate, post in zip(song_abbott.OUTCOMES, results.spikes["neurons"].trains(), strict=True):
        late = results.traces[f"late, {rate:g} Hz"].weight[:, 0] / song_abbott.W_MAX
        trains = results.spikes[f"inputs at {rate:g} Hz"].trains()
        for synapse in range(0, 1_000, 33):
            pre = trains[synapse] + song_abbott.DELAY
            expected = weights_by_pairs(pre, post, 0.2, 1.05, 1.0, 350.0)
            assert late[synapse] == pytest.approx(expected, abs=1e-12)
            found.append(expected)
    assert min(found) == 0.0 and max(found) == 1.0 and np.unique(found).size > 30
