"""How regular, how correlated and how rhythmic populations are: four small charts for each."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from eventsnn.base.arrays import Floats
from eventsnn.results.recorded import Recorded
from eventsnn.results.report.charts import Histogram, histogram, log_curve, nothing
from eventsnn.results.spike_trains import SpikeTrains
from eventsnn.results.summaries import text

MOST_POPULATIONS = 12
BINS = 50
# Correlations: of so many neurons, drawn at this seed, in bins of so many ms, of which there are from .. to.
NEURONS, SEED, BIN, FEWEST, MOST = 200, 1, 5.0, 20, 20_000
# Spectra: in bins of so many ms, of pieces of so many bins, with at least so many spikes in bins of at most so many.
SPECTRUM_BIN, PIECE, FEWEST_SPIKES, MOST_BINS = 1.0, 1024, 100, 10_000_000

NOTES = (
    "ISI: all intervals between successive spikes of a neuron up to their 99th percentile; the dashed line is the mean "
    "of all of them. "
    "CV: standard deviation by mean of the intervals of each neuron with three spikes or more; 1 for a Poisson "
    "process, 0 for a regular one. "
    f"Correlation: Pearson's, of the spike counts of all pairs among up to {NEURONS} neurons that spike, drawn at a "
    f"fixed seed, in bins of {BIN:g} ms, of the first {MOST * BIN / 1000.0:g} s at most. "
    f"Spectrum: Welch's estimate for the mean rate of a neuron in bins of {SPECTRUM_BIN:g} ms, in Hann windows of up "
    f"to {PIECE} bins."
)


def population_charts(results: Recorded, colours: dict[str, str]) -> tuple[list[str], str]:
    """Charts of the populations with spikes, and what to say of those that are left out."""
    active = [trains for trains in results.spikes.values() if len(trains) and trains.n > 0]
    shown = sorted(active, key=len, reverse=True)[:MOST_POPULATIONS]
    charts: tuple[Callable[[SpikeTrains, str, str], str], ...] = (_isi, _cv, _correlations, _spectrum)
    drawn = [
        chart(trains, text(trains.name), colours[trains.name])
        for trains in active
        if trains in shown
        for chart in charts
    ]
    left = f"The {len(shown)} of {len(active):,} populations with the most spikes. " if len(shown) < len(active) else ""
    return drawn, left + NOTES


def correlations(trains: SpikeTrains) -> Floats:
    """Pearson's correlation of the spike counts of pairs of neurons that spike, in bins of BIN ms; empty if bins or
    neurons are too few."""
    counts = standard_counts(trains)
    pairs: Floats = (counts @ counts.T)[np.triu_indices(len(counts), 1)]
    return pairs


def mean_correlation(trains: SpikeTrains) -> float:
    """The mean of `correlations`; NaN if there are none.

    With the length of the sum of all k vectors of counts, whose own length is 1, it is (length^2 - k) / (k (k - 1)):
    sums that NumPy makes in one order, while the last bits of a product of matrices depend on the threads it has.
    """
    counts = standard_counts(trains)
    k = len(counts)
    return float(((counts.sum(axis=0) ** 2).sum() - k) / (k * (k - 1))) if k > 1 else math.nan


def standard_counts(trains: SpikeTrains) -> Floats:
    """Spike counts of some neurons in bins of BIN ms, a row each, less their mean and of length 1; no rows if bins or
    neurons are too few."""
    bins = min(int((trains.t_stop - trains.t_start) / BIN * (1.0 + 1e-12)), MOST)
    shown = int(np.searchsorted(trains.times, trains.t_start + bins * BIN))
    rows, times = trains.rows[:shown], trains.times[:shown]
    spiking = np.unique(rows)
    if bins < FEWEST or spiking.size < 2:
        return np.empty((0, 0))
    drawn = np.random.default_rng(SEED).permutation(spiking)[:NEURONS]
    place = np.full(trains.n, -1)
    place[drawn] = np.arange(drawn.size)
    mine = place[rows] >= 0
    bin_of = np.minimum((times[mine] - trains.t_start) / BIN, bins - 1).astype(np.int64)
    flat = np.bincount(place[rows[mine]] * bins + bin_of, minlength=drawn.size * bins)
    counts = flat.reshape(drawn.size, bins).astype(np.float64)
    counts -= counts.mean(axis=1, keepdims=True)
    size = np.sqrt((counts**2).sum(axis=1))
    standard: Floats = counts[size > 0.0] / size[size > 0.0, np.newaxis]
    return standard


def spectrum(trains: SpikeTrains) -> tuple[Floats, Floats]:
    """Frequencies (Hz) above 0 and the power (Hz^2/Hz) of the population's rate there; empty if there are too few bins
    or spikes, or too many bins."""
    from matplotlib import mlab  # as good as scipy.signal, and imported in a quarter of the time

    bins = (trains.t_stop - trains.t_start) / SPECTRUM_BIN
    if not (FEWEST <= bins <= MOST_BINS and len(trains) >= FEWEST_SPIKES):
        return np.empty(0), np.empty(0)
    edges, rate = trains.psth(SPECTRUM_BIN)
    whole = rate[: int(bins * (1.0 + 1e-12))]
    n = min(PIECE, whole.size)
    hann = np.hanning(n + 1)[:-1]
    found = mlab.psd(whole, n, 1000.0 / SPECTRUM_BIN, detrend="mean", window=hann, noverlap=n // 2)
    power, frequencies = (np.asarray(part, dtype=np.float64) for part in found)
    seen = (frequencies > 0.0) & (power > 0.0)
    return frequencies[seen], power[seen]


def _isi(trains: SpikeTrains, name: str, colour: str) -> str:
    isi, title = trains.isi(), f"{name}: ISI"
    if not isi.size:
        return nothing(title, "no neuron spikes twice")
    high = float(np.quantile(isi, 0.99, method="higher")) * 1.001  # of few intervals, the longest
    return _histogram(title, isi, 0.0, high or 1.0, colour, ("interval (ms)", "intervals"), float(isi.mean()))


def _cv(trains: SpikeTrains, name: str, colour: str) -> str:
    cv, title = trains.cv(), f"{name}: CV of ISI"
    cv = cv[np.isfinite(cv)]
    if not cv.size:
        return nothing(title, "no neuron spikes three times")
    return _histogram(
        title, cv, 0.0, max(float(cv.max()), 1.5), colour, ("CV of a neuron", "neurons"), float(cv.mean())
    )


def _correlations(trains: SpikeTrains, name: str, colour: str) -> str:
    pairs, title = correlations(trains), f"{name}: correlation"
    if not pairs.size:
        return nothing(title, "too few neurons or bins")
    low, high = float(pairs.min()), float(pairs.max())
    margin = max(0.05 * (high - low), 0.02)
    low, high = low - margin, high + margin
    return _histogram(title, pairs, low, high, colour, ("correlation of a pair", "pairs"), float(pairs.mean()))


def _histogram(
    title: str, values: Floats, low: float, high: float, colour: str, labels: tuple[str, str], mean: float
) -> str:
    counts, edges = np.histogram(values, BINS, (low, high))
    return histogram(title, [Histogram(edges, counts.astype(np.float64), colour)], *labels, mean)


def _spectrum(trains: SpikeTrains, name: str, colour: str) -> str:
    frequencies, power = spectrum(trains)
    title = f"{name}: spectrum of the rate"
    if frequencies.size < 2:
        return nothing(title, "too few spikes or bins")
    return log_curve(title, frequencies, power, colour, ("frequency (Hz)", "power (Hz²/Hz)"))
