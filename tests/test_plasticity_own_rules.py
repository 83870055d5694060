"""Rules that users write: as exact as those that are shipped, and with the same bits where they say the same."""

import math

import numpy as np
import pytest
from oracle_plasticity import Updates, before, decayed, own
from plastic_functions import random_rule
from plastic_networks import ENGINES, Driven, Trains, random_trains

import eventsnn as esn
from eventsnn.plasticity import exp, maximum, minimum

STOP = 100.0
READS = [20.0, 57.7, STOP]


def random_driven(rule, seed, updates=None, weight=0.5, dendritic=0.75, **keywords):
    trains = random_trains(np.random.default_rng(seed), 6, STOP, dendritic)
    trains.weight = weight
    return Driven(rule, trains, updates, **keywords)


def run(driven, engine):
    """Weights at READS, one row a synapse."""
    seen = []
    for stop in READS:
        driven.net.run(until=stop, engine=engine)
        seen.append(driven.weights())
    return np.transpose(seen)


def agrees(driven, engine):
    seen = run(driven, engine)
    expected = np.array([one.reads for one in driven.expected(READS)])
    np.testing.assert_allclose(seen, expected, rtol=1e-12, atol=1e-15)
    assert np.unique(seen[:, -1]).size > 20
    assert driven.post.state("I_syn_ex") == pytest.approx(
        driven.sent(driven.expected(READS), math.nextafter(STOP, 0.0)), rel=1e-11
    )


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("nearest", [False, True])
@pytest.mark.parametrize(("plus", "minus"), [(0.0, 0.0), (1.0, 1.0), (0.4, 0.3)])
def test_pairs_rewritten_have_the_bits_of_stdp(plus, minus, nearest, engine):
    rate, ratio, most = 0.05, 1.1, 2.0

    def raised(u, mu):
        return 1.0 if mu == 0.0 else u if mu == 1.0 else u**mu

    rewritten = esn.PlasticityRule(
        pre={"x": esn.Trace(15.0, nearest)},
        post={"y": esn.Trace(33.0, nearest=nearest)},
        on_pre=lambda w, y: w - ratio * rate * most * raised(w / most, minus) * y,
        on_post=lambda x, w: w + rate * most * raised(maximum(1.0 - w / most, 0.0), plus) * x,
        w_max=most,
    )
    seen = []
    for rule, keywords in (
        (rewritten, {}),
        ("STDP", {
            "tau_plus": 15.0, "tau_minus": 33.0, "lambda_": rate, "alpha": ratio, "mu_plus": plus, "mu_minus": minus,
            "w_max": most, "pairing": "nearest_symmetric" if nearest else "all",
        }),
    ):  # fmt: skip
        driven = random_driven(rule, 1, **keywords)
        seen.append(run(driven, engine))
        seen.append(driven.post.state("I_syn_ex"))
    assert np.array_equal(seen[0], seen[2]) and np.array_equal(seen[1], seen[3])
    assert np.unique(seen[0]).size > 50


@pytest.mark.parametrize("engine", ENGINES)
def test_hebb(engine):
    rule = esn.PlasticityRule(
        pre={"x": 20.0}, post={"y": 10.0}, on_pre=lambda w, y: w + 0.03 * y, on_post=lambda w, x: w + 0.02 * x
    )

    def updates(pre, post):
        return Updates(
            lambda w, i: w + 0.03 * decayed(before(post, pre[i]), pre[i], 10.0),
            lambda w, j: w + 0.02 * decayed(before(pre, post[j]), post[j], 20.0),
            0.0,
            math.inf,
        )

    agrees(random_driven(rule, 2, updates), engine)


@pytest.mark.parametrize("engine", ENGINES)
def test_hebb_by_hand(engine):
    """One update only, and the trace of one side; the other side's spikes do nothing."""
    rule = esn.PlasticityRule(pre={"x": 20.0}, on_post=lambda w, x: w + 0.01 * x)
    driven = Driven(rule, Trains([[1.0, 2.0]], [[0.5, 4.0]], 0.5, 0.25, 3.0))
    driven.net.run(until=10.0, engine=engine)
    gain = math.exp(-2.75 / 20.0) + math.exp(-1.75 / 20.0)
    assert driven.weights() == pytest.approx([3.0 + 0.01 * gain], rel=1e-15)


@pytest.mark.parametrize("engine", ENGINES)
def test_oja(engine):
    """What a postsynaptic spike adds is what the source does less the share of the weight in what the neuron does."""
    rule = esn.PlasticityRule(
        pre={"x": 20.0},
        post={"y": 30.0},
        on_pre=lambda w: w,
        on_post=lambda w, x, y: w + 0.1 * (y + 1.0) * (x - (y + 1.0) * w),
        w_max=1.25,
    )

    def updates(pre, post):
        def on_post(w, j):
            y = 1.0 + decayed(own(post, j), post[j], 30.0)
            return w + 0.1 * y * (decayed(before(pre, post[j]), post[j], 20.0) - y * w)

        return Updates(lambda w, i: w, on_post, 0.0, 1.25)

    agrees(random_driven(rule, 3, updates), engine)


@pytest.mark.parametrize("engine", ENGINES)
def test_bcm_without_a_voltage(engine):
    """Postsynaptic activity y above its own slow mean theta potentiates, below it depresses."""
    rule = esn.PlasticityRule(
        pre={"x": 15.0},
        post={"y": 10.0, "theta": 200.0},
        on_pre=lambda w, y, theta: w + 0.05 * y * (y - 0.2 * theta),
        on_post=lambda w, x, y, theta: w + 0.01 * x * y * (y - 0.2 * theta),
        w_min=0.1,
        w_max=2.0,
    )

    def updates(pre, post):
        def on_pre(w, i):
            y, theta = (decayed(before(post, pre[i]), pre[i], tau) for tau in (10.0, 200.0))
            return w + 0.05 * y * (y - 0.2 * theta)

        def on_post(w, j):
            y, theta = (decayed(own(post, j), post[j], tau) for tau in (10.0, 200.0))
            return w + 0.01 * decayed(before(pre, post[j]), post[j], 15.0) * y * (y - 0.2 * theta)

        return Updates(on_pre, on_post, 0.1, 2.0)

    agrees(random_driven(rule, 4, updates), engine)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_synapse_with_a_variable_of_its_own(engine):
    """Calcium: raised by either side, read by the next spike of either side."""
    rule = esn.PlasticityRule(
        synapse={"c": 25.0, "n": math.inf},
        on_pre=lambda w, c, n: (w + 0.1 * minimum(c, 1.5) - 0.04 * exp(-n), c + 0.5, n + 1.0),
        on_post=lambda c, w, n: (w * (1.0 - 0.02 * abs(c - 1.0)) + c**2 / 500.0 + 2.0**-n / 64, c + 0.75, n + 0.5),
        w_max=3.0,
    )

    def updates(pre, post):
        def so_far(t, n_pre, n_post):
            c = 0.5 * decayed(pre[:n_pre], t, 25.0) + 0.75 * decayed(post[:n_post], t, 25.0)
            return c, n_pre + 0.5 * n_post

        def on_pre(w, i):
            c, n = so_far(pre[i], i, sum(t < pre[i] for t in post))
            return w + 0.1 * min(c, 1.5) - 0.04 * math.exp(-n)

        def on_post(w, j):
            c, n = so_far(post[j], sum(t <= post[j] for t in pre), j)
            return w * (1.0 - 0.02 * abs(c - 1.0)) + c * c / 500.0 + 2.0**-n / 64

        return Updates(on_pre, on_post, 0.0, 3.0)

    agrees(random_driven(rule, 5, updates), engine)


@pytest.mark.parametrize("engine", ENGINES)
def test_four_traces_a_side_and_powers(engine):
    """Every trace is that of its own name, in whatever order a function asks for it."""
    taus = [5.0, 11.0, 23.0, 47.0]
    rule = esn.PlasticityRule(
        pre=dict(zip("abcd", taus, strict=True)),
        post=dict(zip("efgh", taus, strict=True)),
        on_pre=lambda h, w, a, g, e, b: w + 0.01 * (e - 0.3 * g + 0.2 * h**2) * (1.0 + a) / (2.0 - b / (1.0 + b)),
        on_post=lambda d, c, w, h, b: w - 0.01 * (d - 3.0 * c + b**0.5) * w**1.5 / (1 + h) ** 3,
        w_max=4.0,
    )

    def updates(pre, post):
        def on_pre(w, i):
            t = pre[i]
            e, g, h = (decayed(before(post, t), t, taus[k]) for k in (0, 2, 3))
            a, b = (decayed(own(pre, i), t, taus[k]) for k in (0, 1))
            return w + 0.01 * (e - 0.3 * g + 0.2 * h * h) * (1.0 + a) / (2.0 - b / (1.0 + b))

        def on_post(w, j):
            t = post[j]
            b, c, d = (decayed(before(pre, t), t, taus[k]) for k in (1, 2, 3))
            h = decayed(own(post, j), t, taus[3])
            return w - 0.01 * (d - 3.0 * c + b**0.5) * w**1.5 / (1.0 + h) ** 3

        return Updates(on_pre, on_post, 0.0, 4.0)

    agrees(random_driven(rule, 6, updates), engine)


def test_functions_are_called_once_and_never_while_a_network_runs():
    calls = []

    def on_post(w, x):
        calls.append((w, x))
        return w + 0.01 * x

    driven = random_driven(esn.PlasticityRule(pre={"x": 20.0}, on_post=on_post), 7)
    driven.net.run(until=STOP)
    assert len(calls) == 1


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("rule", "time"),
    [
        (esn.PlasticityRule(on_pre=lambda w: w * 1e200 * 1e200), 2.75),
        (esn.PlasticityRule(on_pre=lambda w: (w - 5.0) ** 0.5, w_max=9.0), 2.75),
        (esn.PlasticityRule(post={"y": 20.0}, on_pre=lambda w, y: (w - w) / (y - y), w_max=9.0), 2.75),
    ],
)
def test_a_weight_that_is_no_number_ends_the_run(rule, time, engine):
    """Where a spike is to be sent with it; what was before is kept."""
    driven = Driven(rule, Trains([[1.0, 3.0, 20.0]], [[0.5]], 1.0, 0.75, 2.0))
    with pytest.raises(esn.RunawayError, match="neuron 0 of post has a synapse whose weight .* no number") as caught:
        driven.net.run(until=30.0, engine=engine)
    assert caught.value.time == time
    assert driven.net.results().spikes["post"].times.tolist() == [0.5]


@pytest.mark.parametrize("first", range(0, 40, 20))
def test_functions_at_random(first):
    """Engines carry out whatever is written in the same order, and end together where no number comes of it."""
    ended = 0
    for seed in range(first, first + 20):
        outcomes = []
        rule, text = random_rule(seed)
        for engine in ENGINES:
            driven = random_driven(rule, seed)
            try:
                weights = run(driven, engine)
                outcomes.append([np.nan_to_num(weights, nan=-1.0).tolist(), driven.post.state("I_syn_ex").tolist()])
            except esn.RunawayError as error:
                outcomes.append(str(error))
        ended += isinstance(outcomes[0], str)
        assert outcomes[0] == outcomes[1], text
    assert 0 < ended < 15
