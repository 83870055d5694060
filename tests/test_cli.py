"""The command line: what it prints, what it saves, which code it exits with."""

import json
import os
import re
import signal
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from textwrap import dedent

import pytest
from matplotlib.figure import Figure
from typer.testing import CliRunner

import eventsnn as esn
import eventsnn.scenarios
from eventsnn.cli.main import app
from eventsnn.results import storage
from eventsnn.results.files import sha256
from eventsnn.results.results import Results, load

# Ends as its parameter says: the ways in which a run can end do not depend on the network that runs.
SCENARIO = '''
    """Two neurons that fire in turn.

    Source: by hand. Expected: 10 Hz each.
    """

    import signal

    from eventsnn.base.errors import InputError, RunawayError
    from eventsnn.results.results import Check, Results
    from eventsnn.results.spike_trains import SpikeTrains

    DURATION = 1000.0


    class Network:
        def __init__(self, ending, seed):
            self.ending, self.seed, self.time, self.facts = ending, seed, 0.0, {}

        def run(self, duration, *, threads=1, progress=False, engine="compiled"):
            self.facts = {"engine": engine, "threads": threads, "seed": self.seed}
            if self.ending == "at once":
                signal.raise_signal(signal.SIGINT)
            self.time = duration if self.ending == "fine" else duration / 4
            if self.ending == "interrupt":
                signal.raise_signal(signal.SIGINT)
            if self.ending == "runaway":
                raise RunawayError(f"pair[1] fires without bound at {self.time} ms", "pair", 1, self.time)
            if self.ending == "bad input":
                raise InputError("pair: tau_m = -1.0 ms must be greater than 0")
            if self.ending == "defect":
                raise ZeroDivisionError("as planned")
            return self.results()

        def results(self):
            times = [25.0 + 50.0 * k for k in range(int(self.time // 50))]
            trains = SpikeTrains(times, [k % 2 for k in range(len(times))], 2, 0.0, self.time, "pair")
            facts = {
                "duration_ms": self.time, "wall_s": 0.5, "spikes": len(times), "synaptic_events": 12_000,
                "external_events": 0, "neurons": 2, "synapses": 2, "version": "test", **self.facts,
            }
            return Results({"pair": trains}, {}, 0.0, self.time, facts)


    def build(
        ending: str = "fine", expected: float = 10.0, defective: bool = False, interrupted: str = "", seed: int = 1
    ) -> Network:
        if ending == "in build":
            signal.raise_signal(signal.SIGINT)
        return None if ending == "nothing" else Network(ending, seed)


    def check(results):
        parameters = results.summary["scenario"]["parameters"]
        if parameters["interrupted"] == "check":
            signal.raise_signal(signal.SIGINT)
        if parameters["defective"]:
            raise ZeroDivisionError("as planned")
        return [Check("rate (Hz)", results.spikes["pair"].rate(), parameters["expected"], 0.5, "by [hand]")]


    def plot(results):
        from matplotlib.figure import Figure

        if results.summary["scenario"]["parameters"]["interrupted"] == "plot":
            signal.raise_signal(signal.SIGINT)
        return Figure()
    '''


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    (tmp_path / "pair.py").write_text(dedent(SCENARIO).lstrip("\n"), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "160")
    return tmp_path


def invoke(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def command(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "eventsnn", *arguments],
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        env={**os.environ, "PYTHONIOENCODING": "utf-8"},
    )


def test_a_run_prints_its_tables_and_saves():
    result = invoke("run", "./pair.py")
    assert result.exit_code == 0, result.output
    row = next(line for line in result.stdout.splitlines() if "pair" in line and "20" in line and "10" in line)
    assert [cell.strip() for cell in row.strip("│ ").split("│")] == ["pair", "2", "20", "10", "0"]
    check = next(line for line in result.stdout.splitlines() if "by [hand]" in line)
    assert [cell.strip() for cell in check.strip("│ ").split("│")] == [
        "rate (Hz)",
        "10",
        "10",
        "0.5",
        "by [hand]",
        "pass",
    ]
    assert "compiled engine, 1 thread: 1000 ms in 0.5 s (2 x real time)\n" in result.stdout
    assert "12 k synaptic events (24 k a second)" in result.stdout
    for name in ("spikes.h5", "summary.json"):
        assert str(Path("runs", "pair", name)) in result.stdout
        assert Path("runs", "pair", name).exists()
    assert load("runs/pair").spikes["pair"].times[0] == 25.0


def test_options_reach_the_network_and_the_summary():
    arguments = ["--set", "expected=9.7", "--duration", "400", "--threads", "2", "--seed", "7", "--engine", "reference"]
    result = invoke("run", "pair.py", *arguments, "--out", "deep/er", "--json")
    assert result.exit_code == 0, result.output
    summary = json.loads(result.stdout)
    assert summary["scenario"] == {
        "name": "pair",
        "file": str(Path("pair.py").resolve()),
        "sha256": sha256(Path("pair.py")),
        "parameters": {"ending": "fine", "expected": 9.7, "defective": False, "interrupted": "", "seed": 7},
        "duration": 400.0,
    }
    assert (summary["duration_ms"], summary["threads"], summary["engine"], summary["seed"]) == (
        400.0,
        2,
        "reference",
        7,
    )
    assert summary["populations"] == {"pair": {"neurons": 2, "spikes": 8, "rate": 10.0, "cv": 0.0}}
    assert summary["checks"][0]["measured"] == 10.0 and summary["checks"][0]["passed"] is True
    assert summary["stopped"] is None
    assert load("deep/er").summary == summary


def test_failed_checks_are_the_first_of_their_table():
    passed = [True, False, True, None, False, True]
    checks = [{"name": f"check {k}", "passed": one} for k, one in enumerate(passed)]
    Results({}, {}, 0.0, 1.0, {"checks": checks}).save("checked")
    rows = re.findall(r"check \d", invoke("show", "checked").stdout)
    assert rows == [f"check {k}" for k in (1, 4, 0, 2, 3, 5)]


@pytest.fixture
def figures(monkeypatch):
    """The figures that are saved, in place of files."""
    saved = []
    monkeypatch.setattr(Figure, "savefig", lambda figure, path, **options: saved.append((Path(path).name, figure)))
    return saved


def test_pictures_say_what_was_run(built_in, figures):
    """Above them, unless they say so themselves, or are a user's own."""
    said = "(ending='fine', expected=10.0, defective=False, interrupted='', seed=1), 1000 ms"
    for name in (built_in, "pair.py"):
        invoke("run", name, "--plot", "--out", f"out of {name}")
    Path("bare.py").write_text(Path("pair.py").read_text("utf-8").partition("def plot")[0], encoding="utf-8")
    invoke("run", "bare.py", "--plot")
    titles = {name: " ".join(text.get_text() for text in figure.texts) for name, figure in figures}
    titles = {name: " ".join(title.split()) for name, title in titles.items()}
    assert titles == {f"{built_in}.png": built_in + said, "pair.png": "", "raster.png": f"bare{said}"}


def test_a_failed_check_is_exit_code_1():
    result = invoke("run", "pair.py", "--set", "expected=20")
    assert result.exit_code == 1 and "FAIL" in result.stdout
    assert load("runs/pair").summary["checks"][0]["passed"] is False


def test_cv_that_does_not_exist_is_null():
    result = invoke("run", "pair.py", "--duration", "100", "--json")
    assert json.loads(result.stdout)["populations"]["pair"]["cv"] is None


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["run", "nowhere"], "unknown scenario 'nowhere'"),
        (["run", "nowhere.py"], "scenario file nowhere.py does not exist"),
        (["run", "pair.py", "--set", "expect=3"], "did you mean 'expected'"),
        (["run", "pair.py", "--set", "expected=[b]x[/b]"], "expected must be a float (default 10.0), not '[b]x[/b]'"),
        (["run", "pair.py", "--seed", "1", "--set", "seed=2"], "seed is given twice, as 2 and 1"),
        (["run", "pair.py", "--duration", "0"], "--duration must be a finite number of ms above 0, not 0.0"),
        (["run", "pair.py", "--duration", "nan"], "not nan"),
        (["run", "pair.py", "--set", "ending=bad input"], "pair: tau_m = -1.0 ms must be greater than 0"),
        (["run", "pair.py", "--set", "ending=nothing"], "build must return an eventsnn.Network, not None"),
        (["run", "pair.py", "--out", "pair.py"], "pair.py"),
        (["run", "pair.py", "--out", "pair.py/deeper"], "pair.py"),
        (["run", "pair.py", "--threads", "0"], "--threads"),
        (["run", "pair.py", "--engine", "steam"], "--engine"),
        (["run"], "NAME|FILE"),
        (["show", "nowhere"], "nowhere"),
    ],
)
def test_bad_input_is_a_sentence_and_exit_code_2(arguments, sentence):
    result = invoke(*arguments)
    assert result.exit_code == 2
    assert sentence in result.stderr and result.stdout == ""
    assert "Traceback" not in result.stderr


def test_a_scenario_without_a_seed_takes_none():
    Path("bare.py").write_text("DURATION = 1.0\ndef build():\n    raise ValueError('never reached')\n")
    result = invoke("run", "bare.py", "--seed", "3")
    assert result.exit_code == 2 and "bare has no parameter seed" in result.stderr


def test_an_existing_folder_is_refused_before_the_simulation():
    assert invoke("run", "pair.py", "--plot").exit_code == 0
    before = {path.name: path.read_bytes() for path in Path("runs/pair").iterdir()}
    assert set(before) == {"spikes.h5", "summary.json", "pair.png"}
    # "defect" raises when the simulation starts
    result = invoke("run", "pair.py", "--set", "ending=defect")
    assert result.exit_code == 2 and "--force" in result.stderr
    assert {path.name: path.read_bytes() for path in Path("runs/pair").iterdir()} == before


def test_force_replaces_the_former_run_with_its_pictures():
    invoke("run", "pair.py", "--plot")
    assert invoke("run", "pair.py", "--force", "--duration", "100").exit_code == 0
    assert {path.name for path in Path("runs/pair").iterdir()} == {"spikes.h5", "summary.json"}
    assert load("runs/pair").t_stop == 100.0


def test_force_never_takes_a_folder_that_holds_something_else():
    Path("home").mkdir()
    Path("home/letter.txt").write_text("dear")
    result = invoke("run", "pair.py", "--force", "--out", "home", "--set", "ending=defect")
    assert result.exit_code == 2 and "home" in result.stderr
    assert [path.name for path in Path("home").iterdir()] == ["letter.txt"]


@pytest.mark.parametrize("ending", ["bad input", "nothing", "defect"])
def test_a_run_that_fails_leaves_no_empty_folder(ending):
    assert invoke("run", "pair.py", "--set", f"ending={ending}").exit_code != 0
    assert not Path("runs").exists()
    Path("mine").mkdir()
    assert invoke("run", "pair.py", "--set", f"ending={ending}", "--out", "mine/deep/er").exit_code != 0
    assert list(Path("mine").iterdir()) == []
    assert invoke("run", "pair.py", "--set", f"ending={ending}", "--out", "mine").exit_code != 0
    assert Path("mine").is_dir()


def test_bad_input_leaves_the_former_run_alone():
    invoke("run", "pair.py")
    assert invoke("run", "pair.py", "--force", "--set", "ending=bad input").exit_code == 2
    assert load("runs/pair").t_stop == 1000.0


def test_a_runaway_keeps_what_was_simulated_and_exits_with_3():
    result = invoke("run", "pair.py", "--set", "ending=runaway", "--set", "expected=99")
    assert result.exit_code == 3
    assert "pair[1] fires without bound at 250.0 ms; what was simulated is in" in result.stderr
    results = load("runs/pair")
    assert results.t_stop == 250.0 and len(results.spikes["pair"]) == 5
    assert results.summary["stopped"] == "pair[1] fires without bound at 250.0 ms"
    assert results.summary["checks"] == []


def test_ctrl_c_keeps_what_was_simulated_and_exits_with_130():
    result = command("run", "pair.py", "--set", "ending=interrupt", "--json")
    assert result.returncode == 130
    assert "interrupted at 250 of 1000 ms; what was simulated is in" in result.stderr
    assert json.loads(result.stdout)["duration_ms"] == 250.0
    assert load("runs/pair").t_stop == 250.0


@pytest.mark.parametrize("ending", ["at once", "in build"])
def test_ctrl_c_before_the_first_event_saves_nothing(ending):
    result = invoke("run", "pair.py", "--set", f"ending={ending}")
    assert result.exit_code == 130 and result.stdout == ""
    assert result.stderr == "eventsnn: interrupted before anything was simulated\n"
    assert not Path("runs").exists()


@pytest.mark.parametrize("stage", ["check", "plot"])
def test_ctrl_c_after_the_simulation_keeps_it(stage):
    result = invoke("run", "pair.py", "--plot", "--set", f"interrupted={stage}")
    assert result.exit_code == 130
    assert result.stderr == f"eventsnn: interrupted; what was simulated is in {Path('runs', 'pair')}\n"
    assert load("runs/pair").t_stop == 1000.0


def test_ctrl_c_while_saving_says_what_is_left(monkeypatch):
    def interrupt(*arguments):
        signal.raise_signal(signal.SIGINT)

    with monkeypatch.context() as patch:
        patch.setattr(storage, "_write_summary", interrupt)
        result = invoke("run", "pair.py")
    assert result.exit_code == 130
    assert result.stderr == "eventsnn: interrupted before the results were saved; nothing of this run is kept\n"
    assert not Path("runs").exists()

    monkeypatch.setattr(storage, "_move_into_place", interrupt)
    result = invoke("run", "pair.py")
    assert result.exit_code == 130 and "the results are kept: move what is in" in result.stderr
    (staging,) = Path("runs").iterdir()
    assert str(staging) in result.stderr and load(staging).t_stop == 1000.0


def test_a_defect_shows_its_traceback_and_exits_with_70():
    result = command("run", "pair.py", "--set", "ending=defect")
    assert result.returncode == 70
    assert "Traceback" in result.stderr and "ZeroDivisionError: as planned" in result.stderr


def test_a_defect_in_the_check_does_not_lose_the_run():
    result = invoke("run", "pair.py", "--set", "defective=yes")
    assert isinstance(result.exception, ZeroDivisionError)
    assert load("runs/pair").t_stop == 1000.0


@pytest.fixture
def built_in(folder, monkeypatch):
    """The scenario under a name of its own among those that come with the package, and a broken one beside it."""
    package = folder / "package"
    package.mkdir()
    (package / "cli_test_pair.py").write_text(dedent(SCENARIO).lstrip("\n"), encoding="utf-8")
    (package / "cli_test_broken.py").write_text("import nowhere_to_be_found\n", encoding="utf-8")
    monkeypatch.setattr(eventsnn.scenarios, "__path__", [str(package)])
    yield "cli_test_pair"
    sys.modules.pop("eventsnn.scenarios.cli_test_pair", None)


def test_list_has_a_line_each_and_survives_a_broken_scenario(built_in, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    result = invoke("list")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert len(lines) == 4 and max(map(len, lines[:2])) <= 80
    assert lines[0].startswith("cli_test_broken  ") and "cannot be imported" in lines[0]
    assert lines[1] == "cli_test_pair    Two neurons that fire in turn"


def test_list_explains_one_scenario(built_in):
    shown = invoke("list", built_in)
    assert shown.exit_code == 0 and "Expected: 10 Hz each." in shown.stdout
    lines = [line.split() for line in shown.stdout.splitlines() if line.startswith("  --")]
    assert ["--set", "expected", "=", "10.0"] in lines and ["--duration", "1000"] in lines
    refused = invoke("list", "brunell")
    assert refused.exit_code == 2 and "brunell" in refused.stderr


def test_show_prints_the_run_and_draws_a_missing_picture(built_in):
    assert invoke("run", built_in, "--set", "expected=10.25").exit_code == 0
    shown = invoke("show", f"runs/{built_in}")
    assert shown.exit_code == 0, shown.output
    assert "10.25" in shown.stdout and "pass" in shown.stdout and "2 x real time" in shown.stdout
    picture = Path("runs", built_in, f"{built_in}.png")
    assert str(picture) in shown.stdout and picture.read_bytes().startswith(b"\x89PNG")
    picture.write_bytes(b"kept")
    assert invoke("show", f"runs/{built_in}").exit_code == 0
    assert picture.read_bytes() == b"kept"


def test_show_prints_what_a_script_saved():
    Results({}, {}, 2.0, 12.0, {}).save("bare")
    shown = invoke("show", "bare")
    assert shown.exit_code == 0, shown.output
    assert shown.stdout.startswith("10 ms\n") and "engine" not in shown.stdout and "events" not in shown.stdout
    Results({}, {}, 0.0, 5.0, {"wall_s": None, "synaptic_events": 7}).save("events")
    assert "\n7 synaptic events\n" in invoke("show", "events").stdout
    Results({}, {}, 0.0, 5.0, {"wall_s": 0.5}).save("time")
    assert "\n5 ms in 0.5 s (0.01 x real time)\n" in invoke("show", "time").stdout


def test_show_prints_a_network_that_no_scenario_described():
    net = esn.Network()
    net.population(3, esn.SpikeSource([1.0]), name="source")
    net.run(20.0).save("network")
    shown = invoke("show", "network")
    assert shown.exit_code == 0, shown.output
    assert shown.stdout.startswith("20 ms\n") and "compiled engine, 1 thread: 20 ms in" in shown.stdout


def test_show_does_not_execute_a_recorded_file():
    invoke("run", "pair.py")
    Path("pair.py").write_text("raise SystemExit('executed')\n")
    shown = invoke("show", "runs/pair")
    assert shown.exit_code == 0, shown.output
    assert not Path("runs/pair/pair.png").exists() and Path("runs/pair/raster.png").exists()


def test_version():
    result = command("--version")
    assert result.returncode == 0 and result.stdout.strip() == f"eventsnn {version('eventsnn')}"


def test_help_lists_the_exit_codes_without_importing_matplotlib():
    code = (
        "import sys; from typer.testing import CliRunner; from eventsnn.cli.main import app\n"
        "print(CliRunner().invoke(app, ['run', '--help']).stdout)\n"
        "assert 'matplotlib' not in sys.modules"
    )
    environment = {**os.environ, "PYTHONIOENCODING": "utf-8"}
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", env=environment)
    assert result.returncode == 0, result.stderr
    for start in ("0  the run", "1  a check", "2  bad", "3  a neuron", "70  a defect", "130  interrupted"):
        assert start in result.stdout
