"""The report in a real browser: Debian's chromium, without a screen. `.ci/browser` installs it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import eventsnn as esn

playwright = pytest.importorskip("playwright.sync_api")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium is installed")

PRESS = """async (key) => {
  const canvas = document.getElementById("raster-canvas"), begin = performance.now();
  canvas.dispatchEvent(new KeyboardEvent("keydown", { key }));
  await new Promise((done) => requestAnimationFrame(done));
  return performance.now() - begin;
}"""
INK = """() => {
  const canvas = document.getElementById("raster-canvas");
  const { data } = canvas.getContext("2d").getImageData(150, 6, canvas.width - 180, canvas.height - 40);
  let drawn = 0;
  for (let i = 3; i < data.length; i += 4) drawn += data[i] > 40;
  return drawn;
}"""
# Columns of the raster, counted from its left end, that are dark at this part of its height; and its width.
DARK = """(part) => {
  const canvas = document.getElementById("raster-canvas"), width = canvas.width - 174, height = canvas.height - 30;
  const { data } = canvas.getContext("2d").getImageData(150, 6 + Math.floor(part * height), width, 1);
  return [[...Array(width).keys()].filter((x) => data[4 * x + 3] > 40), width];
}"""


@pytest.fixture(scope="module")
def browser() -> Iterator[object]:
    with playwright.sync_playwright() as driver:
        found = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield found
        found.close()


class Shown:
    """A report that is open in a browser."""

    def __init__(self, browser, path: Path, raster: bool = True):
        self.page = browser.new_page(viewport={"width": 1300, "height": 1100})
        self.complaints: list[str] = []
        self.requests: list[str] = []
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.goto(path.as_uri())
        if raster:
            self.page.wait_for_selector(".status:not(:empty)", timeout=60_000)
        else:
            self.page.wait_for_timeout(300)

    def status(self) -> str:
        return self.page.inner_text(".status")

    def spikes(self) -> int:
        """How many the page says are in view."""
        return int(self.status().split()[0].replace(",", ""))

    def press(self, key: str) -> float:
        """Press a key on the raster; ms until it is drawn anew."""
        return float(self.page.evaluate(PRESS, key))


def random_results(spikes: int, neurons: int, stop: float) -> esn.Results:
    rng = np.random.default_rng(4)
    times, ids = np.sort(rng.uniform(0.0, stop, spikes)), rng.integers(0, neurons, spikes)
    return esn.Results({"cells": esn.SpikeTrains(times, ids, neurons, 0.0, stop, "cells")}, {}, 0.0, stop, {})


def expected(results: esn.Results, t0: float, t1: float, first: int, last: int) -> int:
    """Spikes in a window of time and of neurons."""
    trains = results.spikes["cells"]
    return int(((trains.times >= t0) & (trains.times <= t1) & (trains.ids >= first) & (trains.ids < last)).sum())


def test_a_page_complains_of_nothing_and_asks_for_nothing(browser, tmp_path):
    esn.scenario("three_neurons").run().report(tmp_path / "r.html")
    shown = Shown(browser, tmp_path / "r.html")
    assert shown.complaints == [] and shown.requests == [(tmp_path / "r.html").as_uri()]
    assert shown.status() == "30 spikes in view, each one drawn"
    assert shown.page.locator("#traces canvas").count() == 6
    assert shown.page.evaluate(INK) > 100


def test_zooming_shows_exactly_the_spikes_of_the_window(browser, tmp_path):
    results = random_results(20_000, 80, 1000.0)
    results.report(tmp_path / "r.html")
    shown = Shown(browser, tmp_path / "r.html")
    assert shown.spikes() == 20_000
    shown.press("+")
    assert shown.spikes() == expected(results, 250.0, 750.0, 20, 60)
    shown.press("+")
    assert shown.spikes() == expected(results, 375.0, 625.0, 30, 50)
    shown.press("ArrowRight")
    assert shown.spikes() == expected(results, 425.0, 675.0, 30, 50)
    shown.press("ArrowUp")
    assert shown.spikes() == expected(results, 425.0, 675.0, 26, 46)
    for _ in range(4):
        shown.press("-")
    assert shown.spikes() == 20_000


def test_the_wheel_zooms_at_the_pointer_and_a_double_click_shows_everything(browser, tmp_path):
    results = random_results(20_000, 80, 1000.0)
    results.report(tmp_path / "r.html")
    shown = Shown(browser, tmp_path / "r.html")
    box = shown.page.locator("#raster-canvas").bounding_box()
    shown.page.mouse.move(box["x"] + 151.0, box["y"] + box["height"] - 5.0)  # the time axis, where it begins
    shown.page.mouse.wheel(0.0, -100.0)
    shown.page.wait_for_timeout(100)
    part = 1000.0 * np.exp(-0.2)
    near = [expected(results, 0.0, part + off, 0, 80) for off in (-5.0, 5.0)]
    assert near[0] <= shown.spikes() <= near[1]
    shown.page.locator("#raster-canvas").dblclick()
    shown.page.wait_for_timeout(100)
    assert shown.spikes() == 20_000


def test_a_spike_is_named_under_the_pointer(browser, tmp_path):
    trains = esn.SpikeTrains([500.0], [1], 3, 0.0, 1000.0, "<b>cells</b>")
    esn.Results({"<b>cells</b>": trains}, {}, 0.0, 1000.0, {}).report(tmp_path / "r.html")
    shown = Shown(browser, tmp_path / "r.html")
    box = shown.page.locator("#raster-canvas").bounding_box()
    shown.page.mouse.move(
        box["x"] + 150.0 + (box["width"] - 174.0) / 2.0, box["y"] + 6.0 + (box["height"] - 30.0) / 2.0
    )
    assert shown.page.inner_text(".tip").startswith("<b>cells</b> 1, 500.0")


def little(case: str) -> esn.Results:
    """Results in which much is missing."""
    one = esn.SpikeTrains([1.0, 2.5, 4.0], [0, 0, 0], 1, 0.0, 10.0, "one")
    silent = esn.SpikeTrains([], [], 5, 0.0, 10.0, "silent")
    traces = esn.Traces([0.0, 5.0], [2], {"V_m": [[-70.0, np.nan]]})
    weights = esn.Traces([0.0, 5.0], [0, 1], {"weight": [[0.1, 0.2], [0.1, 0.3]]})
    spikes, samples = {
        "spike trains only": ({"one": one, "silent": silent}, {}),
        "one neuron": ({"one": one}, {}),
        "no spike": ({"silent": silent}, {"silent": traces}),
        "traces only": ({}, {"cells": traces}),
        "weights only": ({}, {"synapses": weights}),
        "nothing": ({}, {}),
    }[case]
    return esn.Results(spikes, samples, 0.0, 10.0, {})


@pytest.mark.parametrize(
    "case", ["spike trains only", "one neuron", "no spike", "traces only", "weights only", "nothing"]
)
def test_runs_of_which_there_is_little_to_say(browser, tmp_path, case):
    results = little(case)
    results.report(tmp_path / "r.html")
    shown = Shown(browser, tmp_path / "r.html", raster=bool(results.spikes))
    assert shown.complaints == [] and len(shown.requests) == 1
    assert shown.page.locator("#raster-canvas").count() == bool(results.spikes)
    assert shown.page.locator("#traces canvas").count() == sum(
        "V_m" in one.variables for one in results.traces.values()
    )
    if results.spikes:
        assert shown.spikes() == sum(map(len, results.spikes.values()))


def test_marks_are_where_the_spikes_are(browser, tmp_path):
    trains = esn.SpikeTrains([100.0, 500.0, 900.0], [2, 0, 1], 3, 0.0, 1000.0, "cells")
    esn.Results({"cells": trains}, {}, 0.0, 1000.0, {}).report(tmp_path / "r.html")
    shown = Shown(browser, tmp_path / "r.html")
    for row, expected_ms in enumerate((500.0, 900.0, 100.0)):
        dark, width = shown.page.evaluate(DARK, (row + 0.5) / 3.0)
        assert np.mean(dark) / width * 1000.0 == pytest.approx(expected_ms, abs=3.0) and len(dark) == 2


@pytest.mark.long
def test_ten_million_spikes_are_zoomed_within_100_ms_in_a_page_below_30_mb(browser, tmp_path):
    results = random_results(10**7, 20_000, 10_000.0)
    results.report(tmp_path / "r.html")
    size = (tmp_path / "r.html").stat().st_size
    shown = Shown(browser, tmp_path / "r.html")
    assert shown.spikes() == 10**7
    seconds = [shown.press(key) for key in ["+", "-", "+", "+", "ArrowLeft", "+", "ArrowRight", "-", "-", "-"]]
    print(f"{size / 1e6:.1f} MB, at most {max(seconds):.0f} ms")
    assert size < 30e6 and max(seconds) <= 100.0
