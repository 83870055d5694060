"""Results written to disk and read back; the layout as others see it; damaged and foreign files; overwriting."""

import json
import math
import os

import h5py
import numpy as np
import pytest
from support.checksums import drop_checksums

from eventsnn.base.errors import InputError, SaveInterrupted
from eventsnn.results import storage
from eventsnn.results.results import Results, load
from eventsnn.results.spike_trains import SpikeTrains
from eventsnn.results.traces import Traces

RNG = np.random.default_rng(3)


def make_results(spikes: int = 500) -> Results:
    times = np.sort(RNG.uniform(0.0, 100.0, spikes))
    exc = SpikeTrains(times, RNG.integers(0, 20, spikes), 20, 0.0, 100.0, "exc")
    silent = SpikeTrains([], [], 3, 0.0, 100.0, "Purkinje-β")
    samples = np.array([0.1 * k for k in range(50)])
    traces = Traces(samples, [4, 2], {"V_m": RNG.normal(size=(2, 50)), "I_syn_ex": RNG.normal(size=(2, 50))})
    weights = Traces([0.0], [0, 1, 2], {"weight": [[0.1], [0.2], [-0.3]]})
    return Results(
        {"exc": exc, "Purkinje-β": silent}, {"exc": traces, "exc->exc#0": weights}, 0.0, 100.0,
        {"seed": 1, "wall_s": 0.1 + 0.2, "checks": [{"name": "rate", "passed": True}], "engine": "compiled"},
    )  # fmt: skip


@pytest.fixture
def results() -> Results:
    return make_results()


@pytest.fixture
def saved(results, tmp_path):
    results.save(tmp_path / "run")
    return tmp_path / "run"


def bits(results: Results) -> list[object]:
    spikes = [
        (name, t.times.tobytes(), t.ids.tobytes(), t.n, t.t_start, t.t_stop, t.name, t.neurons.tobytes())
        for name, t in results.spikes.items()
    ]
    traces = [
        (name, t.times.tobytes(), t.ids.tobytes(), [(v, a.shape, a.tobytes()) for v, a in t.variables.items()])
        for name, t in results.traces.items()
    ]
    return [spikes, traces, results.t_start, results.t_stop, results.summary]


def test_what_is_loaded_has_the_bits_that_were_saved(results, saved):
    assert bits(load(saved)) == bits(results)
    assert sorted(os.listdir(saved)) == ["spikes.h5", "summary.json", "traces.h5"]
    assert os.listdir(saved.parent) == ["run"]


def test_a_selection_in_a_window_comes_back(results, tmp_path):
    part = results.spikes["exc"].between(20.0, 30.0)[[7, 3, 11]]
    cut = Results({"exc": part}, {}, 20.0, 30.0, {})
    cut.save(tmp_path / "cut")
    again = load(tmp_path / "cut")
    assert bits(again) == bits(cut)
    assert again.spikes["exc"].counts().tolist() == part.counts().tolist()


def test_names_that_mean_something_to_hdf5(tmp_path):
    names = ["a/b", "a%2Fb", "a%b", "..", ".", "a b", "z", "a"]
    spikes = {name: SpikeTrains([float(k)], [0], 1, 0.0, 10.0, name) for k, name in enumerate(names)}
    results = Results(spikes, {name: Traces([0.0], [0], {"V_m": [[1.0]]}) for name in names}, 0.0, 10.0, {})
    results.save(tmp_path / "run")
    assert bits(load(tmp_path / "run")) == bits(results)


def test_nothing_recorded(tmp_path):
    Results({}, {}, 0.0, 0.0, {}).save(tmp_path / "deep" / "er" / "run")
    again = load(tmp_path / "deep" / "er" / "run")
    assert (len(again.spikes), len(again.traces), again.t_stop) == (0, 0, 0.0)


def test_spikes_follow_the_sonata_layout(results, saved):
    with h5py.File(saved / "spikes.h5", "r") as file:
        assert file.attrs["magic"] == 0x0A7A
        assert file.attrs["magic"].dtype == np.uint32
        assert file.attrs["version"].tolist() == [0, 1]
        assert file.attrs["version"].dtype == np.uint32
        assert list(file) == ["spikes"]
        assert sorted(file["spikes"]) == ["Purkinje-β", "exc"]
        group = file["spikes/exc"]
        assert sorted(group) == ["node_ids", "timestamps"]
        sorting = group.attrs.get_id("sorting")
        assert h5py.check_enum_dtype(sorting.dtype) == {"none": 0, "by_id": 1, "by_time": 2}
        assert group.attrs["sorting"] == 2
        assert group["timestamps"].attrs["units"] == "ms"
        assert group["timestamps"].dtype == np.float64
        assert group["node_ids"].dtype == np.uint64
        assert group["timestamps"][()].tolist() == results.spikes["exc"].times.tolist()
        assert group["node_ids"][()].tolist() == results.spikes["exc"].ids.tolist()
        assert file["spikes/Purkinje-β/timestamps"].shape == (0,)


def test_traces_carry_units(results, saved):
    with h5py.File(saved / "traces.h5", "r") as file:
        values = file["traces/exc/values"]
        assert {name: values[name].attrs["units"] for name in values} == {"V_m": "mV", "I_syn_ex": "pA"}
        assert values["V_m"][()].tolist() == results.traces["exc"].V_m.tolist()
        assert file["traces/exc/times"].attrs["units"] == "ms"
        assert file["traces/exc/ids"][()].tolist() == [4, 2]


def test_the_summary_is_strict_json_whatever_it_holds(tmp_path):
    summary = {
        "nan": math.nan, "inf": [np.float64(-math.inf)], "numpy": np.int64(3), "array": np.array([1.5, math.nan]),
        "tuple": (1, 2), 5: "key", "path": tmp_path, "flag": np.bool_(True), "text": 'quote " β \ud800',
    }  # fmt: skip
    Results({}, {}, 0.0, 1.0, summary).save(tmp_path / "run")

    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    text = (tmp_path / "run" / "summary.json").read_text(encoding="utf-8")
    expected = {
        "nan": None, "inf": [None], "numpy": 3, "array": [1.5, None], "tuple": [1, 2], "5": "key",
        "path": str(tmp_path), "flag": True, "text": 'quote " β \ud800',
    }  # fmt: skip
    assert json.loads(text, parse_constant=refuse)["summary"] == expected
    assert load(tmp_path / "run").summary == expected


@pytest.mark.parametrize("name", ["spikes.h5", "traces.h5", "summary.json"])
@pytest.mark.parametrize("part", [0.0, 0.01, 0.3, 0.7, 0.99])
def test_truncated_files_are_refused(saved, name, part):
    content = (saved / name).read_bytes()
    (saved / name).write_bytes(content[: int(part * len(content))])
    with pytest.raises(InputError, match=f"{name} is truncated, damaged or .*; save or run it again"):
        load(saved)
    if name != "summary.json":
        drop_checksums(saved)
        with pytest.raises(
            InputError, match=f"{name} is truncated, damaged or of another format; save or run it again"
        ):
            load(saved)


@pytest.mark.parametrize("name", ["spikes.h5", "traces.h5", "summary.json"])
def test_random_bytes_are_refused(saved, name):
    (saved / name).write_bytes(np.random.default_rng(1).bytes(5000))
    with pytest.raises(InputError, match=f"{name} is truncated, damaged"):
        load(saved)


@pytest.mark.parametrize("name", ["spikes.h5", "traces.h5", "summary.json"])
def test_missing_files_are_named(saved, name):
    (saved / name).unlink()
    with pytest.raises(InputError, match=rf"{name} is missing, so .*run holds no complete eventsnn result"):
        load(saved)


def test_one_flipped_bit_in_a_spike_time_is_noticed(results, saved):
    content = bytearray((saved / "spikes.h5").read_bytes())
    at = content.index(results.spikes["exc"].times[100:110].tobytes())
    content[at] ^= 1
    (saved / "spikes.h5").write_bytes(content)
    with pytest.raises(InputError, match="spikes.h5 is truncated, damaged or altered: its SHA-256"):
        load(saved)
    drop_checksums(saved)
    with pytest.raises(InputError, match="spikes.h5 is truncated, damaged or of another format"):
        load(saved)


def test_folders_that_are_none(tmp_path):
    with pytest.raises(InputError, match="results folder .*nowhere does not exist"):
        load(tmp_path / "nowhere")
    (tmp_path / "file").write_text("x")
    with pytest.raises(InputError, match="file is no folder"):
        load(tmp_path / "file")


def foreign_hdf5(file):
    file["data"] = np.zeros(3)


def no_magic(file):
    del file.attrs["magic"]


def spikes_are_data(file):
    del file["spikes"]
    file["spikes"] = np.zeros(3)


def population_is_data(file):
    del file["spikes/exc"]
    file["spikes/exc"] = np.zeros(3)


def no_ids(file):
    del file["spikes/exc/node_ids"]


def ids_of_another_type(file):
    del file["spikes/exc/node_ids"]
    file["spikes/exc/node_ids"] = np.zeros(500, dtype=np.int32)


def ids_too_large(file):
    file["spikes/exc/node_ids"][3] = 20


def fewer_ids(file):
    del file["spikes/exc/node_ids"]
    file["spikes/exc/node_ids"] = np.zeros(499, dtype=np.uint64)


def unsorted(file):
    file["spikes/exc/timestamps"][3] = 99.0


def another_population(file):
    file.move("spikes/exc", "spikes/inh")


@pytest.mark.parametrize(
    ("alter", "sentence"),
    [
        (no_magic, "it is no SONATA spike file"),
        (spikes_are_data, "/ has no group 'spikes'"),
        (population_is_data, "spikes.h5"),
        (no_ids, "/spikes/exc has no dataset 'node_ids'"),
        (ids_of_another_type, "/spikes/exc/node_ids is int32, it must be uint64"),
        (ids_too_large, "ids run from 0 to 20, allowed is 0 to 19"),
        (fewer_ids, "500 times but 499 ids"),
        (unsorted, "times must ascend"),
        (another_population, "'exc' is not in it but in summary.json"),
    ],
)
def test_altered_spikes_are_refused(saved, alter, sentence):
    with h5py.File(saved / "spikes.h5", "r+") as file:
        alter(file)
    with pytest.raises(InputError, match="spikes.h5 is truncated, damaged or altered"):
        load(saved)
    drop_checksums(saved)
    with pytest.raises(InputError, match=f"spikes.h5.*{sentence}" if sentence != "spikes.h5" else sentence):
        load(saved)


@pytest.mark.parametrize("name", ["spikes.h5", "traces.h5"])
def test_foreign_hdf5_is_refused(saved, name):
    with h5py.File(saved / name, "w") as file:
        foreign_hdf5(file)
    drop_checksums(saved)
    with pytest.raises(InputError, match=f"{name} does not hold what eventsnn writes"):
        load(saved)


def test_altered_traces_are_refused(saved):
    with h5py.File(saved / "traces.h5", "r+") as file:
        del file["traces/exc/values/V_m"]
    drop_checksums(saved)
    with pytest.raises(InputError, match="traces.h5 .*variables of 'exc': 'V_m' is not in it but in summary.json"):
        load(saved)


@pytest.mark.parametrize(
    ("keys", "value", "sentence"),
    [
        (["format"], "other", "its format is not 'eventsnn results'"),
        (["version"], 2, "its version is 2, this eventsnn reads 1"),
        (["t_stop"], "late", "t_start <= t_stop, not 0.0 and 'late'"),
        (["t_stop"], math.nan, "NaN is no JSON"),
        (["t_stop"], -1.0, "t_start <= t_stop"),
        (["populations"], [], "populations must be an object"),
        (["populations", "exc"], 5, "population 'exc' must have an integer n"),
        (["populations", "exc", "n"], True, "population 'exc' must have an integer n"),
        (["populations", "silent"], {"n": 2**31, "t_start": 0.0, "t_stop": 1.0}, "n = 2147483648, more than"),
        (["populations", "exc", "n"], 19, "ids run from 0 to 19, allowed is 0 to 18"),
        (["populations", "exc", "t_stop"], 50.0, "times must ascend within 0.0 to 50.0"),
        (["populations", "inh"], {"n": 1, "t_start": 0.0, "t_stop": 1.0}, "'inh' is not in it but in summary.json"),
        (["traces", "exc"], ["V_m"], "'I_syn_ex' is in it but not in summary.json"),
        (["traces", "exc"], "V_m", "traces 'exc' must be a list of variables"),
        (["summary"], None, "summary must be an object"),
    ],
)
def test_an_edited_summary_is_refused(saved, keys, value, sentence):
    content = json.loads((saved / "summary.json").read_text())
    entry = content
    for key in keys[:-1]:
        entry = entry[key]
    entry[keys[-1]] = value
    (saved / "summary.json").write_text(json.dumps(content))
    with pytest.raises(InputError, match="summary.json"):
        load(saved)
    del content["sha256"]
    (saved / "summary.json").write_text(json.dumps(content))
    with pytest.raises(InputError, match=sentence):
        load(saved)


@pytest.mark.parametrize("text", ["[]", "3", "{}", '"eventsnn results"', "[" * 100_000])
def test_json_of_another_kind_is_refused(saved, text):
    (saved / "summary.json").write_text(text)
    with pytest.raises(InputError, match="summary.json"):
        load(saved)


def listing(folder) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_a_former_result_is_replaced_only_when_forced(saved):
    before = listing(saved)
    new = Results({}, {}, 0.0, 5.0, {})
    with pytest.raises(InputError, match="the folder is not empty; name another one, or pass force=True"):
        new.save(saved)
    assert listing(saved) == before
    (saved / "notes.txt").write_text("mine")
    new.save(saved, force=True)
    assert load(saved).t_stop == 5.0
    assert sorted(os.listdir(saved)) == ["notes.txt", "spikes.h5", "summary.json"]
    assert os.listdir(saved.parent) == ["run"]


@pytest.mark.parametrize("summary", [None, "{}", "no JSON", '{"format": "other"}'])
def test_force_never_touches_a_folder_without_a_result(results, tmp_path, summary):
    home = tmp_path / "home"
    home.mkdir()
    (home / "spikes.h5").write_text("precious")
    if summary is not None:
        (home / "summary.json").write_text(summary)
    before = listing(tmp_path)
    with pytest.raises(InputError, match="home: the folder is not empty and holds no former result to replace"):
        results.save(home, force=True)
    assert listing(tmp_path) == before


def test_an_empty_folder_and_the_working_directory_are_filled(results, tmp_path, monkeypatch):
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    results.save(".")
    assert bits(load(".")) == bits(results)
    assert os.path.exists("summary.json")


def test_a_file_is_no_folder(results, tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(InputError, match="file: it is a file, name a folder"):
        results.save(tmp_path / "file", force=True)
    with pytest.raises(InputError, match="results cannot be saved in .*file/run"):
        results.save(tmp_path / "file" / "run")


@pytest.mark.parametrize("step", ["_write_spikes", "_write_traces", "_write_summary"])
def test_an_interrupted_save_leaves_what_was_there(results, saved, monkeypatch, step):
    before = listing(saved.parent)

    def interrupt(*args: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(storage, step, interrupt)
    for target in (saved, saved.parent / "new"):
        with pytest.raises(KeyboardInterrupt):
            results.save(target, force=True)
    assert listing(saved.parent) == before
    assert os.listdir(saved.parent) == ["run"]


def stop_at(monkeypatch, step, error):
    """The given one of the system calls by which files are moved fails, counted from 0."""
    count = iter(range(100))

    def failing(call):
        def fail_or_call(*arguments, **options):
            if next(count) == step:
                raise error
            return call(*arguments, **options)

        return fail_or_call

    for name in ("rename", "replace", "unlink"):
        monkeypatch.setattr(storage.Path, name, failing(getattr(storage.Path, name)))


@pytest.mark.parametrize(
    ("error", "raised", "sentence"),
    [
        (PermissionError(13, "denied"), InputError, r"cannot be moved into \S*run \(denied\); the"),
        (KeyboardInterrupt(), SaveInterrupted, r"interrupted before all files were in \S*run; the"),
    ],
)
@pytest.mark.parametrize("former", [True, False])
@pytest.mark.parametrize("new_traces", [True, False])
@pytest.mark.parametrize("step", range(4))
def test_a_save_that_fails_while_moving_loses_nothing(
    results, tmp_path, monkeypatch, step, former, new_traces, error, raised, sentence
):
    """At every point `load` finds the former result, or refuses; what the sentence says completes the new one."""
    target = tmp_path / "run"
    if former:
        results.save(target)
    before = bits(results)
    new = Results(results.spikes, results.traces if new_traces else {}, 0.0, 200.0, {"new": True})
    with monkeypatch.context() as patch:
        stop_at(patch, step if former else 0, error)
        with pytest.raises(raised, match=f"{sentence} results are kept: move what is in .* into .*run$") as caught:
            new.save(target, force=True)
    (staging,) = (path for path in tmp_path.iterdir() if path != target)
    assert str(staging) in str(caught.value)
    if former and step == 0:
        assert bits(load(target)) == before
    else:
        with pytest.raises(InputError, match="summary.json is missing|does not exist"):
            load(target)
    target.mkdir(exist_ok=True)
    for path in staging.iterdir():
        path.replace(target / path.name)
    assert bits(load(target)) == bits(new)


def test_an_interrupt_after_the_last_file_was_moved_says_that_all_are_there(results, tmp_path, monkeypatch):
    move = storage._move_into_place

    def move_and_interrupt(*arguments):
        move(*arguments)
        raise KeyboardInterrupt

    monkeypatch.setattr(storage, "_move_into_place", move_and_interrupt)
    with pytest.raises(SaveInterrupted, match=r"interrupted when the results were in \S*run$"):
        results.save(tmp_path / "run")
    assert bits(load(tmp_path / "run")) == bits(results)
