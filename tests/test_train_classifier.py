"""SpikingClassifier: scikit-learn's own checks, what it learns, and its answers beside the ordinary engine's."""

import copy
import math
import pickle
import subprocess
import sys

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_digits, load_iris, load_wine
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

import eventsnn as esn
from eventsnn import train
from eventsnn.train import SpikingClassifier

DURATION = train.classifier.DURATION


@parametrize_with_checks([SpikingClassifier(hidden=(20,), epochs=10)])
def test_scikit_learn(estimator, check):
    check(estimator)


def blobs(n=60, classes=3, features=4, seed=1):
    rng = np.random.default_rng(seed)
    y = np.arange(n) % classes
    return rng.normal(size=(classes, features))[y] * 3.0 + rng.normal(size=(n, features)), y


@pytest.fixture(scope="module")
def trained():
    X, y = blobs()
    return SpikingClassifier(hidden=(10,), epochs=10).fit(X, y), X, y


# ---- what it learns


@pytest.mark.long
@pytest.mark.parametrize("load", [load_iris, load_wine, load_breast_cancer, load_digits])
def test_no_worse_than_a_linear_classifier(load):
    """With its defaults, on average of three splits, and to one sample in each."""
    X, y = load(return_X_y=True)
    ours = linear = 0.0
    for seed in (1, 2, 3):
        A, B, a, b = train_test_split(X, y, test_size=0.3, stratify=y, random_state=seed)
        ours += SpikingClassifier(seed=seed).fit(A, a).score(B, b)
        linear += make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)).fit(A, a).score(B, b)
    assert ours / 3.0 >= linear / 3.0 - 1.0 / len(b)


@pytest.mark.parametrize("load", [load_iris, load_wine, load_breast_cancer])
def test_real_data(load):
    X, y = load(return_X_y=True)
    A, B, a, b = train_test_split(X, y, test_size=0.3, stratify=y, random_state=0)
    assert SpikingClassifier(hidden=30, epochs=15, batch_size=8).fit(A, a).score(B, b) >= 0.93


def exclusive(n, seed):
    X = np.random.default_rng(seed).random((n, 2))
    return X, (X[:, 0] > 0.5) ^ (X[:, 1] > 0.5)


def test_hidden_neurons_are_of_use():
    """No linear classifier tells more than two thirds of exclusive or."""
    X, y = exclusive(300, 1)
    classifier = SpikingClassifier(hidden=(50,), epochs=40, seed=1).fit(X, y)
    assert classifier.score(*exclusive(300, 2)) > 0.9


@pytest.mark.parametrize(("hidden", "layers"), [((), 1), ([], 1), (5, 2), ((5,), 2), ([np.int64(6), 4], 3)])
def test_layers(hidden, layers):
    X, y = blobs(200)
    classifier = SpikingClassifier(hidden=hidden).fit(X, y)
    assert len(classifier.coefs_) == len(classifier.network_.projections) == layers
    assert classifier.coefs_[0].shape[0] == 9 and classifier.coefs_[-1].shape[1] == 3
    assert classifier.score(X, y) > 0.8


def test_early_stopping_keeps_the_best_epoch():
    X, y = blobs(150)
    X += np.random.default_rng(3).normal(scale=2.0, size=X.shape)
    classifier = SpikingClassifier(hidden=10, epochs=60, patience=3, validation_fraction=0.2, learning_rate=2.0)
    history = classifier.fit(X, y).history_
    assert 3 < len(history) < 60 and history.best == np.argmin(history.validation_loss) == len(history) - 4
    few = SpikingClassifier(hidden=10, epochs=2, patience=3, validation_fraction=0.2).fit(X, y).history_
    assert len(few) == 2 and np.isfinite(few.validation_accuracy).all()


# ---- coding


def test_spikes_of_the_inputs():
    classifier = SpikingClassifier(hidden=(), epochs=1).fit([[0.0, 7.0], [2.0, 7.0], [4.0, 7.0]], [0, 1, 1])
    expected = [[20.0, 20.0, 0.0, 0.0, 0.0], [5.0, 20.0, 15.0, 0.0, 0.0], [0.0, 20.0, 20.0, 0.0, 0.0]]
    np.testing.assert_allclose(classifier.encode([[-1.0, 7.0], [3.0, 0.0], [9.0, 7.0]]), expected)


def test_constant_features_change_no_answer():
    X, y = blobs()
    classifier = SpikingClassifier(hidden=5, epochs=3).fit(np.c_[X, np.full(len(X), 3.0)], y)
    first = classifier.first_spikes(np.c_[X, np.full(len(X), 3.0)])
    np.testing.assert_array_equal(first, classifier.first_spikes(np.c_[X, np.full(len(X), 2.0)]))


def test_probabilities_follow_from_first_spikes(trained):
    classifier, X, _ = trained
    late = np.minimum(classifier.first_spikes(X), DURATION)
    p = np.exp(-late / 0.5) / np.exp(-late / 0.5).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(classifier.predict_proba(X), p)
    np.testing.assert_allclose(np.exp(classifier.predict_log_proba(X)), p)
    np.testing.assert_allclose(classifier.decision_function(X), -late / 0.5)
    np.testing.assert_array_equal(classifier.predict(X), late.argmin(axis=1))


def test_two_classes():
    X, y = blobs(classes=2)
    classifier = SpikingClassifier(hidden=5, epochs=5).fit(X, np.array(["no", "yes"])[y])
    late = np.minimum(classifier.first_spikes(X), DURATION)
    difference = classifier.decision_function(X)
    np.testing.assert_allclose(difference, (late[:, 0] - late[:, 1]) / 0.5)
    np.testing.assert_array_equal(classifier.predict(X), np.where(difference > 0.0, "yes", "no"))


def test_silent_outputs_count_as_late():
    X, y = blobs()
    classifier = SpikingClassifier(hidden=(), epochs=1).fit(X, y)
    classifier.coefs_[0][:] = 0.0
    silent = pickle.loads(pickle.dumps(classifier))
    assert np.isinf(silent.first_spikes(X)).all()
    np.testing.assert_allclose(silent.predict_proba(X), 1.0 / 3.0)
    assert (silent.predict(X) == 0).all() and (silent.decision_function(X) == -DURATION / 0.5).all()


# ---- the network


def test_the_ordinary_engine_gives_the_same_spikes(trained):
    classifier, X, _ = trained
    net = copy.deepcopy(classifier).network_
    first, times = classifier.first_spikes(X), classifier.encode(X)
    for sample in range(5):
        net.reset()
        net.populations["inputs"].set(times=times[sample], ids=np.arange(times.shape[1]))
        net.record(net.populations["outputs"], "spikes") if sample == 0 else None
        spikes = net.run(DURATION).spikes["outputs"]
        found = [spikes.times[spikes.ids == k] for k in range(3)]
        np.testing.assert_allclose([t[0] if t.size else math.inf for t in found], first[sample], atol=1e-10)


def test_running_the_network_changes_no_answer():
    X, y = blobs()
    classifier = SpikingClassifier(hidden=5, epochs=2).fit(X, y)
    before = classifier.first_spikes(X)
    classifier.network_.projections["weights 1"].set(weight=0.0)
    classifier.network_.run(5.0)
    for same in (classifier, pickle.loads(pickle.dumps(classifier)), copy.deepcopy(classifier)):
        np.testing.assert_array_equal(same.first_spikes(X), before)
    assert not copy.deepcopy(classifier).network_.started


def test_first_weights_reach_what_they_should():
    """The highest potentials, without a threshold: 1.5 thresholds in hidden layers, 3 in the last, on average."""
    rng = np.random.default_rng(1)
    times = np.c_[20.0 * rng.random((30, 6)), np.zeros(30)]
    weights = train.classifier._first_weights([7, 12, 3], times, rng)
    for k, reach in ((1, 1.5), (2, 3.0)):
        model = train.Trainable(*train.classifier._network(weights[:k], reads=True), DURATION)
        assert model.forward(times).v_max.mean() == pytest.approx(reach)


# ---- as scikit-learn's


def test_seeds_and_threads():
    X, y = blobs(200)
    first = [
        SpikingClassifier(hidden=5, epochs=2, **given).fit(X, y).first_spikes(X)
        for given in ({}, {"seed": 0, "threads": 2}, {"seed": 1})
    ]
    np.testing.assert_array_equal(first[0], first[1])
    assert (first[0] != first[2]).any()


def test_clones_and_searches(trained):
    classifier, X, y = trained
    again = clone(classifier)
    assert not hasattr(again, "coefs_") and again.get_params() == classifier.get_params()
    search = GridSearchCV(SpikingClassifier(epochs=2), {"hidden": [(), (3,)]}, cv=2).fit(X, y)
    assert search.best_score_ > 0.3
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(classifier)).first_spikes(X), classifier.first_spikes(X))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"hidden": (0,)}, "SpikingClassifier: the size of a layer in hidden = 0 must be a whole number of at least 1"),
        ({"hidden": (3, 2.5)}, "hidden = 2.5 must be a whole number"),
        ({"hidden": "10"}, "hidden = '10' must be a whole number"),
        ({"epochs": 0}, "SpikingClassifier: epochs = 0 must be a whole number of at least 1"),
        ({"batch_size": 0}, "batch_size = 0 must be a whole number of at least 1"),
        ({"learning_rate": -1.0}, "SpikingClassifier: learning_rate = -1.0 must be a finite number above 0"),
        ({"tau0": 0.0}, "tau0 = 0.0 must be a finite number above 0"),
        ({"patience": 0}, "patience = 0 must be a whole number of at least 1"),
        ({"patience": 3, "validation_fraction": 1.0}, "validation_fraction = 1.0 must be a number between 0 and 1"),
        ({"patience": 3, "validation_fraction": 0.01}, "validation_fraction = 0.01 cannot be held out of 60 samples"),
        ({"threads": 0}, "threads = 0 must be a whole number of at least 1"),
        ({"verbose": 2}, "progress = 2 must be True, False or a function"),
        ({"seed": None}, "SpikingClassifier: seed = None must be a whole number"),
    ],
)
def test_bad_parameters(given, message):
    with pytest.raises(esn.InputError, match=message):
        SpikingClassifier(**{"hidden": (2,), "epochs": 1} | given).fit(*blobs())


def test_a_sentence_where_scikit_learn_is_missing():
    code = "import sys; sys.modules['sklearn'] = None\nfrom eventsnn import train\ntrain.SpikingClassifier"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 1 and "SpikingClassifier needs scikit-learn 1.6 or newer" in done.stderr
    assert 'pip install "eventsnn[data]"' in done.stderr


def test_training_without_it_needs_no_scikit_learn():
    code = "import sys; sys.modules['sklearn'] = None\nfrom eventsnn import train\nprint(train.fit.__name__)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "fit\n"
