"""The header that files of Prophesee's cameras share, and DAT; evt.py has the other formats.

Source: docs.prophesee.ai, "DAT File Format".
"""

from __future__ import annotations

import re

import numpy as np

from eventsnn.events.decoded import Bytes, Damaged, Decoded, header_lines, records, unwrapped

EVENT_2D, EVENT_CD = 0x00, 0x0C


class Header:
    """The text before the events: lines that begin with "% ".

    Attributes: start, where the events begin; width, height, or None; version, as in "2.0" of EVT or "2" of DAT; evt,
    whether it is one of EVT; t0 (microseconds), to be added to all times, which faery writes.
    """

    def __init__(self, data: Bytes):
        lines, self.start = header_lines(data, b"% ", b"% end")
        words = [line[2:].split() for line in lines if line[2:].strip()]
        self.known = {first: rest for first, *rest in words}
        options = dict(re.findall(r"(width|height)=(\d{1,9})\b", " ".join(self.known.get("format", []))))
        across = re.fullmatch(r"(\d{1,9})x(\d{1,9})", " ".join(self.known.get("geometry", [])))
        if across:
            options = {"width": across[1], "height": across[2]}
        self.width = self._whole("Width", options.get("width"))
        self.height = self._whole("Height", options.get("height"))
        self.t0 = self._whole("T0", None) or 0
        named = re.match(r"EVT(\d)\.?(\d?)", " ".join(self.known.get("format", [])))
        evt = self.known.get("evt") or ([f"{named[1]}.{named[2] or 0}"] if named else [])
        self.evt = bool(evt)
        self.version = " ".join(evt or self.known.get("Version", []))
        if "big" in self.known.get("endianness", []):
            raise Damaged("the header says that it is big-endian; little-endian can be read")
        self.is_dat = not evt and ("Version" in self.known or "Data" in self.known)

    def _whole(self, name: str, otherwise: str | None) -> int | None:
        value = self.known.get(name, [otherwise] if otherwise is not None else [])
        if not value:
            return None
        if not re.fullmatch(r"\d{1,18}", value[0] or ""):
            raise Damaged(f"the header says {name} = {' '.join(value)}, which is no whole number")
        return int(value[0])


def read_dat(data: Bytes, header: Header) -> Decoded:
    """DAT, version 2: 32 bits of time (microseconds), which begin anew after 71 minutes, 14 of x, 14 of y, 4 of p."""
    start = header.start + 2
    if header.version not in ("2", ""):
        raise Damaged(f"it is of version {header.version!r} of DAT; version 2 can be read")
    if data.size < start:
        raise Damaged(f"the file ends at byte {data.size}, before the type of its events")
    kind, size = data[header.start : start].tolist()
    if kind not in (EVENT_2D, EVENT_CD) or size != 8:
        raise Damaged(
            f"byte {header.start} says that it holds records of type {kind} and {size} bytes; changes of pixels have "
            f"type {EVENT_2D} or {EVENT_CD} and 8 bytes"
        )
    found = records(data, start, [("t", "<u4"), ("pixel", "<u4")], "event")
    pixel = found["pixel"]
    return Decoded(
        unwrapped(found["t"], 2**32) + header.t0,
        (pixel & 0x3FFF).astype(np.uint16),
        (pixel >> 14 & 0x3FFF).astype(np.uint16),
        (pixel >> 28 & 1).astype(np.uint8),
        lambda k: f"byte {start + 8 * k}",
        header.width,
        header.height,
        2**14,
    )
