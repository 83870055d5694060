"""fit: from a network and examples to a trained network."""

from __future__ import annotations

import inspect
import reprlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from eventsnn.base.arrays import Bools, Floats, Ints
from eventsnn.base.checks import flag, number, takes_one, whole
from eventsnn.base.errors import InputError
from eventsnn.describe.parts import Neurons, Projection
from eventsnn.network import Network
from eventsnn.results.trains import Trains
from eventsnn.train.history import EpochStatus, History
from eventsnn.train.losses import Loss, require_finite
from eventsnn.train.optimizers import Adam, Optimizer
from eventsnn.train.progress import EpochBar
from eventsnn.train.readout import Readout
from eventsnn.train.samples import Samples
from eventsnn.train.trainable import Trainable

# Samples that are run at a time where nothing is learned.
EVALUATED = 64

Batch: TypeAlias = "tuple[Samples, NDArray[Any]]"


def fit(
    network: Network | Trainable,
    X: Trains | ArrayLike | Samples | Callable[[int], Any],
    y: ArrayLike,
    *,
    loss: Loss,
    inputs: Neurons | Sequence[Neurons] | None = None,
    outputs: Neurons | Sequence[Neurons] | None = None,
    duration: float | None = None,
    optimizer: Optimizer | None = None,
    epochs: int = 10,
    batch_size: int = 32,
    learn: str | Sequence[str] | Mapping[str, float] = ("weight",),
    projections: Sequence[Projection] | None = None,
    validation: tuple[Any, Any] | None = None,
    patience: int | None = None,
    until: Callable[[EpochStatus], bool] | None = None,
    pull: float = 10.0,
    grow: float = 0.0,
    least_slope: float = 0.0,
    keep_signs: bool = False,
    shuffle: bool = True,
    seed: int = 0,
    threads: int = 1,
    progress: bool | Callable[[EpochStatus], None] = False,
) -> History:
    """Train a network on examples with exact gradients, and let it have what it has learned.

    network: see Trainable, which has inputs, outputs, duration, learn, projections, least_slope and threads; or a
    Trainable, which has these already.
    X: Trains with a channel for each input neuron, or an array (samples, inputs) of spike times (ms), NaN for none; or
    a function of the epoch, from 0, that returns such inputs, as many each time, to learn from other versions of them.
    y: targets, (samples,) labels or what the loss needs. loss: one of eventsnn.train, or of one's own.
    optimizer: Adam(0.001) unless given. batch_size: samples for each step of it, drawn without repetition in an order
    that follows from `seed`, unless shuffle=False.
    validation: (X, y) that are not learned from. patience: training ends after so many epochs without a smaller loss of
    the validation (without it, of the training), and the network has the parameters of the best one.
    until: a function of EpochStatus; training ends as soon as it returns True. If all samples are one mini-batch and
    there is no validation, the network has the parameters of which the status tells, those before the last step.
    pull, grow: a silent neuron has no spike time, and so no gradient, and would stay silent for ever. An output neuron
    that should have fired and did not adds pull (1 - V_max / V_th) to the loss of its sample, V_max its highest
    potential and both counted from E_L, whose gradient is exact too. After each step the learned weights onto other
    neurons that did not fire in any sample of the mini-batch grow by `grow` (pA). 0: silent neurons are left alone.
    keep_signs: weights end at 0 where they would change their sign.
    threads: changes no bit.

    Raises InputError for what does not fit, for a loss that is no number, and for a gradient that is none; the network
    is as it was then.
    """
    model = _trainable(network, inputs, outputs, duration, learn, projections, least_slope, threads)
    if optimizer is not None and not isinstance(optimizer, Optimizer):
        raise InputError(f"fit: optimizer = {optimizer!r} must be an Optimizer, such as Adam(0.001)")
    if until is not None and not takes_one(until):
        raise InputError(f"fit: until = {until!r} must be a function of EpochStatus")
    seed = whole(seed, "fit: seed", 0)
    options = _Options(
        loss=loss,
        optimizer=Adam() if optimizer is None else optimizer,
        batch_size=whole(batch_size, "fit: batch_size", 1),
        pull=number(pull, "fit: pull", "a finite number >= 0", 0.0),
        grow=number(grow, "fit: grow", "a finite number >= 0", 0.0, unit="pA"),
    )
    epochs = whole(epochs, "fit: epochs", 1)
    if patience is not None:
        patience = whole(patience, "fit: patience", 1)
    flag(keep_signs, "fit: keep_signs")
    flag(shuffle, "fit: shuffle")
    anew = _function_of_epoch(X)
    samples, targets = _examples(model, X if anew is None else anew(0), y, loss, "fit")
    held_out = None if validation is None else _examples(model, *_pair(validation), loss, "fit: validation")
    model.learned.keep_signs(keep_signs)
    return _train(model, anew, samples, targets, held_out, options, epochs, patience, until, shuffle, seed, progress)


def evaluate(model: Trainable, X: Any, y: ArrayLike, loss: Loss) -> tuple[float, float]:
    """The mean loss of examples, and the share of them whose label is predicted (NaN if targets are no labels)."""
    samples, targets = _examples(model, X, y, loss, "evaluate")
    return _evaluate(model, samples, targets, loss)


def predict(model: Trainable, X: Trains | ArrayLike | Samples, loss: Loss) -> Ints:
    """The label of each sample, as the loss reads it from the output neurons; -1 where none gave an answer."""
    _require_model(model, loss, "predict")
    samples = model.samples(X)
    labels = [
        loss.predict(model.forward(samples.pick(part), all_spikes=loss.all_spikes))
        for part in _parts(np.arange(len(samples)), EVALUATED)
    ]
    return np.concatenate([np.empty(0, dtype=np.int64), *labels])


@dataclass(frozen=True)
class _Options:
    loss: Loss
    optimizer: Optimizer
    batch_size: int
    pull: float
    grow: float


def _train(
    model: Trainable,
    anew: Callable[[int], Any] | None,
    samples: Samples,
    targets: NDArray[Any],
    held_out: tuple[Samples, NDArray[Any]] | None,
    options: _Options,
    epochs: int,
    patience: int | None,
    until: Callable[[EpochStatus], bool] | None,
    shuffle: bool,
    seed: int,
    progress: bool | Callable[[EpochStatus], None],
) -> History:
    p = model.learned
    options.optimizer.start(p.values.size, 1.0 if (p.scale == 1.0).all() else p.scale)
    random = np.random.default_rng(seed)
    order = np.arange(len(samples))
    batches = _batches(samples, targets, order, options.batch_size)
    rows: list[tuple[float, ...]] = []
    begun, kept, best, least = time.perf_counter(), p.values.copy(), 0, np.inf
    first, before = kept.copy(), kept.copy()
    # With one mini-batch an epoch its loss is that of the values before the step: they are what is judged.
    judges_before = held_out is None and len(batches) == 1
    stopped = False
    try:
        with EpochBar.of(progress) as tell:
            for epoch in range(epochs):
                start = time.perf_counter()
                if anew is not None and epoch > 0:
                    samples = _again(model, anew(epoch), len(samples))
                if shuffle:
                    random.shuffle(order)
                if shuffle or anew is not None:
                    batches = _batches(samples, targets, order, options.batch_size)
                if judges_before:
                    before[:] = p.values
                found = _epoch(model, batches, options)
                options.optimizer.epoch()
                seconds = time.perf_counter() - start
                checked = (np.nan, np.nan) if held_out is None else _evaluate(model, *held_out, options.loss)
                rows.append((*found, *checked, seconds))
                judged = found[0] if held_out is None else checked[0]
                if judged < least:
                    least, best = judged, epoch
                    if patience is not None:
                        kept[:] = before if judges_before else p.values
                status = EpochStatus(epoch + 1, epochs, *found, *checked, time.perf_counter() - begun)
                tell(status)
                stopped = until is not None and until(status)
                if stopped:
                    if judges_before:
                        p.values[:] = before
                    break
                if patience is not None and epoch - best >= patience:
                    break
    except KeyboardInterrupt:  # what was learned until then is kept
        p.put()
        model.write()
        raise
    except BaseException:
        p.values[:] = first
        p.put()
        raise
    if patience is not None and not stopped:
        p.values[:] = kept
    else:
        best = len(rows) - 1
    p.put()
    model.write()
    loss, accuracy, validation_loss, validation_accuracy, seconds = np.array(rows).T
    return History(loss, accuracy, validation_loss, validation_accuracy, seconds, best)


def _function_of_epoch(X: Any) -> Callable[[int], Any] | None:
    """X if it is a function of a user's; types and functions of Python are none that returns inputs."""
    return X if takes_one(X) and not isinstance(X, type) and not inspect.isbuiltin(X) else None


def _again(model: Trainable, X: Any, n: int) -> Samples:
    """Other versions of the samples."""
    samples = model.samples(X)
    if len(samples) != n:
        raise InputError(f"fit: X returned {len(samples)} samples after {n} in the first epoch; as many are needed")
    return samples


def _batches(samples: Samples, targets: NDArray[Any], order: Ints, size: int) -> list[Batch]:
    return [(samples.pick(part), targets[part]) for part in _parts(order, size)]


def _epoch(model: Trainable, batches: Sequence[Batch], options: _Options) -> tuple[float, float]:
    """A step for each mini-batch; the mean loss and accuracy of all samples as they were presented."""
    p, loss = model.learned, options.loss
    total = right = n = 0.0
    labelled = batches[0][1].ndim == 1
    fired = np.zeros(model.wiring.place.size, dtype=np.int64) if options.grow else None
    for samples, targets in batches:
        if fired is not None:
            fired[:] = 0
        readout = model.forward(samples, all_spikes=loss.all_spikes, fired=fired)
        values, errors = loss(readout, targets)
        require_finite(values, loss)
        silent = options.pull and np.isinf(readout.first).any()
        wanted = loss.wanted(targets, model.outputs.size) if silent else None
        if wanted is not None:
            added, slope = _pull(model, readout, wanted, loss, options.pull)
            values = values + added
            errors = errors if slope is None else replace(errors, v_max=slope)
        total += float(values.sum())
        if labelled:
            right += float(np.count_nonzero(loss.predict(readout) == targets))
        options.optimizer.step(p.values, model.backward(errors))
        if fired is not None:
            fired[model.outputs] += 1
            p.grow(fired == 0, options.grow)
        p.put()
        n += len(samples)
    return total / n, right / n if labelled else np.nan


def _pull(model: Trainable, readout: Readout, wanted: Bools, loss: Loss, pull: float) -> tuple[Floats, Floats | None]:
    """What the silence of output neurons that should have fired adds to the loss of each sample, and its derivative by
    their highest V: a share of the threshold that it lacks."""
    missing = wanted & np.isinf(readout.first) & ~model.reads
    which = np.flatnonzero(missing.any(axis=1))
    if not which.size:
        return np.zeros(1), None
    model.retrace(readout, which)
    lacking = np.where(missing, 1.0 - readout.v_max / model.thresholds, 0.0)
    slope = np.where(missing, -pull * loss.share(len(missing)) / model.thresholds, 0.0)
    return pull * lacking.sum(axis=1), slope


def _evaluate(model: Trainable, samples: Samples, targets: NDArray[Any], loss: Loss) -> tuple[float, float]:
    total = right = 0.0
    for which in _parts(np.arange(len(samples)), EVALUATED):
        readout = model.forward(samples.pick(which), all_spikes=loss.all_spikes)
        total += float(loss(readout, targets[which])[0].sum())
        if targets.ndim == 1:
            right += float(np.count_nonzero(loss.predict(readout) == targets[which]))
    n = len(samples)
    return total / n, right / n if targets.ndim == 1 else np.nan


def _parts(order: Ints, size: int) -> list[Ints]:
    return [order[begin : begin + size] for begin in range(0, order.size, size)]


def _trainable(
    network: Network | Trainable,
    inputs: Any,
    outputs: Any,
    duration: Any,
    learn: Any,
    projections: Any,
    least_slope: float,
    threads: int,
) -> Trainable:
    if isinstance(network, Trainable):
        given = {"inputs": (inputs, None), "outputs": (outputs, None), "duration": (duration, None),
                 "learn": (learn, ("weight",)), "projections": (projections, None), "least_slope": (least_slope, 0.0),
                 "threads": (threads, 1)}  # fmt: skip
        for name, (value, default) in given.items():
            if value is not default and value != default:
                raise InputError(f"fit: a Trainable has its {name} already; leave {name}= out")
        network.network.require_unstarted("train")
        return network
    for name, value in (("inputs", inputs), ("outputs", outputs), ("duration", duration)):
        if value is None:
            raise InputError(
                f"fit: {name}= is missing; say which {name} the network has"
                if name != "duration"
                else "fit: duration= is missing; say how long a sample is, in ms"
            )
    return Trainable(
        network,
        inputs,
        outputs,
        duration,
        learn=learn,
        projections=projections,
        least_slope=least_slope,
        threads=threads,
    )


def _examples(model: Trainable, X: Any, y: Any, loss: Loss, what: str) -> tuple[Samples, NDArray[Any]]:
    _require_model(model, loss, what)
    samples = model.samples(X)
    if not len(samples):
        raise InputError(f"{what}: there are no samples; give at least one")
    return samples, loss.check(y, len(samples), model.outputs.size)


def _require_model(model: Any, loss: Any, what: str) -> None:
    if not isinstance(model, Trainable):
        raise InputError(f"{what}: model = {reprlib.repr(model)} must be a Trainable")
    if not isinstance(loss, Loss):
        raise InputError(f"{what}: loss = {reprlib.repr(loss)} must be a Loss, such as TimeToFirstSpike()")


def _pair(validation: Any) -> tuple[Any, Any]:
    if not isinstance(validation, tuple) or len(validation) != 2:
        raise InputError("fit: validation must be a pair (X, y) of inputs and targets")
    return validation
