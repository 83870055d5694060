"""Events: what they refuse, how they are cut, filters against loops over single events, and channels of spikes."""

import numpy as np
import pytest

import eventsnn as esn
from eventsnn.base.errors import InputError
from eventsnn.events import Events


def random_events(n: int = 3000, width: int = 12, height: int = 9, span: float = 100.0, seed: int = 0) -> Events:
    """Times are eighths, some of them equal, and a corner of the sensor is busier than the rest."""
    rng = np.random.default_rng(seed)
    t = np.sort(rng.integers(0, int(8.0 * span), n)) / 8.0
    x = np.minimum(rng.integers(0, width, n), rng.integers(0, width, n))
    y = np.minimum(rng.integers(0, height, n), rng.integers(0, height, n))
    return Events.of(t, x, y, rng.integers(0, 2, n), width, height)


def rows(events: Events) -> list[tuple]:
    return events.data.tolist()


def test_fields_are_typed_and_read_only():
    events = Events.of([1.0, 2.5], [3, 4], [0, 1], [True, False], 5, 2)
    assert events.data.dtype.names == ("t", "x", "y", "p")
    assert (events.t.dtype, events.x.dtype, events.y.dtype, events.p.dtype) == (float, "u2", "u2", "u1")
    assert rows(events) == [(1.0, 3, 0, 1), (2.5, 4, 1, 0)]
    assert len(events) == 2 and (events.width, events.height) == (5, 2)
    with pytest.raises(ValueError, match="read-only"):
        events.data["t"] = 0.0
    assert np.asarray(events).dtype == events.data.dtype and np.array_equal(np.asarray(events), events.data)
    assert [tuple(event) for event in events] == rows(events)
    assert "2 events of 5 x 2 pixels in 1.5 ms from 1.000 ms on" in repr(events)


def test_any_structured_array_with_the_four_fields_will_do():
    data = np.array([(1, 4, True, 7)], dtype=[("x", "i8"), ("y", "i4"), ("p", "?"), ("t", "i8")])
    assert rows(Events(data, 2, 5)) == [(7.0, 1, 4, 1)]


@pytest.mark.parametrize(
    ("columns", "sentence"),
    [
        (([1.0, 0.5], [0, 0], [0, 0], [0, 0]), "event 1 at 0.5 ms comes after one at 1.0 ms"),
        (([1.0, np.nan], [0, 0], [0, 0], [0, 0]), "event 1 at nan ms comes after"),
        (([np.nan], [0], [0], [0]), "times run from nan to nan ms; they must be finite"),
        (([0.0, np.inf], [0, 0], [0, 0], [0, 0]), "times run from 0.0 to inf ms"),
        (([0.0, 1.0], [0, 4], [0, 2], [0, 0]), "event 1 at x = 4, y = 2 lies outside of the sensor of 4 x 3"),
        (([0.0, 1.0], [0, 3], [0, 3], [0, 0]), "event 1 at x = 3, y = 3 lies outside"),
        (([0.0, 1.0], [0, -1], [0, 0], [0, 0]), r"event 1 has x = -1; it must lie in 0 to 65535"),
        (([0.0, 1.0], [0, 0], [0, 0], [0, 2]), "event 1 has p = 2; it must lie in 0 to 1"),
        (([0.0, 1.0], [0, 0], [0, 0], [-1, 1]), "event 0 has p = -1"),
        (([0.0, 1.0], [0.5, 0], [0, 0], [0, 0]), "x has the shape .* type float64; whole numbers"),
        (([0.0, 1.0], [0], [0, 0], [0, 0]), r"x has the shape \(1,\)"),
        ((["a"], [0], [0], [0]), "events: t = .* must be times in ms"),
    ],
)
def test_what_is_no_event_is_refused_by_its_number(columns, sentence):
    with pytest.raises(InputError, match=sentence):
        Events.of(*columns, 4, 3)


@pytest.mark.parametrize(("width", "height"), [(0, 3), (4, 2**16 + 1), (4.0, 3), (True, 3), ("4", 3)])
def test_a_sensor_has_a_whole_number_of_pixels(width, height):
    with pytest.raises(InputError, match="must be a whole number( from 1 to 65536)?$"):
        Events.of([], [], [], [], width, height)


def test_arrays_that_hold_no_events_are_refused():
    with pytest.raises(InputError, match="has no field t; t, x, y, p are needed"):
        Events(np.zeros(3), 4, 3)
    with pytest.raises(InputError, match="one dimension is needed"):
        Events(np.zeros((2, 2), dtype=random_events(1).data.dtype), 4, 3)


def test_a_polarity_in_an_array_of_the_right_type_is_looked_at_too():
    data = random_events(3).data.copy()
    data["p"] = [0, 1, 2]
    with pytest.raises(InputError, match="event 2 has p = 2; ON is 1 and OFF is 0"):
        Events(data, 12, 9)


def test_slices_masks_and_indices_keep_the_sensor():
    events = random_events(100)
    for key in (slice(10, 40, 3), events.p == 1, np.array([2, 5, 5, 90]), slice(0, 0)):
        part = events[key]
        assert np.array_equal(part.data, events.data[key]) and (part.width, part.height) == (12, 9)
    assert rows(events[7]) == [rows(events)[7]]
    with pytest.raises(InputError, match="times must ascend"):
        events[::-1]
    with pytest.raises(InputError, match="no such events among 100"):
        events[100]


def test_between_takes_the_begin_and_leaves_the_end():
    events = Events.of([1.0, 2.0, 2.0, 3.0], [0, 1, 2, 3], [0] * 4, [0] * 4, 4, 1)
    assert events.between(2.0, 3.0).x.tolist() == [1, 2]
    assert events.between(-np.inf, 2.0).x.tolist() == [0]
    assert len(events.between(5.0, 1.0)) == 0
    with pytest.raises(InputError, match="two numbers of ms"):
        events.between("1", 2.0)


def test_crop_cuts_and_counts_from_its_own_corner():
    events = random_events()
    part = events.crop(3, 2, 7, 9)
    expected = [(t, x - 3, y - 2, p) for t, x, y, p in rows(events) if 3 <= x < 7 and 2 <= y < 9]
    assert rows(part) == expected and (part.width, part.height) == (4, 7)
    for wrong in ((3, 2, 3, 9), (0, 0, 13, 9), (-1, 0, 5, 5), (0, 0.5, 5, 5)):
        with pytest.raises(InputError, match="crop: .* must be a whole number"):
            events.crop(*wrong)


def test_downsample_joins_blocks_of_pixels():
    events = random_events()
    half = events.downsample(5)
    assert rows(half) == [(t, x // 5, y // 5, p) for t, x, y, p in rows(events)]
    assert (half.width, half.height) == (3, 2)
    with pytest.raises(InputError, match="downsample: factor = 0"):
        events.downsample(0)


@pytest.mark.parametrize("t_ref", [0.0, 0.125, 3.0, 50.0, 1000.0])
def test_refractory_keeps_what_comes_late_enough_after_the_last_that_it_kept(t_ref):
    events = random_events()
    free, kept = {}, []
    for event in rows(events):
        t, pixel = event[0], event[1:3]
        if t >= free.get(pixel, -np.inf):
            kept.append(event)
            free[pixel] = t + t_ref
    assert rows(events.refractory(t_ref)) == kept
    assert 0 < len(kept) <= len(events)


def test_refractory_of_one_pixel_by_hand():
    events = Events.of([0.0, 1.0, 2.0, 2.5, 4.0, 4.0], [0] * 6, [0] * 6, [0, 1, 0, 1, 0, 1], 1, 1)
    assert events.refractory(2.0).t.tolist() == [0.0, 2.0, 4.0]
    assert len(events[:0].refractory(2.0)) == 0
    with pytest.raises(InputError, match="refractory: t_ref = -1"):
        events.refractory(-1)


@pytest.mark.parametrize("dt", [0.0, 0.125, 0.5, 1000.0])
def test_background_activity_keeps_what_a_neighbour_supports(dt):
    events = random_events(600)
    kept, latest = [], {}
    for event in rows(events):
        t, x, y, _ = event
        around = [(x + i, y + j) for i in (-1, 0, 1) for j in (-1, 0, 1) if (i, j) != (0, 0)]
        if any(t - latest.get(pixel, -np.inf) <= dt for pixel in around):
            kept.append(event)
        latest[x, y] = t
    assert rows(events.background_activity(dt)) == kept
    assert dt == 0.0 or len(kept) > 20


@pytest.mark.parametrize("begin", [0, 1_605_537_493_718_345])
def test_distances_are_meant_to_the_microsecond(begin):
    n = 2000
    t = (begin + np.arange(n)) / 1000.0
    one = Events.of(t, np.zeros(n, int), np.zeros(n, int), np.ones(n, int), 2, 1)
    assert len(one.refractory(0.001)) == n
    assert len(one.refractory(0.003)) == 667
    both = Events.of(t, np.arange(n) % 2, np.zeros(n, int), np.ones(n, int), 2, 1)
    assert len(both.background_activity(0.001)) == n - 1


def test_background_activity_needs_a_neighbour_and_not_the_pixel_itself():
    # A pixel alone, its neighbour across the diagonal, and one at the other side of the edge of the sensor.
    events = Events.of([0.0, 1.0, 2.0, 3.0], [3, 3, 2, 0], [0, 0, 1, 1], [1] * 4, 4, 2)
    assert events.background_activity(5.0).t.tolist() == [2.0]
    assert len(events.background_activity(0.5)) == 0
    assert len(events[:0].background_activity(1.0)) == 0


def test_frames_are_on_minus_off_in_windows_from_the_first_event():
    events = Events.of([10.0, 10.0, 14.9, 15.0, 30.0], [0, 0, 1, 1, 2], [0, 0, 1, 1, 0], [1, 1, 0, 1, 0], 3, 2)
    frames = events.frames(5.0)
    assert frames.dtype == np.int32 and frames.shape == (5, 2, 3)
    expected = np.zeros((5, 2, 3))
    expected[0, 0, 0], expected[0, 1, 1], expected[1, 1, 1], expected[4, 0, 2] = 2, -1, 1, -1
    assert np.array_equal(frames, expected)
    assert events[:0].frames(5.0).shape == (0, 2, 3)
    for every, sentence in ((0.0, "above 0"), (np.nan, "above 0"), (1e-9, "too much to hold"), (5e-324, "too much")):
        with pytest.raises(InputError, match=sentence):
            events.frames(every)


def test_trains_have_the_channels_polarity_row_column():
    events = random_events()
    trains = events.to_trains()
    assert len(trains) == 1 and trains.shape == (2, 9, 12) and trains.duration == events.t[-1] - events.t[0] + 1e-3
    counts = np.zeros((1, 2, 9, 12))
    np.add.at(counts, (0, events.p, events.y, events.x), 1)
    assert np.array_equal(trains.counts(), counts)
    mine = events[(events.p == 1) & (events.x == 2) & (events.y == 1)].t
    assert np.array_equal(trains[0, 1, 1, 2].times, mine - events.t[0])


def test_a_source_spikes_when_its_pixels_do():
    events = Events.of([100.0, 101.0, 101.0, 105.0], [2, 0, 0, 2], [1, 0, 0, 1], [1, 0, 0, 1], 3, 2)
    source = events.to_source()
    begin, end = source.bounds(12, "pixels")
    trains = [source.times[i:j].tolist() for i, j in zip(begin, end, strict=True)]
    assert trains == [[1.0, 1.0], *[[]] * 10, [0.0, 5.0]]
    assert events.to_source(start=90.0).times.tolist() == [11.0, 11.0, 10.0, 15.0]
    for convert in (events.to_source, events.to_trains):
        with pytest.raises(InputError, match=r"comes before start = 100.5 ms; take between\(start, stop\)"):
            convert(start=100.5)


def test_no_events_are_no_spikes():
    none = random_events(5)[:0]
    assert none.to_source().times.size == 0 and none.to_trains().duration == 0.0


def test_too_many_channels_are_refused():
    events = Events.of([0.0], [0], [0], [0], 2**16, 2**16)
    for convert in (events.to_source, events.to_trains):
        with pytest.raises(InputError, match="too many channels; crop or downsample"):
            convert()


def test_a_network_sees_the_events():
    events = random_events(200)
    net = esn.Network(seed=1)
    net.population(2 * 9 * 12, events.to_source(), name="pixels")
    spikes = net.run(200.0).spikes["pixels"]
    trains = events.to_trains()
    assert np.array_equal(spikes.times, trains.times) and np.array_equal(spikes.ids, trains.ids)


def test_numpy_integers_crop_and_downsample_without_overflow():
    events = Events.of([0.0, 1.0], [200, 299], [100, 250], [1, 0], 300, 256)
    cut = events.crop(np.uint8(200), np.uint8(100), np.uint16(300), np.uint16(256))
    assert (cut.width, cut.height, cut.x.tolist(), cut.y.tolist()) == (100, 156, [0, 99], [0, 150])
    small = events.downsample(np.uint8(100))
    assert (small.width, small.height, small.x.tolist(), small.y.tolist()) == (3, 3, [2, 2], [1, 2])
    whole = Events.of([0.0], [2**16 - 1], [0], [1], 2**16, 1).downsample(2**16)
    assert (whole.width, whole.height, whole.x.tolist()) == (1, 1, [0])


@pytest.mark.parametrize("key", ["abc", None, 1.5, [[0]]])
def test_what_is_no_index_is_refused(key):
    with pytest.raises(InputError, match="events: "):
        random_events()[key]


def test_lists_of_different_lengths_and_spans_of_nothing_are_refused():
    with pytest.raises(InputError, match="events: x has the shape"):
        Events.of([[0.0, 1.0]], [[0], [0, 1]], [[0, 0]], [[0, 0]], 2, 2)
    with pytest.raises(InputError, match="is no span of time"):
        random_events().between(np.nan, 50.0)
