"""Fuzzing of the readers of event files: whatever the bytes are, the answer is Events or an InputError, or Damaged.

Run, where atheris is installed: python tests/support/fuzz_events.py FOLDER -max_total_time=300 -max_len=4096. The
folder keeps what reaches new branches; it may begin empty, as small valid files are the seeds. The first byte of an
input chooses the suffix of the file, or the decoder of ECF. HDF5 and AEDAT4 are read by other projects, in a process of
their own.

`tests/data/events/corpus` holds some of what was found, as files, which tests/test_events_bad_files.py reads again.
"""

import struct
import sys
import tempfile
from pathlib import Path

SUFFIXES = [".raw", ".dat", ".es", ".aedat", ".bin", ".csv"]
ECF = len(SUFFIXES)


def evt2() -> bytes:
    events = [(8, 3), (1, 5 << 22 | 10 << 11 | 20), (0, 9 << 22 | 11 << 11 | 21), (10, 7), (8, 4), (1, 12 << 11 | 22)]
    return b"% evt 2.0\n% geometry 64x48\n% end\n" + struct.pack("<6I", *(kind << 28 | rest for kind, rest in events))


def evt3() -> bytes:
    words = [
        0x8001,
        0x6010,
        0x0005,
        0x2803,
        0x3808,
        0x4801,
        0x4000,
        0x5081,
        0x6020,
        0x0006,
        0x2004,
        0xE123,
        0x8001,
        0x2005,
    ]
    return b"% evt 3.0\n% format EVT3;height=48;width=64\n" + struct.pack(f"<{len(words)}H", *words)


def dat() -> bytes:
    events = [(100, 3, 4, 1), (101, 63, 47, 0), (2**32 - 1, 5, 6, 1), (3, 7, 8, 0)]
    packed = b"".join(struct.pack("<II", t, p << 28 | y << 14 | x) for t, x, y, p in events)
    return b"% Data file containing CD events\n% Version 2\n% Width 64\n% Height 48\n\x0c\x08" + packed


def event_stream() -> bytes:
    body = bytes([5 << 1 | 1, 3, 0, 4, 0, 255, 255, 0, 63, 0, 47, 0, 254, 126 << 1, 0, 0, 0, 0])
    return b"Event Stream\x02\x00\x00\x01" + struct.pack("<HH", 64, 48) + body


def aedat2() -> bytes:
    words = [1 << 31, 9, 47 << 22 | 63 << 12 | 1 << 11, 10, 1 << 10, 11, 2**31 - 1, 12]
    return b"#!AER-DAT2.0\r\n# AEChip: eu.seebetter.ini.chips.davis.DAVIS240C\r\n" + struct.pack(">8I", *words)


def aedat3() -> bytes:
    events = struct.pack("<IiIiIi", 3 << 17 | 4 << 2 | 3, 100, 5 << 17 | 6 << 2 | 1, 101, 7 << 17 | 8 << 2, 102)
    other = struct.pack("<hhiiiiii", 0, 1, 8, 4, 0, 1, 1, 1) + bytes(8)
    block = struct.pack("<hhiiiiii", 1, 1, 8, 4, 1, 3, 3, 2) + events
    return b"#!AER-DAT3.1\r\n#Format: RAW\r\n#Source 1: DVS128\r\n#!END-HEADER\r\n" + other + block


def nmnist() -> bytes:
    return bytes([3, 4, 0x80, 0, 100, 0, 240, 0, 0, 0, 5, 6, 0x00, 0, 120])


def ecf_chunks() -> list[bytes]:
    head = struct.pack("<Q", 1000)
    times = bytes([0x03, 0xF1, 0xF2, 0x02, 0x1F, 20, 0])  # 3 at 1000, 2 at 1033, 20 at 1034
    n = 25
    packed = struct.pack("<3I", 7 << 20 | 9, 1 << 16 | 3, 5 << 8 | 4) * 7
    rows = struct.pack("<3H", 9 << 5 | 5, 10 << 5 | 31, 20)
    columns = struct.pack("<5H", *(k << 5 | 31 for k in range(4)), 4 << 5)
    both = struct.pack("<3H", 7 << 4 | 9, 1 << 8 | 3, 5 << 12 | 4) * 7
    return [
        struct.pack("<I", n << 2 | 2) + head + times + packed,
        struct.pack("<I", n << 2) + head + times + rows + columns + bytes([0x80 | 5, 20]),
        struct.pack("<I", n << 2 | 1) + head + times + rows + both,
    ]


SAMPLES = {
    "evt2.raw": evt2(),
    "evt3.raw": evt3(),
    "events.dat": dat(),
    "events.es": event_stream(),
    "aedat2.aedat": aedat2(),
    "aedat3.aedat": aedat3(),
    "events.bin": nmnist(),
    "names.csv": b"# a comment\nx,y,p,t\n3,4,1,100\n5,6,-1,101\n",
    "seconds.csv": b"0.0001 3 4 1\n0.000101\t5 6 0\n",
}


def survives(path: Path) -> bool:
    """Whether the file holds Events; anything that is raised but InputError is a fault."""
    from eventsnn import events
    from eventsnn.base.errors import InputError

    try:
        found = events.read(path)
    except InputError:
        return False
    assert len(found) == found.data.size and found.data.dtype.names == ("t", "x", "y", "p")
    return True


def main() -> None:
    import atheris

    with atheris.instrument_imports(include=["eventsnn.events"]):
        from eventsnn.events import ecf
        from eventsnn.events.decoded import Damaged

    folder = Path(tempfile.mkdtemp(dir="/dev/shm" if Path("/dev/shm").is_dir() else None))

    def one_input(data: bytes) -> None:
        kind = data[0] % (ECF + 1) if data else 0
        if kind == ECF:
            try:
                columns = ecf.decode(data[1:])
            except Damaged:
                return
            assert len({column.size for column in columns}) == 1
            return
        path = folder / f"input{SUFFIXES[kind]}"
        path.write_bytes(data[1:])
        survives(path)

    seeds = folder / "seeds"
    seeds.mkdir()
    for name, content in SAMPLES.items():
        (seeds / name).write_bytes(bytes([SUFFIXES.index(Path(name).suffix)]) + content)
    for k, chunk in enumerate(ecf_chunks()):
        (seeds / f"ecf{k}").write_bytes(bytes([ECF]) + chunk)
    atheris.Setup([*sys.argv, str(seeds)], one_input)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
