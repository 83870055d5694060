"""`eventsnn show` of a summary.json in which anything is missing or of another kind: never a traceback."""

import json
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from eventsnn.cli.main import app

REMOVED = object()
# What an entry becomes.
ALTERATIONS = [
    REMOVED, None, True, "", "text", "three_neurons", "\ud800\x1b[31m[bold]$\\frac", 0, 7, -1, 2.5, 1e300, 10**400, [],
    [1, "a"], [[None]], [{}], {}, {"a": 1}, {"pre": {"neurons": "x"}}, {"pre": 10**400},
]  # fmt: skip


def paths(entry: Any, before: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where an entry is, for all entries within `entry`."""
    items = entry.items() if isinstance(entry, dict) else enumerate(entry) if isinstance(entry, list) else ()
    for key, value in items:
        yield (*before, key)
        yield from paths(value, (*before, key))


def altered(content: Any, path: tuple[Any, ...], value: Any) -> Any:
    changed = deepcopy(content)
    entry = changed
    for key in path[:-1]:
        entry = entry[key]
    if value is REMOVED:
        del entry[path[-1]]
    else:
        entry[path[-1]] = value
    return changed


def show(folder: Path) -> int:
    """The exit code; any traceback fails."""
    result = CliRunner().invoke(app, ["show", str(folder)])
    assert result.exception is None or isinstance(result.exception, SystemExit), repr(result.exception)
    assert result.exit_code in (0, 2)
    if result.exit_code:
        assert result.stderr.startswith("eventsnn: ") and result.stderr.count("\n") == 1, result.stderr
    return result.exit_code


@pytest.fixture(scope="module")
def shown(tmp_path_factory):
    """A run with traces, potentials to be drawn, checks, and a picture of its own."""
    folder = tmp_path_factory.mktemp("show") / "run"
    ran = CliRunner().invoke(app, ["run", "three_neurons", "--out", str(folder), "--plot"])
    assert ran.exit_code == 0, ran.output
    return folder


@pytest.mark.parametrize("every", [17, pytest.param(1, marks=pytest.mark.long)])
def test_a_summary_with_any_entry_altered(shown, every):
    """Each entry in turn; of all alterations every so-manieth, which is each of them for some entry."""
    path = shown / "summary.json"
    before = path.read_text("utf-8")
    content = json.loads(before)
    content.pop("sha256", None)
    codes, failures = [], []
    cases = [(where, value) for where in paths(content) for value in ALTERATIONS][::every]
    for where, value in cases:
        path.write_text(json.dumps(altered(content, where, value)), "utf-8")
        try:
            codes.append(show(shown))
        except AssertionError as error:
            failures.append(f"{where} = {'removed' if value is REMOVED else repr(value)[:40]}: {error}")
    path.write_text(before, "utf-8")
    assert not failures, f"{len(failures)} of {len(codes) + len(failures)}\n" + "\n".join(failures[:100])
    assert codes.count(0) > 700 / every and codes.count(2) > 100 / every


@pytest.mark.parametrize(
    ("every", "values"), [(3, [10**400]), pytest.param(1, [REMOVED, None, "text", 7, [], {}], marks=pytest.mark.long)]
)
def test_pictures_of_an_altered_summary(shown, every, values):
    path = shown / "summary.json"
    before = path.read_text("utf-8")
    content = json.loads(before)
    content.pop("sha256", None)
    drawn = [where for where in paths(content) if where[:2] in (("summary", "scenario"), ("summary", "V_th"))]
    assert len(drawn) > 6
    for where in drawn[::every]:
        for value in values:
            changed = altered(content, where, value)
            if where[1] == "V_th":
                del changed["summary"]["scenario"]  # so that the general picture is drawn, which looks there
            path.write_text(json.dumps(changed), "utf-8")
            for picture in shown.glob("*.png"):
                picture.unlink()
            assert show(shown) == 2 or list(shown.glob("*.png"))
    path.write_text(before, "utf-8")


def test_what_there_is_is_printed(shown):
    path = shown / "summary.json"
    before = path.read_text("utf-8")
    content = json.loads(before)
    content.pop("sha256", None)
    summary = content["summary"]
    del summary["scenario"]["parameters"], summary["threads"]
    name = next(iter(summary["populations"]))
    summary["populations"][name] = {"neurons": 12_345, "rate": "many"}
    summary["checks"] = [{"name": "period", "passed": True}, 5, {"measured": 2.5, "passed": "yes"}]
    summary["wall_s"] = 0.5
    path.write_text(json.dumps(content), "utf-8")
    out = CliRunner().invoke(app, ["show", str(shown)]).stdout
    path.write_text(before, "utf-8")
    assert out.startswith("three_neurons(), ") and "compiled engine: " in out and "in 0.5 s" in out
    row = next(line for line in out.splitlines() if "12,345" in line)
    assert "many" in row and row.split("│")[3].strip() == row.split("│")[5].strip() == "-"
    assert "period" in out and "pass" in out and "2.5" in out and "FAIL" not in out
