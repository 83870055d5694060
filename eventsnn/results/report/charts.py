"""Small charts of a report as SVG: histograms, a curve with logarithmic axes, and a bar of shares."""

from __future__ import annotations

import colorsys
import math
from collections.abc import Sequence
from html import escape
from typing import NamedTuple

import numpy as np

from eventsnn.base.arrays import Floats
from eventsnn.results.style import COLOURS

WIDTH, HEIGHT = 320, 190
LEFT, RIGHT, TOP, BOTTOM = 58, 18, 24, 36  # around the plot
GREY = "#9aa4b1"


class Axis(NamedTuple):
    """From a value to a place: low and high are values, begin and end pixels."""

    low: float
    high: float
    begin: float
    end: float
    log: bool = False

    def at(self, value: float) -> float:
        low, high, value = (math.log10(x) if self.log else x for x in (self.low, self.high, value))
        return round(self.begin + (value - low) / (high - low) * (self.end - self.begin), 2)

    def ticks(self) -> list[float]:
        if self.log:
            least, most = math.floor(math.log10(self.low)), math.floor(math.log10(self.high)) + 1
            steps = (1.0,) if math.log10(self.high / self.low) > 2.5 else (1.0, 2.0, 5.0)
            every = [by * 10.0**k for k in range(least, most + 1) for by in steps]
            seen = [tick for tick in every if self.low * (1.0 - 1e-9) <= tick <= self.high * (1.0 + 1e-9)]
            return seen[:: 1 + len(seen) // 6]
        step = round_step((self.high - self.low) / 4.0)
        return [step * k for k in range(math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9) + 1)]


class Histogram(NamedTuple):
    """Counts between edges, in a colour, under a name that a legend shows if there are several."""

    edges: Floats
    counts: Floats
    colour: str
    name: str = ""


def colours(count: int) -> list[str]:
    """So many colours, no two alike: those for colour-blind readers as far as they go, else around the circle."""
    if count <= len(COLOURS):
        return list(COLOURS[:count])
    return [_hex(colorsys.hls_to_rgb(k / count, (0.28, 0.45)[k % 2], 0.85)) for k in range(count)]


def histogram(title: str, bars: Sequence[Histogram], label: str, counted: str = "", mean: float | None = None) -> str:
    """Histograms on top of each other, the first filled, others as outlines; `mean` is a dashed line.

    label: the quantity, with its unit; counted: of what there are so many.
    """
    x = Axis(min(float(one.edges[0]) for one in bars), max(float(one.edges[-1]) for one in bars), LEFT, WIDTH - RIGHT)
    top = max(float(one.counts.max()) for one in bars) or 1.0
    room = 1.08 + 0.13 * sum(bool(one.name) for one in bars)  # above the bars, for the legend
    y = Axis(0.0, room * top, HEIGHT - BOTTOM, TOP)
    drawn = []
    for k, one in enumerate(bars):
        steps = np.repeat(np.append(one.counts, 0.0), 2)[:-1]
        places = np.repeat(one.edges, 2)[1:]
        points = [(float(one.edges[0]), 0.0), *zip(places.tolist(), steps.tolist(), strict=True)]
        fill = f'fill="{one.colour}" fill-opacity="0.55"' if k == 0 else 'fill="none"'
        drawn.append(f'<path d="{_path(points, x, y)}" {fill} stroke="{one.colour}"/>')
        if one.name:
            drawn.append(_text(WIDTH - RIGHT, TOP + 8 + 14 * k, one.name, "end", f'style="fill: {one.colour}"'))
    if mean is not None and x.low <= mean <= x.high:
        drawn.append(f'<path d="M{x.at(mean)} {TOP}V{HEIGHT - BOTTOM}" stroke="#1c2330" stroke-dasharray="4 3"/>')
    return _chart(title, x, y, (label, counted), drawn)


def log_curve(title: str, xs: Floats, ys: Floats, colour: str, labels: tuple[str, str]) -> str:
    """A line through points above 0, both axes logarithmic; labels: of x and of y, with units."""
    x = Axis(float(xs.min()), float(xs.max()), LEFT, WIDTH - RIGHT, True)
    low, high = float(ys.min()), float(ys.max())
    y = Axis(low / 1.5, high * 1.5, HEIGHT - BOTTOM, TOP, True)
    points = list(zip(xs.tolist(), ys.tolist(), strict=True))
    line = f'<path d="{_path(points, x, y)}" fill="none" stroke="{colour}" stroke-width="1.3"/>'
    return _chart(title, x, y, labels, [line])


def nothing(title: str, reason: str) -> str:
    """In place of a chart that cannot be drawn."""
    words = _text(WIDTH / 2, HEIGHT / 2, reason, "middle")
    return _svg(title, WIDTH, HEIGHT, [_title(title), words])


def shares(title: str, parts: Sequence[tuple[str, float, str]]) -> str:
    """One bar divided among parts (name, size, colour), with names and percentages beneath."""
    whole = sum(size for _, size, _ in parts) or 1.0
    drawn, at = [], 0.0
    for k, (name, size, colour) in enumerate(parts):
        width = 900.0 * size / whole
        drawn.append(f'<rect x="{at:.1f}" width="{width:.1f}" height="26" fill="{colour}"/>')
        drawn.append(f'<rect x="{225 * k}" y="36" width="11" height="11" fill="{colour}"/>')
        drawn.append(_text(225 * k + 16, 46, f"{name}: {size:.3g} s, {100.0 * size / whole:.1f} %"))
        at += width
    return f'<div style="max-width: 900px">{_svg(title, 900, 54, drawn)}</div>'


def round_step(least: float) -> float:
    """The smallest number not below `least` that is 1, 2 or 5 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(least))
    return next(step for step in (power, 2.0 * power, 5.0 * power, 10.0 * power) if step >= least * (1.0 - 1e-9))


def _chart(title: str, x: Axis, y: Axis, labels: tuple[str, str], drawn: Sequence[str]) -> str:
    bottom, middle = HEIGHT - BOTTOM, (TOP + HEIGHT - BOTTOM) / 2
    frame = [f'<path d="M{LEFT} {TOP}V{bottom}H{WIDTH - RIGHT}" fill="none" stroke="{GREY}"/>']
    for tick in x.ticks():
        frame.append(f'<path d="M{x.at(tick)} {bottom}v4" stroke="{GREY}"/>')
        frame.append(_text(x.at(tick), bottom + 15, f"{tick:.6g}", "middle"))
    # an axis that is not logarithmic has counts, of which there are no halves
    for tick in (tick for tick in y.ticks() if y.log or tick == round(tick)):
        frame.append(f'<path d="M{LEFT} {y.at(tick)}H{WIDTH - RIGHT}" stroke="#eef1f4"/>')
        frame.append(_text(LEFT - 5, y.at(tick) + 4, _short(tick), "end"))
    names = [
        _title(title),
        _text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 4, labels[0], "middle"),
        _text(11, middle, labels[1], "middle", f'transform="rotate(-90 11 {middle:g})"'),
    ]
    return _svg(title, WIDTH, HEIGHT, [*frame, *drawn, *names])


def _svg(title: str, width: int, height: int, drawn: Sequence[str]) -> str:
    head = f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="{escape(title)}">'
    return f"{head}{''.join(drawn)}</svg>"


def _title(words: str) -> str:
    """In full where it is short: the end says what the chart shows, the beginning whose it is."""
    short = words if len(words) <= 44 else f"{words[:16]}…{words[-27:]}"
    return _text(4, 14, short, "start", 'class="title"')


def _text(x: float, y: float, words: str, anchor: str = "start", more: str = "") -> str:
    return f'<text x="{x:g}" y="{y:g}" text-anchor="{anchor}" {more}>{escape(words)}</text>'


def _path(points: Sequence[tuple[float, float]], x: Axis, y: Axis) -> str:
    return "M" + "L".join(f"{x.at(a):g} {y.at(b):g}" for a, b in points)


def _short(value: float) -> str:
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:g}{letter}"
    return f"{value:g}"


def _hex(rgb: tuple[float, float, float]) -> str:
    return "#" + "".join(f"{round(255 * part):02x}" for part in rgb)
