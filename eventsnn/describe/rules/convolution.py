"""Conv2D: a kernel that is moved over images."""

from __future__ import annotations

import math
import reprlib
from collections.abc import Sequence
from itertools import product
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from eventsnn._core.synapses.connect import Lines
from eventsnn.base.arrays import Floats, Ids
from eventsnn.base.checks import as_array, floats
from eventsnn.base.errors import InputError
from eventsnn.describe.rules.base import Rule


class Conv2D(Rule):
    """The synapses of a convolutional layer, weighted by the elements of its kernel; an element of 0 makes none.

        output[o, i, j] = sum of kernel[o, c, u, v] * input[c, i * stride + u - padding, j * stride + v - padding]

    over all c, u, v whose input lies in the layer. This is cross-correlation, as in scipy.signal.correlate and
    torch.nn.functional.conv2d: the kernel is not flipped.

    kernel: shape (out_channels, in_channels, height, width), or (height, width) for one channel each.
    shape: of the presynaptic layer, (in_channels, height, width), or (height, width) for one channel.
    stride, padding: one number for both axes, or a pair (vertical, horizontal).
    The projection's weight is one number, mV, pA or nS, by which the kernel is multiplied.

    Neurons of a layer are counted row by row: the one at [c, y, x] is number (c * height + y) * width + x. The
    postsynaptic layer has the shape (out_channels, out_height, out_width), with
    out = (in + 2 padding - kernel) // stride + 1. Synapses are counted by (u, v), then by (o, c), then by (i, j); an
    array of delays has the shape (n,).

    Attributes: kernel, of four axes; pre_shape and post_shape, of three; stride and padding, pairs.

    Raises InputError for a kernel that is no array of finite numbers with such axes, a shape with other channels or
    smaller than the kernel, a stride below 1 or a padding below 0; and in drawing if the sides have other sizes.
    """

    drawn_by: ClassVar[str] = "has a weight for each synapse"

    def __init__(
        self,
        kernel: ArrayLike,
        shape: Sequence[int],
        stride: int | Sequence[int] = 1,
        padding: int | Sequence[int] = 0,
    ):
        self.kernel = _kernel(kernel)
        self.pre_shape = _whole("shape", shape, 1, {(2,), (3,)}, "(height, width) or (in_channels, height, width)")
        if len(self.pre_shape) == 2:
            self.pre_shape = (1, *self.pre_shape)
        self.stride = _pair("stride", stride, 1)
        self.padding = _pair("padding", padding, 0)
        self.post_shape = (len(self.kernel), *self._post_size())

    def _post_size(self) -> list[int]:
        channels, *reach = self.kernel.shape[1:]
        in_channels, *size = self.pre_shape
        if channels != in_channels:
            raise InputError(
                f"Conv2D: a kernel of shape {self.kernel.shape} takes {channels} channels, but a layer of shape "
                f"{self.pre_shape} has {in_channels}; the numbers must be equal"
            )
        room = [n + 2 * p - k for n, p, k in zip(size, self.padding, reach, strict=True)]
        if min(room) < 0:
            raise InputError(
                f"Conv2D: a kernel of {reach[0]} x {reach[1]} does not fit into a layer of {size[0]} x {size[1]} with "
                f"padding {self.padding}; give a smaller kernel or more padding"
            )
        return [more // s + 1 for more, s in zip(room, self.stride, strict=True)]

    def __repr__(self) -> str:
        return (
            f"Conv2D(kernel of shape {self.kernel.shape}, shape={self.pre_shape}, stride={self.stride}, "
            f"padding={self.padding})"
        )

    def lines(self, key: int, pre: Ids, post: Ids) -> Lines:
        n_pre, n_post = math.prod(self.pre_shape), math.prod(self.post_shape)
        if (len(pre), len(post)) != (n_pre, n_post):
            raise InputError(
                f"Conv2D: {len(pre)} presynaptic and {len(post)} postsynaptic neurons; the layers' shapes "
                f"{self.pre_shape} and {self.post_shape} need {n_pre} and {n_post}"
            )
        (n,) = self.shape(n_pre, n_post)
        source, target = np.empty(n, dtype=np.int32), np.empty(n, dtype=np.int32)
        begin = 0
        for (u, (y, i)), (v, (x, j)) in product(enumerate(self._reached(0)), enumerate(self._reached(1))):
            o, c = (channel.astype(np.int32) for channel in np.nonzero(self.kernel[:, :, u, v]))
            end = begin + o.size * y.size * x.size
            for layer, channel, row, column, ids in (
                (self.pre_shape, c, y, x, source),
                (self.post_shape, o, i, j, target),
            ):
                within = np.add.outer(layer[2] * row, column)
                np.add.outer(layer[1] * layer[2] * channel, within, out=ids[begin:end].reshape(o.size, *within.shape))
            begin = end
        return Lines("listed", key, n_pre, n_post, pre=source, post=target)

    def weights(self) -> Floats:
        by_place = self.kernel.transpose(2, 3, 0, 1)
        used = np.nonzero(by_place)
        return np.repeat(by_place[used], self._repetitions()[used[:2]])

    def shape(self, n_pre: int, n_post: int) -> tuple[int]:
        return (int(np.sum(self._repetitions() * np.count_nonzero(self.kernel, axis=(0, 1)))),)

    def _reached(self, axis: int) -> list[tuple[Ids, Ids]]:
        """For each place of the kernel along an axis (0 or 1), the inputs that it meets, and the outputs of each."""
        size, out = self.pre_shape[1 + axis], self.post_shape[1 + axis]
        stride = self.stride[axis]
        reached = []
        for place in range(self.kernel.shape[2 + axis]):
            begin = place - self.padding[axis]  # the input that output 0 sees there
            outputs = np.arange(max(0, -(begin // stride)), min(out, (size - 1 - begin) // stride + 1), dtype=np.int64)
            reached.append(((begin + stride * outputs).astype(np.int32), outputs.astype(np.int32)))
        return reached

    def _repetitions(self) -> NDArray[np.int64]:
        """How many synapses an element of the kernel makes if it is not 0, shape (height, width)."""
        rows, columns = (np.array([i.size for i, _ in self._reached(axis)], dtype=np.int64) for axis in (0, 1))
        return np.outer(rows, columns)


def _kernel(kernel: ArrayLike) -> Floats:
    """A copy with four axes, or an InputError that says what is wrong with it."""
    array = floats(kernel, "Conv2D: kernel", "an array of numbers")
    if array.ndim not in (2, 4) or not array.size:
        raise InputError(
            f"Conv2D: a kernel of shape {array.shape} cannot be used; it must be (height, width) or (out_channels, "
            "in_channels, height, width), each at least 1"
        )
    if not np.isfinite(array).all():
        index = np.unravel_index(int(np.argmin(np.isfinite(array))), array.shape)
        raise InputError(f"Conv2D: kernel[{', '.join(map(str, index))}] = {array[index]} must be finite")
    array = array.reshape((1, 1, *array.shape) if array.ndim == 2 else array.shape)
    array.flags.writeable = False
    return array


def _pair(name: str, value: int | Sequence[int], least: int) -> tuple[int, ...]:
    numbers = _whole(name, value, least, {(), (2,)}, "a whole number or a pair of them")
    return numbers * 2 if len(numbers) == 1 else numbers


def _whole(name: str, value: Any, least: int, shapes: set[tuple[int, ...]], allowed: str) -> tuple[int, ...]:
    """Whole numbers in an array of one of these shapes, or an InputError that says what is allowed."""
    numbers = as_array(value)
    if (
        numbers.dtype.kind not in "iu"
        or numbers.shape not in shapes
        or not least <= numbers.min() <= numbers.max() < 2**31
    ):
        raise InputError(f"Conv2D: {name} = {reprlib.repr(value)} must be {allowed}, from {least} to {2**31 - 1}")
    return tuple(numbers.ravel().tolist())
