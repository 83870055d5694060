"""Copies of modules, in which one text may be another: mutants."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType


def load(name: str, old: str = "", new: str = "") -> ModuleType:
    """A fresh copy of a module, with one text replaced."""
    spec = importlib.util.find_spec(name)
    assert spec is not None and spec.origin is not None
    source = Path(spec.origin).read_text(encoding="utf-8")
    if old:
        assert source.count(old) == 1, f"{name} holds {source.count(old)} times: {old}"
        source = source.replace(old, new)
    module = ModuleType(name)
    exec(compile(source, f"<copy of {name}>", "exec"), module.__dict__)
    return module
