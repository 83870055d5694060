"""Events that a camera would have seen in a video."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from eventsnn.base.arrays import Floats
from eventsnn.base.checks import as_array, number, whole
from eventsnn.base.errors import InputError
from eventsnn.draw.distributions import Normal, Uniform
from eventsnn.draw.streams import stream_key
from eventsnn.encode.base import AT_ONCE, require_few
from eventsnn.encode.rate import draws, renewals
from eventsnn.encode.send_on_delta import level_crossings
from eventsnn.events.event_array import MOST_PIXELS
from eventsnn.events.recording import Events

# Below this intensity (of 255) the pixel is linear, above logarithmic; both have the same value there.
LINEAR_BELOW = 20.0
LEAST_THRESHOLD = 0.01
LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601


def from_video(
    frames: ArrayLike,
    fps: float,
    threshold: float = 0.2,
    mismatch: float = 0.03,
    t_ref: float = 0.0,
    leak: float = 0.0,
    shot_noise: float = 0.0,
    seed: int = 0,
) -> Events:
    """Events of a camera that looks at frames of shape (frames, height, width), or (..., 3) in colour, values 0 to 255.

    A pixel follows the logarithm of the intensity I,

        L = ln I for I > 20, else I ln(20) / 20,

    which is a straight line between frames, 1000 / fps ms apart. An event comes whenever L has risen (ON) or fallen
    (OFF) by the pixel's threshold since its last event, at the time at which the line is there. Thresholds of ON and of
    OFF are drawn for each pixel from a normal distribution with this mean and standard deviation (mismatch), at least
    0.01. For t_ref (ms) after an event a pixel is blind and then starts from the L that it finds.

    leak (Hz): without any change a pixel has ON events at this rate, since its reference falls by leak times its ON
    threshold in a second. shot_noise (Hz): Poisson events of each pixel, half of them ON, at this rate in the dark and
    a quarter of it at I = 255, linear between; they neither change the reference nor are they changed by t_ref.

    Frame 0 is at 0 ms. Colours are weighted by luma. What a pixel draws depends on the seed and its number alone.

    Raises InputError for frames of another shape, a value that is not in 0 to 255, and a parameter out of range.

    Sources: Hu, Liu & Delbruck 2021, v2e, CVPR Workshops; Lichtsteiner, Posch & Delbruck 2008, IEEE J Solid-State
    Circuits 43:566.
    """
    camera = _Camera(
        number(threshold, "from_video: threshold", f"at least {LEAST_THRESHOLD}", least=LEAST_THRESHOLD),
        number(mismatch, "from_video: mismatch", "a finite number, 0 or more", least=0.0),
        number(t_ref, "from_video: t_ref", "a finite number of ms, 0 or more", least=0.0, unit="ms"),
        number(leak, "from_video: leak", "a finite number of Hz, 0 or more", least=0.0, unit="Hz"),
        number(shot_noise, "from_video: shot_noise", "a finite number of Hz, 0 or more", least=0.0, unit="Hz"),
        whole(seed, "from_video: seed", 0, 2**63 - 1),
    )
    every = 1000.0 / number(fps, "from_video: fps", "a number of Hz from 1e-6 to 1e9", least=1e-6, most=1e9, unit="Hz")
    video = _frames(frames)
    steps, height, width = video.shape[:3]
    noise = (camera.leak + camera.shot_noise) / 1000.0 * every * (steps - 1)
    require_few(noise * height * width, "from_video", "take less leak or shot_noise, or fewer frames")
    flat = video.reshape(steps, height * width, *video.shape[3:])
    at_once = max(1, AT_ONCE // steps)
    found = [camera.events(flat[:, k : k + at_once], k, every) for k in range(0, height * width, at_once)]
    times, pixel, up = _joined(found)
    order = np.lexsort((pixel, times))
    y, x = np.divmod(pixel[order], width)
    return Events.of(times[order], x, y, up[order], width, height)


class _Found(NamedTuple):
    """Events of many pixels: when (ms), of which pixel, and whether ON."""

    times: Floats
    pixel: NDArray[np.int64]
    up: NDArray[np.bool_]


def _joined(found: list[_Found]) -> _Found:
    return _Found(*(np.concatenate(column) for column in zip(*found, strict=True)))


class _Camera(NamedTuple):
    """The pixels, as `from_video` describes them."""

    threshold: float
    mismatch: float
    t_ref: float
    leak: float
    shot_noise: float
    seed: int

    def events(self, frames: NDArray[Any], first: int, every: float) -> _Found:
        """Events of the pixels from number `first` on, whose frames (steps, pixels[, 3]) are `every` ms apart."""
        intensity = frames @ np.array(LUMA) if frames.ndim == 3 else frames.astype(np.float64)
        pixels = np.arange(first, first + intensity.shape[1], dtype=np.uint64)
        draw = Normal(self.threshold, self.mismatch, low=LEAST_THRESHOLD)
        on, off = (draw.sample(stream_key(self.seed, "from_video", sign), pixels) for sign in ("ON", "OFF"))
        at: Floats = every * np.arange(len(intensity), dtype=np.float64)
        signals = _logarithm(intensity) + np.outer(at / 1000.0 * self.leak, on)
        crossings = level_crossings(signals, at, on, off, self.t_ref)
        found = _Found(crossings.times, crossings.signal + first, crossings.up)
        if self.shot_noise == 0.0 or len(intensity) < 2:
            return found
        return _joined([found, self._shot_noise(intensity, first, every)])

    def _shot_noise(self, intensity: Floats, first: int, every: float) -> _Found:
        """Candidates at the full rate are kept with the probability 1 - 3/4 I / 255.

        Thinning: Lewis & Shedler 1979, Naval Research Logistics Quarterly 26:403.
        """
        channels = 2 * first + np.arange(2 * intensity.shape[1])
        mean = np.full(channels.size, 2000.0 / self.shot_noise)
        intervals, thinning = (stream_key(self.seed, "from_video", use) for use in ("intervals", "thinning"))
        found = [_Found(np.empty(0), channels[:0], np.empty(0, np.bool_))]
        for rows, count, times in renewals(intervals, channels, mean, 0.0, every * (len(intensity) - 1)):
            share = Uniform(0.0, 1.0).sample(thinning, draws(channels[rows], count))
            step = np.minimum((times / every).astype(np.int64), len(intensity) - 2)
            kept = share < 1.0 - 0.75 / 255.0 * intensity[step, rows // 2]
            found.append(_Found(times[kept], channels[rows[kept]] // 2, channels[rows[kept]] % 2 == 1))
        return _joined(found)


def _frames(frames: ArrayLike) -> NDArray[Any]:
    video = as_array(frames)
    colour = video.ndim == 4 and video.shape[3] == 3
    if video.dtype.kind not in "iuf" or not (video.ndim == 3 or colour) or not video.size:
        raise InputError(
            f"from_video: frames have the shape {video.shape} and type {video.dtype}; numbers of the shape (frames, "
            "height, width) or (frames, height, width, 3) are needed, one frame at least"
        )
    if max(video.shape[1:3]) > MOST_PIXELS:
        raise InputError(f"from_video: frames of {video.shape[2]} x {video.shape[1]} pixels are too large")
    for k, frame in enumerate(video):
        if not (frame.min() >= 0 and frame.max() <= 255):
            raise InputError(f"from_video: frame {k} has values {frame.min()} to {frame.max()}; 0 to 255 are needed")
    if video.dtype.kind == "f" and 0.0 < video.max() <= 1.0:
        raise InputError(
            "from_video: all frames have values in 0 to 1, which is dark; 0 to 255 are needed, multiply them"
        )
    return video


def _logarithm(intensity: Floats) -> Floats:
    linear = intensity * (np.log(LINEAR_BELOW) / LINEAR_BELOW)
    return np.where(intensity > LINEAR_BELOW, np.log(np.maximum(intensity, LINEAR_BELOW)), linear)
