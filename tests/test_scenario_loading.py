"""Scenarios are found by name or file, and their settings are read as the annotations say."""

import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

import eventsnn.scenarios
from eventsnn.base.errors import InputError
from eventsnn.cli.scenario import available, load, parse_settings

GOOD = '''
    """A pair of neurons.

    Source: nobody. Expected: silence.
    """

    from typing import Literal

    DURATION = 250

    def build(
        n: int = 10,
        g: float = 5.0,
        drive: Literal["dc", "poisson"] = "dc",
        order: Literal[1, 2] = 1,
        plastic: bool = False,
        label: str = "x",
        width: float | None = None,
        mixed: int | str = 1,
        seed: int = 1,
    ):
        return n, g
    '''


def parse_setting(scenario, setting):
    ((name, value),) = parse_settings(scenario, [setting]).items()
    return name, value


def write(folder: Path, source: str, name: str = "pair.py") -> Path:
    path = folder / name
    path.write_text(dedent(source).lstrip("\n"), encoding="utf-8")
    return path


@pytest.fixture
def scenario(tmp_path):
    return load(write(tmp_path, GOOD))


def test_a_file_becomes_a_scenario(scenario, tmp_path):
    assert (scenario.name, scenario.title, scenario.duration) == ("pair", "A pair of neurons", 250.0)
    assert scenario.description == "Source: nobody. Expected: silence."
    assert scenario.file == tmp_path / "pair.py"
    assert scenario.check is None and scenario.plot is None
    assert scenario.build(n=3, g=1.0) == (3, 1.0)
    assert list(scenario.defaults().values()) == [10, 5.0, "dc", 1, False, "x", None, 1, 1]


def test_annotations_may_be_text(tmp_path):
    lazy = load(write(tmp_path, dedent(GOOD).replace("from typing", "from __future__ import annotations\nfrom typing")))
    assert lazy.build.__annotations__["n"] == "int"
    assert parse_setting(lazy, "width=2") == ("width", 2.0)
    assert parse_setting(lazy, "drive=poisson") == ("drive", "poisson")


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("n=12", 12),
        ("n=-3", -3),
        ("n=12_500", 12_500),
        ("n=1e4", 10_000),
        (" n = 7 ", 7),
        ("g=4.5", 4.5),
        ("g=1_000.5", 1000.5),
        ("g=2", 2.0),
        ("plastic=true", True),
        ("plastic=YES", True),
        ("plastic=1", True),
        ("plastic=False", False),
        ("plastic=no", False),
        ("plastic=0", False),
        ("label=a=b", "a=b"),
        ("label=", ""),
        ("drive=poisson", "poisson"),
        ("order=2", 2),
        ("width=none", None),
        ("width=0.5", 0.5),
        ("mixed=1e2", 100),
        ("mixed=wide", "wide"),
    ],
)
def test_settings_are_read_as_annotated(scenario, setting, value):
    name, parsed = parse_setting(scenario, setting)
    assert name == setting.partition("=")[0].strip()
    assert parsed == value and type(parsed) is type(value)


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        ("n=1.5", "an int (default 10), not '1.5'"),
        ("n=1e300", "an int"),
        ("n=inf", "an int"),
        ("n=", "an int"),
        ("g=five", "g must be a float (default 5.0), not 'five'"),
        ("plastic=2", "true or false"),
        ("drive=ac", "one of dc, poisson"),
        ("order=3", "one of 1, 2"),
        ("width=wide", "a float or none"),
    ],
)
def test_a_value_of_another_type_is_named(scenario, setting, expected):
    with pytest.raises(InputError) as error:
        parse_setting(scenario, setting)
    assert expected in str(error.value) and setting.partition("=")[0] in str(error.value)


def test_unknown_and_malformed_settings(scenario):
    with pytest.raises(InputError, match="no parameter 'sede'; did you mean 'seed'"):
        parse_setting(scenario, "sede=3")
    with pytest.raises(InputError, match="did you mean 'g'"):
        parse_setting(scenario, "G=3")
    with pytest.raises(InputError, match="takes name=value, not 'seed'; the parameters are n=10, g=5.0"):
        parse_setting(scenario, "seed")
    with pytest.raises(InputError, match="g is given twice, as 1.0 and 2.0"):
        parse_settings(scenario, ["g=1", "n=1", "g=2"])
    assert parse_settings(scenario, ["g=1", "n=2"]) == {"g": 1.0, "n": 2}


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("DURATION = 1.0", "defines no function build"),
        ("def build(): ...", "defines no number DURATION"),
        ("DURATION = 'long'\ndef build(): ...", "defines no number DURATION"),
        ("DURATION = -1\ndef build(): ...", "DURATION must be a finite number of ms above 0, not -1"),
        ("DURATION = float('nan')\ndef build(): ...", "not nan"),
        ("DURATION = 1\ndef build(n: int): ...", "parameter n of build has no default"),
        ("DURATION = 1\ndef build(n=1): ...", "parameter n of build has no type"),
        ("DURATION = 1\ndef build(**n: int): ...", "parameter n of build cannot be given by its name"),
        ("DURATION = 1\ndef build(n: list[int] = 1): ...", "has the type list"),
        ("DURATION = 1\ndef build(n: 'Foo' = 1): ...", "has the type 'Foo', which fails with NameError"),
        ("DURATION = 1\ndef build(n: float = (1, 2)): ...", r"default \(1, 2\)"),
        ("x = 1\ny = x.z\n", r"bad\.py, line 2: AttributeError: 'int' object has no attribute 'z'"),
        ("x = 1\n\ndef f():\n    import nowhere_to_be_found\n\nf()\n", r"bad\.py, line 4: ModuleNotFoundError"),
        ("import json\n\njson.loads('{')\n", r"bad\.py, line 3: JSONDecodeError"),
        ("def build(:\n", r"bad\.py, line 1: SyntaxError"),
        ("import sys\nsys.exit(3)\n", r"bad\.py, line 2: SystemExit: 3"),
    ],
)
def test_a_module_that_is_no_scenario(tmp_path, source, expected):
    path = write(tmp_path, source, "bad.py")
    with pytest.raises(InputError, match=expected) as error:
        load(path)
    assert str(path) in str(error.value)


def test_files_that_are_not_there(tmp_path):
    for path in (tmp_path / "none.py", tmp_path, tmp_path / "notes.txt"):
        with pytest.raises(InputError, match="does not exist or is not a .py file"):
            load(path)


def test_names_are_looked_up_among_the_built_in_ones(tmp_path, monkeypatch):
    write(tmp_path, GOOD, "loading_test_pair.py")
    write(tmp_path, "", "_private.py")
    monkeypatch.setattr(eventsnn.scenarios, "__path__", [str(tmp_path)])
    assert available() == ["loading_test_pair"]
    scenario = load("loading_test_pair")
    assert scenario.file is None and scenario.name == "loading_test_pair"
    with pytest.raises(InputError, match="unknown scenario 'loading_tst_pair' .did you mean 'loading_test_pair'.*list"):
        load("loading_tst_pair")
    with pytest.raises(InputError, match="neither the name of one nor the path"):
        load(b"brunel")
    with pytest.raises(InputError, match="unknown scenario '_private'"):
        load("_private")


@pytest.mark.parametrize("name", available())
def test_every_built_in_scenario_is_complete(name):
    scenario = load(name)
    assert scenario.title and scenario.title != name
    assert scenario.description and scenario.check is not None


def test_a_scenario_runs_from_python_as_from_the_command_line(tmp_path, monkeypatch):
    import eventsnn as esn

    prepared = esn.scenario("three_neurons", seed=3) if "seed" in load("three_neurons").parameters else None
    prepared = prepared or esn.scenario("three_neurons")
    results = prepared.run()
    assert results.summary["scenario"]["parameters"] == load("three_neurons").defaults() | prepared.parameters
    checks = prepared.check(results)
    assert checks and all(check.passed for check in checks)
    assert prepared.plot(results).axes
    assert prepared.run(5.0).t_stop == results.t_stop + 5.0  # it goes on
    brunel = esn.scenario("brunel", n=1000, g=4.5)
    assert brunel.run(20.0, threads=2).summary["scenario"]["parameters"]["g"] == 4.5
    with pytest.raises(esn.InputError, match="scenario brunel has no parameter 'gg'; did you mean 'g'"):
        esn.scenario("brunel", gg=4.5)


TRAINS = """
    import eventsnn as esn

    DURATION = 5.0

    def build():
        net = esn.Network()
        net.population(1, esn.LIFExp())
        return net

    def run(net, duration, parameters, training, **options):
        net.run(duration, **options)
        return {"training": training, "progress": options["progress"]}
    """


@pytest.mark.parametrize(("progress", "training"), [(True, True), (False, False), (print, False)])
def test_a_scenario_that_trains_is_told_whether_to_show_it(tmp_path, progress, training):
    """Its runs show no bars, whatever the progress asked for; and a function of runs can tell nothing of epochs."""
    import eventsnn as esn

    results = esn.scenario(write(tmp_path, TRAINS)).run(progress=progress)
    assert results.summary["live"] == {"training": training, "progress": False}


BESIDE = """
    import helper

    DURATION = 5.0

    def build(n: int = 1):
        import later

        return helper.NAME, later.NAME, helper.package.inner.NAME
    """


def folder_of(place: Path, name: str) -> Path:
    """A scenario with neighbours, which all have this name."""
    (place / name / "package").mkdir(parents=True)
    write(place / name, f"import package.inner\nfrom package import inner\nNAME = {name!r}", "helper.py")
    write(place / name, f"NAME = {name!r}", "later.py")
    write(place / name / "package", f"NAME = {name!r}", "inner.py")
    return write(place / name, BESIDE, "scn.py")


def test_a_scenario_imports_what_lies_beside_it(tmp_path, monkeypatch):
    first, second = (folder_of(tmp_path, name) for name in ("first", "second"))
    (tmp_path / "own").mkdir()
    write(tmp_path / "own", "NAME = 'own'", "helper.py")
    monkeypatch.syspath_prepend(tmp_path / "own")
    import helper

    path, known = list(sys.path), set(sys.modules)
    scenarios = [load(first), load(second)]
    for _ in range(2):
        assert [scenario.build() for scenario in scenarios] == [("first",) * 3, ("second",) * 3]
    monkeypatch.chdir(tmp_path / "first")
    assert load("./scn.py").build() == ("first",) * 3
    assert sys.modules["helper"] is helper and helper.NAME == "own" and sys.path == path
    assert {name for name in set(sys.modules) - known if not name.startswith("eventsnn_scenario")} == set()
    del sys.modules["helper"]


def test_neighbours_shadow_nothing_of_ours(tmp_path):
    for name in ("numpy.py", "eventsnn.py", "typing.py", "scipy.py"):
        write(tmp_path, "raise RuntimeError('not this')", name)
    path = write(
        tmp_path,
        """
        import eventsnn as esn

        DURATION = 5.0

        def build(n: int = 2) -> esn.Network:
            net = esn.Network()
            net.population(n, esn.LIFDelta())
            return net
        """,
        "scn.py",
    )
    assert load(path).build(n=3).run(5.0).t_stop == 5.0


def test_a_neighbour_that_fails_is_named(tmp_path):
    write(tmp_path, "x = 1\nx.y\n", "helper.py")
    path = write(tmp_path, BESIDE, "scn.py")
    with pytest.raises(InputError, match=r"scn\.py, line 1: AttributeError"):
        load(path)
    write(tmp_path, "NAME = 'mended'\nclass package:\n    class inner:\n        NAME = 1\n", "helper.py")
    write(tmp_path, "NAME = 'later'", "later.py")
    assert load(path).build() == ("mended", "later", 1)


def test_the_command_runs_a_scenario_with_a_neighbour(tmp_path):
    (tmp_path / "my").mkdir()
    source = "import eventsnn as esn\ndef cells(net, n):\n    net.population(n, esn.LIFDelta())"
    write(tmp_path / "my", source, "helper.py")
    write(
        tmp_path / "my",
        """
        import eventsnn as esn

        import helper

        DURATION = 5.0

        def build(n: int = 2) -> esn.Network:
            net = esn.Network()
            helper.cells(net, n)
            return net
        """,
        "scn.py",
    )
    command = [sys.executable, "-m", "eventsnn", "run", "my/scn.py", "--out", "kept"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, encoding="utf-8", timeout=60)
    assert done.returncode == 0, done.stderr
