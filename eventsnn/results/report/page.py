"""The skeleton of a report: one HTML page with its style, script and data inside, which loads nothing.

Names and texts may come from files of strangers. Every function here takes plain text and escapes it, but for `body` of
a Section, which is HTML, and `script`, which is run. The page forbids itself all else: its content security policy lets
this one script run, by its SHA-256, and nothing be loaded.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from importlib.resources import files
from typing import Any, NamedTuple

LONG = 20  # letters that a box of `cards` has room for in one line


class Section(NamedTuple):
    """A part of a page: its heading and, beneath, HTML in which all that others wrote is escaped."""

    title: str
    body: str


def page(
    title: str, sections: Sequence[Section], subtitle: str = "", data: Mapping[str, Any] | None = None, script: str = ""
) -> str:
    """A whole HTML page: title, a line beneath it, a bar of links to the sections, and the sections.

    data: fit for JSON; `script` finds it as the text of the element with id "data".
    """
    links = "".join(f'<a href="#section-{k}">{escape(part.title)}</a>' for k, part in enumerate(sections))
    parts = "".join(
        f'<section id="section-{k}"><h2>{escape(part.title)}</h2>\n{part.body}</section>\n'
        for k, part in enumerate(sections)
    )
    sha256 = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode("ascii")
    policy = f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-{sha256}'"
    scripts = f"{embedded('data', data)}<script>{script}</script>" if script else ""
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{asset('report.css')}</style></head>\n<body>"
        f"<header><h1>{escape(title)}</h1><p>{escape(subtitle)}</p></header><nav>{links}</nav>\n"
        f"<main>{parts}</main>{scripts}</body></html>\n"
    )


def table(headings: Sequence[str], rows: Iterable[Sequence[str]], caption: str = "", texts: Sequence[int] = ()) -> str:
    """A table of plain texts. Columns are numbers, to the right, but for the first one and those in `texts`.

    A cell "pass" or "FAIL" is coloured.
    """
    left = {0, *texts}
    head = _row("th", headings, left)
    body = "".join(_row("td", row, left) for row in rows)
    title = f"<caption>{escape(caption)}</caption>" if caption else ""
    return f'<div class="wide"><table>{title}<thead>{head}</thead><tbody>{body}</tbody></table></div>'


def cards(facts: Iterable[tuple[str, str]]) -> str:
    """Names and values, each pair in a box of its own; that of a long value is wider."""
    boxes = "".join(
        f'<div class="{"long" if len(value) > LONG else "short"}"><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>'
        for name, value in facts
    )
    return f'<dl class="cards">{boxes}</dl>'


def paragraph(text: str) -> str:
    """A sentence or more of plain text."""
    return f"<p>{escape(text)}</p>"


def figures(svgs: Iterable[str]) -> str:
    """Charts side by side, as many in a row as the window has room for."""
    return f'<div class="figures">{"".join(f"<figure>{svg}</figure>" for svg in svgs)}</div>'


def embedded(name: str, data: Any) -> str:
    """Data that a script reads with JSON.parse from the text of the element `name`; no text in it can end the element.

    What is not finite must not be in it: JSON has no NaN.
    """
    text = json.dumps(data, allow_nan=False).replace("<", "\\u003c")
    return f'<script type="application/json" id="{escape(name)}">{text}</script>'


def asset(name: str) -> str:
    """The text of a file that lies beside this module."""
    return (files(__package__) / name).read_text("utf-8")


def _row(kind: str, cells: Sequence[str], left: set[int]) -> str:
    written = []
    for column, cell in enumerate(cells):
        classes = ["text"] * (column in left) + [cell.lower()] * (cell in ("pass", "FAIL"))
        written.append(f'<{kind} class="{" ".join(classes)}">{escape(cell)}</{kind}>')
    return f"<tr>{''.join(written)}</tr>"
