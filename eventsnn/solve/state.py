"""The state of one neuron between two events, as all equations take it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass
class Frame:
    """A state as eventsnn/solve/frames.py keeps it: integers, in the frames of the state's time."""

    u: int
    x: list[int]  # by current

    def copy(self) -> Frame:
        return Frame(self.u, list(self.x))


@dataclass
class State:
    """One neuron between two events. `v` and all potentials of the equations are relative to E_L."""

    t: float = 0.0  # ms, when the rest was true
    v: float = 0.0  # mV
    x: list[float] = field(default_factory=list)  # the other variables, in the order of the model's slots
    low: list[float] = field(default_factory=list)  # what additions to the currents among them have lost
    drive: float = 0.0  # mV, R (I_e + step currents): where v would settle; without leak mV/ms, its slope
    slope: float = 0.0  # of drive, mV/ms
    sines: tuple[tuple[float, float, float], ...] = ()  # sinusoidal currents: frequency (1/ms), phase (turns), pA
    frame: Frame | None = None  # holds x, and v of a free neuron, if there is one
    step: Any = None  # the series that the state follows, if it is known; no part of it
    steps: int = 0  # that it has taken, where it goes on in steps,
    since: float = 0.0  # ms, since then: the last event, or later

    def copy(self) -> State:
        frame = self.frame.copy() if self.frame else None
        return State(
            self.t, self.v, list(self.x), list(self.low), self.drive, self.slope, self.sines, frame, self.step,
            self.steps, self.since,
        )  # fmt: skip
