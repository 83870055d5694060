"""Kills runs again and again, at random moments, and goes on from their checkpoints: `killed.py SEED KILLS FOLDER
CASE ...` prints a line of JSON for each case, with the fingerprint of each run that came to its end.

Each run is a fork of this process, which simulates nothing itself.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import time
from pathlib import Path

import numpy as np
from long_networks import STOP, network_of


def run(case: str, folder: Path, every: float, threads: int) -> None:
    """To the end, from where the folder says."""
    net = network_of(case)
    if list(folder.glob("checkpoints/[0-9]*.h5")):
        net.resume(folder)
    elif folder.exists():
        shutil.rmtree(folder)  # killed before there was anything to go on from
    if net.time < STOP:
        results = net.run(until=STOP, checkpoint=folder, every=every, threads=threads)
    else:
        results = net.results()
    (folder / "fingerprint").write_text(results.fingerprint())


def wait(child: int, folder: Path, pieces: int, rng: np.random.Generator) -> None:
    """Until there are more pieces than these, or a process has ended, or chance says so."""
    while len(list(folder.glob("pieces/*.h5"))) <= pieces and rng.random() > 0.01:
        if os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None:
            return
        time.sleep(0.002)


def one_life(case: str, folder: Path, rng: np.random.Generator, kills: int) -> tuple[int, int]:
    """Run to the end, killed at most so many times before; how often it was, and how often something had been done."""
    killed = useful = 0
    while True:
        threads, every = int(rng.integers(1, 4)), float(rng.choice([1.0, 2.0, 5.0]))
        before = len(list(folder.glob("pieces/*.h5")))
        child = os.fork()
        if child == 0:
            try:
                run(case, folder, every, threads)
                os._exit(0)
            except BaseException:
                sys.excepthook(*sys.exc_info())
                os._exit(1)
        if killed < kills:
            wait(child, folder, before, rng)
            time.sleep(rng.uniform(0.0, 0.03))
            os.kill(child, signal.SIGKILL)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        if status == -signal.SIGKILL:
            killed += 1
            useful += len(list(folder.glob("pieces/*.h5"))) > before
        elif status == 0:
            return killed, useful
        else:
            raise SystemExit(f"{case}: the run ended with {status}")


def many_lives(case: str, seed: int, kills: int, parent: Path) -> dict[str, object]:
    """Runs of a network, until so many times one was killed and one at least has come to its end."""
    rng = np.random.default_rng([seed, *case.encode()])
    killed = useful = life = 0
    found: list[str] = []
    while killed < kills or not found:
        folder = parent / f"{case} {life}"
        more, done = one_life(case, folder, rng, kills - killed)
        killed, useful, life = killed + more, useful + done, life + 1
        found.append((folder / "fingerprint").read_text())
        shutil.rmtree(folder)
    return {"case": case, "killed": killed, "useful": useful, "fingerprints": found}


def main() -> None:
    for case in sys.argv[4:]:
        print(json.dumps(many_lives(case, int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]))), flush=True)


if __name__ == "__main__":
    main()
