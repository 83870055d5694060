"""Poisson."""

from __future__ import annotations

from eventsnn._core.draw.stream import POISSON
from eventsnn.describe.processes.base import Key, PointProcess, Streams, cell_widths, positive, rates
from eventsnn.draw.values import Value, own


class Poisson(PointProcess):
    """Poisson process (NEST: poisson_generator; as a population poisson_generator -> parrot_neuron).

    rate: Hz, not negative.
    """

    def __init__(self, rate: Value):
        self.rate = own(rate)

    def compile(self, n: int, where: str, key: Key) -> Streams:
        rate = rates(self.rate, n, f"{where}: rate", key("rate"))
        on, rate = positive(rate, n)
        width = cell_widths(rate)
        return Streams(on, POISSON, [width, rate / 1000.0 * width])
