"""Traces: variables sampled at given times."""

from __future__ import annotations

import reprlib
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from eventsnn.base.arrays import Floats, Ints, read_only
from eventsnn.base.checks import scalar
from eventsnn.base.errors import InputError, suggest
from eventsnn.results.html import table

_UNIT_OF_PREFIX = {
    "V_": "mV", "E_": "mV", "Theta": "mV", "threshold": "mV", "I_": "pA", "ASC_": "pA", "dI_": "pA/ms", "g_": "nS",
    "C_": "pF", "t_": "ms", "tau_": "ms",
}  # fmt: skip


def unit(variable: str) -> str:
    """The unit that NEST's naming gives a recorded variable: "mV" for V_m, "pA" for I_syn_ex, "nS" for g_ex.

    A weight is in mV, pA or nS, depending on the model it projects to: its unit is "" here, as is that of a variable
    that a user has named otherwise.
    """
    return next((name for prefix, name in _UNIT_OF_PREFIX.items() if variable.startswith(prefix)), "")


class Traces:
    """Variables of a population or projection, sampled at given times.

    Attributes:
        times: sample times in ms, ascending, shape (samples,).
        ids: the neurons (or synapses) sampled, as indices in the population (projection), shape (ids,).
        variables: {name: array of shape (ids, samples)}, read-only; each is an attribute too, such as `traces.V_m`.

    Units are those of the names: V_m in mV, I_syn_ex in pA (see `unit`).

    Raises InputError if the shapes do not fit each other or times do not ascend.
    """

    def __init__(self, times: ArrayLike, ids: ArrayLike, variables: Mapping[str, ArrayLike]):
        self.times: Floats = read_only(times, np.float64, 1, "traces: times")
        self.ids: Ints = read_only(ids, np.int64, 1, "traces: ids")
        if not isinstance(variables, Mapping) or not all(isinstance(name, str) for name in variables):
            raise InputError(f"traces: variables = {reprlib.repr(variables)} must be a dictionary from names to arrays")
        arrays = {name: read_only(values, np.float64, 2, f"traces: {name}") for name, values in variables.items()}
        self.variables: Mapping[str, Floats] = MappingProxyType(arrays)
        if not (np.isfinite(self.times).all() and np.all(self.times[:-1] <= self.times[1:])):
            raise InputError("traces: times must be finite and ascend")
        for name, values in arrays.items():
            if values.shape != (len(self.ids), len(self.times)):
                raise InputError(
                    f"traces: {name} has shape {values.shape}, it must be "
                    f"(ids, samples) = ({len(self.ids)}, {len(self.times)})"
                )

    @classmethod
    def sound(cls, times: Floats, ids: Ints, variables: dict[str, Floats]) -> Traces:
        """The same without looking at every sample, for read-only arrays that surely fit."""
        traces = object.__new__(cls)
        traces.times, traces.ids, traces.variables = times, ids, MappingProxyType(variables)
        return traces

    def __getattr__(self, name: str) -> Floats:
        # reached only for what is no ordinary attribute; __dict__, since copying asks before __init__ has run
        variables: Mapping[str, Floats] = self.__dict__.get("variables", {})
        if name in variables:
            return variables[name]
        if name.startswith("__"):
            raise AttributeError(name)
        raise AttributeError(f"traces hold no {name!r}; {suggest(name, variables)}")

    def __reduce__(self) -> tuple[type[Traces], tuple[Any, ...]]:
        return type(self), (self.times, self.ids, dict(self.variables))

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self.variables]

    def between(self, t0: float, t1: float) -> Traces:
        """The samples with t0 <= time < t1 (ms); raises InputError unless t0 < t1."""
        t0, t1 = (
            scalar(t0, "traces: t0 of between", "a number of ms", unit="ms"),
            scalar(t1, "traces: t1 of between", "a number of ms", unit="ms"),
        )
        if not t0 < t1:
            raise InputError(f"traces: between({t0}, {t1}) is no window, t0 must be less than t1")
        first, last = np.searchsorted(self.times, [t0, t1])
        return Traces(
            self.times[first:last], self.ids, {name: array[:, first:last] for name, array in self.variables.items()}
        )

    def __repr__(self) -> str:
        return f"Traces({', '.join(self.variables)}: {len(self.ids)} ids, {len(self.times):,} samples)"

    def _repr_html_(self) -> str:
        return table("Traces", TRACE_COLUMNS, trace_rows("", self))


# What tables of traces show.
TRACE_COLUMNS = ("variable", "unit", "ids", "samples", "lowest", "highest")


def trace_rows(name: str, traces: Traces) -> list[tuple[str, ...]]:
    """The rows of a population's or projection's traces in a table with TRACE_COLUMNS, one for each variable."""
    size = f"{len(traces.ids):,}", f"{len(traces.times):,}"
    rows: list[tuple[str, ...]] = []
    for variable, values in traces.variables.items():
        finite = values[np.isfinite(values)]
        ends = (f"{finite.min():.6g}", f"{finite.max():.6g}") if finite.size else ("-", "-")
        rows.append((f"{name} {variable}".strip(), unit(variable), *size, *ends))
    return rows
