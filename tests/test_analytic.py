"""Against answers that need no simulator: closed forms, 40-digit event-driven solutions, diffusion theory, statistics.

Statistical tests have fixed seeds; the error probability stated with each is that of a correct program with a new seed.
"""

import math

import mpmath
import numpy as np
import pytest
from mpmath import mp, mpf
from scipy import stats
from scipy.integrate import quad, solve_ivp
from scipy.special import erfcx

import eventsnn as esn

ENGINES = ["compiled", "reference"]
both = pytest.mark.parametrize("engine", ENGINES)


# ---- constant current


@both
@pytest.mark.parametrize("model", [esn.LIFDelta, esn.LIFExp])
@pytest.mark.parametrize("t_ref", [0.0, 2.0])
def test_period_of_a_constant_current(engine, model, t_ref):
    """T = t_ref + tau_m ln((R I - V_reset + E_L) / (R I - V_th + E_L)), R = 20 / 160 mV / pA, exact in binary."""
    currents = np.array([121.0, 128.0, 160.0, 320.0, 4_000.0])
    cells = model(tau_m=20.0, C_m=160.0, E_L=-70.0, V_th=-55.0, V_reset=-65.0, t_ref=t_ref, I_e=currents)
    net = esn.Network()
    net.population(currents.size, cells, name="cells", V_m=-65.0)
    trains = net.run(1_000.0, engine=engine).spikes["cells"].trains()
    with mp.workdps(40):
        drive = [mpf(float(current)) / 8 for current in currents]
        periods = [mpf(t_ref) + 20 * mp.log((d - 5) / (d - 15)) for d in drive]
        first = [float(T - t_ref) for T in periods]
    for train, T, start in zip(trains, map(float, periods), first, strict=True):
        n = len(train)
        assert n == math.floor((1_000.0 - start) / T) + 1
        # The first spike follows from V = V_reset; the error of one period does not grow beyond rounding of the sum.
        assert train == pytest.approx(start + T * np.arange(n), rel=1e-12)
        if n > 1:
            assert (train[-1] - train[0]) / (n - 1) == pytest.approx(T, rel=1e-12)
    assert len(trains[0]) >= 2 and len(trains[-1]) > 400


# ---- postsynaptic potentials


def psp(tau_m, tau, weight, R, t):
    """V(t) after an input of `weight` (pA) at 0; the limit for equal time constants."""
    if tau_m == tau:
        return R * weight * t / tau_m * math.exp(-t / tau_m)
    return R * weight * tau / (tau - tau_m) * (math.exp(-t / tau) - math.exp(-t / tau_m))


@both
@pytest.mark.parametrize(("tau_m", "tau"), [(10.0, 2.0), (10.0, 30.0), (10.0, 10.0), (10.0, 10.0 + 1e-9), (0.5, 80.0)])
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_postsynaptic_potential(engine, tau_m, tau, sign):
    """Peak at ln(tau_m / tau) tau_m tau / (tau_m - tau), of height R w (tau / tau_m)^(tau_m / (tau_m - tau))."""
    top = tau_m if abs(tau_m - tau) < 1e-6 else math.log(tau_m / tau) * tau_m * tau / (tau_m - tau)
    # As potentials cannot be sampled at their maximum without knowing where it is: V' = 0 there, V'' < 0 around it.
    eps = 1e-3 * top
    net = esn.Network()
    cells = net.population(
        1, esn.LIFExp(tau_m=tau_m, C_m=100.0, E_L=0.0, V_th=1e6, tau_syn_ex=tau, tau_syn_in=tau), name="cells"
    )
    source = net.population(1, esn.SpikeSource([1.0]))
    net.connect(source, cells, esn.AllToAll(), weight=sign * 100.0, delay=2.0)
    times = 3.0 + np.array([0.0, top - eps, top, top + eps, 2.0 * top])
    net.record(cells, "V_m", times=times)
    V = sign * net.run(3.0 + 3.0 * top, engine=engine).traces["cells"].V_m[0]
    if abs(tau_m - tau) > 1e-6:
        height = tau_m * (tau / tau_m) ** (tau_m / (tau_m - tau))
    else:
        height = tau_m / math.e
    assert abs(V[0]) < 1e-15 * height * max(1.0, tau / abs(tau_m - tau) if tau != tau_m else 1.0)
    assert V[2] == pytest.approx(height, rel=1e-9 if 0.0 < abs(tau_m - tau) < 1e-6 else 1e-13)
    assert V[1] < V[2] > V[3] and V[1] == pytest.approx(V[3], rel=1e-5)
    if not 0.0 < abs(tau_m - tau) < 1e-6:
        assert V[4] == pytest.approx(psp(tau_m, tau, 100.0, tau_m / 100.0, times[4] - 3.0), rel=1e-12)


def test_nearly_equal_time_constants_are_not_a_special_case():
    """V_m of tau = tau_m (1 + delta) against 40 digits, where a formula with 1 / (tau_m - tau) loses all its own."""
    deltas = np.array([0.0, 1e-15, 1e-12, 1e-9, 1e-7, 1e-5, 1e-3, -1e-14, -1e-10, -1e-6])
    tau = 10.0 * (1.0 + deltas)
    net = esn.Network()
    cells = net.population(
        tau.size, esn.LIFExp(tau_m=10.0, C_m=10.0, E_L=0.0, V_th=1e6, tau_syn_ex=tau), name="cells", I_syn_ex=40.0
    )
    times = np.array([0.001, 1.0, 10.0, 63.0])
    net.record(cells, "V_m", times=times)
    V = net.run(100.0).traces["cells"].V_m
    with mp.workdps(40):
        for row, t_syn in zip(V, tau, strict=True):
            for value, t in zip(row, times, strict=True):
                a, b, h = mpf(10), mpf(float(t_syn)), mpf(float(t))
                exact = 40 * h / a * mp.exp(-h / a) if a == b else 40 * b / (b - a) * (mp.exp(-h / b) - mp.exp(-h / a))
                assert abs(value - exact) <= 4e-16 * 4 * abs(exact)


# ---- V_m under random input


def test_delta_trace_against_the_sum_of_exponentials():
    """Below threshold V is a sum of w exp(-(t - t_k) / tau_m): the whole history at once, in 40 digits."""
    rng = np.random.default_rng(7)
    inputs, weights = np.sort(rng.uniform(0.0, 100.0, 60)), rng.normal(0.0, 2.0, 60)
    times = np.sort(rng.uniform(0.0, 110.0, 200))
    net = esn.Network()
    cells = net.population(1, esn.LIFDelta(tau_m=7.0, E_L=-60.0, V_th=1e6, V_reset=-80.0), name="cells", V_m=-63.0)
    source = net.population(60, esn.SpikeSource(inputs[:, np.newaxis]))
    net.connect(source, cells, esn.AllToAll(), weight=weights[:, np.newaxis], delay=1.25)
    net.record(cells, "V_m", times=times)
    V = net.run(120.0).traces["cells"].V_m[0]
    with mp.workdps(40):
        for value, t in zip(V, times, strict=True):
            exact = -60 - 3 * mp.exp(-mpf(float(t)) / 7)
            for at, w in zip(inputs + 1.25, weights, strict=True):
                if at <= t:
                    exact += mpf(float(w)) * mp.exp(-(mpf(float(t)) - mpf(float(at))) / 7)
            assert abs(value - exact) < 1e-13


def test_current_trace_against_a_numerical_integrator():
    """DOP853 at 1e-12, restarted at every input, for tau_syn_ex < tau_m < tau_syn_in and a constant current."""
    rng = np.random.default_rng(8)
    inputs, weights = np.sort(rng.uniform(0.0, 50.0, 40)), rng.normal(0.0, 60.0, 40)
    times = np.sort(rng.uniform(0.0, 60.0, 100))
    tau_m, C_m, tau_ex, tau_in, I_e = 11.0, 180.0, 1.7, 23.0, 45.0
    net = esn.Network()
    cells = net.population(
        1,
        esn.LIFExp(tau_m=tau_m, C_m=C_m, E_L=-70.0, V_th=1e6, tau_syn_ex=tau_ex, tau_syn_in=tau_in, I_e=I_e),
        name="cells",
    )
    source = net.population(40, esn.SpikeSource(inputs[:, np.newaxis]))
    net.connect(source, cells, esn.AllToAll(), weight=weights[:, np.newaxis], delay=0.0)
    net.record(cells, "V_m", times=times)
    V = net.run(60.0).traces["cells"].V_m[0]

    def slope(t, y):
        v, ex, in_ = y
        return [-(v + 70.0) / tau_m + (I_e + ex + in_) / C_m, -ex / tau_ex, -in_ / tau_in]

    y, t, expected = np.array([-70.0, 0.0, 0.0]), 0.0, {}
    for at, w in [*zip(inputs, weights, strict=True), (60.0, 0.0)]:
        inside = times[(times >= t) & (times < at)]
        solution = solve_ivp(slope, (t, at), y, method="DOP853", rtol=1e-12, atol=1e-12, t_eval=[*inside, at])
        expected.update(zip(inside, solution.y[0], strict=False))
        y, t = solution.y[:, -1].copy(), at
        y[1 if w > 0.0 else 2] += w
    assert V == pytest.approx([expected[time] for time in times], rel=0.0, abs=1e-9)


# ---- spike times of one neuron under random input


def zero(f, low, high):
    """Where f changes sign between low and high: 70 bisections leave 1e-21 of the interval."""
    rising = f(high) > f(low)
    for _ in range(70):
        middle = (low + high) / 2
        low, high = (low, middle) if (f(middle) > 0) == rising else (middle, high)
    return high


def solution(p, v, ex, in_):
    """V(s) - E_L of a free neuron, and two functions whose sign changes enclose its extrema."""
    tm, te, ti, R = p["tau_m"], p["tau_syn_ex"], p["tau_syn_in"], p["tau_m"] / p["C_m"]
    drive, a, b = R * p["I_e"], R * ex * te / (te - tm), R * in_ * ti / (ti - tm)
    m = v - drive - a - b

    def V(s):
        return drive + m * mp.exp(-s / tm) + a * mp.exp(-s / te) + b * mp.exp(-s / ti)

    def slope(s):
        return -(m / tm * mp.exp(-s / tm) + a / te * mp.exp(-s / te) + b / ti * mp.exp(-s / ti))

    def bend(s):  # d/ds (slope exp(s / tm)), up to a positive factor: between its zeros V has at most one extremum
        return a / te * (1 / te - 1 / tm) * mp.exp(-s / te) + b / ti * (1 / ti - 1 / tm) * mp.exp(-s / ti)

    return V, slope, bend


def first_crossing(p, v, ex, in_, length):
    """First s in [0, length] with V(s) >= V_th, or None, from the monotone pieces of V."""
    V, slope, bend = solution(p, v, ex, in_)
    theta, joints = p["V_th"] - p["E_L"], [mpf(0), length]
    if bend(joints[0]) * bend(length) < 0:
        joints.insert(1, zero(bend, *joints))
    points = [joints[0]]
    for low, high in zip(joints, joints[1:], strict=False):
        if slope(low) * slope(high) < 0:
            points.append(zero(slope, low, high))
        points.append(high)
    for low, high in zip(points, points[1:], strict=False):
        if V(high) >= theta:
            return zero(lambda s: V(s) - theta, low, high)
    return None


def exact_spikes(p, inputs, stop):
    """All spikes before `stop` of a LIFExp neuron at rest at 0, from its equations alone, in the current precision.

    V is evaluated from the coefficients of its exponentials, which so many digits permit. p: parameters; inputs:
    (time, weight), ascending.
    """
    spikes, t, v, ex, in_, release = [], mpf(0), mpf(0), mpf(0), mpf(0), mpf(0)
    for at, weight in [*inputs, (stop, mpf(0))]:
        while t < at:
            if t < release:
                end = min(at, release)
            else:
                crossing = first_crossing(p, v, ex, in_, at - t)
                if crossing is None:
                    v, end = solution(p, v, ex, in_)[0](at - t), at
                else:
                    v, end = p["V_reset"] - p["E_L"], t + crossing
                    spikes.append(end)
                    release = end + p["t_ref"]
            ex, in_, t = ex * mp.exp(-(end - t) / p["tau_syn_ex"]), in_ * mp.exp(-(end - t) / p["tau_syn_in"]), end
        ex, in_ = (ex + weight, in_) if weight > 0 else (ex, in_ + weight)
    return spikes


@pytest.mark.parametrize(
    ("seed", "n", "changed"),
    [
        (1, 300, {}),
        (2, 120, {"tau_syn_ex": 10.0 * (1 + 1e-10), "tau_syn_in": 10.0 * (1 - 1e-8)}),
        (3, 120, {"tau_syn_ex": 10.0, "tau_syn_in": 10.0, "I_e": 100.0}),
        (4, 120, {"tau_syn_ex": 25.0, "tau_syn_in": 3.0, "t_ref": 0.0}),
        (5, 120, {"tau_syn_ex": 0.5, "tau_syn_in": 40.0, "I_e": 600.0, "t_ref": 0.1}),
    ],
)
def test_spike_times_against_forty_digits(seed, n, changed):
    """About n random inputs of either sign: the same number of spikes, each within 1e-12 ms."""
    p = {
        "tau_m": 10.0, "C_m": 250.0, "E_L": -70.0, "V_th": -55.0, "V_reset": -70.0, "t_ref": 2.0, "I_e": 0.0,
        "tau_syn_ex": 2.0, "tau_syn_in": 5.0, **changed,
    }  # fmt: skip
    rng = np.random.default_rng(seed)
    times = np.cumsum(rng.exponential(1.0, n))
    # Scaled so that an input moves V by some 5 mV whatever the time constants.
    weights = np.where(rng.random(n) < 0.8, 1.0, -1.0) * rng.uniform(0.5, 1.5, n) * 1_000.0
    weights /= np.where(weights > 0.0, p["tau_syn_ex"], p["tau_syn_in"]) ** 0.7
    stop = float(times[-1]) + 20.0
    got = {}
    for engine in ENGINES:
        net = esn.Network()
        cells = net.population(1, esn.LIFExp(**p), name="cells")
        source = net.population(n, esn.SpikeSource(times[:, np.newaxis]))
        net.connect(source, cells, esn.AllToAll(), weight=weights[:, np.newaxis], delay=0.0)
        got[engine] = net.run(stop, engine=engine).spikes["cells"].times
    with mp.workdps(40):
        exact = {name: mpf(value) for name, value in p.items()}
        for name in ("tau_syn_ex", "tau_syn_in"):  # the coefficients need some distance
            exact[name] += mpf(10) ** -16 if exact[name] == exact["tau_m"] else 0
        inputs = [(mpf(float(t)), mpf(float(w))) for t, w in zip(times, weights, strict=True)]
        expected = exact_spikes(exact, inputs, mpf(stop))
        for engine in ENGINES:
            assert len(got[engine]) == len(expected) > n / 15
            error = max(abs(mpf(float(t)) - e) for t, e in zip(got[engine], expected, strict=True))
            assert error <= mpf("1e-12"), mpmath.nstr(error, 5)


# ---- Poisson drive


def siegert(tau_m, theta, reset, t_ref, mu, sigma):
    """Rate (Hz) of a LIF neuron under white noise (Siegert 1951; Brunel 2000, eq. 21); potentials above rest, in mV."""
    integral = quad(lambda u: erfcx(-u), (reset - mu) / sigma, (theta - mu) / sigma, epsabs=0.0, epsrel=1e-10)[0]
    return 1_000.0 / (t_ref + tau_m * math.sqrt(math.pi) * integral)


@pytest.mark.parametrize(
    ("excitatory", "inhibitory", "weight", "ms"),
    [
        (14_200.0, 0.0, 0.1, 1_000.0),  # mean 14.2 of 15 mV, and little noise
        (16_000.0, 0.0, 0.1, 500.0),  # mean above threshold
        (29_000.0, 20_000.0, 0.15, 500.0),  # mean 13.5 mV and strong noise from both sides
    ],
)
def test_diffusion_rate_of_poisson_drive(excitatory, inhibitory, weight, ms):
    """A weight w lets V pass the threshold by up to w, which is lost with the reset: the rate lies between those of a
    diffusion to theta and to theta + w, less than 8 % apart here. Beyond that, 5 standard errors of a Poisson count,
    which is more irregular than the neuron: error probability below 6e-7."""
    tau_m, theta, reset, t_ref, n = 10.0, 15.0, 5.0, 2.0, 500
    mu = tau_m * weight * (excitatory - inhibitory) / 1_000.0
    sigma = math.sqrt(tau_m * weight**2 * (excitatory + inhibitory) / 1_000.0)
    high = siegert(tau_m, theta, reset, t_ref, mu, sigma)
    low = siegert(tau_m, theta + weight, reset, t_ref, mu, sigma)
    net = esn.Network(seed=11)
    # Begun near the stationary state, and measured after ten time constants.
    cells = net.population(
        n, esn.LIFDelta(tau_m=tau_m, E_L=0.0, V_th=theta, V_reset=reset, t_ref=t_ref), name="cells",
        V_m=esn.Uniform(reset, theta),
    )  # fmt: skip
    net.stimulate(cells, esn.Poisson(rate=excitatory), weight=weight)
    net.stimulate(cells, esn.Poisson(rate=inhibitory), weight=-weight)
    spikes = net.run(100.0 + ms).spikes["cells"].between(100.0, 100.0 + ms)
    margin = 5.0 / math.sqrt(len(spikes))
    assert (high - low) / high < 0.08 and margin < 0.09
    assert low * (1.0 - margin) < spikes.rate() < high * (1.0 + margin)


def poisson_trains(kind, rate, n, ms):
    """Trains of n independent streams, seen as spikes of a source or as what a stimulus delivers."""
    net = esn.Network(seed=2)
    if kind == "source":
        net.population(n, esn.Poisson(rate=rate), name="cells")
    else:
        cells = net.population(n, esn.LIFDelta(E_L=0.0, V_th=1.0, V_reset=0.0, t_ref=0.0), name="cells")
        net.stimulate(cells, esn.Poisson(rate=rate), weight=1.0)
    return net.run(ms).spikes["cells"]


@pytest.mark.parametrize("kind", ["source", "stimulus"])
@pytest.mark.parametrize("rate", [3.0, 100.0, 999.0])
def test_poisson_streams(kind, rate):
    """Every assertion has error probability below 1e-6."""
    n, ms = 200, 200_000.0 / rate
    spikes = poisson_trains(kind, rate, n, ms)
    expected = rate * ms / 1_000.0  # per neuron: 200
    counts = spikes.counts()
    p = 1e-6
    # Rate, and Fano factor over neurons.
    assert abs(counts.sum() - n * expected) < 5.0 * math.sqrt(n * expected)
    dispersion = ((counts - expected) ** 2).sum() / expected
    assert stats.chi2(n).ppf(p / 2) < dispersion < stats.chi2(n).isf(p / 2)
    # Fano factor over time, in windows that no cell of a power of two fits.
    windows = np.array([np.histogram(train, 97, (0.0, ms))[0] for train in spikes.trains()])
    mean = expected / 97
    dispersion = ((windows - mean) ** 2).sum() / mean
    spread = math.sqrt(windows.size * (2.0 + 1.0 / mean))
    assert abs(dispersion - windows.size) < 5.0 * spread
    # Intervals are exponential, and successive ones independent.
    isi = spikes.isi()
    assert stats.kstest(isi, stats.expon(scale=1_000.0 / rate).cdf).pvalue > p
    assert abs(np.corrcoef(isi[:-1], isi[1:])[0, 1]) < 5.0 / math.sqrt(isi.size)
    # Neurons are independent of each other, at the same time and one window later.
    for shifted in (windows[1:], np.roll(windows, 1, axis=1)[1:]):
        r = np.corrcoef(windows[:-1].ravel(), shifted.ravel())[0, 1]
        assert abs(r) < 5.0 / math.sqrt(shifted.size)


def test_streams_of_different_stimuli_and_sources_are_independent():
    """Equal rates, equal names: not one common spike."""
    net = esn.Network(seed=2)
    cells = net.population(50, esn.LIFDelta(E_L=0.0, V_th=1.0, V_reset=0.0, t_ref=0.0), name="cells")
    more = net.population(50, esn.LIFDelta(E_L=0.0, V_th=1.0, V_reset=0.0, t_ref=0.0), name="more")
    net.population(50, esn.Poisson(rate=100.0), name="noise")
    net.population(50, esn.Poisson(rate=100.0), name="other")
    net.stimulate(cells, esn.Poisson(rate=100.0), weight=1.0, name="noise")
    net.stimulate(more, esn.Poisson(rate=100.0), weight=1.0)
    results = net.run(1_000.0)
    times = np.concatenate([spikes.times for spikes in results.spikes.values()])
    assert len(times) > 15_000 and len(np.unique(times)) == len(times)
