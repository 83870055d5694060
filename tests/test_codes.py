"""The codes of eventsnn.encode: values by hand to 1e-12, what holds for any input, statistics, every refusal."""

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats

import eventsnn as esn
from eventsnn.encode import (
    BSA,
    Burst,
    InhomogeneousRate,
    Latency,
    Phase,
    Population,
    PopulationOrder,
    RankOrder,
    Rate,
    SendOnDelta,
    Trains,
)
from eventsnn.encode.send_on_delta import level_crossings

ERROR_PROBABILITY = 1e-6  # of each statistical test, were its seed not fixed

unit = hnp.arrays(
    np.float64,
    hnp.array_shapes(min_dims=2, max_dims=3, min_side=0, max_side=5),
    elements=st.floats(0.0, 1.0, width=32),
)


def spikes_of(trains, sample=0):
    """(channel, time) of the spikes of a sample."""
    one = trains[sample]
    return list(zip(one.ids.tolist(), one.times.tolist(), strict=True))


# ---- latency


def test_linear_latency_by_hand():
    code = Latency(duration=20.0, threshold=0.1)
    trains = code.encode([[1.0, 0.25, 0.1, 0.0, 0.75]])
    assert spikes_of(trains) == [(0, 0.0), (4, 5.0), (1, 15.0)] and trains.duration == 20.0
    assert code.decode(trains).tolist() == [[1.0, 0.25, 0.0, 0.0, 0.75]]


def test_rc_latency_by_hand():
    # tau ln(x / (x - theta)): x = 2 theta takes tau ln 2; x = theta / (1 - 1/e) takes tau.
    code = Latency(duration=20.0, method="rc", threshold=0.5, tau=8.0)
    trains = code.encode([[1.0, 0.5 / (1.0 - np.exp(-1.0)), 0.5, 1e9, 0.5000001]])
    times = trains.first()[0]
    assert times[0] == pytest.approx(8.0 * np.log(2.0), abs=1e-12) and times[1] == pytest.approx(8.0, abs=1e-12)
    assert np.isnan(times[2]) and times[3] == pytest.approx(8.0 * 0.5e-9, rel=1e-12)
    assert np.isnan(times[4])  # after 20 ms
    assert code.decode(trains)[0, :2] == pytest.approx([1.0, 0.5 / (1.0 - np.exp(-1.0))], abs=1e-12)


@pytest.mark.parametrize("above", [1e-3, 1e-6, 1e-9, 1e-12])
def test_rc_latency_near_the_threshold(above):
    """Against 40 digits: x - theta is exact, so that t is too."""
    x, theta = 0.5 + above, 0.5
    with mpmath.workdps(40):
        expected = float(8 * mpmath.log(mpmath.mpf(x) / (mpmath.mpf(x) - mpmath.mpf(theta))))
    trains = Latency(duration=1e4, method="rc", threshold=theta, tau=8.0).encode([[x]])
    assert trains.times[0] == pytest.approx(expected, rel=4e-16)


@given(unit)
def test_latencies_fall_with_x_and_come_back(x):
    for code in (Latency(duration=7.0), Latency(method="rc", threshold=0.05, duration=1e3)):
        trains = code.encode(x)
        t = trains.first()
        fires = x > code.threshold
        assert np.array_equal(fires & (code._times(x) < np.inf), ~np.isnan(t)) and trains.shape == x.shape[1:]
        decoded = code.decode(trains)
        assert np.abs(np.where(np.isnan(t), 0.0, decoded - x)).max(initial=0.0) < 1e-12
        order = np.argsort(x[~np.isnan(t)], kind="stable")
        assert (np.diff(t[~np.isnan(t)][order]) <= 0.0).all()


# ---- rank order


def test_rank_order_by_hand():
    code = RankOrder(m=0.5, interval=2.0)
    trains = code.encode([[0.1, 0.9, -3.0, 0.9], [4.0, 3.0, 2.0, 1.0]])
    assert spikes_of(trains) == [(1, 0.0), (3, 2.0), (0, 4.0), (2, 6.0)]  # equal values by index
    assert code.ranks(trains).tolist() == [[2, 0, 3, 1], [0, 1, 2, 3]]
    assert code.decode(trains).tolist() == [[0.25, 1.0, 0.125, 0.5], [1.0, 0.5, 0.25, 0.125]]
    weights = [[1.0, 0.0, 0.0, 0.0], [8.0, 4.0, 2.0, 1.0]]
    assert code.activation(trains, weights).tolist() == [[0.25, 6.75], [1.0, 10.625]]


def test_silent_channels_have_no_rank():
    code = RankOrder(m=0.5, threshold=0.0)
    trains = code.encode([[0.0, 2.0, -1.0, 1.0]])
    assert code.ranks(trains).tolist() == [[-1, 0, -1, 1]] and code.decode(trains).tolist() == [[0.0, 1.0, 0.0, 0.5]]


@given(hnp.arrays(np.float64, st.tuples(st.integers(0, 4), st.integers(0, 9)), elements=st.integers(0, 3)))
def test_ranks_are_a_permutation_that_sorts(x):
    code = RankOrder()
    ranks = code.ranks(code.encode(x))
    for row, rank in zip(x, ranks, strict=True):
        assert sorted(rank.tolist()) == list(range(row.size))
        assert rank.tolist() == [sum((other > v) or (other == v and j < i) for j, other in enumerate(row))
                                 for i, v in enumerate(row)]  # fmt: skip


@given(st.permutations(range(7)), st.permutations(range(7)))
def test_no_order_activates_a_template_more_than_its_own(learned, shown):
    code = RankOrder(m=0.8)
    own, other = (code.encode(-np.array([order], dtype=float)) for order in (learned, shown))
    weights = code.decode(own)
    most = code.activation(own, weights)[0, 0]
    assert most == pytest.approx(sum(0.8 ** (2 * r) for r in range(7)), rel=1e-12)
    assert code.activation(other, weights)[0, 0] <= most * (1.0 + 1e-12)


# ---- population


def test_population_fields_are_those_of_bohte():
    # m = 6 fields over [0, 4]: centres -0.5 + i for i = 0 ... 5 (spacing 1), sigma 1 / 1.5.
    code = Population(low=0.0, high=4.0, m=6)
    assert code.centres == pytest.approx([-0.5, 0.5, 1.5, 2.5, 3.5, 4.5], abs=1e-12)
    assert code.sigma == pytest.approx(2.0 / 3.0, abs=1e-12)
    trains = code.encode([[0.5], [2.0]])
    g = np.exp(-0.5 * (1.5 * np.array([1.0, 0.0, 1.0, 2.0])) ** 2)
    # The fourth field, 3 sigma away, has g = 0.011 and would spike after 9 ms.
    assert trains.first()[0, 0] == pytest.approx([*(10.0 * (1.0 - g[:3])), *[np.nan] * 3], abs=1e-12, nan_ok=True)
    assert trains.first()[1, 0, 2:4] == pytest.approx(10.0 * (1.0 - np.exp([-0.28125, -0.28125])), abs=1e-12)
    assert code.decode(trains).ravel() == pytest.approx([0.5, 2.0], abs=1e-12)


@given(unit, st.integers(3, 20), st.floats(0.8, 2.0))
def test_population_comes_back(x, m, beta):
    code = Population(low=-2.0, high=3.0, m=m, beta=beta, late=9.9)
    values = -2.0 + 5.0 * x
    trains = code.encode(values)
    assert trains.shape == (*x.shape[1:], m)
    assert np.abs(code.decode(trains) - values).max(initial=0.0) < 1e-9
    order = PopulationOrder(low=-2.0, high=3.0, m=m, beta=beta)
    spacing = 5.0 / (m - 2)
    assert np.abs(order.decode(order.encode(values)) - values).max(initial=0.0) < 0.9 * spacing


def test_population_order_by_hand():
    code = PopulationOrder(low=0.0, high=4.0, m=6, decay=0.5, interval=2.0)
    trains = code.encode([[1.6]])  # centres -0.5 ... 4.5: nearest are 1.5, 2.5, 0.5, then 3.5 at 2.85 sigma (silent)
    assert spikes_of(trains) == [(2, 0.0), (3, 2.0), (1, 4.0)]
    assert code.decode(trains)[0, 0] == pytest.approx((1.5 + 0.5 * 2.5 + 0.25 * 0.5) / 1.75, abs=1e-12)


def test_relative_rates_of_a_population():
    code = Population(low=0.0, high=4.0, m=6)
    # Counts by hand: 1, 3, 0 ... of one bank, none of another.
    trains = Trains.of(np.zeros(4, int), np.arange(4.0), np.array([0, 1, 1, 1]), 1, (2, 6), 10.0)
    vector = code.rate_vector(trains)
    assert vector[0, 0].tolist() == [0.25, 0.75, 0.0, 0.0, 0.0, 0.0] and np.isnan(vector[0, 1]).all()
    assert code.decode_rates(trains)[0, 0] == pytest.approx(0.25 * -0.5 + 0.75 * 0.5, abs=1e-12)


def test_population_decodes_from_random_rates():
    """Poisson spikes of rates g: the estimate has the standard deviation sigma / sqrt(spikes), to first order."""
    code = Population(m=10)
    x = np.linspace(0.1, 0.9, 200)[:, np.newaxis]
    trains = Rate(duration=2000.0, rate_max=100.0, seed=4).encode(code.activity(x))
    error = code.decode_rates(trains) - x
    total = trains.counts().sum(axis=-1)
    scaled = error * np.sqrt(total) / code.sigma
    # 200 draws of a variance: chi-squared, by far within a half and twice at this error probability.
    assert stats.chi2.ppf(ERROR_PROBABILITY / 2, 200) < (scaled**2).sum() < stats.chi2.isf(ERROR_PROBABILITY / 2, 200)


# ---- phase and burst


def test_phase_by_hand():
    code = Phase(bits=3, cycle=6.0, cycles=2)
    trains = code.encode([[0.625, 1.0, 0.0, 0.3]])  # 101, 111 (the largest), 000, 0.3 -> 2.4 / 8 -> 010
    assert spikes_of(trains[:, 0]) == [(0, 0.0), (0, 4.0), (0, 6.0), (0, 10.0)]
    assert trains.counts().tolist() == [[4, 6, 0, 2]]
    assert code.decode(trains).tolist() == [[0.625, 0.875, 0.0, 0.25]]


@given(unit, st.integers(1, 31), st.integers(1, 3))
def test_phase_comes_back(x, bits, cycles):
    code = Phase(bits=bits, cycle=7.3, cycles=cycles)
    error = np.abs(code.decode(code.encode(x)) - x)
    half = 2.0**-bits / 2.0
    assert np.where(x > 1.0 - half, error / 2.0, error).max(initial=0.0) <= half * (1.0 + 1e-12)


def test_burst_by_hand():
    code = Burst(n_max=4, isi_min=2.0, isi_max=10.0)
    trains = code.encode([[1.0, 0.5, 0.2, 0.0]])
    assert spikes_of(trains[:, 0]) == [(0, 0.0), (0, 2.0), (0, 4.0), (0, 6.0)]
    assert spikes_of(trains[:, 1]) == [(0, 0.0), (0, 6.0)]
    assert trains.counts().tolist() == [[4, 2, 1, 0]] and trains.duration == 30.0
    assert code.decode(trains).tolist() == [[1.0, 0.5, 0.125, 0.0]]


def test_a_burst_has_no_spike_of_rounding():
    """100 * 0.07 is an ulp above 7; every other hundredth is as it should be too."""
    counts = Burst(n_max=100).encode(np.arange(101)[np.newaxis] / 100).counts()[0]
    assert counts.tolist() == list(range(101))


@given(unit, st.integers(1, 9))
def test_bursts_grow_with_x_and_come_back(x, n_max):
    code = Burst(n_max=n_max)
    trains = code.encode(x)
    counts = trains.counts()
    assert np.array_equal(counts, np.ceil(n_max * x))
    several = counts > 1
    assert np.abs(code.decode(trains) - x)[several].max(initial=0.0) < 1e-12
    assert np.abs(code.decode(trains) - x)[~several].max(initial=0.0) <= 0.5 / n_max + 1e-12


# ---- signals


def test_send_on_delta_by_hand():
    # 0 -> 1 in 10 ms, 1 -> 0.4 in 2 ms: up at 3, 6, 9 ms; the level is then 0.9, so down at 0.6, 4/3 ms later.
    trains = SendOnDelta(delta=0.3, dt=2.0).encode([np.interp(np.arange(0.0, 13.0, 2.0), [0, 10, 12], [0, 1, 0.4])])
    assert trains.shape == (2,) and trains.duration == 12.0
    assert trains.ids.tolist() == [1, 1, 1, 0]
    assert trains.times == pytest.approx([3.0, 6.0, 9.0, 10.0 + 4.0 / 3.0], abs=1e-12)


def test_a_level_that_rounding_would_miss_is_reached():
    trains = SendOnDelta(delta=0.1, dt=1.0).encode([[0.0, 0.3, 0.3, 0.0]])
    assert trains.ids.tolist() == [1, 1, 1, 0, 0, 0]
    assert trains.times == pytest.approx([1 / 3, 2 / 3, 1.0, 2 + 1 / 3, 2 + 2 / 3, 3.0], abs=1e-9)


@given(
    hnp.arrays(np.float64, st.tuples(st.integers(1, 3), st.integers(1, 3), st.integers(1, 12)),
               elements=st.floats(-2.0, 2.0, width=32)),
    st.floats(0.05, 1.0),
)  # fmt: skip
def test_send_on_delta_follows_within_delta(x, delta):
    code = SendOnDelta(delta=delta, dt=0.5)
    trains = code.encode(x)
    assert trains.shape == (2, x.shape[1])
    signed = np.array([-1, 1])
    for k, i in np.ndindex(x.shape[:2]):
        one = trains[k, :, i]
        level = x[k, i, 0] + delta * np.cumsum(signed[one.ids])
        at_event = np.interp(one.times, 0.5 * np.arange(x.shape[2]), x[k, i])
        assert np.abs(at_event - level).max(initial=0.0) < 1e-6  # events are where the line meets the level
        for j in range(x.shape[2]):
            before = np.searchsorted(one.times, 0.5 * j, side="right")
            reference = level[before - 1] if before else x[k, i, 0]
            assert abs(x[k, i, j] - reference) < delta * (1.0 + 1e-6)
    assert np.abs(code.decode(trains, x[..., 0]) - x).max() < 2.0 * delta


def test_crossings_with_a_dead_time_by_hand():
    # 0 -> 10 -> 0 with slopes +-1 and a dead time of 0.5: up every 1.5 ms from 1 on; the event at 10 is followed by the
    # fall, which counts from 9.5 at 10.5 ms on: down by 2 at 12.5, and so on every 2.5 ms.
    found = level_crossings(np.array([[0.0], [10.0], [0.0]]), np.array([0.0, 10.0, 20.0]), 1.0, 2.0, 0.5)
    assert found.times == pytest.approx([1.0, 2.5, 4.0, 5.5, 7.0, 8.5, 10.0, 12.5, 15.0, 17.5, 20.0], abs=1e-9)
    assert found.up.tolist() == [True] * 7 + [False] * 4


def test_a_dead_time_spans_steps():
    # Up at 1 ms; not looked at until 4 ms, where the signal is 0.5, two steps later; up by 1 again at 1.5, at 5 ms.
    signal, at = np.array([[0.0], [2.0], [0.5], [0.5], [2.5]]), np.array([0.0, 2.0, 3.0, 4.0, 6.0])
    found = level_crossings(signal, at, 1.0, 1.0, 3.0)
    assert found.times == pytest.approx([1.0, 5.0], abs=1e-12)


def test_bsa_by_hand():
    # h = (1, 2, 1): the signal is h at 1 and h at 5, so that exactly these are found and nothing is left.
    code = BSA(taps=(1.0, 2.0, 1.0), threshold=1.0, dt=0.5)
    signal = np.array([[0.0, 1.0, 2.0, 1.0, 0.0, 1.0, 2.0, 1.0, 0.0]])
    trains = code.encode(signal)
    assert trains.times.tolist() == [0.5, 2.5] and trains.duration == 4.5
    assert np.array_equal(code.decode(trains), signal)


def test_bsa_finds_what_begins_before_the_end():
    # Of h only 1, 2 are there at the last steps: they fit with the sums 0 <= 3 - 1.
    code = BSA(taps=(1.0, 2.0, 1.0), threshold=1.0)
    signal = np.array([[0.0, 0.0, 0.0, 1.0, 2.0]])
    assert code.encode(signal).times.tolist() == [3.0]
    assert np.array_equal(code.decode(code.encode(signal)), signal)


def test_bsa_keeps_slow_signals():
    t = np.arange(1000)
    signals = np.stack([0.5 + 0.4 * np.sin(t / 40), 0.5 + 0.2 * np.sin(t / 30) + 0.2 * np.sin(t / 17 + 1)])[np.newaxis]
    code = BSA()
    error = (code.decode(code.encode(signals)) - signals)[..., 60:-60]
    assert np.sqrt((error**2).mean()) < 0.02
    assert len(code.encode(signals).times) == pytest.approx(signals.sum(), rel=0.05)  # the filter adds up to 1


# ---- what all have in common

CODES = [
    Latency(), Latency(method="rc", threshold=0.1), RankOrder(), Population(), PopulationOrder(), Phase(), Burst(),
    Rate(), InhomogeneousRate(), SendOnDelta(), BSA(threshold=0.0),
]  # fmt: skip
RANGED = [code for code in CODES if not isinstance(code, RankOrder | SendOnDelta | BSA)]
NAMES = [repr(code) for code in CODES]


@pytest.mark.parametrize("code", CODES, ids=NAMES)
@pytest.mark.parametrize("dtype", [np.float32, np.uint8, np.int64, np.float64])
def test_trains_go_straight_into_a_network(code, dtype):
    x = (np.random.default_rng(1).uniform(0.0, 1.9, (3, 4, 40)) // 1).astype(dtype)
    trains = code.encode(x)
    assert len(trains) == 3
    net = esn.Network()
    net.population(3 * trains.n, trains.to_source(), name="channels")
    spikes = net.run(trains.duration + 1.0).spikes["channels"]
    assert len(spikes) == trains.times.size > 0


@pytest.mark.parametrize("code", CODES, ids=NAMES)
def test_no_samples_give_no_trains(code):
    trains = code.encode(np.empty((0, 4, 6)))
    assert len(trains) == 0 and trains.times.size == 0
    assert code.decode(trains).shape[0] == 0


@pytest.mark.parametrize("code", CODES, ids=NAMES)
def test_samples_are_coded_one_by_one(code):
    if isinstance(code, Rate | InhomogeneousRate):
        pytest.skip("draws depend on the number of the sample")
    x = np.random.default_rng(2).uniform(0.0, 1.0, (4, 3, 30))
    whole = code.encode(x)
    for k in range(4):
        assert spikes_of(code.encode(x[k : k + 1])) == spikes_of(whole, k)


@pytest.mark.parametrize("code", CODES, ids=NAMES)
@pytest.mark.parametrize(
    ("x", "words"),
    [
        ("[1.0, 2.0]", ["shape (2,)", "x[np.newaxis]"]),
        ("0.5", ["shape ()"]),
        ("[['a']]", ["array of numbers"]),
        ("[[True]]", ["array of numbers"]),
        ("[[1.0], [1.0, 2.0]]", ["array of numbers"]),
        ("np.array([[0.5, 0.25], [0.5, np.nan]])", ["x[1, 1] = nan"]),
        ("np.array([[0.5, 0.25], [np.inf, 0.5]])", ["x[1, 0] = inf"]),
        ("None", ["array of numbers"]),
    ],
)
def test_bad_arrays_are_refused(code, x, words):
    with pytest.raises(esn.InputError) as caught:
        code.encode(eval(x))
    assert type(code).__name__ in str(caught.value)
    for word in words:
        assert word in str(caught.value)


@pytest.mark.parametrize("code", RANGED, ids=map(repr, RANGED))
def test_values_out_of_range_are_refused_or_clipped(code):
    x = np.full((3, 2, 4), 0.5)
    x[2, 1, 3] = -0.25
    with pytest.raises(esn.InputError, match=r"x\[2, 1, 3\] = -0\.25 must .*clip=True"):
        code.encode(x)
    assert spikes_of(code.encode(x, clip=True), 2) == spikes_of(code.encode(np.maximum(x, 0.0)), 2)
    x[2, 1, 3] = np.nan
    with pytest.raises(esn.InputError, match=r"x\[2, 1, 3\] = nan must [a-z0-9 ]*$"):
        code.encode(x, clip=True)
    with pytest.raises(esn.InputError, match="clip = 1 is neither"):
        code.encode(x, clip=1)


def test_the_index_is_right_where_an_array_is_looked_at_in_parts(monkeypatch):
    monkeypatch.setattr("eventsnn.encode.base.AT_ONCE", 10)
    x = np.full((9, 4), 0.5)
    assert len(Latency().encode(x)) == 9
    x[7, 2] = 2.0
    with pytest.raises(esn.InputError, match=r"x\[7, 2\] = 2 must lie in 0 to 1"):
        Latency().encode(x)


@pytest.mark.parametrize("code", CODES, ids=NAMES)
def test_the_size_of_parts_changes_nothing(monkeypatch, code):
    x = np.random.default_rng(3).uniform(0.0, 1.0, (7, 3, 30))
    whole = code.encode(x)
    for module in ("base", "rate"):
        monkeypatch.setattr(f"eventsnn.encode.{module}.AT_ONCE", 40)
    parts = code.encode(x)
    for name in ("times", "ids", "offsets"):
        assert np.array_equal(getattr(parts, name), getattr(whole, name))


@pytest.mark.parametrize("code", [*CODES, Population(beta=1e300)], ids=repr)
def test_extreme_values_warn_of_nothing(code):
    """Warnings of numbers are errors in this suite."""
    x = np.array([[[0.0, 1e-320, 1e-300, 1.0 - 1e-16, 1.0]]])
    trains = code.encode(x)
    assert len(trains) == 1 and np.isfinite(trains.times).all()
    code.decode(trains)


def test_memory_is_not_asked_for_without_bound():
    x = np.full((1, 10, 10), 0.5)
    for code in (
        Rate(rate_max=1e300), Rate(duration=1e12), InhomogeneousRate(dt=1e300), InhomogeneousRate(rate_max=1e12),
        Phase(bits=31, cycles=10**6), Burst(n_max=10**6),
    ):  # fmt: skip
        values = np.broadcast_to(x, (1, 10**2, 10, 10)) if isinstance(code, Burst) else x
        with pytest.raises(esn.InputError, match=f"{type(code).__name__}: this would be about .* spikes"):
            code.encode(values)
    for delta, step in ((1e-12, 1.0), (0.1, 1e308)):
        with pytest.raises(esn.InputError, match="SendOnDelta: this would be about .*; take a larger delta"):
            SendOnDelta(delta=delta).encode([[0.0, step, -step]])


def test_a_masked_array_is_refused():
    masked = np.ma.array([[0.5, 0.5]], mask=[[True, False]])
    with pytest.raises(esn.InputError, match=r"Latency: x is a masked array, whose mask would be lost; fill it"):
        Latency().encode(masked)


@pytest.mark.parametrize(
    "code",
    [
        "Latency(duration=0.0)", "Latency(duration=np.inf)", "Latency(method='log')", "Latency(threshold=-1.0)",
        "Latency(method='rc')", "Latency(method=np.ones(2))",
        "Latency(tau='a')", "Latency(tau=[1.0])", "RankOrder(m=1.0)", "RankOrder(m=0.0)",
        "RankOrder(interval=0.0)", "RankOrder(threshold=np.nan)", "Population(low=1.0)", "Population(m=2)",
        "Population(m=3.0)", "Population(beta=0.0)", "Population(late=11.0)", "Population(high=np.nan)",
        "PopulationOrder(decay=1.5)", "PopulationOrder(late=2.0)", "Phase(bits=0)", "Phase(bits=True)",
        "Phase(cycle=-1.0)", "Phase(cycles=0)", "Burst(n_max=0)", "Burst(isi_min=3.0, isi_max=2.0)",
        "Burst(isi_min=0.0)", "Rate(rate_max=0.0)", "Rate(t_ref=-1.0)", "Rate(rate_max=200.0, t_ref=5.0)",
        "Rate(seed=-1)", "Rate(seed=1.5)",
        "InhomogeneousRate(dt=0.0)", "SendOnDelta(delta=0.0)", "SendOnDelta(dt=np.nan)", "BSA(taps=())",
        "BSA(taps=(np.nan,))", "BSA(taps=1.0)", "BSA(threshold=np.inf)", "BSA(dt=0.0)",
    ],
)  # fmt: skip
def test_bad_parameters_are_refused(code):
    with pytest.raises(esn.InputError, match=code.partition("(")[0]):
        eval(code)


def test_trains_of_another_shape_cannot_be_decoded():
    trains = Latency().encode(np.ones((2, 5)))
    for code in (Population(m=4), PopulationOrder(m=4)):
        with pytest.raises(esn.InputError, match="last axis must be m = 4"):
            code.decode(trains)
    with pytest.raises(esn.InputError, match="first axis must be down and up"):
        SendOnDelta().decode(trains)
    with pytest.raises(esn.InputError, match="weights have shape"):
        RankOrder().activation(trains, np.ones((2, 4)))
    with pytest.raises(esn.InputError, match="weights .* finite ones"):
        RankOrder().activation(trains, np.full((2, 5), np.nan))
    with pytest.raises(esn.InputError, match="give Trains"):
        RankOrder().activation(None, np.ones((2, 4)))
    events = SendOnDelta().encode(np.ones((2, 5)))
    for start in ("a", np.ones(3), None):
        with pytest.raises(esn.InputError, match="SendOnDelta: start"):
            SendOnDelta().decode(events, start)
    with pytest.raises(esn.InputError, match="give Trains"):
        Rate().decode([[1.0]])
