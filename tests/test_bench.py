"""`make bench` measures the networks that it says: those of the scenarios, and what its rates and counts promise."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest

from eventsnn.cli import scenario

sys.path.insert(0, str(Path(__file__).parent.parent / "benchmarks"))

import bench  # noqa: E402
import bench_plot  # noqa: E402
import heterogeneity  # noqa: E402
from peers import eventsnn as eventsnn_peer  # noqa: E402
from peers import wiring  # noqa: E402
from workloads import Workload, fly, workloads  # noqa: E402

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the loop in C is compiled by a cc")

BENCHMARKS = Path(bench.__file__).parent
SCENARIOS = {
    "brunel_dc": ("brunel", {"n": 500, "drive": "dc"}, 40.0),
    "brunel_poisson_stored": ("brunel", {"n": 500}, 40.0),
    "microcircuit": ("microcircuit", {"scale": 0.02}, 400.0),
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
    first = dict(zip(results.spikes, np.cumsum([0, *(trains.n for trains in results.spikes.values())]), strict=False))
    spikes = np.concatenate([trains.ids + first[name] for name, trains in results.spikes.items()])
    pre = np.concatenate([p.get("pre") + first[p.pre[0].name] for p in network.projections.values()])
    outdegree = np.bincount(pre)

    measured = runs(session[0], workload)
    assert measured["eventsnn"]["spikes"] == spikes.size > 300
    for variant in ("scatter", "scatter_two"):
        assert measured[variant]["events"] == outdegree[spikes].sum()


def test_sparse_network_fires_once_for_each_kick(session):
    measured = runs(session[0], "sparse_1e4")
    assert (measured["eventsnn"]["neurons"], measured["eventsnn"]["spikes"]) == (400, 400)
    assert measured["eventsnn"]["rate"] == pytest.approx(25.0)
    for variant in ("scatter", "scatter_two"):
        assert measured[variant]["events"] == 400 * 100
        assert measured[variant]["sum"] == pytest.approx(400 * 100 * 0.01)


def test_fly_is_wired_as_its_docstring_says():
    """Twice the same, distinct pairs; degrees and contacts heavy-tailed; a source has one sign; few neurons fire."""
    network = fly(0.2)
    [projection] = network["projections"]
    made, n = projection["rule"][1], sum(network["populations"].values())
    pre, post, weight = wiring.synapses(made, n)
    assert all(np.array_equal(a, b) for a, b in zip((pre, post, weight), wiring.synapses(made, n), strict=True))
    assert np.unique(pre * n + post).size == pre.size == pytest.approx(15e6 * 0.2, rel=0.1)
    contacts = np.abs(weight) / made["contact"]
    assert contacts.mean() == pytest.approx(3.8, abs=0.3) and contacts.max() > 300.0
    assert np.mean(contacts == 1.0) == pytest.approx(1.0 - 2.0**-1.3, abs=0.01)
    for degree in (np.bincount(pre, minlength=n), np.bincount(post, minlength=n)):
        assert degree.max() > 10.0 * degree.mean() and np.median(degree) < 0.7 * degree.mean()
    positive, negative = (np.unique(pre[sign * weight > 0.0]) for sign in (1, -1))
    assert np.intersect1d(positive, negative).size == 0 and positive.size / n == pytest.approx(0.7, abs=0.02)

    simulation = eventsnn_peer.build(network, 1).compile()
    spikes = simulation.run(100.0).spikes
    assert np.unique(spikes["driven"].ids).size == 21 and 0.005 * n < np.unique(spikes["others"].ids).size < 0.05 * n
    assert wiring.counts(network, np.arange(n)) == {"events": pre.size}


def test_fly_of_both_engines():
    logs = []
    for engine in ("compiled", "reference"):
        spikes = eventsnn_peer.build(fly(0.01), 1).compile(engine).run(60.0).spikes
        logs.append([spikes[name].times.tobytes() + spikes[name].ids.tobytes() for name in ("driven", "others")])
        assert len(spikes["others"]) > 100
    assert logs[0] == logs[1]


def test_session_is_described_printed_and_drawn(session):
    found, out = session
    assert found["repeats"] == 1 and found["machine"]["cores"] >= 1 and found["date"][:2] == "20"
    assert set(found["versions"]) == {"eventsnn", "scatter", "scatter_two"}
    ours = found["workloads"]["sparse_1e4"]["results"]["eventsnn"]
    assert ours["ratio"] == 1.0 and not ours["off_rate"] and ours["peak_bytes"] > ours["growth_bytes"] > 0
    assert (out / "bench.png").read_bytes()[:4] == b"\x89PNG"
    assert "sparse_1e4: " in bench.table(found)


def test_a_session_can_be_done_in_parts(session, capsys):
    found, out = session
    more = ["--quick", "--simulators", "eventsnn", "--add", "--out", str(out)]
    assert bench.main([*more, "--workloads", "sparse_10Hz"]) == 0
    both = json.loads((out / "bench.json").read_text())["workloads"]
    assert set(both) == {*found["workloads"], "sparse_10Hz"} and both["brunel_dc"] == found["workloads"]["brunel_dc"]
    assert "sparse_1e4: " in capsys.readouterr().out
    with pytest.raises(SystemExit, match="another --scale"):
        bench.main([*more, "--seed", "2"])


def run(rate: float, seconds: float, **more) -> dict:
    counts = {"neurons": 10, "synapses": 100, "spikes": 5, "growth_bytes": 1, "peak_bytes": 1, **more}
    return {"runs": [{"version": "1", "rate": rate, "cpu_s": seconds, "wall_s": seconds, "build_s": 0.0, **counts}]}


SILENT = {"drive": {"kind": "none"}, "duration": 1000.0, "populations": {"a": 4, "b": 6}, "projections": []}


def test_a_time_at_another_rate_is_marked_and_in_no_ratio():
    results = {"eventsnn": run(10.0, 1.0), "nest": run(10.2, 8.0), "brian2": run(11.0, 0.1)}
    bench.summarise(Workload("w", "", SILENT, rate=10.0), results, {})
    assert results["nest"]["ratio"] == 8.0 and not results["nest"]["off_rate"]
    assert results["brian2"]["off_rate"] and "ratio" not in results["brian2"]
    assert bench.cells("brian2", results["brian2"])[1] == "11*"

    wrong = {"eventsnn": run(11.0, 1.0), "nest": run(10.0, 8.0)}
    bench.summarise(Workload("w", "", SILENT, rate=10.0), wrong, {})
    assert "ratio" not in wrong["nest"]


def test_each_population_has_its_rate_and_its_synapses():
    rates = {"a": (1.0, 0.1), "b": (5.0, 0.5)}
    projections = [{"pre": "a", "rule": ["total", 30]}, {"pre": "b", "rule": ["total", 70]}]
    drive = {"kind": "poisson", "rate": [10.0, 20.0]}
    network = {**SILENT, "projections": projections, "drive": drive}
    results = {
        "eventsnn": run(3.4, 1.0, events=500, rates={"a": 1.05, "b": 4.9}),
        "nest": run(3.4, 8.0, rates={"a": 1.0, "b": 5.0}),
        "nest_ps": run(3.4, 9.0, rates={"a": 1.2, "b": 4.87}),
    }
    bench.summarise(Workload("w", "", network, rates=rates), results, {})
    assert results["nest"]["ratio"] == 8.0
    assert results["nest_ps"]["off_rate"] and "ratio" not in results["nest_ps"]
    assert results["nest"]["ns_per_event"] == pytest.approx(8e9 / (30 * 1.0 + 70 * 5.0 + 4 * 10.0 + 6 * 20.0))
    lines = bench.population_rates({"rates": rates, "results": results})
    assert [line.split()[-1] for line in lines] == ["b", "5.00+-0.50", "4.90", "5.00", "4.87"]


def test_threads_are_compared_by_wall_time_with_one_thread():
    alone = {"eventsnn": run(10.0, 3.0), "nest": run(10.0, 8.0)}
    bench.summarise(Workload("w", "", SILENT, rate=10.0), alone, {})
    both = {"eventsnn": run(10.0, 1.5), "nest": run(10.0, 5.0)}
    two = Workload("w_2", "", SILENT, rate=10.0, threads=2, alone="w")
    bench.summarise(two, both, alone)
    assert (both["eventsnn"]["gain"], both["nest"]["gain"]) == (2.0, 1.6)
    [line] = bench.gains({"alone": "w", "results": both})
    assert line.endswith("eventsnn 2.00, NEST 1.60")


def test_networks_that_the_goals_are_about_are_there():
    rows = {workload.name: workload for workload in workloads(1.0, 2)}
    assert sum(rows["microcircuit_full"].network["populations"].values()) == 77_169
    synapses = sum(p["rule"][1] for p in rows["microcircuit_full"].network["projections"])
    assert synapses == pytest.approx(0.3e9, rel=0.01) and rows["microcircuit_full"].repeats == 1
    for name in ("brunel_poisson", "microcircuit"):
        two = rows[f"{name}_threads_2"]
        assert (two.threads, two.network, two.alone) == (2, rows[name].network, name)
    assert rows["brunel_dc_het"].network["drive"]["kind"] == rows["brunel_exp_dc"].network["drive"]["kind"] == "current"
    assert set(bench.SIMULATORS) == set(bench_plot.LOOKS)


def test_what_differs_in_a_part_changes_nothing_else():
    reference = scenario.load("brunel").build(n=500, drive="dc").run(50.0).spikes["exc"].times
    assert reference.size > 500
    for name, case in heterogeneity.CASES.items():
        results = heterogeneity.build(case, 500).run(50.0)
        same = np.array_equal(results.spikes["exc"].times, reference)
        assert same == (name in ("base", "recorded", "zero_delay")), name


@pytest.mark.parametrize("path", sorted(BENCHMARKS.glob("*.py")), ids=lambda path: path.name)
def test_a_benchmark_states_its_question(path):
    if "__main__" in (text := path.read_text()):
        assert text.partition("\n\n")[0].endswith("?") or "? " in text.partition("\n\n")[0], path.name


def test_peers_that_are_not_there_are_skipped_with_a_line(capsys):
    assert bench.versions(["nest", "nest_ps"], {"nest": "/nonexistent/python"}) == {}
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith("nest: skipped, ") and "--nest or BENCH_NEST" in line
