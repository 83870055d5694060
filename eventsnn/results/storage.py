"""Results on disk: a folder of two HDF5 files and one JSON file, readable without eventsnn.

    spikes.h5     the SONATA spikes layout (github.com/AllenInstitute/sonata, developer guide, "Spike file")
        attributes  magic = 0x0A7A, version = [0, 1]
        /spikes/<population>             attribute sorting = by_time, of the HDF5 enum {none, by_id, by_time}
        /spikes/<population>/timestamps  float64, ascending, attribute units = "ms"
        /spikes/<population>/node_ids    uint64, index of the neuron in its population
        /spikes/<population>/selected    int64, only if not all neurons of the population were recorded: their ids
    traces.h5     only if something was sampled
        attributes  format = "eventsnn traces", version = 1
        /traces/<name>/times             float64 (samples,), attribute units = "ms"
        /traces/<name>/ids               int64 (ids,), neurons or synapses
        /traces/<name>/values/<variable> float64 (ids, samples), attribute units = "mV", "pA" ...; "" if it depends
    summary.json  format, version, t_start, t_stop (ms); populations: {name: {n, t_start, t_stop}};
                  traces: {name: [variables]}; summary: Results.summary; sha256: {file: SHA-256 of its bytes}, that of
                  summary.json being of its content without "sha256", as json.dumps(content, sort_keys=True) writes it

All datasets carry Fletcher-32 checksums. Files whose SHA-256 is another one are refused; without "sha256" nothing is
compared, so that results can be read that were written before there was one, or by other programs. In HDF5 names "/"
is written as %2F and "%" as %25. JSON has no NaN: in the summary what is not finite becomes null. summary.json is the
first file of a former result to go and the last of a new one to come into place, so a folder that has one is complete.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import secrets
import shutil
import signal
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from eventsnn.base.checks import flag
from eventsnn.base.errors import InputError, SaveInterrupted, suggest
from eventsnn.base.paths import CLAIM, as_path, require_space
from eventsnn.results.files import (
    BY_TIME,
    DAMAGE,
    SONATA_MAGIC,
    SORTING,
    SUMMARY,
    VERSION,
    Altered,
    Layout,
    add_array,
    escape,
    plain,
    read_array,
    read_file,
    read_group,
    sha256,
    write_array,
    write_head,
)
from eventsnn.results.pieces import joined, pieces_of
from eventsnn.results.recorded import Recorded
from eventsnn.results.spike_trains import SpikeTrains
from eventsnn.results.traces import Traces, unit

SPIKES, TRACES = "spikes.h5", "traces.h5"

Heads = dict[str, dict[str, Any]]

_FORMAT = "eventsnn results"
_TRACES_FORMAT = "eventsnn traces"
_KEYS = ("format", "version", "t_start", "t_stop", "populations", "traces", "summary", "sha256")


def save(results: Recorded, directory: str | os.PathLike[str], force: bool = False) -> None:
    """Write `results` into `directory`, which is made if it does not exist; see the module for the layout.

    Files are written beside the directory and moved into place when complete: a save that fails before leaves a former
    result as it was, one that fails while moving leaves the new files and says where. Nothing but the files of a former
    result is ever removed: other files in the folder stay.

    Raises InputError if `directory` is no folder, cannot be made, or holds anything (with force=True only if what it
    holds is no former result), if there is no room for the files, or if the complete files cannot be moved into it.
    """
    flag(force, f"results cannot be saved in {directory}: force")
    target = as_path(directory, "the folder of results", folder=True).resolve()
    refuse_overwriting(target, Path(directory), force)
    staging = target.parent / f".{target.name}.saving-{secrets.token_hex(4)}"
    try:
        staging.mkdir(parents=True)
    except OSError as error:
        raise InputError(f"results cannot be saved in {directory}: {error.strerror} ({staging.parent})") from None
    try:
        require_space(staging, _size(results), f"results cannot be saved in {directory}")
        heads = _write_spikes(results, staging / SPIKES)
        if results.traces:
            _write_traces(results, staging / TRACES)
        _write_summary(results, heads, staging / SUMMARY)
    except (OSError, RuntimeError) as error:  # h5py raises the latter where a file cannot be closed
        shutil.rmtree(staging, ignore_errors=True)
        raise InputError(
            f"results cannot be saved in {directory}: {getattr(error, 'strerror', None) or error}; nothing was changed "
            "there"
        ) from None
    except BaseException:
        shutil.rmtree(staging, ignore_errors=True)
        raise
    rescue = f"the results are kept: move what is in {staging} into {target}"
    try:
        _move_into_place(staging, target)
    except OSError as error:
        raise InputError(f"results cannot be moved into {directory} ({error.strerror}); {rescue}") from error
    except KeyboardInterrupt as interrupt:
        left = any(staging.glob("*"))
        where = f"before all files were in {directory}; {rescue}" if left else f"when the results were in {directory}"
        raise SaveInterrupted(f"interrupted {where}", getattr(interrupt, "number", signal.SIGINT)) from None
    shutil.rmtree(staging, ignore_errors=True)


def read(directory: str | os.PathLike[str]) -> Recorded:
    """What `save` wrote into `directory`, bit for bit; of a run that still goes on or was ended, what it has written.

    Raises InputError, naming the file, if one is missing, damaged or of another origin.
    """
    folder = as_path(directory, "the folder of results", folder=True)
    if not folder.is_dir():
        raise InputError(f"results folder {folder} does not exist" if not folder.exists() else f"{folder} is no folder")
    pieces = pieces_of(folder)
    if pieces and not (folder / SUMMARY).exists():
        return joined(pieces)
    head = read_file(folder / SUMMARY, _read_summary)
    sums = head.get("sha256", {})
    spikes = read_file(folder / SPIKES, lambda path: _read_spikes(_unchanged(path, sums), head["populations"]))
    traces = {}
    if head["traces"]:
        traces = read_file(folder / TRACES, lambda path: _read_traces(_unchanged(path, sums), head["traces"]))
    return Recorded(spikes, traces, head["t_start"], head["t_stop"], head["summary"])


def refuse_overwriting(target: Path, given: Path, force: bool) -> None:
    if not target.exists():
        return
    if not target.is_dir():
        raise InputError(f"results cannot be saved in {given}: it is a file, name a folder")
    if not any(path.name != CLAIM for path in target.iterdir()):
        return
    begun = pieces_of(target)
    if begun and not force:
        raise InputError(
            f"results cannot be saved in {given}: it holds a run that has not come to its end; go on with it "
            "(eventsnn resume, net.resume), name another folder, or pass force=True (--force) to replace it"
        )
    if begun:
        return
    if not force:
        raise InputError(
            f"results cannot be saved in {given}: the folder is not empty; name another one, or pass force=True "
            "(--force) to replace a former result"
        )
    try:
        _read_summary(target / SUMMARY)
    except (Layout, *DAMAGE):
        raise InputError(
            f"results cannot be saved in {given}: the folder is not empty and holds no former result to replace; "
            "name another one"
        ) from None


def _size(results: Recorded) -> int:
    """Bytes that the files will take, at most."""
    size, most = 0, 0
    for part in results.parts():
        arrays = [array for trains in part.spikes.values() for array in (trains.times, trains.ids, trains.selected)]
        for traces in part.traces.values():
            arrays += [traces.times, traces.ids, *traces.variables.values()]
        size += sum(array.nbytes for array in arrays if array is not None)
        most = max(most, len(arrays))
    return size * 17 // 16 + 65_536 * (most + 1)


def _move_into_place(staging: Path, target: Path) -> None:
    """Move all files of `staging`; wherever this stops, moving what `staging` still holds completes the result.

    Until then `load` refuses the target for want of summary.json. The former summary must go first: with it, new spikes
    beside former traces would pass for the former result.
    """
    if not target.exists():
        staging.rename(target)
        return
    (target / SUMMARY).unlink(missing_ok=True)
    for name in (SPIKES, TRACES, SUMMARY):
        if (staging / name).exists():
            (staging / name).replace(target / name)
        else:
            (target / name).unlink(missing_ok=True)


def _write_spikes(results: Recorded, path: Path) -> Heads:
    """Part by part; the number of neurons and the window of each population."""
    heads: Heads = {}
    with h5py.File(path, "w") as file:
        write_head(file)
        root = file.create_group("spikes")
        for part in results.parts():
            for name, trains in part.spikes.items():
                group = root.require_group(escape(name))
                if name not in heads:
                    group.attrs.create("sorting", BY_TIME, dtype=SORTING)
                add_array(group, "timestamps", trains.times, "ms")
                add_array(group, "node_ids", trains.ids.astype(np.uint64))
                if "selected" in group:
                    del group["selected"]
                if trains.selected is not None:
                    write_array(group, "selected", trains.selected)
                start = heads[name]["t_start"] if name in heads else float(trains.t_start)
                heads[name] = {"n": int(trains.n), "t_start": start, "t_stop": float(trains.t_stop)}
    return heads


def _write_traces(results: Recorded, path: Path) -> None:
    with h5py.File(path, "w") as file:
        file.attrs["format"] = _TRACES_FORMAT
        file.attrs["version"] = VERSION
        root = file.create_group("traces")
        for part in results.parts():
            for name, traces in part.traces.items():
                group = root.require_group(escape(name))
                add_array(group, "times", traces.times, "ms")
                if "ids" not in group:
                    write_array(group, "ids", traces.ids)
                values = group.require_group("values")
                for variable, array in traces.variables.items():
                    add_array(values, escape(variable), array, unit(variable))


def _write_summary(results: Recorded, heads: Heads, path: Path) -> None:
    content = {
        "format": _FORMAT,
        "version": VERSION,
        "t_start": float(results.t_start),
        "t_stop": float(results.t_stop),
        "populations": heads,
        "traces": {name: list(traces.variables) for name, traces in results.traces.items()},
        "summary": plain(results.summary),
    }
    sums = {file.name: sha256(file) for file in (path.with_name(SPIKES), path.with_name(TRACES)) if file.exists()}
    content["sha256"] = {**sums, SUMMARY: _sha256_of(content)}
    path.write_text(json.dumps(content, indent=2, allow_nan=False) + "\n", encoding="utf-8")


def _sha256_of(content: dict[str, Any]) -> str:
    """Of what summary.json says, its own checksum left out: blanks and the order of names mean nothing."""
    rest = {key: value for key, value in content.items() if key != "sha256"}
    return hashlib.sha256(json.dumps(rest, sort_keys=True, allow_nan=False).encode()).hexdigest()


def _unchanged(path: Path, sums: dict[str, str]) -> Path:
    """The path of a file whose bytes are those that were written."""
    if path.name in sums and sha256(path) != sums[path.name]:
        raise Altered(SUMMARY)
    return path


def _read_summary(path: Path) -> dict[str, Any]:
    head = json.loads(path.read_text(encoding="utf-8"), parse_constant=_refuse_constant)
    if not isinstance(head, dict) or head.get("format") != _FORMAT:
        raise Layout(f"its format is not {_FORMAT!r}")
    if head.get("version") != VERSION:
        raise Layout(f"its version is {head.get('version')!r}, this eventsnn reads {VERSION}")
    for key in ("populations", "traces", "summary"):
        if not isinstance(head.get(key), dict):
            raise Layout(f"{key} must be an object")
    _require_window(head, "the file")
    for name, population in head["populations"].items():
        if not isinstance(population, dict) or type(population.get("n")) is not int:
            raise Layout(f"population {name!r} must have an integer n")
        if population["n"] >= 2**31:
            raise Layout(f"population {name!r} has n = {population['n']}, more than the {2**31 - 1} that are allowed")
        _require_window(population, f"population {name!r}")
    for name, variables in head["traces"].items():
        if not isinstance(variables, list) or not all(isinstance(variable, str) for variable in variables):
            raise Layout(f"traces {name!r} must be a list of variables")
    _require_sums(head)
    return head


def _require_sums(head: dict[str, Any]) -> None:
    # A damaged name of an entry must not pass for an entry that is left out.
    for key in head:
        if key not in _KEYS:
            raise Layout(f"it has an entry {key!r}; {suggest(key, _KEYS)}")
    if "sha256" not in head:
        return
    sums = head["sha256"]
    files = {SUMMARY, SPIKES, *([TRACES] if head["traces"] else [])}
    if not isinstance(sums, dict) or set(sums) != files or not all(isinstance(one, str) for one in sums.values()):
        raise Layout(f"sha256 must have a checksum for each of {', '.join(sorted(files))}")
    if _sha256_of(head) != sums[SUMMARY]:
        raise Altered(SUMMARY)


def _refuse_constant(constant: str) -> None:
    raise Layout(f"{constant} is no JSON")


def _require_window(entry: dict[str, Any], what: str) -> None:
    start, stop = entry.get("t_start"), entry.get("t_stop")
    if not (isinstance(start, float) and isinstance(stop, float) and -math.inf < start <= stop < math.inf):
        raise Layout(f"{what} must have t_start <= t_stop, not {start!r} and {stop!r}")


def _read_spikes(path: Path, populations: dict[str, Any]) -> dict[str, SpikeTrains]:
    with h5py.File(path, "r") as file:
        if file.attrs.get("magic") != SONATA_MAGIC:
            raise Layout("it is no SONATA spike file")
        root = read_group(file, "spikes")
        _require_names(root, populations, "populations")
        spikes = {}
        for name, about in populations.items():
            group = read_group(root, escape(name))
            ids = read_array(group, "node_ids", np.uint64).astype(np.int64)
            selected = read_array(group, "selected", np.int64) if "selected" in group else None
            spikes[name] = SpikeTrains(
                read_array(group, "timestamps", np.float64),
                ids, about["n"], about["t_start"], about["t_stop"], name, selected,
            )  # fmt: skip
        return spikes


def _read_traces(path: Path, expected: dict[str, list[str]]) -> dict[str, Traces]:
    with h5py.File(path, "r") as file:
        if file.attrs.get("format") != _TRACES_FORMAT:
            raise Layout(f"its format is not {_TRACES_FORMAT!r}")
        root = read_group(file, "traces")
        _require_names(root, expected, "traces")
        traces = {}
        for name, variables in expected.items():
            group = read_group(root, escape(name))
            values = read_group(group, "values")
            _require_names(values, variables, f"variables of {name!r}")
            arrays = {variable: read_array(values, escape(variable), np.float64) for variable in variables}
            traces[name] = Traces(read_array(group, "times", np.float64), read_array(group, "ids", np.int64), arrays)
        return traces


def _require_names(group: h5py.Group, names: dict[str, Any] | list[str], what: str) -> None:
    held, listed = set(group), set(map(escape, names))
    if held != listed:
        odd = min(held ^ listed)
        raise Layout(f"{what}: {odd!r} is {'in it but not' if odd in held else 'not in it but'} in {SUMMARY}")
