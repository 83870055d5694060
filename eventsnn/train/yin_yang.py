"""The Yin-Yang data set: points of a plane in three classes, which no linear classifier can tell from each other."""

from __future__ import annotations

import numpy as np

from eventsnn.base.arrays import Bools, Floats, Ints
from eventsnn.base.checks import whole

DOT, DISC = 0.1, 0.5  # the radii r of both dots and R of the symbol
YANG, YIN, DOTS = 0, 1, 2
# Points that are drawn in turn for each that is asked for: one in 16 is in a dot.
AT_ONCE = 16


def yin_yang(n: int, seed: int) -> tuple[Floats, Ints]:
    """n points of the symbol: features (n, 2), x and y from 0 to 1, and labels (n,), yang 0, yin 1 or dot 2.

    A point's class is drawn first, each with the same probability, then the point itself, uniform in what the class
    covers. With R = 0.5, r = 0.1, d_l and d_r the distances to the centres (R / 2, R) and (3 R / 2, R) of the dots, a
    point of the disc of radius R around (R, R) is

        a dot   if d_l < r or d_r < r,
        yin     else if d_r <= r, or r < d_l <= R / 2, or y > R and d_r > R / 2,
        yang    else.

    The same seed gives the same points.
    Raises InputError unless n is a whole number of at least 1, and seed one of at least 0.

    Source: Kriener, Goeltz & Petrovici 2022, NICE, arXiv:2102.08211.
    """
    n, seed = whole(n, "yin_yang: n", 1), whole(seed, "yin_yang: seed", 0)
    rng = np.random.default_rng(seed)
    labels = rng.integers(3, size=n)
    features = np.empty((n, 2))
    missing = np.arange(n)
    while missing.size:
        points = 2.0 * DISC * rng.random((missing.size, AT_ONCE, 2))
        fits = (classes(points) == labels[missing, np.newaxis]) & inside(points)
        found = fits.any(axis=1)
        first = np.argmax(fits[found], axis=1)
        features[missing[found]] = points[found, first]
        missing = missing[~found]
    return features, labels


def inside(points: Floats) -> Bools:
    """Whether points (..., 2) are in the disc."""
    return _distance(points, DISC) <= DISC


def classes(points: Floats) -> Ints:
    """The classes of points (..., 2) of the disc."""
    y, left, right = points[..., 1], _distance(points, 0.5 * DISC), _distance(points, 1.5 * DISC)
    yin = (right <= DOT) | ((left > DOT) & (left <= 0.5 * DISC)) | ((y > DISC) & (right > 0.5 * DISC))
    return np.where((left < DOT) | (right < DOT), DOTS, np.where(yin, YIN, YANG))


def _distance(points: Floats, x: float) -> Floats:
    """To a point on the horizontal line through the middle."""
    return np.hypot(points[..., 0] - x, points[..., 1] - DISC)
