"""The README and the pages in docs/ say what is true: their code runs, their files, names and numbers exist.

Code blocks are told apart by their language:
    python   executed; all blocks of a page share one namespace and one folder. A block whose first line is a comment
             with a file name is also written to that file.
    text     what the python block before it prints.
    console  lines that begin with "$ ". `eventsnn` is run; `make` and `pip install` must name targets and extras that
             exist.
"""

import contextlib
import io
import re
import runpy
import shlex
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from eventsnn import models
from eventsnn.cli import main as cli
from eventsnn.cli.scenario import available

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
PAGES = [README, *sorted((ROOT / "docs").glob("*.md"))]
LINKING = [*PAGES, ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md"]
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# Commands that the page gives in full and that would take too long here.
SHORTENED = {"eventsnn run brunel": ["--set", "n=1000", "--duration", "20"]}


class Block(NamedTuple):
    page: Path
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.page.name}:{self.line}"


def page_name(page: Path) -> str:
    return page.name


def blocks(page: Path) -> list[Block]:
    text = page.read_text("utf-8")
    return [Block(page, text.count("\n", 0, found.start()) + 1, *found.groups()) for found in FENCE.finditer(text)]


def prose(page: Path) -> str:
    return FENCE.sub("", page.read_text("utf-8"))


def in_backticks(text: str) -> list[str]:
    return re.findall(r"`([^`\n]+)`", text)


def table(page: Path, heading: str) -> list[list[str]]:
    """The cells of the table whose first heading this is, row by row."""
    lines = prose(page).splitlines()
    first = next(i for i, line in enumerate(lines) if line.startswith(f"| {heading} |"))
    rows = []
    for line in lines[first + 2 :]:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.strip("|").split("|")])
    return rows


# ---- code


def run_command(command: str, folder: Path) -> None:
    name, *arguments = shlex.split(command)
    if name == "eventsnn":
        line = [sys.executable, "-m", "eventsnn", *arguments, *SHORTENED.get(command, [])]
        done = subprocess.run(line, cwd=folder, capture_output=True, encoding="utf-8", errors="replace", timeout=60)
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    elif name == "make":
        targets = re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
        assert arguments and set(arguments) <= set(targets), command
    else:
        assert (name, *arguments[:1]) == ("pip", "install"), f"{command}: the tests do not know how to check this"
        extras = [extra for argument in arguments for extra in re.findall(r"[\[,](\w+)", argument)]
        pyproject = (ROOT / "pyproject.toml").read_text("utf-8")
        declared = pyproject.partition("[project.optional-dependencies]")[2].partition("\n[")[0]
        assert set(extras) <= set(re.findall(r"^(\w+) = ", declared, re.MULTILINE)), command


def run_page(page: Path, folder: Path) -> dict[str, object]:
    """Run the page's blocks in order; returns the namespace that its python blocks leave."""
    namespace: dict[str, object] = {"__name__": "documentation"}
    printed = ""
    for block in blocks(page):
        if block.language == "python":
            named = re.match(r"# (\S+\.py)\n", block.text)
            if named:
                (folder / named[1]).write_text(block.text, "utf-8")
            # The blank lines let a traceback show the line of the page.
            code = compile("\n" * block.line + block.text, str(page), "exec")
            with contextlib.redirect_stdout(io.StringIO()) as output:
                exec(code, namespace)
            printed = output.getvalue()
        elif block.language == "console":
            for line in block.text.splitlines():
                assert line.startswith("$ "), f"{block}: {line!r} is no command"
                run_command(line.removeprefix("$ "), folder)
        else:
            assert block.language == "text", f"{block}: language {block.language!r}"
            assert block.text == printed, f"{block} shows what is not printed; this is:\n{printed}"
    return namespace


@pytest.mark.parametrize("page", PAGES, ids=page_name)
def test_every_code_block_runs(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    namespace = run_page(page, tmp_path)
    if page.name == "encoding.md":
        check_picture(tmp_path / "first_spikes.png", ROOT / "docs" / "images" / "first_spikes.png")
    if page == README:
        assert namespace["net"].time == 300.0
        check_picture(tmp_path / "first.png", ROOT / "docs" / "images" / "first.png")
        for written in ("runs/first/spikes.h5", "runs/three_neurons/three_neurons.png", "runs/ring/raster.png"):
            assert (tmp_path / written).is_file()


def check_picture(made: Path, shown: Path) -> None:
    """The picture beside the code is the one that the code makes."""
    from matplotlib.image import imread
    from PIL import Image

    software = [Image.open(path).info["Software"] for path in (made, shown)]
    pixels = [imread(path) for path in (made, shown)]
    assert pixels[0].shape == pixels[1].shape
    if software[0] == software[1]:  # other versions of matplotlib may place and draw things differently
        assert np.abs(pixels[0] - pixels[1]).mean() < 1e-4


# ---- links, names, numbers


def test_the_page_of_names_is_what_its_script_writes():
    assert (ROOT / "docs" / "names.md").read_text("utf-8") == runpy.run_path(str(ROOT / "docs" / "list_names.py"))[
        "page"
    ]()


@pytest.mark.parametrize("page", LINKING, ids=page_name)
def test_links_to_files_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(page)):
        if not target.startswith(("http://", "https://")):
            assert (page.parent / target.partition("#")[0]).exists(), target


@pytest.mark.parametrize("page", LINKING, ids=page_name)
def test_make_targets_and_extras_named_in_the_text_exist(page):
    for token in in_backticks(prose(page)):
        if token.startswith(("make ", "pip install ")):
            run_command(token, ROOT)


def test_pictures_are_small():
    pictures = list((ROOT / "docs" / "images").iterdir())
    assert pictures and all(picture.stat().st_size < 150_000 for picture in pictures)


def test_readme_lists_every_scenario_with_what_its_source_says():
    rows = {cells[0].strip("`"): cells[2] for cells in table(README, "name")}
    assert sorted(rows) == available()
    for name, expected in rows.items():
        source = (ROOT / "scenarios" / f"{name}.py").read_text("utf-8")
        for number in re.findall(r"\d+(?:\.\d+)?(?:e-?\d+)?", expected):
            assert re.search(rf"(?<![\d.]){re.escape(number)}(?![\d.]*\d)", source), f"{name}: {number}"


def test_readme_lists_every_model_with_its_name_in_nest():
    rows = {cells[0].strip("`"): cells[2] for cells in table(README, "model")}
    neurons = [name for name in models.__all__ if issubclass(getattr(models, name), models.base.Model)]
    assert sorted(rows) == sorted(set(neurons) - {"LinearModel"})
    for name, in_nest in rows.items():
        said = re.search(r"\(NEST: ([^)]*)\)", getattr(models, name).__doc__)
        assert in_nest == (said[1] if said else ""), name


def test_readme_shows_times_that_were_measured():
    measured = (ROOT / "benchmarks" / "bench.py").read_text("utf-8").partition("with nothing else running")[2]
    lines = {words[0]: words[1:] for words in map(str.split, measured.splitlines()[:12]) if len(words) > 1}
    rows = table(README, "network")
    assert len(rows) == 8
    for name, *times in rows:
        assert [time for time in times if time] == lines[in_backticks(name)[0]]


def test_the_picture_of_exact_spikes_is_what_its_script_draws(tmp_path):
    errors = runpy.run_path(str(DOCS / "draw_exact.py"))["draw"](tmp_path / "exact.png")
    check_picture(tmp_path / "exact.png", DOCS / "images" / "exact.png")
    lost = {name: int(np.isnan(off).sum()) for name, off in errors.items()}
    assert lost == {"1 ms": 62, "0.1 ms": 2, "0.01 ms": 0, "event by event": 0}
    assert np.max(errors["event by event"]) < 8.5e-13 and np.median(errors["event by event"]) == 0.0
    text = " ".join(prose(README).split())
    assert "1 ms loses 62 of 185 spikes, one of 0.1 ms loses 2; event by event the largest error is 8e-13 ms" in text


def test_readme_lists_every_exit_code():
    codes = [int(cells[0]) for cells in table(README, "exit code")]
    assert codes == [int(code) for code in re.findall(r"^(\d+)  ", cli.EXIT_CODES, re.MULTILINE)]


DOCS = ROOT / "docs"
# What these pages name in backticks exists, and is in the file that is named with it.
NAMING = [ROOT / "CONTRIBUTING.md", *(DOCS / f"{name}.md" for name in ("architecture", "files", "glossary", "tour"))]
# Not a file or a name: a command, a suffix, a file to be made.
ELSE = re.compile(r"(?:make|pip|python) .*|\.\w+|.*NAME.*")
PATH = re.compile(r"(?:benchmarks|docs|eventsnn|ext|scenarios|tests)/[\w./]*")
SOURCES = [
    path
    for folder in ("eventsnn", "ext", "scenarios", "tests")
    for path in (ROOT / folder).rglob("*")
    if path.suffix in (".py", ".pyi", ".pyx", ".pxd", ".h") and path != Path(__file__)
]


def has_name(text: str, name: str) -> bool:
    return re.search(rf"\b{re.escape(name)}\b", text) is not None


def telling(page: Path) -> str:
    """The part of a page that says where things are: of CONTRIBUTING.md the steps."""
    text = prose(page)
    if page.name == "CONTRIBUTING.md":
        return text[text.index("## Add a neuron model") : text.index("## Add a scenario")]
    return text


def passages(page: Path) -> list[str]:
    """Paragraphs, items of lists and rows of tables, each of which says where what it names is."""
    return [part for part in re.split(r"\n\n|\n(?=- |\| |\d+\. )", telling(page)) if part.strip()]


def tokens_in(passage: str) -> list[str]:
    return [token for token in in_backticks(passage) if not ELSE.fullmatch(token)]


def names_in(token: str) -> list[str]:
    """The names in what stands in backticks; those in quotes are a user's own."""
    return re.findall(r"[A-Za-z_]\w*", re.sub(r'"[^"]*"', "", token))


def paths_in(passage: str) -> list[Path]:
    """Files and folders named from the top of the repository."""
    return [ROOT / token for token in tokens_in(passage) if PATH.fullmatch(token)]


@pytest.mark.parametrize("page", NAMING, ids=page_name)
def test_files_named_exist(page):
    assert [path for path in paths_in(telling(page)) if not path.exists()] == []


@pytest.mark.parametrize("page", NAMING, ids=page_name)
def test_names_stand_in_the_file_named_with_them(page):
    """What a passage names in backticks is in one of its files; if it names none, anywhere in the sources."""
    everywhere = "\n".join(path.read_text("utf-8") for path in [*SOURCES, ROOT / "setup.py", ROOT / "Makefile"])
    missing = []
    for passage in passages(page):
        files = [path for path in paths_in(passage) if path.is_file() and path.suffix != ".md"]
        held = "\n".join(path.read_text("utf-8") for path in files) if files else everywhere
        names = [name for token in tokens_in(passage) if not PATH.fullmatch(token) for name in names_in(token)]
        missing += [(name, passage) for name in names if not has_name(held, name)]
    assert missing == []


def test_the_tour_quotes_lines_that_are_there():
    page = DOCS / "tour.md"
    quoted = re.findall(r"^    (\S.*)$", prose(page), re.MULTILINE)
    files = [path for path in paths_in(prose(page)) if path.is_file()]
    lines = {line.strip() for path in files for line in path.read_text("utf-8").splitlines()}
    assert len(quoted) == 3 and set(quoted) <= lines
