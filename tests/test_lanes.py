"""Kernels built for narrower vectors, and for none, give the same bits."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PRINT = """
import hashlib, sys
sys.path.insert(0, sys.argv[1])
from calm_networks import busy_network
from event_log import event_log
from random_networks import random_network
from eventsnn._core.draw.philox import most_lanes
import eventsnn as esn

print(most_lanes())
for seed in (1, 3, 7, 8, 14, 23, 42):
    for varied in (False, True):
        simulation = busy_network(seed, 12.0, varied).compile()
        simulation._state.set_calm(True, width=0.125)
        log = event_log(simulation, 12.0)
        print(seed, hashlib.sha256(repr(sorted(log.items())).encode()).hexdigest())
for seed in range(60):
    try:
        log = event_log(random_network(seed, 20.0).compile(), 20.0)
    except esn.RunawayError as error:
        log = {"error": str(error)}
    print(seed, hashlib.sha256(repr(sorted(log.items())).encode()).hexdigest())
"""


def printed(where: Path) -> list[str]:
    command = [sys.executable, "-c", PRINT, str(ROOT / "tests" / "support")]
    done = subprocess.run(
        command, cwd=where, capture_output=True, text=True, check=True, env={**os.environ, "PYTHONPATH": str(where)}
    )
    return done.stdout.splitlines()


@pytest.mark.long
@pytest.mark.skipif(sys.platform != "linux", reason="lanes are those of gcc and clang on Linux")
@pytest.mark.parametrize("lanes", [4, 1])
def test_bits_do_not_depend_on_the_width_of_vectors(lanes, tmp_path):
    for name in ("ext", "eventsnn"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("*.so", "*.c", "__pycache__"))
    for name in ("setup.py", "pyproject.toml", "README.md"):
        shutil.copy(ROOT / name, tmp_path)
    build = [sys.executable, "setup.py", "build_ext", "--inplace"]
    environment = {**os.environ, "EVENTSNN_LANES": str(lanes)}
    subprocess.run(build, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
    (most, *expected), (narrow, *found) = printed(ROOT), printed(tmp_path)
    assert int(narrow) == min(int(most), lanes)
    assert found == expected
