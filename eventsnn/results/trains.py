"""Trains: spike trains of many samples and channels, what every encoder returns and `Results.by_sample` cuts out."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from eventsnn.describe.spike_source import SpikeSource
from eventsnn.results.sampled_spikes import SampledSpikes
from eventsnn.results.storage_of_trains import read_trains, save_trains

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class Trains(SampledSpikes):
    """Spike trains of samples that each have the same channels, such as images of pixels.

    Attributes:
        times: ms since the sample began, float64, shape (spikes,).
        ids: the channel that spikes, int32, shape (spikes,): its number when `shape` is counted row by row.
        offsets: sample k has the spikes offsets[k]:offsets[k + 1], int64, shape (samples + 1,).
        shape: of the channels of a sample, such as (28, 28).
        duration: of a sample, ms.

    The spikes of a sample are sorted by time, those of one time by channel. Arrays are read-only. `len(trains)` is the
    number of samples, `trains.n` that of channels.

    Index it as an array of shape (samples, *shape): `trains[3]`, `trains[:100]`, `trains[..., 5]`, `trains[mask, 2:4]`.
    The answer are Trains again. The first index picks samples, the others channels, apart from each other, so that
    `trains[[0, 1], [2, 3]]` are the channels 2 and 3 of the samples 0 and 1.

    Raises InputError if arrays, shape and duration are of another kind or do not fit each other.
    """

    def to_source(self) -> SpikeSource:
        """A SpikeSource for len(trains) * n neurons: the channels of all samples, which spike side by side.

        Neuron k * n + i is channel i of sample k. To show one sample after another to the same n neurons, let
        `eventsnn.encode.present` line them up first.
        """
        return SpikeSource(self.times, self.channel, len(self) * self.n)

    def plot(self, samples: int = 4) -> Figure:
        """The first samples as a matplotlib Figure (`savefig` writes it): a raster of each, or maps if they are images.

        Samples are images if the last two axes of their shape have 8 or more channels each, and the others few. A map
        shows when each channel spikes, or how often if some do more than once.
        """
        from eventsnn.results.plot_trains import figure  # matplotlib takes long to import

        return figure(self, samples)

    def save(self, path: str | os.PathLike[str], force: bool = False) -> None:
        """Write an HDF5 file in the SONATA spikes layout, which `eventsnn.encode.load` reads back bit for bit.

        Raises InputError if the file exists already, unless force=True, or cannot be written.
        """
        save_trains(self, path, force)


def load(path: str | os.PathLike[str]) -> Trains:
    """The Trains that `Trains.save` wrote, bit for bit.

    Raises InputError, naming the file, if it is missing, damaged or of another origin.
    """
    kept = read_trains(path)
    return Trains(kept.times, kept.ids, kept.offsets, kept.shape, kept.duration)
