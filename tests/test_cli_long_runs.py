"""`eventsnn run --stream`, `--checkpoint-every`, `resume` and `verify`, as they are typed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from command_line import command

import eventsnn as esn

SCENARIO = '''
"""A noisy network."""
import eventsnn as esn

DURATION = 400.0


def build(n: int = 200, seed: int = 1, rate: float = 9000.0):
    net = esn.Network(seed=seed)
    cells = net.population(n, esn.LIFDelta(), name="cells", V_m=esn.Uniform(-70.0, -56.0))
    net.connect(cells, cells, esn.FixedOutDegree(20), weight=0.05, delay=esn.Uniform(0.5, 3.0))
    net.stimulate(cells, esn.Poisson(rate), weight=0.2)
    net.record(cells, "V_m", every=1.0, ids=[0, 3])
    return net
'''


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("noisy.py").write_text(SCENARIO)
    return tmp_path


def fingerprint(folder: str) -> str:
    found = json.loads(Path(folder, "summary.json").read_text())["summary"]["fingerprint"]
    assert esn.load(folder).fingerprint() == found
    return str(found)


def test_streamed_and_checkpointed_runs_end_as_others_do():
    assert command("run", "noisy.py", "--out", "plain").returncode == 0
    for name, options in (("s", ["--stream"]), ("c", ["--checkpoint-every", "50", "--threads", "2", "--plot"])):
        done = command("run", "noisy.py", "--out", name, *options)
        assert done.returncode == 0, done.stderr
        assert {path.name for path in Path(name).iterdir()} - {"raster.png"} == {
            "spikes.h5", "traces.h5", "summary.json",
        }  # fmt: skip
        assert fingerprint(name) == fingerprint("plain")


def kill_somewhere(folder: str, number: int) -> int:
    """Begin a run with checkpoints, send it a signal once it has some, and return its exit code."""
    begun = subprocess.Popen(
        [sys.executable, "-m", "eventsnn", "run", "noisy.py", "--duration", "2000", "--checkpoint-every", "10", "--out",
         folder], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    until = time.monotonic() + 60.0
    while len(list(Path(folder).glob("pieces/*.h5"))) < 5 and time.monotonic() < until:
        time.sleep(0.01)
    begun.send_signal(number)
    return begun.wait()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_a_run_that_was_ended_goes_on_where_it_stood(number):
    code = kill_somewhere("c", number)
    assert code == (-number if number == signal.SIGKILL else 128 + number)
    half = esn.load("c")
    assert 0.0 < half.t_stop < 2000.0
    assert "resume" in command("run", "noisy.py", "--out", "c").stderr
    done = command("resume", "c", "--scenario", "noisy.py", "--threads", "2")
    assert done.returncode == 0, done.stderr
    begun = float(done.stderr.split("c: from ")[1].split(" to 2000 ms")[0])
    # One that was killed may have written a piece and not yet the checkpoint that follows it.
    assert 0.0 <= begun <= half.t_stop and (begun == half.t_stop or number == signal.SIGKILL)
    assert command("run", "noisy.py", "--duration", "2000", "--out", "plain").returncode == 0
    assert fingerprint("c") == fingerprint("plain")
    again = command("resume", "c", "--scenario", "noisy.py")
    assert again.returncode == 2 and "its run has come to its end; eventsnn show c" in again.stderr


def test_force_begins_anew():
    kill_somewhere("c", signal.SIGKILL)
    assert command("run", "noisy.py", "--out", "c", "--force").returncode == 0
    assert {path.name for path in Path("c").iterdir()} == {"spikes.h5", "traces.h5", "summary.json"}
    assert command("run", "noisy.py", "--out", "c", "--force", "--stream").returncode == 0
    assert esn.load("c").t_stop == 400.0


def test_a_file_is_executed_only_when_it_is_named_and_is_what_it_was():
    """What a stranger sends never says what is executed."""
    kill_somewhere("c", signal.SIGKILL)
    done = command("resume", "c")
    assert done.returncode == 2
    assert f"eventsnn resume c --scenario {Path('noisy.py').resolve()}" in done.stderr
    Path("noisy.py").write_text(SCENARIO + "\n# changed\n")
    done = command("resume", "c", "--scenario", "noisy.py")
    assert done.returncode == 2 and "is not what it was when c was made" in done.stderr
    done = command("resume", "c", "--scenario", "gone.py")
    assert done.returncode == 2 and "--scenario gone.py does not exist" in done.stderr


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, "holds no run to go on with; eventsnn run NAME --checkpoint-every MS makes one"),
        ("{", "is damaged"), ("[]", "is not what eventsnn run writes"), ("{}", "is not what eventsnn run writes"),
    ],
)  # fmt: skip
def test_a_folder_that_says_nothing_of_its_scenario(content, sentence):
    Path("c").mkdir()
    if content is not None:
        Path("c/scenario.json").write_text(content)
    done = command("resume", "c")
    assert done.returncode == 2 and sentence in done.stderr and "Traceback" not in done.stderr


def test_scenarios_of_many_runs_cannot_be_streamed():
    Path("many.py").write_text(SCENARIO + "\ndef run(network, duration, parameters, **options):\n    return {}\n")
    for option in (["--stream"], ["--checkpoint-every", "5"]):
        done = command("run", "many.py", *option)
        assert done.returncode == 2 and f"{option[0]} cannot be used with it" in done.stderr


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--checkpoint-every", "-5"], "--checkpoint-every must be a finite number of ms above 0, not -5.0"),
        (["--checkpoint-every", "nan"], "--checkpoint-every must be a finite number of ms above 0, not nan"),
        (["--stream", "--limit-memory", "1e-9"], "limit_memory"),
    ],
)
def test_what_is_refused_leaves_no_folder(options, sentence):
    done = command("run", "noisy.py", "--out", "r", *options)
    assert done.returncode == 2 and sentence in " ".join(done.stderr.split()), done.stderr
    assert not Path("r").exists()


# ---- verify


def test_verify_says_equal_for_what_was_run():
    command("run", "noisy.py", "--out", "r", "--set", "n=50", "--threads", "2")
    done = command("verify", "r", "--scenario", "noisy.py")
    assert done.returncode == 0 and f"r: equal, fingerprint {fingerprint('r')}" in done.stdout
    assert "--scenario" in command("verify", "r").stderr


@pytest.mark.parametrize("name", ["three_neurons", "xor_spikeprop"])
def test_verify_of_scenarios_that_come_with_eventsnn(name):
    command("run", name, "--out", "r")
    done = command("verify", "r")
    assert done.returncode == 0 and "r: equal" in done.stdout, done.stdout + done.stderr


def test_verify_says_where_runs_first_differ():
    command("run", "noisy.py", "--out", "r", "--set", "n=50")
    results = esn.load("r")
    results.summary["scenario"]["parameters"]["rate"] = 9001.0
    results.save("other")
    done = command("verify", "other", "--scenario", "noisy.py")
    assert done.returncode == 1
    assert "other: different: V_m of cells 0 at" in done.stdout or "other: different: spike" in done.stdout
    results.summary["scenario"]["parameters"]["rate"] = 9000.0
    results.summary["scenario"]["parameters"]["gone"] = 1
    results.save("third")
    done = command("verify", "third", "--scenario", "noisy.py")
    assert done.returncode == 2 and "has no parameter 'gone' any more" in done.stderr


def test_verify_of_a_run_that_was_stopped():
    begun = subprocess.Popen(
        [sys.executable, "-m", "eventsnn", "run", "noisy.py", "--duration", "1e6", "--out", "r"],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    time.sleep(3.0)
    begun.send_signal(signal.SIGINT)
    begun.communicate()
    assert begun.returncode == 130
    done = command("verify", "r", "--scenario", "noisy.py")
    assert done.returncode == 0 and "r: equal" in done.stdout, done.stdout + done.stderr


def test_verify_of_results_that_no_scenario_made():
    net = esn.Network()
    net.population(1, esn.SpikeSource([1.0]), name="s")
    net.run(3.0).save("r")
    done = command("verify", "r")
    assert done.returncode == 2 and "r was not made by eventsnn run" in done.stderr


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_a_full_disk_says_how_to_go_on(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=500k", "none", str(disk)], capture_output=True).returncode:
        pytest.skip("no file system can be mounted here")
    try:
        done = command("run", "noisy.py", "--duration", "4000", "--checkpoint-every", "20", "--out", str(disk / "c"))
        assert done.returncode == 2 and "No space left on device" in done.stderr
        assert f"eventsnn resume {disk / 'c'} goes on with what was written before" in done.stderr.replace("\n", " ")
        subprocess.run(["mount", "-o", "remount,size=90M", str(disk)], check=True)
        done = command("resume", str(disk / "c"), "--scenario", "noisy.py")
        assert done.returncode == 0, done.stderr
        command("run", "noisy.py", "--duration", "4000", "--out", "plain")
        assert fingerprint(str(disk / "c")) == fingerprint("plain")
    finally:
        subprocess.run(["umount", str(disk)], check=True)
