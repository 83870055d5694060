"""require_room: refuses a network that does not fit into memory, before anything large is allocated for it.

What is counted is what surely will be there: a network that is refused would not have fitted. Rows of synapses take
more where delays have many values, neurons where their parameters differ.
"""

from __future__ import annotations

import numpy as np

from eventsnn.base.errors import InputError
from eventsnn.base.memory import require_memory
from eventsnn.describe.description import Description
from eventsnn.describe.parts import Projection
from eventsnn.describe.processes.base import PointProcess
from eventsnn.draw.distributions import Distribution
from eventsnn.draw.values import Value

# Bytes, by the growth of the resident memory when 1e6 of each were compiled (tests/test_memory.py): LIFDelta and its
# state in the engine, a stream of random spikes, and a row of synapses for each presynaptic neuron, without synapses.
NEURON, STREAM, ROW = 290, 230, 30
# Targets within so many neurons are told apart by 16 bits; so are others if a row has enough synapses of each page.
PAGE, FEWEST_OF_A_PAGE = 2**16, 16


def require_room(description: Description, limit: int | None) -> None:
    """Raise InputError if the network needs more than `limit` bytes; None: no limit."""
    needs: dict[str, float] = {}
    remedies: dict[str, str] = {}
    for population in description.populations.values():
        drawn = isinstance(population.model, PointProcess)
        what = f"population {population.name}, {count(population.n)} neurons"
        needs[what], remedies[what] = (NEURON + STREAM * drawn) * population.n, "make fewer"
    for projection in description.projections.values():
        n_pre, n_post = (sum(len(part) for part in side) for side in (projection.pre, projection.post))
        synapses = expected(projection, n_pre, n_post)
        what = f"projection {projection.name}, {count(synapses)} synapses"
        stored = projection.storage == "stored"
        needs[what] = ROW * n_pre + (synapses * bytes_of_synapse(projection, synapses, n_pre, n_post) if stored else 0)
        another = stored and projection.rule.drawn_by == "row"
        remedies[what] = "use storage='procedural' or make fewer" if another else "make fewer"
    for stimulus in description.stimuli.values():
        if isinstance(stimulus.source, PointProcess):
            streams = sum(len(part) for part in stimulus.targets)
            what = f"stimulus {stimulus.name}, {count(streams)} streams of spikes"
            needs[what], remedies[what] = STREAM * streams, "stimulate fewer"
    require_memory(needs, limit, "compile: the network", remedies)


def expected(projection: Projection, n_pre: int, n_post: int) -> float:
    try:
        return projection.rule.expected(n_pre, n_post)
    except InputError as error:
        raise InputError(f"{projection.name}: {error}") from None


def bytes_of_synapse(projection: Projection, synapses: float, n_pre: int, n_post: int) -> int:
    """What a stored synapse takes: its target, its weight and delay if they differ, and what plasticity needs."""
    pages = -(-n_post // PAGE)
    target = 2 if pages == 1 or synapses >= FEWEST_OF_A_PAGE * pages * n_pre else 4
    own = _differs(projection.weight) or projection.rule.weights() is not None
    weight = (4 if projection.dtype == "float32" else 8) if own else 0
    # A distribution on a grid takes few values, which slices of a row have in common, and so may an array.
    delay = projection.delay
    drawn = isinstance(delay, Distribution) and delay.values(PAGE) is None
    rule = None if projection.plasticity is None else projection.plasticity.rule
    if rule is not None:
        # The weights that were drawn, and those that they have become.
        weight = 2 * (4 if projection.dtype == "float32" else 8)
        weight += 8 * (len(rule.synapse) + 1) if rule.synapse or rule.between is not None else 0
    return target + weight + (8 if drawn else 0)


def _differs(value: Value) -> bool:
    return isinstance(value, Distribution) or (isinstance(value, np.ndarray) and value.ndim > 0)


def count(number: float) -> str:
    """A number of neurons or synapses: 12,500, 1e9, 1.23e12."""
    return f"{number:,.0f}" if number < 1e6 else f"{number:.3g}".replace("e+0", "e").replace("e+", "e")
