"""Signals at any moment of a run from the command line: what was simulated is saved, the code says which it was, and
there is never a traceback."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from eventsnn.results.results import load

RUN = [sys.executable, "-m", "eventsnn", "run", "brunel", "--set", "n=2500", "--duration", "1e6", "--out", "out"]
CODES = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGHUP: 129}


def start(folder, *arguments):
    command = [*RUN, *arguments]
    return subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def simulating(folder, process):
    """Wait until the run has made its folder, and a little longer."""
    for _ in range(600):
        if (folder / "out").exists():
            break
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.05)
    time.sleep(0.7)


@pytest.mark.parametrize("number", CODES, ids=lambda number: number.name)
def test_a_signal_during_a_run_saves_it(tmp_path, number):
    process = start(tmp_path)
    simulating(tmp_path, process)
    process.send_signal(number)
    output, errors = process.communicate(timeout=60)
    assert process.returncode == CODES[number]
    assert "Traceback" not in output + errors and "what was simulated is in out" in errors
    results = load(tmp_path / "out")
    assert 0.0 < results.t_stop < 1e6 and results.summary["stopped"].startswith("interrupted at")


def test_an_ignored_signal_stays_ignored(tmp_path):
    """As under nohup."""
    code = (
        "import signal, sys; signal.signal(signal.SIGHUP, signal.SIG_IGN); from eventsnn.cli.main import main; main()"
    )
    command = [sys.executable, "-c", code, "run", "three_neurons", "--duration", "2e5", "--out", "out"]
    process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    simulating(tmp_path, process)
    process.send_signal(signal.SIGHUP)
    output, errors = process.communicate(timeout=100)
    assert process.returncode in (0, 1), errors
    assert load(tmp_path / "out").t_stop == 2e5


def test_ctrl_c_while_importing_ends_without_a_traceback(tmp_path):
    """The package imports numpy and others for a third of a second; the process stops itself in the midst of it."""
    (tmp_path / "h5py.py").write_text("import os, signal\nos.kill(os.getpid(), signal.SIGINT)\n")
    environment = {**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"}
    done = subprocess.run([*RUN[:3], "list"], capture_output=True, text=True, env=environment, cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")
    program = [sys.executable, "-c", "import eventsnn"]
    done = subprocess.run(program, capture_output=True, text=True, env=environment, cwd=tmp_path)
    assert "KeyboardInterrupt" in done.stderr  # a program that imports the package hears of it itself


def test_a_run_that_had_come_to_its_end_is_not_called_interrupted(tmp_path):
    scenario = tmp_path / "late.py"
    scenario.write_text(
        '''"""A run that is interrupted in its last chunk.

Source: by hand. Expected: nothing.
"""

import signal

import eventsnn as esn

DURATION = 10.0


class Late(esn.Network):
    def run(self, duration, **options):
        options["progress"] = lambda status: signal.raise_signal(signal.SIGTERM)
        return super().run(duration, **options)


def build(seed: int = 1) -> esn.Network:
    net = Late(seed=seed)
    net.population(3, esn.LIFDelta(), name="cells")
    return net
'''
    )
    done = subprocess.run([*RUN[:4], "late.py", "--out", "out"], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0 and "Traceback" not in done.stderr, done.stderr
    assert load(tmp_path / "out").summary["stopped"] is None


@pytest.mark.long
@pytest.mark.parametrize("number", [*CODES, signal.SIGKILL], ids=lambda number: number.name)
def test_signals_at_random_moments(tmp_path, number):
    """From the first imports to the end: a folder that is there holds a complete result, or there is none."""
    rng = np.random.default_rng(int(number))
    kept = 0
    for k in range(20):
        folder = tmp_path / str(k)
        folder.mkdir()
        process = start(folder, "--duration", "300", "--plot")
        time.sleep(rng.uniform(0.0, 3.0))
        process.send_signal(number)
        output, errors = process.communicate(timeout=60)
        allowed = (-signal.SIGKILL,) if number == signal.SIGKILL else (CODES[number], -number)
        assert process.returncode in (0, 1, *allowed) and "Traceback" not in output + errors, errors
        saved = (folder / "out" / "summary.json").exists()
        kept += saved
        if saved:
            assert load(folder / "out").t_stop > 0.0
        elif number != signal.SIGKILL:
            assert not Path(folder, "out").exists()
    assert 0 < kept <= 20
