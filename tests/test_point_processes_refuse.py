"""Point processes that are refused, when they are made or when they are compiled."""

import math

import pytest

import eventsnn as esn


def compile_with(process, n=3):
    net = esn.Network()
    net.population(n, process, name="noise")
    net.compile()


def stimulate_with(process, n=3):
    net = esn.Network()
    net.stimulate(net.population(n, esn.LIFDelta(), name="cells"), process, weight=1.0, name="noise")
    net.compile()


REFUSED_ON_CONSTRUCTION = [
    (lambda: esn.InhomogeneousPoisson("12", [1.0]), "InhomogeneousPoisson: times = '12' must be one list of numbers"),
    (lambda: esn.InhomogeneousPoisson([0.0, 0.0], [1.0, 2.0]), "InhomogeneousPoisson: time 0 ms is given twice"),
    (lambda: esn.InhomogeneousPoisson([1.0, 0.5], [1.0, 2.0]), r"times\[1\] = 0.5 ms comes after 1 ms"),
    (lambda: esn.InhomogeneousPoisson([-1.0], [1.0]), r"times\[0\] = -1 ms is negative"),
    (lambda: esn.InhomogeneousPoisson([0.0, 1.0], [1.0]), "2 times but 1 rates; give one rate a time"),
    (lambda: esn.InhomogeneousPoisson([0.0], [[1.0], [1.0, 2.0]]), "rates = .* must be one list of numbers"),
    (lambda: esn.InhomogeneousPoisson([0.0], [[[1.0]]]), r"array of shape \(1, 1, 1\); give one list"),
    (lambda: esn.InhomogeneousPoisson([0.0], 5.0), r"array of shape \(\); give one list"),
    (lambda: esn.InhomogeneousPoisson([0.0, 1.0], [1.0, -2.0]), r"rates\[1\] = -2 Hz must be 0 or lie between 1e-300 "),
    (lambda: esn.InhomogeneousPoisson([0.0], [[1.0], [math.nan]]), r"rates\[1, 0\] = nan Hz must be 0 or lie"),
    (lambda: esn.InhomogeneousPoisson([0.0, 1e200], [0.0, 1.0]), r"times\[1\] = 1e\+200 ms is too late for 1 Hz:"),
    (
        lambda: esn.PoissonRefractory(1.0, 1.0, start="ordinal"),
        "PoissonRefractory: start = 'ordinal' is not known; did you mean 'ordinary'",
    ),
    (lambda: esn.Gamma(1.0, 1.0, start=None), "Gamma: start = None is not known; known are stationary, ordinary"),
    (lambda: esn.Renewal(5.0), "Renewal: intervals = 5.0 must be a distribution of ms .* Exponential, LogNormal,"),
    (lambda: esn.Renewal([esn.Uniform(1.0, 2.0), 3.0]), "Renewal: intervals = 3.0 must be a distribution"),
    (lambda: esn.Renewal(esn.Uniform), "must be a distribution of ms"),
    (lambda: esn.Renewal(esn.Uniform(-1.0, 2.0)), r"Uniform\(low=-1.0, high=2.0\) may be negative; give low >= 0"),
    (lambda: esn.Renewal(esn.Normal(5.0, 1.0)), "may be negative; give low >= 0"),
    (lambda: esn.Renewal(esn.Normal(5.0, 1.0, 0.0, outside="clip")), "drawn one by one .* outside='redraw' is needed"),
    (lambda: esn.Renewal(esn.Normal(5.0, 1.0, 0.0, grid=0.1)), "drawn one by one .* on no grid; leave grid out"),
    (lambda: esn.Renewal(esn.Normal(5.0, 1.0, 9.0)), r"practically never fall into \[low, high\]; widen it"),
    (lambda: esn.Renewal(esn.Normal(5.0, 0.0, 6.0)), r"practically never fall into \[low, high\]; widen it"),
    (lambda: esn.Renewal(esn.LogNormal(0.0, 11.0)), "differ too much in length; sigma must not exceed 10"),
    (lambda: esn.Renewal(esn.LogNormal(-100.0, 1.0)), "mean of 6.1.*e-44 ms; it must lie between 1e-06 and 1e.303 ms"),
    (lambda: esn.Renewal(esn.LogNormal(1000.0, 1.0)), "have a mean of inf ms"),
    (lambda: esn.Renewal(esn.Uniform(0.0, 0.0)), "have a mean of 0 ms"),
    (lambda: esn.Renewal(esn.Exponential(0.0)), "have a mean of 0 ms"),
    (lambda: esn.Renewal(esn.Normal(0.0, 0.0, low=0.0)), "have a mean of 0 ms"),
]  # fmt: skip


@pytest.mark.parametrize(("make", "sentence"), REFUSED_ON_CONSTRUCTION)
def test_what_cannot_be_a_process_is_refused_on_construction(make, sentence):
    with pytest.raises(esn.InputError, match=sentence):
        make()


REFUSED_IN_COMPILATION = [
    (esn.InhomogeneousPoisson([0.0], [[1.0], [2.0]]), "noise: rates has 2 rows for 3 neurons; give one a neuron"),
    (esn.SinusoidalPoisson(-1.0, 1.0, 1.0), "noise: rate = -1 Hz must not be negative"),
    (esn.SinusoidalPoisson(1.0, "1", 1.0), "noise: amplitude = '1' must be a number, an array or a distribution"),
    (esn.SinusoidalPoisson(1.0, 1.0, [1.0, -2.0, 3.0]), r"noise: frequency = -2 Hz \(neuron 1\) must not be negative"),
    (esn.SinusoidalPoisson(1.0, 1.0, 1.0, math.inf), "noise: phase = inf must be finite"),
    (esn.SinusoidalPoisson(0.0, 2e9, 1.0), r"noise: rate \+ \|amplitude\| = 2e\+09 Hz must be 0 or lie between"),
    (esn.SinusoidalPoisson(0.0, 1e5, 1e-4), "noise: frequency = 0.0001 Hz is too low for .* = 100000 Hz, .*Inhomogen"),
    (esn.PoissonRefractory(-1.0, 1.0), "noise: rate = -1 Hz must not be negative"),
    (esn.PoissonRefractory(1e10, 0.0), r"noise: rate = 1e\+10 Hz must be 0 or lie between 1e-300 and 1e\+09 Hz"),
    (esn.PoissonRefractory(1.0, -1.0), "noise: dead_time = -1 ms must not be negative"),
    (
        esn.PoissonRefractory([10.0, 500.0, 10.0], 2.0),
        r"noise: dead_time = 2 ms \(neuron 1\) leaves no room for 500 Hz; it must be below 1000 / rate",
    ),
    (esn.Gamma(1.0, 0.0), "noise: shape = 0 must lie between 0.001 and 1e.09"),
    (esn.Gamma(1.0, [1.0, 1e10, 2.0]), r"noise: shape = 1e\+10 \(neuron 1\) must lie between"),
    (esn.Gamma([1.0, 2.0], 1.0), r"noise: rate is an array of shape \(2,\); it must be one number or 3 of them"),
    (esn.Renewal([esn.Exponential(1.0)]), "noise: 1 distributions of intervals for 3 neurons; give one a neuron"),
]  # fmt: skip


@pytest.mark.parametrize("use", [compile_with, stimulate_with])
@pytest.mark.parametrize(("process", "sentence"), REFUSED_IN_COMPILATION, ids=lambda value: repr(value)[:60])
def test_what_cannot_be_drawn_is_refused_in_compilation(use, process, sentence):
    with pytest.raises(esn.InputError, match=sentence):
        use(process)
