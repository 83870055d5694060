"""Runs that are killed again and again end as if nothing had been: every model, plasticity rule and source."""

from __future__ import annotations

import inspect
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from long_networks import CASES, STOP, named, network_of

import eventsnn as esn
from eventsnn import models, plasticity
from eventsnn.describe import currents, processes

SUPPORT = Path(__file__).parent / "support"


def killed(cases: list[str], kills: int, folder: Path, seed: int = 1) -> dict[str, dict[str, Any]]:
    command = [sys.executable, str(SUPPORT / "killed.py"), str(seed), str(kills), str(folder), *cases]
    done = subprocess.run(command, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stderr
    return {found["case"]: found for found in map(json.loads, done.stdout.splitlines())}


@pytest.fixture(scope="module")
def thrice(tmp_path_factory) -> dict[str, dict[str, Any]]:
    return killed(CASES, 3, tmp_path_factory.mktemp("killed"))


def test_there_is_a_network_for_all_that_there_is():
    """A model, rule or source that is added later must be added to long_networks.py too."""
    parts = {"Current", "Linear", "Membrane", "Reset", "Threshold", "Trace"}
    there = {*models.__all__, *plasticity.__all__, *processes.__all__, "SpikeSource"} - parts
    there |= {name for name, thing in vars(currents).items() if inspect.isclass(thing) and name.endswith("Current")}
    there -= {name for name in there if name.startswith("_") or not hasattr(esn, name)}
    assert there == named()


@pytest.mark.parametrize("case", CASES)
def test_a_run_that_is_killed_ends_with_the_bits_of_one_that_is_not(case, thrice):
    assert thrice[case]["killed"] == 3
    assert set(thrice[case]["fingerprints"]) == {network_of(case).run(STOP).fingerprint()}


@pytest.mark.long
@pytest.mark.parametrize("case", CASES)
def test_fifty_times(case, tmp_path):
    found = killed([case], 50, tmp_path, seed=2)[case]
    assert found["killed"] == 50 and found["useful"] >= 10
    assert set(found["fingerprints"]) == {network_of(case).run(STOP).fingerprint()}
