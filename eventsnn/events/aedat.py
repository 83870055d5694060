"""AEDAT 2.0 and AEDAT 3.1, the files of iniVation's cameras as jAER and cAER write them.

jAER counts rows from the bottom and columns from the right of the image; here they are turned round, so that y counts
from the top and x from the left. A DVS128 marks ON by 0, the DAVIS cameras by 1.

Sources: docs.inivation.com, "AEDAT 2.0" and "AEDAT 3.1"; what jAER's classes of the chips read.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import NamedTuple

import numpy as np

from eventsnn.base.arrays import Ints
from eventsnn.events.decoded import Bytes, Damaged, Decoded, header_lines, records, unwrapped
from eventsnn.events.recording import Events


class Chip(NamedTuple):
    """How a chip's address tells the pixel: where bits of x, y and polarity begin, which bits mark other events."""

    width: int
    height: int
    x: tuple[int, int]
    y: tuple[int, int]
    p: int
    on: int
    other: int


def _davis(width: int, height: int) -> Chip:
    # Bit 31 marks samples of the image and of the accelerometer, bit 10 an edge at the camera's plug.
    return Chip(width, height, (12, 0x3FF), (22, 0x1FF), 11, 1, 1 << 31 | 1 << 10)


DVS128 = Chip(128, 128, (1, 0x7F), (8, 0x7F), 0, 0, 1 << 31 | 1 << 15)

# By a part of the name of jAER's class, in small letters.
CHIPS = {
    "dvs128": DVS128,
    "davis128": _davis(128, 128),
    "davis208": _davis(208, 192),
    "davis240": _davis(240, 180),
    "sbret10": _davis(240, 180),
    "davis346": _davis(346, 260),
    "davis640": _davis(640, 480),
}

# Sizes of the sources that an AEDAT 3.1 header names; of DAVIS240C and its like the beginning counts.
SOURCES = {
    "DVS128": (128, 128),
    "DAVIS128": (128, 128),
    "DAVIS208": (208, 192),
    "DAVIS240": (240, 180),
    "DAVIS346": (346, 260),
    "DAVIS640": (640, 480),
}

POLARITY = 1
BLOCK_HEADER = struct.Struct("<hhiiiiii")

# Events in a block that is written.
BLOCK = 2**16


def read_aedat2(data: Bytes) -> Decoded:
    """AEDAT 2.0: pairs of an address and a time (microseconds), 32 bits each, signed and big-endian."""
    lines, start = header_lines(data, b"#", b"#End Of ASCII")
    found = records(data, start, [("address", ">u4"), ("t", ">i4")], "event")
    address = found["address"].astype(np.uint32)
    chip = _chip(lines, int(address.max(initial=0)))
    event = np.flatnonzero(address & np.uint32(chip.other) == 0)
    if event.size < address.size:
        address = address[event]
    return Decoded(
        unwrapped(found["t"][event], 2**32),
        chip.width - 1 - (address >> chip.x[0] & chip.x[1]).astype(np.int32),
        chip.height - 1 - (address >> chip.y[0] & chip.y[1]).astype(np.int32),
        (address >> chip.p & 1 == chip.on).astype(np.uint8),
        lambda k: f"byte {start + 8 * int(event[k])}",
        chip.width,
        chip.height,
    )


def _chip(lines: list[str], highest: int) -> Chip:
    """The chip that the header names; files from before 2014 name none and come from a DVS128."""
    named = [line.split(":", 1)[1].strip() for line in lines if line.lstrip("# ").startswith("AEChip:")]
    if not named:
        if highest & ~DVS128.other < 2**15:
            return DVS128
        raise Damaged("the header names no chip (AEChip), and the addresses are none of a DVS128")
    name = named[0].rsplit(".", 1)[-1]
    chips = [chip for part, chip in CHIPS.items() if part in name.lower()]
    if not chips:
        raise Damaged(f"the header names the chip {name}, whose addresses are not known; known are {', '.join(CHIPS)}")
    return chips[0]


def read_aedat3(data: Bytes) -> Decoded:
    """AEDAT 3.1: blocks of events of one kind. Valid events of blocks of changes of pixels are taken, others left out.

    A time has 31 bits (microseconds), and the header of the block counts how often it began anew.
    """
    lines, start = header_lines(data, b"#", b"#!END-HEADER")
    if not lines or not lines[-1].startswith("#!END-HEADER"):
        raise Damaged(f"the header ends at byte {start} without the line #!END-HEADER")
    formats = [line.partition(":")[2].strip() for line in lines if line.startswith("#Format:")]
    if formats and formats[0] != "RAW":
        raise Damaged(f"its events are in the format {formats[0]}; RAW can be read")
    blocks = _blocks(data, start)
    begins = np.array([begin for begin, _, _ in blocks], dtype=np.int64)
    numbers = np.array([number for _, number, _ in blocks], dtype=np.int64)
    turns = np.repeat(np.array([turn for _, _, turn in blocks], dtype=np.int64), numbers)
    pieces = [data[begin : begin + 8 * number] for begin, number, _ in blocks]
    found = np.concatenate([data[:0], *pieces]).view([("pixel", "<u4"), ("t", "<i4")])
    valid = np.flatnonzero(found["pixel"] & 1)
    first = np.cumsum(numbers) - numbers

    def place(k: int) -> str:
        block = int(np.searchsorted(first, valid[k], side="right")) - 1
        return f"byte {begins[block] + 8 * (valid[k] - first[block])}"

    pixel = found["pixel"][valid]
    width, height = _source_size(lines)
    return Decoded(
        (turns[valid] << 31) + found["t"][valid],
        (pixel >> 17).astype(np.uint16),
        (pixel >> 2 & 0x7FFF).astype(np.uint16),
        (pixel >> 1 & 1).astype(np.uint8),
        place,
        width,
        height,
        2**15,
    )


def _blocks(data: Bytes, start: int) -> list[tuple[int, int, int]]:
    """For each block of changes of pixels: where its events begin, their number, and how often time began anew."""
    blocks = []
    sources = set()
    at = start
    while at < data.size:
        if data.size - at < BLOCK_HEADER.size:
            raise Damaged(f"the file ends inside of the header of a block at byte {at}; it was cut short or damaged")
        kind, source, size, _, turn, _, number, _ = BLOCK_HEADER.unpack(data[at : at + BLOCK_HEADER.size].tobytes())
        begin = at + BLOCK_HEADER.size
        if size < 0 or number < 0 or number * size > data.size - begin:
            raise Damaged(
                f"the block at byte {at} says that it has {number} events of {size} bytes, but {data.size - begin} "
                "bytes follow; the file was cut short or damaged"
            )
        if kind == POLARITY and number:
            if size != 8 or turn < 0:
                raise Damaged(
                    f"the block at byte {at} has events of {size} bytes, and says that time began anew {turn} times; "
                    "8 bytes and 0 or more are needed"
                )
            blocks.append((begin, number, turn))
            sources.add(source)
        at = begin + number * size
    if len(sources) > 1:
        raise Damaged(f"it holds events of {len(sources)} cameras, sources {sorted(sources)}; files of one can be read")
    return blocks


def _source_size(lines: list[str]) -> tuple[int | None, int | None]:
    for line in lines:
        if line.startswith("#Source"):
            name = line.partition(":")[2].strip().upper()
            for known, size in SOURCES.items():
                if name.startswith(known):
                    return size
    return None, None


def write_aedat3(path: Path, events: Events, t: Ints) -> None:
    """Write AEDAT 3.1; the size of a sensor is kept if it is that of a camera of SOURCES."""
    names = [name for name, size in SOURCES.items() if size == (events.width, events.height)]
    lines = ["#!AER-DAT3.1", "#Format: RAW", *(f"#Source 1: {name}" for name in names[:1]), "#!END-HEADER", ""]
    parts = ["\r\n".join(lines).encode()]
    turns = t >> 31
    edges = np.unique(np.concatenate([np.arange(0, t.size, BLOCK), np.flatnonzero(np.diff(turns)) + 1, [t.size]]))
    found = np.empty(t.size, dtype=[("pixel", "<u4"), ("t", "<i4")])
    found["t"] = t & 0x7FFFFFFF
    found["pixel"] = events.x.astype(np.uint32) << 17 | events.y.astype(np.uint32) << 2 | events.p << np.uint32(1) | 1
    for first, last in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        n = last - first
        parts += [BLOCK_HEADER.pack(POLARITY, 1, 8, 4, int(turns[first]), n, n, n), found[first:last].tobytes()]
    path.write_bytes(b"".join(parts))
