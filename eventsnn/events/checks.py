"""Checks of single arguments that several parts of the package take."""

from __future__ import annotations

from typing import Any

from eventsnn.checks import whole

# Coordinates have 16 bits.
MOST_PIXELS = 2**16


def pixels(value: Any, what: str) -> int:
    """A number of pixels, or an InputError that names `what`."""
    return whole(value, what, 1, MOST_PIXELS)
