"""Modules that lie beside a scenario's file: it imports them as it would if Python ran it.

They are there while the scenario's own code runs, and no longer: the folder is on the path, and its modules are those
of their names. So scenarios of two folders, and the program that loads them, may have neighbours of the same name.
"""

from __future__ import annotations

import functools
import importlib
import sys
import sysconfig
import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

# The modules that scenarios have imported from their folders.
_known: dict[Path, dict[str, types.ModuleType]] = {}

INSTALLED = tuple({sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")})


@contextmanager
def neighbours(folder: Path) -> Iterator[None]:
    """Let code import what lies in the folder."""
    names = {path.stem for path in folder.iterdir() if path.suffix == ".py" or path.is_dir()}
    before = {name: module for name, module in sys.modules.items() if name.partition(".")[0] in names}
    aside = {name: module for name, module in before.items() if not _stays(module)}
    for name in aside:
        del sys.modules[name]
    sys.modules.update(_known.get(folder, {}))
    importlib.invalidate_caches()  # of files that have just been written
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        with suppress(ValueError):  # the scenario may change the path itself
            sys.path.remove(str(folder))
        own = {name: module for name, module in sys.modules.items() if _lies_in(module, folder)}
        for name in own:
            del sys.modules[name]
        _known.setdefault(folder, {}).update(own)
        sys.modules.update(aside)


def among_neighbours(function: Callable[..., Any], folder: Path) -> Callable[..., Any]:
    """The function of a scenario, which may import its neighbours only when it is called."""

    @functools.wraps(function)
    def call(*arguments: Any, **named: Any) -> Any:
        with neighbours(folder):
            return function(*arguments, **named)

    return call


def _stays(module: types.ModuleType) -> bool:
    """Whether a module is Python's, installed or of this package, which others count on, whatever lies beside."""
    origin = _origin(module)
    return origin is None or origin.startswith(INSTALLED) or module.__name__.partition(".")[0] == "eventsnn"


def _lies_in(module: types.ModuleType, folder: Path) -> bool:
    origin = _origin(module)
    return origin is not None and not _stays(module) and folder in Path(origin).parents


def _origin(module: types.ModuleType) -> str | None:
    """The file of a module, or the folder of a package without one."""
    places = [getattr(module, "__file__", None), *getattr(module, "__path__", [])]
    return next((place for place in places if isinstance(place, str)), None)
