"""fit: what it learns, how it ends, what it refuses, and what is saved."""

from __future__ import annotations

import numpy as np
import pytest

import eventsnn as esn
from eventsnn import train

CELL = {"tau_m": 10.0, "C_m": 10.0, "E_L": 0.0, "V_th": 1.0, "V_reset": 0.0, "tau_syn_ex": 5.0, "tau_syn_in": 5.0}


def refused(text, call, *arguments, **options):
    """The call raises an InputError of one sentence with this text in it."""
    with pytest.raises(esn.InputError) as caught:
        call(*arguments, **options)
    message = str(caught.value)
    assert text in message, message
    assert "\n" not in message
    assert len(message) < 260


def network(hidden: int = 8, outputs: int = 2, seed: int = 0, **cell):
    rng = np.random.default_rng(seed)
    net = esn.Network(seed=seed)
    source = net.population(3, esn.SpikeSource([1.0]), name="source")
    middle = net.population(hidden, esn.LIFExp(**CELL), name="middle")
    out = net.population(outputs, esn.LIFExp(**CELL | cell), name="out")
    net.connect(source, middle, esn.AllToAll(), weight=rng.normal(2.5, 1.0, (3, hidden)), delay=1.0, name="first")
    net.connect(middle, out, esn.AllToAll(), weight=rng.normal(1.5, 0.5, (hidden, outputs)), delay=1.0, name="second")
    return net, source, out


def task(n: int = 200, seed: int = 1):
    """Which of two inputs comes first; the third is a clock."""
    rng = np.random.default_rng(seed)
    times = np.concatenate([rng.uniform(0.0, 15.0, (n, 2)), np.zeros((n, 1))], axis=1)
    return times, (times[:, 0] < times[:, 1]).astype(int)


def fitted(net, source, out, X, y, loss=None, **options):
    chosen = {"epochs": 15, "optimizer": train.Adam(0.01), "batch_size": 16} | options
    return train.fit(
        net, X, y, inputs=source, outputs=out, duration=50.0,
        loss=train.TimeToFirstSpike(tau0=1.0) if loss is None else loss, **chosen,
    )  # fmt: skip


# ---- learning


@pytest.mark.parametrize(
    ("loss", "cell"),
    [
        (train.TimeToFirstSpike(tau0=1.0), {}),
        (train.MaxVoltage(scale=0.1), {"V_th": 1e7}),
        (train.IntegratedVoltage(scale=1.0), {"V_th": 1e7}),
        (train.SoftSpikeCount(scale=0.3), {}),
    ],
)
def test_each_loss_is_learned(loss, cell):
    """Every loss is halved, and the network tells 80 % of 200 new samples apart, of which chance tells half."""
    net, source, out = network(hidden=20, **cell)
    X, y = task()
    history = fitted(net, source, out, X, y, loss, epochs=30, optimizer=train.Adam(0.05, decay=0.95))
    assert history.loss[-1] < 0.5 * history.loss[0]
    model = train.Trainable(net, source, out, 50.0)
    new, labels = task(seed=2)
    value, right = train.evaluate(model, new, labels, loss)
    assert right >= 0.8
    assert np.isfinite(value)
    assert np.mean(train.predict(model, new, loss) == labels) == right


def test_target_times_are_learned():
    net, source, out = network(hidden=16)
    X = np.array([[0.0, 8.0, 0.0], [8.0, 0.0, 0.0]])
    wanted = np.array([[10.0, 12.0], [12.0, 10.0]])
    fitted(net, source, out, X, wanted, train.SpikeTime(), epochs=300, optimizer=train.Adam(0.03, decay=0.99))
    for k in range(2):
        source.set(times=X[k], ids=[0, 1, 2])
        first = [train_[0] for train_ in net.run(50.0).spikes["out"].trains()]
        np.testing.assert_allclose(first, wanted[k], atol=1e-3)
        net.reset()


def test_delays_and_time_constants_are_learned_alone():
    """Weights stay as they are, bit for bit; delays stay at 0 or above."""
    net, source, out = network(hidden=20)
    before = net.projections["first"].get("weight")
    history = fitted(net, source, out, *task(), learn={"delay": 10.0, "tau_m": 1.0, "tau_syn": 1.0}, epochs=20)
    assert history.loss[-1] < 0.8 * history.loss[0]
    np.testing.assert_array_equal(np.sort(net.projections["first"].get("weight")), np.sort(before))
    assert net.projections["first"].get("delay").min() >= 0.0
    assert np.unique(net.projections["first"].get("delay")).size > 10
    assert net.populations["middle"].get("tau_m")[0] != 10.0
    ex, inh = net.populations["middle"].get("tau_syn_ex", "tau_syn_in")
    assert ex[0] == inh[0] != 5.0


def test_only_the_named_projections_are_learned():
    net, source, out = network()
    before = {name: p.get("weight") for name, p in net.projections.items()}
    fitted(net, source, out, *task(40), projections=[net.projections["second"]], epochs=2)
    np.testing.assert_array_equal(net.projections["first"].get("weight"), before["first"])
    assert (net.projections["second"].get("weight") != before["second"]).any()


def test_signs_can_be_kept():
    net, source, out = network(hidden=20, seed=3)
    before = net.projections["first"].get("weight")
    assert (before < 0.0).any()
    fitted(net, source, out, *task(), keep_signs=True, optimizer=train.Adam(0.1))
    after = net.projections["first"].get("weight")
    assert (before * after >= 0.0).all()
    assert (after == 0.0).any()


@pytest.mark.parametrize(("pull", "grow", "loss"), [(0.0, 0.0, 800.0), (10.0, 0.0, 810.0), (10.0, 0.02, 0.0)])
def test_silent_neurons_are_revived(pull, grow, loss):
    """With weights far too small nothing fires. The highest V of the output has a gradient, which is 0 as long as the
    hidden neurons are silent too: (50 - 10)^2 / 2 and the pull are what remains."""
    net, source, out = network(outputs=1)
    for projection in net.projections.values():
        projection.set(weight=0.2 * np.asarray(projection.weight))
    X = np.zeros((1, 3))
    history = fitted(
        net, source, out, X, np.array([[10.0]]), train.SpikeTime(), pull=pull, grow=grow, epochs=400,
        optimizer=train.Adam(0.03, decay=0.99),
    )  # fmt: skip
    assert history.loss[-1] == pytest.approx(loss, abs=0.1)


def test_delays_can_be_learned_twice():
    """What is written the second time is in the order of the first, though delays have another order by then."""
    rng = np.random.default_rng(0)
    net = esn.Network()
    source = net.population(3, esn.SpikeSource([1.0]), name="source")
    out = net.population(2, esn.LIFExp(**CELL), name="out")
    pairs = esn.Explicit([0, 0, 1, 1, 2, 2, 0], [0, 1, 0, 1, 0, 1, 0])
    weight = rng.uniform(2.0, 4.0, 7)
    sparse = net.connect(source, out, pairs, weight=weight, delay=rng.uniform(1.0, 5.0, 7), name="sparse")
    model = train.Trainable(net, source, out, 50.0, learn="delay")
    for _ in range(2):
        train.fit(model, *task(), loss=train.TimeToFirstSpike(tau0=1.0), optimizer=train.Adam(0.3), epochs=5)
        post, found = sparse.get("post", "weight")
        for neuron in range(2):
            expected = weight[[target == neuron for target in (0, 1, 0, 1, 0, 1, 0)]]
            np.testing.assert_array_equal(np.sort(found[post == neuron]), np.sort(expected))
        first = model.forward(task(5)[0]).first
        for k in range(5):
            source.set(times=task(5)[0][k], ids=np.arange(3))
            trains = net.run(50.0).spikes["out"].trains()
            mine = [times[0] if times.size else np.inf for times in trains]
            np.testing.assert_allclose(mine, first[k], rtol=1e-12)
            net.reset()


def test_recurrent_networks_are_learned():
    net, source, out = network(hidden=10)
    middle = net.populations["middle"]
    rng = np.random.default_rng(0)
    net.connect(middle, middle, esn.AllToAll(), weight=rng.normal(0.0, 0.3, (10, 10)), delay=2.0, name="loop")
    history = fitted(net, source, out, *task(), learn=("weight", "delay"), epochs=20)
    assert history.loss[-1] < 0.5 * history.loss[0]
    assert net.projections["loop"].get("delay").min() >= 0.1


def test_inputs_may_be_others_in_each_epoch():
    """The first epoch is that of the same inputs given at once; afterwards the optimizer goes on, as with these."""
    X, y = task(60)
    seen = []

    def inputs(epoch):
        seen.append(epoch)
        return X

    weights = []
    for given in (X, inputs, lambda epoch: X + 0.1 * epoch):
        net, source, out = network()
        fitted(net, source, out, given, y, epochs=4)
        weights.append(net.projections["first"].get("weight"))
    assert seen == [0, 1, 2, 3]
    np.testing.assert_array_equal(weights[0], weights[1])
    assert (weights[2] != weights[0]).any()
    net, source, out = network()
    refused("returned 59 samples after 60", fitted, net, source, out, lambda epoch: X[: 60 - epoch], y)


def test_signs_are_free_again_afterwards():
    net, source, out = network(hidden=20, seed=3)
    model = train.Trainable(net, source, out, 50.0)
    before = model.parameters.copy()
    X, y = task()
    options = {"loss": train.TimeToFirstSpike(tau0=1.0), "optimizer": train.Adam(0.1), "epochs": 15}
    train.fit(model, X, y, keep_signs=True, **options)
    assert (before * model.parameters >= 0.0).all()
    train.fit(model, X, y, **options)
    assert (before * model.parameters < 0.0).any()


# ---- the learned network, saved and loaded


def test_learned_networks_fire_in_the_engine_as_in_training(tmp_path):
    """Saved, loaded into a network with other weights, and run: the spike times of the passes, to rounding."""
    net, source, out = network()
    X, y = task(60)
    fitted(net, source, out, X, y, learn=("weight", "delay"), epochs=3)
    train.save(net, tmp_path / "learned.npz")
    expected = train.Trainable(net, source, out, 50.0).forward(X)

    other, inputs, outputs = network(seed=5)
    train.load(other, tmp_path / "learned.npz")
    for name, projection in net.projections.items():
        for mine, theirs in zip(
            projection.get("pre", "post", "weight", "delay"),
            other.projections[name].get("pre", "post", "weight", "delay"),
            strict=True,
        ):
            np.testing.assert_array_equal(mine, theirs)
    for k in range(20):
        inputs.set(times=X[k], ids=np.arange(3))
        spikes = other.run(50.0).spikes["out"]
        mine = expected.sample == k
        np.testing.assert_array_equal(np.sort(spikes.ids), expected.neuron[mine])
        np.testing.assert_allclose(np.sort(spikes.times), np.sort(expected.time[mine]), rtol=1e-13)
        other.reset()


def test_loading_refuses_what_does_not_fit(tmp_path):
    net, _, _ = network()
    path = tmp_path / "learned.npz"
    train.save(net, path)
    refused("is there already", train.save, net, path)
    train.save(net, path, force=True)
    larger, _, _ = network(hidden=9)
    before = larger.projections["first"].get("weight")
    refused("does not fit the network", train.load, larger, path)
    np.testing.assert_array_equal(larger.projections["first"].get("weight"), before)
    refused("cannot be read", train.load, net, tmp_path / "none.npz")
    damaged = tmp_path / "damaged.npz"
    damaged.write_bytes(path.read_bytes()[:200])
    refused("cannot be read", train.load, net, damaged)
    np.savez(tmp_path / "foreign.npz", a=np.zeros(3))
    refused("is not a network", train.load, net, tmp_path / "foreign.npz")
    refused("cannot be written", train.save, net, tmp_path / "nowhere" / "x.npz")


# ---- how training goes on and ends


def test_training_is_the_same_again_and_with_threads():
    weights = []
    for threads in (1, 2, 1):
        net, source, out = network()
        fitted(net, source, out, *task(100), threads=threads, batch_size=50, epochs=3)
        weights.append(net.projections["first"].get("weight").tobytes())
    assert weights[0] == weights[1] == weights[2]


def test_patience_ends_training_and_keeps_the_best():
    net, source, out = network()
    X, y = task(60)
    held = task(60, seed=9)
    seen = []
    history = fitted(
        net, source, out, X, y, epochs=200, patience=3, validation=held, progress=seen.append,
        optimizer=train.Adam(0.1),
    )  # fmt: skip
    assert len(history) < 200
    assert len(seen) == len(history) == history.best + 1 + 3
    assert history.best == int(np.argmin(history.validation_loss))
    model = train.Trainable(net, source, out, 50.0)
    value, right = train.evaluate(model, *held, train.TimeToFirstSpike(tau0=1.0))
    assert value == pytest.approx(history.validation_loss[history.best], rel=1e-12)
    assert right == history.validation_accuracy[history.best]
    assert seen[0].epoch == 1
    assert seen[-1].validation_loss == history.validation_loss[-1]


def test_until_ends_training():
    net, source, out = network()
    history = fitted(net, source, out, *task(), epochs=200, until=lambda status: status.accuracy > 0.9)
    assert 1 < len(history) < 200
    assert history.accuracy[-1] > 0.9 >= history.accuracy[-2]


def test_what_was_learned_stays_after_interruption():
    net, source, out = network()
    before = net.projections["first"].get("weight")

    def interrupt(status):
        if status.epoch == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fitted(net, source, out, *task(), progress=interrupt)
    assert (net.projections["first"].get("weight") != before).any()


class Broken(train.TimeToFirstSpike):
    """NaN from the third mini-batch on."""

    calls = 0

    def __call__(self, readout, targets):
        values, errors = super().__call__(readout, targets)
        Broken.calls += 1
        return (values if Broken.calls < 3 else values * np.nan), errors


def test_a_loss_that_is_no_number_is_refused_and_leaves_the_network():
    net, source, out = network()
    before = net.projections["first"].get("weight")
    refused("take a smaller learning_rate", fitted, net, source, out, *task(), Broken())
    np.testing.assert_array_equal(net.projections["first"].get("weight"), before)


def test_spikes_without_end_are_refused():
    net, source, out = network(t_ref=0.0)
    for projection in net.projections.values():
        projection.set(weight=1e150)
    refused("more than 2,000,000 spikes; take smaller weights", fitted, net, source, out, *task(4))


def test_learning_curves_are_drawn(tmp_path):
    net, source, out = network()
    history = fitted(net, source, out, *task(40), epochs=3, validation=task(40, seed=2))
    losses, errors = history.plot().axes
    drawn = [line.get_ydata() for line in (*losses.lines, *errors.lines)]
    expected = [history.loss, history.validation_loss, 1.0 - history.accuracy, 1.0 - history.validation_accuracy]
    for found, column, factor in zip(drawn, expected, (1.0, 1.0, 100.0, 100.0), strict=True):
        np.testing.assert_allclose(found, factor * column)


# ---- bad input


def test_bad_arguments_are_refused_in_a_sentence():
    net, source, out = network()
    X, y = task(20)

    def bad(text, **options):
        arguments = {"X": X, "y": y, "loss": train.TimeToFirstSpike(), "inputs": source, "outputs": out,
                     "duration": 50.0} | options  # fmt: skip
        refused(text, train.fit, net, arguments.pop("X"), arguments.pop("y"), **arguments)

    bad("target 2 of sample 0 must be a whole number from 0 to 1", y=np.full(20, 2))
    bad("must have shape (20,)", y=y[:5])
    bad("must have the shape (samples, 3)", X=X[:, :2])
    bad("to the end of a sample, 10 ms", duration=10.0)
    bad("there are no samples", X=X[:0], y=y[:0])
    bad("inputs must be neurons of a SpikeSource", inputs=out)
    bad("outputs must be LIFExp neurons", outputs=source)
    bad("outputs = [] must be neurons", outputs=[])
    bad("each of them once", outputs=[out, out])
    bad("inputs= is missing", inputs=None)
    bad("duration= is missing", duration=None)
    bad("'weights' cannot be learned; did you mean 'weight'?", learn="weights")
    bad("learn is empty", learn=())
    bad("must be a Loss", loss="cross entropy")
    bad("epochs", epochs=0)
    bad("batch_size", batch_size=0)
    bad("pull", pull=-1.0)
    bad("validation must be a pair", validation=X)
    bad("progress", progress="yes")
    bad("is no projection of the network", projections=["first"])
    bad("belongs to another network", outputs=network()[2])
    bad("optimizer", optimizer="Adam")
    bad("threads", threads=0)
    bad("seed", seed=-1)


def test_a_trainable_brings_its_options():
    net, source, out = network()
    model = train.Trainable(net, source, out, 50.0)
    X, y = task(20)
    for name, value in {"inputs": source, "duration": 50.0, "learn": "delay", "threads": 2, "least_slope": 0.1}.items():
        refused(f"has its {name} already", train.fit, model, X, y, loss=train.TimeToFirstSpike(), **{name: value})
    assert len(train.fit(model, X, y, loss=train.TimeToFirstSpike(), epochs=2)) == 2


def test_networks_without_gradients_are_refused_in_a_sentence():
    def bad(text, change):
        net, source, out = network()
        given = change(net) or {}
        X, y = task(20)
        refused(text, fitted, net, source, given.get("out", out), X, y)

    bad("stimulus", lambda net: net.stimulate(net.populations["out"], esn.Poisson(100.0), weight=1.0) and None)
    bad("is a Izhikevich, whose spike times have no gradient", lambda net: {"out": net.population(2, esn.Izhikevich())})
    bad(
        "with a delay of 0 ms",
        lambda net: (
            net.connect(net.populations["out"], net.populations["out"], esn.AllToAll(), weight=1.0, delay=0.0) and None
        ),
    )
    bad(
        "is plastic",
        lambda net: net.connect(
            net.populations["source"], net.populations["out"], esn.AllToAll(), weight=1.0, delay=1.0,
            plasticity=esn.STDP(w_max=2.0),
        )
        and None,
    )  # fmt: skip
    bad("is not below V_th", lambda net: net.populations["out"].set(V_m=1.0))
    bad("at most two", lambda net: net.population(1, esn.LIFExp(ports=("a", "b", "c"))) and None)
    net, source, out = network()
    net.run(1.0)
    with pytest.raises(esn.StateError, match="after the first run"):
        fitted(net, source, out, *task(20))
