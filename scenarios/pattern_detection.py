"""A neuron that finds a pattern hidden in noise, and learns to fire at its start (Masquelier et al. 2008)

Source: T. Masquelier, R. Guyonneau and S. J. Thorpe (2008), Spike timing dependent plasticity finds the start of
repeating patterns in continuous spike trains, PLoS ONE 3:e1377, as made precise by P. Hathway and D. F. M. Goodman
(2018), ReScience 4(1):6. 2,000 afferents fire at 64 Hz: a Poisson process whose rate wanders between 0 and 90 Hz, with
a spike at the latest 50 ms after the last one, and another of 10 Hz. In a quarter of all slots of 50 ms, never in two
that follow each other, half of the afferents repeat the same 50 ms, jittered by 1 ms. No rate tells when.

The neuron is the published spike response model, as an esn.LinearModel: its potential is counted in peaks of the EPSP
of a synapse of weight 1, and a spike at 500 of them clears what has come in. Plasticity is additive, and only pairs of
immediate neighbours count: with all pairs, or without a kernel of the EPSP, nothing is learned.

Expected, as published for the last third of 450 s: a spike in at least 98 % of the patterns, none outside of them, on
average less than 10 ms after the pattern began. Here this is looked for in the last 25 s of 100: six inputs apart from
these, in a program on a grid of 0.02 ms, were found within 12 to 35 s and answered after 5.7 to 10.7 ms. `--duration
450000` runs the published time.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

import eventsnn as esn

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

DURATION = 100_000.0  # ms
N = 2_000  # afferents
SLOT, TILE = 50.0, 1000.0  # ms: a pattern, and what is drawn at once
SLOTS = round(TILE / SLOT)
MOST_RATE, MOST_CHANGE, DRIFT = 90.0, 1800.0, 360.0  # Hz; Hz/s; Hz/s that the change itself changes by in each ms
SPONTANEOUS = 10.0  # Hz
TAU_M, TAU_S, THRESHOLD = 10.0, 2.5, 500.0  # ms, ms, EPSPs
WEIGHT, A_PLUS, A_MINUS = 0.475, 0.03125, 0.85  # at first; by which pairs change it; the second relative to the first
DELAY = 0.01  # ms: plastic synapses have one; the published ones have none
LAST = 25_000.0  # ms, in which it is looked at what was learned
PATTERN, BACKGROUND = 1, 0  # streams of random numbers


class SpikeResponse(esn.LinearModel):
    """The published spike response neuron; V_m in peaks of the EPSP of weight 1.

    After a spike at threshold T the potential is 2 T exp(-s / tau_m) - 4 T (exp(-s / tau_m) - exp(-s / tau_s)), and
    what came before is forgotten. It falls below T after 0.9 ms, so that it cannot fire in the first one.
    """

    parameters = {"tau_m": TAU_M, "tau_s": TAU_S, "V_th": THRESHOLD, "I_e": 0.0}

    def equations(self, p: Mapping[str, Floats]) -> esn.Linear:
        tau_m, tau_s, T = p["tau_m"], p["tau_s"], p["V_th"]
        ratio = tau_s / tau_m
        peak = ratio ** (tau_s / (tau_m - tau_s)) - ratio ** (
            tau_m / (tau_m - tau_s)
        )  # of exp(-s/tau_m) - exp(-s/tau_s)
        C_m = peak * tau_m * tau_s / (tau_m - tau_s)  # so that an input of 1 makes an EPSP whose peak is 1
        membrane = esn.Membrane(tau_m, C_m, 0.0, T, 1.0, reset=esn.Reset(jump=T), clamped=False)  # T + T
        return esn.Linear(
            membrane, [esn.Current("I_syn", tau_s, port="syn", reset=esn.Reset(scale=0.0, jump=-4.0 * T * peak))]
        )


def build(jitter: float = 1.0, frequency: float = 0.25, involved: float = 0.5, seed: int = 1) -> esn.Network:
    """jitter: ms; frequency: share of the slots with a pattern, up to a half; involved: share of the afferents that
    repeat it."""
    for name, value, most in (("jitter", jitter, 10.0), ("frequency", frequency, 0.5), ("involved", involved, 1.0)):
        if not 0.0 <= value <= most:
            raise esn.InputError(f"pattern_detection: {name} = {value:g} must lie in 0 to {most:g}")
    net = esn.Network(seed=seed)
    afferents = net.population(N, esn.SpikeSource([], []), name="afferents")
    neuron = net.population(1, SpikeResponse(), name="neuron")
    rule = esn.STDP(
        tau_plus=16.8, tau_minus=33.7, lambda_=A_PLUS, alpha=A_MINUS, mu_plus=0.0, mu_minus=0.0, w_max=1.0,
        pairing="nearest_restricted",
    )  # fmt: skip
    synapses = net.connect(
        afferents, neuron, esn.AllToAll(), weight=WEIGHT, delay=DELAY, plasticity=rule, name="synapses"
    )
    net.record(neuron, "spikes")
    net.record(neuron, "V_m", every=0.5)
    net.record(synapses, "weight", every=TILE)
    return net


# ---- input


def background(rng: np.random.Generator, ms: int) -> tuple[Floats, Ints]:
    """Times and afferents of spikes at rates that wander, and at least every 50 ms."""
    rate, change = (MOST_RATE * rng.random(N)).astype(np.float32), np.zeros(N, np.float32)
    rates = np.empty((ms, N), np.float32)
    steps = (2.0 * DRIFT) * rng.random((ms, N), np.float32) - np.float32(DRIFT)
    for k in range(ms):
        rates[k] = rate
        rate += np.float32(0.001) * change
        change += steps[k]
        for value, least, most in ((rate, 0.0, MOST_RATE), (change, -MOST_CHANGE, MOST_CHANGE)):
            np.maximum(value, np.float32(least), out=value)
            np.minimum(value, np.float32(most), out=value)
    step, ids = np.nonzero(rng.random((ms, N), np.float32) < np.float32(0.001) * rates)
    times: Floats = step + rng.random(step.size)
    # One spike of each before the beginning, and one behind the end: the gaps between them are filled.
    times = np.concatenate([times, rng.uniform(-SLOT, 0.0, N), np.full(N, float(ms))])
    ids = np.concatenate([ids, np.arange(N), np.arange(N)])
    order = np.lexsort((times, ids))
    times, ids = times[order], ids[order]
    missing = np.where(ids[1:] == ids[:-1], np.diff(times) // SLOT, 0.0).astype(np.int64)
    place = np.repeat(np.arange(missing.size), missing)
    ordinal = np.arange(place.size) - np.repeat(np.cumsum(missing) - missing, missing) + 1
    times, ids = np.append(times, times[place] + SLOT * ordinal), np.append(ids, ids[place])
    inside = (times >= 0.0) & (times < ms)
    return times[inside], ids[inside]


@cache
def pattern(seed: int, involved: float) -> tuple[Floats, Ints]:
    """Times from its beginning and afferents of the pattern: 50 ms of the same process, after 1 s of it."""
    times, ids = background(np.random.default_rng([seed, PATTERN]), round(TILE + SLOT))
    kept = (times >= TILE) & (ids < round(involved * N))
    return times[kept] - TILE, ids[kept]


def presentations(seed: int, frequency: float, stop: float) -> Floats:
    """When patterns begin (ms), before `stop`: in no two slots that follow each other."""
    starts = []
    k = round(frequency * SLOTS)
    for tile in range(int(np.ceil(stop / TILE))):
        rng = np.random.default_rng([seed, PATTERN, tile])
        slots = np.sort(rng.choice(SLOTS - k, k, replace=False)) + np.arange(k)  # the last one is always free
        starts.append(tile * TILE + SLOT * slots)
    begins: Floats = np.concatenate([*starts, np.empty(0)])
    return begins[begins < stop]


def tile_spikes(tile: int, parameters: Mapping[str, Any]) -> tuple[Floats, Ints]:
    """Times (ms) and afferents of one second of the input."""
    seed, involved = parameters["seed"], parameters["involved"]
    rng = np.random.default_rng([seed, BACKGROUND, tile])
    times, ids = background(rng, round(TILE))
    own_times, own_ids = pattern(seed, involved)
    begins = presentations(seed, parameters["frequency"], (tile + 1) * TILE)
    for begin in begins[begins >= tile * TILE] - tile * TILE:
        others = (times < begin) | (times >= begin + SLOT) | (ids >= round(involved * N))
        times, ids = np.append(times[others], begin + own_times), np.append(ids[others], own_ids)
    times = np.abs(times + rng.normal(0.0, parameters["jitter"], times.size))  # what would leave the tile comes back
    times = np.where(times >= TILE, np.nextafter(2.0 * TILE - times, 0.0), times)
    n = rng.poisson(SPONTANEOUS * N * TILE / 1000.0)
    times, ids = np.append(times, rng.uniform(0.0, TILE, n)), np.append(ids, rng.integers(0, N, n))
    return tile * TILE + times, ids


def run(net: esn.Network, duration: float, parameters: dict[str, Any], **options: Any) -> dict[str, Any]:
    """Give the afferents a second of their spikes at a time, so that memory does not grow with the duration."""
    stop = net.time + duration
    while net.time < stop:
        tile = int(net.time // TILE)
        end = min((tile + 1) * TILE, stop)
        times, ids = tile_spikes(tile, parameters)
        now = (times >= net.time) & (times < end)
        net.populations["afferents"].push(times[now], ids[now])
        net.run(until=end, **options)
    return {}


# ---- what was learned


def latencies(results: esn.Results) -> Floats:
    """For each spike of the neuron the time (ms) since the pattern that it falls into began, NaN outside of them."""
    given = results.summary["scenario"]["parameters"]
    begins = presentations(given["seed"], given["frequency"], results.t_stop)
    times = results.spikes["neuron"].times
    k = np.searchsorted(begins, times, side="right") - 1
    since: Floats = times - np.append(begins, -np.inf)[k]  # k = -1: before the first pattern
    return np.where(since < SLOT, since, np.nan)


def check(results: esn.Results) -> list[esn.Check]:
    """Patterns found, false alarms and latency in the last 25 s, for the published input and time enough to learn."""
    given = results.summary["scenario"]["parameters"]
    published = all(given[name] == value for name, value in {"jitter": 1.0, "frequency": 0.25, "involved": 0.5}.items())
    if not published or results.t_stop < DURATION:
        return []
    since, times = latencies(results), results.spikes["neuron"].times
    late = times >= results.t_stop - LAST
    inside = late & ~np.isnan(since)
    begins = presentations(given["seed"], given["frequency"], results.t_stop)
    begins = begins[(begins >= results.t_stop - LAST) & (begins + SLOT <= results.t_stop)]
    found = np.isin(np.round(begins), np.round((times - since)[inside])).mean()
    source = "Masquelier et al. 2008, criterion of success"
    return [
        esn.Check("patterns with a spike in the last 25 s (share)", float(found), 1.0, 0.02, source),
        esn.Check("spikes outside of patterns in the last 25 s", int((late & ~inside).sum()), 0, 0, source),
        esn.Check("mean latency in the last 25 s (ms)", float(since[inside].mean()), 5.0, 5.0, source),
    ]


def plot(results: esn.Results) -> Figure:
    """The published figures: latency from spike to spike, what has been learned, and V_m before, during and after."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(14.0, 8.0), layout="constrained")
    grid = figure.add_gridspec(2, 6, height_ratios=[1.3, 1.0])
    _draw_latencies(figure.add_subplot(grid[0, :3]), results)
    if results.t_stop >= TILE:
        _draw_weights(figure.add_subplot(grid[0, 3:]), results)
    width = min(500.0, results.t_stop)
    outside = results.spikes["neuron"].times[np.isnan(latencies(results))]
    found = outside[-1] if outside.size else results.t_stop / 2.0
    found = min(max(found - width / 2.0, width), max(results.t_stop - 2.0 * width, 0.0))
    windows = {"at first": 0.0, "as it finds the pattern": found, "at the end": results.t_stop - width}
    first = None
    for k, (title, start) in enumerate(windows.items()):
        panel = figure.add_subplot(grid[1, 2 * k : 2 * k + 2], sharey=first)
        _draw_potential(panel, results, title, start, start + width)
        first = first or panel
    figure.suptitle(
        f"One neuron, {N:,} afferents: it finds the 50 ms that come again, and moves its spike to their start",
        fontsize="x-large",
    )
    return figure


def _draw_latencies(panel: Axes, results: esn.Results) -> None:
    since = latencies(results)
    number = np.arange(since.size)
    outside = np.isnan(since)
    panel.plot(
        number[outside], np.zeros(outside.sum()), "|", color="#D55E00", markersize=9.0, label="outside of patterns"
    )
    panel.plot(number[~outside], since[~outside], ".", color="#0072B2", markersize=4.0, label="in a pattern")
    panel.set(xlabel="number of the spike", ylabel="time since the pattern began (ms)", ylim=(-3.0, SLOT))
    panel.set_title("When the neuron fires")
    panel.legend(loc="upper right", markerscale=2.0)
    panel.spines[["top", "right"]].set_visible(False)


def _draw_weights(panel: Axes, results: esn.Results) -> None:
    """Input around the last pattern, the colour of a spike being the weight of its synapse."""
    given = results.summary["scenario"]["parameters"]
    whole = int(results.t_stop // TILE)
    begins = presentations(given["seed"], given["frequency"], whole * TILE)
    middle = float(begins[-1]) if begins.size else whole * TILE - TILE / 2.0
    start, stop = middle - SLOT / 2.0, middle + 1.5 * SLOT
    times, ids = tile_spikes(whole - 1, given)
    shown = (times >= start) & (times < stop)
    weights = results.traces["synapses"].weight[:, -1]
    order = np.argsort(weights[ids[shown]])  # strong ones above weak ones
    dots = panel.scatter(
        times[shown][order] - middle, ids[shown][order], c=weights[ids[shown]][order], s=5.0, cmap="viridis_r",
        vmin=0.0, vmax=1.0, linewidths=0.0,
    )  # fmt: skip
    panel.figure.colorbar(dots, ax=panel, label="weight", pad=0.01)
    repeat = round(given["involved"] * N)
    if begins.size:
        panel.add_patch(_box((0.0, 0.0), SLOT, repeat, fill=False, edgecolor="black", linewidth=1.5))
    for t in results.spikes["neuron"].between(max(start, 0.0), min(stop, results.t_stop)).times:
        panel.axvline(t - middle, color="#D55E00", linewidth=2.0)
    panel.set(xlim=(start - middle, stop - middle), ylim=(0, N), xlabel="time since the pattern began (ms)")
    panel.set(ylabel="afferent", title="Weights at the end: box = pattern, line = the neuron's spike")


def _draw_potential(panel: Axes, results: esn.Results, title: str, start: float, stop: float) -> None:
    given = results.summary["scenario"]["parameters"]
    for begin in presentations(given["seed"], given["frequency"], stop):
        if begin + SLOT > start:
            panel.axvspan(begin / 1000.0, (begin + SLOT) / 1000.0, color="0.85", linewidth=0.0)
    traces = results.traces["neuron"]
    shown = (traces.times >= start) & (traces.times < stop)
    panel.plot(traces.times[shown] / 1000.0, traces.V_m[0, shown], color="#0072B2", linewidth=0.8)
    panel.axhline(THRESHOLD, color="0.4", linestyle="--", linewidth=1.0)
    spikes = results.spikes["neuron"].between(start, stop).times / 1000.0
    panel.plot(spikes, np.full(spikes.size, 2.1 * THRESHOLD), "|", color="#D55E00", markersize=9.0)
    panel.set(xlim=(start / 1000.0, stop / 1000.0), ylim=(-THRESHOLD, 2.3 * THRESHOLD), xlabel="time (s)", title=title)
    if start == 0.0:
        panel.set_ylabel("potential (EPSPs); grey: pattern")
    panel.spines[["top", "right"]].set_visible(False)


def _box(corner: tuple[float, float], width: float, height: float, **style: Any) -> Any:
    from matplotlib.patches import Rectangle

    return Rectangle(corner, width, height, **style)
