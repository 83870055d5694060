"""`make bench` measures the networks that it says: those of the scenarios, and what its rates and counts promise."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest

from eventsnn import scenario

sys.path.insert(0, str(Path(__file__).parent.parent / "benchmarks"))

import bench  # noqa: E402
from workloads import Workload  # noqa: E402

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the loop in C is compiled by a cc")

SCENARIOS = {
    "brunel_dc": ("brunel", {"n": 500, "drive": "dc"}, 40.0),
    "brunel_poisson_stored": ("brunel", {"n": 500}, 40.0),
}


@pytest.fixture(scope="module")
def session(tmp_path_factory) -> tuple[dict, Path]:
    out = tmp_path_factory.mktemp("bench")
    own = ["--simulators", "eventsnn", "scatter", "scatter_two"]
    assert bench.main(["--quick", "--workloads", *SCENARIOS, "sparse_1e4", *own, "--out", str(out)]) == 0
    return json.loads((out / "bench.json").read_text()), out


def runs(session: dict, workload: str) -> dict[str, dict]:
    results = session["workloads"][workload]["results"]
    assert set(results) == {"eventsnn", "scatter", "scatter_two"}
    return {name: result["runs"][0] for name, result in results.items()}


@pytest.mark.parametrize("workload", SCENARIOS)
def test_described_networks_are_those_of_the_scenarios(workload, session):
    name, parameters, duration = SCENARIOS[workload]
    network = scenario.load(name).build(**parameters)
    results = network.run(duration)
    spikes = np.concatenate([trains.ids + 400 * (name == "inh") for name, trains in results.spikes.items()])
    pre = np.concatenate([p.get("pre") + 400 * (p.pre[0].name == "inh") for p in network.projections.values()])
    outdegree = np.bincount(pre, minlength=500)

    measured = runs(session[0], workload)
    assert measured["eventsnn"]["spikes"] == spikes.size > 1_000
    for variant in ("scatter", "scatter_two"):
        assert measured[variant]["events"] == outdegree[spikes].sum()


def test_sparse_network_fires_once_for_each_kick(session):
    measured = runs(session[0], "sparse_1e4")
    assert (measured["eventsnn"]["neurons"], measured["eventsnn"]["spikes"]) == (400, 400)
    assert measured["eventsnn"]["rate"] == pytest.approx(25.0)
    for variant in ("scatter", "scatter_two"):
        assert measured[variant]["events"] == 400 * 100
        assert measured[variant]["sum"] == pytest.approx(400 * 100 * 0.01)


def test_session_is_described_printed_and_drawn(session):
    found, out = session
    assert found["repeats"] == 1 and found["machine"]["cores"] >= 1 and found["date"][:2] == "20"
    assert set(found["versions"]) == {"eventsnn", "scatter", "scatter_two"}
    ours = found["workloads"]["sparse_1e4"]["results"]["eventsnn"]
    assert ours["ratio"] == 1.0 and not ours["off_rate"] and ours["peak_bytes"] > ours["growth_bytes"] > 0
    assert (out / "bench.png").read_bytes()[:4] == b"\x89PNG"
    assert "sparse_1e4: " in bench.table(found)


def test_a_time_at_another_rate_is_marked_and_in_no_ratio():
    def run(rate: float, seconds: float) -> dict:
        counts = {"neurons": 10, "synapses": 100, "spikes": 5, "growth_bytes": 1, "peak_bytes": 1}
        return {"runs": [{"version": "1", "rate": rate, "cpu_s": seconds, "wall_s": seconds, "build_s": 0.0, **counts}]}

    network = {"drive": {"kind": "none"}, "duration": 1.0}
    results = {"eventsnn": run(10.0, 1.0), "nest": run(10.2, 8.0), "brian2": run(11.0, 0.1)}
    bench.summarise(Workload("w", "", network, rate=10.0), results)
    assert results["nest"]["ratio"] == 8.0 and not results["nest"]["off_rate"]
    assert results["brian2"]["off_rate"] and "ratio" not in results["brian2"]
    assert bench.cells("brian2", results["brian2"])[1] == "11*"

    wrong = {"eventsnn": run(11.0, 1.0), "nest": run(10.0, 8.0)}
    bench.summarise(Workload("w", "", network, rate=10.0), wrong)
    assert "ratio" not in wrong["nest"]


def test_peers_that_are_not_there_are_skipped_with_a_line(capsys):
    assert bench.versions(["nest", "nest_ps"], {"nest": "/nonexistent/python"}) == {}
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith("nest: skipped, ") and "--nest or BENCH_NEST" in line
