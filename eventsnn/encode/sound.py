"""Sound: a cochlea of gammatone filters whose hair cells spike, and sound files."""

from __future__ import annotations

import io
import math
import os
import struct
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from eventsnn.base.arrays import Floats
from eventsnn.base.errors import InputError
from eventsnn.base.paths import existing
from eventsnn.encode.base import AT_ONCE, Code, in_parts
from eventsnn.encode.hair_cells import HairCells, UnboundedError
from eventsnn.results.trains import Trains

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Time constants 1 / (2 pi b) after which an impulse response is left out: t^3 exp(-t) is then 4e-7 of its peak.
LENGTH = 24.0
# Spikes of one hair cell between two samples, at most; the auditory nerve has less than one in a millisecond.
MOST_SPIKES = 100
SLOWEST, FASTEST = 1_000, 1_000_000  # Hz, of sampling
# ms: the potential of a cell with a longer time constant keeps too few digits.
LONGEST = 1e9
# Numerator and denominator of a change of rate, at most: the low-pass filter has 20 times as many values.
MOST_STEPS = 100_000


@dataclass(frozen=True, repr=False)
class Cochlea(Code):
    """Sound through a bank of gammatone filters, each of which drives a hair cell that spikes.

    Filter: h(t) = t^3 exp(-2 pi b t) cos(2 pi f t), b = 1.019 ERB(f), ERB(f) = 24.7 (4.37 f / 1000 + 1) Hz, with gain 1
    at its centre frequency f. These are equally spaced on the scale of ERBs from f_low to f_high.
    Hair cell: tau dV/dt = -V + gain s(t), where s is the filtered sound, its negative values taken as 0, and a straight
    line between its samples (after the last one it stays). At V = threshold it spikes; V is then 0 for t_ref. Spike
    times are the exact solutions of this equation, those of a LIFDelta under a RampCurrent.

    Parameters: sample_rate (Hz), 1 kHz to 1 MHz; channels; f_low, f_high (Hz), below sample_rate / 2; f_high is
    6 kHz or 0.45 sample_rate, whichever is less, if None; gain; tau (ms);
    threshold, in the unit of gain times x; t_ref (ms), 0 or more.
    Raises InputError for a parameter out of range.

    Source: Patterson, Robinson, Holdsworth, McKeown, Zhang & Allerhand 1992, Complex sounds and auditory images;
    Glasberg & Moore 1990, Hearing Research 47:103, for ERB(f).
    """

    takes: ClassVar[Literal["image", "sound", "signal"]] = "sound"

    sample_rate: float = 16_000.0
    channels: int = 32
    f_low: float = 100.0
    f_high: float | None = None
    gain: float = 200.0
    tau: float = 1.0
    threshold: float = 1.0
    t_ref: float = 1.0

    def __post_init__(self) -> None:
        self._require(
            "sample_rate", lambda rate: SLOWEST <= rate <= FASTEST, f"a number of Hz from {SLOWEST} to {FASTEST}"
        )
        self._require_whole("channels", 1, 1_000)
        self._require_positive("f_low", "gain", "threshold")
        self._require("tau", lambda tau: 0.0 < tau <= LONGEST, f"a number of ms above 0 and up to {LONGEST:g}")
        if self.f_high is not None:
            self._require_positive("f_high")
        self._require("t_ref", lambda t_ref: t_ref >= 0.0, "a finite number of ms, 0 or more")
        if not self.f_low < self._highest < self.sample_rate / 2.0:
            raise InputError(
                f"Cochlea: f_low = {self.f_low:g} and f_high = {self._highest:g} Hz must ascend and lie below "
                f"{self.sample_rate / 2.0:g} Hz, half the sample_rate"
            )

    @property
    def _highest(self) -> float:
        return min(6_000.0, 0.45 * self.sample_rate) if self.f_high is None else self.f_high

    @property
    def frequencies(self) -> Floats:
        """Centre frequencies (Hz), ascending, shape (channels,); with one channel, f_low."""
        # The integral of 1 / ERB(f) is a multiple of ln(4.37 f / 1000 + 1).
        low, high = np.log1p(4.37e-3 * np.array([self.f_low, self._highest]))
        return np.asarray(np.expm1(np.linspace(low, high, self.channels)) / 4.37e-3)

    def _responses(self) -> Floats:
        """Impulse responses, sampled, shape (channels, taps)."""
        f = self.frequencies[:, np.newaxis]
        decay = 2.0 * math.pi * 1.019 * 24.7 * (4.37e-3 * f + 1.0)  # 1/s
        t = np.arange(math.ceil(LENGTH / decay.min() * self.sample_rate)) / self.sample_rate  # s
        h = (decay * t) ** 3 * np.exp(-decay * t) * np.cos(2.0 * math.pi * f * t)
        gain = np.abs((h * np.exp(-2j * math.pi * f * t)).sum(axis=1, keepdims=True))
        return np.asarray(h / gain)

    def filtered(self, x: ArrayLike) -> Floats:
        """What leaves the filters for sounds (samples, time), shape (samples, channels, time), in the unit of x.

        Raises InputError for a value that is not finite, with its index, or so large that the sums overflow.
        """
        return self._filtered(self._sounds(x), self._responses())

    def _sounds(self, x: ArrayLike) -> NDArray[Any]:
        values = self._values(x, axes="time")
        if values.ndim != 2:
            raise InputError(f"Cochlea: x has shape {values.shape}; (samples, time) is needed")
        return values

    def _filtered(
        self, sounds: NDArray[Any], responses: Floats, first: int = 0, start: int = 0, stop: int | None = None
    ) -> Floats:
        """The samples from start to stop - 1 of the same, for sounds that have been checked and count from `first`."""
        from scipy.signal import oaconvolve  # takes longer to import than a second of sound to filter

        begin = max(start - responses.shape[1] + 1, 0)
        heard = sounds[:, np.newaxis, begin:stop].astype(np.float64)
        if not heard.size:
            return np.zeros((len(sounds), self.channels, heard.shape[2]))
        with np.errstate(over="ignore", invalid="ignore"):
            passed = oaconvolve(heard, responses[np.newaxis], axes=2)[:, :, start - begin : heard.shape[2]]
            # The slopes of the current too have to be finite.
            good = np.isfinite(self.sample_rate * self.gain * passed).all(axis=(1, 2))
        if not good.all():
            raise InputError(f"Cochlea: sample {first + np.argmin(good)} is too loud for float64; scale x")
        return np.asarray(passed)

    def encode(self, x: ArrayLike) -> Trains:
        """Spike trains of sounds x, shape (samples, time), of `channels` channels and time / sample_rate.

        Raises InputError for a value that is not finite, with its index, or with which a hair cell would spike without
        bound.
        """
        sounds = self._sounds(x)
        duration = 1000.0 * sounds.shape[1] / self.sample_rate
        responses = self._responses()

        def encode_some(x: Floats, first: int) -> Trains:
            return self._encode(x, first, responses)

        return in_parts(sounds, encode_some, (self.channels,), duration, self.channels)

    def _encode(self, x: Floats, first: int, responses: Floats) -> Trains:
        """The same for sounds that count from `first`, a block of time at a time."""
        steps, dt = x.shape[1], 1000.0 / self.sample_rate
        cells = HairCells(len(x) * self.channels, dt, self.tau, self.threshold, self.t_ref, MOST_SPIKES)
        found = [(np.empty(0, np.int64), np.empty(0))]
        block = max(AT_ONCE // self.channels, 1)
        for start in range(0, steps, block):
            stop = start + block + 1
            current = self.gain * np.maximum(self._filtered(x, responses, first, start, stop), 0.0)
            if stop > steps:  # what comes after the last sample is like it
                current = np.concatenate([current, current[:, :, -1:]], axis=2)
            try:
                found.append(cells.follow(current.reshape(cells.n, current.shape[2])))
            except UnboundedError as error:
                cell, time = error.args
                sample, channel = divmod(cell, self.channels)
                raise InputError(
                    f"Cochlea: channel {channel} spikes more than {MOST_SPIKES} times within {dt:g} ms at {time:g} ms "
                    f"of sample {first + sample}; give a longer t_ref or a smaller gain"
                ) from None
        cell, times = (np.concatenate(column) for column in zip(*found, strict=True))
        sample, channel = np.divmod(cell, self.channels)
        duration = 1000.0 * steps / self.sample_rate
        return Trains.of(sample, np.minimum(times, duration), channel, len(x), (self.channels,), duration)

    def plot(self, trains: Trains) -> Figure:
        """Raster of the first of these sounds over the centre frequencies, as a matplotlib Figure."""
        from eventsnn.encode.pictures import cochlea_figure  # matplotlib takes long to import

        return cochlea_figure(self.frequencies, self._decodable(trains))


# ---- sound files


def read_wav(path: str | os.PathLike[str], sample_rate: int | None = None) -> tuple[int, Floats]:
    """Sample rate (Hz) and sound of a WAV file: the mean of its channels, shape (time,), integers scaled to [-1, 1).

    sample_rate: the one wanted, in Hz; a file with another one is resampled through a low-pass filter.

    Integers of up to 64 bits and floats of 32 and 64 bits are read. Raises InputError, naming the file, for one
    that cannot be read, is damaged, shorter than it says, of another format, without sound, or holds numbers that are
    not finite; for rates that are not whole numbers of Hz from 1 kHz to 1 MHz, or too far from a simple ratio.
    """
    whole = isinstance(sample_rate, int | np.integer)
    if sample_rate is not None and not (whole and SLOWEST <= sample_rate <= FASTEST):
        raise InputError(
            f"read_wav: sample_rate = {sample_rate!r} must be a whole number of Hz from {SLOWEST} to {FASTEST}"
        )
    file = existing(path, "the sound file")
    try:
        rate, sound = _decoded(file.read_bytes())
    except (OSError, _UnreadableError) as error:
        raise InputError(f"the sound file {file} cannot be read: {getattr(error, 'strerror', None) or error}") from None
    if sample_rate is None or sample_rate == rate:
        return rate, sound
    from scipy.signal import resample_poly  # takes longer to import than most files to read

    common = math.gcd(rate, int(sample_rate))
    up, down = int(sample_rate) // common, rate // common
    if max(up, down) > MOST_STEPS:
        raise InputError(
            f"the sound file {file} has {rate} Hz, of which {sample_rate} Hz are {up} / {down}; give a sample_rate for "
            f"which both are at most {MOST_STEPS}"
        )
    return int(sample_rate), np.asarray(resample_poly(sound, up, down))


class _UnreadableError(Exception):
    """Why the content of a file is no sound."""


def _decoded(content: bytes) -> tuple[int, Floats]:
    """Rate (Hz) and sound of a WAV file."""
    from scipy.io import wavfile

    _require_whole(content)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", wavfile.WavFileWarning)  # of parts that are no sound, such as a title
            rate, data = wavfile.read(io.BytesIO(content))
    except (ValueError, ArithmeticError, LookupError, TypeError, struct.error, UnboundLocalError) as error:
        raise _UnreadableError(f"it cannot be made sense of: {' '.join(str(error).split())}") from None
    if not SLOWEST <= rate <= FASTEST:
        raise _UnreadableError(f"its sample rate of {rate} Hz does not lie in {SLOWEST} to {FASTEST} Hz")
    if not data.size:
        raise _UnreadableError("it has no sound")
    with np.errstate(over="ignore", invalid="ignore"):
        sound = _scaled(data).reshape(len(data), -1).mean(axis=1)
    if not np.isfinite(sound).all():
        k = int(np.argmin(np.isfinite(sound)))
        raise _UnreadableError(f"its sample {k} = {sound[k]} must be finite")
    return int(rate), sound


def _require_whole(content: bytes) -> None:
    """Refuse what is no RIFF file, and parts that are not there to their end.

    scipy would read what there is without a word, or allocate what is said.
    """
    if content[:4] != b"RIFF" or content[8:12] != b"WAVE":
        raise _UnreadableError("it is no WAV file, which begins with RIFF and WAVE")
    end = 8 + struct.unpack_from("<I", content, 4)[0]
    if end > len(content):
        raise _UnreadableError(f"it should have {end} bytes, but has {len(content)}")
    at = 12
    while at + 8 <= end:
        name, size = struct.unpack_from("<4sI", content, at)
        at += 8
        if at + size > end:
            raise _UnreadableError(f"its part {name!r} should have {size} bytes, but has {end - at}")
        at += size + size % 2


def _scaled(data: NDArray[Any]) -> Floats:
    """Integers as numbers in [-1, 1): 8 bits count from 128, the others are filled from their upper end."""
    if data.dtype.kind == "f":
        return data.astype(np.float64)
    if data.dtype == np.uint8:
        return data / 128.0 - 1.0
    return np.asarray(data / -float(np.iinfo(data.dtype).min))
