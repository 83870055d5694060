"""Store: the folder that a run streams its results into, and checkpoints from which it goes on.

    DIR/pieces/               what was recorded, eventsnn/results/pieces.py
    DIR/checkpoints/000007.h5 the state in which the run stood when piece 7 ended, sealed as "eventsnn checkpoint"
        attribute notes       JSON text: format, version of eventsnn, time (ms), pieces: how many there were and the
                              SHA-256 of the last, first: the number of the first that belongs to the results; counters,
                              wall_s, and since when what is recorded
        /state/<name>         the arrays of eventsnn/run/state.py
        /late/times, neurons  spikes at the very time of the checkpoint that are kept back
        /set/<projection>/<k> weights that were set at attribute time (ms), where they do not learn

It is written after its piece, complete or not at all; the one before it stays until then, and one more. Nothing in it
is executed or trusted: every array is compared with the network before a kernel sees it.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import h5py
import numpy as np
from numpy.typing import NDArray

from eventsnn.base.arrays import Floats
from eventsnn.base.errors import InputError, InputWarning
from eventsnn.base.paths import as_path
from eventsnn.results.files import SUMMARY, Layout, escape, read_file, read_group, unescape
from eventsnn.results.files import read_array as read_typed
from eventsnn.results.pieces import FOLDER as PIECES
from eventsnn.results.pieces import Piece, pieces_of, write_piece
from eventsnn.results.recorded import Recorded
from eventsnn.results.sealed import opened, write_sealed

FOLDER = "checkpoints"
_KIND = "eventsnn checkpoint"
_FORMAT = 1
_KEPT = 2
_TYPES = (np.float64, np.float32, np.int64, np.int32, np.int8, np.uint8)


class Checkpoint(NamedTuple):
    """What a file of a checkpoint holds."""

    number: int
    notes: dict[str, Any]
    state: dict[str, NDArray[Any]]
    late: tuple[Floats, NDArray[np.int32]]
    weights: dict[str, list[tuple[float, Floats]]]


class Store:
    """A folder that holds the results of one run so far, and its newest checkpoints."""

    def __init__(self, folder: Path, pieces: Sequence[Piece] = (), first: int = 1):
        self.folder = folder
        self.first = first  # number of the first piece that belongs to the results
        self._all = list(pieces)

    @property
    def number(self) -> int:
        """How many pieces there are."""
        return len(self._all)

    @property
    def pieces(self) -> list[Piece]:
        """Those that belong to the results."""
        return self._all[self.first - 1 :]

    def add(self, part: Recorded) -> None:
        """Write a piece."""
        self._all.append(write_piece(self.folder, self.number + 1, part))

    def forget(self) -> None:
        """What is there no longer belongs to the results."""
        self.first = self.number + 1

    def save(
        self, notes: dict[str, Any], state: dict[str, NDArray[Any]], late: tuple[Floats, NDArray[np.int32]],
        weights: dict[str, list[tuple[float, Floats]]],
    ) -> None:  # fmt: skip
        """Write a checkpoint of the time at which the last piece ends, and drop all but the newest."""
        all_notes = {
            "format": _FORMAT, "pieces": self.number, "sha256": self._all[-1].digest, "first": self.first, **notes,
        }  # fmt: skip

        def write(file: h5py.File) -> None:
            file.attrs["notes"] = json.dumps(all_notes)
            for name, array in state.items():
                file[f"state/{name}"] = array
            file["late/times"], file["late/neurons"] = late
            file.create_group("set")
            for projection, changes in weights.items():
                for k, (time, array) in enumerate(changes):
                    file[f"set/{escape(projection)}/{k}"] = array
                    file[f"set/{escape(projection)}/{k}"].attrs["time"] = time

        write_sealed(self.folder / FOLDER / f"{self.number:06d}.h5", _KIND, write)
        for path in _checkpoints(self.folder)[:-_KEPT]:
            with suppress(OSError):
                path.unlink()

    def cut(self) -> None:
        """Remove what was written after the present time, and what was not written to its end."""
        for path in [*(self.folder / PIECES).iterdir(), *(self.folder / FOLDER).iterdir()]:
            if not path.stem.isdecimal() or int(path.stem) > self.number:
                path.unlink()


def new_store(given: Any, what: str) -> Store:
    """A folder for a run that has none yet. InputError if it cannot be made or holds a run already."""
    folder = as_path(given, f"run: {what}", folder=True)
    if (folder / SUMMARY).exists() or pieces_of(folder) or _checkpoints(folder):
        go_on = f"go on with it by net.resume({str(folder)!r}), or " if _checkpoints(folder) else ""
        raise InputError(f"run: {what} = {folder} holds the results of a run already; {go_on}name another folder")
    try:
        for name in (PIECES, FOLDER):
            (folder / name).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"run: {what} = {folder} cannot be made: {error.strerror}") from None
    return Store(folder)


def remove_store(folder: Path) -> None:
    """Remove the pieces and checkpoints of a run whose results have been saved."""
    for name in (FOLDER, PIECES):
        if not (folder / name).is_dir():
            continue
        for path in sorted((folder / name).iterdir(), reverse=True):
            path.unlink(missing_ok=True)
        (folder / name).rmdir()


def unfinished(folder: Path) -> bool:
    """Whether there is something to go on from."""
    return bool(_checkpoints(folder))


def newest(given: Any) -> tuple[Store, Checkpoint]:
    """The last checkpoint in a folder that is sound, with all pieces before it; one that is not is warned of.

    InputError if there is none.
    """
    folder = as_path(given, "resume", folder=True)
    paths = _checkpoints(folder)
    if not paths:
        finished = (folder / SUMMARY).exists()
        raise InputError(
            f"{folder} holds no checkpoint to go on from"
            + ("; its run has come to its end" if finished else "; checkpoints are written by run(checkpoint=, every=)")
        )
    wrong: list[str] = []
    for path in reversed(paths):
        try:
            found = read_file(path, lambda path: _read(path))
            store = Store(folder, _pieces_before(folder, found), found.notes["first"])
        except InputError as error:
            wrong.append(str(error))
            continue
        for sentence in wrong:
            warnings.warn(
                f"{sentence}; the run goes on from the checkpoint before, at {found.notes['time']:g} ms",
                InputWarning, stacklevel=4,
            )  # fmt: skip
        return store, found
    raise InputError(f"{folder} holds no checkpoint that can be used: {'; '.join(wrong)}")


def _checkpoints(folder: Path) -> list[Path]:
    return sorted((folder / FOLDER).glob("[0-9]*.h5"))


def _pieces_before(folder: Path, found: Checkpoint) -> list[Piece]:
    """All pieces up to a checkpoint. InputError unless they are there, as they were written."""
    pieces = pieces_of(folder)[: found.number]
    if [piece.path.stem for piece in pieces] != [f"{k:06d}" for k in range(1, found.number + 1)]:
        raise InputError(f"{folder / PIECES} lacks some of the {found.number} pieces before this checkpoint")
    for piece in pieces:
        _ = piece.head
    if pieces[-1].digest != found.notes["sha256"]:
        raise InputError(f"{pieces[-1].path} is not the piece that this checkpoint was written after")
    return pieces


def _read(path: Path) -> Checkpoint:
    with opened(path, _KIND) as file:
        notes = json.loads(file.attrs["notes"])
        if not isinstance(notes, dict) or notes.get("format") != _FORMAT:
            raise Layout("its notes are not those of a checkpoint that this eventsnn reads")
        state, late = read_group(file, "state"), read_group(file, "late")
        weights = {}
        changes = read_group(file, "set")
        for name in changes:
            of = read_group(changes, name)
            times = [float(of[k].attrs["time"]) for k in sorted(of, key=int)]
            arrays = [_read_any(of, k) for k in sorted(of, key=int)]
            weights[unescape(name)] = list(zip(times, arrays, strict=True))
        return Checkpoint(
            int(path.stem), notes, {name: _read_any(state, name) for name in state},
            (read_typed(late, "times", np.float64), read_typed(late, "neurons", np.int32)), weights,
        )  # fmt: skip


def _read_any(group: h5py.Group, name: str) -> NDArray[Any]:
    """An array of one of the types of a state; which it must be is compared with the network."""
    dtype = next((dtype for dtype in _TYPES if group[name].dtype == dtype), None)
    if dtype is None:
        raise Layout(f"{name} is {group[name].dtype}, of which there are none in a state")
    return read_typed(group, name, dtype)
