"""Paths that a user gave: files to be read, and files that are written complete or not at all."""

from __future__ import annotations

import errno
import os
import secrets
import shutil
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from eventsnn.base.checks import flag
from eventsnn.base.errors import InputError

AnyPath = str | os.PathLike[str]


def as_path(given: Any, what: str, folder: bool = False) -> Path:
    """A Path, or an InputError that names `what` for anything else and for names that no file (or folder) can have."""
    try:
        path = Path(given)
    except Exception:  # it is no text, or an object that itself says which, or fails to
        raise InputError(f"{what}: {given!r} is no path; give a text or a pathlib.Path") from None
    try:
        named = bool(path.name or folder) and b"\0" not in os.fsencode(path)
        path.exists()  # fails for names that are too long
    except (UnicodeError, OSError) as error:
        if isinstance(error, PermissionError):
            return path
        named = False
    if not named:
        raise InputError(f"{what}: {str(path)!r} is no name of a {'folder' if folder else 'file'}")
    return path


def existing(given: Any, what: str) -> Path:
    """The path of a file that is there, or an InputError that names `what`."""
    path = as_path(given, what)
    try:
        is_file, is_there = path.is_file(), path.exists()
    except OSError as error:
        raise InputError(f"{what} {path} cannot be read: {error.strerror}") from None
    if not is_file:
        raise InputError(f"{what} {path} {'is no file, but a folder or a device' if is_there else 'does not exist'}")
    return path


def require_free(path: Path, what: str, force: bool) -> None:
    """Raise InputError if nothing may be written to this path: a folder, or a file that is there, unless force."""
    flag(force, f"{what} {path}: force")
    try:
        is_folder, is_there = path.is_dir(), path.exists()
    except OSError as error:
        raise InputError(f"{what} {path} cannot be written: {error.strerror}") from None
    if is_folder:
        raise InputError(f"{what} {path} cannot be written: there is a folder of this name")
    if is_there and not force:
        raise InputError(
            f"{what} {path} exists already; name another file, or replace it: force=True, --force on the command line"
        )


@contextmanager
def replacing(path: Path, what: str, force: bool) -> Iterator[Path]:
    """An empty file beside `path` that takes its place when all is done, and vanishes if something fails.

    Raises InputError if there is a file at `path` already, unless force=True, or if it cannot be written.
    """
    require_free(path, what, force)
    staging = path.with_name(f".{path.stem}.saving-{secrets.token_hex(4)}{path.suffix}")
    try:
        staging.touch(exist_ok=False)
        yield staging
        staging.replace(path)
    except OSError as error:
        raise InputError(f"{what} {path} cannot be written: {error.strerror or error}") from None
    finally:
        try:
            staging.unlink(missing_ok=True)
        except OSError:  # a folder that is no longer there
            pass


def require_space(folder: Path, size: int, what: str) -> None:
    """Raise InputError if the folder has no room for so many bytes more: they are reserved, and given back at once.

    To find out while writing is too late for libraries that do not survive it.
    """
    place = folder / f".space-{secrets.token_hex(4)}"
    try:
        with place.open("wb") as file:
            if hasattr(os, "posix_fallocate"):
                os.posix_fallocate(file.fileno(), 0, max(size, 1))
            elif shutil.disk_usage(folder).free < size:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    except OSError as error:
        free = shutil.disk_usage(folder).free
        raise InputError(
            f"{what}: {error.strerror}; {size / 1e6:,.1f} MB are needed in {folder} and {free / 1e6:,.1f} MB are free"
        ) from None
    finally:
        with suppress(OSError):
            os.remove(place)


CLAIM = ".running"


@contextmanager
def claimed(folder: Path, what: str) -> Iterator[None]:
    """Hold a folder for this process, which may hold it already. Raises InputError if another that is alive does."""
    claim = folder / CLAIM
    mine = f"{os.getpid()} {socket.gethostname()}"
    if claim.is_file() and claim.read_text("utf-8", "replace") == mine:
        yield
        return
    while True:
        try:
            with claim.open("x", encoding="utf-8") as file:
                file.write(mine)
            break
        except FileExistsError:
            _refuse_held(claim, what)
            claim.unlink(missing_ok=True)
        except OSError as error:
            raise InputError(f"{what}: {error.strerror}") from None
    try:
        yield
    finally:
        with suppress(OSError):
            claim.unlink(missing_ok=True)


def _refuse_held(claim: Path, what: str) -> None:
    """Raise InputError unless the process that holds a folder is surely gone."""
    text = _holder(claim)
    if not text:
        return  # it was ended before it said who it is
    number, _, host = text.partition(" ")
    if host == socket.gethostname() and number.isdecimal() and _ends_soon(int(number)):
        return
    where = f" on {host}" if host and host != socket.gethostname() else ""
    raise InputError(
        f"{what}: process {number or 'of another run'}{where} is writing its results there; name another folder, or "
        f"remove {claim} if it has ended"
    )


def _holder(claim: Path) -> str:
    """What a claim says, which is written at once after it is made."""
    for _ in range(20):
        try:
            if text := claim.read_text("utf-8", "replace"):
                return text
        except OSError:
            return ""
        time.sleep(0.05)
    return ""


def _ends_soon(number: int) -> bool:
    """Whether a process is gone, or is while it is waited for: one that was killed takes some time to end."""
    for _ in range(20):
        try:
            os.kill(number, 0)
        except ProcessLookupError:
            return True
        except OSError:
            return False
        time.sleep(0.05)
    return False
