"""compile_projection: the synapses of a projection, drawn by its rule, with their weights and delays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from eventsnn._core.connect import Few, Lines, Procedure
from eventsnn._core.values import Law
from eventsnn.checks import floats
from eventsnn.connect import Filling, Rule, count_synapses
from eventsnn.distributions import Distribution
from eventsnn.errors import InputError
from eventsnn.models.base import Value
from eventsnn.plan import Floats, Ids, ProceduralPlan, ProjectionPlan, SlicePlan
from eventsnn.streams import stream_key
from eventsnn.values import NUMBERS

if TYPE_CHECKING:
    from eventsnn.network import Neurons, Projection

# Delays that a projection can store by slice: what their numbers hold.
MOST_VALUES = 2**16


def global_ids(side: list[Neurons], starts: dict[str, int]) -> Ids:
    return np.concatenate([part.ids + starts[part.population.name] for part in side]).astype(np.int32)


@dataclass
class Property:
    """Weight or delay of a projection: one number, an array in the rule's order, or a distribution."""

    name: str
    projection: Projection
    given: Floats | Distribution

    def __post_init__(self) -> None:
        self.what = f"{self.projection.name}: {self.name}"
        self.unit = "mV or pA" if self.name == "weight" else "ms"
        self.key = stream_key(self.projection.network.seed, self.projection.name, self.name)

    @property
    def distribution(self) -> Distribution | None:
        return self.given if isinstance(self.given, Distribution) else None

    @property
    def law(self) -> Law | None:
        return self.given.law() if isinstance(self.given, Distribution) else None

    @property
    def differs(self) -> bool:
        """Whether every synapse has a value of its own."""
        return isinstance(self.given, Distribution) or self.given.ndim > 0

    @property
    def array(self) -> Floats | None:
        """One value for each ordinal; None if all have one, or draw their own."""
        return self.given if not isinstance(self.given, Distribution) and self.given.ndim else None

    def shared(self) -> Floats:
        """The number that all synapses have, as an array of one element."""
        assert not isinstance(self.given, Distribution)
        value = self.given.reshape(1)
        if not np.isfinite(value[0]) or (self.name == "delay" and value[0] < 0.0):
            self.refuse(value[0], "")
        return value

    def range(self) -> Floats:
        """The number that all synapses have, or the least and the largest that can be drawn; both can be used."""
        if self.array is not None:
            raise InputError(
                f"{self.what} is an array with a value for each synapse, which storage='procedural' does not keep; "
                "give a number or a distribution, or use storage='stored'"
            )
        if not isinstance(self.given, Distribution):
            return self.shared()
        try:
            self.given.require_unseen()
        except InputError as error:
            raise InputError(f"{self.what} with storage='procedural': {error}") from None
        bounds = np.array(self.given.bounds())
        if not np.isfinite(bounds).all() or (self.name == "delay" and bounds[0] < 0.0):
            allowed = "finite and not negative" if self.name == "delay" else "finite"
            raise InputError(
                f"{self.what}: {self.given!r} may draw {bounds[0]:g} to {bounds[1]:g} {self.unit}; with "
                f"storage='procedural' every value that it may draw must be {allowed}; set low and high"
            )
        return bounds[:1] if bounds[0] == bounds[1] else bounds

    def size(self) -> float:
        """No value is larger than this in size; the same however synapses are stored."""
        values = np.array(self.given.bounds() if isinstance(self.given, Distribution) else self.given)
        return float(np.abs(values).max(initial=0.0))

    def refuse(self, value: float, where: str) -> None:
        allowed = "finite and not negative" if self.name == "delay" else "finite"
        raise InputError(f"{self.what} = {value:g} {self.unit}{where} must be {allowed}")

    def multiply(self, own: Floats | None) -> None:
        """Take the weights that the rule brings, if any, times the one number that was given."""
        if own is None:
            return
        if self.differs:
            raise InputError(
                f"{self.what} must be one number, which multiplies the weights that "
                f"{type(self.projection.rule).__name__} has for each synapse"
            )
        with np.errstate(over="ignore"):
            self.given = own * self.shared()

    def require_shape(self, rule: Rule, n_pre: int, n_post: int) -> None:
        """Refuse an array that has not one value for each ordinal of the rule."""
        if self.array is None:
            return
        shape = rule.shape(n_pre, n_post)
        if shape is None:
            raise InputError(
                f"{self.what}: {type(rule).__name__} makes a random number of synapses; give a number or a distribution"
            )
        if self.array.shape != shape:
            raise InputError(
                f"{self.what} is an array of shape {self.array.shape}; {type(rule).__name__} needs shape {shape} here"
            )
        self.given = np.ascontiguousarray(self.array.reshape(-1))


def compile_projection(
    projection: Projection, starts: dict[str, int], port: int, threads: int
) -> ProjectionPlan | ProceduralPlan:
    """A projection, the same for any number of threads. Raises InputError for the first mistake."""
    if projection.storage == "procedural":
        return _procedural(projection, starts, port, threads)
    return draw_projection(projection, starts, port, threads)


def draw_projection(projection: Projection, starts: dict[str, int], port: int, threads: int) -> ProjectionPlan:
    """All synapses of a projection, whatever its storage."""
    rule = projection.rule
    pre, post = global_ids(projection.pre, starts), global_ids(projection.post, starts)
    weight = _property(projection, "weight", projection.weight)
    delay = _property(projection, "delay", projection.delay)
    lines = _lines(projection, pre, post)
    try:
        weight.multiply(rule.weights())
        weight.require_shape(rule, pre.size, post.size)
        delay.require_shape(rule, pre.size, post.size)
        filling = Filling(lines, threads)
        few = _keep(filling, weight, delay, projection.dtype)
        _require_good(filling, weight, delay)
        filling.sort(post)
        return _plan(filling, projection, pre, post, weight, delay, few, port)
    except MemoryError:
        raise _too_large(projection) from None


def _lines(projection: Projection, pre: Ids, post: Ids) -> Lines:
    name = projection.name
    try:
        return projection.rule.lines(stream_key(projection.network.seed, name, "connections"), pre, post)
    except InputError as error:
        raise InputError(f"{name}: {error}") from None
    except MemoryError:
        raise _too_large(projection) from None


def _procedural(projection: Projection, starts: dict[str, int], port: int, threads: int) -> ProceduralPlan:
    """Everything that drawing a row takes. What a draw could find wrong is refused here, where none has been made."""
    name, rule = projection.name, projection.rule
    pre, post = global_ids(projection.pre, starts), global_ids(projection.post, starts)
    if rule.drawn_by != "row":
        raise InputError(
            f"{name}: storage='procedural' draws rows one by one, but {type(rule).__name__} {rule.drawn_by}; use "
            "FixedOutDegree, FixedProbability, AllToAll or OneToOne, or storage='stored'"
        )
    weight = _property(projection, "weight", projection.weight)
    delay = _property(projection, "delay", projection.delay)
    weights, delays = weight.range(), delay.range()
    lines = _lines(projection, pre, post)
    laws = [one.law if array.size > 1 else None for one, array in ((weight, weights), (delay, delays))]
    procedure = Procedure(lines, post, laws[0], weight.key, projection.dtype, laws[1], delay.key)
    rounded = _rounded(weight, weights, projection.dtype)
    n = count_synapses(lines, threads)
    return ProceduralPlan(name, pre, post, procedure, rounded, delays, port, weight.size(), n)


def _property(projection: Projection, name: str, value: Value) -> Property:
    given = value if isinstance(value, Distribution) else floats(value, f"{projection.name}: {name}", NUMBERS)
    return Property(name, projection, given)


def _too_large(projection: Projection) -> InputError:
    return InputError(f"{projection.name}: the synapses of {projection.rule!r} do not fit into memory; make fewer")


def _keep(filling: Filling, weight: Property, delay: Property, dtype: str) -> Few | None:
    """Say what the rows keep of every synapse. The few values of delays, if they are few."""
    few = None
    if weight.differs:
        filling.rows.keep_weights(dtype, weight.law, weight.key, weight.array)
    if delay.array is not None:
        few = Few.of(delay.array, min(MOST_VALUES, delay.array.size // 2))
    elif delay.distribution and (values := delay.distribution.values(MOST_VALUES)) is not None:
        few = Few(values)
    if delay.differs:
        filling.rows.keep_delays(few, delay.law, delay.key, delay.array)
    return few


def _require_good(filling: Filling, weight: Property, delay: Property) -> None:
    """Draw all synapses, and refuse the first value in the rule's order that cannot be used."""
    faults = filling.fill()
    if not faults:
        return
    what, _, ordinal, value = min(faults, key=lambda fault: fault[2])
    where = weight if what.startswith("weight") else delay
    if what.endswith("refused"):
        assert where.distribution is not None
        count = sum(fault[1] for fault in faults if fault[0] == what)
        try:
            where.distribution.refuse(count, filling.rows.target.size)
        except InputError as error:
            raise InputError(f"{where.what}: {error}") from None
    if what.endswith("too large"):
        raise InputError(f"{where.what} = {value:g} is too large for dtype 'float32'; use 'float64'")
    where.refuse(value, f" (synapse {ordinal} in the rule's order)")


def _plan(
    filling: Filling, projection: Projection, pre: Ids, post: Ids, weight: Property, delay: Property, few: Few | None,
    port: int,
) -> ProjectionPlan:  # fmt: skip
    rows = filling.rows
    weights = rows.weight if rows.weight is not None else _rounded(weight, weight.shared(), projection.dtype)
    slices = None
    if few is not None:
        begin, number = filling.slices()
        used = np.unique(number)
        delays = few.values[used]
        if used.size > 1:
            slices = SlicePlan(filling.slice_row, begin, np.searchsorted(used, number).astype(np.uint16))
    else:
        delays = rows.delay if rows.delay is not None else delay.shared()
    return ProjectionPlan(
        projection.name, pre, post, rows.start, rows.target, weights, delays, slices, port, weight.size()
    )


def _rounded(weight: Property, values: Floats, dtype: str) -> NDArray[np.floating]:
    """The weights in the type in which they are kept."""
    with np.errstate(over="ignore"):
        rounded = values.astype(dtype)
    if not np.isfinite(rounded).all():
        largest = values[int(np.argmin(np.isfinite(rounded)))]
        raise InputError(f"{weight.what} = {largest:g} is too large for dtype 'float32'; use 'float64'")
    return rounded
