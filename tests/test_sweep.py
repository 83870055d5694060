"""Sweeps: grids and seeds by hand, the table, folders that are resumed, refused and damaged, pictures and the page."""

from __future__ import annotations

import csv
import json
import math
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

import eventsnn as esn
from eventsnn.batch.cells import cell_path
from eventsnn.batch.grid import cell_seed, cells_of, points, spaced
from eventsnn.batch.measures import standard, synchrony


def build(n: int = 3, current: float = 400.0, seed: int = 1) -> esn.Network:
    net = esn.Network(seed=seed)
    cells = net.population(n, esn.LIFDelta(I_e=current), name="cells")
    net.stimulate(cells, esn.Poisson(500.0), weight=1.0)
    return net


def counted(results: esn.Results) -> dict[str, float]:
    return {"spikes": len(results.spikes["cells"]), "first": min(results.spikes["cells"].times, default=math.nan)}


# ---- grids


@pytest.mark.parametrize(
    ("ends", "expected"),
    [
        (("3", "8", 6), [3.0, 4.0, 5.0, 6.0, 7.0, 8.0]),
        (("0", "1", 4), [0.0, 1 / 3, 2 / 3, 1.0]),
        (("0.1", "0.3", 3), [0.1, 0.2, 0.3]),
        (("1", "-1", 3), [1.0, 0.0, -1.0]),
        (("1e-3", "2e-3", 2), [0.001, 0.002]),
    ],
)
def test_values_are_spaced_evenly_and_both_ends_are_included(ends, expected):
    assert spaced(*ends) == expected


def test_each_value_is_the_float_nearest_to_the_exact_one():
    found = spaced("0.1", "7.3", 73)
    assert found == [float(Fraction(1, 10) + Fraction(k, 10)) for k in range(73)]
    assert found != np.linspace(0.1, 7.3, 73).tolist()


def test_points_are_all_combinations_the_last_parameter_fastest():
    assert points({"g": [3.0, 4.0], "eta": [1, 2, 3]}) == [
        {"g": g, "eta": eta} for g in (3.0, 4.0) for eta in (1, 2, 3)
    ]  # fmt: skip
    assert points({}) == [{}]


def test_cells_are_the_grid_once_for_each_repeat():
    cells = cells_of({"g": [3.0, 4.0]}, 3, 1, True)
    assert [(cell.index, cell.parameters["g"], cell.repeat) for cell in cells] == [
        (0, 3.0, 0), (1, 4.0, 0), (2, 3.0, 1), (3, 4.0, 1), (4, 3.0, 2), (5, 4.0, 2),
    ]  # fmt: skip
    assert len({cell.seed for cell in cells}) == 6


def test_seeds_follow_from_seed_parameters_and_repeat_alone():
    # sha256 of this text, its first six bytes, as sha256sum prints them
    import hashlib

    digits = hashlib.sha256(b'[1, {"eta": 2, "g": 4.5}, 3]').hexdigest()[:12]
    assert cell_seed(1, {"g": 4.5, "eta": 2.0}, 3) == cell_seed(1, {"eta": 2, "g": 4.5}, 3) == int(digits, 16)
    wide, narrow = cells_of({"g": [1.0, 2.0, 3.0]}, 2, 7, True), cells_of({"g": [3, 1]}, 4, 7, True)
    of = {(cell.parameters["g"], cell.repeat): cell.seed for cell in wide}
    shared = [(cell, of[key]) for cell in narrow if (key := (cell.parameters["g"], cell.repeat)) in of]
    assert len(shared) == 4 and all(cell.seed == seed for cell, seed in shared)
    assert cell_seed(2, {"g": 4.5}, 0) != cell_seed(1, {"g": 4.5}, 0)


# ---- what is measured


def test_standard_measures_of_trains_by_hand():
    net = esn.Network()
    times = [[10.0, 20.0, 40.0], [10.0, 20.0, 40.0], []]
    net.population(3, esn.SpikeSource(times), name="s")
    results = net.run(100.0)
    found = standard(results)
    assert found["s.rate"] == pytest.approx(1000.0 * 6 / 3 / 100.0)
    assert found["s.cv"] == pytest.approx(5.0 / 15.0)  # intervals 10 and 20 ms: sd 5, mean 15
    assert found["s.correlation"] == pytest.approx(1.0)
    # 50 bins, three of which hold two spikes: mean 0.12, mean square 0.24
    assert found["s.synchrony"] == pytest.approx((0.24 - 0.12**2) / 0.12)
    late = standard(results, 15.0)
    assert late["s.rate"] == pytest.approx(1000.0 * 4 / 3 / 85.0) and math.isnan(late["s.cv"])


def test_synchrony_of_independent_neurons_is_1_and_of_equal_ones_their_number():
    net = esn.Network(seed=4)
    net.population(100, esn.Poisson(20.0), name="apart")
    train = np.sort(np.random.default_rng(1).uniform(0.0, 20_000.0, 400))
    net.population(50, esn.SpikeSource([train] * 50), name="together")
    results = net.run(20_000.0)
    # 10,000 bins: the Fano factor of Poisson counts has the standard deviation sqrt(2 / 10,000) = 0.014
    assert synchrony(results.spikes["apart"]) == pytest.approx(1.0, abs=0.06)
    assert synchrony(results.spikes["together"]) == pytest.approx(50.0, rel=0.1)


# ---- the table


def test_table_has_the_numbers_of_runs_by_hand():
    found = esn.sweep(build, 100.0, {"current": [300.0, 500.0], "n": [2]}, repeat=2, measure=counted, seed=5)
    table = found.table()
    assert list(table) == ["cell", "current", "n", "repeat", "seed", "spikes", "first"]
    assert table["cell"].tolist() == [0, 1, 2, 3] and table["repeat"].tolist() == [0, 0, 1, 1]
    for row in range(4):
        parameters = {"current": float(table["current"][row]), "n": 2}
        seed = cell_seed(5, parameters, int(table["repeat"][row]))
        assert table["seed"][row] == seed
        own = build(**parameters, seed=seed).run(100.0).spikes["cells"]
        assert (table["spikes"][row], table["first"][row]) == (len(own), own.times[0])
    assert found.mean("spikes").tolist() == [
        (table["spikes"][k] + table["spikes"][k + 2]) / 2.0 for k in range(2)
    ]  # fmt: skip
    assert repr(found) == "<Sweep of current (2 values) x n (1 values) x 2 repeats: 4 cells>"
    assert found.quantities == ["spikes", "first"]


def test_files_of_the_table_are_read_back_bit_for_bit(tmp_path):
    pandas = pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    found = esn.sweep(build, 50.0, {"current": [0.0, 500.1]}, measure=counted)
    table = found.table()
    found.to_csv(tmp_path / "t.csv")
    found.to_parquet(tmp_path / "t.parquet")
    rows = list(csv.reader((tmp_path / "t.csv").open()))
    assert rows[0] == list(table)
    for name, column in table.items():
        read = np.array([float(row[rows[0].index(name)]) for row in rows[1:]])
        np.testing.assert_array_equal(read, column)
        np.testing.assert_array_equal(pandas.read_parquet(tmp_path / "t.parquet")[name], column)
    with pytest.raises(esn.InputError, match="exists already"):
        found.to_csv(tmp_path / "t.csv")


def test_a_mean_is_over_repeats_and_the_other_parameters():
    value = {(a, b): 10.0 * a + b for a in (1, 2) for b in (3, 5, 7)}

    def of(a: int, b: int) -> esn.Network:
        net = esn.Network()
        net.population(1, esn.SpikeSource(np.linspace(0.1, 9.0, int(value[a, b]))), name="s")
        return net

    found = esn.sweep(of, 10.0, {"a": [2, 1], "b": [3, 5, 7]}, measure=lambda results: {"k": len(results.spikes["s"])})
    assert found.mean("k").tolist() == [[23.0, 25.0, 27.0], [13.0, 15.0, 17.0]]
    assert found.mean("k", "b", "a").tolist() == [[23.0, 13.0], [25.0, 15.0], [27.0, 17.0]]
    assert found.mean("k", "b").tolist() == [18.0, 20.0, 22.0]


# ---- folders


def calls(folder: Path) -> int:
    """How often `marking` has built a network."""
    return len(list(folder.glob("built*")))


def marking(folder: Path, bad: float | None = None):
    def marked(current: float, seed: int) -> esn.Network:
        if current == bad and not (folder / "repaired").exists():
            raise RuntimeError("no such current,\n   today")
        (folder / f"built{calls(folder)}").touch()
        return build(current=current, seed=seed)

    return marked


def test_finished_cells_are_skipped_and_repeats_can_be_added(tmp_path):
    marked, grid = marking(tmp_path), {"current": [300.0, 400.0, 500.0]}
    first = esn.sweep(marked, 20.0, grid, measure=counted, out=tmp_path / "s")
    assert calls(tmp_path) == 3 and first.missing == 0
    cell_path(tmp_path / "s", 1).unlink()
    again = esn.sweep(marked, 20.0, grid, measure=counted, out=tmp_path / "s")
    assert calls(tmp_path) == 4
    more = esn.sweep(marked, 20.0, grid, measure=counted, out=tmp_path / "s", repeat=2)
    assert calls(tmp_path) == 7
    for name, column in first.table().items():
        np.testing.assert_array_equal(again.table()[name], column)
        np.testing.assert_array_equal(more.table()[name][:3], column)
        np.testing.assert_array_equal(esn.load_sweep(tmp_path / "s").table()[name], more.table()[name])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"grid": {"current": [300.0, 401.0]}}, r"its grid has current = \[300.0, 400.0\], not \[300.0, 401.0\]"),
        ({"grid": {"n": [1, 2]}}, "its grid is of current, not of n"),
        ({"seed": 2}, "its seed is 1, not 2"),
        ({"duration": 21.0}, "its duration: 20.0, not 21.0"),
        ({"measure": None}, "its measure: counted [0-9a-f]{12}, not None"),
    ],
)
def test_a_folder_of_another_sweep_is_refused(tmp_path, change, said):
    given = {"build": build, "duration": 20.0, "grid": {"current": [300.0, 400.0]}, "measure": counted, "out": tmp_path}
    esn.sweep(**given)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    with pytest.raises(esn.InputError, match=f"holds another sweep: {said}; name another folder"):
        esn.sweep(**given | change)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_folders_that_cannot_be_used_are_sentences(tmp_path):
    def into(folder: Path) -> None:
        esn.sweep(build, 1.0, {"n": [1]}, out=folder)

    (tmp_path / "file").touch()
    with pytest.raises(esn.InputError, match="file cannot be made: File exists"):
        into(tmp_path / "file")
    with pytest.raises(esn.InputError, match="holds no sweep but other files, such as file"):
        into(tmp_path)
    with pytest.raises(esn.InputError, match=r"cannot be (made|written)|No such file|Permission|not permitted"):
        into(Path("/proc/sweep"))
    with pytest.raises(esn.InputError, match="holds no sweep"):
        esn.load_sweep(tmp_path)


def test_failed_cells_are_listed_and_retried_on_request(tmp_path):
    marked, grid = marking(tmp_path, bad=400.0), {"current": [300.0, 400.0, 500.0]}
    found = esn.sweep(marked, 20.0, grid, measure=counted, out=tmp_path / "s")
    [failure] = found.failed
    assert failure[:3] == (1, {"current": 400.0}, 0) and failure.error == "RuntimeError: no such current, today"
    assert found.table()["current"].tolist() == [300.0, 500.0] and "1 failed" in repr(found)
    (tmp_path / "repaired").touch()
    assert esn.sweep(marked, 20.0, grid, measure=counted, out=tmp_path / "s").failed == [failure]
    assert calls(tmp_path) == 2
    better = esn.sweep(marked, 20.0, grid, measure=counted, out=tmp_path / "s", retry_failed=True)
    assert better.failed == [] and calls(tmp_path) == 3
    assert esn.load_sweep(tmp_path / "s").table()["current"].tolist() == [300.0, 400.0, 500.0]


def test_a_measure_of_no_number_fails_its_cell_in_a_sentence():
    [failure] = esn.sweep(build, 1.0, {"n": [1]}, measure=lambda results: {"a": "x"}).failed
    assert failure.error == "InputError: measure must return numbers, but a is a str"


@pytest.mark.parametrize("way", ["truncated", "altered", "of another cell", "no JSON"])
def test_a_damaged_cell_is_said_and_simulated_again(tmp_path, way):
    def run() -> esn.Sweep:
        return esn.sweep(build, 20.0, {"current": [300.0, 500.0]}, measure=counted, out=tmp_path)

    whole, path = run().table(), cell_path(tmp_path, 0)
    text = path.read_text()
    if way == "altered":
        content = json.loads(text)
        content["measured"]["spikes"] += 1.0
        path.write_text(json.dumps(content))
    else:
        other = cell_path(tmp_path, 1).read_text()
        path.write_text({"truncated": text[:-40], "of another cell": other, "no JSON": "\0?"}[way])
    with pytest.warns(esn.InputWarning, match="000000.json is damaged .*; the cell counts as not simulated"):
        assert esn.load_sweep(tmp_path).missing == 1
    with pytest.warns(esn.InputWarning, match="000000.json is damaged"):
        again = run().table()
    for name, column in whole.items():
        np.testing.assert_array_equal(again[name], column)
    assert json.loads(path.read_text())["measured"] == json.loads(text)["measured"]


def test_a_damaged_description_is_a_sentence(tmp_path):
    esn.sweep(build, 1.0, {"n": [1]}, out=tmp_path)
    (tmp_path / "sweep.json").write_text("{")
    with pytest.raises(esn.InputError, match="sweep.json is damaged"):
        esn.load_sweep(tmp_path)


# ---- bad input


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"grid": {"g": [1.0]}}, "build has no parameter 'g' to be swept; known are n, current, seed"),
        ({"grid": {"currant": [1.0]}}, "did you mean 'current'"),
        ({"grid": {"n": []}}, "the values of n are none; give at least one"),
        ({"grid": {"n": [1, 2, 1.0]}}, "have one twice; use repeat"),
        ({"grid": {"n": "12"}}, "the values of n"),
        ({"grid": {"n": [[1]]}}, "must be a number, a text, True, False or None"),
        ({"grid": {"current": [math.nan]}}, "must be finite"),
        ({"grid": [1, 2]}, "must be a dictionary"),
        ({"grid": {"seed": [1, 2]}, "repeat": 2}, "since the grid gives the seeds; give repeat 1"),
        ({"build": lambda n: None, "repeat": 2}, "built without a parameter seed; give repeat 1"),
        ({"build": 3}, "must be a function that returns"),
        ({"grid": {"n": range(1, 1001), "current": [float(k) for k in range(1001)]}}, "are more than 1,000,000"),
        ({"repeat": 0}, "repeat"),
        ({"jobs": 0}, "jobs"),
        ({"duration": -1.0}, "duration"),
        ({"skip": 1.0}, "below the duration"),
        ({"measure": 3}, "must be a function that takes Results"),
        ({"progress": 3}, "must be True, False or a function"),
        ({"slurm": {}}, "slurm needs a folder"),
        ({"slurm": {"party": 1}}, "slurm has no option 'party'"),
        ({"slurm": {}, "dask": "tcp://a:1"}, "two places"),
    ],
)
def test_bad_arguments_are_sentences(change, said):
    with pytest.raises(esn.InputError, match=said):
        esn.sweep(**{"build": build, "duration": 1.0, "grid": {"n": [1]}} | change)


@pytest.mark.parametrize("text", [("a", "b", 3), ("1", "nan", 3), ("1", "1", 3), ("1", "2", 1), ("1", "1e999", 2)])
def test_bad_ends_are_sentences(text):
    with pytest.raises(esn.InputError, match=f"{text[0]}:{text[1]}:{text[2]} "):
        spaced(*text)


# ---- pictures and the page


@pytest.fixture(scope="module")
def square() -> esn.Sweep:
    def of(a: int, b: str, c: float, seed: int = 1) -> esn.Network:
        if (a, b) == (3, "two") and c > 0.0:
            raise RuntimeError("<b>never</b>")
        net = esn.Network(seed=seed)
        net.population(1, esn.SpikeSource(np.linspace(0.1, 9.0, 10 * a + len(b))), name="s")
        return net

    grid = {"a": [1, 2, 3], "b": ["one", "two"], "c": [0.5]}
    return esn.sweep(of, 10.0, grid, repeat=2, measure=lambda results: {"k$_x": len(results.spikes["s"])})


def test_a_heat_map_has_the_means_at_their_places(square, tmp_path):
    figure = square.heat_map("k$_x", tmp_path / "map.png")
    [image] = figure.axes[0].get_images()
    np.testing.assert_array_equal(image.get_array().filled(np.nan), [[13.0, 23.0, 33.0], [13.0, 23.0, np.nan]])
    assert figure.axes[0].get_xlabel() == "a" and figure.axes[0].get_ylabel() == "b"
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["one", "two"]
    assert (tmp_path / "map.png").read_bytes()[:4] == b"\x89PNG"
    turned = square.heat_map("k$_x", x="b", y="a").axes[0].get_images()[0].get_array()
    assert turned.shape == (3, 2) and turned[2, 0] == 33.0


def test_curves_have_the_means_at_their_values(square):
    figure = square.curves("k$_x")
    lines = [container.lines[0] for container in figure.axes[0].containers]
    assert [line.get_xdata().tolist() for line in lines] == [[1.0, 2.0, 3.0]] * 2
    np.testing.assert_array_equal([line.get_ydata() for line in lines], [[13.0, 23.0, 33.0], [13.0, 23.0, np.nan]])
    assert [text.get_text() for text in figure.axes[0].get_legend().get_texts()] == ["b = one", "b = two"]


def test_unknown_names_of_pictures_are_sentences(square):
    with pytest.raises(esn.InputError, match="'spikes' was not measured; known are"):
        square.heat_map("spikes")
    with pytest.raises(esn.InputError, match="the grid has no parameter 'd'"):
        square.curves("k$_x", x="d")
    with pytest.raises(esn.InputError, match="cannot be on both axes"):
        square.heat_map("k$_x", x="a", y="a")
    with pytest.raises(esn.InputError, match="cannot be written"):
        square.plot("/nowhere/a.png")


def test_a_sweep_of_one_point_and_one_that_failed_everywhere_are_drawn(tmp_path):
    one = esn.sweep(build, 50.0, {}, repeat=3)
    assert {axes.get_title() for axes in one.plot().axes} >= {"cells.rate (Hz)", "cells.cv", "cells.frequency (Hz)"}
    one.report(tmp_path / "one.html")
    none = esn.sweep(lambda n: None, 1.0, {"n": [1, 2]})
    none.report(tmp_path / "none.html")
    assert "build must return an eventsnn.Network, not NoneType" in (tmp_path / "none.html").read_text()
    assert none.quantities == [] and len(none.plot().axes) == 1


def test_the_page_has_pictures_means_and_failures_and_escapes_them(square, tmp_path):
    square.report(tmp_path / "sweep.html")
    text = (tmp_path / "sweep.html").read_text()
    assert "12 cells, 2 failed" in text and text.count("data:image/png;base64,") == 1
    assert text.count("RuntimeError: &lt;b&gt;never&lt;/b&gt;") == 2 and "<b>never" not in text
    row = [">3<", ">one<", ">0.5<", ">33<"]
    assert all(part in text for part in row)
    with pytest.raises(esn.InputError, match="exists already"):
        square.report(tmp_path / "sweep.html")
