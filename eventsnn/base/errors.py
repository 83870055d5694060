"""The errors that eventsnn raises on purpose; every message names the object, the value and the remedy."""

from __future__ import annotations

import difflib
import signal
from collections.abc import Iterable

# A longer word in a message, such as a text that was given for a number, is shortened.
LONGEST_WORD = 300


class InputError(ValueError):
    """A description, an argument or a file that cannot be used as given."""

    def __init__(self, message: object = ""):
        # One line, whatever the text of a value that it shows: arrays and results have several.
        words = str(message).split() if "\n" in str(message) else str(message).split(" ")
        short = [word if len(word) <= LONGEST_WORD else f"{word[:80]}...{word[-20:]}" for word in words]
        super().__init__(" ".join(short))


class InputWarning(UserWarning):
    """What was given can be used, but something else is likely to be meant."""


class StateError(RuntimeError):
    """A call that is right in itself but comes at the wrong time, such as a new population after the first run."""


class RunawayError(RuntimeError):
    """The run was stopped because a neuron fires without bound.

    Attributes: population (name), neuron (index in the population), time (ms). Everything before `time` is kept.
    """

    def __init__(self, message: str, population: str, neuron: int, time: float):
        super().__init__(message)
        self.population = population
        self.neuron = neuron
        self.time = time

    def __reduce__(self) -> tuple[type[RunawayError], tuple[str, str, int, float]]:
        # An exception is else made anew of its message alone, which fails in the process that waits for it.
        return type(self), (str(self), self.population, self.neuron, self.time)


class Interrupted(KeyboardInterrupt):
    """Ctrl-C came, or a signal that ends a process, such as a batch system sends. number: of the signal."""

    def __init__(self, message: str, number: int = signal.SIGINT):
        super().__init__(message)
        self.number = number


class SaveInterrupted(Interrupted):
    """The signal came while the complete files of a result were moved into place; the message says where they are."""


def suggest(word: object, known: Iterable[str]) -> str:
    """What to add to a sentence about an unknown name: the nearest known one, or all of them."""
    names = list(known)
    near = difflib.get_close_matches(str(word), names, n=1)
    near = near or [name for name in names if name.lower() == str(word).lower()]
    return f"did you mean {near[0]!r}?" if near else f"known are {', '.join(names) or 'none'}"
