"""Where cells of sweeps are simulated changes no bit, and `eventsnn sweep` survives what ends it."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from command_line import command

import eventsnn as esn

SCENARIO = '''
"""A noisy network."""
import eventsnn as esn

DURATION = 40.0


def build(n: int = 20, rate: float = 9000.0, kind: str = "a", seed: int = 1) -> esn.Network:
    if rate == 7.0:
        raise ValueError("7 is not allowed")
    net = esn.Network(seed=seed)
    cells = net.population(n, esn.LIFDelta(), name="cells", V_m=esn.Uniform(-70.0, -56.0))
    net.stimulate(cells, esn.Poisson(rate), weight=0.2)
    return net
'''


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("noisy.py").write_text(SCENARIO)
    return tmp_path


def noisy():
    """A function of no module that another process could import."""

    def build(rate: float, n: int = 30, seed: int = 1) -> esn.Network:
        net = esn.Network(seed=seed)
        cells = net.population(n, esn.LIFDelta(), name="cells", V_m=esn.Uniform(-70.0, -56.0))
        net.connect(cells, cells, esn.FixedInDegree(5), weight=0.3, delay=esn.Uniform(0.5, 3.0))
        net.stimulate(cells, esn.Poisson(rate), weight=0.2)
        return net

    return build


def swept(**options) -> dict[str, np.ndarray]:
    # enough neurons for products of matrices to be shared among threads, whose last bits depend on how many there are
    grid = {"rate": [8000.0, 12000.0, 16000.0], "n": [20, 200]}
    found = esn.sweep(noisy(), 300.0, grid, repeat=2, skip=10.0, **options)
    assert found.failed == [] and found.missing == 0
    return found.table()


def require_equal(one: dict[str, np.ndarray], other: dict[str, np.ndarray]) -> None:
    assert list(one) == list(other)
    for name in one:
        assert one[name].dtype == other[name].dtype and one[name].tobytes() == other[name].tobytes(), name


# ---- the same numbers everywhere


def test_two_jobs_give_the_bits_of_one(tmp_path):
    one = swept()
    assert len(one["cell"]) == 12 and len(set(one["cells.rate"])) > 6
    assert np.isfinite([one[f"cells.{name}"] for name in ("rate", "cv", "synchrony", "correlation")]).all()
    require_equal(one, swept(jobs=2))
    require_equal(one, swept(jobs=2, threads=2, out=tmp_path / "s"))
    require_equal(one, esn.load_sweep(tmp_path / "s").table())


def test_workers_of_dask_give_the_bits_of_one_job():
    distributed = pytest.importorskip("distributed")
    one = swept()
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
    ) as cluster:  # fmt: skip
        require_equal(one, swept(dask=cluster.scheduler_address))


def test_jobs_of_submitit_give_the_bits_of_one_job(tmp_path):
    pytest.importorskip("submitit")
    one = swept()
    require_equal(one, swept(jobs=2, out=tmp_path / "s", slurm={"cluster": "local"}))
    require_equal(one, esn.load_sweep(tmp_path / "s").table())


@pytest.mark.long  # a job that died is waited for 15 s
def test_a_cell_that_ends_its_job_has_failed_and_the_others_are_kept(tmp_path):
    pytest.importorskip("submitit")
    build = noisy()

    def deadly(rate: float) -> esn.Network:
        if rate == 2.0:
            os._exit(3)
        return build(rate)

    found = esn.sweep(
        deadly, 10.0, {"rate": [1.0, 2.0, 3.0, 4.0]}, jobs=2, out=tmp_path / "s", slurm={"cluster": "local"}
    )
    assert found.table()["rate"].tolist() == [1.0, 3.0]
    assert [failure.parameters["rate"] for failure in found.failed] == [2.0, 4.0]
    assert all(failure.error.startswith("job ") for failure in found.failed)


def test_a_process_that_is_killed_is_a_sentence_and_the_others_are_kept(tmp_path):
    build = noisy()

    def deadly(rate: float) -> esn.Network:
        if rate == 4.0:
            time.sleep(0.5)
            os.kill(os.getpid(), signal.SIGKILL)
        return build(rate)

    grid = {"rate": [1.0, 2.0, 3.0, 4.0]}
    with pytest.raises(esn.InputError, match="one of the 2 processes was killed"):
        esn.sweep(deadly, 10.0, grid, jobs=2, out=tmp_path / "s")
    assert esn.load_sweep(tmp_path / "s").table()["rate"].tolist() == [1.0, 2.0, 3.0]


def test_nobody_at_the_address_is_a_sentence(monkeypatch):
    pytest.importorskip("distributed")
    monkeypatch.setattr("eventsnn.batch.jobs.CONNECT_S", 1)
    with pytest.raises(esn.InputError, match="no scheduler of dask answers at 'tcp://127.0.0.1:9'"):
        swept(dask="tcp://127.0.0.1:9")


@pytest.mark.parametrize(
    ("place", "package", "extra"), [("dask", "distributed", "dask"), ("slurm", "submitit", "slurm")]
)
def test_without_the_package_of_a_place_the_extra_is_named(monkeypatch, tmp_path, place, package, extra):
    monkeypatch.setitem(sys.modules, package, None)
    where = {"dask": "tcp://127.0.0.1:9"} if place == "dask" else {"slurm": {"cluster": "local"}}
    with pytest.raises(esn.InputError, match=re.escape(f'pip install "eventsnn[{extra}]"')):
        swept(out=tmp_path / "s", **where)


def test_two_sweeps_into_one_folder_at_once_are_refused(tmp_path):
    build = noisy()

    def second(rate: float) -> esn.Network:
        with pytest.raises(esn.InputError, match=r"is writing its results there"):
            # another process, as the claim of this one would be its own
            done = command("sweep", "noisy.py", "--grid", "n=5", "--out", str(tmp_path / "s"))
            raise esn.InputError(done.stderr)
        return build(rate)

    assert esn.sweep(second, 1.0, {"rate": [1.0]}, out=tmp_path / "s").failed == []


# ---- the command


def test_the_command_makes_table_and_picture_of_the_grid():
    done = command("sweep", "noisy.py", "--grid", "rate=8000:12000:3", "--grid", "n=10,20", "--repeat", "2", "--set",
                   "kind=b", "--out", "s", "--seed", "4")  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "12 of 12 cells" in done.stderr and "s/table.csv" in done.stdout and "s/sweep.png" in done.stdout
    table = esn.load_sweep("s").table()
    assert table["rate"].tolist() == [8000.0, 8000.0, 10000.0, 10000.0, 12000.0, 12000.0] * 2
    assert table["n"].tolist() == [10, 20] * 6 and table["n"].dtype == np.int64
    run = esn.scenario("./noisy.py", rate=10000.0, n=20, seed=int(table["seed"][3]), kind="b").run()
    assert run.spikes["cells"].rate() == table["cells.rate"][3]
    assert Path("s/table.csv").read_text().splitlines()[0].startswith("cell,rate,n,repeat,seed,cells.rate,cells.cv")
    assert Path("s/sweep.png").read_bytes()[:4] == b"\x89PNG"
    parquet = command("sweep", "noisy.py", "--grid", "rate=8000:12000:3", "--grid", "n=10,20", "--repeat", "2", "--set",
                      "kind=b", "--out", "s", "--seed", "4", "--table", "parquet", "--jobs", "2")  # fmt: skip
    assert parquet.returncode == 0 and Path("s/table.parquet").exists(), parquet.stderr
    page = command("report", "s")
    assert page.returncode == 0, page.stderr
    assert "12 cells" in Path("s/report.html").read_text()


def test_failed_cells_are_told_and_retried():
    arguments = ("sweep", "noisy.py", "--grid", "rate=6,7,8", "--out", "s")
    for _ in range(2):
        done = command(*arguments)
        assert done.returncode == 1
        assert "ValueError: 7 is not allowed" in done.stderr and "--retry-failed" in done.stderr
    Path("noisy.py").write_text(SCENARIO)
    kept = Path("s/cells/000000.json").stat().st_mtime_ns
    again = command(*arguments, "--retry-failed")
    assert again.returncode == 1 and Path("s/cells/000000.json").stat().st_mtime_ns == kept
    assert esn.load_sweep("s").table()["rate"].tolist() == [6.0, 8.0]


def test_another_scenario_of_the_same_name_is_refused():
    assert command("sweep", "noisy.py", "--grid", "n=5,6", "--out", "s").returncode == 0
    Path("noisy.py").write_text(SCENARIO.replace("0.2", "0.3"))
    done = command("sweep", "noisy.py", "--grid", "n=5,6", "--out", "s")
    assert done.returncode == 2 and "s holds another sweep: its sha256" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--grid", "rate"], "takes name=values|name=value"),
        (["--grid", "rate="], "takes name=values|a float"),
        (["--grid", "rat=1,2"], "did you mean 'rate'"),
        (["--grid", "rate=1:2"], "3:8:6"),
        (["--grid", "rate=1:2:x"], "3:8:6"),
        (["--grid", "rate=1:a:3"], "must begin and end with finite numbers"),
        (["--grid", "rate=1,b"], "rate must be a float"),
        (["--grid", "n=1:2:3"], "n must be an int"),
        (["--grid", "n=1,1"], "have one twice"),
        (["--grid", "n=1,2", "--grid", "n=3"], "twice"),
        (["--grid", "n=1,2", "--set", "n=3"], "n"),
        (["--grid", "seed=1,2", "--repeat", "2"], "since the grid gives the seeds"),
        (["--grid", "n=1", "--skip", "40"], "skip"),
        (["--grid", "n=1", "--duration", "0"], "duration"),
        (["--grid", "n=1", "--out", "noisy.py"], "noisy.py cannot be made: File exists"),
    ],
)
def test_bad_options_are_sentences(arguments, said):
    done = command("sweep", "noisy.py", "--out", "s", *arguments)
    assert done.returncode == 2, done.stderr
    assert re.search(said, done.stderr) and done.stderr.count("\n") == 1 and "Traceback" not in done.stderr
    assert not Path("s").exists()


# ---- what ends it


ENDS = [(signal.SIGKILL, "1"), (signal.SIGKILL, "2"), (signal.SIGINT, "1"), (signal.SIGINT, "2"), (signal.SIGTERM, "2")]


@pytest.mark.parametrize(("number", "jobs"), ENDS)
def test_a_sweep_that_was_ended_goes_on_and_has_the_same_table(number, jobs):
    arguments = ["sweep", "noisy.py", "--grid", "n=150:350:5", "--grid", "rate=9000,10000", "--repeat", "2",
                 "--duration", "400", "--jobs", jobs]  # fmt: skip
    begun = subprocess.Popen(
        [sys.executable, "-m", "eventsnn", *arguments, "--out", "s"], stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    until = time.monotonic() + 60.0
    while len(list(Path("s").glob("cells/[0-9]*.json"))) < 3 and time.monotonic() < until:
        time.sleep(0.005)
    # Ctrl-C reaches all processes of a terminal
    (os.killpg if number == signal.SIGINT else os.kill)(begun.pid, number)
    errors = begun.communicate()[1]
    kept = {path: path.stat().st_mtime_ns for path in Path("s").glob("cells/[0-9]*.json")}
    assert 3 <= len(kept) < 20
    if number == signal.SIGKILL:
        assert begun.returncode == -number
    else:
        assert begun.returncode == 128 + number and "Traceback" not in errors
        assert "interrupted" in errors and "s" in errors.splitlines()[-1]
    assert all(json.loads(path.read_text())["error"] is None for path in kept)
    done = command(*arguments, "--out", "s")
    assert done.returncode == 0, done.stderr
    assert {path: path.stat().st_mtime_ns for path in kept} == kept
    whole = command(*arguments[:-1], "1", "--out", "whole")
    assert whole.returncode == 0 and Path("s/table.csv").read_bytes() == Path("whole/table.csv").read_bytes()
    assert not [path for path in Path("s").rglob(".*") if path.name != ".running"] or number == signal.SIGKILL


@pytest.fixture
def small_disk(tmp_path):
    """A disk of 80 kB; skipped where none can be mounted."""
    disk = tmp_path / "disk"
    disk.mkdir()
    try:
        made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=80k", "none", str(disk)], capture_output=True)
    except FileNotFoundError:
        pytest.skip("no file system can be mounted here")
    if made.returncode:
        pytest.skip("no file system can be mounted here")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def test_a_full_disk_is_a_sentence_and_with_room_the_sweep_goes_on(small_disk):
    grid = {"rate": [float(k) for k in range(1, 41)]}
    with pytest.raises(esn.InputError, match=r"cells/0000\d\d.json cannot be written: No space left on device"):
        esn.sweep(noisy(), 5.0, grid, out=small_disk / "s")
    kept = esn.load_sweep(small_disk / "s")
    assert 0 < len(kept.outcomes) < 40 and kept.failed == []
    subprocess.run(["mount", "-o", "remount,size=10M", str(small_disk)], check=True)
    whole = esn.sweep(noisy(), 5.0, grid, out=small_disk / "s")
    require_equal(whole.table(), esn.sweep(noisy(), 5.0, grid).table())


def test_a_read_only_folder_is_a_sentence_and_can_be_read(small_disk):
    esn.sweep(noisy(), 5.0, {"rate": [1.0]}, out=small_disk / "s")
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    for name in ("s", "new"):
        with pytest.raises(esn.InputError, match="Read-only file system"):
            esn.sweep(noisy(), 5.0, {"rate": [1.0]}, repeat=2, out=small_disk / name)
    assert esn.load_sweep(small_disk / "s").missing == 0
