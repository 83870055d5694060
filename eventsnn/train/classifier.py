"""SpikingClassifier: a spiking network that is trained and asked as the classifiers of scikit-learn are."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from eventsnn.base.arrays import Floats
from eventsnn.base.checks import number, whole
from eventsnn.base.errors import InputError
from eventsnn.describe.parts import Population
from eventsnn.describe.rules.pairs import AllToAll
from eventsnn.describe.spike_source import SpikeSource
from eventsnn.models.lif import LIFExp
from eventsnn.network import Network
from eventsnn.train.fit import EVALUATED, fit
from eventsnn.train.history import History
from eventsnn.train.losses import TimeToFirstSpike
from eventsnn.train.optimizers import Adam
from eventsnn.train.trainable import Trainable

try:
    from sklearn.base import BaseEstimator, ClassifierMixin
    from sklearn.model_selection import train_test_split
    from sklearn.utils.multiclass import check_classification_targets
    from sklearn.utils.validation import check_is_fitted, validate_data
except ImportError as error:
    raise ImportError(
        f'SpikingClassifier needs scikit-learn 1.6 or newer ({error}); pip install "eventsnn[data]" brings it'
    ) from None

# ms, of neurons and synapses. With equal time constants a spike has its full effect after TAU, and inputs from 0 to
# LATEST all count: in validation runs on scikit-learn's digits 20 ms were better than 5 and 10.
TAU, LATEST = 20.0, 20.0
DURATION = 100.0  # ms: 5 TAU, after which nothing of the inputs is left
# The mean of the highest potentials of a layer at first, as they would be without a threshold, in thresholds: hidden
# neurons fire in most samples, and outputs in nearly all: one that is silent has no spike that a gradient could move.
HIDDEN_REACH, OUTPUT_REACH = 1.5, 3.0
SPREAD = 1.0  # of the first weights, standard deviation by mean
CALIBRATED = 64  # samples by which the first weights are scaled
PULL = 10.0


class SpikingClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A feedforward spiking network, trained with exact gradients, whose first output spike names the class.

    Each feature is scaled to 0 <= x <= 1 over the training data; what lies outside of it later on counts as 0 or 1, and
    a feature that is constant there as 0. It becomes two spikes, at 20 ms (1 - x) and 20 ms x, of two input neurons;
    one more, the bias, spikes at 0. Layers of LIFExp neurons follow, each connected to all of the one before. The
    last one has a neuron for each class.

        L = TimeToFirstSpike(tau0),    p_k = exp(-t_k / tau0) / sum_j exp(-t_j / tau0)

    is the loss and the probability of class k, t_k the first spike of output neuron k; a silent one counts as if it had
    spiked at the end of the sample, 100 ms.

    hidden: neurons of each hidden layer, a tuple, or a number for one layer; () for none.
    epochs, batch_size, learning_rate: of training with Adam, whose learning rate falls to 0 along a half cosine (after
    Loshchilov & Hutter 2017). batch_size=None: a tenth of the samples, but 32 at most.
    tau0 (ms): how far apart spikes must be to tell classes from each other.
    patience: training ends after so many epochs without a smaller loss of the samples that are held out for this, a
    share `validation_fraction` of each class, and the best epoch counts; None: all samples are learned from.
    seed: of the first weights, the order of samples and those held out; the same seed gives the same classifier.
    threads: samples run side by side; it changes no bit. verbose: whether a bar shows how training goes.

    The first weights are drawn from N(m, m), and scaled in each layer such that the highest potential, as it would be
    without a threshold, is on average 1.5 thresholds in hidden layers and 3 in the last (after Mishkin & Matas 2016).

    Attributes after `fit`: classes_; n_features_in_, and feature_names_in_ where X has names; coefs_, the weights (pA)
    of each layer, the first with rows for x, 1 - x and the bias; history_, see `History`; network_, the trained
    Network, which runs in the ordinary engine: its population "inputs" takes the times of `encode`, "outputs" answers.

    Raises InputError for parameters out of range, and what scikit-learn raises for data that do not fit. It can be
    cloned and pickled, and be a part of pipelines and of searches for parameters.

    Sources: Wunderlich & Pehle 2021, Sci Rep 11:12829; Goeltz et al. 2021, Nat Mach Intell 3:823; two spikes a feature
    and a bias: Kriener, Goeltz & Petrovici 2022, NICE, arXiv:2102.08211; the scale of weights: Mishkin & Matas 2016,
    ICLR, arXiv:1511.06422; the falling learning rate: Loshchilov & Hutter 2017, ICLR, arXiv:1608.03983.
    """

    def __init__(
        self,
        hidden: int | Sequence[int] = (100,),
        epochs: int = 50,
        *,
        batch_size: int | None = None,
        learning_rate: float = 0.1,
        tau0: float = 0.5,
        validation_fraction: float = 0.1,
        patience: int | None = None,
        threads: int = 1,
        verbose: bool = False,
        seed: int = 0,
    ):
        self.hidden = hidden
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.tau0 = tau0
        self.validation_fraction = validation_fraction
        self.patience = patience
        self.threads = threads
        self.verbose = verbose
        self.seed = seed

    def fit(self, X: ArrayLike, y: ArrayLike) -> SpikingClassifier:
        """Learn from samples X (samples, features) and their classes y (samples,)."""
        hidden = self._hidden()
        loss = TimeToFirstSpike(tau0=self.tau0)
        optimizer = self._optimizer()
        random = np.random.default_rng(whole(self.seed, "SpikingClassifier: seed", 0))
        features, classes = validate_data(self, X, y, dtype=np.float64)
        check_classification_targets(classes)
        self.classes_, labels = np.unique(classes, return_inverse=True)
        self._low = features.min(axis=0)
        span = features.max(axis=0) - self._low
        self._span = np.where(span > 0.0, span, 1.0)
        times = self._times(features)
        held_out = None
        if self.patience is not None:
            times, held_out, labels, held_labels = self._split(times, labels)
            held_out = held_out, held_labels
        sizes = [times.shape[1], *hidden, self.classes_.size]
        known = times[random.permutation(len(times))[:CALIBRATED]]
        network, source, outputs = _network(_first_weights(sizes, known, random))
        self.history_: History = fit(
            network,
            times,
            labels,
            loss=loss,
            inputs=source,
            outputs=outputs,
            duration=DURATION,
            optimizer=optimizer,
            epochs=self.epochs,
            batch_size=max(1, min(32, len(times) // 10)) if self.batch_size is None else self.batch_size,
            validation=held_out,
            patience=self.patience,
            pull=PULL,
            seed=self.seed,
            threads=self.threads,
            progress=self.verbose,
        )
        self.network_ = network
        self.coefs_ = [
            projection.get("weight").reshape(shape)
            for projection, shape in zip(network.projections.values(), zip(sizes, sizes[1:], strict=False), strict=True)
        ]
        self._model = self._asked()
        return self

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """The class of each sample: that of the output neuron that spikes first."""
        first = self._first(X)
        return np.asarray(self.classes_[np.argmin(first, axis=1)])

    def predict_proba(self, X: ArrayLike) -> Floats:
        """The probability p of each class, shape (samples, classes)."""
        z = self._first(X) / -self.tau0
        p: Floats = np.exp(z - z.max(axis=1, keepdims=True))
        p /= p.sum(axis=1, keepdims=True)
        return p

    def predict_log_proba(self, X: ArrayLike) -> Floats:
        """The logarithm of the probability of each class, shape (samples, classes)."""
        z = self._first(X) / -self.tau0
        z -= z.max(axis=1, keepdims=True)
        log_p: Floats = z - np.log(np.exp(z).sum(axis=1, keepdims=True))
        return log_p

    def decision_function(self, X: ArrayLike) -> Floats:
        """How early the output of each class spikes, -t / tau0, shape (samples, classes); of two classes by how much
        the second one is earlier than the first, shape (samples,)."""
        z: Floats = self._first(X) / -self.tau0
        return np.asarray(z[:, 1] - z[:, 0]) if self.classes_.size == 2 else z

    def encode(self, X: ArrayLike) -> Floats:
        """The spikes that samples bring to the input neurons (ms): of x, of 1 - x and of the bias, shape (samples, 2
        features + 1)."""
        check_is_fitted(self)
        return self._times(validate_data(self, X, dtype=np.float64, reset=False))

    def first_spikes(self, X: ArrayLike) -> Floats:
        """When each output neuron spikes first (ms), infinite if never, shape (samples, classes)."""
        times = self.encode(X)
        parts = (times[begin : begin + EVALUATED] for begin in range(0, len(times), EVALUATED))
        return np.concatenate([self._model.forward(part, all_spikes=False).first for part in parts])

    def _first(self, X: ArrayLike) -> Floats:
        return np.minimum(self.first_spikes(X), DURATION)

    def _times(self, features: Floats) -> Floats:
        x = np.clip((features - self._low) / self._span, 0.0, 1.0)
        times: Floats = LATEST * np.concatenate([1.0 - x, x, np.zeros((len(x), 1))], axis=1)
        return times

    def _hidden(self) -> list[int]:
        sizes = list(self.hidden) if isinstance(self.hidden, tuple | list) else [self.hidden]
        return [whole(size, "SpikingClassifier: the size of a layer in hidden", 1) for size in sizes]

    def _optimizer(self) -> Adam:
        epochs = whole(self.epochs, "SpikingClassifier: epochs", 1)
        rule = "a finite number above 0"
        rate = number(self.learning_rate, "SpikingClassifier: learning_rate", rule, above=0.0)
        return Adam(lambda epoch: 0.5 * rate * (1.0 + math.cos(math.pi * min(epoch / epochs, 1.0))))

    def _split(self, times: Floats, labels: NDArray[Any]) -> Any:
        share = number(
            self.validation_fraction, "SpikingClassifier: validation_fraction", "a number between 0 and 1", above=0.0,
            most=np.nextafter(1.0, 0.0),
        )  # fmt: skip
        try:
            return train_test_split(times, labels, test_size=share, stratify=labels, random_state=self.seed)
        except ValueError as error:
            raise InputError(
                f"SpikingClassifier: validation_fraction = {share:g} cannot be held out of {len(times)} samples "
                f"({error}); give another share, or patience=None"
            ) from None

    def _asked(self) -> Trainable:
        """A network apart that answers: network_ may be run, and changed, by whoever has it."""
        return Trainable(*_network(self.coefs_), DURATION, threads=self.threads)

    def __getstate__(self) -> dict[str, Any]:
        state: dict[str, Any] = super().__getstate__().copy()
        if state.pop("_model", None) is not None and self.network_.started:
            state["network_"] = _network(self.coefs_)[0]
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        if "coefs_" in state:
            self._model = self._asked()


def _network(weights: list[Floats], reads: bool = False) -> tuple[Network, Population, Population]:
    """The network with these weights, its inputs and its outputs. reads: the last layer is to be read by its V."""
    net = Network()
    source = before = net.population(len(weights[0]), SpikeSource([]), name="inputs")
    for k, w in enumerate(weights, 1):
        last = k == len(weights)
        # A neuron's capacitance grows with its synapses, so that weights are of one size, and so are steps of Adam.
        model = LIFExp(
            tau_m=TAU, C_m=TAU * len(w), E_L=0.0, V_th=1e9 if reads and last else 1.0, V_reset=0.0, t_ref=0.0,
            tau_syn_ex=TAU, tau_syn_in=TAU,
        )  # fmt: skip
        layer = net.population(w.shape[1], model, name="outputs" if last else f"hidden {k}")
        net.connect(before, layer, AllToAll(), weight=w, delay=0.0, name=f"weights {k}")
        before = layer
    return net, source, before


def _first_weights(sizes: list[int], times: Floats, random: np.random.Generator) -> list[Floats]:
    """Weights with which neurons fire on average at the samples."""
    weights: list[Floats] = []
    for k, shape in enumerate(zip(sizes, sizes[1:], strict=False), 2):
        w = random.normal(1.0, SPREAD, shape)
        w *= np.where(w.sum(axis=0) < 0.0, -1.0, 1.0)
        reached = (
            Trainable(*_network([*weights, w], reads=True), DURATION).forward(times, all_spikes=False).v_max.mean()
        )
        reach = OUTPUT_REACH if k == len(sizes) else HIDDEN_REACH
        weights.append(w * (reach / reached) if reached > 0.0 else w)
    return weights
