"""Results that are streamed, checkpoints, and going on from them: equal bits, full disks, damaged and foreign files."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest
from long_networks import network_of
from state_networks import equal

import eventsnn as esn
from eventsnn.base.errors import InputError, InputWarning, StateError
from eventsnn.results.sealed import BLOCK, first_block
from eventsnn.run import checkpoint, streaming

CASE = "rows float32"
STOP = 60.0


@pytest.fixture(scope="module")
def whole() -> esn.Results:
    """The results of a run that is neither streamed nor stopped."""
    return network_of(CASE).run(STOP)


def same(first: esn.Results, second: esn.Results) -> bool:
    """All recorded arrays, compared one by one."""
    if first.spikes.keys() != second.spikes.keys() or first.traces.keys() != second.traces.keys():
        return False
    pairs = [(first.spikes[name], second.spikes[name]) for name in first.spikes]
    spikes = all(equal(a.times, b.times) and equal(a.ids, b.ids) and a.n == b.n for a, b in pairs)
    return spikes and all(
        equal(first.traces[name].times, second.traces[name].times)
        and all(equal(a, second.traces[name].variables[v]) for v, a in first.traces[name].variables.items())
        for name in first.traces
    )


# ---- streamed results


@pytest.mark.parametrize("engine", ["compiled", "reference"])
@pytest.mark.parametrize("case", ["rows sampled", "rows few", "rule STDP", "source Gamma"])
def test_what_is_streamed_is_what_would_have_been_kept(case, engine, tmp_path, monkeypatch):
    monkeypatch.setattr("eventsnn.run.simulation.MOST_SPIKES", 5)
    monkeypatch.setattr(streaming, "MOST_SAMPLES", 400)
    kept = network_of(case).run(STOP, engine=engine)
    streamed = network_of(case).run(STOP, engine=engine, stream=tmp_path / "s")
    assert same(streamed, kept) and streamed.fingerprint() == kept.fingerprint()
    assert same(esn.load(tmp_path / "s"), kept)
    if case == "rows sampled":
        assert len(list((tmp_path / "s/pieces").iterdir())) > 50
    streamed.save(tmp_path / "saved")
    assert same(esn.load(tmp_path / "saved"), kept)
    assert esn.load(tmp_path / "saved").fingerprint() == kept.fingerprint()


def test_streamed_results_can_be_read_while_the_run_goes_on(tmp_path, whole):
    folder, seen = tmp_path / "s", []

    def look(status: esn.RunStatus) -> None:
        """What another process would see now, and how far the run is."""
        found = esn.load(folder)
        seen.append(found.t_stop)
        cells, all_cells = found.spikes["cells"], whole.spikes["cells"]
        early = all_cells.times < found.t_stop
        assert equal(cells.times, all_cells.times[early]) and found.t_stop <= status.time

    network_of(CASE).run(STOP, checkpoint=folder, every=5.0, progress=look)
    assert seen == sorted(seen) and len(set(seen)) >= 10


def test_streamed_results_are_read_by_another_process(tmp_path, whole):
    network_of(CASE).run(STOP, stream=tmp_path / "s")
    program = "import sys, eventsnn as esn; print(len(esn.load(sys.argv[1]).spikes['cells']))"
    done = subprocess.run([sys.executable, "-c", program, str(tmp_path / "s")], capture_output=True, text=True)
    assert int(done.stdout) == len(whole.spikes["cells"])


def test_several_runs_stream_into_one_folder(tmp_path, whole):
    net = network_of(CASE)
    net.run(10.0)
    net.run(15.0, stream=tmp_path / "s")
    net.run(5.0)  # in memory, until the next one
    results = net.run(until=STOP, stream=tmp_path / "s")
    assert same(results, whole) and results.fingerprint() == whole.fingerprint()
    with pytest.raises(InputError, match="what was recorded before is in .*s; name that folder"):
        net.run(1.0, stream=tmp_path / "other")


def test_what_this_process_has_written_is_not_read_again_by_every_run(tmp_path, monkeypatch, whole):
    """Else many short runs would take a time that grows with the square of their number."""
    read = []
    monkeypatch.setattr("eventsnn.results.pieces.require_seal", lambda path, kind: read.append(path))
    net = network_of(CASE)
    for k in range(1, 61):
        results = net.run(until=float(k), checkpoint=tmp_path / "s")
    assert read == [] and same(results, whole) and results.fingerprint() == whole.fingerprint()


def test_keep_new_forgets_what_was_streamed(tmp_path):
    one, other = network_of(CASE), network_of(CASE)
    one.run(20.0, checkpoint=tmp_path / "s")
    other.run(20.0)
    results, expected = one.run(20.0, checkpoint=tmp_path / "s", keep="new"), other.run(20.0, keep="new")
    assert results.t_start == 20.0 and same(results, expected)
    again = network_of(CASE)
    assert same(again.resume(tmp_path / "s"), expected)


# ---- checkpoints


@pytest.mark.parametrize("threads", [(1, 2), (3, 1)])
@pytest.mark.parametrize("case", ["rows procedural", "model HHTraub", "rule RewardSTDP", "drive Renewal"])
def test_a_resumed_run_has_the_bits_of_one_that_was_never_stopped(case, threads, tmp_path):
    """By any number of threads before and after, in one process or another."""
    expected = network_of(case).run(STOP)
    network_of(case).run(23.0, checkpoint=tmp_path / "c", every=7.0, threads=threads[0])
    net = network_of(case)
    net.resume(tmp_path / "c")
    assert net.time == 23.0
    results = net.run(until=STOP, checkpoint=tmp_path / "c", threads=threads[1])
    assert same(results, expected) and results.fingerprint() == expected.fingerprint()


def test_checkpoints_are_at_whole_multiples_of_every_and_two_are_kept(tmp_path):
    net = network_of(CASE)
    net.run(3.0)
    times = []
    save = checkpoint.Store.save

    def note(store, notes, *rest):
        times.append(notes["time"])
        save(store, notes, *rest)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(checkpoint.Store, "save", note)
        net.run(20.0, checkpoint=tmp_path / "c", every=5.0)
    assert times == [3.0, 5.0, 10.0, 15.0, 20.0, 23.0]
    assert len(list((tmp_path / "c/checkpoints").iterdir())) == 2


def test_a_run_goes_on_from_where_it_was_interrupted(tmp_path, whole):
    net = network_of(CASE)

    def interrupt(status: esn.RunStatus) -> None:
        if status.time > 17.0:
            os.kill(os.getpid(), 2)

    with pytest.raises(KeyboardInterrupt):
        net.run(STOP, checkpoint=tmp_path / "c", every=1.0, progress=interrupt)
    stood, net = net.time, network_of(CASE)
    net.resume(tmp_path / "c")
    assert net.time == stood
    assert net.run(until=STOP).fingerprint() == whole.fingerprint()


def test_what_is_set_between_runs_is_in_a_checkpoint(tmp_path):
    def first(net: esn.Network, **options: object) -> None:
        net.run(10.0, **options)
        next(iter(net.projections.values())).set(weight=0.3)
        net.populations["cells"].set(V_m=-60.0)
        net.run(10.0, **options)

    one, other, third = (network_of(CASE) for _ in range(3))
    first(one)
    first(other, checkpoint=tmp_path / "c")
    third.resume(tmp_path / "c")
    assert third.run(until=STOP).fingerprint() == one.run(until=STOP).fingerprint()


def test_a_recording_that_began_later_goes_on(tmp_path):
    def recorded(begin: float | None) -> esn.Network:
        net = network_of("rows few")
        if begin:
            net.run(begin, checkpoint=tmp_path / "c")
        net.record(net.populations["cells"], "V_m", every=1.0, name="late")
        return net

    one, other = recorded(10.0), recorded(None)
    one.run(10.0, checkpoint=tmp_path / "c")
    other.resume(tmp_path / "c")
    results = other.run(5.0)
    assert results.traces["late"].times.tolist() == list(np.arange(10.0, 25.0))
    assert results.fingerprint() == one.run(5.0).fingerprint()


def test_spikes_at_the_very_time_of_a_checkpoint_are_neither_lost_nor_doubled(tmp_path):
    def network() -> esn.Network:
        net = esn.Network()
        net.population(3, esn.SpikeSource([[5.0, 10.0], [10.0], [10.0, 15.0]]), name="s")
        return net

    network().run(10.0, checkpoint=tmp_path / "c")
    net = network()
    assert net.resume(tmp_path / "c").spikes["s"].times.tolist() == [5.0]
    assert net.run(until=20.0).spikes["s"].times.tolist() == [5.0, 10.0, 10.0, 10.0, 15.0]


# ---- what cannot be gone on with


@pytest.fixture
def folder(tmp_path) -> Path:
    """A folder of a run with checkpoints at 10 and 20 ms, the last of which stands at 20 ms."""
    network_of(CASE).run(20.0, checkpoint=tmp_path / "c", every=10.0)
    return tmp_path / "c"


def goes_on_from(folder: Path, time: float, whole: esn.Results) -> None:
    """The last checkpoint is warned of, the one before it is taken, and the bits are right in the end."""
    net = network_of(CASE)
    with pytest.warns(InputWarning, match=rf"goes on from the checkpoint before, at {time:g} ms"):
        net.resume(folder)
    assert net.time == time
    assert net.run(until=STOP, checkpoint=folder).fingerprint() == whole.fingerprint()
    assert network_of(CASE).resume(folder).fingerprint() == whole.fingerprint()


@pytest.mark.parametrize("kind", ["checkpoint", "piece"])
@pytest.mark.parametrize("harm", ["one bit", "cut", "empty", "gone", "other", "head"])
def test_after_harm_the_last_good_checkpoint_is_used(kind, harm, folder, whole):
    last = sorted((folder / ("checkpoints" if kind == "checkpoint" else "pieces")).iterdir())[-1]
    content = bytearray(last.read_bytes())
    if harm == "one bit":
        content[len(content) // 2] ^= 4
    elif harm == "head":
        content[3] ^= 1
    elif harm == "other":
        content = bytearray(b"x" * 5000)
    last.write_bytes(content[: {"cut": len(content) - 9, "empty": 0}.get(harm, len(content))])
    if harm == "gone":
        last.unlink()
    if harm == "gone" and kind == "checkpoint":
        net = network_of(CASE)
        net.resume(folder)
        assert net.time == 10.0 and net.run(until=STOP).fingerprint() == whole.fingerprint()
        return
    goes_on_from(folder, 10.0, whole)


def test_every_cut_and_many_flipped_bits_of_a_checkpoint_are_found(folder):
    """None is read as if it were sound: 200 random changes."""
    rng = np.random.default_rng(5)
    path = sorted((folder / "checkpoints").iterdir())[-1]
    content = path.read_bytes()
    for k in range(200):
        changed = bytearray(content)
        if k % 2:
            changed[int(rng.integers(len(content)))] ^= 1 << int(rng.integers(8))
        else:
            changed = changed[: int(rng.integers(len(content)))]
        path.write_bytes(changed)
        with pytest.warns(InputWarning, match="goes on from the checkpoint before"):
            assert network_of(CASE).resume(folder).t_stop == 10.0
        path.write_bytes(content)


def test_no_sound_checkpoint_is_a_sentence(folder):
    for path in (folder / "checkpoints").iterdir():
        path.write_bytes(b"")
    with pytest.raises(InputError, match=r"holds no checkpoint that can be used: .*000003\.h5.*000002\.h5"):
        network_of(CASE).resume(folder)


def forge(folder: Path, change) -> None:
    """Change what is in the last checkpoint and seal it again, as somebody might on purpose."""
    path = sorted((folder / "checkpoints").iterdir())[-1]
    with h5py.File(path, "r+") as file:
        change(file)
    body = path.read_bytes()[BLOCK:]
    path.write_bytes(first_block("eventsnn checkpoint", hashlib.sha256(body).hexdigest()) + body)


def noted(**changes: object):
    def change(file: h5py.File) -> None:
        file.attrs["notes"] = json.dumps(json.loads(file.attrs["notes"]) | changes)

    return change


def test_a_checkpoint_of_another_version_is_refused(folder):
    forge(folder, noted(eventsnn="0.0.1"))
    with pytest.raises(InputError, match=r"was written by eventsnn 0\.0\.1, this is .*install that version, or run"):
        network_of(CASE).resume(folder)


def test_a_checkpoint_of_another_format_is_not_used(folder):
    forge(folder, noted(format=2))
    with pytest.warns(InputWarning, match="not those of a checkpoint that this eventsnn reads"):
        network_of(CASE).resume(folder)


@pytest.mark.parametrize("case", ["rows procedural", "rows sampled", "rows few", "model LIFExp"])
def test_a_checkpoint_of_another_network_is_refused(case, folder):
    net = network_of(case)
    with pytest.raises(InputError, match="one of another network; describe|recorded otherwise"):
        net.resume(folder)
    assert not net.started
    net.run(5.0)  # as if nothing had been


def test_a_forged_state_never_reaches_a_kernel(folder):
    """Of 300 random changes of arrays and notes, sealed again, each is refused in a sentence or is a sound state."""
    rng, path = np.random.default_rng(8), sorted((folder / "checkpoints").iterdir())[-1]
    content, refused = path.read_bytes(), 0
    with h5py.File(path) as file:
        names = [name for name in file["state"] if file["state"][name].size]

    def change(file: h5py.File) -> None:
        data = file["state"][names[int(rng.integers(len(names)))]]
        array = data[()]
        flat = np.atleast_1d(array).reshape(-1)
        odd = [-1, 2**31 - 1, 10**6, 0] if array.dtype.kind in "iu" else [np.nan, np.inf, -1e300, 1e9]
        with np.errstate(all="ignore"):
            flat[int(rng.integers(flat.size))] = np.array(odd[int(rng.integers(4))]).astype(array.dtype)
        data[()] = flat.reshape(array.shape)

    for _ in range(300):
        forge(folder, change)
        net = network_of(CASE)
        try:
            net.resume(folder)
            net.run(5.0)
        except (InputError, esn.RunawayError):
            refused += 1
        path.write_bytes(content)
    assert refused > 60


def test_a_folder_that_holds_a_run_is_not_written_into(folder):
    with pytest.raises(InputError, match=r"holds the results of a run already; go on with it by net\.resume"):
        network_of(CASE).run(1.0, checkpoint=folder)
    with pytest.raises(InputError, match="has not come to its end; go on with it"):
        network_of(CASE).run(1.0).save(folder)


def test_what_is_asked_for_amiss_is_a_sentence(tmp_path):
    for options, sentence in [
        ({"stream": 3}, "stream: 3 is no path"),
        ({"stream": tmp_path / "a", "checkpoint": tmp_path / "b"}, "give checkpoint alone"),
        ({"every": 3.0}, "every = 3.0 is the time between checkpoints; give checkpoint="),
        ({"checkpoint": tmp_path / "a", "every": 0.0}, "every = 0 ms must be above 0"),
        ({"checkpoint": tmp_path / "a", "every": "often"}, "must be a number of ms above 0"),
        ({"checkpoint": tmp_path / "a", "engine": "reference"}, "the reference engine has no checkpoints"),
        ({"checkpoint": "/proc/here"}, "cannot be made"),
    ]:
        net = network_of(CASE)
        with pytest.raises(InputError, match=sentence):
            net.run(1.0, **options)
        net.run(1.0)
    with pytest.raises(InputError, match="holds no checkpoint to go on from; checkpoints are written by"):
        network_of(CASE).resume(tmp_path / "nowhere")
    with pytest.raises(StateError, match="call net.reset"):
        net.resume(tmp_path)


# ---- disks


def test_a_folder_that_cannot_be_made_is_refused_before_anything_is_simulated(tmp_path):
    (tmp_path / "c").mkdir()
    (tmp_path / "c/pieces").write_text("in the way")
    net = network_of(CASE)
    with pytest.raises(InputError, match="c cannot be made"):
        net.run(STOP, checkpoint=tmp_path / "c")
    assert net.time == 0.0


@pytest.fixture
def small_disk(tmp_path):
    """A disk of 300 kB; skipped where none can be mounted."""
    disk = tmp_path / "disk"
    disk.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=300k", "none", str(disk)], capture_output=True)
    if made.returncode:
        pytest.skip("no file system can be mounted here")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def test_a_full_disk_leaves_the_last_checkpoint_which_is_used(small_disk, tmp_path, whole):
    net = network_of("rows sampled")
    with pytest.raises(InputError, match=r"pieces/0000\d\d\.h5 cannot be written: No space left on device|checkpoints"):
        net.run(STOP, checkpoint=small_disk / "c", every=1.0)
    reached = net.time
    assert reached > 0.0 and net.results().t_stop == reached  # in memory nothing is lost
    again = network_of("rows sampled")
    begun = again.resume(small_disk / "c")
    assert 0.0 < begun.t_stop <= reached
    # With room, it ends with the right bits: in another place, and in the process that met the full disk.
    shutil.copytree(small_disk / "c", tmp_path / "roomy")
    later = network_of("rows sampled")
    later.resume(tmp_path / "roomy")
    expected = network_of("rows sampled").run(STOP).fingerprint()
    assert later.run(until=STOP, checkpoint=tmp_path / "roomy").fingerprint() == expected
    subprocess.run(["mount", "-o", "remount,size=30M", str(small_disk)], check=True)
    assert net.run(until=STOP, checkpoint=small_disk / "c").fingerprint() == expected


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount")
def test_a_disk_that_becomes_read_only_is_a_sentence(small_disk):
    net = network_of(CASE)
    net.run(5.0, checkpoint=small_disk / "c")
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    with pytest.raises(InputError, match="Read-only file system"):
        net.run(5.0, checkpoint=small_disk / "c")
    again = network_of(CASE)
    assert again.resume(small_disk / "c").t_stop == 5.0
