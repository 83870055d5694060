"""What is written reads back equal, what a format cannot hold is refused, and a file is complete or not there."""

import importlib.util
import os
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest

from eventsnn import events
from eventsnn.base.errors import InputError
from eventsnn.events import Events, aedat, files

HAS_FAERY = importlib.util.find_spec("faery") is not None
BY_FAERY = {(".aedat4", None), (".raw", "evt2"), (".raw", "evt3"), (".dat", None), (".es", None)}
ALL = [
    pytest.param(*key, marks=pytest.mark.skipif(key in BY_FAERY and not HAS_FAERY, reason="faery is not installed"))
    for key in files.FORMATS
]


def some_events(n: int = 2000, first: int = 0, step: int = 4000, width: int = 200, height: int = 150) -> Events:
    rng = np.random.default_rng(n)
    t = (first + np.cumsum(rng.integers(0, step, n))) / 1000.0
    return Events.of(t, rng.integers(0, width, n), rng.integers(0, height, n), rng.integers(0, 2, n), width, height)


def read_again(found: Events, path: Path, version: str | None) -> Events:
    events.write(found, path, version=version)
    bare = path.suffix in (".bin", ".aedat")
    again = events.read(path, **({"width": found.width, "height": found.height} if bare else {}))
    assert (again.width, again.height) == (found.width, found.height)
    assert os.listdir(path.parent) == [path.name]
    return again


@pytest.mark.parametrize(("suffix", "version"), ALL)
def test_what_is_written_reads_back_equal(tmp_path, suffix, version):
    found = some_events()
    assert np.array_equal(read_again(found, tmp_path / f"a{suffix}", version).data, found.data)


@pytest.mark.parametrize(("suffix", "version"), [key for key in ALL if key.values[0] not in (".bin", ".dat", ".h5")])
def test_late_times_with_long_pauses_are_kept(tmp_path, suffix, version):
    # The upper time of EVT 3.0 begins anew after 17 s, that of AEDAT 3.1 after 36 minutes.
    first = 2**31 - 10**6
    found = some_events(60, first, 40_000_000)
    assert np.array_equal(read_again(found, tmp_path / f"a{suffix}", version).data, found.data)


@pytest.mark.parametrize(
    ("suffix", "version"), [key for key in ALL if key.values[0] in (".aedat4", ".hdf5", ".csv", ".aedat")]
)
def test_times_of_the_day_are_kept_to_the_microsecond(tmp_path, suffix, version):
    found = some_events(50, first=1_605_537_493_718_345)
    again = read_again(found, tmp_path / f"a{suffix}", version)
    assert np.array_equal(np.rint(1000.0 * again.t), np.rint(1000.0 * found.t)) and np.array_equal(again.t, found.t)


@pytest.mark.parametrize(("suffix", "version"), ALL)
def test_times_are_rounded_to_microseconds(tmp_path, suffix, version):
    found = Events.of([0.0004, 0.0016, 2.0], [0, 1, 2], [0, 0, 0], [0, 1, 0], 3, 1)
    assert read_again(found, tmp_path / f"a{suffix}", version).t.tolist() == [0.0, 0.002, 2.0]


@pytest.mark.skipif(not HAS_FAERY, reason="faery is not installed")
@pytest.mark.parametrize("suffix", [".csv"])
def test_faery_reads_what_is_written_here(tmp_path, suffix):
    import faery

    found = some_events(100)
    path = tmp_path / f"a{suffix}"
    events.write(found, path)
    other = np.concatenate(
        [part.copy() for part in faery.events_stream_from_file(path, dimensions_fallback=(200, 150))]
    )
    for name, column in (("t", np.rint(1000.0 * found.t)), ("x", found.x), ("y", found.y), ("on", found.p)):
        assert np.array_equal(other[name].astype(np.int64), column.astype(np.int64))


def test_hdf5_is_laid_out_as_prophesee_does(tmp_path):
    found = some_events(100)
    events.write(found, tmp_path / "a.hdf5")
    with h5py.File(tmp_path / "a.hdf5") as file:
        data = file["CD/events"][...]
        assert file.attrs["geometry"] == "200x150" and file["CD/events"].chunks is not None
    assert data.dtype.names == ("x", "y", "p", "t")
    assert np.array_equal(data["t"], np.rint(1000.0 * found.t)) and np.array_equal(data["p"], found.p)


def test_aedat3_names_a_camera_of_this_size_and_has_blocks(tmp_path, monkeypatch):
    monkeypatch.setattr(aedat, "BLOCK", 7)
    found = some_events(100, 2**31 - 5000, 200, width=346, height=260)
    events.write(found, tmp_path / "a.aedat")
    assert b"\r\n#Source 1: DAVIS346\r\n" in (tmp_path / "a.aedat").read_bytes()
    again = events.read(tmp_path / "a.aedat")
    assert np.array_equal(again.data, found.data) and (again.width, again.height) == (346, 260)


@pytest.mark.parametrize(("suffix", "version"), [key for key in ALL if key.values[0] != ".bin"])
def test_no_events_are_a_file_too(tmp_path, suffix, version):
    assert len(read_again(some_events(3)[:0], tmp_path / f"a{suffix}", version)) == 0


@pytest.mark.parametrize(
    ("found", "name", "sentence"),
    [
        (
            some_events(),
            "a.mp4",
            r"the suffix '.mp4' names no format that is written; known are \.aedat4, \.aedat, \.raw",
        ),
        (some_events(), "a", "the suffix '' names no format"),
        (some_events(width=300), "a.bin", "300 x 150 pixels does not fit this format, which holds up to 256 x 240"),
        (some_events(width=3000), "a.raw", "3000 x 150 pixels does not fit this format, which holds up to 2048 x 2048"),
        (some_events(first=2**23), "a.bin", "do not fit this format, which holds 0 to 8388.61 ms"),
        (some_events(first=2**32), "a.dat", "do not fit this format, which holds 0 to"),
        (Events.of([-1.0], [0], [0], [0], 1, 1), "a.aedat", "times from -1.0 to -1.0 ms do not fit this format"),
        (some_events(first=2**35), "a.es", r"choose another suffix, or write Events.of\(events.t - events.t\[0\]"),
        (some_events(3)[:0], "a.bin", "a .bin without events is an empty file"),
        (Events.of([1e300], [0], [0], [0], 1, 1), "a.csv", "do not fit this format"),
    ],
)
def test_what_a_format_cannot_hold_is_refused(tmp_path, found, name, sentence):
    with pytest.raises(InputError, match=sentence):
        events.write(found, tmp_path / name)
    assert not os.listdir(tmp_path)


def test_versions(tmp_path):
    with pytest.raises(InputError, match="version = 'evt4' is none of .raw; known are 'evt2', 'evt3'"):
        events.write(some_events(), tmp_path / "a.raw", version="evt4")
    with pytest.raises(InputError, match="version = 'evt3' is none of .csv; this format has only one"):
        events.write(some_events(), tmp_path / "a.csv", version="evt3")
    with pytest.raises(InputError, match=r"version = \['evt3'\] is none of .raw"):
        events.write(some_events(), tmp_path / "a.raw", version=["evt3"])


def test_a_file_is_replaced_only_on_demand(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("precious")
    with pytest.raises(InputError, match="exists already; name another file, or replace it: force=True"):
        events.write(some_events(), path)
    assert path.read_text() == "precious"
    events.write(some_events(), path, force=True)
    assert len(events.read(path)) == 2000
    (tmp_path / "b.csv").mkdir()
    with pytest.raises(InputError, match="there is a folder of this name"):
        events.write(some_events(), tmp_path / "b.csv", force=True)


@pytest.mark.parametrize("name", ["a.csv", "a.hdf5", "a.aedat"])
def test_a_failure_leaves_the_former_file_and_nothing_else(tmp_path, monkeypatch, name):
    path = tmp_path / name
    path.write_text("precious")

    def fail(*arguments):
        Path(arguments[0]).write_text("half")
        raise OSError(28, "No space left on device")

    monkeypatch.setitem(files.FORMATS, (path.suffix, None), files.FORMATS[path.suffix, None]._replace(write=fail))
    with pytest.raises(InputError, match="the recording .* cannot be written: No space left on device"):
        events.write(some_events(), path, force=True)
    assert os.listdir(tmp_path) == [name] and path.read_text() == "precious"


def test_a_folder_that_does_not_exist(tmp_path):
    with pytest.raises(InputError, match="the recording .* cannot be written: No such file or directory"):
        events.write(some_events(), tmp_path / "none" / "a.csv")


def test_without_faery_the_error_says_how_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "faery", None)
    with pytest.raises(InputError, match="writing .raw needs faery; install it with"):
        events.write(some_events(), tmp_path / "a.raw")
    assert not os.listdir(tmp_path)


@pytest.mark.parametrize("path", [None, 5, b"a.csv", ["a.csv"], "", "a\0b.csv", "a" * 300 + ".csv"])
def test_what_is_no_path(path):
    for call in (lambda: events.write(some_events(3), path), lambda: events.read(path)):
        with pytest.raises(InputError, match="the recording"):
            call()


@pytest.mark.parametrize("given", [None, "events", some_events(3).data, some_events(3).to_trains()])
def test_only_events_are_written(tmp_path, given):
    with pytest.raises(InputError, match="write: .* is not Events"):
        events.write(given, tmp_path / "a.csv")
