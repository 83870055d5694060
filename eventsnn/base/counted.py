"""Counted: the spikes that a run waits for."""

from __future__ import annotations

from eventsnn.base.arrays import Ints


class Counted:
    """The n-th spike of neurons `ids` of a population, by its name."""

    population: str
    ids: Ints
    n: int
