"""A disk that is full, a folder that is taken: one sentence, and what was simulated is not lost."""

import errno
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import h5py
import pytest

import eventsnn as esn
from eventsnn.base import paths
from eventsnn.results.results import load

RUN = [sys.executable, "-m", "eventsnn", "run"]


@pytest.fixture
def small(tmp_path):
    """A file system of its own of 2 MB, where one may be mounted."""
    folder = tmp_path / "small"
    folder.mkdir()
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        pytest.skip("only root may mount a file system")
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", folder], capture_output=True).returncode:
        pytest.skip("no file system can be mounted here")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


def results(duration=1000.0):
    net = esn.Network(seed=1)
    cells = net.population(50, esn.LIFDelta(), name="cells")
    net.stimulate(cells, esn.Poisson(1_000.0), weight=1.0)
    net.record(cells, "V_m", every=0.1)
    return net.run(duration)


def test_results_that_do_not_fit_stay_in_memory(small, tmp_path):
    made = results()  # 4 MB
    with pytest.raises(
        esn.InputError, match=r"No space left on device; 4\.\d MB are needed in \S+ and 2\.\d MB are free"
    ):
        made.save(small / "run")
    assert list(small.iterdir()) == []
    made.save(tmp_path / "elsewhere")
    assert load(tmp_path / "elsewhere").traces["cells"].V_m.tobytes() == made.traces["cells"].V_m.tobytes()


def test_a_former_result_survives_one_that_does_not_fit(small):
    results(100.0).save(small / "run")
    before = sorted(path.stat().st_size for path in (small / "run").iterdir())
    with pytest.raises(esn.InputError, match="No space left"):
        results().save(small / "run", force=True)
    assert sorted(path.stat().st_size for path in (small / "run").iterdir()) == before
    assert load(small / "run").t_stop == 100.0 and len(list(small.iterdir())) == 1


def test_the_command_saves_elsewhere_what_does_not_fit(small, tmp_path):
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    command = [*RUN, "brunel", "--set", "n=2500", "--duration", "400", "--out", small / "run"]
    (small / "filling").write_bytes(bytes(1_900_000))
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert done.returncode == 2 and "Traceback" not in done.stderr
    folder = re.search(r"No space left .*; they are in (\S+) instead", done.stderr.replace("\n", " ")).group(1)
    assert load(folder).t_stop == 400.0 and Path(folder).parent == tmp_path


@pytest.mark.parametrize(
    "error", [OSError(errno.EIO, "Input/output error"), RuntimeError("Can't decrement id ref count")]
)
def test_a_write_that_fails_is_one_sentence(tmp_path, monkeypatch, error):
    def fail(*arguments, **options):
        raise error

    made = results(10.0)
    monkeypatch.setattr(h5py.Group, "create_dataset", fail)
    with pytest.raises(esn.InputError, match=r"^results cannot be saved in .*run: .*; nothing was changed there$"):
        made.save(tmp_path / "run")
    assert list(tmp_path.iterdir()) == []


def test_a_picture_stays_until_the_new_results_are_there(tmp_path, monkeypatch):
    command = [*RUN, "three_neurons", "--out", "run", "--plot", "--force"]
    for _ in range(2):
        assert subprocess.run(command, cwd=tmp_path, capture_output=True).returncode == 0
    pictures = {path.name: path.read_bytes() for path in (tmp_path / "run").glob("*.png")}
    code = (
        "import sys; from eventsnn.results import storage; from eventsnn.cli.main import main\n"
        "def fail(*a): raise OSError(28, 'No space left on device')\n"
        "storage._write_spikes = fail; main()"
    )
    done = subprocess.run([sys.executable, "-c", code, *command[3:]], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 2 and "nothing of this run is kept" in " ".join(done.stderr.split())
    assert {path.name: path.read_bytes() for path in (tmp_path / "run").glob("*.png")} == pictures
    assert load(tmp_path / "run").t_stop > 0.0


def test_two_runs_into_one_folder_the_later_is_refused(tmp_path):
    """Both started at once: one of them makes the claim."""
    command = [*RUN, "brunel", "--set", "n=2500", "--duration", "2000", "--out", "run"]
    both = [subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    time.sleep(0.2)
    errors = [process.communicate(timeout=100)[1] for process in both]
    codes = sorted(process.returncode for process in both)
    assert codes[0] in (0, 1) and codes[1] == 2, errors
    (refused,) = [e for process, e in zip(both, errors, strict=True) if process.returncode == 2]
    assert re.search(r"run: process \d+ is writing its results there; name another folder", " ".join(refused.split()))
    assert load(tmp_path / "run").t_stop == 2000.0
    assert sorted(path.name for path in (tmp_path / "run").iterdir()) == ["spikes.h5", "summary.json"]


def test_a_claim_of_a_process_that_has_gone_is_none(tmp_path):
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    for claim in (f"{gone.pid} {paths.socket.gethostname()}", ""):  # "": it was killed before it wrote who it is
        (tmp_path / paths.CLAIM).write_text(claim)
        with paths.claimed(tmp_path, "it"):
            assert (tmp_path / paths.CLAIM).read_text().startswith(f"{os.getpid()} ")
    (tmp_path / paths.CLAIM).write_text("1 another-machine")
    with pytest.raises(esn.InputError, match="it: process 1 on another-machine is writing"):
        with paths.claimed(tmp_path, "it"):
            pass
