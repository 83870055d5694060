"""Compiled kernels; private. Their sources are in ext/, laid out as the module paths."""

from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

if not any(path.name.endswith(tuple(EXTENSION_SUFFIXES)) for path in (Path(__file__).parent / "base").iterdir()):
    # Python looks into the current folder first, and in a clone that holds the sources without compiled kernels.
    raise ImportError(
        f"eventsnn: {Path(__file__).parent} holds no kernels compiled for this Python; "
        "start Python in another folder, or run `pip install -e .` in the sources"
    )
