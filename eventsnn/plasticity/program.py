"""Program: an update of a synapse as a list of operations, which both engines carry out in the same order.

A user writes a function of numbers. It is called once with symbols, and what it does to them is written down. So no
Python is called while a network runs, and a rule that a user has made is carried out as those that are shipped are.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eventsnn._core.base import mathfunc
from eventsnn.base.arrays import Floats
from eventsnn.base.checks import real
from eventsnn.base.errors import InputError, suggest

# Operations, by the number that kernels know them by (ext/eventsnn/_core/plasticity/program.pxd).
ADD, SUBTRACT, MULTIPLY, DIVIDE, LEAST, LARGEST, POWER, EXP, EXPM1, SIZE = range(10)
# Registers of a program: inputs, constants and results.
MOST_REGISTERS = 64


class Symbol:
    """A number in a program that is being written down."""

    __slots__ = ("number", "script")
    __array_ufunc__ = None  # numpy numbers leave the operation to this class

    def __init__(self, script: Script, number: int):
        self.script, self.number = script, number

    def __add__(self, other: Any) -> Symbol:
        return self.script.result(ADD, self, other)

    def __radd__(self, other: Any) -> Symbol:
        return self.script.result(ADD, other, self)

    def __sub__(self, other: Any) -> Symbol:
        return self.script.result(SUBTRACT, self, other)

    def __rsub__(self, other: Any) -> Symbol:
        return self.script.result(SUBTRACT, other, self)

    def __mul__(self, other: Any) -> Symbol:
        return self.script.result(MULTIPLY, self, other)

    def __rmul__(self, other: Any) -> Symbol:
        return self.script.result(MULTIPLY, other, self)

    def __truediv__(self, other: Any) -> Symbol:
        return self.script.result(DIVIDE, self, other)

    def __rtruediv__(self, other: Any) -> Symbol:
        return self.script.result(DIVIDE, other, self)

    def __pow__(self, power: Any) -> Symbol:
        if not isinstance(power, Symbol) and real(power) in (1.0, 2.0, 3.0):
            product = self
            for _ in range(int(power) - 1):
                product = product * self
            return product
        return self.script.result(POWER, self, power)

    def __rpow__(self, base: Any) -> Symbol:
        return self.script.result(POWER, base, self)

    def __neg__(self) -> Symbol:
        return self.script.result(SUBTRACT, 0.0, self)

    def __pos__(self) -> Symbol:
        return self

    def __abs__(self) -> Symbol:
        return self.script.result(SIZE, self, self)

    def __bool__(self) -> bool:
        raise InputError(
            f"{self.script.what} decides by the value of a number, which is not known when it is written down; use "
            "arithmetic, minimum(a, b) and maximum(a, b)"
        )

    def __lt__(self, other: Any) -> Any:
        return bool(self)

    __le__ = __gt__ = __ge__ = __lt__

    def __eq__(self, other: object) -> Any:
        return bool(self)

    def __hash__(self) -> int:
        return id(self)

    def __float__(self) -> float:
        raise InputError(
            f"{self.script.what} asks for the value of a number, which is not known when it is written down; use "
            "+ - * / ** abs, and minimum, maximum and exp of eventsnn.plasticity"
        )


class Script:
    """What is written down as a function of symbols is called."""

    def __init__(self, what: str, inputs: Sequence[str]):
        self.what, self.inputs = what, list(inputs)
        self.constants: list[float] = []
        self.operations: list[tuple[int, Any, Any]] = []
        self.known: dict[tuple[Any, ...], Symbol] = {}

    def result(self, operation: int, a: Any, b: Any) -> Symbol:
        """The symbol of a result; one that is there already is not found again."""
        key = (operation, self.symbol(a).number, self.symbol(b).number)
        if key not in self.known:
            self.operations.append(key)
            # Constants are counted when all are known: results are numbered from -1 downwards until then.
            self.known[key] = Symbol(self, -len(self.operations))
        return self.known[key]

    def symbol(self, value: Any) -> Symbol:
        if isinstance(value, Symbol):
            if value.script is not self:
                raise InputError(f"{self.what} uses a number of another update; use its own arguments")
            return value
        number = real(value)
        if not math.isfinite(number):
            raise InputError(f"{self.what}: {value!r} must be a finite number or made of the arguments")
        if number not in self.constants or (number == 0.0 and math.copysign(1.0, number) < 0.0):
            self.constants.append(number)
        return Symbol(self, len(self.inputs) + self.constants.index(number))


@dataclass(frozen=True)
class Program:
    """Operations (operation, a, b) on registers: first the inputs, then constants, then the results in their order.

    outputs: the registers that hold what the function returned.
    """

    n_inputs: int
    constants: Floats
    operations: NDArray[np.int32]  # (operations, 3)
    outputs: NDArray[np.int32]

    @property
    def size(self) -> int:
        """How many registers there are."""
        return self.n_inputs + self.constants.size + len(self.operations)

    def __call__(self, inputs: Sequence[float]) -> list[float]:
        registers = [*inputs, *self.constants.tolist()]
        for operation, a, b in self.operations.tolist():
            registers.append(calculate(operation, registers[a], registers[b]))
        return [registers[k] for k in self.outputs.tolist()]


def calculate(operation: int, a: float, b: float) -> float:
    """One operation, with the bits of the kernels."""
    if operation == ADD:
        return a + b
    if operation == SUBTRACT:
        return a - b
    if operation == MULTIPLY:
        return a * b
    if operation == DIVIDE:
        with np.errstate(all="ignore"):
            return float(np.float64(a) / np.float64(b))
    if operation == LEAST:
        return a if a < b else b
    if operation == LARGEST:
        return a if a > b else b
    if operation == POWER:
        return power(a, b)
    if operation == EXP:
        return mathfunc.exp(a)
    if operation == EXPM1:
        return mathfunc.expm1(a)
    return abs(a)


def power(a: float, b: float) -> float:
    """a^b for a >= 0; nan for a negative a."""
    if a > 0.0:
        return mathfunc.exp(b * mathfunc.log(a))
    if a == 0.0:
        return 0.0 if b > 0.0 else 1.0 if b == 0.0 else math.inf
    return math.nan


def _operate(operation: int, a: Any, b: Any) -> Any:
    for value in (a, b):
        if isinstance(value, Symbol):
            return value.script.result(operation, a, b)
    return calculate(operation, float(a), float(b))


def minimum(a: Any, b: Any) -> Any:
    """The smaller of two numbers, in an update of a PlasticityRule."""
    return _operate(LEAST, a, b)


def maximum(a: Any, b: Any) -> Any:
    """The larger of two numbers, in an update of a PlasticityRule."""
    return _operate(LARGEST, a, b)


def exp(a: Any) -> Any:
    """e^a, in an update of a PlasticityRule."""
    return _operate(EXP, a, a)


def expm1(a: Any) -> Any:
    """e^a - 1, in an update of a PlasticityRule."""
    return _operate(EXPM1, a, a)


def written(function: Callable[..., Any], what: str, inputs: Sequence[str], outputs: Sequence[str]) -> Program:
    """The Program of a function whose arguments are some of the inputs and that returns the outputs."""
    if not callable(function):
        raise InputError(f"{what} = {function!r} must be a function of {', '.join(inputs)}")
    try:
        arguments = list(inspect.signature(function).parameters)
    except (TypeError, ValueError):
        raise InputError(f"{what} = {function!r} has arguments without names; write a function or a lambda") from None
    for name in arguments:
        if name not in inputs:
            raise InputError(f"{what} has an argument {name!r} that it cannot be given; {suggest(name, inputs)}")
    script = Script(what, inputs)
    try:
        given = function(**{name: Symbol(script, list(inputs).index(name)) for name in arguments})
    except InputError:
        raise
    except Exception as error:
        raise InputError(
            f"{what} cannot be written down: {error}; use + - * / ** abs, and minimum, maximum and exp of "
            "eventsnn.plasticity"
        ) from None
    values = given if isinstance(given, tuple) else (given,)
    if len(values) != len(outputs):
        raise InputError(f"{what} returns {len(values)} values; it must return {', '.join(outputs)}")
    return _program(script, [script.symbol(value).number for value in values])


def _program(script: Script, outputs: list[int]) -> Program:
    first = len(script.inputs) + len(script.constants)

    def register(number: int) -> int:
        return number if number >= 0 else first - 1 - number

    operations = [(operation, register(a), register(b)) for operation, a, b in script.operations]
    if first + len(operations) > MOST_REGISTERS:
        raise InputError(
            f"{script.what} needs {first + len(operations)} numbers, more than the {MOST_REGISTERS} there is room for; "
            "make it simpler"
        )
    return Program(
        len(script.inputs),
        np.array(script.constants, dtype=np.float64),
        np.array(operations, dtype=np.int32).reshape(-1, 3),
        np.array([register(k) for k in outputs], dtype=np.int32),
    )
