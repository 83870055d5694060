"""Outcome: why a run ended. Flaw: what may be wrong with a schedule. The kernels have the same numbers."""

from __future__ import annotations

from enum import IntEnum

from eventsnn._core.solve.neuron import MOST_STEPS
from eventsnn.base.errors import RunawayError
from eventsnn.compile.plan import Plan

_REFRACTORY = "Give the neurons a refractory period t_ref, or the loop a delay"


class Outcome(IntEnum):
    """How a run stands, or why it ended. The numbers are those of Status in ext/eventsnn/_core/run/core.pxd."""

    RUNNING = 0
    TOO_MANY_SPIKES = 1
    TOO_MANY_ROUNDS = 2
    NO_MEMORY = 3
    TOO_MANY_INPUTS = 4
    OUT_OF_RANGE = 5
    UNSOUND = 6
    TOO_MANY_STEPS = 7
    WEIGHT_LOST = 8

    @property
    def runaway(self) -> bool:
        """Whether one neuron made the run end; the sentence is then about this neuron."""
        return self in _REMEDIES

    def sentence(self, time: float = 0.0, max_spikes: int = 0, max_rounds: int = 0) -> str:
        """What happened, as a sentence; if a neuron has run away, what this neuron did.

        Arguments that the sentence does not mention may be left out.
        """
        return _SENTENCES[self].format(time=time, max_spikes=max_spikes, max_rounds=max_rounds)

    @property
    def remedy(self) -> str:
        """What to do about a run-away."""
        return _REMEDIES[self]


_SENTENCES = {
    Outcome.RUNNING: "the run goes on",
    Outcome.TOO_MANY_SPIKES: "fired more than {max_spikes:,} times within 1 ms (max_spikes)",
    Outcome.TOO_MANY_ROUNDS: (
        "is in a loop that never advances time: more than {max_rounds:,} rounds of events at one time (max_rounds)"
    ),
    Outcome.NO_MEMORY: "the spikes of the run do not fit into memory; it stopped at {time:g} ms",
    Outcome.TOO_MANY_INPUTS: "got more than {max_spikes:,} spikes of one stimulus at one time (max_spikes)",
    Outcome.OUT_OF_RANGE: (
        "has run away: a variable of its state left the range that its equations or numbers are meant for"
    ),
    Outcome.TOO_MANY_STEPS: f"needs more than {MOST_STEPS:,} steps for 1 ms, as its state changes too fast",
    Outcome.WEIGHT_LOST: "has a synapse whose weight its plasticity has made infinite or no number",
    Outcome.UNSOUND: "the schedule was not sound after a window",
}
_REMEDIES = {
    Outcome.TOO_MANY_SPIKES: _REFRACTORY,
    Outcome.TOO_MANY_ROUNDS: _REFRACTORY,
    Outcome.TOO_MANY_INPUTS: "Give the stimulus longer intervals",
    Outcome.OUT_OF_RANGE: "Change its parameters, or give it weaker input",
    Outcome.WEIGHT_LOST: "Give the rule a w_max, and updates that are numbers for all weights within its bounds",
    Outcome.TOO_MANY_STEPS: "Give it longer time constants, weaker conductances, or a larger tolerance",
}


def runaway(plan: Plan, neuron: int, time: float, outcome: Outcome) -> RunawayError:
    """What is raised when a neuron has made the run end at a time, ms."""
    population, index = plan.locate(neuron)
    return RunawayError(
        f"neuron {index} of {population} {outcome.sentence(time, plan.max_spikes, plan.max_rounds)}, at t = "
        f"{time:.17g} ms; the run ends there and what was simulated before is kept. {outcome.remedy}",
        population, index, time,
    )  # fmt: skip


class Flaw(IntEnum):
    """What `verify` may find. The numbers are those of Broken in ext/eventsnn/_core/run/verify.pxd."""

    SOUND = 0
    WRONG_FLAG = 1
    WRONG_LINE = 2
    WRONG_WAKE = 3
    WRONG_HELD = 4
    WRONG_FOLLOWED = 5
    WRONG_POOL = 6
    WRONG_BLOCK = 7
    WRONG_ROW = 8

    def sentence(self, neuron: int) -> str:
        """What is wrong, as a sentence; most flaws name a neuron."""
        return _FLAWS[self].format(neuron=neuron)


_FLAWS = {
    Flaw.SOUND: "nothing is wrong",
    Flaw.WRONG_FLAG: "neuron {neuron} is neither calm nor held, followed or apart",
    Flaw.WRONG_LINE: "neuron {neuron} is calm at its line or beyond a range",
    Flaw.WRONG_WAKE: "neuron {neuron} is in the queue of wakes too late or for nothing",
    Flaw.WRONG_HELD: "neuron {neuron} is held, but not as those are that are",
    Flaw.WRONG_FOLLOWED: "neuron {neuron} is followed, but not as those are that are",
    Flaw.WRONG_POOL: "a place of the pool is lost",
    Flaw.WRONG_BLOCK: "neuron {neuron} is in a block that is none",
    Flaw.WRONG_ROW: "a spike under way should have arrived before",
}
