"""Images: what the ganglion cells of a retina make of them, and what can be seen again of their first spikes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from eventsnn.base.arrays import Floats
from eventsnn.base.checks import as_array, floats, whole
from eventsnn.base.errors import InputError
from eventsnn.encode.base import Code, in_parts
from eventsnn.encode.latency import Latency
from eventsnn.encode.rank_order import RankOrder
from eventsnn.results.trains import Trains

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Beyond so many sigma a Gaussian is left out.
TRUNCATE = 4.0
# Pixels: a narrower Gaussian is a single pixel, as is the wider one beside it.
NARROWEST = 0.25
# Sides of an image that a Gaussian's standard deviation may have.
FARTHEST = 4.0
# What two Gaussians of one grey differ by is rounding, which must not become the largest contrast.
ROUNDING = 1e-12


@dataclass(frozen=True, repr=False)
class Image(Code):
    """Images through on- and off-centre cells, whose contrasts then become latencies or ranks.

    D = (G(sigma) - G(ratio sigma)) * image / norm is the contrast at a scale sigma, with G(sigma) a Gaussian of this
    standard deviation and norm the root of the integral of the squared difference, so that scales can be compared. Off
    cells have the value max(-D, 0), on cells max(D, 0), divided by the largest of their image. Cells of a scale are
    int(sigma) pixels apart, and at least one, the first int(sigma) // 2 from the edge, so that a scale wider than twice
    the image has none; where there is no cell, its channel is silent.

    Parameters: sigmas (pixels), one or more scales; ratio, above 1; code, a Latency or a RankOrder, whose threshold is
    0 or more. Channels have the shape (2, height, width), off and on, or (scales, 2, height, width) for several scales.
    Raises InputError for a parameter out of range.

    Source: Marr & Hildreth 1980, Proc R Soc Lond B 207:187 (ratio 1.6); Van Rullen & Thorpe 2001, Neural Computation
    13:1255, Rate coding versus temporal order coding: what the retinal ganglion cells tell the visual cortex.
    """

    sigmas: tuple[float, ...] = (1.0,)
    ratio: float = 1.6
    code: Latency | RankOrder = Latency()  # noqa: RUF009 - frozen

    def __post_init__(self) -> None:
        scales = np.atleast_1d(floats(self.sigmas, "Image: sigmas", "one or more numbers of pixels"))
        if scales.ndim != 1 or not scales.size or not (np.isfinite(scales) & (scales >= NARROWEST)).all():
            raise InputError(
                f"Image: sigmas = {self.sigmas!r} must be one or more finite numbers of at least {NARROWEST} pixels"
            )
        object.__setattr__(self, "sigmas", tuple(scales.tolist()))
        self._require("ratio", lambda ratio: ratio > 1.0, "a finite number above 1")
        if not isinstance(self.code, Latency | RankOrder):
            raise InputError(f"Image: code = {self.code!r} must be a Latency or a RankOrder")
        if self.code.threshold is None or self.code.threshold < 0.0:
            raise InputError(f"Image: in {self.code!r} cells without contrast spike; give it a threshold of 0 or more")

    def contrast(self, images: ArrayLike, clip: bool = False) -> Floats:
        """D of images (samples, height, width) in [0, 1]: shape (samples, scales, height, width).

        Raises InputError for a pixel that is NaN or not in [0, 1], with its index; clip=True moves it into the range.
        """
        return self._differences(self._pixels(images, clip)[:, np.newaxis].astype(np.float64))

    def _pixels(self, images: ArrayLike, clip: bool) -> NDArray[Any]:
        shape = as_array(images).shape
        if len(shape) != 3:
            remedy = "; write x[np.newaxis] for one image" if len(shape) == 2 else ""
            raise InputError(f"Image: x has shape {shape}; (samples, height, width) is needed{remedy}")
        if max(shape[1:]) and max(self.sigmas) * self.ratio > FARTHEST * max(shape[1:]):
            raise InputError(
                f"Image: a Gaussian of ratio sigma = {max(self.sigmas) * self.ratio:g} pixels is far wider than an "
                f"image of {shape[1]} x {shape[2]}; give a smaller sigma"
            )
        return self._values(images, 0.0, 1.0, clip, "height and width")

    def _differences(self, stack: Floats) -> Floats:
        """Each scale's difference of Gaussians of (samples, 1 or scales, height, width)."""
        from scipy.ndimage import gaussian_filter  # takes as long to import as all the rest

        answers = []
        for k, sigma in enumerate(self.sigmas):
            plane = stack[:, min(k, stack.shape[1] - 1)]
            centre, surround = (
                gaussian_filter(plane, (0.0, width, width), mode="nearest", truncate=TRUNCATE)
                for width in (sigma, self.ratio * sigma)
            )
            difference = centre - surround
            difference[np.abs(difference) < ROUNDING] = 0.0
            answers.append(difference / self._norm(sigma))
        return np.stack(answers, axis=1)

    def _norm(self, sigma: float) -> float:
        """Root of the integral of (G(a) - G(b))^2 over the plane, a = sigma, b = ratio sigma."""
        a, b = sigma**2, (self.ratio * sigma) ** 2
        return math.sqrt((1.0 / (4.0 * a) + 1.0 / (4.0 * b) - 1.0 / (a + b)) / math.pi)

    def encode(self, x: ArrayLike, clip: bool = False) -> Trains:
        """Spike trains of images (samples, height, width) in [0, 1].

        Raises InputError for a pixel that is NaN or not in [0, 1], with its index; clip=True moves it into the range.
        """
        images = self._pixels(x, clip)
        none = self.code.encode(np.empty((0, *self._shape(images.shape[1:]))))
        each = 2 * len(self.sigmas)
        return in_parts(images, lambda part, _: self.code.encode(self._cells(part)), none.shape, none.duration, each)

    def _cells(self, images: ArrayLike) -> Floats:
        """Values in [0, 1] of off and on cells, shape (samples, *channels)."""
        contrast = self.contrast(images)
        for k, sigma in enumerate(self.sigmas):
            step = max(1, int(sigma))
            there = np.zeros(contrast.shape[-2:], dtype=bool)
            there[step // 2 :: step, step // 2 :: step] = True
            contrast[:, k, ~there] = 0.0
        cells = np.stack([np.maximum(-contrast, 0.0), np.maximum(contrast, 0.0)], axis=2)
        largest = cells.max(axis=(1, 2, 3, 4), keepdims=True, initial=0.0)
        cells = np.divide(cells, largest, out=cells, where=largest > 0.0)
        return np.asarray(cells.reshape(len(cells), *self._shape(cells.shape[-2:])))

    def _shape(self, size: Sequence[int]) -> tuple[int, ...]:
        scales = (len(self.sigmas),) if len(self.sigmas) > 1 else ()
        return (*scales, 2, *size)

    def decode(self, trains: Trains, spikes: int | None = None) -> Floats:
        """What can be seen of the first so many spikes of each sample, all if None: shape (samples, height, width).

        The sum of the receptive fields, the differences of Gaussians over norm, each with the sign of its cell and the
        value that its spike has in the code. It is in an unknown unit, since the largest contrast is lost.
        """
        self._decodable(trains)
        if trains.shape != self._shape(trains.shape[-2:]):
            needed = ", ".join(map(str, [*self._shape(()), "height", "width"]))
            raise InputError(f"Image: trains have channels {trains.shape}; ({needed}) is needed")
        if spikes is not None:
            spikes = whole(spikes, "Image: spikes", 0)
            number = np.arange(trains.times.size) - trains.offsets[trains.sample]
            kept = number < spikes
            trains = Trains.of(
                trains.sample[kept], trains.times[kept], trains.ids[kept], len(trains), trains.shape, trains.duration
            )
        values = self.code.decode(trains).reshape(len(trains), len(self.sigmas), 2, *trains.shape[-2:])
        return np.asarray(self._differences(values[:, :, 1] - values[:, :, 0]).sum(axis=1))

    def plot(self, image: ArrayLike, shares: Sequence[float] = (0.01, 0.05, 0.2)) -> Figure:
        """One image (height, width) in [0, 1]: the order of its cells, and what can be seen of the first spikes.

        shares: of all spikes, in [0, 1]. A matplotlib Figure; `savefig` writes it.
        """
        from eventsnn.encode.pictures import image_figure  # matplotlib takes long to import

        given = floats(shares, "Image: shares", "a list of numbers from 0 to 1")
        if given.ndim != 1 or not ((given >= 0.0) & (given <= 1.0)).all():
            raise InputError(f"Image: shares = {shares!r} must be a list of numbers from 0 to 1")
        pixels = self._pixels(floats(image, "Image: image", "an array of numbers")[np.newaxis], False)
        if not pixels.size:
            raise InputError(f"Image: an image of shape {pixels.shape[1:]} has no pixels to plot")
        trains = self.encode(pixels)
        seen = [(share, self.decode(trains, round(share * trains.times.size))[0]) for share in given.tolist()]
        return image_figure(pixels[0], trains, self.sigmas, seen)
