"""Pictures of Trains show the times, counts and channels that they hold."""

import numpy as np
import pytest

import eventsnn as esn
from eventsnn.encode import Cochlea, Latency, Rate, Trains
from eventsnn.results.style import RASTER_NEURONS


def offsets(panel):
    """Points of a raster, (time, channel)."""
    (points,) = panel.collections
    return [tuple(point) for point in points.get_offsets().tolist()]


def test_a_raster_has_a_mark_for_each_spike():
    trains = Trains.of(np.array([0, 0, 1]), np.array([1.0, 4.0, 2.0]), np.array([2, 0, 1]), 3, (3,), 5.0)
    figure = trains.plot()
    assert [offsets(panel) for panel in figure.axes] == [[(1.0, 2.0), (4.0, 0.0)], [(2.0, 1.0)], []]
    assert [panel.get_ylabel() for panel in figure.axes] == [f"sample {k}\nchannel" for k in range(3)]
    assert figure.axes[-1].get_xlabel() == "time (ms)" and figure.axes[0].get_xlim() == (0.0, 5.0)
    assert figure.axes[2].texts[0].get_text() == "no spikes"
    assert figure.get_suptitle() == "3 spikes of 3 channels"


def test_of_many_channels_some_are_shown_and_said():
    n = 3 * RASTER_NEURONS
    trains = Trains.of(np.zeros(n, int), np.linspace(0.0, 9.0, n), np.arange(n), 6, (n,), 10.0)
    figure = trains.plot(samples=1)
    shown = offsets(figure.axes[0])
    assert [channel for _, channel in shown] == list(range(0, n, 3))
    assert all(time == trains.times[int(channel)] for time, channel in shown)
    assert figure.axes[0].get_ylabel() == f"{RASTER_NEURONS} of {n:,} channels"
    assert figure.get_suptitle() == f"{n:,} spikes of {n:,} channels, 1 of 6 samples"


def test_images_of_single_spikes_are_maps_of_times():
    images = np.random.default_rng(1).uniform(0.0, 1.0, (2, 9, 12))
    images[0, 3, 4] = 0.0
    figure = Latency(duration=20.0).encode(images).plot()
    maps = [panel.images[0].get_array() for panel in figure.axes if panel.images]
    assert len(maps) == 2
    for shown, image in zip(maps, images, strict=True):
        dark = image == 0.0
        assert np.abs(np.asarray(shown) - 20.0 * (1.0 - image))[~dark].max() < 1e-12
        assert np.isnan(np.asarray(shown, dtype=float)[dark]).all() or np.ma.getmaskarray(shown)[dark].all()
    assert "time of the spike (ms), none: white" in [axes.get_ylabel() for axes in figure.axes]


def test_images_of_several_spikes_are_maps_of_counts():
    images = np.random.default_rng(1).uniform(0.1, 1.0, (1, 2, 8, 8))
    trains = Rate(duration=200.0).encode(images)
    figure = trains.plot()
    maps = [
        np.nan_to_num(np.asarray(panel.images[0].get_array(), dtype=float)) for panel in figure.axes if panel.images
    ]
    assert np.array_equal(np.array(maps), trains.counts()[0])
    assert "spikes, none: white" in [axes.get_ylabel() for axes in figure.axes]


ODD = [
    Latency().encode(np.ones((0, 9, 9))),
    Latency().encode(np.ones((2, 0))),
    Latency().encode(np.zeros((1, 9, 9))),
    Rate().encode(np.ones((1, 3, 1, 1, 2))),
]


@pytest.mark.parametrize("trains", ODD, ids=repr)
def test_empty_and_odd_shapes_can_be_drawn(trains, tmp_path):
    trains.plot().savefig(tmp_path / "odd.png")
    assert (tmp_path / "odd.png").stat().st_size > 1000


def test_sounds_are_drawn_over_frequency():
    code = Cochlea(channels=20)
    t = np.arange(1600) / 16_000.0
    trains = code.encode(0.1 * np.sin(2.0 * np.pi * 1000.0 * t)[np.newaxis])
    (panel,) = code.plot(trains).axes
    at = dict(zip([label.get_text() for label in panel.get_yticklabels()], panel.get_yticks(), strict=True))
    # The channels that spike lie around the tick of 1,000 Hz.
    assert trains.ids.min() <= at["1,000"] <= trains.ids.max()
    assert panel.get_ylabel() == "centre frequency (Hz)" and panel.get_ylim()[0] < panel.get_ylim()[1]


def test_bad_numbers_of_samples_are_refused():
    with pytest.raises(esn.InputError):
        Latency().encode(np.ones((2, 3))).plot(samples="a")
