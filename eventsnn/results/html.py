"""What notebooks show: tables and images as HTML, in which names are texts whatever is in them."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from html import escape


def table(caption: str, headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table with numbers to the right, but for the first column."""
    lines = [_row("th", headings), *[_row("td", row) for row in rows]]
    title = f'<caption style="text-align: left"><b>{escape(caption)}</b></caption>'
    return f"<table>{title}{''.join(lines)}</table>"


def image(png: bytes, text: str) -> str:
    """A PNG file within the page; the text stands where images are not shown."""
    data = base64.b64encode(png).decode("ascii")
    return f'<img src="data:image/png;base64,{data}" alt="{escape(text)}">'


def _row(kind: str, cells: Sequence[str]) -> str:
    sides = ["left"] + ["right"] * (len(cells) - 1)
    written = [
        f'<{kind} style="text-align: {side}">{escape(cell)}</{kind}>' for side, cell in zip(sides, cells, strict=True)
    ]
    return f"<tr>{''.join(written)}</tr>"
