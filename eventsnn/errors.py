"""The errors that eventsnn raises on purpose; every message names the object, the value and the remedy."""


class InputError(ValueError):
    """A description, an argument or a file that cannot be used as given."""


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
