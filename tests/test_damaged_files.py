"""Files of results and trains, damaged or made to do harm: what is read is what was written, or is refused."""

import json
import time
import tracemalloc
from pathlib import Path

import h5py
import numpy as np
import pytest
from support.checksums import drop_checksums, without_user_block

from eventsnn import encode
from eventsnn.base.errors import InputError
from eventsnn.encode import Trains
from eventsnn.results.results import Results, load
from eventsnn.results.spike_trains import SpikeTrains
from eventsnn.results.traces import Traces

GIGABYTES = 10**9  # elements of 8 bytes


def make_results() -> Results:
    rng = np.random.default_rng(3)
    exc = SpikeTrains(np.sort(rng.uniform(0.0, 100.0, 300)), rng.integers(0, 20, 300), 20, 0.0, 100.0, "exc")
    part = SpikeTrains([1.0], [4], 2, 0.0, 100.0, "inh", [4, 2])
    traces = Traces([0.0, 0.1], [4, 2], {"V_m": rng.normal(size=(2, 2))})
    return Results({"exc": exc, "inh": part}, {"exc": traces}, 0.0, 100.0, {"seed": 1, "checks": [{"passed": True}]})


def make_trains() -> Trains:
    rng = np.random.default_rng(4)
    return Trains.of(rng.integers(0, 3, 200), rng.uniform(0.0, 9.0, 200), rng.integers(0, 4, 200), 3, (2, 2), 10.0)


def bits(results: Results) -> list[object]:
    spikes = {
        name: (t.times.tobytes(), t.ids.tobytes(), t.n, t.t_start, t.t_stop, t.name, t.neurons.tobytes())
        for name, t in results.spikes.items()
    }
    traces = {
        name: (t.times.tobytes(), t.ids.tobytes(), {v: (a.shape, a.tobytes()) for v, a in t.variables.items()})
        for name, t in results.traces.items()
    }
    return [spikes, traces, results.t_start, results.t_stop, results.summary]


def train_bits(trains: Trains) -> list[object]:
    arrays = (trains.times, trains.ids, trains.offsets)
    return [*(array.tobytes() for array in arrays), trains.shape, trains.duration]


@pytest.fixture
def saved(tmp_path):
    make_results().save(tmp_path / "run")
    return tmp_path / "run"


@pytest.fixture
def trains(tmp_path):
    make_trains().save(tmp_path / "trains.h5")
    return tmp_path / "trains.h5"


# ---- bytes that changed


def damage(content: bytes, rng: np.random.Generator) -> bytes:
    """A few bits turned, bytes replaced, a stretch blanked, cut out, doubled, or the end cut off."""
    changed, kind = bytearray(content), int(rng.integers(0, 6))
    at = int(rng.integers(0, len(content)))
    end = min(len(content), at + int(rng.integers(1, 64)))
    if kind == 0:
        for k in rng.integers(0, len(content), int(rng.integers(1, 4))):
            changed[k] ^= 1 << int(rng.integers(0, 8))
    elif kind == 1:
        for k in rng.integers(0, len(content), int(rng.integers(1, 9))):
            changed[k] = int(rng.integers(0, 256))
    elif kind == 2:
        changed[at:end] = bytes(end - at)
    elif kind == 3:
        del changed[at:end]
    elif kind == 4:
        changed[at:at] = changed[at:end]
    else:
        del changed[at:]
    return bytes(changed)


def damage_results(folder: Path, seed: int, rounds: int) -> int:
    """How many of the damaged results were refused; the others were loaded with the same bits."""
    rng, whole, refused = np.random.default_rng(seed), bits(load(folder)), 0
    names = ["spikes.h5", "traces.h5", "summary.json"]
    contents = {name: (folder / name).read_bytes() for name in names}
    for _ in range(rounds):
        name = names[int(rng.integers(0, 3))]
        (folder / name).write_bytes(damage(contents[name], rng))
        try:
            assert bits(load(folder)) == whole
        except InputError as error:
            # A damaged checksum does not say which of the two was.
            assert name in str(error) or (name == "summary.json" and "not the one in summary.json" in str(error))
            refused += 1
        (folder / name).write_bytes(contents[name])
    return refused


def damage_trains(path: Path, seed: int, rounds: int) -> int:
    rng, whole, refused = np.random.default_rng(seed), train_bits(encode.load(path)), 0
    content = path.read_bytes()
    for _ in range(rounds):
        path.write_bytes(damage(content, rng))
        try:
            assert train_bits(encode.load(path)) == whole
        except InputError as error:
            assert path.name in str(error)
            refused += 1
    return refused


def test_damaged_results_are_refused_or_the_same(saved):
    # What is loaded has lost or gained a blank in summary.json, or zeros were replaced by zeros.
    assert 450 <= damage_results(saved, 1, 600) < 600


def test_damaged_trains_are_refused_or_the_same(trains):
    assert 250 <= damage_trains(trains, 2, 400) < 400


@pytest.mark.long
@pytest.mark.parametrize("seed", range(10, 14))
def test_thousands_of_damaged_files(saved, trains, seed):
    assert damage_results(saved, seed, 4_000) > 3_000
    assert damage_trains(trains, seed, 2_000) > 1_500


def test_every_digit_of_a_summary_counts(saved):
    text = (saved / "summary.json").read_text()
    for at in [k for k, letter in enumerate(text) if letter.isdigit()]:
        changed = str((int(text[at]) + 1) % 10)
        (saved / "summary.json").write_text(text[:at] + changed + text[at + 1 :])
        with pytest.raises(InputError, match="summary.json|spikes.h5|traces.h5"):
            load(saved)


def test_checksums_are_those_of_other_programs(saved):
    from hashlib import sha256

    content = json.loads((saved / "summary.json").read_text())
    sums = content.pop("sha256")
    for name in ("spikes.h5", "traces.h5"):
        assert sums.pop(name) == sha256((saved / name).read_bytes()).hexdigest()
    assert sums == {"summary.json": sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()}


def test_files_of_another_run_are_refused(saved, tmp_path):
    other = make_results()
    other.summary["seed"] = 2
    Results(other.spikes, {}, 0.0, 100.0, {}).save(tmp_path / "other")
    again = SpikeTrains(other.spikes["exc"].times, other.spikes["exc"].ids[::-1].copy(), 20, 0.0, 100.0, "exc")
    Results({**other.spikes, "exc": again}, other.traces, 0.0, 100.0, {}).save(tmp_path / "again")
    (saved / "spikes.h5").write_bytes((tmp_path / "again" / "spikes.h5").read_bytes())
    with pytest.raises(InputError, match="spikes.h5 is truncated, damaged or altered: .* not the one in summary.json"):
        load(saved)


def test_results_without_checksums_are_read(saved, trains):
    drop_checksums(saved)
    assert bits(load(saved)) == bits(make_results())
    without_user_block(trains)
    assert train_bits(encode.load(trains)) == train_bits(make_trains())


@pytest.mark.parametrize(
    ("sums", "sentence"),
    [
        ({}, "sha256 must have a checksum for each of spikes.h5, summary.json, traces.h5"),
        (None, "sha256 must have a checksum"),
        ("spikes.h5", "sha256 must have a checksum"),
        ({"spikes.h5": 1, "traces.h5": 2, "summary.json": 3}, "sha256 must have a checksum"),
        ({"spikes.h5": "", "traces.h5": "", "summary.json": ""}, "summary.json is truncated, damaged or altered"),
    ],
)
def test_checksums_of_another_kind_are_refused(saved, sums, sentence):
    content = json.loads((saved / "summary.json").read_text())
    (saved / "summary.json").write_text(json.dumps({**content, "sha256": sums}))
    with pytest.raises(InputError, match=sentence):
        load(saved)


def test_a_damaged_name_is_no_entry_that_was_left_out(saved):
    text = (saved / "summary.json").read_text()
    (saved / "summary.json").write_text(text.replace('"sha256"', '"sha25b"'))
    with pytest.raises(InputError, match="it has an entry 'sha25b'; did you mean 'sha256'"):
        load(saved)


# ---- files that ask for more than they hold, or for other files


def too_large(group, name, dtype, folder):
    group.create_dataset(name, (GIGABYTES,), dtype, chunks=(1000,), fletcher32=True)


def too_large_and_not_chunked(group, name, dtype, folder):
    group.create_dataset(name, (GIGABYTES,), dtype)


def not_all_of_it(group, name, dtype, folder):
    """A hundredth of the elements is there, and the file is padded."""
    dataset = group.create_dataset(name, (100_000,), dtype, chunks=(1000,), fletcher32=True)
    dataset[:1000] = 0
    group.create_dataset("padding", data=np.ones(150_000))


def compressed(group, name, dtype, folder):
    group.create_dataset(name, (GIGABYTES,), dtype, chunks=(10**6,), compression="gzip")


def compressed_and_small(group, name, dtype, folder):
    group.create_dataset(name, data=np.zeros(100, dtype), compression="gzip")


def shuffled(group, name, dtype, folder):
    group.create_dataset(name, data=np.zeros(100, dtype), shuffle=True, fletcher32=True)


def external(group, name, dtype, folder):
    (folder / "other").write_bytes(bytes(800))
    group.create_dataset(name, (100,), dtype, external=[(str(folder / "other"), 0, 800)])


def virtual(group, name, dtype, folder):
    with h5py.File(folder / "source.h5", "w") as file:
        file["data"] = np.zeros(100, dtype)
    layout = h5py.VirtualLayout((100,), dtype)
    layout[:] = h5py.VirtualSource(str(folder / "source.h5"), "data", (100,))
    group.create_virtual_dataset(name, layout)


def soft(group, name, dtype, folder):
    group["first"] = np.zeros(100, dtype)
    group[name] = h5py.SoftLink(f"{group.name}/first")


def soft_to_nothing(group, name, dtype, folder):
    group[name] = h5py.SoftLink("/nowhere")


def external_link(group, name, dtype, folder):
    with h5py.File(folder / "source.h5", "w") as file:
        file["data"] = np.zeros(100, dtype)
    group[name] = h5py.ExternalLink(str(folder / "source.h5"), "data")


def null(group, name, dtype, folder):
    group[name] = h5py.Empty(dtype)


HARMFUL = [
    (too_large, "is to have 8,000,000,000 bytes, of which the file holds 0"),
    (too_large_and_not_chunked, "is to have 8,000,000,000 bytes, of which the file holds 0"),
    (not_all_of_it, "is to have 800,000 bytes, of which the file holds 8,004"),
    (compressed, "has the filter 'deflate', only fletcher32 is written"),
    (compressed_and_small, "has the filter 'deflate', only fletcher32 is written"),
    (shuffled, "has the filter 'shuffle', only fletcher32 is written"),
    (external, "lie in an external file"),
    (virtual, "is a virtual dataset, whose data lie in other files"),
    (soft, "is a soft link, only hard links are written"),
    (soft_to_nothing, "is a soft link, only hard links are written"),
    (external_link, "is an external link, only hard links are written"),
    (null, "has no elements"),
]

DATASETS = {
    "spikes/exc/timestamps": np.float64, "spikes/exc/node_ids": np.uint64, "spikes/inh/selected": np.int64,
    "traces/exc/times": np.float64, "traces/exc/ids": np.int64, "traces/exc/values/V_m": np.float64,
}  # fmt: skip


def refused_at_once(read, sentence):
    tracemalloc.start()
    began = time.perf_counter()
    try:
        with pytest.raises(InputError, match=sentence):
            read()
        assert tracemalloc.get_traced_memory()[1] < 20e6 and time.perf_counter() - began < 2.0
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("dataset", DATASETS)
@pytest.mark.parametrize(("make", "sentence"), HARMFUL)
def test_harmful_datasets_are_refused(saved, tmp_path, dataset, make, sentence):
    drop_checksums(saved)
    folder, _, name = dataset.rpartition("/")
    path = saved / f"{dataset.partition('/')[0]}.h5"
    with h5py.File(path, "r+") as file:
        del file[dataset]
        make(file[folder], name, DATASETS[dataset], tmp_path)
        # what else the group has is none of the reader's business, but variables are listed in summary.json
        if folder.endswith("values"):
            for extra in {"padding", "first"} & set(file[folder]):
                file.move(f"{folder}/{extra}", f"/{extra}")
            if make is soft:
                file.move("/first", f"{folder.rpartition('/')[0]}/first")
    refused_at_once(lambda: load(saved), f"{path.name} does not hold what eventsnn writes: .*{sentence}")


@pytest.mark.parametrize("dataset", ["timestamps", "node_ids", "offsets"])
@pytest.mark.parametrize(("make", "sentence"), HARMFUL)
def test_harmful_trains_are_refused(trains, tmp_path, dataset, make, sentence):
    without_user_block(trains)
    with h5py.File(trains, "r+") as file:
        group = file["spikes/trains"]
        dtype = group[dataset].dtype
        del group[dataset]
        make(group, dataset, dtype, tmp_path)
    refused_at_once(lambda: encode.load(trains), f"trains.h5 does not hold what eventsnn writes: .*{sentence}")


@pytest.mark.parametrize("group", ["spikes", "spikes/exc", "traces", "traces/exc", "traces/exc/values"])
@pytest.mark.parametrize("kind", ["soft", "external"])
def test_groups_elsewhere_are_refused(saved, group, kind):
    drop_checksums(saved)
    name = f"{group.partition('/')[0]}.h5"
    (saved / "copy.h5").write_bytes((saved / name).read_bytes())
    with h5py.File(saved / name, "r+") as file:
        parent = file[group].parent
        if kind == "soft":
            file.move(group, "/moved")
        else:
            del file[group]
        parent[group.rpartition("/")[2]] = (
            h5py.SoftLink("/moved") if kind == "soft" else h5py.ExternalLink(str(saved / "copy.h5"), group)
        )
    with pytest.raises(InputError, match=f"{name} does not hold what eventsnn writes: .* is an? {kind} link"):
        load(saved)
