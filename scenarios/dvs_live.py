"""An event camera that is heard live: a million events a second, chunk by chunk, into 10,000 neurons

Source: the setting is that of T. Delbruck (2008), Frame-free dynamic digital vision, Intl Symp. on Secure-Life
Electronics, 21-26: events are passed on in packets, and a filter keeps those that neighbours support. The scene is made
here, so that it is known what is signal and what is noise.

A bar turns before a sensor of 100 x 100 pixels, two turns a second. Half of the events lie on it, half are noise
anywhere. What the camera has sent in the last `chunk` ms is pushed into the network, which then runs on to the present
and waits for the next packet, as a robot's would. A layer of neurons, one a pixel, has 3 x 3 synapses each: many events
in the same place within a few milliseconds make a neuron fire, single ones do not.

Measured: how much of the time one core is busy, which must be less than 1 to keep up, and the delay from the event that
makes a neuron fire to the moment at which its spike can be read: the rest of its packet, and the work. They stand in
the summary and the picture, since they depend on the machine. Expected: the spikes are the same however the stream is
cut, and lie on the bar, although half of the events do not.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

import eventsnn as esn

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

DURATION = 1000.0  # ms
SIDE = 100  # pixels
TURNS = 2.0  # of the bar, a second
LENGTH, WIDTH = 45.0, 1.5  # pixels from the middle to the end of the bar, and from its middle line to its edge
DELAY = 0.5  # ms
TILE = 1.0  # ms, for which events are drawn at once
NEAR = 3.5  # pixels from the middle line of the bar: its edge, and the reach of a neuron


def build(rate: float = 1e6, chunk: float = 10.0, seed: int = 1) -> esn.Network:
    """rate: events a second. chunk: ms of events that are pushed at once; no spike depends on it."""
    for name, value in (("rate", rate), ("chunk", chunk)):
        if not 0.0 < value < np.inf:
            raise esn.InputError(f"{name} = {value:g} must be a finite number above 0")
    net = esn.Network(seed=seed)
    camera = net.population(SIDE * SIDE, esn.SpikeSource([], []), name="camera")
    lif = esn.LIFDelta(tau_m=2.0, E_L=0.0, V_th=12.0, V_reset=0.0, t_ref=5.0)
    layer = net.population(SIDE * SIDE, lif, name="layer")
    net.connect(camera, layer, esn.Conv2D(np.ones((3, 3)), (SIDE, SIDE), padding=1), weight=1.0, delay=DELAY)
    net.record(layer, "spikes")
    return net


def angle(t: Floats) -> Floats:
    """Of the bar, in radians, at times in ms."""
    return 2.0 * np.pi * TURNS * t / 1000.0


def events(start: float, stop: float, rate: float, seed: int) -> tuple[Floats, Ints]:
    """Times (ms) and pixels of what the camera sends from start to stop, the same however time is cut."""
    times, pixels = [], []
    for tile in range(int(start // TILE), int(np.ceil(stop / TILE))):
        rng = np.random.default_rng([seed, tile])
        n = rng.poisson(rate * TILE / 1000.0)
        t = (tile + rng.random(n)) * TILE
        along, across = rng.uniform(-LENGTH, LENGTH, n), rng.uniform(-WIDTH, WIDTH, n)
        turned, middle = angle(t), SIDE / 2.0
        x = middle + along * np.cos(turned) - across * np.sin(turned)
        y = middle + along * np.sin(turned) + across * np.cos(turned)
        noise = rng.random(n) < 0.5
        x, y = np.where(noise, rng.uniform(0.0, SIDE, n), x), np.where(noise, rng.uniform(0.0, SIDE, n), y)
        here = (t >= start) & (t < stop)
        times.append(t[here])
        pixels.append(y[here].astype(np.int64) * SIDE + x[here].astype(np.int64))
    return np.concatenate(times), np.concatenate(pixels)


def run(net: esn.Network, duration: float, parameters: dict[str, Any], **options: Any) -> dict[str, Any]:
    """Push what the camera has sent, run to the present, and so on; what was measured."""
    chunk, rate, seed = (parameters[name] for name in ("chunk", "rate", "seed"))
    camera = net.populations["camera"]
    net.run(0.0, **options)  # the network is compiled before it goes live
    start, delays, busy = net.time, [np.empty(0)], []
    known = 0
    for k in range(int(np.ceil(duration / chunk))):
        begin, end = start + k * chunk, min(start + (k + 1) * chunk, start + duration)
        packet = events(begin, end, rate, seed)
        woken = time.perf_counter()
        camera.push(*packet)
        spikes = net.run(until=end, **options).spikes["layer"].times
        work = 1000.0 * (time.perf_counter() - woken)
        busy.append(work / (end - begin))
        delays.append(end + work - (spikes[known:] - DELAY))
        known = spikes.size
    every = np.concatenate(delays)
    p50, p99 = np.percentile(every, [50.0, 99.0]).tolist() if every.size else (None, None)
    return {"busy": busy, "delay_p50_ms": p50, "delay_p99_ms": p99}


def distances(times: Floats, pixels: Ints) -> Floats:
    """From the middle line of the bar, in pixels."""
    y, x = np.divmod(pixels, SIDE)
    turned = angle(times)
    x, y = x + 0.5 - SIDE / 2.0, y + 0.5 - SIDE / 2.0
    along, across = x * np.cos(turned) + y * np.sin(turned), -x * np.sin(turned) + y * np.cos(turned)
    beyond: Floats = np.hypot(across, np.maximum(np.abs(along) - LENGTH, 0.0))
    return beyond


def on_the_bar(results: esn.Results) -> float:
    """The part of the layer's spikes that lie on the bar, as it was when the events were sent."""
    spikes = results.spikes["layer"]
    return float(np.mean(distances(spikes.times - DELAY, spikes.ids) < NEAR)) if len(spikes) else np.nan


def check(results: esn.Results) -> list[esn.Check]:
    """Where the layer fires, if there are events enough for it to fire."""
    if not len(results.spikes["layer"]):
        return []
    return [esn.Check("spikes of the layer on the bar, a part of all", on_the_bar(results), 1.0, 0.02, "the scene")]


def plot(results: esn.Results) -> Figure:
    """The last events and spikes, and how much of the time each packet took."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12.0, 5.6), layout="constrained")
    scene, load = figure.subplots(1, 2, width_ratios=[1.0, 1.3])
    told = results.summary["scenario"]["parameters"]
    shown = min(5.0, results.t_stop)
    times, pixels = events(results.t_stop - shown, results.t_stop, told["rate"], told["seed"])
    spikes = results.spikes["layer"]
    late = spikes.ids[spikes.times >= results.t_stop - shown]
    scene.plot(pixels % SIDE, pixels // SIDE, ".", color="0.6", markersize=2.0, label=f"{pixels.size:,} events")
    scene.plot(late % SIDE, late // SIDE, "o", color="#0072B2", markersize=4.0, label=f"{late.size:,} spikes")
    scene.set(xlim=(0, SIDE), ylim=(SIDE, 0), aspect="equal", xlabel="x (pixels)", ylabel="y (pixels)")
    scene.set_title(f"the last {shown:g} ms")
    scene.legend(loc="upper center", bbox_to_anchor=(0.5, -0.12), ncol=2, frameon=False, markerscale=2.0)
    live = {"busy": [], "delay_p50_ms": None} | results.summary["live"]  # nothing is measured of a run that was stopped
    load.plot(told["chunk"] * (np.arange(len(live["busy"])) + 1.0), live["busy"], color="#D55E00")
    load.axhline(1.0, color="0.4", linestyle="--")
    load.annotate("real time", (0.01, 1.0), xycoords=("axes fraction", "data"), va="bottom", color="0.3")
    load.set(xlim=(0.0, results.t_stop), xlabel="time (ms)", ylabel="work for a packet / its length")
    load.set(ylim=(0.0, max([1.2, *live["busy"]])))
    if live["delay_p50_ms"] is not None:
        load.set_title(
            f"from event to spike: {live['delay_p50_ms']:.1f} ms (median), {live['delay_p99_ms']:.1f} ms (99 %)"
        )
    for panel in (scene, load):
        panel.spines[["top", "right"]].set_visible(False)
    figure.suptitle(
        f"{told['rate']:,.0f} events a second, packets of {told['chunk']:g} ms: "
        f"{100.0 * on_the_bar(results):.1f} % of {len(spikes):,} spikes on the bar",
        fontsize="x-large",
    )
    return figure
