"""One value and one image through every code

Source: the codes of eventsnn.encode, each with its source in its docstring. The image is one of the 8 x 8 digits of E.
Alpaydin and C. Kaynak (1998), Optical Recognition of Handwritten Digits, UCI Machine Learning Repository.

Each code turns a value x in [0, 1], and the pixels of an image, into the spikes of a population of sources. Codes of
signals get a signal that rises to x and falls again, and the rows of the image as signals that run over its columns.

Expected: what the decoder of each code makes of the spikes is what was encoded: exact for latency, population,
send-on-delta (at its events) and bursts of two or more spikes; to half of the last bit for phase; the order of the
pixels for rank order; to half the distance of two receptive fields for population order; on average for rates.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

import eventsnn as esn
from eventsnn.encode import (
    BSA,
    Burst,
    Code,
    InhomogeneousRate,
    Latency,
    Phase,
    Population,
    PopulationOrder,
    RankOrder,
    Rate,
    SendOnDelta,
    Trains,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Floats = NDArray[np.float64]

DURATION = 300.0  # ms, longer than any code takes
# Intensities from 0 to 16, one a character.
ROWS = (
    "007FD100",
    "08D6F400",
    "021DD000",
    "002FB100",
    "0001CC10",
    "00001A80",
    "00845E90",
    "007DD900",
)
IMAGE = np.array([[int(pixel, 17) for pixel in row] for row in ROWS]) / 16.0
SIGNAL_STEPS = 200


class Use(NamedTuple):
    """A code, what it says in a few words, and whether it takes signals."""

    code: Code
    rule: str
    signal: bool = False


def uses(seed: int) -> dict[str, Use]:
    """The codes by their names in the picture."""
    return {
        "rate": Use(Rate(duration=100.0, rate_max=200.0, seed=seed), "random, at a rate proportional to x"),
        "latency": Use(Latency(duration=20.0), "the larger x, the earlier"),
        "rank order": Use(RankOrder(threshold=0.0), "only the order counts"),
        "population": Use(Population(m=8), "latencies of overlapping fields"),
        "population order": Use(PopulationOrder(m=8), "only the order of fields counts"),
        "phase": Use(Phase(bits=8), "binary digits, one each phase"),
        "burst": Use(Burst(n_max=5), "more spikes, closer together"),
        "rate of a signal": Use(
            InhomogeneousRate(dt=1.0, rate_max=200.0, seed=seed), "random, at a rate that x(t) sets", True
        ),
        "send-on-delta": Use(SendOnDelta(delta=0.1, dt=1.0), "x(t) has moved by 0.1, up (green) or down", True),
        "BSA": Use(BSA(dt=1.0), "filtered, the spikes are x(t)", True),
    }


def given(use: Use, x: float) -> dict[str, Floats]:
    """What the code is given of the value and of the image, one sample each."""
    if not use.signal:
        return {"value": np.array([[x]]), "image": IMAGE[np.newaxis]}
    rise = x * np.sin(np.pi * np.arange(SIGNAL_STEPS) / (SIGNAL_STEPS - 1)) ** 2
    columns = np.linspace(0.0, IMAGE.shape[1] - 1.0, SIGNAL_STEPS)
    rows = np.array([np.interp(columns, np.arange(IMAGE.shape[1]), row) for row in IMAGE])
    return {"value": rise[np.newaxis], "image": rows[np.newaxis]}


def build(x: float = 0.6, seed: int = 1) -> esn.Network:
    """x: the value, in [0, 1]; seed: of the random codes."""
    if not 0.0 <= x <= 1.0:
        raise esn.InputError(f"codes: x = {x!r} must lie in 0 to 1")
    net = esn.Network(seed=seed)
    for name, use in uses(seed).items():
        for what, data in given(use, x).items():
            trains = use.code.encode(data)
            net.population(trains.n, trains.to_source(), name=f"{name}, {what}")
    return net


def spikes_of(results: esn.Results, name: str, what: str, like: Trains) -> Trains:
    """The spikes that the network's sources fired, as Trains of the shape of those that were given."""
    spikes = results.spikes[f"{name}, {what}"]
    return Trains(spikes.times, spikes.ids.astype(np.int32), np.array([0, len(spikes)]), like.shape, like.duration)


def check(results: esn.Results) -> list[esn.Check]:
    """The largest difference of what is decoded from what was encoded, over value and image, for each code."""
    parameters = results.summary["scenario"]["parameters"]
    if results.t_stop < DURATION:
        return []
    checks = []
    for name, use in uses(parameters["seed"]).items():
        errors = []
        for what, data in given(use, parameters["x"]).items():
            fired = spikes_of(results, name, what, use.code.encode(data))
            errors.append(_error(use.code, fired, data))
        expected, tolerance, source = _bounds(use.code)
        checks.append(esn.Check(f"{name}: {_measure(use.code)}", max(errors), expected, tolerance, source))
    return checks


def _error(code: Code, fired: Trains, data: Floats) -> float:
    if isinstance(code, RankOrder):
        spiking = code.ranks(fired)[0].ravel() >= 0
        in_order = data.ravel()[spiking][np.argsort(code.ranks(fired)[0].ravel()[spiking])]
        return float(np.count_nonzero(np.diff(in_order) > 0.0))
    if isinstance(code, Rate | InhomogeneousRate):
        seconds = 0.1 if isinstance(code, Rate) else 0.001
        mean = code.rate_max * seconds * data.sum()
        return float(abs(fired.times.size - mean) / np.sqrt(max(mean, 1.0)))
    if isinstance(code, BSA):
        return float(np.sqrt(np.mean((code.decode(fired) - data) ** 2)))
    if isinstance(code, SendOnDelta):
        return float(np.abs(code.decode(fired, data[..., 0]) - data).max())
    assert isinstance(code, Latency | Population | PopulationOrder | Phase | Burst)
    return float(np.abs(code.decode(fired) - data).max())


def _measure(code: Code) -> str:
    if isinstance(code, RankOrder):
        return "pairs out of order"
    if isinstance(code, Rate | InhomogeneousRate):
        return "spikes off the mean (s.d.)"
    return "error (root mean square)" if isinstance(code, BSA) else "largest error"


def _bounds(code: Code) -> tuple[float, float, str]:
    if isinstance(code, Rate | InhomogeneousRate):
        return 0.0, 4.0, "Poisson; beyond it once in 16,000"
    if isinstance(code, PopulationOrder):
        return 0.0, 0.5 / (code.m - 2), "half the distance of two fields"
    if isinstance(code, Phase):
        return 0.0, 2.0**-code.bits, "the last bit"
    if isinstance(code, Burst):
        return 0.0, 0.5 / code.n_max, "a single spike has no interval"
    if isinstance(code, SendOnDelta):
        return 0.0, 2.0 * code.delta, "between events, twice delta"
    if isinstance(code, BSA):
        return 0.0, 0.1, "the filter is broader than the edges"
    return 0.0, 0.0 if isinstance(code, RankOrder) else 1e-12, "exact"


def plot(results: esn.Results) -> Figure:
    """The spikes of the value and of the image in every code."""
    from matplotlib.figure import Figure

    parameters = results.summary["scenario"]["parameters"]
    codes = uses(parameters["seed"])
    figure = Figure(figsize=(16.0, 11.0), layout="constrained")
    head, body = figure.subfigures(2, 1, height_ratios=[0.08, 1.0], squeeze=False)[:, 0]
    halves = body.subfigures(1, 2, wspace=0.04, squeeze=False)[0]
    for half, names in zip(halves, (list(codes)[:5], list(codes)[5:]), strict=True):
        panels = half.subplots(len(names), 2, width_ratios=[1.0, 1.3])
        for pair, name in zip(panels, names, strict=True):
            for panel, (what, data) in zip(pair, given(codes[name], parameters["x"]).items(), strict=True):
                fired = spikes_of(results, name, what, codes[name].code.encode(data))
                _draw(panel, fired, data, codes[name], what)
            pair[0].set_title(f"{name}: {codes[name].rule}", loc="left", fontweight="bold", pad=8.0)
        for panel in panels[-1]:
            panel.set_xlabel("time (ms)")
    title = f"The value {parameters['x']:g} (left panels) and this image (right panels) in ten codes"
    head.text(0.46, 0.45, title, fontsize="xx-large", ha="center", va="center")
    inset = head.add_axes((0.85, 0.04, 0.06, 0.88))
    inset.imshow(IMAGE, cmap="gray_r")
    inset.set(xticks=[], yticks=[])
    return figure


def _draw(panel: Axes, fired: Trains, data: Floats, use: Use, what: str) -> None:
    from matplotlib.ticker import MaxNLocator

    ids, colours = fired.ids, np.full(fired.times.size, "#0072B2")
    n = fired.n
    if isinstance(use.code, SendOnDelta):
        n //= 2
        ids, colours = ids % n, np.where(ids < n, "#D55E00", "#009E73")
    if n <= 16:
        half = 0.4 if n > 1 else 0.25
        panel.vlines(fired.times, ids - half, ids + half, colors=colours.tolist(), linewidth=1.6)
    else:
        panel.scatter(fired.times, ids, s=10.0 if n < 100 else 4.0, color=colours[0], linewidths=0)
    panel.set(xlim=(-0.02 * fired.duration, 1.02 * fired.duration), ylim=(n - 0.4, -0.6))
    panel.spines[["top", "right"]].set_visible(False)
    if what == "value" and use.signal:
        curve = panel.twinx()
        curve.plot(np.arange(data.size), data[0], color="0.6", zorder=0)
        curve.set(ylim=(-0.1, 1.1), yticks=[0.0, 1.0], ylabel="x(t)")
        panel.set_yticks([])
    elif n == 1:
        panel.set_yticks([])
    else:
        panel.yaxis.set_major_locator(MaxNLocator(4, integer=True, steps=[1, 2, 5, 10]))
        labels = {64: "pixel", 8: "row" if use.signal else "field"}
        panel.set_ylabel(labels.get(n, "field of pixel"))
