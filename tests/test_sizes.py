"""Files and functions stay short enough to be read at once: 500 lines a file, 80 lines a function, in all languages."""

import re
from pathlib import Path

from floors import ROOT

MOST_LINES, MOST_OF_A_FUNCTION = 500, 80
FOLDERS = ("eventsnn", "ext", "tests", "benchmarks", "scenarios", "docs")
# Where a function begins; it ends before the next line that is not indented further.
PYTHON = re.compile(r"^( *)(?:async )?(?:def|cdef|cpdef)\b(?! class)[^=]*\(")
C = re.compile(r"^(?!typedef|enum|struct|#|/| |\})[\w *]+\b(\w+)\(.*[^;]$")


def files() -> list[Path]:
    found = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*")]
    return [path for path in found if path.suffix in (".py", ".pyx", ".pxd", ".h", ".pyi")]


def functions(path: Path) -> list[tuple[int, int]]:
    """First line and number of lines of each function of a file."""
    lines = path.read_text("utf-8").split("\n")
    found = []
    for number, line in enumerate(lines):
        if path.suffix == ".h":
            if C.match(line):
                last = next((k for k in range(number, len(lines)) if lines[k].startswith("}")), number)
                found.append((number + 1, last - number + 1))
            continue
        begins = PYTHON.match(line)
        if begins:
            indent = begins.group(1)
            # A closing bracket of the parameters stands where the function begins, and is no end of it.
            ends = re.compile(rf"^{indent}[^\s)]|^ {{0,{max(len(indent) - 1, 0)}}}\S" if indent else r"^[^\s)]")
            last = next((k for k in range(number + 1, len(lines)) if ends.match(lines[k])), len(lines))
            while not lines[last - 1].strip():
                last -= 1
            found.append((number + 1, last - number))
    return found


def test_no_file_is_too_long():
    assert len(files()) > 350
    assert [str(path) for path in files() if path.read_text("utf-8").count("\n") > MOST_LINES] == []


def test_no_function_is_too_long():
    every = {(str(path), first): length for path in files() for first, length in functions(path)}
    assert len(every) > 3_500
    assert {place: length for place, length in every.items() if length > MOST_OF_A_FUNCTION} == {}


def test_lengths_of_functions_are_seen(tmp_path):
    path = tmp_path / "some.pyx"
    path.write_text(
        "cdef int f(\n    int a,\n):\n    return a\n\n\nclass K:\n    def g(self):\n        return 1\n\n    x = 2\n"
    )
    assert functions(path) == [(1, 4), (8, 2)]
    header = tmp_path / "some.h"
    header.write_text("int f(int a);\nstatic int g(int a)\n{\n    if (a) {\n        a = 1;\n    }\n    return a;\n}\n")
    assert functions(header) == [(2, 7)]
