"""Losses: values solved by hand, derivatives by central differences, predictions, every refusal, huge spike times."""

import math
import re
from dataclasses import replace

import numpy as np
import pytest

from eventsnn.base.errors import InputError
from eventsnn.train.losses import (
    IntegratedVoltage,
    Loss,
    MaxVoltage,
    SoftSpikeCount,
    SpikeTime,
    TimeToFirstSpike,
    require_finite,
)
from eventsnn.train.readout import Errors, Readout

DURATION = 20.0
LABELLED = [
    TimeToFirstSpike(), TimeToFirstSpike(tau0=3.0, alpha=0.0, reduction="sum"), MaxVoltage(), MaxVoltage(2.0, "sum"),
    IntegratedVoltage(50.0), IntegratedVoltage(20.0, "sum"), SoftSpikeCount(), SoftSpikeCount(0.3, "sum"),
]  # fmt: skip
LOSSES = [*LABELLED, SpikeTime(), SpikeTime("mean")]
CLASSES = [TimeToFirstSpike, MaxVoltage, IntegratedVoltage, SoftSpikeCount]


def readout_of(trains, duration=DURATION, v_max=None, v_integral=None):
    """The Readout of spike times, a list of lists for each sample."""
    spikes = [(i, j, t) for i, sample in enumerate(trains) for j, times in enumerate(sample) for t in times]
    shape = len(trains), len(trains[0])
    first = np.array([[min(times, default=math.inf) for times in sample] for sample in trains])
    columns = (
        np.array([spike[k] for spike in spikes], dtype=kind) for k, kind in enumerate((np.int64, np.int64, np.float64))
    )
    none = np.full(shape, np.nan)
    return Readout(first, *columns, none if v_max is None else np.array(v_max), np.array(v_integral), duration)


def of_voltages(values):
    """A Readout of neurons without spikes whose largest and integrated voltages are these."""
    return readout_of([[[]] * len(row) for row in values], v_max=values, v_integral=values)


def random_readout(rng, samples=6, outputs=4):
    """Outputs of 0 to 3 spikes; one sample is silent, in another the spikes of two neurons are close to each other."""
    trains = [
        [np.sort(rng.uniform(1.0, 19.0, rng.integers(4))).tolist() for _ in range(outputs)] for _ in range(samples)
    ]
    trains[1] = [[] for _ in range(outputs)]
    trains[2][:2] = [[7.0], [7.001]]
    shape = samples, outputs
    return readout_of(trains, v_max=rng.normal(0.0, 5.0, shape), v_integral=rng.normal(0.0, 100.0, shape))


def targets_for(loss, rng, samples=6, outputs=4):
    if not isinstance(loss, SpikeTime):
        return rng.integers(outputs, size=samples)
    targets = rng.uniform(0.0, 20.0, (samples, outputs))
    targets[rng.random(targets.shape) < 0.3] = np.nan
    return targets


# ---- derivatives


def total(loss, readout, targets):
    values, _ = loss(readout, targets)
    assert values.shape == (len(readout.first),)
    return values.sum() if loss.reduction == "sum" else values.mean()


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("loss", LOSSES, ids=repr)
def test_derivatives_are_those_of_the_loss(loss, seed):
    rng = np.random.default_rng(seed)
    readout = random_readout(rng)
    targets = targets_for(loss, rng)
    _, errors = loss(readout, targets)
    names = {"first": "first", "spikes": "time", "v_max": "v_max", "v_integral": "v_integral"}
    assert sum(getattr(errors, name) is not None for name in names) == 1  # each loss looks at one thing
    for name, field in names.items():
        values, derivative = getattr(readout, field), getattr(errors, name)
        step = 1e-5
        for place in np.argwhere(np.isfinite(values)):
            moved = []
            for sign in (1.0, -1.0):
                changed = values.copy()
                changed[tuple(place)] += sign * step
                moved.append(total(loss, replace(readout, **{field: changed}), targets))
            expected = (moved[0] - moved[1]) / (2.0 * step)
            given = 0.0 if derivative is None else derivative[tuple(place)]
            assert given == pytest.approx(expected, rel=1e-6, abs=1e-8)
        if derivative is not None:
            assert derivative.shape == values.shape
            assert (derivative[np.isinf(values)] == 0.0).all()  # of spikes that are not there


@pytest.mark.parametrize("loss", LOSSES, ids=repr)
def test_readout_and_targets_stay_as_they_are(loss):
    rng = np.random.default_rng(1)
    readout = random_readout(rng)
    targets = targets_for(loss, rng)
    before = {name: np.copy(value) for name, value in vars(readout).items()} | {"targets": targets.copy()}
    loss(readout, targets)
    loss.predict(readout)
    for name, value in (vars(readout) | {"targets": targets}).items():
        np.testing.assert_array_equal(value, before[name])


@pytest.mark.parametrize("loss", LABELLED, ids=repr)
def test_the_mean_is_the_sum_over_the_samples(loss):
    rng = np.random.default_rng(2)
    readout = random_readout(rng)
    targets = targets_for(loss, rng)
    (mean, of_mean), (every, of_sum) = (replace(loss, reduction=how)(readout, targets) for how in ("mean", "sum"))
    np.testing.assert_array_equal(mean, every)
    for one, other in zip(vars(of_mean).values(), vars(of_sum).values(), strict=True):
        assert (one is None) == (other is None)
        if one is not None:
            np.testing.assert_allclose(6.0 * one, other, rtol=1e-13)


# ---- values by hand


def test_spike_time_by_hand():
    readout = readout_of([[[3.0, 9.0], [10.0], []], [[4.0], [], []]])
    targets = np.array([[5.0, 10.0, 14.0], [np.nan, np.nan, np.nan]])
    values, errors = SpikeTime()(readout, targets)
    assert values.tolist() == [0.5 * (4.0 + 0.0 + 36.0), 0.0]  # the silent one as at 20 ms
    assert errors.first.tolist() == [[-2.0, 0.0, 0.0], [0.0, 0.0, 0.0]]
    assert SpikeTime("mean")(readout, targets)[1].first.tolist() == [[-1.0, 0.0, 0.0], [0.0, 0.0, 0.0]]


def test_time_to_first_spike_by_hand():
    # Two spikes tau0 ln 3 apart: softmax is 3/4 and 1/4; tau1 = 5 / ln 2 makes exp(5 / tau1) 2.
    readout = readout_of([[[5.0, 6.0], [5.0 + 0.5 * math.log(3.0)], []]] * 2)
    loss = TimeToFirstSpike(tau0=0.5, tau1=5.0 / math.log(2.0), alpha=0.1, reduction="sum")
    values, errors = loss(readout, np.array([0, 1]))
    growth = 2.0 * 2.0 ** (0.1 * math.log(3.0))
    assert values == pytest.approx([-math.log(0.75) + 0.1, -math.log(0.25) + 0.1 * (growth - 1.0)], rel=1e-14)
    late = 0.1 * math.log(2.0) / 5.0
    expected = [[0.5 + 2.0 * late, -0.5, 0.0], [-1.5, 1.5 + growth * late, 0.0]]
    assert errors.first == pytest.approx(np.array(expected), rel=1e-13)


def test_a_silent_label_counts_as_at_the_end_and_others_are_pushed_later():
    tau1 = 6.4
    for alpha in (0.0, 0.003):
        loss = TimeToFirstSpike(alpha=alpha, tau1=tau1)
        silent = readout_of([[[], [DURATION - 0.5 * math.log(3.0)], []]])
        values, errors = loss(silent, np.array([0]))
        assert values == pytest.approx([math.log(4.0) + alpha * math.expm1(DURATION / tau1)], rel=1e-12)
        assert errors.first == pytest.approx(np.array([[0.0, -1.5, 0.0]]), rel=1e-12)  # descent makes t_1 larger
        at_the_end = replace(silent, first=np.where(np.isinf(silent.first), [[DURATION, 0.0, np.inf]], silent.first))
        assert loss(at_the_end, np.array([0]))[0] == values


def test_all_silent():
    readout = readout_of([[[], [], []]])
    values, errors = TimeToFirstSpike(alpha=0.0)(readout, np.array([2]))
    assert values.tolist() == [0.0] and errors.first.tolist() == [[0.0, 0.0, 0.0]]
    values, errors = SoftSpikeCount()(readout, np.array([2]))
    assert values == pytest.approx([math.log(3.0)]) and errors.spikes.shape == (0,)
    assert SpikeTime()(readout, np.array([[20.0, 18.0, np.nan]]))[0].tolist() == [2.0]


@pytest.mark.parametrize("loss", [MaxVoltage(4.0), IntegratedVoltage(4.0)], ids=repr)
def test_voltages_by_hand(loss):
    readout = of_voltages([[1.0, 1.0 + 4.0 * math.log(3.0)], [-7.0, -7.0]])
    values, errors = loss(readout, np.array([1, 0]))
    assert values == pytest.approx([math.log(4.0 / 3.0), math.log(2.0)], rel=1e-14)
    assert (errors.v_max is not None) == isinstance(loss, MaxVoltage)
    (given,) = [error for error in vars(errors).values() if error is not None]
    assert given == pytest.approx(np.array([[0.03125, -0.03125], [-0.0625, 0.0625]]), rel=1e-13)


def test_soft_spike_count_by_hand():
    # c = 0.75 + 0.25 and 0.5 + 0.5: equal. A spike at the very end counts nothing.
    values, errors = SoftSpikeCount(2.0)(readout_of([[[5.0, 15.0], [10.0, 10.0, 20.0]]]), np.array([1]))
    assert values == pytest.approx([math.log(2.0)], rel=1e-14)
    each = 0.5 / 2.0 / 20.0
    assert errors.spikes == pytest.approx([-each, -each, each, each, each], rel=1e-14)


def test_counts():
    readout = readout_of([[[5.0, 15.0], [], [1.0]], [[], [], [3.0, 4.0, 5.0]]])
    assert readout.counts().tolist() == [[2, 0, 1], [0, 0, 3]] and readout.counts().dtype == np.int64
    assert readout_of([[[], []]]).counts().tolist() == [[0, 0]]
    assert readout.summed(readout.time).tolist() == [[20.0, 0.0, 1.0], [0.0, 0.0, 12.0]]


# ---- predictions


@pytest.mark.parametrize("loss", [SpikeTime(), TimeToFirstSpike()], ids=repr)
def test_the_earliest_is_predicted(loss):
    trains = [[[5.0], [4.0, 6.0], []], [[], [], [19.0]], [[7.0], [3.0], [3.0]], [[], [], []]]
    assert loss.predict(readout_of(trains)).tolist() == [1, 2, 1, -1]


def test_the_largest_soft_count_is_predicted():
    trains = [[[5.0], [1.0], []], [[19.0, 19.5], [10.0], []], [[], [4.0, 16.0], [10.0, 10.0]], [[], [], []]]
    assert SoftSpikeCount().predict(readout_of(trains)).tolist() == [1, 1, 1, -1]
    assert SoftSpikeCount().predict(readout_of([[[], [20.0]]])).tolist() == [0]  # it spikes, but counts nothing


@pytest.mark.parametrize("loss", [MaxVoltage(), IntegratedVoltage()], ids=repr)
def test_the_largest_voltage_is_predicted(loss):
    assert loss.predict(of_voltages([[1.0, 3.0, 2.0], [-1.0, -2.0, -1.0]])).tolist() == [1, 0]


@pytest.mark.parametrize("loss", LABELLED, ids=repr)
def test_the_prediction_is_the_label_with_the_least_loss(loss):
    rng = np.random.default_rng(3)
    readout = random_readout(rng)
    if isinstance(loss, TimeToFirstSpike):
        loss = replace(loss, alpha=0.0)
    values = np.array([loss(readout, np.full(6, label))[0] for label in range(4)])
    active = np.isfinite(readout.first).any(axis=1) | isinstance(loss, MaxVoltage | IntegratedVoltage)
    assert loss.predict(readout)[active].tolist() == values.argmin(axis=0)[active].tolist()


# ---- numbers of any size


def test_huge_times_neither_overflow_nor_vanish():
    late = readout_of([[[9_999.0], [1e4], []], [[1.0], [1e4], []], [[], [1e4], [0.0]]], duration=1e4)
    labels = np.array([1, 1, 0])
    with np.errstate(all="raise", under="ignore"):
        values, errors = TimeToFirstSpike(alpha=0.0)(late, labels)
        assert values == pytest.approx([2.0 + math.log1p(math.exp(-2.0)), 19_998.0, 20_000.0], rel=1e-14)
        p = 1.0 / (1.0 + math.exp(-2.0))
        expected = [[-2.0 * p, 2.0 * p, 0.0], [-2.0, 2.0, 0.0], [0.0, 0.0, -2.0]]
        assert errors.first == pytest.approx(np.array(expected) / 3.0, rel=1e-13, abs=1e-30)
        values, errors = TimeToFirstSpike(tau1=1e4 / 300.0)(late, labels)  # the most that is let through
        assert np.isfinite(values).all() and np.isfinite(np.square(errors.first)).all()
        for loss in (SoftSpikeCount(1e-3), SpikeTime()):
            targets = labels if isinstance(loss, SoftSpikeCount) else np.zeros((3, 3))
            assert np.isfinite(loss(late, targets)[0]).all()
        for loss in (MaxVoltage(1e-3), IntegratedVoltage(1e-3)):
            values, _ = loss(of_voltages([[-1e4, 1e4]] * 2), np.array([0, 1]))
            assert values.tolist() == [2e7, 0.0]


def test_tau1_too_short_for_the_sample():
    sentence = (
        "TimeToFirstSpike: tau1 = 6.4 ms is too short for samples of 10000 ms, where exp(t / tau1) overflows; take one "
        "of at least 33.3333 ms, or alpha=0"
    )
    with pytest.raises(InputError, match=re.escape(sentence)):
        TimeToFirstSpike()(readout_of([[[5.0]]], duration=1e4), np.array([0]))


# ---- bad input


@pytest.mark.parametrize("loss", LABELLED, ids=repr)
@pytest.mark.parametrize(
    ("targets", "sentence"),
    [
        ([0, 1, 3], "target 3 of sample 2 must be a whole number from 0 to 2, the number of an output neuron"),
        ([0, -1, 3], "target -1 of sample 1 must be a whole number from 0 to 2"),
        ([0.5, 1.0, 2.0], "target 0.5 of sample 0 must be a whole number from 0 to 2"),
        ([0, np.nan, 1], "target nan of sample 1 must be a whole number from 0 to 2"),
        ([0, 1, np.inf], "target inf of sample 2 must be a whole number from 0 to 2"),
        ([0, 1], "targets of shape (2,) must have shape (3,), a label for each sample"),
        (1, "targets of shape () must have shape (3,), a label for each sample"),
        (np.eye(3), "targets of shape (3, 3) must have shape (3,), a label for each sample; of one-hot targets take"),
        (["a", "b", "c"], "targets = ['a', 'b', 'c'] must be labels, a whole number for each sample"),
        ([True, False, True], "targets = [True, False, True] must be labels, a whole number for each sample"),
        (None, "targets = None must be labels, a whole number for each sample"),
        ([[0], [1, 2]], "targets = [[0], [1, 2]] must be labels, a whole number for each sample"),
        (np.ma.array([0, 1, 2], mask=[0, 0, 1]), "targets is a masked array"),
    ],
)
def test_bad_labels(loss, targets, sentence):
    with pytest.raises(InputError, match=re.escape(f"{type(loss).__name__}: {sentence}")):
        loss.check(targets, 3, 3)


@pytest.mark.parametrize("loss", LABELLED, ids=repr)
def test_good_labels(loss):
    for targets in ([0, 2, 1], np.array([0.0, 2.0, 1.0]), np.array([0, 2, 1], dtype=np.uint8)):
        labels = loss.check(targets, 3, 3)
        assert labels.dtype == np.int64 and labels.tolist() == [0, 2, 1]


@pytest.mark.parametrize(
    ("targets", "sentence"),
    [
        ([[1.0, -0.5]], "SpikeTime: target -0.5 ms of sample 0, output neuron 1, must be a finite time of at least 0"),
        ([[np.inf, 1.0]], "SpikeTime: target inf ms of sample 0, output neuron 0, must be a finite time of at least 0"),
        ([1.0, 2.0], "SpikeTime: targets of shape (2,) must have shape (1, 2), a time in ms for each sample and"),
        ([["1", "2"]], "SpikeTime: targets = [['1', '2']] must be times in ms, NaN where a neuron has no target"),
    ],
)
def test_bad_times(targets, sentence):
    with pytest.raises(InputError, match=re.escape(sentence)):
        SpikeTime().check(targets, 1, 2)


def test_good_times():
    times = SpikeTime().check([[1, np.nan], [0, 3]], 2, 2)
    assert times.dtype == np.float64
    np.testing.assert_array_equal(times, [[1.0, np.nan], [0.0, 3.0]])


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: TimeToFirstSpike(tau0=0.0), "TimeToFirstSpike: tau0 = 0.0 must be a finite number above 0"),
        (lambda: TimeToFirstSpike(tau1=-1.0), "TimeToFirstSpike: tau1 = -1.0 must be a finite number above 0"),
        (lambda: TimeToFirstSpike(tau1=np.inf), "TimeToFirstSpike: tau1 = inf must be a finite number above 0"),
        (lambda: TimeToFirstSpike(alpha=-1e-3), "TimeToFirstSpike: alpha = -0.001 must be a finite number of at least"),
        (lambda: TimeToFirstSpike(alpha=np.nan), "TimeToFirstSpike: alpha = nan must be a finite number of at least 0"),
        (lambda: MaxVoltage(0), "MaxVoltage: scale = 0 must be a finite number above 0"),
        (lambda: MaxVoltage("1"), "MaxVoltage: scale = '1' must be a finite number above 0"),
        (lambda: IntegratedVoltage(np.nan), "IntegratedVoltage: scale = nan must be a finite number above 0"),
        (lambda: SoftSpikeCount([1.0]), "SoftSpikeCount: scale = [1.0] must be a finite number above 0"),
        (lambda: SpikeTime("max"), "SpikeTime: reduction = 'max' is not known; known are mean, sum"),
        (lambda: SpikeTime(None), "SpikeTime: reduction = None is not known"),
        *[
            (lambda kind=kind: kind(reduction="means"), f"{kind.__name__}: reduction = 'means' is not known; did you")
            for kind in CLASSES
        ],
    ],
)
def test_bad_parameters(make, sentence):
    with pytest.raises(InputError, match=re.escape(sentence)):
        make()


def test_parameters_become_floats():
    loss = TimeToFirstSpike(tau0=np.int64(1), tau1=5, alpha=0)
    assert [type(value) for value in (loss.tau0, loss.tau1, loss.alpha)] == [float] * 3


def test_outputs_that_can_spike_have_no_largest_voltage():
    readout = of_voltages([[1.0, np.nan], [2.0, np.nan]])
    sentence = "MaxVoltage: output neuron 1 can spike, so that its largest voltage is that of the threshold; give all"
    for call in (lambda: MaxVoltage()(readout, np.array([0, 0])), lambda: MaxVoltage().predict(readout)):
        with pytest.raises(InputError, match=re.escape(sentence)):
            call()


@pytest.mark.parametrize("loss", [MaxVoltage(), IntegratedVoltage()], ids=repr)
def test_voltages_that_are_not_finite(loss):
    readout = of_voltages([[1.0, 2.0], [np.inf, 3.0]])
    sentence = (
        f"{type(loss).__name__}: the voltage of output neuron 0 in sample 1 of the mini-batch is inf; the weights have "
        "grown beyond bounds: take a smaller learning_rate or smaller initial weights"
    )
    for call in (lambda: loss(readout, np.array([0, 0])), lambda: loss.predict(readout)):
        with pytest.raises(InputError, match=re.escape(sentence)):
            call()
    with pytest.raises(InputError, match=f"{type(loss).__name__}: "):
        loss(of_voltages([[np.nan, 1.0]]), np.array([0]))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_loss_that_is_not_finite_is_refused(value):
    require_finite(np.array([0.0, 1e300]), SpikeTime())
    sentence = (
        f"SpikeTime: the loss of sample 1 of the mini-batch is {value:g}; the weights have grown beyond bounds: take a "
        "smaller learning_rate or smaller initial weights"
    )
    with pytest.raises(InputError, match=re.escape(sentence)):
        require_finite(np.array([0.0, value, np.nan]), SpikeTime())


# ---- a loss of one's own


class FewSpikes(Loss):
    """What a user may write: the number of spikes, to first order."""

    def __call__(self, readout, targets):
        values = readout.counts().sum(axis=1).astype(float)
        return values, Errors()

    def predict(self, readout):
        return readout.counts().argmax(axis=1)

    def check(self, targets, samples, outputs):
        return np.zeros(samples)


def test_a_loss_of_ones_own():
    loss = FewSpikes()
    assert loss.reduction == "mean"
    values, errors = loss(readout_of([[[1.0, 2.0], [3.0]]]), loss.check(None, 1, 2))
    assert values.tolist() == [3.0] and set(vars(errors).values()) == {None}
    with pytest.raises(TypeError):
        Loss()
