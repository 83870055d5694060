"""Where the output cannot be written, on a full disk or to a closed pipe, results are saved all the same."""

import os
import subprocess
import sys

import pytest

import eventsnn as esn

if sys.platform != "linux":
    pytest.skip("pipes and /dev/full are those of Linux", allow_module_level=True)

RUN = ["run", "three_neurons", "--force", "--out", "kept"]
COMMANDS = [["list"], ["--help"], ["--version"], ["list", "brunel"], RUN, [*RUN, "--json"]]


def printed_to(place, stdout, *arguments, stderr=subprocess.PIPE, buffered=True):
    environment = os.environ | {"PYTHONUNBUFFERED": "" if buffered else "1"}
    command = [sys.executable, "-m", "eventsnn", *arguments]
    streams = {"stdout": stdout, "stderr": stderr, "encoding": "utf-8"}
    return subprocess.run(command, cwd=place, env=environment, timeout=60, **streams)


def saved(place, arguments):
    return arguments[0] != "run" or len(esn.load(place / "kept").spikes) > 0


@pytest.mark.parametrize("buffered", [True, False])
@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_a_full_disk(tmp_path, arguments, buffered):
    with open("/dev/full", "w") as full:
        done = printed_to(tmp_path, full, *arguments, buffered=buffered)
    *progress, last = done.stderr.splitlines()
    assert done.returncode == 2 and "Traceback" not in done.stderr and len(progress) <= 1
    assert last.startswith("eventsnn: the output could not be written (No space left on device)")
    assert saved(tmp_path, arguments)


@pytest.mark.parametrize("buffered", [True, False])
@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_a_closed_pipe(tmp_path, arguments, buffered):
    end, closed = os.pipe()
    os.close(end)
    done = printed_to(tmp_path, closed, *arguments, buffered=buffered)
    os.close(closed)
    assert done.returncode == 141 and "eventsnn" not in done.stderr and "Error" not in done.stderr
    assert saved(tmp_path, arguments)


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_no_stdout_at_all(tmp_path, arguments):
    command = ["sh", "-c", 'exec "$@" >&-', "sh", sys.executable, "-m", "eventsnn", *arguments]
    done = subprocess.run(command, cwd=tmp_path, stderr=subprocess.PIPE, encoding="utf-8", timeout=60)
    assert done.returncode == 0 and "Error" not in done.stderr
    assert saved(tmp_path, arguments)


def test_progress_that_cannot_be_written_does_not_end_a_run(tmp_path):
    with open("/dev/full", "w") as full:
        done = printed_to(tmp_path, subprocess.PIPE, *RUN, stderr=full)
        assert printed_to(tmp_path, subprocess.PIPE, "list", "nope", stderr=full).returncode == 2
    assert done.returncode == 0 and saved(tmp_path, RUN)
