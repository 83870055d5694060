"""Filters of events, and their sum over time: the methods of Events of the same names, where they are described."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from eventsnn.base.checks import number, whole
from eventsnn.base.errors import InputError
from eventsnn.base.sorting import order_by, outside_dead_times
from eventsnn.events.event_array import EventArray

Kind = TypeVar("Kind", bound=EventArray)


# 1 GB of int32.
MOST_FRAME_VALUES = 2**28


def crop(events: Kind, x0: int, y0: int, x1: int, y1: int) -> Kind:
    spans = []
    for low, high, size, name in ((x0, x1, events.width, "x"), (y0, y1, events.height, "y")):
        last = whole(high, f"crop: {name}1", 1, size)
        spans.append((whole(low, f"crop: {name}0", 0, last - 1), last))
    (x0, x1), (y0, y1) = spans
    x, y = events.x, events.y
    data = events.data[(x >= x0) & (x < x1) & (y >= y0) & (y < y1)]
    data["x"] -= x0
    data["y"] -= y0
    return replace(events, data=data, width=x1 - x0, height=y1 - y0)


def downsample(events: Kind, factor: int) -> Kind:
    factor = whole(factor, "downsample: factor", 1, max(events.width, events.height))
    data = events.data.copy()
    for name in ("x", "y"):
        data[name] = data[name].astype(np.int32) // factor  # a factor of 2**16 is no 16-bit number
    return replace(events, data=data, width=-(-events.width // factor), height=-(-events.height // factor))


def refractory(events: Kind, t_ref: float) -> Kind:
    t_ref = number(t_ref, "refractory: t_ref", "a finite number of ms, 0 or more", least=0.0, unit="ms")
    pixel = events.y.astype(np.int64) * events.width + events.x
    return events[outside_dead_times(pixel, events.t, t_ref - _slack(events))]


def background_activity(events: Kind, dt: float) -> Kind:
    dt = number(dt, "background_activity: dt", "a finite number of ms, 0 or more", least=0.0, unit="ms")
    n = len(events)
    if n == 0:
        return events
    pixel = events.y.astype(np.int64) * events.width + events.x
    order = order_by(pixel)
    # Keys that ascend: the last event of a pixel before a given one is a binary search, whatever the pixel.
    keys = pixel[order] * n + order
    x, y, t = events.x[order].astype(np.int64), events.y[order].astype(np.int64), events.t[order]
    supported = np.zeros(n, dtype=np.bool_)
    for dx, dy in ((-1, -1), (0, -1), (1, -1), (-1, 0), (1, 0), (-1, 1), (0, 1), (1, 1)):
        inside = (x + dx >= 0) & (x + dx < events.width) & (y + dy >= 0) & (y + dy < events.height)
        neighbour = ((y + dy) * events.width + x + dx)[inside]
        before = np.searchsorted(keys, neighbour * n + order[inside]) - 1
        near = (before >= 0) & (pixel[order[before]] == neighbour) & (t[inside] - t[before] <= dt + _slack(events))
        supported[order[inside]] |= near
    return events[supported]


def _slack(events: EventArray) -> float:
    """How far the distance of two times may be off by rounding: 0.003 - 0.002 is not 0.001."""
    return 2.0 * float(np.spacing(np.abs(events.t[[0, -1]]).max())) if len(events) else 0.0


def frames(events: EventArray, every: float) -> NDArray[np.int32]:
    every = number(every, "frames: every", "a finite number of ms above 0", above=0.0, unit="ms")
    size = events.width * events.height
    if not len(events):
        return np.zeros((0, events.height, events.width), dtype=np.int32)
    since = events.t - events.t[0]
    whole_windows = float(since[-1]) / every
    if not (whole_windows + 1.0) * size <= MOST_FRAME_VALUES:
        raise InputError(
            f"frames: every = {every} ms makes {whole_windows + 1.0:,.0f} frames of {events.width} x {events.height} "
            "pixels, too much to hold; take a longer window, or a part of the events"
        )
    windows = int(whole_windows) + 1
    window = (since / every).astype(np.int64)
    at = (window * events.height + events.y) * events.width + events.x
    counts = np.zeros(windows * size, dtype=np.int32)
    np.add.at(counts, at, events.p.astype(np.int32) * 2 - 1)
    return counts.reshape(windows, events.height, events.width)
