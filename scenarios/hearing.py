"""A chord and five vowels through the cochlea into spiking neurons

Source: pitch and formants of G. E. Peterson and H. L. Barney (1952), Control methods used in a study of the vowels, J
Acoust Soc Am 24:175-184, table II, men and women; the cochlea is `eventsnn.encode.Cochlea`.

A speaker, man and woman in turn, says a, e, i, o and u, as in hod, head, heed, hawed and who'd. All formants of a
speaker are higher or lower by one factor, with a standard deviation of 5 %, and each of them besides by 10 % (the first
two) or 8 % (the third); pitch is by 12 %, and from vowel to vowel by 4 %. This is about how the men and the women of
the source differ among themselves. A vowel is a train of pulses through three resonators of bandwidths 60, 90 and 150
Hz. The chord is A major: A3, E4 and C#5 with two overtones each. All sounds last 80 ms and are equally loud.

Each channel of the cochlea drives an LIF neuron, a cell, which one spike lifts to 60 % of its threshold. Each cell
projects to five LIF neurons, one a vowel. Its weight to that of vowel v is learnt from other speakers, 16 of them: the
mean spike counts of all cells at v, scaled to a vector of length 1, less the mean of the five vectors. The vowel told
is that of the neuron with the most spikes, of several the one that began first. The linear readout for comparison: the
vowel whose mean over the 16 speakers is nearest, in energies of the same filters in dB.

Expected: up to the highest tone, cells spike more often than both neighbours where, and only where, their channel is
the nearest to a tone. Of the 100 vowels of 20 new speakers, spikes tell 92.1 % and the linear readout 91.3 %, as means
of 20 seeds with standard deviations of 2.4 and 3.3 %; chance is 20 %.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

import eventsnn as esn
from eventsnn import encode
from eventsnn.draw.streams import stream_key
from eventsnn.encode.sound import Cochlea

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

VOWELS = "aeiou"
SPEAKERS = 20  # to be told, none of which is learnt from
EVERY, SOUND, RAMP = 100.0, 80.0, 10.0  # ms, from one sound to the next, of a sound, of its beginning and end
DURATION = EVERY * (1 + len(VOWELS) * SPEAKERS)  # ms, the chord and all vowels

RATE = 8_000.0  # Hz, of sampling
LOUDNESS = 0.1  # root mean square

# Of the shares of vowels told with 20 seeds: the mean, and 4 of the larger standard deviation.
SHARE, TOLERANCE = 0.92, 0.13

# Pitch and three formants (Hz) of each vowel, by men and by women.
MEANS = np.array(
    [
        [
            [124.0, 730.0, 1090.0, 2440.0],
            [130.0, 530.0, 1840.0, 2480.0],
            [136.0, 270.0, 2290.0, 3010.0],
            [129.0, 570.0, 840.0, 2410.0],
            [141.0, 300.0, 870.0, 2240.0],
        ],
        [
            [212.0, 850.0, 1220.0, 2810.0],
            [223.0, 610.0, 2330.0, 2990.0],
            [235.0, 310.0, 2790.0, 3310.0],
            [216.0, 590.0, 920.0, 2710.0],
            [231.0, 370.0, 950.0, 2670.0],
        ],
    ]
)
OF_SPEAKER = np.array([0.12, 0.05, 0.05, 0.05])  # standard deviations of logarithms: pitch, and all formants alike
OF_VOWEL = np.array([0.04, 0.10, 0.10, 0.08])
BANDWIDTHS = np.array([60.0, 90.0, 150.0])  # Hz
TONES = 440.0 * 2.0 ** (np.array([-12.0, -5.0, 4.0]) / 12.0)  # Hz, A3, E4 and C#5

TAU_M, C_M, DELAY = 10.0, 250.0, 1.0  # ms, pF, ms
LIF = esn.LIFExp(tau_m=TAU_M, C_m=C_M, tau_syn_ex=TAU_M / 2.0, tau_syn_in=TAU_M / 2.0)
# Of the threshold of 15 mV; with tau_m = 2 tau_syn the potential after an input has its peak at R w / 4.
EAR_TO_CELL = 0.6 * 15.0 * 4.0 * C_M / TAU_M  # pA
CELL_TO_VOWEL = 2000.0  # pA


def build(channels: int = 24, gain: float = 200.0, training: int = 16, seed: int = 1) -> esn.Network:
    """Channels and gain of the cochlea; number of speakers to learn from; seed of what all speakers are like."""
    if not 1 <= training <= 1000:
        raise esn.InputError(f"hearing: training = {training} speakers must be from 1 to 1000")
    if channels < 3:
        raise esn.InputError(f"hearing: channels = {channels} must be 3 or more, so that one has two neighbours")
    cochlea = ear(channels, gain)
    learnt, new = vowels(training, seed)
    weights = templates(cochlea.encode(learnt))

    net = esn.Network()
    cells = listen(net, cochlea.encode(np.concatenate([chord()[np.newaxis], new])))
    answers = net.population(len(VOWELS), LIF, name="vowels")
    net.connect(cells, answers, esn.AllToAll(), weight=CELL_TO_VOWEL * (weights - weights.mean(axis=0)).T, delay=DELAY)
    return net


def ear(channels: int, gain: float) -> Cochlea:
    return Cochlea(sample_rate=RATE, channels=channels, f_low=100.0, f_high=3_600.0, gain=gain)


def listen(net: esn.Network, trains: encode.Trains) -> esn.Population:
    """Cells, to which the ears are presented one sound after another."""
    ears = net.population(trains.n, encode.present(trains, every=EVERY).to_source(), name="ears")
    cells = net.population(trains.n, LIF, name="cells")
    net.connect(ears, cells, esn.OneToOne(), weight=EAR_TO_CELL, delay=DELAY)
    return cells


def templates(trains: encode.Trains) -> Floats:
    """Mean spike counts of the cells for each vowel, as vectors of length 1, shape (vowels, channels)."""
    net = esn.Network()
    listen(net, trains)
    counts = net.run(EVERY * len(trains)).by_sample(every=EVERY)["cells"].counts()
    means = counts.reshape(-1, len(VOWELS), trains.n).mean(axis=0)
    length: Floats = np.linalg.norm(means, axis=1, keepdims=True)
    return np.asarray(means / np.maximum(length, 1.0))


# ---- sounds


def formants(speakers: int, seed: int) -> Floats:
    """Pitch and three formants (Hz) of men and women in turn, shape (speakers, vowels, 4)."""
    n = MEANS.shape[2] * (1 + len(VOWELS))
    index = np.arange(speakers * n, dtype=np.uint64)
    z = esn.Normal(0.0, 1.0).sample(stream_key(seed, "hearing", "speakers"), index).reshape(speakers, n)
    of_vowel = OF_VOWEL * z[:, 4:].reshape(speakers, len(VOWELS), 4)
    # One factor for all formants, another for pitch.
    of_speaker = OF_SPEAKER * z[:, np.newaxis, [0, 1, 1, 1]]
    return np.asarray(MEANS[np.arange(speakers) % 2] * np.exp(of_speaker + of_vowel))


def vowels(training: int, seed: int) -> tuple[Floats, Floats]:
    """Sounds to learn from and sounds to tell, shape (speakers * vowels, time): sample 5 k + v is vowel v of k."""
    spoken = np.array([vowel(*of) for of in formants(training + SPEAKERS, seed).reshape(-1, 4)])
    return spoken[: len(VOWELS) * training], spoken[len(VOWELS) * training :]


def vowel(pitch: float, *formants: float) -> Floats:
    """Pulses at this rate (Hz) through resonators at the formants (Hz), in the steady state: a sum of harmonics."""
    harmonics = pitch * np.arange(1.0, RATE / 2.0 // pitch + 1.0)
    s = 2j * np.pi * harmonics[:, np.newaxis]
    pole = -np.pi * BANDWIDTHS + 2j * np.pi * np.array(formants)
    return sound(harmonics, (np.abs(pole) ** 2 / ((s - pole) * (s - pole.conj()))).prod(axis=1))


def chord() -> Floats:
    overtone = np.arange(1.0, 4.0)
    return sound(np.outer(TONES, overtone).ravel(), np.tile(-1j / overtone**2, len(TONES)))


def sound(frequencies: Floats, amplitudes: NDArray[np.complex128]) -> Floats:
    """The real part of a sum of exponentials, faded in and out, of a given loudness."""
    t = np.arange(SOUND * RATE / 1000.0) / RATE  # s
    wave = (amplitudes @ np.exp(2j * np.pi * np.outer(frequencies, t))).real
    wave *= np.minimum(np.minimum(t, t[::-1]) / (RAMP / 1000.0), 1.0)
    return np.asarray(LOUDNESS * wave / np.sqrt((wave**2).mean()))


# ---- answers


def shown(results: esn.Results, name: str) -> encode.Trains:
    """The spikes of a population at the chord and at each vowel; of a run that ends before, at part of the chord."""
    return results.by_sample(every=min(EVERY, results.t_stop))[name]


def told(results: esn.Results) -> Ints:
    """The vowel told of each sound but the chord, -1 if no neuron spikes, shape (sounds,)."""
    answers = shown(results, "vowels")[1:]
    counts = answers.counts()
    # Of neurons with equally many spikes the one that began first.
    best = (counts - np.nan_to_num(answers.first()) / EVERY).argmax(axis=1)
    return np.where(counts.any(axis=1), best, -1)


def told_linearly(results: esn.Results) -> Ints:
    """The vowel with the nearest mean of the filters' energies in dB, for the same sounds, shape (sounds,)."""
    given = results.summary["scenario"]["parameters"]
    cochlea = ear(given["channels"], given["gain"])
    sounds = vowels(given["training"], given["seed"])
    learnt, heard = (10.0 * np.log10((cochlea.filtered(x) ** 2).mean(axis=2)) for x in sounds)
    means = learnt.reshape(-1, len(VOWELS), cochlea.channels).mean(axis=0)
    distance = ((heard[:, np.newaxis] - means) ** 2).sum(axis=2)
    return np.asarray(distance.argmin(axis=1)[: len(shown(results, "vowels")) - 1])


def spoken(told: Ints) -> Ints:
    """The vowel that each of the sounds is."""
    return np.arange(told.size) % len(VOWELS)


def share(told: Ints) -> float:
    """Of the sounds, those whose vowel is told."""
    return float((told == spoken(told)).mean()) if told.size else math.nan


def maxima(counts: Ints) -> list[int]:
    """Cells that spike more often than both of their neighbours."""
    inner = counts[1:-1]
    return (1 + np.flatnonzero((inner > counts[:-2]) & (inner > counts[2:]))).tolist()


def check(results: esn.Results) -> list[esn.Check]:
    """Tones of the chord; the share of vowels that is told, if all were said and the ears are the usual ones."""
    given = results.summary["scenario"]["parameters"]
    if results.t_stop < EVERY or (given["channels"], given["gain"]) != (24, 200.0):
        return []
    frequencies = ear(given["channels"], given["gain"]).frequencies
    nearest = np.abs(frequencies - TONES[:, np.newaxis]).argmin(axis=1)
    found = [cell for cell in maxima(shown(results, "cells").counts()[0]) if cell <= nearest.max()]
    wrong = len(set(found) ^ set(nearest.tolist()))
    checks = [esn.Check("maxima that are no tones, tones that are no maxima", wrong, 0, 0, "the three tones")]
    if results.t_stop >= DURATION and given["training"] == 16:
        source = "mean of 20 seeds; chance is 0.2"
        for by, answers in (("spikes", told(results)), ("a linear readout of energies", told_linearly(results))):
            checks.append(esn.Check(f"share of vowels told by {by}", share(answers), SHARE, TOLERANCE, source))
    return checks


# ---- picture

SPIKE, OTHER, FORMANT, RIGHT, WRONG = "0.15", "0.6", "#0072B2", "#009E73", "#D55E00"


def plot(results: esn.Results) -> Figure:
    """Spikes of ears and vowel neurons at the chord and the vowels of one speaker; what is told of all speakers."""
    from matplotlib.figure import Figure

    given = results.summary["scenario"]["parameters"]
    frequencies = ear(given["channels"], given["gain"]).frequencies
    peaks = [TONES, *formants(given["training"] + 1, given["seed"])[-1, :, 1:]]
    ears, neurons, answers = shown(results, "ears"), shown(results, "vowels"), told(results)
    figure = Figure(figsize=(14.0, 7.2), layout="constrained")
    panels = figure.subplots(2, 7, width_ratios=[1.0] * 6 + [2.8], height_ratios=[3.0, 1.0])
    for k, (above, below) in enumerate(panels[:, :6].T):
        above.set_title(f"\u201c{VOWELS[k - 1]}\u201d" if k else "A major chord")
        above.plot(np.full(len(peaks[k]), EVERY), np.interp(peaks[k], frequencies, np.arange(frequencies.size)), "<",
                   color=FORMANT, markersize=9.0, clip_on=False)  # fmt: skip
        if k < len(ears):
            _raster(above, ears[k], [SPIKE] * ears.n)
            colours = [OTHER] * len(VOWELS)
            if k and answers[k - 1] >= 0:
                colours[answers[k - 1]] = RIGHT if answers[k - 1] == k - 1 else WRONG
            _raster(below, neurons[k], colours)
    _label(panels[:, :6], frequencies)
    _confusion(panels[0, 6], answers)
    _shares(panels[1, 6], answers, told_linearly(results))
    _explain(figure, share(answers))
    return figure


def _explain(figure: Figure, told: float) -> None:
    from matplotlib.lines import Line2D

    handles = [
        Line2D([], [], color=FORMANT, marker="<", linestyle="", markersize=9.0, label="tones, formants"),
        Line2D([], [], color=SPIKE, label="hair cell spikes"),
        Line2D([], [], color=RIGHT, label="vowel told, right"),
        Line2D([], [], color=WRONG, label="vowel told, wrong"),
        Line2D([], [], color=OTHER, label="other vowel neurons"),
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=len(handles), frameon=False)
    how_many = "the vowels" if math.isnan(told) else f"{told:.0%} of the vowels"
    title = f"Five LIF neurons tell {how_many} of new speakers from the spikes of a cochlea"
    figure.suptitle(title, fontsize="x-large")


def _raster(panel: Axes, trains: encode.Trains, colours: list[str]) -> None:
    rows = [trains.times[trains.ids == i] for i in range(trains.n)]
    panel.eventplot(rows, colors=colours, linelengths=0.8, linewidths=0.9)


def _label(panels: NDArray[np.object_], frequencies: Floats) -> None:
    hertz = [100, 200, 500, 1000, 2000, 3000]
    for above, below in panels.T:
        above.set(xlim=(0.0, EVERY), ylim=(-0.7, frequencies.size - 0.3), xticks=[0, 50, 100], xticklabels=[])
        above.set_yticks(np.interp(hertz, frequencies, np.arange(frequencies.size)), [])
        below.set(xlim=(0.0, EVERY), ylim=(4.6, -0.6), xticks=[0, 50, 100], xlabel="time (ms)")
        below.set_yticks(range(5), [])
        for panel in (above, below):
            panel.spines[["top", "right"]].set_visible(False)
    panels[0, 0].set_yticklabels([f"{f:,}" for f in hertz])
    panels[0, 0].set_ylabel("centre frequency of the ear's channel (Hz)")
    panels[1, 0].set_yticklabels(VOWELS)
    panels[1, 0].set_ylabel("vowel neuron")


def _confusion(panel: Axes, answers: Ints) -> None:
    table = np.zeros((len(VOWELS), len(VOWELS)), dtype=np.int64)
    np.add.at(table, (spoken(answers)[answers >= 0], answers[answers >= 0]), 1)
    panel.imshow(table, cmap="Greens", vmin=0, vmax=1.4 * max(table.max(), 1))
    for (row, column), count in np.ndenumerate(table):
        panel.text(column, row, str(count) if count else "", ha="center", va="center", fontsize="large")
    panel.set(xlabel="told by spikes", ylabel="spoken")
    panel.set_xticks(range(5), VOWELS)
    panel.set_yticks(range(5), VOWELS)
    panel.tick_params(length=0)
    panel.set_title(f"vowels of {-(-answers.size // len(VOWELS))} new speakers")


def _shares(panel: Axes, answers: Ints, linearly: Ints) -> None:
    shares = {
        "chance": 1.0 / len(VOWELS),
        "linear readout\nof energies (dB)": share(linearly),
        "spikes": share(answers),
    }
    bars = panel.barh(list(shares), [100.0 * value for value in shares.values()], color=["0.75", FORMANT, RIGHT])
    panel.bar_label(bars, fmt="%.0f %%", padding=3.0)
    panel.set(xlabel="vowels told (%)", xlim=(0.0, 115.0), xticks=[0, 50, 100])
    panel.tick_params(axis="y", length=0)
    panel.spines[["top", "right"]].set_visible(False)
