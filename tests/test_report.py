"""The HTML report of a run: its numbers, that it loads nothing, and that nothing a stranger wrote becomes HTML."""

from __future__ import annotations

import base64
import itertools
import json
import re
import zlib
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from command_line import command
from long_networks import STOP, network_of
from scipy import signal

import eventsnn as esn
from eventsnn.base.errors import InputError
from eventsnn.results.report.curves import thinned
from eventsnn.results.report.report import report_page
from eventsnn.results.report.spikes import drawn_spikes
from eventsnn.results.report.statistics import BIN, correlations, mean_correlation, spectrum

NASTY = "<img src=x onerror=alert(1)></script><script>alert(2)</script>&\"'"


class Reader(HTMLParser):
    """Elements of a page, with their attributes, and its texts."""

    def __init__(self, page: str):
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.texts.append(data)


def data_of(page: str) -> dict:
    return json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', page)[1])


def unpacked(packed: dict) -> np.ndarray:
    """The array that report.js sees, by other means."""
    plain = np.frombuffer(zlib.decompress(base64.b64decode(packed["data"])), dtype=np.uint8)
    size = int(packed["type"][1])
    return np.ascontiguousarray(plain.reshape(size, -1).T).view(f"<{packed['type']}").reshape(-1)


def by_hand(names: tuple[str, str] = ("a", "b")) -> esn.Results:
    first = esn.SpikeTrains([1.0, 2.5, 4.0, 9.0], [0, 2, 0, 2], 3, 0.0, 10.0, names[0])
    second = esn.SpikeTrains([5.0], [7], 1, 0.0, 10.0, names[1], [7])
    traces = esn.Traces([0.0, 5.0], [0], {"V_m": [[-70.0, -60.0]]})
    weights = esn.Traces([0.0, 5.0], [0, 1], {"weight": [[1.0, 2.0], [3.0, 5.0]]})
    return esn.Results(dict(zip(names, (first, second), strict=True)), {names[0]: traces, "w": weights}, 0.0, 10.0, {})


def test_the_raster_holds_every_spike():
    data = data_of(report_page(by_hand()))["raster"]
    counts, intervals = unpacked(data["counts"]), unpacked(data["intervals"])
    assert counts.tolist() == [2, 0, 2, 1]
    ends = np.cumsum(counts)
    times = [np.cumsum(intervals[end - n : end]) * data["quantum"] for end, n in zip(ends, counts, strict=True)]
    assert [t.tolist() for t in map(np.round, times, [9] * 4)] == [[1.0, 4.0], [], [2.5, 9.0], [5.0]]
    assert [unpacked(p["ids"]).tolist() for p in data["populations"]] == [[0, 1, 2], [7]]
    assert (data["begin"], data["length"]) == (0.0, 10.0)


@pytest.mark.parametrize("case", ["rows float32", "rule STDP", "model HHTraub", "source Gamma", "rows few"])
def test_the_raster_of_a_run_is_its_spikes_to_the_quantum(case):
    results = network_of(case).run(STOP)
    drawn = drawn_spikes(results, ["#000000"] * len(results.spikes))
    counts, intervals = unpacked(drawn.data["counts"]), unpacked(drawn.data["intervals"])
    starts = np.cumsum(counts) - counts
    times = [np.cumsum(intervals[k : k + n]) * drawn.quantum for k, n in zip(starts, counts, strict=True)]
    expected = [train for trains in results.spikes.values() for train in trains.trains()]
    assert drawn.every == 1 and len(times) == len(expected)
    for found, train in zip(times, expected, strict=True):
        assert np.abs(found - train).max(initial=0.0) <= 0.51 * drawn.quantum


def test_numbers_in_tables_and_charts():
    page = report_page(by_hand())
    texts = [text.strip() for text in Reader(page).texts]
    row = texts.index("a", texts.index("CV of ISI"))
    assert [t for t in texts[row : row + 8] if t] == ["a", "3", "4", "133.333", "-", "b", "1", "1"]
    assert "w: 2 weights" in texts and "first, 0 ms" in texts and "last, 5 ms" in texts


def test_correlations_and_spectra_are_those_of_numpy_and_scipy():
    rng = np.random.default_rng(3)
    times, ids = np.sort(rng.uniform(0.0, 2000.0, 4000)), rng.integers(0, 8, 4000)
    trains = esn.SpikeTrains(times, ids, 8, 0.0, 2000.0, "a")
    counts = np.array([np.histogram(times[ids == k], int(2000.0 / BIN), (0.0, 2000.0))[0] for k in range(8)])
    expected = np.corrcoef(counts)[np.triu_indices(8, 1)]
    assert np.sort(correlations(trains)) == pytest.approx(np.sort(expected), abs=1e-12)
    assert mean_correlation(trains) == pytest.approx(np.mean(expected), abs=1e-12)
    rate = np.histogram(times, 2000, (0.0, 2000.0))[0] / 8 * 1000.0
    frequencies, power = signal.welch(rate, 1000.0, nperseg=1024)
    found = spectrum(trains)
    assert found[0] == pytest.approx(frequencies[1:], rel=1e-12) and found[1] == pytest.approx(power[1:], rel=1e-9)


def test_thinning_keeps_the_lowest_and_the_highest():
    times = np.arange(100_001.0)
    values = np.sin(times / 700.0)
    values[77_777], values[33_333], values[5] = 9.0, -9.0, np.nan
    at, kept = thinned(times, values)
    assert len(at) <= 10_000 and np.nanmax(kept) == 9.0 and np.nanmin(kept) == -9.0 and (np.diff(at) > 0).all()
    assert (values[at.astype(int)][~np.isnan(kept)] == kept[~np.isnan(kept)]).all()


def test_nothing_that_others_wrote_becomes_html():
    results = by_hand((NASTY, NASTY * 2))
    results.summary.update({
        "scenario": {"name": NASTY, "file": NASTY, "parameters": {NASTY: NASTY}}, "version": NASTY, "engine": NASTY,
        "machine": {NASTY: NASTY}, "stopped": NASTY, NASTY: 3.0, "fingerprint": NASTY,
        "checks": [{"name": NASTY, "measured": NASTY, "expected": 1.0, "tolerance": 1, "source": NASTY, "passed": 0}],
    })  # fmt: skip
    nasty, plain = Reader(report_page(results)), Reader(report_page(by_hand()))
    assert {tag for tag, _ in nasty.elements} <= {tag for tag, _ in plain.elements} | {"h3", "dl"}
    assert sum(tag == "script" for tag, _ in nasty.elements) == 2
    assert not any(name.startswith("on") for _, attributes in nasty.elements for name in attributes)
    assert any(NASTY in text for text in nasty.texts)


def test_the_page_loads_nothing():
    page = report_page(network_of("rule STDP").run(STOP))
    reader = Reader(page)
    assert not any(name in ("src", "srcset") for _, attributes in reader.elements for name in attributes)
    assert all(a["href"].startswith("#") for tag, a in reader.elements if tag == "a")
    assert "default-src 'none'" in page and "url(" not in page and "@import" not in page


@pytest.mark.parametrize("case", ["empty", "silent", "no neurons", "trace only", "odd summary"])
def test_runs_of_which_there_is_little_to_say(case):
    none = esn.SpikeTrains([], [], 3, 0.0, 0.0, "a")
    results = {
        "empty": esn.Results({}, {}, 0.0, 0.0, {}),
        "silent": esn.Results({"a": none}, {}, 0.0, 0.0, {}),
        "no neurons": esn.Results({"a": esn.SpikeTrains([], [], 0, 0.0, 5.0, "a")}, {}, 0.0, 5.0, {}),
        "trace only": esn.Results({}, {"a": esn.Traces([0.0], [0], {"V_m": [[np.nan]]})}, 0.0, 5.0, {}),
        "odd summary": esn.Results({}, {}, 0.0, 5.0, {"wall_s": "x", "checks": 3, "scenario": [], "spikes": 10**400}),
    }[case]
    assert "</html>" in report_page(results)


def test_a_report_is_written_once_and_replaced_by_force(tmp_path):
    results = by_hand()
    results.report(tmp_path / "r.html")
    with pytest.raises(InputError, match=r"r\.html exists already"):
        results.report(tmp_path / "r.html")
    results.report(tmp_path / "r.html", force=True)
    with pytest.raises(InputError, match="cannot be written"):
        results.report(tmp_path / "nowhere" / "r.html")
    assert [path.name for path in tmp_path.iterdir()] == ["r.html"]


def test_the_command_line(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert command("run", "three_neurons", "--out", "r").returncode == 0
    done = command("report", "r")
    assert done.returncode == 0 and done.stdout.strip() == "r/report.html"
    page = Path(tmp_path, "r/report.html").read_text("utf-8")
    assert "three_neurons" in page and esn.load(tmp_path / "r").summary["fingerprint"] in page
    assert "exists already" in command("report", "r").stderr
    assert command("report", "r", "--force", "--out", "other.html").returncode == 0
    done = command("report", "nowhere")
    assert done.returncode == 2 and "nowhere does not exist" in done.stderr


def points_of(page: str, title: str) -> np.ndarray:
    """Corners of the first outline in the chart of this title, in pixels from its lower left end, upwards."""
    chart = re.search(rf'<svg [^>]*aria-label="{re.escape(title)}">(.*?)</svg>', page)[1]
    path = re.search(r'<path d="M([^"]*)" fill="#', chart)[1]
    points = np.array([[float(x) for x in point.split()] for point in path.split("L")])
    return (points - points[0]) * (1.0, -1.0)


def test_histograms_of_intervals_and_their_cv():
    # neuron 0: intervals of 1, 1, 1 and 4 ms; neuron 1: of 2 and 2 ms, CV 0
    trains = esn.SpikeTrains([0.5, 1.0, 1.5, 2.5, 3.0, 3.5, 5.0, 7.5], [0, 1, 0, 0, 1, 0, 1, 0], 2, 0.0, 10.0, "a")
    page = report_page(esn.Results({"a": trains}, {}, 0.0, 10.0, {}))
    intervals, cv = points_of(page, "a: ISI"), points_of(page, "a: CV of ISI")
    bars = {round(x / intervals[-1, 0] * 4.0, 1): y for x, y in intervals if y > 0.0}
    assert [min(bars, key=lambda x: abs(x - at)) == pytest.approx(at, abs=0.1) for at in (1.0, 2.0, 4.0)] == [True] * 3
    heights = sorted({round(y, 1) for y in bars.values()})
    assert np.array(heights) / heights[0] == pytest.approx([1.0, 2.0, 3.0], abs=0.02)
    # [1, 1, 1, 4]: mean 7/4, variance 27/16
    shown = cv[cv[:, 1] > 0.0][:, 0] / cv[-1, 0] * 1.5
    assert shown.min() == pytest.approx(0.0, abs=0.01) and shown.max() == pytest.approx(27**0.5 / 7.0, abs=0.031)


def test_histograms_of_weights():
    # a quarter of the weights are 0, the others 1; in the end all are 1
    weights = esn.Traces([0.0, 5.0], [0, 1, 2, 3], {"weight": [[0.0, 1.0], [1.0, 1.0], [1.0, 1.0], [1.0, 1.0]]})
    first = points_of(report_page(esn.Results({}, {"w": weights}, 0.0, 5.0, {})), "w: 4 weights")
    bars = [(x, y) for x, y in first if y > 0.0]
    left, right = (y for _, y in (bars[0], bars[-1]))
    assert right / left == pytest.approx(3.0, abs=0.02) and len({y for _, y in bars}) == 2


def test_what_ran_and_what_the_engine_did():
    counted = {"under_way": 30, "windows": 12, "queue_pops": 6, "threshold_tests": 8, "threshold_tests_resolved": 7}
    times = {"wall_s": 2.0, "collecting_s": 1.0, "processing_s": 0.5, "waiting_s": 0.0, "seed": 77, "threads": 3}
    scenario = {"scenario": {"name": "net", "parameters": {"g": 4.5}}, "version": "1.2.3", "machine": {"cores": 2}}
    results = esn.Results({}, {}, 0.0, 10.0, {**counted, **times, **scenario})
    texts = [text for text in Reader(report_page(results)).texts if text.strip()]
    pairs = set(itertools.pairwise(texts))
    assert pairs >= {("seed", "77"), ("threads", "3"), ("eventsnn", "1.2.3"), ("g", "4.5"), ("cores", "2")}
    assert pairs >= {("wall time", "2 s"), ("speed", "0.005 x real time"), ("simulated", "10 ms")}
    assert pairs >= {("mean spikes under way", "2.5"), ("queue entries a window", "0.5")}
    assert ("threshold tests resolved", "87.5 %") in pairs
    assert {"collecting: 1 s, 50.0 %", "processing: 0.5 s, 25.0 %", "all else: 0.5 s, 25.0 %"} <= set(texts)
    assert texts[texts.index("windows") :][:3] == ["windows", "12", "6"]  # a second of wall time
