"""The time line of a run: every spike and arrival that the reference engine itself takes up, and nothing else."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from command_line import command
from long_networks import network_of
from small_networks import delta, spikes_at
from typer.testing import CliRunner

import eventsnn as esn
from eventsnn._core.solve.neuron import R
from eventsnn.base.errors import InputError, StateError
from eventsnn.cli.main import app
from eventsnn.run import timeline as timeline_module
from eventsnn.run.entry import ARRIVAL, CHANGE, EXTERNAL
from eventsnn.run.reference import Reference

STOP = 40.0


def events_of(net: esn.Network, folder: Path, *arguments: Any, **options: Any) -> list[dict[str, Any]]:
    net.timeline(folder / "events.json", *arguments, force=True, **options)
    found: list[dict[str, Any]] = json.loads((folder / "events.json").read_text())["traceEvents"]
    return found


def witnessed(net: esn.Network, monkeypatch: pytest.MonkeyPatch) -> list[tuple[float, int, str, float]]:
    """What the reference engine gives to its neurons in [0, STOP): time, neuron, kind and weight."""
    log: list[tuple[float, int, str, float]] = []

    def current(engine, entry):
        """pA, from the drive (mV/ms) that the neuron has been given."""
        neuron = engine.neurons[entry.neuron]
        return round(neuron.state.drive / neuron.c[R] - float(engine.plan.I_e[entry.neuron]), 6)

    receive = Reference._receive

    def note(self, t, round_, now):
        kinds = {ARRIVAL: "from", EXTERNAL: "external", CHANGE: "current"}
        log.extend(
            (t, entry.neuron, kinds[entry.key[2]], current(self, entry) if entry.key[2] == CHANGE else entry.weight)
            for entry in now
            if entry.key[2] in kinds and self.plan.class_of[entry.neuron] >= 0
        )
        return receive(self, t, round_, now)

    with monkeypatch.context() as patch:
        patch.setattr(Reference, "_receive", note)
        net.run(STOP, engine="reference")
    return log


CASES = [
    "rows float32", "rows procedural", "model LIFExp", "model LIFCondExp", "drive InhomogeneousPoisson",
    "drive Renewal", "drive SinusoidalPoisson", "source Gamma", "source SpikeSource", "source StepCurrent",
    "source RampCurrent",
]  # fmt: skip


@pytest.mark.parametrize("window", [(0.0, STOP), (11.3, 27.9)])
@pytest.mark.parametrize("case", CASES)
def test_it_holds_every_event_of_the_reference_engine(case, window, tmp_path, monkeypatch):
    log = witnessed(network_of(case), monkeypatch)
    net = network_of(case)
    results = net.run(STOP)
    events = events_of(net, tmp_path, *window, neurons=list(net.populations.values()))
    starts = {p.name: (number, p.start) for number, p in enumerate(net._simulation.plan.populations)}
    first = {number: start for number, start in starts.values()}
    expected = Counter(entry for entry in log if window[0] <= entry[0] < window[1])
    found = Counter(
        (e["args"]["time_ms"], first[e["pid"]] + e["tid"], e["cat"], e["args"].get("weight", e["args"].get("current")))
        for e in events
        if e.get("cat") in ("from", "external", "current")
    )
    assert found == expected and len(expected) > 10
    spikes = Counter((e["pid"], e["tid"], e["args"]["time_ms"]) for e in events if e.get("cat") == "spike")
    assert spikes == Counter(
        (starts[name][0], int(neuron), float(time))
        for name, trains in results.spikes.items()
        for neuron, time in zip(trains.ids, trains.times, strict=True)
        if window[0] <= time < window[1]
    )


def test_plastic_synapses_deliver_after_both_delays(tmp_path):
    net = network_of("rule STDP")
    net.run(STOP)
    events = events_of(net, tmp_path, 0.0, STOP, neurons=net.populations["cells"])
    arrivals = [e for e in events if e.get("cat") == "from" and e["args"]["projection"] == "wires"]
    assert arrivals and all("weight" not in e["args"] for e in arrivals)
    synapses = net.projections["wires"].synapses()
    delay = {(int(i), int(j)): d for i, j, d in zip(synapses.pre, synapses.post, synapses.delay, strict=True)}
    for e in arrivals:
        sender = int(e["name"].split()[-1])
        waited = e["args"]["time_ms"] - e["args"]["fired_ms"]
        assert waited == pytest.approx(delay[sender, e["tid"]], abs=1e-12)


def by_hand() -> esn.Network:
    """A source that fires a neuron 5 ms after 1 ms, and hardly reaches it after 4 ms."""
    net = esn.Network()
    cell = delta(net)
    spikes_at(net, cell, [1.0, 4.0], weight=2.0, delay=5.0, name="source")
    net.run(20.0)
    return net


def test_by_hand(tmp_path):
    events = events_of(by_hand(), tmp_path)
    assert [e for e in events if e["ph"] == "M" and e["name"] == "process_name"] == [
        {"ph": "M", "name": "process_name", "pid": 0, "args": {"name": "cells"}},
        {"ph": "M", "name": "process_name", "pid": 1, "args": {"name": "source"}},
    ]
    spikes = [(e["pid"], e["tid"], e["ts"]) for e in events if e["name"] == "spike"]
    assert spikes == [(0, 0, 6000.0), (0, 0, 9000.0), (1, 0, 1000.0), (1, 0, 4000.0)]
    arrival = next(e for e in events if e["name"] == "from source 0")
    assert (arrival["pid"], arrival["ts"]) == (0, 6e3)
    given = {"time_ms": 6.0, "fired_ms": 1.0, "delay_ms": 5.0, "sender": "source 0", "weight": 2.0}
    assert arrival["args"].items() >= given.items()
    arrows = [(e["ph"], e["pid"], e["ts"], e["id"]) for e in events if e["ph"] in "sf"]
    assert arrows == [("s", 1, 1e3, 1), ("f", 0, 6e3, 1), ("s", 1, 4e3, 2), ("f", 0, 9e3, 2)]


def test_a_spike_lasts_as_long_as_the_neuron_is_refractory(tmp_path):
    net = esn.Network()
    spikes_at(net, delta(net, t_ref=2.5), [1.0, 4.0], weight=2.0, delay=5.0, name="source")
    net.run(20.0)
    spikes = [(e["pid"], e["ts"], e["dur"]) for e in events_of(net, tmp_path) if e["name"] == "spike"]
    assert spikes == [(0, 6000.0, 2500.0), (0, 9000.0, 2500.0), (1, 1000.0, 0.0), (1, 4000.0, 0.0)]


def test_changes_of_current_by_hand(tmp_path):
    net = esn.Network()
    cells = delta(net, 2)
    net.stimulate(cells[1:], esn.StepCurrent([3.0, 7.0, 12.0], [0.5, 0.25, 0.0]))
    net.stimulate(cells[:1], esn.SineCurrent(0.125, 10.0))
    net.run(10.0)
    events = [e for e in events_of(net, tmp_path) if e["name"] == "current"]
    assert [(e["tid"], e["ts"], e["args"]["current"]) for e in events] == [
        (0, 0.0, 0.0), (1, 3000.0, 0.5), (1, 7000.0, 0.25),
    ]  # fmt: skip
    frequency, _, amplitude = events[0]["args"]["sines"][0]
    assert (frequency, amplitude) == pytest.approx((0.01, 0.125))


def test_a_fork_has_no_arrivals_of_spikes_that_it_did_not_record(tmp_path):
    net = by_hand()
    net.reset()
    net.run(5.0)
    fork = net.fork()
    fork.run(15.0)
    with pytest.raises(InputError, match="before 5 ms, when recording began, .* begin at 10 ms or later"):
        fork.timeline(tmp_path / "events.json", 5.0, 9.0)
    assert [e for e in events_of(fork, tmp_path, 10.0, 15.0) if e["ph"] == "X"] == []


def test_a_window_begins_with_what_was_fired_before_it(tmp_path):
    events = events_of(by_hand(), tmp_path, 5.0, 7.0)
    assert [e["name"] for e in events if e["ph"] == "X"] == ["spike", "from source 0"]
    assert not any(e["ph"] in "sf" for e in events)  # the arrow would come from outside


def test_the_format(tmp_path):
    """As the Trace Event Format has it: each event has what its phase needs, and arrows end where slices are."""
    net = network_of("rows float32")
    net.run(STOP)
    net.timeline(tmp_path / "events.json")
    content = json.loads((tmp_path / "events.json").read_text())
    assert content["displayTimeUnit"] == "ms"
    slices = {(e["pid"], e["tid"], e["ts"]) for e in content["traceEvents"] if e["ph"] == "X"}
    needs = {"M": {"name", "args"}, "X": {"name", "cat", "dur", "args"}, "s": {"id", "cat"}, "f": {"id", "cat", "bp"}}
    for e in content["traceEvents"]:
        assert needs[e["ph"]] <= set(e) and isinstance(e["pid"], int)
        if e["ph"] in "Xsf":
            assert isinstance(e["tid"], int) and np.isfinite(e["ts"]) and (e["pid"], e["tid"], e["ts"]) in slices


def test_what_is_asked_for_amiss_is_a_sentence(tmp_path, monkeypatch):
    net = network_of("rows float32")
    path = tmp_path / "events.json"
    with pytest.raises(StateError, match="the network has not run yet"):
        net.timeline(path)
    net.run(STOP)
    for window in ((0.0, 50.0), (5.0, 5.0), (-1.0, 3.0)):
        with pytest.raises(InputError, match="is no part of 0 to 40 ms, which was simulated"):
            net.timeline(path, *window)
    with pytest.raises(InputError, match="t0 = 'a'"):
        net.timeline(path, "a")
    with pytest.raises(InputError, match="are no neurons of this network"):
        net.timeline(path, neurons=[3])
    with pytest.raises(InputError, match="are no neurons of this network"):
        net.timeline(path, neurons=by_hand().populations["cells"])
    monkeypatch.setattr(timeline_module, "MOST_EVENTS", 50)
    with pytest.raises(InputError, match="more than 50 events from 0 to 40 ms; take a shorter window, or fewer"):
        net.timeline(path)
    assert not list(tmp_path.iterdir())
    few = network_of("rows few")
    few.run(STOP)
    with pytest.raises(InputError, match="not all spikes of cells, which arrive along .*, were recorded; record"):
        few.timeline(path)
    with pytest.raises(InputError, match="not all spikes of these neurons of cells were recorded; record them"):
        few.timeline(path, neurons=few.populations["cells"])


def test_the_command_line(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = command(
        "run", "three_neurons", "--out", "r", "--trace", "t.json", "--trace-window", "0:50",
        "--trace-neurons", "chain:0-1,loop:2", "--stream",
    )  # fmt: skip
    assert done.returncode == 0 and "t.json" in done.stdout, done.stderr
    events = json.loads((tmp_path / "t.json").read_text())["traceEvents"]
    named = {e["args"]["name"] for e in events if e["name"] == "thread_name"}
    assert named == {"chain 0", "chain 1", "loop 2"}
    for options, sentence in [
        (["--trace", "t.json"], "exists already"),
        (["--trace-window", "0:50"], "give --trace FILE too"),
        (["--trace", "a.json", "--trace-window", "5"], "--trace-window '5' is no window; give two times in ms"),
        (["--trace", "a.json", "--trace-window", "9:5"], "must begin at 0 or later and end after it begins"),
        (["--trace", "a.json", "--trace-window", "0:9e9"], "--trace-window ends at 9e+09 ms, after the"),
        (["--trace", "a.json", "--trace-neurons", "chain"], "'chain' names no neurons"),
        (["--trace", "a.json", "--trace-neurons", "chain:3"], "chain has 3 neurons, no 3"),
        (["--trace", "a.json", "--trace-neurons", "chian:0"], "there is no population 'chian'; did you mean"),
    ]:
        done = command("run", "three_neurons", "--out", "other", *options)
        assert done.returncode == 2 and sentence in " ".join(done.stderr.split()), done.stderr
        assert not (tmp_path / "other").exists()


def test_too_many_events_do_not_hide_what_was_simulated(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(timeline_module, "MOST_EVENTS", 10)
    done = CliRunner().invoke(app, ["run", "three_neurons", "--out", "r", "--trace", "t.json"])
    assert done.exit_code == 2 and "chain input" in done.stdout and "r/spikes.h5" in done.stdout
    assert "more than 10 events from 0 to 100 ms" in " ".join(done.stderr.split())
    assert esn.load("r").t_stop == 150.0 and not (tmp_path / "t.json").exists()
