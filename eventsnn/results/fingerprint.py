"""One SHA-256 over all that a run recorded and the state it ended in; and where two runs first differ."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eventsnn.results.recorded import Recorded


class _Sums:
    """SHA-256 of arrays that come part by part, by their names."""

    def __init__(self) -> None:
        self._of: dict[str, Any] = {}

    def add(self, name: str, array: NDArray[Any]) -> None:
        if name not in self._of:
            self._of[name] = hashlib.sha256(array.dtype.str.encode())
        self._of[name].update(np.ascontiguousarray(array).reshape(-1).view(np.uint8))

    def total(self) -> str:
        lines = [f"{name} {found.hexdigest()}\n" for name, found in sorted(self._of.items())]
        return hashlib.sha256("".join(lines).encode()).hexdigest()


def digest(arrays: Mapping[str, NDArray[Any]]) -> str:
    """SHA-256 of named arrays; numbers that are none count as one and the same."""
    sums = _Sums()
    for name, array in arrays.items():
        sums.add(name, _same(array))
    return sums.total()


def fingerprint(recorded: Recorded, state: str) -> str:
    """The SHA-256 of spikes, samples, the time that they cover and the `state` that the run ended in, itself a SHA-256.

    It does not depend on how the run was cut into parts.
    """
    sums = _Sums()
    for part in recorded.parts():
        for name, trains in part.spikes.items():
            sums.add(f"spikes {name!r} times", trains.times)
            sums.add(f"spikes {name!r} ids", trains.ids)
        for name, traces in part.traces.items():
            sums.add(f"traces {name!r} times", traces.times)
            for variable, values in traces.variables.items():
                # By time, so that parts can be hashed one after the other.
                sums.add(f"traces {name!r} values {variable!r}", _same(values.T))
    window = np.array([recorded.t_start, recorded.t_stop])
    sums.add("window", window)
    sums.add("state", np.frombuffer(state.encode(), dtype=np.uint8))
    return sums.total()


def difference(first: Recorded, second: Recorded) -> str | None:
    """Where what two runs recorded first differs, as a sentence without an end; None if it does not."""
    if (first.t_start, first.t_stop) != (second.t_start, second.t_stop):
        windows = [f"{run.t_start:g} to {run.t_stop:g} ms" for run in (first, second)]
        return f"they cover {windows[0]} and {windows[1]}"
    for what, kept, again in (("spikes", first.spikes, second.spikes), ("traces", first.traces, second.traces)):
        odd = sorted(set(kept) ^ set(again))
        if odd:
            return f"{what} of {odd[0]} are in one of them only"
    found = [_first_spike(name, first, second) for name in first.spikes]
    found += [_first_sample(name, first, second) for name in first.traces]
    earliest = min((one for one in found if one is not None), default=None)
    return None if earliest is None else earliest[1]


def _first_spike(name: str, first: Recorded, second: Recorded) -> tuple[float, str] | None:
    a, b = first.spikes[name], second.spikes[name]
    n = min(len(a), len(b))
    other = np.flatnonzero((a.times[:n] != b.times[:n]) | (a.ids[:n] != b.ids[:n]))
    if not other.size and len(a) == len(b):
        return None
    k = int(other[0]) if other.size else n
    words = [f"neuron {run.ids[k]} at {run.times[k]:.17g} ms" if k < len(run) else "none" for run in (a, b)]
    time = min(float(run.times[k]) for run in (a, b) if k < len(run))
    return time, f"spike {k} of {name} is {words[0]} in the one and {words[1]} in the other"


def _first_sample(name: str, first: Recorded, second: Recorded) -> tuple[float, str] | None:
    a, b = first.traces[name], second.traces[name]
    if not (np.array_equal(a.ids, b.ids) and np.array_equal(a.times, b.times) and set(a.variables) == set(b.variables)):
        return 0.0, f"what was sampled of {name}, or when, is not the same"
    found: list[tuple[float, str]] = []
    for variable, values in a.variables.items():
        others = b.variables[variable]
        different = (values != others) & ~(np.isnan(values) & np.isnan(others))
        if different.any():
            k = int(np.flatnonzero(different.any(axis=0))[0])
            row = int(np.flatnonzero(different[:, k])[0])
            pair = f"{values[row, k]:.17g} and {others[row, k]:.17g}"
            found.append((float(a.times[k]), f"{variable} of {name} {a.ids[row]} at {a.times[k]:g} ms is {pair}"))
    return min(found, default=None)


def _same(array: NDArray[Any]) -> NDArray[Any]:
    """Zeros and numbers that are none have several representations, of which no result tells."""
    if array.dtype.kind != "f":
        return array
    whole = np.array(array) + 0.0
    whole[np.isnan(whole)] = np.nan
    return whole
