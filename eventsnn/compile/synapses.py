"""compile_projection: checks a projection and makes its Drawing, all that drawing its synapses takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eventsnn._core.draw.values import Law
from eventsnn._core.synapses.connect import Few, Lines, Procedure, Share
from eventsnn.base.arrays import Floats, Ids
from eventsnn.base.checks import floats
from eventsnn.base.errors import InputError
from eventsnn.compile.building import count_synapses
from eventsnn.compile.plan import PlasticPlan, ProceduralPlan
from eventsnn.compile.plasticity import compile_plasticity
from eventsnn.compile.ports import LARGEST_WEIGHT, least_weight, rule_of_weights
from eventsnn.describe.parts import Neurons, Projection
from eventsnn.describe.rules.base import Rule
from eventsnn.draw.distributions import Distribution
from eventsnn.draw.streams import stream_key
from eventsnn.draw.values import NUMBERS, Value

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
        self.least, self.most = 0.0, float(np.finfo(np.float64).max)
        if self.name == "weight":
            self.least, self.most = least_weight(self.projection.post, self.projection.port), LARGEST_WEIGHT

    def good(self, values: NDArray[np.floating]) -> NDArray[np.bool_]:
        """Which of these values can be used; nan never can."""
        found: NDArray[np.bool_] = (values >= self.least) & (values <= self.most)
        return found

    def rule(self, value: float) -> str:
        """What a value that cannot be used must be."""
        if self.name == "weight":
            return rule_of_weights(value, self.projection.port)
        return "must be finite and not negative"

    def require_drawn(self, values: NDArray[np.floating]) -> None:
        """Refuse the first of the values that synapses have, drawn or given, that cannot be used; looks only if there
        may be one."""
        if not self.good(np.array(self._bounds())).all():
            wrong = values[~self.good(values)]
            if wrong.size:
                self.refuse(float(wrong[0]), "")

    def _bounds(self) -> tuple[float, float]:
        if isinstance(self.given, Distribution):
            return self.given.bounds()
        return float(self.given.min(initial=np.inf)), float(self.given.max(initial=-np.inf))

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
        if not self.good(value).all():
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
        good = self.good(bounds)
        if not good.all():
            raise InputError(
                f"{self.what}: {self.given!r} may draw {bounds[0]:g} to {bounds[1]:g} {self.unit}; with "
                f"storage='procedural' every value that it may draw {self.rule(bounds[int(np.argmin(good))])}; set low "
                "and high"
            )
        return bounds[:1] if bounds[0] == bounds[1] else bounds

    def size(self) -> float:
        """No value is larger than this in size; the same however synapses are stored."""
        values = np.array(self.given.bounds() if isinstance(self.given, Distribution) else self.given)
        return float(np.abs(values[np.isfinite(values)]).max(initial=0.0))  # others are refused later

    def refuse(self, value: float, where: str) -> None:
        raise InputError(f"{self.what} = {value:g} {self.unit}{where} {self.rule(value)}")

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


@dataclass
class Drawing:
    """A projection before its synapses are drawn: sides, lines of the rule, weight and delay."""

    projection: Projection
    pre: Ids
    post: Ids
    lines: Lines
    weight: Property
    delay: Property
    port: int
    few: Few | None
    plastic: PlasticPlan | None

    @property
    def name(self) -> str:
        return self.projection.name

    @property
    def dtype(self) -> str:
        return self.projection.dtype

    @property
    def weight_size(self) -> float:
        return self.weight.size()

    @property
    def timed(self) -> bool:
        """Whether each synapse keeps a delay of its own, because delays take many values."""
        return self.delay.differs and self.few is None

    def delays(self) -> Floats:
        """The values that delays may take, ascending."""
        return self.few.values if self.few is not None else self.delay.shared() + 0.0

    def weights(self) -> NDArray[np.floating] | None:
        """The weight that all synapses have; None if they differ."""
        return None if self.weight.differs else _rounded(self.weight, self.weight.shared(), self.dtype)

    def share(self, first: int, delays: Floats) -> Share:
        """The Share of this projection in rows with these delays; its targets are numbered from `first` on."""
        given: dict[str, Any] = {"first": first, "dtype": self.dtype}
        if self.weight.differs:
            given |= {"weights": self.weight.law or self.weight.array, "weight_key": self.weight.key}
        if self.delay.differs:
            given |= {"delays": self.delay.law or self.delay.array, "delay_key": self.delay.key}
        if not self.timed:
            numbers = np.searchsorted(delays, self.delays()).astype(np.uint16)
            given |= {"few": self.few, "numbers": numbers} if self.few is not None else {"number": int(numbers[0])}
        return Share(self.lines, **given)

    def require_good(self, faults: list[tuple[str, int, int, float]], n_synapses: int) -> None:
        """Refuse the first value in the rule's order that cannot be used."""
        if not faults:
            return
        what, _, ordinal, value = min(faults, key=lambda fault: fault[2])
        where = self.weight if what.startswith("weight") else self.delay
        if what.endswith("refused"):
            assert where.distribution is not None
            count = sum(fault[1] for fault in faults if fault[0] == what)
            try:
                where.distribution.refuse(count, n_synapses)
            except InputError as error:
                raise InputError(f"{where.what}: {error}") from None
        if what.endswith("too large"):
            raise InputError(f"{where.what} = {value:g} is too large for dtype 'float32'; use 'float64'")
        where.refuse(value, f" (synapse {ordinal} in the rule's order)")


def compile_projection(
    projection: Projection, starts: dict[str, int], port: int, threads: int | None
) -> Drawing | ProceduralPlan:
    """The Drawing of a projection, or its ProceduralPlan. Raises InputError for the first mistake."""
    if projection.storage == "procedural":
        return _procedural(projection, starts, port, threads)
    return prepare(projection, starts, port)


def prepare(projection: Projection, starts: dict[str, int], port: int) -> Drawing:
    """The Drawing of a projection, whatever its storage."""
    rule = projection.rule
    pre, post = global_ids(projection.pre, starts), global_ids(projection.post, starts)
    weight = _property(projection, "weight", projection.weight)
    delay = _property(projection, "delay", projection.delay)
    lines = _lines(projection, pre, post)
    weight.multiply(rule.weights())
    weight.require_shape(rule, pre.size, post.size)
    delay.require_shape(rule, pre.size, post.size)
    few = None
    if delay.array is not None:
        few = Few.of(delay.array, min(MOST_VALUES, delay.array.size // 2))
    elif delay.distribution and (values := delay.distribution.values(MOST_VALUES)) is not None:
        few = Few(values)
    drawing = Drawing(projection, pre, post, lines, weight, delay, port, few, compile_plasticity(projection, starts))
    drawing.weights()
    if not delay.differs:
        delay.shared()
    return drawing


def _lines(projection: Projection, pre: Ids, post: Ids) -> Lines:
    name = projection.name
    try:
        return projection.rule.lines(stream_key(projection.network.seed, name, "connections"), pre, post)
    except InputError as error:
        raise InputError(f"{name}: {error}") from None
    except MemoryError:
        raise too_large([projection]) from None


def _procedural(projection: Projection, starts: dict[str, int], port: int, threads: int | None) -> ProceduralPlan:
    """The plan of a projection whose rows are drawn during the run. Values that a draw might refuse are refused now."""
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
    share = Share(lines, projection.dtype, laws[0], weight.key, laws[1], delay.key)
    rounded = _rounded(weight, weights, projection.dtype)
    n = count_synapses(lines, threads)
    return ProceduralPlan(name, pre, post, Procedure(share, post), rounded, delays, port, weight.size(), n)


def _property(projection: Projection, name: str, value: Value) -> Property:
    given = value if isinstance(value, Distribution) else floats(value, f"{projection.name}: {name}", NUMBERS)
    return Property(name, projection, given)


def too_large(projections: list[Projection]) -> InputError:
    rules = ", ".join(repr(projection.rule) for projection in projections)
    return InputError(f"{projections[0].name}: the synapses of {rules} do not fit into memory; make fewer")


def _rounded(weight: Property, values: Floats, dtype: str) -> NDArray[np.floating]:
    """The weights in the type in which they are kept."""
    with np.errstate(over="ignore"):
        rounded = values.astype(dtype)
    if not np.isfinite(rounded).all():
        largest = values[int(np.argmin(np.isfinite(rounded)))]
        raise InputError(f"{weight.what} = {largest:g} is too large for dtype 'float32'; use 'float64'")
    return rounded
