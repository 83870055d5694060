"""Damaged, foreign and hostile files: a clear error that says where, whatever the bytes, and no large allocation."""

import importlib.util
import struct
import subprocess
import sys
import tempfile
import time
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from fuzz_events import SAMPLES, SUFFIXES, ecf_chunks, survives
from hypothesis import given, settings
from hypothesis import strategies as st

from eventsnn import events
from eventsnn.base.errors import InputError
from eventsnn.events import ecf, files, foreign
from eventsnn.events.decoded import Damaged

DATA = Path(__file__).parent / "data" / "events"
CORPUS = sorted((DATA / "corpus").glob("*.*"))

needs_faery = pytest.mark.skipif(importlib.util.find_spec("faery") is None, reason="faery is not installed")

BINARY = [name for name in SAMPLES if not name.endswith(".csv")]


@pytest.fixture
def refused(tmp_path):
    """What is said of the bytes of a file, without its name."""

    def refuse(content: bytes, name: str) -> str:
        path = tmp_path / name
        path.write_bytes(content)
        with pytest.raises(InputError) as error:
            events.read(path)
        assert str(error.value).startswith(f"{path}: ") and "\n" not in str(error.value)
        return str(error.value)[len(f"{path}: ") :]

    return refuse


def test_what_is_no_file(tmp_path):
    with pytest.raises(InputError, match="the recording .*none.raw does not exist"):
        events.read(tmp_path / "none.raw")
    with pytest.raises(InputError, match="is no file"):
        events.read(tmp_path)


def test_empty_and_foreign_files(refused):
    for suffix in (".raw", ".bin", ".csv", ".h5"):
        assert refused(b"", f"a{suffix}") == "the file is empty"
    for content in (b"\x89PNG\r\n\x1a\n" + bytes(100), b"% hello\n", b"hello"):
        assert "begins like no known kind of file of events; AEDAT4, AEDAT 3.1" in refused(content, "a.raw")
    assert "version '1.0' of AEDAT; 4.0, 3.1 and 2.0" in refused(b"#!AER-DAT1.0\r\n", "a.aedat")
    assert "version '2.1' of EVT; 2.0 and 3.0 can be read" in refused(b"% evt 2.1\n" + bytes(8), "a.raw")
    assert "version '1' of DAT; version 2 can be read" in refused(b"% Version 1\n\x00\x08", "a.dat")
    assert "it is big-endian; little-endian" in refused(b"% evt 3.0\n% endianness big\n", "a.raw")
    assert "records of type 14 and 8 bytes" in refused(b"% Version 2\n\x0e\x08" + bytes(8), "a.dat")
    assert "version 3 and type 1" in refused(b"Event Stream\x03\x00\x00\x01" + bytes(4), "a.es")
    assert "in the format SerializedTS" in refused(
        b"#!AER-DAT3.1\r\n#Format: SerializedTS\r\n#!END-HEADER\r\n" + bytes(28), "a.aedat"
    )


@pytest.mark.parametrize("name", BINARY)
def test_cut_short(refused, name):
    content = SAMPLES[name]
    said = refused(content[:-1], name)
    assert "was cut short or damaged" in said
    at = int(said.split("byte ")[1].split(";")[0].split()[0])
    assert len(content) - 200 < at < len(content)


def test_cut_short_in_the_header(refused):
    assert "ends at byte 18, inside of the header" in refused(SAMPLES["events.es"][:18], "a.es")
    assert "ends at byte 12, before the type" in refused(b"% Version 2\n", "a.dat")
    assert "without the line #!END-HEADER" in refused(b"#!AER-DAT3.1\r\n#Format: RAW\r\n", "a.aedat")


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("a.dat", b"% Version 2\n\x0c\x08" + struct.pack("<4I", 2000, 0, 1000, 0), "event 1 (byte 22) is at 1.0 ms"),
        ("a.raw", b"% evt 2.0\n" + struct.pack("<3I", 8 << 28, 2 << 22, 1 << 22), "event 1 (byte 18) is at 0.001 ms"),
        (
            "a.raw",
            b"% evt 3.0\n" + struct.pack("<6H", 0x8001, 0x6002, 0x0000, 0x2000, 0x6001, 0x2001),
            "event 1 (byte 20) is at 4.097 ms, before the one that precedes it, at 4.098 ms",
        ),
        ("a.aedat", b"#!AER-DAT2.0\r\n" + struct.pack(">IiIi", 0, 5, 0, 4), "event 1 (byte 22) is at 0.004 ms"),
        (
            "a.aedat",
            b"#!AER-DAT3.1\r\n#!END-HEADER\r\n" + struct.pack("<hhiiiiiiIiIi", 1, 1, 8, 4, 0, 2, 2, 2, 1, 5, 1, 4),
            "event 1 (byte 64) is at 0.004 ms",
        ),
        ("a.bin", bytes([0, 0, 0, 0, 5, 0, 0, 0, 0, 4]), "event 1 (byte 5) is at 0.004 ms"),
        ("a.csv", b"t,x,y,p\n5,0,0,0\n\n4,0,0,0\n", "event 1 (line 4) is at 0.004 ms"),
    ],
)
def test_times_that_run_backwards(refused, name, content, sentence):
    assert sentence in refused(content, name)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("evt2.raw", "event 2 (byte 53) has x = 12, outside of the sensor of 12 x 48 pixels"),
        ("evt3.raw", "event 2 (byte 53) has x = 19, outside of the sensor of 12 x 48 pixels"),
        ("events.dat", "event 1 (byte 78) has x = 63, outside of the sensor of 12 x 48 pixels"),
        ("events.es", "event 1 (byte 27) has x = 63, outside of the sensor of 12 x 48 pixels"),
    ],
)
def test_coordinates_outside_the_sensor(refused, name, sentence):
    content = SAMPLES[name]
    for old, new in (
        (b"64x48", b"12x48"),
        (b"width=64", b"width=12"),
        (b"Width 64", b"Width 12"),
        (struct.pack("<HH", 64, 48), struct.pack("<HH", 12, 48)),
    ):
        content = content.replace(old, new, 1)
    assert sentence in refused(content, name)


def test_rows_outside_the_sensor(refused):
    content = b"% evt 2.0\n% geometry 5x5\n" + struct.pack("<2I", 8 << 28, 5)
    assert "event 0 (byte 29) has y = 5, outside of the sensor of 5 x 5 pixels" in refused(content, "a.raw")
    content = SAMPLES["events.es"].replace(struct.pack("<HH", 64, 48), struct.pack("<HH", 64, 4), 1)
    assert "event 0 (byte 20) has y = -1, outside of the sensor of 64 x 4 pixels" in refused(content, "a.es")
    vectors = struct.pack("<4H", 0x8000, 0x0000, 0x3FFF & 0x37FF, 0x4FFF)
    assert "(byte 16) has x = 2048, outside of the sensor of 2048 x 1 pixels" in refused(
        b"% evt 3.0\n" + vectors, "a.raw"
    )


@pytest.mark.parametrize(
    ("header", "sentence"),
    [
        (b"% geometry 0x5\n", "the width of the sensor is said to be 0"),
        (b"% geometry 5x999999999\n", "the height of the sensor is said to be 999999999; it must lie in 1 to 2048"),
        (b"% Width wide\n", "the header says Width = wide, which is no whole number"),
    ],
)
def test_sizes_of_sensors_that_lie(refused, header, sentence):
    assert sentence in refused(b"% evt 2.0\n" + header + struct.pack("<I", 8 << 28), "a.raw")


def test_blocks_that_lie(refused):
    head = b"#!AER-DAT3.1\r\n#!END-HEADER\r\n"
    for size, number in ((8, 2**31 - 1), (8, -1), (-8, 1), (2**31 - 1, 2**31 - 1), (8, 1)):
        said = refused(head + struct.pack("<hhiiiiii", 1, 1, size, 4, 0, 1, number, 1), "a.aedat")
        assert f"the block at byte 28 says that it has {number} events of {size} bytes, but 0 bytes follow" in said
    block = struct.pack("<hhiiiiii", 1, 1, 4, 4, 0, 1, 1, 1) + bytes(4)
    assert "8 bytes and 0 or more are needed" in refused(head + block, "a.aedat")
    assert "ends inside of the header of a block at byte 28" in refused(head + bytes(27), "a.aedat")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("hello,world\n1,2\n", "line 1 is 'hello,world', neither an event nor names with t, x, y and p"),
        ("1,2,3,1\n1,2,3\n", "line 2 is '1,2,3', no event, whose time, x, y and p are numbers"),
        ("t,x,y,p\n\n1,2,b,1\n", "line 3 is '1,2,b,1'"),
        ("0.5,2,3,1\n1,2,3.5,1\n", "line 2 is '1,2,3.5,1', no event"),
        ("1,2,3,1\n2,2,3,99999999999999999999\n", "line 2 is"),
        ("1,2,3,1\n2,2,3,2\n", "event 1 (line 2) has the polarity 2"),
        ("1,2,3,1\n2,-2,3,1\n", "event 1 (line 2) has x = -2, outside of the sensor"),
        ("1,2,3,1\n2,70000,3,1\n", "event 1 (line 2) has x = 70000, outside of the sensor"),
        ("1e300,2,3,1.\n", "line 1 is"),
        ("1,2,3,1\n2,2,\udcff,1\n", "line 2 is '2,2,\xff,1', no event"),
        ("1000.0,2,3,1\n2000.0,2,3,1\n", "could be seconds as well as microseconds; name the column t_s or t_us"),
        ("t,x,y,p,x\n1,2,3,1,4\n", "line 1 names two columns for x"),
        ("t,timestamp,x,y,p\n1,1,2,3,1\n", "line 1 names two columns for t"),
        ("t_h,x,y,p\n1,2,3,1\n", "line 1 says times in 'h'; known units are s, ms, us, ns"),
        ("0.5,2,3,1\n1e300,2,3,1\n", "event 1 (line 2) has the time 1e+300 s, which is none"),
        ("0.5,2,3,1\ninf,2,3,1\n", "event 1 (line 2) has the time inf s, which is none"),
        ("0.0,2,3,1\nnan,2,3,1\n", "event 1 (line 2) has the time nan s, which is none"),
    ],
)
def test_text_that_is_wrong(refused, text, sentence):
    assert sentence in refused(text.encode(errors="surrogateescape"), "a.csv")


@pytest.mark.parametrize(
    ("program", "sentence"),
    [
        ("import os; os.abort()", "its reader stopped after 0 events: signal 6"),
        ("import time; time.sleep(60)", "its reader stopped after 0 events: signal 9"),
        ("import sys; sys.exit(3)", "its reader stopped after 0 events: code 3"),
        ("print('{}'); print('x' * 33, end='', flush=True); import os; os.abort()", "stopped after 2 events: signal 6"),
        ("print('{}')\nwhile True: print('x' * 10**6)", "it expands to more than 1032 times its size"),
    ],
)
@pytest.mark.skipif(sys.platform == "win32", reason="the ending of a process is told by signals")
def test_a_reader_that_dies_hangs_or_never_ends(tmp_path, monkeypatch, program, sentence):
    monkeypatch.setattr(foreign, "PROGRAM", program)
    monkeypatch.setattr(foreign, "PATIENCE", 0.5)
    path = tmp_path / "a.h5"
    path.write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(100))
    began = time.perf_counter()
    with pytest.raises(InputError, match=sentence):
        events.read(path)
    assert time.perf_counter() - began < 20.0


def test_damaged_hdf5(refused):
    assert refused(b"\x89HDF\r\n\x1a\n" + bytes(100), "a.h5").startswith("its reader stopped after 0 events: ")


def test_without_faery_the_error_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "faery", None)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(InputError, match=r'needs faery; install it with: pip install "eventsnn\[dvs\]"'):
        events.read(DATA / "sample.aedat4")


@needs_faery
def test_damaged_aedat4(refused):
    content = (DATA / "sample.aedat4").read_bytes()
    assert "its reader stopped after 4096 events: " in refused(content[:50_000], "a.aedat4")
    for at in (20, 700):
        damaged = bytearray(content)
        damaged[at : at + 4] = b"\xff\xff\xff\x7f"
        assert refused(bytes(damaged), "a.aedat4").startswith("its reader stopped after ")


def test_importing_the_package_is_light():
    heavy = ["scipy", "matplotlib", "faery", "PIL"]
    program = f"import sys, eventsnn.events; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


# Whatever the bytes are. The files lie in a folder of their own, as hypothesis calls a test many times.
FOLDER = tempfile.TemporaryDirectory()


def peak(content: bytes, suffix: str) -> int:
    """Bytes that reading takes at most beside those of the file."""
    path = Path(FOLDER.name) / f"input{suffix}"
    path.write_bytes(content)
    tracemalloc.start()
    try:
        survives(path)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def is_modest(content: bytes, suffix: str) -> bool:
    return peak(content, suffix) < 2_000_000 + 200 * len(content)


@settings(max_examples=300)
@given(st.binary(max_size=400), st.sampled_from(SUFFIXES))
def test_any_bytes(content, suffix):
    assert is_modest(content, suffix)


BEGINNINGS = [content[: content.rindex(b"\n") + 1] for name, content in SAMPLES.items() if b"\n" in content[:-4]]


@settings(max_examples=300)
@given(st.sampled_from([*BEGINNINGS, SAMPLES["events.es"][:20]]), st.binary(max_size=400))
def test_any_bytes_behind_a_header(header, content):
    assert is_modest(header + content, ".raw")


@st.composite
def damaged(draw):
    name = draw(st.sampled_from(list(SAMPLES)))
    content = bytearray(SAMPLES[name])
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, max(len(content) - 1, 0)))
        what = draw(st.integers(0, 3))
        if what == 0:
            content[at : at + 1] = draw(st.binary(min_size=1, max_size=1))
        elif what == 1:
            content[at : at + 4] = draw(st.sampled_from([b"\xff\xff\xff\x7f", b"\xff\xff\xff\xff", bytes(4), b"9999"]))
        elif what == 2:
            del content[at : at + draw(st.integers(1, 9))]
        else:
            content[at:at] = draw(st.binary(max_size=9))
    return bytes(content), Path(name).suffix


@settings(max_examples=500)
@given(damaged())
def test_damaged_files(found):
    assert is_modest(*found)


@settings(max_examples=500)
@given(
    st.sampled_from(ecf_chunks()),
    st.lists(st.tuples(st.integers(0, 200), st.integers(0, 255)), max_size=4),
    st.integers(0, 99),
)
def test_damaged_ecf(chunk, changes, cut):
    content = bytearray(chunk)
    for at, value in changes:
        content[at % len(content)] = value
    try:
        columns = ecf.decode(bytes(content[: len(content) - cut]))
    except Damaged:
        return
    assert len({column.size for column in columns}) == 1


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.name)
def test_corpus(path):
    if path.suffix == ".ecf":
        try:
            assert len({column.size for column in ecf.decode(path.read_bytes())}) == 1
        except Damaged:
            pass
        return
    assert is_modest(path.read_bytes(), path.suffix)


def test_kinds_that_are_decoded_from_bytes_take_any(tmp_path):
    rng = np.random.default_rng(0)
    for kind in ("dat", "evt", "aedat2", "aedat3", "es", "nmnist"):
        for n in (0, 1, 27, 500):
            try:
                files.decode(kind, rng.integers(0, 256, n).astype(np.uint8))
            except Damaged as error:
                assert str(error)
