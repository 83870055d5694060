"""What readers make of files: bytes put together by hand, loops over single words, real recordings, faery."""

import importlib.util
import struct
from pathlib import Path

import h5py
import numpy as np
import pytest
from fuzz_events import SAMPLES, ecf_chunks

from eventsnn import events
from eventsnn.base.errors import InputError
from eventsnn.events import ecf, event_stream, evt
from eventsnn.events.decoded import Damaged
from eventsnn.events.hdf5 import FIELDS, read_hdf5
from eventsnn.events.prophesee import Header

DATA = Path(__file__).parent / "data" / "events"

needs_faery = pytest.mark.skipif(importlib.util.find_spec("faery") is None, reason="faery is not installed")


def rows(found: events.Events) -> list[tuple]:
    """Microseconds, x, y, p."""
    return [(round(1000.0 * t), x, y, p) for t, x, y, p in found.data.tolist()]


@pytest.fixture
def read_bytes(tmp_path):
    def read(content: bytes, name: str, **size):
        path = tmp_path / name
        path.write_bytes(content)
        return events.read(path, **size)

    return read


@pytest.mark.parametrize(
    ("name", "expected", "size"),
    [
        ("evt2.raw", [(197, 10, 20, 1), (201, 11, 21, 0), (256, 12, 22, 1)], (64, 48)),
        (
            "evt3.raw",
            [(4112, 3, 5, 1), *((4112, x, 5, 1) for x in (8, 19, 32, 39)), (4128, 4, 6, 0), (4128, 5, 6, 0)],
            (64, 48),
        ),
        ("events.dat", [(100, 3, 4, 1), (101, 63, 47, 0), (2**32 - 1, 5, 6, 1), (2**32 + 3, 7, 8, 0)], (64, 48)),
        ("events.es", [(5, 3, 43, 1), (259, 63, 0, 0), (385, 0, 47, 0)], (64, 48)),
        ("aedat2.aedat", [(10, 176, 132, 1)], (240, 180)),
        ("aedat3.aedat", [(2**31 + 100, 3, 4, 1), (2**31 + 101, 5, 6, 0)], (128, 128)),
        ("events.bin", [(100, 3, 4, 1), (2**13 + 120, 5, 6, 0)], (6, 7)),
        ("names.csv", [(100, 3, 4, 1), (101, 5, 6, 0)], (6, 7)),
        ("seconds.csv", [(100, 3, 4, 1), (101, 5, 6, 0)], (6, 7)),
    ],
)
def test_small_files_by_hand(read_bytes, name, expected, size):
    found = read_bytes(SAMPLES[name], name)
    assert rows(found) == expected
    assert (found.width, found.height) == size
    assert found.t.tolist() == [t / 1000.0 for t, *_ in expected]


@pytest.mark.parametrize(
    ("name", "count", "first", "last", "sums", "size"),
    [
        ("dvs.es", 29881, (1000, 77, 84, 1), (85000, 59, 159, 1), (11859, 2179208, 4029183), (320, 240)),
        ("ncars.dat", 2009, (0, 25, 8, 0), (99952, 75, 28, 1), (1350, 93457, 40463), (78, 42)),
        pytest.param(
            "sample.aedat4",
            12000,
            (1605537493718345, 154, 204, 0),
            (1605537493814021, 165, 142, 1),
            (5997, 1955575, 1648205),
            (320, 240),
            marks=needs_faery,
        ),
    ],
)
def test_real_recordings(name, count, first, last, sums, size):
    found = events.read(DATA / name)
    assert len(found) == count and (found.width, found.height) == size
    assert (rows(found[:1])[0], rows(found[-1:])[0]) == (first, last)
    assert (int(found.p.sum()), int(found.x.sum(dtype=int)), int(found.y.sum(dtype=int))) == sums


@needs_faery
@pytest.mark.parametrize("name", ["dvs.es", "sample.aedat4"])
def test_faery_reads_the_same(name):
    import faery

    other = np.concatenate([part.copy() for part in faery.events_stream_from_file(DATA / name)])
    found = events.read(DATA / name)
    for field, column in (("t", 1000.0 * found.t), ("x", found.x), ("y", found.y), ("on", found.p)):
        assert np.array_equal(other[field].astype(np.int64), np.rint(column).astype(np.int64))


def test_what_a_file_is_shows_in_its_bytes_not_in_its_name(read_bytes):
    for name in ("evt2.raw", "evt3.raw", "events.dat", "events.es", "aedat2.aedat", "aedat3.aedat"):
        assert np.array_equal(read_bytes(SAMPLES[name], "a.bin").data, read_bytes(SAMPLES[name], name).data)


def test_size_of_the_sensor(read_bytes):
    bare = read_bytes(SAMPLES["events.bin"], "a.bin", width=34, height=34)
    assert (bare.width, bare.height) == (34, 34)
    assert read_bytes(SAMPLES["events.bin"], "a.bin", height=34).width == 6
    assert read_bytes(SAMPLES["events.es"], "a.es", width=64, height=48).width == 64
    with pytest.raises(InputError, match="width = 65 contradicts the file, which says 64"):
        read_bytes(SAMPLES["events.es"], "a.es", width=65)
    with pytest.raises(InputError, match="height = 0 must be a whole number"):
        read_bytes(SAMPLES["events.bin"], "a.bin", height=0)
    with pytest.raises(InputError, match=r"event 1 \(byte 10\) has x = 5, outside of the sensor of 5 x 7 pixels"):
        read_bytes(SAMPLES["events.bin"], "a.bin", width=5)


def evt3_words(data: bytes) -> list[tuple]:
    """One word after another, as the format is described."""
    found, high, low, turns, y, base, base_p = [], None, 0, 0, None, None, 0
    for (word,) in struct.iter_unpack("<H", data):
        kind, content = word >> 12, word & 0xFFF
        t = None if high is None else (turns << 24 | high << 12 | low)
        if kind == 0x8:
            if high is not None:
                turns += high - content > 2**11
                low = low if high == content else 0
            high = content
        elif kind == 0x6 and high is not None:
            low = content
        elif kind == 0x0:
            y = content & 0x7FF
        elif kind == 0x1:
            y = None
        elif kind == 0x2 and None not in (t, y):
            found.append((t, content & 0x7FF, y, content >> 11))
        elif kind == 0x3:
            base, base_p = content & 0x7FF, content >> 11
        elif kind in (0x4, 0x5) and base is not None:
            length = 12 if kind == 0x4 else 8
            if None not in (t, y):
                found += [(t, base + bit, y, base_p) for bit in range(length) if content >> bit & 1]
            base += length
    return found


@pytest.mark.parametrize("block", [1, 7, 2**19])
def test_evt3_is_what_a_loop_over_words_finds(monkeypatch, block):
    monkeypatch.setattr(evt, "BLOCK", block)
    rng = np.random.default_rng(block)
    header = Header(np.frombuffer(b"% evt 3.0\n% end\n", dtype=np.uint8))
    for n in (0, 1, 5, 3000 if block > 1 else 300):
        kinds = rng.choice([0, 0, 1, 2, 2, 2, 3, 4, 4, 5, 6, 6, 7, 8, 10, 14, 15], n)
        # Few values of the upper time, so that it stays, goes on, falls a little and begins anew.
        contents = np.where(kinds == 8, rng.choice([1, 2, 3, 3, 4094, 4095], n), rng.integers(0, 2**12, n))
        body = (kinds << 12 | contents).astype("<u2").tobytes()
        found = evt.read_evt3(np.frombuffer(b"% evt 3.0\n% end\n" + body, dtype=np.uint8), header)
        assert list(
            zip(*(column.tolist() for column in (found.t, found.x, found.y, found.p)), strict=True)
        ) == evt3_words(body)
        for k in range(0, found.t.size, 50):
            word = (int(found.place(k).split()[1]) - header.start) // 2
            assert kinds[word] in (2, 4, 5)


def test_evt2_time_begins_anew_and_other_words_are_left_out(read_bytes):
    high, event, trigger, other = 0x8 << 28, 0x1 << 28, 0xA << 28, 0xE << 28
    words = [event | 5, high | 2**28 - 1, event | 63 << 22, trigger | 1, other | 7, 0xF << 28, high, 1 << 22 | 1 << 11]
    found = read_bytes(b"% evt 2.0\n" + struct.pack(f"<{len(words)}I", *words), "a.raw")
    assert rows(found) == [(2**34 - 1, 0, 0, 1), (2**34 + 1, 1, 0, 0)]


def test_headers_of_prophesee():
    for text, version, size in (
        (b"% evt 3.0\n% geometry 1280x720\n", "3.0", (1280, 720)),
        (b"% format EVT2;height=480;width=640\n% end\n", "2.0", (640, 480)),
        (b"% format EVT21;height=4;width=6\n", "2.1", (6, 4)),
        (b"% Version 2\n% Width 304\n% Height 240\n", "2", (304, 240)),
        (b"% Date 2020-09-25 07:48:29\n% evt 2.0\n", "2.0", (None, None)),
    ):
        # Events may begin with the percent sign by chance.
        header = Header(np.frombuffer(text + b"% \x01\x80\n", dtype=np.uint8))
        assert (header.version, (header.width, header.height), header.start) == (version, size, len(text))


def test_times_from_a_zero_that_the_header_names(read_bytes):
    content = SAMPLES["events.dat"].replace(b"% Width", b"% T0 1000\n% Width")
    assert rows(read_bytes(content, "a.dat"))[0] == (1100, 3, 4, 1)


def test_dat_without_a_size_and_of_the_older_type(read_bytes):
    content = b"% Data file containing Event2d events.\n% Version 2\n\x00\x08" + struct.pack(
        "<II", 7, 1 << 28 | 9 << 14 | 4
    )
    found = read_bytes(content, "a.dat")
    assert rows(found) == [(7, 4, 9, 1)] and (found.width, found.height) == (5, 10)


def aedat2(chip: bytes, *pairs: tuple[int, int]) -> bytes:
    head = b"#!AER-DAT2.0\r\n" + (b"# AEChip: " + chip + b"\r\n" if chip else b"")
    return head + b"".join(struct.pack(">Ii", *pair) for pair in pairs)


@pytest.mark.parametrize("chip", [b"ch.unizh.ini.jaer.chip.retina.DVS128", b""])
def test_aedat2_of_a_dvs128(read_bytes, chip):
    # jAER counts x from the right and y from the bottom; bit 0 marks OFF, bit 15 an external event.
    content = aedat2(chip, (3 << 8 | 10 << 1, -5), (1 << 15, 0), (0 | 1, 7))
    found = read_bytes(content, "a.aedat")
    assert rows(found) == [(-5, 117, 124, 1), (7, 127, 127, 0)] and (found.width, found.height) == (128, 128)


def test_aedat2_of_a_davis(read_bytes):
    # The first byte of the first event is the sign of a header line: y = 140 in bits 22 to 30.
    content = aedat2(
        b"eu.seebetter.ini.chips.davis.Davis346red", (140 << 22 | 345 << 12 | 1 << 11, 2**31 - 1), (0, -(2**31))
    )
    found = read_bytes(content, "a.aedat")
    assert rows(found) == [(2**31 - 1, 0, 119, 1), (2**31, 345, 259, 0)] and (found.width, found.height) == (346, 260)


def test_aedat2_of_a_chip_that_is_not_known(read_bytes):
    with pytest.raises(
        InputError, match="names the chip CochleaAMS1c, whose addresses are not known; known are dvs128"
    ):
        read_bytes(aedat2(b"ch.unizh.ini.jaer.chip.cochlea.CochleaAMS1c", (0, 0)), "a.aedat")
    with pytest.raises(InputError, match="the header names no chip"):
        read_bytes(aedat2(b"", (1 << 22, 0)), "a.aedat")


def test_aedat3_of_two_cameras_is_refused(read_bytes):
    block = struct.pack("<hhiiiiiiIi", 1, 2, 8, 4, 1, 1, 1, 1, 1, 200)
    with pytest.raises(InputError, match=r"events of 2 cameras, sources \[1, 2\]"):
        read_bytes(SAMPLES["aedat3.aedat"] + block, "a.aedat")


def es_bytes(body: bytes, height: int) -> list[tuple]:
    """One byte after another, as the format is described."""
    found, t, at = [], 0, 0
    while at < len(body):
        if body[at] >= 0xFE:
            t += 127 * (body[at] == 0xFF)
            at += 1
        else:
            t += body[at] >> 1
            x, y = struct.unpack_from("<HH", body, at + 1)
            found.append((t, x, height - 1 - y, body[at] & 1))
            at += 5
    return found


def test_event_stream_is_what_a_loop_over_bytes_finds():
    rng = np.random.default_rng(3)
    for share in (0.0, 0.1, 0.9):
        parts = []
        for _ in range(2000):
            gap = rng.choice([0xFE, 0xFF], rng.integers(1, 9) if rng.random() < share else 0).tolist()
            x, y = rng.choice([0, 255, 256, 0xFEFF, 0xFFFE, 0xFFFF], 2).tolist()
            parts += [bytes(gap), struct.pack("<BHH", rng.integers(0, 0xFE), x, y)]
        body = b"".join(parts) + bytes([0xFF] * 3)
        head = b"Event Stream\x02\x00\x00\x01" + struct.pack("<HH", 65535, 65535)
        found = event_stream.read_es(np.frombuffer(head + body, dtype=np.uint8))
        columns = zip(*(column.tolist() for column in (found.t, found.x, found.y, found.p)), strict=True)
        assert list(columns) == es_bytes(body, 65535)
        assert body[int(found.place(1999).split()[1]) - 20 :][:5] == parts[-1]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("10,1,2,1\n20,3,4,0\n", [(10, 1, 2, 1), (20, 3, 4, 0)]),
        ("t,x,y,p\r\n10,1,2,1\r\n\r\n20,3,4,0", [(10, 1, 2, 1), (20, 3, 4, 0)]),
        ("\ufeffTimestamp, Polarity, Y, X\n10, 1, 2, 1\n20, 0, 4, 3\n", [(10, 1, 2, 1), (20, 3, 4, 0)]),
        ("x\ty\tp\tt\n1\t2\t1\t10\n3\t4\t0\t20\n", [(10, 1, 2, 1), (20, 3, 4, 0)]),
        ("# made by hand\n0.00001 1 2 1\n2e-5   3 4 -1\n", [(10, 1, 2, 1), (20, 3, 4, 0)]),
        ("n,on,time,x,y\n7,1,10,1,2\n8,0,20,3,4\n", [(10, 1, 2, 1), (20, 3, 4, 0)]),
        ("1600000000.000010,1,2,1\n", [(1600000000000010, 1, 2, 1)]),
        ("-5,1,2,1\n", [(-5, 1, 2, 1)]),
        ("\ufeff10,1,2,1\n", [(10, 1, 2, 1)]),
        ("# f\udcfcr\n10,1,2,1,\udcff\n", [(10, 1, 2, 1)]),
        ("t,x,y,p\n", []),
    ],
)
def test_text(read_bytes, text, expected):
    assert rows(read_bytes(text.encode(errors="surrogateescape"), "a.csv")) == expected


def test_text_that_says_the_size(read_bytes):
    found = read_bytes(b"t,x@640,y@480,on\n1,2,3,1\n", "a.csv")
    assert (found.width, found.height) == (640, 480)


def encoded(t: list[int], x: list[int], y: list[int], p: list[int]) -> bytes:
    """ECF without packing, run by run, as the format is described."""
    out = struct.pack("<IQ", len(t) << 2, t[0])

    def runs(values):
        starts = [k for k in range(len(values)) if k == 0 or values[k] != values[k - 1]]
        return [(values[i], j - i) for i, j in zip(starts, [*starts[1:], len(values)], strict=True)]

    now = t[0]
    for value, count in runs(t):
        step = value - now
        if step >= 15:
            while step:
                out += bytes([0xF0 | step & 15])
                step >>= 4
        out += bytes([step << 4 | count]) if count < 15 else struct.pack("<BH", step << 4 | 15, count)
        now = value
    for value, count in runs(y):
        out += struct.pack("<H", value << 5 | count) if count < 31 else struct.pack("<HH", value << 5 | 31, count)
    k = 0
    while k < len(x):
        first, bits = x[k], 0
        k += 1
        for step in range(1, 6):
            if k < len(x) and x[k] == first + step:
                bits |= 1 << 5 - step
                k += 1
        out += struct.pack("<H", first << 5 | bits)
    for value, count in runs(p):
        out += bytes([value << 7 | count]) if count < 127 else struct.pack("<BH", value << 7 | 127, count)
    return out


@pytest.mark.parametrize("n", [1, 14, 15, 16, 31, 32, 500, 4000])
def test_ecf_of_runs(n):
    rng = np.random.default_rng(n)
    for steps, lengths in (([0, 1, 14, 15, 16, 255, 256, 2**20, 2**35], 1), ([0], 300), ([0, 0, 0, 20], 40)):
        t = (2**40 + np.cumsum(rng.choice(steps, n))).tolist()
        y = np.repeat(rng.integers(0, 2048, n), rng.integers(1, lengths + 1, n))[:n].tolist()
        x = (np.cumsum(rng.integers(1, 4, n)) % 2048).tolist()
        p = np.repeat(rng.integers(0, 2, n), rng.integers(1, lengths + 1, n))[:n].tolist()
        assert [column.tolist() for column in ecf.decode(encoded(t, x, y, p))] == [t, x, y, p]


def test_ecf_chunks_by_hand():
    t = [1000] * 3 + [1033] * 2 + [1034] * 20
    y = [9] * 5 + [10] * 20
    packed, runs, both = ([column.tolist() for column in ecf.decode(chunk)] for chunk in ecf_chunks())
    assert runs == [t, [base + k for base in range(4) for k in range(6)] + [4], y, [1] * 5 + [0] * 20]
    # 12 bits a pixel, x << 1 | p, split over the words 7 << 4 | 9, 1 << 8 | 3, 5 << 12 | 4.
    numbers = ([7, 9 | 1 << 4, 3 | 5 << 8, 4] * 7)[:25]
    assert both == [t, [value >> 1 for value in numbers], y, [value & 1 for value in numbers]]
    # 24 bits a pixel, y << 12 | x << 1 | p, split over 7 << 20 | 9, 1 << 16 | 3, 5 << 8 | 4.
    numbers = ([(7 << 20 | 9) >> 8, 9 | 1 << 8, 3, 5 << 8 | 4] * 7)[:25]
    assert packed == [t, [v >> 1 & 0x7FF for v in numbers], [v >> 12 for v in numbers], [v & 1 for v in numbers]]


def write_hdf5(path: Path, found: events.Events, geometry: str | None = None, **options) -> Path:
    data = np.zeros(len(found), dtype=FIELDS)
    data["t"], data["x"], data["y"], data["p"] = np.rint(1000.0 * found.t), found.x, found.y, found.p
    with h5py.File(path, "w") as file:
        file.create_dataset("CD/events", data=data, **options)
        if geometry:
            file.attrs["geometry"] = geometry
    return path


def write_ecf(path: Path, chunks: list[bytes], length: int, events_of: int, skipped: int = 0) -> Path:
    """Chunks of `length` events, the last `skipped` of them not compressed."""
    with h5py.File(path, "w") as file:
        plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        plist.set_chunk((length,))
        plist.set_filter(ecf.FILTER, h5py.h5z.FLAG_OPTIONAL)
        group = file.create_group("CD")
        space = h5py.h5s.create_simple((events_of,), (h5py.h5s.UNLIMITED,))
        dataset = h5py.h5d.create(group.id, b"events", h5py.h5t.py_create(FIELDS), space, plist)
        for k, chunk in enumerate(chunks):
            dataset.write_direct_chunk((k * length,), chunk, filter_mask=int(k >= len(chunks) - skipped))
    return path


def blocks_of(path: Path) -> list[tuple]:
    _, _, blocks = read_hdf5(str(path))
    return [row for block in blocks for row in zip(*(column.tolist() for column in block), strict=True)]


@pytest.mark.parametrize(
    "options", [{}, {"chunks": (100,)}, {"chunks": (300,), "compression": "gzip", "shuffle": True, "fletcher32": True}]
)
def test_hdf5_with_filters_that_it_knows(tmp_path, options):
    real = events.read(DATA / "ncars.dat")
    path = write_hdf5(tmp_path / "a.hdf5", real, "304x240", **options)
    assert blocks_of(path) == rows(real)
    assert read_hdf5(str(path))[:2] == (304, 240)


def test_hdf5_compressed_by_ecf(tmp_path):
    real = events.read(DATA / "ncars.dat")
    t, x, y, p = (list(column) for column in zip(*rows(real), strict=True))
    parts = [encoded(*(column[k : k + 512] for column in (t, x, y, p))) for k in range(0, len(t), 512)]
    path = write_ecf(tmp_path / "a.hdf5", parts, 512, len(t))
    assert blocks_of(path) == rows(real)
    found = events.read(path, width=304, height=240)
    assert rows(found) == rows(real) and (found.width, found.height) == (304, 240)
    raw = np.zeros(512, dtype=FIELDS)
    last = slice(len(t) // 512 * 512, None)
    for name, column in zip("txyp", (t, x, y, p), strict=True):
        raw[name][: len(t[last])] = column[last]
    assert blocks_of(write_ecf(tmp_path / "b.hdf5", [*parts[:-1], raw.tobytes()], 512, len(t), skipped=1)) == rows(real)


def test_hdf5_that_is_not_what_it_says(tmp_path):
    real = events.read(DATA / "ncars.dat")[:100]
    path = tmp_path / "a.hdf5"
    with h5py.File(path, "w") as file:
        file.create_dataset("CD/events", shape=(10**12,), dtype=FIELDS, chunks=(1000,))
    with pytest.raises(Damaged, match="says that it has 1000000000000 events, but 0 bytes of them are in the file"):
        read_hdf5(str(path))
    with pytest.raises(InputError, match="its reader stopped after 0 events: /CD/events says that it has"):
        events.read(path)
    for wrong in (np.zeros(3), np.zeros(3, dtype=[(name, float) for name in "xypt"]), np.zeros((2, 2), dtype=FIELDS)):
        with h5py.File(path, "w") as file:
            file.create_dataset("CD/events", data=wrong)
        with pytest.raises(Damaged, match="has no dataset /CD/events|the field x of /CD/events has the type float64"):
            read_hdf5(str(path))
    t, x, y, p = (list(column) for column in zip(*rows(real), strict=True))
    short = encoded(t[:50], x[:50], y[:50], p[:50])
    with pytest.raises(Damaged, match="/CD/events, events from 0: the chunk has 50 events in place of 100"):
        blocks_of(write_ecf(path, [short], 100, 100))
    with pytest.raises(Damaged, match="/CD/events, events from 0: a chunk of 3 bytes is too short"):
        blocks_of(write_ecf(path, [b"abc"], 100, 1))


@pytest.mark.parametrize(
    ("text", "microseconds"),
    [
        ("t,x,y,p\n1000,2,3,1\n2000,2,3,1\n", [1000, 2000]),
        ("1.5,2,3,1\n2,2,3,1\n", [1_500_000, 2_000_000]),
        ("t_us,x,y,p\n1000.0,2,3,1\n2000.0,2,3,1\n", [1000, 2000]),
        ("t_s,x,y,p\n1.0,2,3,1\n2.0,2,3,1\n", [1_000_000, 2_000_000]),
        ("timestamp_ns,x,y,p\n1000,2,3,1\n2600,2,3,1\n", [1, 3]),
        ('"time [ms]",x,y,polarity\n0.25,2,3,1\n2,2,3,1\n', [250, 2000]),
        ("Time (\xb5s),x,y,p\n7,2,3,1\n8,2,3,1\n", [7, 8]),
        ("t,x,y,p,confidence\n1000,2,3,1,0.5\n2000,2,3,1,0.25\n", [1000, 2000]),
    ],
)
def test_the_unit_of_times_in_text(tmp_path, text, microseconds):
    (tmp_path / "a.csv").write_text(text, encoding="utf-8")
    assert events.read(tmp_path / "a.csv").t.tolist() == [t / 1000.0 for t in microseconds]


def test_a_geometry_of_bytes_is_read(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.attrs["geometry"] = np.bytes_("640x480")
        found = np.zeros(1, dtype=[("x", "<u2"), ("y", "<u2"), ("p", "<i2"), ("t", "<i8")])
        file.create_dataset("CD/events", data=found)
    read = events.read(tmp_path / "a.h5")
    assert (read.width, read.height) == (640, 480)
