"""Gradients of spike times and voltages, against closed forms, finite differences and the ordinary engine."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import lambertw
from train_networks import INPUTS, Linear, differences, loss_of, random_network, totals

import eventsnn as esn
from eventsnn.encode import Trains
from eventsnn.train import Errors, Trainable

DURATION = 40.0


def trainable(seed: int, learn=("weight", "delay", "tau_m", "tau_syn"), threads: int = 1):
    net, source, outs, (times, ids, offsets) = random_network(seed, DURATION)
    model = Trainable(net, source, outs, DURATION, learn=learn, threads=threads)
    return model, model.samples(Trains(times, ids, offsets, (INPUTS,), DURATION))


def one_neuron(weights, times, tau_m=20.0, tau_syn=10.0, duration=100.0, **parameters):
    """A neuron with C_m = tau_m, so that R is 1, and an input for each weight."""
    net = esn.Network()
    source = net.population(len(weights), esn.SpikeSource([1.0]), name="source")
    values = {"E_L": 0.0, "V_th": 1.0, "V_reset": 0.0, "t_ref": 1.0} | parameters
    cell = net.population(
        1, esn.LIFExp(tau_m=tau_m, C_m=tau_m, tau_syn_ex=tau_syn, tau_syn_in=tau_syn, **values), name="cell"
    )
    net.connect(source, cell, esn.AllToAll(), weight=np.reshape(weights, (-1, 1)), delay=1.0)
    model = Trainable(net, source, cell, duration, learn=("weight", "delay"))
    return model, model.forward(np.reshape(times, (1, -1)))


# ---- closed forms


def test_first_spike_of_tau_m_twice_tau_syn():
    """T solves a quadratic equation in exp(-T / tau_m) (Goeltz et al. 2021), and dT/dw = -kappa(T - t) / V'(T)."""
    w, arrivals = np.array([3.0, 2.0]), np.array([1.0, 4.0])
    model, readout = one_neuron(w, arrivals - 1.0)
    a1 = np.sum(w * np.exp(arrivals / 10.0))
    a2 = np.sum(w * np.exp(arrivals / 20.0))
    T = 20.0 * np.log(2.0 * a1 / (a2 + np.sqrt(a2**2 - 4.0 * a1)))
    assert readout.first[0, 0] == pytest.approx(T, rel=1e-14)

    s = T - arrivals
    kappa = np.exp(-s / 20.0) - np.exp(-s / 10.0)
    rate = -np.exp(-s / 20.0) / 20.0 + np.exp(-s / 10.0) / 10.0
    slope = w @ rate
    gradient = model.backward(Errors(first=np.ones((1, 1))))
    np.testing.assert_allclose(gradient[:2], -kappa / slope, rtol=1e-12)
    np.testing.assert_allclose(gradient[2:], w * rate / slope, rtol=1e-12)
    np.testing.assert_allclose(model.input_errors, w * rate / slope, rtol=1e-12)


def test_first_spike_of_equal_time_constants():
    """V = sum w (t / tau) exp(-t / tau) reaches the threshold where Lambert's W says."""
    w, arrivals = np.array([2.0, 1.5]), np.array([1.0, 3.0])
    model, readout = one_neuron(w, arrivals - 1.0, tau_m=7.0, tau_syn=7.0)
    a, b = np.sum(w * np.exp(arrivals / 7.0)), np.sum(w * arrivals / 7.0 * np.exp(arrivals / 7.0))
    T = 7.0 * (b / a - lambertw(-np.exp(b / a) / a).real)
    assert readout.first[0, 0] == pytest.approx(T, rel=1e-14)
    s = (T - arrivals) / 7.0
    slope = w @ ((1.0 - s) * np.exp(-s)) / 7.0
    gradient = model.backward(Errors(first=np.ones((1, 1))))
    np.testing.assert_allclose(gradient[:2], -s * np.exp(-s) / slope, rtol=1e-12)


def test_input_after_the_spike_has_no_gradient():
    model, readout = one_neuron([4.0, 4.0], [0.0, 50.0], t_ref=1e6)
    assert readout.time.size == 1
    gradient = model.backward(Errors(first=np.ones((1, 1))))
    assert gradient[0] < 0.0
    assert gradient[1] == gradient[3] == 0.0


def test_peak_and_integral_of_one_input():
    """The peak of kappa is at tau_m tau_syn ln(tau_m / tau_syn) / (tau_m - tau_syn); its integral is w tau_syn."""
    model, readout = one_neuron([3.0], [1.0], V_th=1e7, duration=2_000.0)
    at = 20.0 * np.log(2.0)
    peak = np.exp(-at / 20.0) - np.exp(-at / 10.0)
    assert readout.v_max[0, 0] == pytest.approx(3.0 * peak, rel=1e-14)
    assert readout.v_integral[0, 0] == pytest.approx(3.0 * 10.0, rel=1e-14)
    assert np.isinf(readout.first[0, 0])
    one = np.ones((1, 1))
    gradient = model.backward(Errors(v_max=one))
    np.testing.assert_allclose(gradient, [peak, 0.0], atol=1e-15)
    model.forward(np.array([[1.0]]))
    np.testing.assert_allclose(model.backward(Errors(v_integral=one)), [10.0, 0.0], rtol=1e-13, atol=1e-13)


def test_peak_of_a_silent_neuron_that_could_fire():
    model, readout = one_neuron([3.0], [1.0])
    assert np.isnan(readout.v_max[0, 0])
    model.retrace(readout, np.array([0]))
    at = 20.0 * np.log(2.0)
    peak = np.exp(-at / 20.0) - np.exp(-at / 10.0)
    assert readout.v_max[0, 0] == pytest.approx(3.0 * peak, rel=1e-14)
    np.testing.assert_allclose(model.backward(Errors(v_max=np.ones((1, 1)))), [peak, 0.0], atol=1e-15)


# ---- finite differences


def compare(seed: int, learn=("weight", "delay", "tau_m", "tau_syn")) -> None:
    model, samples = trainable(seed, learn)
    readout = model.forward(samples)
    loss, spikes = Linear(readout, seed), totals(model, 2)
    gradient = model.backward(loss.errors())
    of_inputs = model.input_errors.copy()

    def value() -> float:
        return loss_of(model, samples, loss, spikes)

    p = model.learned
    kinds = np.repeat([0, 1, 2], [p.n_weights, p.n_delays, p.n_taus])
    found = differences(value, model.parameters, np.array([0.02, 1e-3, 1e-3])[kinds], model.put)
    pairs = [(gradient[kinds == kind], found[kinds == kind]) for kind in range(3)]
    pairs.append((of_inputs, differences(value, samples.time, 1e-3, lambda: None)))
    for exact, measured in pairs:
        assert np.isfinite(measured).all()
        if exact.size:
            assert np.abs(exact - measured).max() <= 1e-7 * np.abs(measured).max()


@pytest.mark.parametrize("seed", [0, 1, 2, 3, 5, 6, 8, 9])
def test_gradients_are_those_of_finite_differences(seed):
    """Weights, delays, time constants and input times; multi-spike, recurrent, one current or two, t_ref >= 0.

    `differences` takes the step with which they agree best, so that a kink close by, where an input passes a spike,
    does not count.
    """
    compare(seed)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(10, 60))
def test_gradients_are_those_of_finite_differences_at_length(seed):
    compare(seed)


def test_close_to_a_kink_the_gradient_is_that_of_its_side():
    """Seed 4 is next to one: only within 1e-5 pA is the derivative that of the gradient."""
    model, samples = trainable(4)
    readout = model.forward(samples)
    loss = Linear(readout, 4)
    gradient = model.backward(loss.errors())
    worst = 55  # the weight whose fourth-order differences disagree most
    p = model.parameters
    kept, here = p[worst], loss.value(readout)
    slopes = []
    for step in (-1e-1, -1e-5):
        p[worst] = kept + step
        model.put()
        slopes.append((loss.value(model.forward(samples)) - here) / step)
    assert slopes[1] == pytest.approx(gradient[worst], rel=1e-4)
    assert slopes[0] != pytest.approx(gradient[worst], rel=1e-1)


# ---- the same network told in other ways


@pytest.mark.parametrize("seed", range(8))
def test_spikes_and_voltages_are_those_of_the_engine(seed):
    model, samples = trainable(seed, "weight")
    readout = model.forward(samples)
    net, source = model.network, model.network.populations["source"]
    for k in range(2):
        part = slice(*samples.start[k : k + 2])
        source.set(times=samples.time[part], ids=samples.neuron[part])
        results = net.run(DURATION)
        spikes = results.spikes
        mine, at = model.spikes(k)
        starts = model.wiring.starts
        theirs = np.concatenate([spikes[name].ids + starts[name] for name in starts])
        times = np.concatenate([spikes[name].times for name in starts])
        order = np.lexsort((theirs, times))
        np.testing.assert_array_equal(mine[np.lexsort((at, mine))], theirs[np.lexsort((times, theirs))])
        np.testing.assert_allclose(at, times[order], rtol=0, atol=2e-12)
        net.reset()
    assert np.isfinite(readout.v_max[:, -2:]).all()


@pytest.mark.parametrize("seed", [0, 1, 2, 7])
def test_peaks_and_integrals_are_those_of_samples(seed):
    """V of the engine, sampled densely, gives both to what a grid of 0.001 ms leaves."""
    model, samples = trainable(seed, "weight")
    readout = model.forward(samples)
    net = model.network
    part = slice(*samples.start[:2])
    net.populations["source"].set(times=samples.time[part], ids=samples.neuron[part])
    net.record(net.populations["readers"], "V_m", every=0.001)
    V = net.run(DURATION).traces["readers"].V_m + 70.0
    above = readout.v_max[0, -2:] - V.max(axis=1)
    assert (above >= -1e-12).all()
    assert (above < 0.005).all()  # where V is highest at an arrival it may rise by some mV/ms before it
    np.testing.assert_allclose(readout.v_integral[0, -2:], V.sum(axis=1) * 0.001, rtol=1e-3, atol=0.05)


@pytest.mark.parametrize("seed", range(6))
def test_fans_change_nothing(seed):
    """Neurons that share what arrives, and the same neurons each by itself."""
    results = []
    for learn in (("weight",), ("weight", "delay")):
        net, source, outs, (times, ids, offsets) = random_network(seed, DURATION)
        for projection in net.projections.values():
            projection.set(delay=1.5)
        model = Trainable(net, source, outs, DURATION, learn=learn)
        readout = model.forward(Trains(times, ids, offsets, (INPUTS,), DURATION))
        loss = Linear(readout, seed)
        results.append((readout, model.gradients(loss.errors())["weight"], len(model.wiring.constants)))
    (one, ours, fans), (other, theirs, singles) = results
    assert fans < singles == 11
    np.testing.assert_allclose(one.time, other.time, rtol=1e-13)
    for name, gradient in ours.items():
        np.testing.assert_allclose(gradient, theirs[name], rtol=1e-8, atol=1e-9 * np.abs(gradient).max())


@pytest.mark.parametrize("threads", [2, 3])
def test_threads_change_no_bit(threads):
    found = []
    for n in (1, threads):
        model, samples = trainable(2, threads=n)
        many = samples.pick(np.arange(41) % 2)
        readout = model.forward(many)
        gradient = model.backward(Linear(readout, 1).errors())
        found.append((readout.time.tobytes(), gradient.tobytes(), model.input_errors.tobytes()))
    assert found[0] == found[1]


def test_gradient_of_a_batch_is_the_sum_of_its_samples():
    model, samples = trainable(5)
    readout = model.forward(samples)
    loss = Linear(readout, 3)
    both = model.backward(loss.errors())
    single = np.zeros_like(both)
    for k in range(2):
        model.forward(samples.pick(np.array([k])))
        mine = readout.sample == k
        errors = Errors(spikes=loss.spikes[mine], v_max=loss.v_max[[k]], v_integral=loss.v_integral[[k]])
        single += model.backward(errors)
    np.testing.assert_allclose(both, single, rtol=1e-12, atol=1e-12 * np.abs(both).max())


def test_passes_can_be_repeated():
    """A tape that was used leaves nothing behind."""
    model, samples = trainable(6)
    first = model.forward(samples)
    loss = Linear(first, 0)
    gradient = model.backward(loss.errors())
    model.forward(samples.pick(np.array([1, 0, 1])))
    again = model.forward(samples)
    assert again.time.tobytes() == first.time.tobytes()
    assert model.backward(loss.errors()).tobytes() == gradient.tobytes()


# ---- shared weights


def convolutional():
    rng = np.random.default_rng(4)
    net = esn.Network()
    kernel = rng.normal(1.2, 0.5, (2, 1, 3, 3))
    rule = esn.Conv2D(kernel, (6, 6), stride=2, padding=1)
    cells = {"tau_m": 10.0, "C_m": 10.0, "E_L": 0.0, "V_th": 1.0, "V_reset": 0.0, "tau_syn_ex": 5.0, "tau_syn_in": 5.0}
    source = net.population(36, esn.SpikeSource([1.0]), name="source")
    maps = net.population(2 * 3 * 3, esn.LIFExp(**cells), name="maps")
    out = net.population(2, esn.LIFExp(**cells), name="out")
    first = net.connect(source, maps, rule, weight=2.0, delay=1.0)
    net.connect(maps, out, esn.AllToAll(), weight=rng.normal(1.0, 0.3, (18, 2)), delay=0.5)
    return net, source, out, first, rng.uniform(0.0, 15.0, (3, 36)), kernel


def test_a_kernel_is_shared():
    net, source, out, first, times, kernel = convolutional()
    model = Trainable(net, source, out, 40.0)
    assert model.parameters.size == 18 + 36
    np.testing.assert_allclose(model.parameters[:18], 2.0 * kernel.ravel())
    readout = model.forward(times)
    loss = Linear(readout, 0)
    exact = model.backward(loss.errors())
    measured = differences(lambda: loss.value(model.forward(times)), model.parameters, 1e-4, model.put)
    assert np.abs(exact - measured).max() <= 1e-7 * np.abs(measured).max()

    model.parameters[:] *= 1.1
    model.put()
    expected = model.forward(times).first
    model.write()
    np.testing.assert_allclose(first.rule.kernel, 2.2 * kernel)
    for k in range(3):
        source.set(times=times[k], ids=np.arange(36))
        trains = net.run(40.0).spikes["out"].trains()
        np.testing.assert_allclose([train[0] for train in trains], expected[k], rtol=1e-13)
        net.reset()


# ---- time constants of single neurons


def test_each_neuron_may_have_time_constants_of_its_own():
    model, samples = trainable(1, "weight")
    net = model.network
    rng = np.random.default_rng(0)
    net.populations["hidden"].set(tau_m=rng.uniform(6.0, 12.0, 6), tau_syn_ex=rng.uniform(3.0, 5.0, 6))
    model = Trainable(
        net, net.populations["source"], [net.populations["out"], net.populations["readers"]], DURATION,
        learn=("tau_m", "tau_syn"),
    )  # fmt: skip
    # 6 of tau_m and 6 each of tau_syn_ex and tau_syn_in, those of `out` and `readers` one for each population.
    assert model.parameters.size == 3 * 6 + 2 * 3
    readout = model.forward(samples)
    loss, spikes = Linear(readout, 0), totals(model, 2)
    exact = model.backward(loss.errors())
    measured = differences(lambda: loss_of(model, samples, loss, spikes), model.parameters, 1e-4, model.put)
    assert np.isfinite(measured).all()
    assert np.abs(exact - measured).max() <= 1e-7 * np.abs(measured).max()
    model.parameters[:6] = 9.0
    model.put()
    model.write()
    np.testing.assert_array_equal(net.populations["hidden"].get("tau_m"), 9.0)
    loss = Linear(model.forward(samples), 0)
    assert set(model.gradients(loss.errors())) == {"tau_m", "tau_syn_ex", "tau_syn_in"}


# ---- what lies between two arrivals


@pytest.mark.parametrize(("tau_ex", "tau_in"), [(10.0, 1.0), (1.0, 10.0), (4.0, 3.0), (20.0, 20.0), (6.0, 25.0)])
def test_two_currents_may_turn_v_twice(tau_ex, tau_in):
    """Both inputs come at once, and nothing after them: fast inhibition first pulls V down, and slow excitation may
    bring it to the threshold only just. Those of 2,000 neurons that fire do so in the engine too, at the same times."""
    rng = np.random.default_rng(0)
    n = 2_000
    net = esn.Network()
    source = net.population(2, esn.SpikeSource([1.0]), name="source")
    cells = net.population(
        n, esn.LIFExp(tau_m=15.0, C_m=15.0, E_L=0.0, V_th=1.0, V_reset=0.0, t_ref=1.0, tau_syn_ex=tau_ex,
                      tau_syn_in=tau_in), name="cells",
    )  # fmt: skip
    weight = np.stack([max(1.0, 5.0 / tau_ex) * rng.uniform(0.5, 12.0, n), -rng.uniform(0.0, 10.0, n)])
    net.connect(source, cells, esn.AllToAll(), weight=weight, delay=1.0)
    model = Trainable(net, source, cells, 80.0)
    readout = model.forward(np.zeros((1, 2)))
    source.set(times=[0.0, 0.0], ids=[0, 1])
    spikes = net.run(80.0).spikes["cells"]
    order = np.lexsort((spikes.times, spikes.ids))
    assert 200 < np.unique(spikes.ids).size < 1_900
    np.testing.assert_array_equal(readout.neuron, spikes.ids[order])
    np.testing.assert_allclose(readout.time, spikes.times[order], rtol=1e-11)
    model.retrace(readout, np.array([0]))
    silent = np.isinf(readout.first[0])
    assert (readout.v_max[0, silent] < 1.0).all()
    net.reset()
    net.populations["cells"].set(V_th=1e6)
    net.record(cells[np.flatnonzero(silent)[:200]], "V_m", every=0.01)
    V = net.run(80.0).traces["cells"].V_m
    np.testing.assert_allclose(readout.v_max[0, silent][:200], V.max(axis=1), atol=2e-5)


@pytest.mark.parametrize("seed", [0, 2, 5, 7])
def test_looking_for_peaks_changes_no_spike(seed):
    model, samples = trainable(seed)
    readout = model.forward(samples)
    loss = Linear(readout, seed)
    gradient = model.backward(loss.errors())
    model.forward(samples)
    before = [tuple(array.tobytes() for array in model.spikes(k)) for k in range(2)]
    again = model.forward(samples)
    model.retrace(again, np.arange(2))
    assert [tuple(array.tobytes() for array in model.spikes(k)) for k in range(2)] == before
    assert again.first.tobytes() == readout.first.tobytes()
    np.testing.assert_allclose(model.backward(loss.errors()), gradient, rtol=1e-9, atol=1e-9 * np.abs(gradient).max())


def test_errors_of_first_spikes_are_of_these_alone():
    model, readout = one_neuron([40.0, 30.0], [0.0, 3.0])
    assert readout.counts()[0, 0] > 3
    gradient = model.backward(Errors(first=np.ones((1, 1))))

    def first() -> float:
        return float(model.forward(np.array([[0.0, 3.0]])).first[0, 0])

    measured = differences(first, model.parameters, 1e-4, model.put)
    np.testing.assert_allclose(gradient, measured, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("ports", [("ex", "in"), ("in", "ex")])
@pytest.mark.parametrize("named", [None, "in"])
def test_ports_may_come_in_any_order(ports, named):
    rng = np.random.default_rng(0)
    net = esn.Network()
    source = net.population(4, esn.SpikeSource([1.0]), name="source")
    model = esn.LIFExp(ports=ports, tau_syn_ex=3.0, tau_syn_in=9.0, C_m=10.0, E_L=0.0, V_th=1.0, V_reset=0.0)
    cells = net.population(100, model, name="cells")
    net.connect(source, cells, esn.AllToAll(), weight=rng.normal(1.5, 2.0, (4, 100)), delay=1.0, port=named)
    times = rng.uniform(0.0, 10.0, (1, 4))
    readout = Trainable(net, source, cells, 60.0).forward(times)
    source.set(times=times[0], ids=np.arange(4))
    spikes = net.run(60.0).spikes["cells"]
    order = np.lexsort((spikes.times, spikes.ids))
    assert readout.time.size > 20
    np.testing.assert_array_equal(readout.neuron, spikes.ids[order])
    np.testing.assert_allclose(readout.time, spikes.times[order], rtol=1e-11)
