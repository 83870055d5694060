"""The Yin-Yang data set: points picked by hand, classes of equal size, uniform in their areas, and the same again."""

import re

import numpy as np
import pytest
from scipy import stats

from eventsnn.base.errors import InputError
from eventsnn.train.yin_yang import classes, inside, yin_yang


@pytest.mark.parametrize(
    ("point", "label"),
    [
        ((0.25, 0.5), 2), ((0.75, 0.5), 2), ((0.75, 0.59), 2), ((0.16, 0.5), 2),  # the dots
        ((0.75, 0.61), 0), ((0.25, 0.61), 1), ((0.25, 0.39), 1), ((0.75, 0.39), 0),  # just outside them
        ((0.5, 0.9), 1), ((0.1, 0.6), 1), ((0.9, 0.75), 1), ((0.4, 0.35), 1),  # the upper half, and the left bulge
        ((0.5, 0.1), 0), ((0.9, 0.4), 0), ((0.1, 0.25), 0), ((0.6, 0.65), 0),  # the lower half, and the right bulge
        ((0.75, 0.75), 0), ((0.75, 0.76), 1), ((0.25, 0.25), 1), ((0.25, 0.24), 0),  # the edges of the bulges
    ],
)  # fmt: skip
def test_points_by_hand(point, label):
    assert inside(np.array(point)) and classes(np.array(point)) == label


def test_corners_are_outside():
    points = np.array([[0.0, 0.0], [1.0, 0.0], [0.1, 0.9], [0.86, 0.86], [0.5, 0.5], [1.0, 0.5]])
    assert inside(points).tolist() == [False] * 4 + [True] * 2


def test_turning_the_symbol_swaps_yin_and_yang():
    features, labels = yin_yang(5_000, 2)
    assert (classes(1.0 - features) == np.array([1, 0, 2])[labels]).all()


def test_all_points_are_in_the_disc_and_labels_are_their_classes():
    features, labels = yin_yang(5_000, 1)
    assert features.shape == (5_000, 2) and features.dtype == np.float64
    assert labels.shape == (5_000,) and labels.dtype == np.int64
    assert inside(features).all() and (classes(features) == labels).all()
    assert features.min() >= 0.0 and features.max() <= 1.0


def test_classes_are_balanced():
    _, labels = yin_yang(30_000, 3)
    assert stats.chisquare(np.bincount(labels, minlength=3)).pvalue > 1e-6


def test_points_are_uniform_in_their_class():
    """Beside plain rejection: a point of the disc at random, kept if it is of the class."""
    features, labels = yin_yang(6_000, 4)
    others = np.random.default_rng(5).random((200_000, 2))
    others = others[inside(others)]
    for label in range(3):
        ours, plain = features[labels == label], others[classes(others) == label]
        for axis in ([1.0, 0.0], [0.0, 1.0], [1.0, 1.0]):
            assert stats.ks_2samp(ours @ axis, plain @ axis).pvalue > 1e-6


def test_seeds():
    features, labels = yin_yang(100, 7)
    again = yin_yang(100, 7)
    assert (features == again[0]).all() and (labels == again[1]).all()
    assert not (features == yin_yang(100, 8)[0]).any()
    assert yin_yang(1, 0)[0].shape == (1, 2)


@pytest.mark.parametrize(
    ("n", "seed", "sentence"),
    [
        (0, 1, "yin_yang: n = 0 must be a whole number of at least 1"),
        (1.5, 1, "yin_yang: n = 1.5 must be a whole number"),
        (10, -1, "yin_yang: seed = -1 must be a whole number of at least 0"),
        (10, None, "yin_yang: seed = None must be a whole number"),
    ],
)
def test_bad_input(n, seed, sentence):
    with pytest.raises(InputError, match=re.escape(sentence)):
        yin_yang(n, seed)
