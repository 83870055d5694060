"""Values of a summary as they can be shown. It may have been put together by a script or come from elsewhere, so that
nothing in it is sure to be there, or to be of its kind."""

from __future__ import annotations

import math
import reprlib
from collections.abc import Mapping
from numbers import Real
from typing import Any

from eventsnn.results.recorded import Recorded

LONGEST = 2000  # letters

# Of what nobody expects in a summary the beginning is enough.
_BRIEF = reprlib.Repr()
_BRIEF.maxlist = _BRIEF.maxtuple = _BRIEF.maxdict = 20
_BRIEF.maxstring = _BRIEF.maxother = _BRIEF.maxlong = 200


def text(value: Any) -> str:
    """What can be shown of any value; what a terminal would obey, or cannot encode, becomes a question mark."""
    words = value if isinstance(value, str) else brief(value)
    return "".join(letter if letter.isprintable() else "?" for letter in words[:LONGEST])


def brief(value: Any) -> str:
    """The beginning of how Python writes a value."""
    return _BRIEF.repr(value)


def entries(value: Any) -> Mapping[str, Any]:
    """A dictionary; an empty one for anything else."""
    return value if isinstance(value, Mapping) else {}


def real(value: Any) -> float | None:
    """A finite number; None for anything else."""
    if not isinstance(value, Real) or isinstance(value, bool):
        return None
    try:
        number = float(value)
    except OverflowError:  # JSON has integers of any size
        return None
    return number if math.isfinite(number) else None


def cell(value: Any) -> str:
    """A text in a table; a dash for None."""
    return "-" if value is None else text(value)


def number(value: Any) -> str:
    """A number in a table; a dash for None and NaN."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "-"
    found = real(value)
    return text(value) if found is None else f"{found:.6g}"


def checks_of(summary: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The checks of a run, failures first: of many, a reader sees the beginning."""
    given = summary.get("checks")
    checks = [check for check in given if isinstance(check, Mapping)] if isinstance(given, list | tuple) else []
    return sorted(checks, key=lambda check: check.get("passed") is not False)


def passed(check: Mapping[str, Any]) -> str:
    """ "pass", "FAIL", or a dash where a check does not say."""
    found = check.get("passed")
    return "pass" if found is True else "FAIL" if found is False else "-"


def population_summaries(results: Recorded, most: int | None = None) -> dict[str, dict[str, Any]]:
    """By population, `most` of them: neurons, spikes, the rate (Hz) and the CV of intervals, the mean over neurons with
    enough spikes to have one; NaN where there is none."""
    found = {}
    for name in list(results.spikes)[:most]:
        trains = results.spikes[name]
        cv = trains.cv()
        cv = cv[cv == cv]
        found[name] = {
            "neurons": trains.n,
            "spikes": len(trains.times),
            "rate": trains.rate(),
            "cv": float(cv.mean()) if len(cv) else math.nan,
        }
    return found
