"""Trains: what they hold, slicing, spike sources, files, samples one after the other and cut out again."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from support.checksums import without_user_block

import eventsnn as esn
from eventsnn import encode
from eventsnn.base.sorting import order_by
from eventsnn.encode import Trains


def random_trains(samples=5, shape=(3, 4), spikes=200, duration=10.0, seed=1):
    rng = np.random.default_rng(seed)
    n = int(np.prod(shape))
    times = np.round(rng.uniform(0.0, duration, spikes), 1)  # many equal ones
    return Trains.of(rng.integers(0, samples, spikes), times, rng.integers(0, n, spikes), samples, shape, duration)


def listed(trains):
    """(sample, channel, time) of every spike, in order."""
    return list(zip(trains.sample.tolist(), trains.ids.tolist(), trains.times.tolist(), strict=True))


@given(hnp.arrays(np.int64, st.integers(0, 40), elements=st.integers(0, 2**50)))
def test_order_by_is_the_stable_order(keys):
    assert np.array_equal(order_by(keys), np.argsort(keys, kind="stable"))


def test_spikes_are_sorted_by_sample_time_and_channel():
    trains = random_trains()
    keys = [(k, t, i) for k, i, t in listed(trains)]
    assert keys == sorted(keys) and len(keys) == 200
    assert len(trains) == 5 and trains.n == 12


def test_first_spikes_sort_like_any_others():
    rng = np.random.default_rng(2)
    times = np.where(rng.random((6, 12)) < 0.3, np.inf, np.round(rng.uniform(0.0, 5.0, (6, 12)), 1))
    trains = Trains.of_first(times, (3, 4), 5.0)
    sample, channel = np.nonzero(times < np.inf)
    same = Trains.of(sample, times[sample, channel], channel, 6, (3, 4), 5.0)
    assert listed(trains) == listed(same)
    assert np.array_equal(trains.first().reshape(6, 12), np.where(times < np.inf, times, np.nan), equal_nan=True)


@pytest.mark.parametrize(
    "key",
    [
        np.s_[3], np.s_[1:4], np.s_[[4, 0, 0]], np.s_[:, 2], np.s_[:, 1:, ::2], np.s_[2, 1, 3], np.s_[::-1, [2, 0]],
        np.s_[np.array([True, False, True, True, False]), :, 1], np.s_[:, np.eye(3, 4, dtype=bool)], np.s_[5:],
    ],
)  # fmt: skip
def test_slices_are_those_of_an_array(key):
    trains = random_trains()
    table = np.empty((5, 3, 4), dtype=object)
    for index in np.ndindex(table.shape):
        table[index] = []
    for k, i, t in listed(trains):
        table[(k, *divmod(i, 4))].append(t)
    first, *rest = key if isinstance(key, tuple) else (key,)
    expected = table[np.atleast_1d(np.arange(5)[first])][(slice(None), *rest)]
    part = trains[key]
    assert (len(part), *part.shape) == expected.shape and part.duration == 10.0
    found = np.empty(expected.shape, dtype=object).reshape(len(part), part.n)
    for index in np.ndindex(found.shape):
        found[index] = []
    for k, i, t in listed(part):
        found[k, i].append(t)
    assert found.ravel().tolist() == expected.ravel().tolist()


def test_counts_rates_and_first_spikes():
    trains = Trains.of(np.array([0, 0, 2]), np.array([3.0, 1.0, 5.0]), np.array([1, 1, 0]), 3, (2,), 50.0)
    assert trains.counts().tolist() == [[0, 2], [0, 0], [1, 0]]
    assert trains.rates().tolist() == [[0.0, 40.0], [0.0, 0.0], [20.0, 0.0]]
    assert trains.first()[0, 1] == 1.0 and trains.first()[2, 0] == 5.0
    assert np.isnan(trains.first()).sum() == 4
    assert [listed(one) for one in trains] == [[(0, 1, 1.0), (0, 1, 3.0)], [], [(0, 0, 5.0)]]
    assert repr(trains) == "Trains(3 samples of 2 channels, 3 spikes, 50 ms)"


def test_a_source_has_the_channels_of_all_samples_side_by_side():
    trains = random_trains()
    source = trains.to_source()
    begin, end = source.bounds(60, "source")
    for neuron in range(60):
        mine = [t for k, i, t in listed(trains) if 12 * k + i == neuron]
        assert source.times[begin[neuron] : end[neuron]].tolist() == mine


REFUSED = [
    (dict(times=[1.0, 2.0]), "times and ids have shapes (2,) and (1,)"),
    (dict(offsets=[0, 2]), "offsets must ascend from 0 to 1"),
    (dict(offsets=[1, 1]), "offsets must ascend from 0 to 1"),
    (dict(duration=-1.0), "duration = -1.0 must be a finite number of ms"),
    (dict(duration=np.inf), "duration = inf must be a finite number of ms"),
    (dict(ids=[3]), "ids run from 3 to 3, allowed is 0 to 2"),
    (dict(times=[6.0]), "times must lie in 0 to 5.0 ms"),
    (dict(times=[np.nan]), "times must lie in 0 to 5.0 ms"),
    (dict(times=["a"]), "times are of type"),
    (dict(ids=[0.5]), "ids are of type float64; whole numbers are needed"),
    (dict(ids=[2**40]), "ids run from 1099511627776 to 1099511627776, too far for int32"),
    (dict(ids=None), "ids are of type object"),
    (dict(offsets=[0.0, 1.0]), "offsets are of type float64"),
    (dict(shape=3), "shape = 3 must be a tuple of whole numbers"),
    (dict(shape=(3.0,)), "a length in shape = 3.0 must be a whole number"),
    (dict(shape=(-3,)), "a length in shape = -3 must be a whole number"),
    (dict(duration=None), "duration = None must be a finite number of ms"),
    (dict(times=[2.0, 1.0], ids=[0, 0], offsets=[0, 2]), "spike 1 comes before"),
    (dict(times=[1.0, 1.0], ids=[1, 0], offsets=[0, 2]), "spike 1 comes before"),
]


@pytest.mark.parametrize(("changes", "words"), REFUSED, ids=[words for _, words in REFUSED])
def test_what_does_not_fit_together_is_refused(changes, words):
    good = dict(times=[1.0], ids=[0], offsets=[0, 1], shape=(3,), duration=5.0)
    assert len(Trains(**good)) == 1
    with pytest.raises(esn.InputError) as caught:
        Trains(**{**good, **changes})
    assert words in str(caught.value)


OF_REFUSED = [
    (dict(sample=[0]), "sample, times and ids have shapes ((1,), (2,), (2,)); all need (spikes,)"),
    (dict(sample=[0, 2]), "sample numbers run from 0 to 2, allowed is 0 to 1"),
    (dict(sample=[-1, 0]), "sample numbers run from -1 to 0, allowed is 0 to 1"),
    (dict(sample=[0.0, 1.0]), "sample numbers are of type float64"),
    (dict(times=["a", "b"]), "times are of type"),
    (dict(ids=[0, 3]), "ids run from 0 to 3, allowed is 0 to 2"),
    (dict(samples=-1), "samples = -1 must be a whole number"),
]


@pytest.mark.parametrize(("changes", "words"), OF_REFUSED, ids=[words for _, words in OF_REFUSED])
def test_spikes_in_any_order_are_checked(changes, words):
    good = dict(sample=[1, 0], times=[1.0, 2.0], ids=[0, 2], samples=2, shape=(3,), duration=5.0)
    assert listed(Trains.of(**good)) == [(0, 2, 2.0), (1, 0, 1.0)]
    with pytest.raises(esn.InputError) as caught:
        Trains.of(**{**good, **changes})
    assert words in str(caught.value)


def test_first_spikes_make_trains():
    first = np.array([[3.0, np.nan, 1.0], [np.inf, np.inf, 2.0]])
    trains = Trains.of_first(first, (3,), 5.0)
    assert listed(trains) == [(0, 2, 1.0), (0, 0, 3.0), (1, 2, 2.0)]
    assert np.array_equal(Trains.of_first(trains.first(), (3,), 5.0).times, trains.times)
    for wrong in (first[:, :2], first[0], 3.0):
        with pytest.raises(esn.InputError, match=r"but \(samples, 3\) is needed"):
            Trains.of_first(wrong, (3,), 5.0)


@pytest.mark.parametrize("key", [np.s_[7], np.s_[:, 3], np.s_[:, [0, 0]], np.s_["a"], np.s_[:, :, :, 0]])
def test_what_is_not_there_cannot_be_taken(key):
    with pytest.raises(esn.InputError, match="trains"):
        random_trains()[key]


def test_arrays_are_read_only():
    trains = random_trains()
    for array in (trains.times, trains.ids, trains.offsets):
        assert not array.flags.writeable


# ---- files


def test_a_file_holds_the_same_bits(tmp_path):
    trains = random_trains()
    trains.save(tmp_path / "trains.h5")
    read = encode.load(tmp_path / "trains.h5")
    assert listed(read) == listed(trains) and read.shape == (3, 4) and read.duration == 10.0
    assert np.array_equal(read.offsets, trains.offsets)
    assert [path.name for path in tmp_path.iterdir()] == ["trains.h5"]
    with pytest.raises(esn.InputError, match="exists already"):
        trains.save(tmp_path / "trains.h5")
    trains[:2].save(tmp_path / "trains.h5", force=True)
    assert len(encode.load(tmp_path / "trains.h5")) == 2


def test_files_of_another_origin_are_refused(tmp_path):
    net = esn.Network()
    net.population(1, esn.SpikeSource([1.0]), name="trains")
    net.run(2.0).save(tmp_path / "run")
    with pytest.raises(esn.InputError, match="its format is not 'eventsnn trains'"):
        encode.load(tmp_path / "run" / "spikes.h5")
    with pytest.raises(esn.InputError, match="does not exist"):
        encode.load(tmp_path / "nothing.h5")
    with pytest.raises(esn.InputError, match="a folder of this name"):
        random_trains().save(tmp_path)
    with pytest.raises(esn.InputError, match="trains.h5 cannot be written: No such file"):
        random_trains().save(tmp_path / "no folder" / "trains.h5")
    random_trains().save(tmp_path / "trains.h5")
    whole = (tmp_path / "trains.h5").read_bytes()
    (tmp_path / "trains.h5").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(esn.InputError, match="truncated, damaged"):
        encode.load(tmp_path / "trains.h5")


def test_a_file_whose_arrays_do_not_fit_is_refused(tmp_path):
    import h5py

    random_trains().save(tmp_path / "trains.h5")
    with h5py.File(tmp_path / "trains.h5", "r+") as file:
        file["spikes/trains"].attrs["shape"] = [2, 2]
    with pytest.raises(esn.InputError, match="trains.h5 is truncated, damaged or altered"):
        encode.load(tmp_path / "trains.h5")
    without_user_block(tmp_path / "trains.h5")
    with pytest.raises(esn.InputError, match="allowed is 0 to 3"):
        encode.load(tmp_path / "trains.h5")


# ---- one sample after the other


def test_present_lines_samples_up():
    trains = Trains.of(np.array([0, 1, 1]), np.array([0.0, 2.0, 4.0]), np.array([1, 0, 1]), 3, (2,), 4.0)
    for every, pause, period in ((None, 1.0, 5.0), (10.0, 0.0, 10.0), (10.0, 6.0, 10.0)):
        shown = encode.present(trains, every=every, pause=pause)
        assert shown.times.tolist() == [0.0, period + 2.0, period + 4.0] and shown.ids.tolist() == [1, 0, 1]
        assert len(shown) == 1 and shown.duration == 3 * period and shown.shape == (2,)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (dict(every=3.9), "give a longer every"),
        (dict(every=5.0, pause=2.0), "with pause = 2 ms is too short"),
        (dict(every="a"), "every = 'a'"),
        (dict(every=[1.0]), "one number of ms"),
        (dict(pause=-1.0), "pause = -1.0"),
        (dict(every=np.nan), "every = nan"),
    ],
)
def test_present_refuses_what_would_mix_samples(arguments, words):
    trains = Trains.of(np.array([0]), np.array([4.0]), np.array([0]), 2, (2,), 4.0)
    with pytest.raises(esn.InputError) as caught:
        encode.present(trains, **arguments)
    assert words in str(caught.value)


def test_a_spike_at_the_very_end_is_presented_before_the_next_sample():
    trains = Trains.of(np.array([0, 1]), np.array([4.0, 0.0]), np.array([0, 1]), 2, (2,), 4.0)
    shown = encode.present(trains)
    assert shown.times.tolist() == [np.nextafter(4.0, 0.0), 4.0] and shown.ids.tolist() == [0, 1]


@pytest.mark.parametrize("given", [None, [1.0], np.zeros((1, 2)), esn.SpikeSource([1.0])])
def test_only_trains_are_presented(given):
    with pytest.raises(esn.InputError, match="cannot be presented; give Trains"):
        encode.present(given)


@pytest.mark.parametrize("every", [10.5, 1.0 / 3.0 + 10.0, 17.123])
def test_by_sample_undoes_present(every):
    trains = random_trains(samples=40, spikes=2_000)
    shown = encode.present(trains, every=every)
    net = esn.Network()
    net.population(12, shown.to_source(), name="pixels")
    cut = net.run(shown.duration).by_sample(every)["pixels"]
    assert np.array_equal(cut.sample, trains.sample) and np.array_equal(cut.ids, trains.ids)
    # Beginnings are rounded, once when they are added and once when they are taken away.
    assert np.abs(cut.times - trains.times).max() < 1e-12
    assert len(cut) == 40 and cut.shape == (12,) and cut.duration == every


def test_by_sample_leaves_out_what_was_not_seen_to_its_end():
    net = esn.Network()
    net.population(2, esn.SpikeSource([[1.0, 12.0, 25.0], [10.0]]), name="a")
    net.population(1, esn.SpikeSource([5.0]), name="b")
    net.record(net.populations["a"][1:], "spikes")
    results = net.run(29.0)
    assert listed(results.by_sample(10.0)["a"]) == [(1, 0, 0.0)]  # neuron 1 is the one channel
    assert len(results.by_sample(10.0)["a"]) == 2
    assert set(results.by_sample(29.0)) == {"a"}
    later = net.run(31.0, keep="new").by_sample(15.5)["a"]
    assert len(later) == 2
    for bad in (0.0, -1.0, 61.0, np.nan, 1e-9, "a", None, [10.0]):
        with pytest.raises(esn.InputError, match="by_sample"):
            net.results().by_sample(bad)


def test_a_million_spikes_are_sorted_by_neuron():
    rng = np.random.default_rng(3)
    times, ids = np.sort(rng.uniform(0.0, 1000.0, 10**6)), rng.integers(0, 1000, 10**6)
    source = esn.SpikeSource(times, ids)
    begin, end = source.bounds(1000, "source")
    assert np.array_equal(end - begin, np.bincount(ids))
    assert np.array_equal(source.times[begin[437] : end[437]], times[ids == 437])


def test_binned_by_hand():
    trains = Trains.of(
        np.array([0, 0, 0, 2, 2]), np.array([0.0, 1.99, 2.0, 4.5, 5.0]), np.array([1, 1, 1, 0, 2]), 3, (3,), 5.0
    )
    counts = trains.binned(2.0)
    assert counts.shape == (3, 3, 3)
    assert counts[0].tolist() == [[0, 0, 0], [2, 1, 0], [0, 0, 0]] and counts[1].sum() == 0
    assert counts[2].tolist() == [[0, 0, 1], [0, 0, 0], [0, 0, 1]]
    assert trains.binned(5.0).shape == (3, 3, 1) and trains.binned(100.0).sum() == 5
    assert np.array_equal(trains.binned(0.1).sum(axis=2), trains.counts())
    nothing = Trains(np.empty(0), np.empty(0, np.int32), np.zeros(2, np.int64), (3,), 3 * 0.1)
    assert nothing.binned(0.1).shape == (1, 3, 3)  # 3 * 0.1 is an ulp above 0.3, and (3 * 0.1) / 0.1 above 3


def test_multiples_of_the_width_begin_their_bins():
    """7 * 0.1 / 0.1 is an ulp below 7; 1000 steps of 0.1 are one each."""
    times = 0.1 * np.arange(1000)
    trains = Trains(times, np.zeros(1000, np.int32), np.array([0, 1000]), (1,), 100.0)
    assert (trains.binned(0.1) == 1).all() and trains.binned(0.1).shape == (1, 1, 1000)


def test_trains_without_duration_have_one_bin_and_no_rate():
    trains = Trains([0.0, 0.0], [0, 2], [0, 2], (3,), 0.0)
    assert trains.binned(1.0).tolist() == [[[1], [0], [1]]]
    assert np.isnan(trains.rates()).all()


@pytest.mark.parametrize("width", [0.0, -1.0, np.nan, np.inf, "1", None])
def test_binned_refuses_what_is_no_width(width):
    with pytest.raises(esn.InputError, match="binned: width = .* must be a finite number of ms above 0"):
        random_trains().binned(width)


@pytest.mark.parametrize("width", [1e-320, 1e-9])
def test_binned_refuses_more_counts_than_can_be_held(width):
    with pytest.raises(esn.InputError, match="binned: width = .* bins a channel; give a larger one"):
        random_trains().binned(width)


def test_an_ellipsis_stands_for_the_axes_that_are_not_named():
    trains = random_trains(shape=(3, 4))
    for short, long in (
        (trains[...], trains[:]),
        (trains[..., 1], trains[:, :, 1]),
        (trains[..., 2, 1], trains[:, 2, 1]),
        (trains[..., 3, 2, 1], trains[3, 2, 1]),
        (trains[1, ...], trains[1]),
        (trains[1, ..., 2], trains[1, :, 2]),
    ):
        assert listed(short) == listed(long) and short.shape == long.shape


@pytest.mark.parametrize("key", [None, True, [[0]], "a", 1.5, (0, "a"), (None, 0), (0, 0, 0, 0)])
def test_what_is_no_index_is_refused(key):
    with pytest.raises(esn.InputError, match=r"trains of shape \(5, 3, 4\): no such samples or channels"):
        random_trains()[key]


def test_iteration_gives_each_sample():
    trains = random_trains()
    assert [listed(one) for one in trains] == [listed(trains[k]) for k in range(len(trains))]


@pytest.mark.parametrize("parts", [[], [random_trains(shape=(2,)), random_trains(shape=(3,))]])
def test_only_trains_of_the_same_channels_are_joined(parts):
    with pytest.raises(esn.InputError, match="cannot be joined"):
        Trains.join(parts)


def test_a_source_knows_its_channels():
    source = random_trains(samples=2, shape=(3,)).to_source()
    with pytest.raises(esn.InputError, match="spike trains of 6 neurons, not of 5"):
        esn.Network().population(5, source).network.run(1.0)
    with pytest.raises(esn.InputError, match=r"population: Trains.* write its to_source\(\)"):
        esn.Network().population(6, random_trains())
