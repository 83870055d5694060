"""The floors of the package, and what imports what: read from the sources of both trees, nothing is run.

A module is named as it is imported, `eventsnn.run.simulation`; a kernel's .pyx, .pxd and .pyi are one module, a header
of C is `eventsnn._core.base.compiler.h`. Imports within functions, and those for types alone, count like all others.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent

# From top to bottom; a module imports from its own floor and from those below it. Both trees have these folders.
FLOORS = {
    "cli": "doors",
    "train": "training",
    "batch": "batches",
    "network": "face",
    "run": "simulations",
    "compile": "plan",
    "events": "event cameras",
    "encode": "codes",
    "results": "results",
    "describe": "words",
    "models": "equations",
    "plasticity": "plasticity",
    "solve": "solutions",
    "synapses": "rows",
    "draw": "chance",
    "base": "ground",
}
# The engines know a network by its Plan alone; kernels of the engine know a model by its struct Model alone.
NEVER = [("eventsnn.run", "eventsnn.describe"), ("eventsnn._core.run", "eventsnn._core.models")]

CYTHON = re.compile(r"^\s*from\s+(eventsnn[\w.]*)\s+c?import\b", re.MULTILINE)
HEADER = re.compile(r"""(?:extern from|\#\s*include|_RECURRENCE|_FUNCTIONS)\s+"(eventsnn/[\w/]+\.h)\"""")


def name_of(path: Path, root: Path) -> str:
    """The module that a file belongs to."""
    parts = [part for part in path.relative_to(root).parts if part != "ext"]
    stem = parts[-1] if path.suffix == ".h" else path.stem
    return ".".join([*parts[:-1], stem]).removesuffix(".__init__")


def sources(root: Path = ROOT) -> dict[str, list[Path]]:
    """The files of each module of the package and of its kernels."""
    files = [path for tree in ("eventsnn", "ext") for path in sorted((root / tree).rglob("*"))]
    modules: dict[str, list[Path]] = {}
    for path in files:
        if path.suffix in (".py", ".pyi", ".pyx", ".pxd", ".h"):
            modules.setdefault(name_of(path, root), []).append(path)
    return modules


def imports(path: Path, modules: dict[str, list[Path]]) -> Iterator[str]:
    """The modules of the package that a file imports, cimports or includes."""
    text = path.read_text("utf-8")
    if path.suffix not in (".py", ".pyi"):
        yield from CYTHON.findall(text)
        for header in HEADER.findall(text):
            yield header.removesuffix(".h").replace("/", ".") + ".h"
        return
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.startswith("eventsnn."))
        elif isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "eventsnn":
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield inner if inner in modules else node.module


def graph(root: Path = ROOT) -> dict[str, set[str]]:
    """What each module imports of the package, the list of public names in eventsnn/__init__.py left out."""
    modules = sources(root)
    return {
        name: {other for path in paths for other in imports(path, modules) if other != name}
        for name, paths in modules.items()
        if name != "eventsnn"
    }


def floor(module: str) -> int | None:
    """The floor of a module, counted from the top; None for what stands on none, as eventsnn._core does."""
    parts = module.split(".")[1:]
    if parts and parts[0] == "_core":
        parts = parts[1:]
    if parts and parts[0] == "__main__":
        return 0
    return list(FLOORS).index(parts[0]) if parts and parts[0] in FLOORS else None


def upward(edges: dict[str, set[str]]) -> list[str]:
    """Imports from a floor above, and those that are never allowed."""
    wrong = []
    for module, others in sorted(edges.items()):
        for other in sorted(others):
            here, there = floor(module), floor(other)
            if there is None or here is None or there < here:
                wrong.append(f"{module} imports {other}")
            if any(module.startswith(f"{a}.") and other.startswith(f"{b}.") for a, b in NEVER):
                wrong.append(f"{module} may never import {other}")
    return wrong


def circle(edges: dict[str, set[str]]) -> list[str]:
    """The modules of a circle of imports, the first again at the end; empty if there is none."""
    done: set[str] = set()
    for start in sorted(edges):
        path: list[str] = []
        stack = [(start, iter(sorted(edges.get(start, ()))))]
        path.append(start)
        while stack:
            module, rest = stack[-1]
            following = next((other for other in rest if other not in done), None)
            if following is None:
                done.add(module)
                stack.pop()
                path.pop()
            elif following in path:
                return [*path[path.index(following) :], following]
            else:
                stack.append((following, iter(sorted(edges.get(following, ())))))
                path.append(following)
    return []
