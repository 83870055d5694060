"""Writes names.md, the table of all public names: python docs/list_names.py, from the repository."""

import inspect
from pathlib import Path
from types import ModuleType
from typing import Any

import eventsnn

PAGE = Path(__file__).parent / "names.md"
HEAD = """# Names

All that `import eventsnn as esn` gives, each with the first sentence of its docstring; `help(esn.NAME)` has the rest.
`python docs/list_names.py` writes this page.

| name | what | where |
|---|---|---|
"""


def sentence(thing: Any) -> str:
    """The first sentence of its docstring, or the first line if that is shorter."""
    text = inspect.getdoc(thing) or ""
    first = " ".join(text.partition("\n\n")[0].split())
    return first.partition(". ")[0].rstrip(".:").replace("|", "\\|")


def where(thing: Any) -> str:
    module = thing if isinstance(thing, ModuleType) else inspect.getmodule(thing)
    assert module is not None and module.__file__ is not None
    return Path(module.__file__).relative_to(Path(eventsnn.__file__).parent.parent).as_posix()


def page() -> str:
    things = {name: getattr(eventsnn, name) for name in sorted(eventsnn.__all__)}
    rows = [f"| `{name}` | {sentence(thing)} | `{where(thing)}` |" for name, thing in things.items()]
    return HEAD + "\n".join(rows) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
