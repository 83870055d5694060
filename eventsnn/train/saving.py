"""Trained networks on disk: what was learned, as plain arrays."""

from __future__ import annotations

import os
import reprlib
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eventsnn.base.checks import flag
from eventsnn.base.errors import InputError
from eventsnn.describe.spike_source import SpikeSource
from eventsnn.models.base import Model
from eventsnn.network import Network
from eventsnn.train.parameters import write_synapses
from eventsnn.train.wiring import require_differentiable

FORMAT = 1


def save(network: Network, path: str | os.PathLike[str], force: bool = False) -> None:
    """Write all synapses and parameters of a network as a .npz file of plain arrays, which `load` reads back.

    force: whether a file that is there already is replaced. Raises InputError if it is and must not be, or if the
    network is none of LIFExp neurons and SpikeSource inputs.
    """
    require_differentiable(network)
    flag(force, "save: force")
    file = _file(path, "save")
    if file.exists() and not force:
        raise InputError(f"save: {file} is there already; choose another name or give force=True")
    arrays: dict[str, NDArray[Any]] = {"format": np.array(FORMAT)}
    for name, projection in network.projections.items():
        for column, values in zip(
            ("pre", "post", "weight", "delay"), projection.get("pre", "post", "weight", "delay"), strict=True
        ):
            arrays[f"projections/{name}/{column}"] = values
    for name, population in network.populations.items():
        if isinstance(population.model, Model):
            for parameter in population.model.parameters:
                arrays[f"populations/{name}/{parameter}"] = population.get(parameter)
        else:
            arrays[f"populations/{name}/n"] = np.array(population.n)
    beside = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        with beside.open("wb") as out:
            np.savez(out, **arrays)  # type: ignore[arg-type]
        beside.replace(file)
    except OSError as error:
        raise InputError(f"save: {file} cannot be written, {error.strerror or error}; choose another place") from None
    finally:
        beside.unlink(missing_ok=True)


def load(network: Network, path: str | os.PathLike[str]) -> None:
    """Let a network have the synapses and parameters that `save` has written of one with the same populations and
    projections.

    Raises InputError for a file that is none of `save`, or of another network; nothing is changed then. StateError if
    the network has run.
    """
    require_differentiable(network)
    network.require_unstarted("load into a network")
    file = _file(path, "load")
    try:
        with np.load(file, allow_pickle=False) as found:
            arrays = {name: found[name] for name in found.files}
    except OSError as error:
        raise InputError(f"load: {file} cannot be read, {error.strerror or error}; name a file of train.save") from None
    except (ValueError, EOFError, KeyError, zipfile.BadZipFile):
        raise InputError(f"load: {file} cannot be read: it is damaged, or none that train.save has written") from None
    if arrays.get("format", np.array(0)).ravel()[:1] != [FORMAT]:
        raise InputError(f"load: {file} is not a network that train.save has written")
    wanted = _wanted(network)
    for name, size in wanted.items():
        held = arrays.get(name)
        kind = "i" if name.endswith(("/pre", "/post", "/n")) else "f"
        if held is None or (size is not None and held.shape != (size,)) or held.dtype.kind != kind:
            raise InputError(f"load: {file} does not fit the network: {name} is missing or of another size")
    for name in network.projections:
        _check(network, name, arrays, file)
    for name, population in network.populations.items():
        if isinstance(population.model, SpikeSource):
            if arrays[f"populations/{name}/n"].ravel().tolist() != [population.n]:
                raise InputError(f"load: {file} does not fit the network: {name} has another number of neurons")
            continue
        values = {p: _brief(arrays[f"populations/{name}/{p}"]) for p in population.model.parameters}  # type: ignore[union-attr]
        population.set(**values)
    for name, projection in network.projections.items():
        write_synapses(projection, *(arrays[f"projections/{name}/{c}"] for c in ("pre", "post", "weight", "delay")))


def _file(path: Any, what: str) -> Path:
    try:
        file = Path(path)
        if file.name:
            return file
        raise ValueError
    except (TypeError, ValueError):
        raise InputError(f"{what}: path = {reprlib.repr(path)} must be the name of a file") from None


def _wanted(network: Network) -> dict[str, int | None]:
    names: dict[str, int | None] = {}
    for name in network.projections:
        names |= dict.fromkeys((f"projections/{name}/{c}" for c in ("pre", "post", "weight", "delay")), None)
    for name, population in network.populations.items():
        if isinstance(population.model, Model):
            names |= dict.fromkeys((f"populations/{name}/{p}" for p in population.model.parameters), population.n)
        else:
            names[f"populations/{name}/n"] = None
    return names


def _check(network: Network, name: str, arrays: dict[str, NDArray[Any]], file: Path) -> None:
    """Refuse synapses that are none of this projection."""
    projection = network.projections[name]
    columns = [arrays[f"projections/{name}/{c}"] for c in ("pre", "post", "weight", "delay")]
    sizes = [sum(len(part) for part in side) for side in (projection.pre, projection.post)]
    good = len({column.shape for column in columns}) == 1 and columns[0].ndim == 1
    for column, size in zip(columns[:2], sizes, strict=True):
        good = good and bool(((column >= 0) & (column < size)).all())
    for column in columns[2:]:
        good = good and bool(np.isfinite(column).all())
    if not good or (columns[3] < 0.0).any():
        raise InputError(f"load: {file} does not fit the network: synapses of {name} are none of this projection")


def _brief(values: NDArray[Any]) -> Any:
    """One number if all are equal, as neurons with equal parameters take less room."""
    return float(values[0]) if (values == values[0]).all() else values
