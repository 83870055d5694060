"""Sealed files: HDF5 files that say what they are, and whose bytes are those that were written.

Before what the HDF5 library reads, in the 512 bytes that it leaves to others at the beginning of a file ("user block"),
stand the words "KIND, SHA-256 of all bytes from 512 on: ", the checksum in hexadecimal digits, a newline, and zeros.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import h5py

from eventsnn.base.errors import InputError
from eventsnn.results.files import Altered, Layout, sha256

BLOCK = 512
_IN_MEMORY = 2**20  # bytes by which a file that is put together in memory grows


def first_block(kind: str, digest: str) -> bytes:
    """The first bytes of a file of this kind, with this SHA-256 of all that follow."""
    return f"{kind}, SHA-256 of all bytes from {BLOCK} on: {digest}\n".encode("ascii").ljust(BLOCK, b"\0")


def require_seal(path: Path, kind: str) -> str:
    """The SHA-256 of a file after its first block. Raises Layout or Altered unless it is sealed, as this kind."""
    with path.open("rb") as raw:
        first = raw.read(BLOCK)
    if not first.startswith(f"{kind}, ".encode()):
        raise Layout(f"it does not begin with {kind!r}")
    digest = sha256(path, BLOCK)
    if first != first_block(kind, digest):
        raise Altered("its first bytes")
    return digest


@contextmanager
def opened(path: Path, kind: str) -> Iterator[h5py.File]:
    """A sealed file, to be read, whose bytes were compared with its checksum."""
    require_seal(path, kind)
    with h5py.File(path, "r") as file:
        yield file


def write_sealed(path: Path, kind: str, write: Callable[[h5py.File], None]) -> str:
    """Write a sealed file complete, on the disk and under its name, or not at all; one of this name is replaced.

    Returns its checksum.

    It is put together in memory, since the HDF5 library does not survive a full disk. Raises InputError if it cannot be
    written.
    """
    staging = path.with_name(f".{path.name}.saving-{secrets.token_hex(4)}")
    try:
        with h5py.File(staging, "w", driver="core", backing_store=False, block_size=_IN_MEMORY) as file:
            write(file)
            file.flush()
            image = file.id.get_file_image()
        digest = hashlib.sha256(image).hexdigest()
        with staging.open("wb") as raw:
            raw.write(first_block(kind, digest))
            raw.write(image)
            raw.flush()
            os.fsync(raw.fileno())
        staging.replace(path)
        sync_folder(path.parent)
        return digest
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror or error}") from None
    finally:
        with suppress(OSError):
            staging.unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """Have the names in a folder on the disk, where the system can say so."""
    try:
        number = os.open(folder, os.O_RDONLY)
    except OSError:
        return  # Windows opens no folders
    try:
        os.fsync(number)
    except OSError:
        pass  # some file systems know no such thing of folders
    finally:
        os.close(number)
