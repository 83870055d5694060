"""Small wrong changes of the reference engine and of the models' equations: the equality tests must notice every one.

A mutant that gave the compiled engine's event logs on all networks would show that they cannot tell right from wrong.
Not in the table, because no event log can differ: changes of current carried out after the inputs of their time (the
state is advanced with the old current in either order, and neither acts on what the other does), and the port to which
a weight of zero is added. `>` for `>=` in the threshold test after an input is not in it either: the neuron then fires
by its crossing, in the next round of the same time, which only spikes without delay can show.
"""

from __future__ import annotations

import dataclasses
import functools
import importlib.util
from pathlib import Path
from types import ModuleType

import pytest
from event_log import differences, event_log, simulation_of
from random_networks import random_network

import eventsnn as esn
from eventsnn.plan import Plan

STOP = 40.0
SEEDS = range(120)

REFERENCE, STREAMS = "eventsnn.reference", "eventsnn.streams"
DELTA, EXP = "eventsnn.models.lif_delta", "eventsnn.models.lif_exp"

# (name, module, old text, new text)
MUTANTS = [
    # canonical order, sums
    (
        "tie key dropped",
        REFERENCE,
        "ARRIVAL, p, row, neuron.spikes, k)",
        "ARRIVAL)",
    ),
    (
        "ties in reverse order",
        REFERENCE,
        "ARRIVAL, p, row, neuron.spikes, k)",
        "ARRIVAL, -p, -row, -neuron.spikes, -k)",
    ),
    (
        "ports summed together",
        REFERENCE,
        "sums[entry.port] = sums[entry.port] + entry.weight",
        "sums[0] = sums[0] + entry.weight",
    ),
    (
        "external and synaptic input in one running sum",
        REFERENCE,
        "[[0.0, 0.0], [0.0, 0.0]])[kind == ARRIVAL]",
        "[[0.0, 0.0], [0.0, 0.0]])[0]",
    ),
    (
        "inputs of one time added one by one",
        REFERENCE,
        "neuron.model.receive(state, [synaptic[0] + external[0], synaptic[1] + external[1]])",
        """for entry in now:
                if entry.neuron == n and entry.key[2] in (EXTERNAL, ARRIVAL):
                    neuron.model.receive(state, [entry.weight * (entry.port == port) for port in (0, 1)])""",
    ),
    (
        "threshold tested after each row instead of after each time",
        REFERENCE,
        "changed |= self._receive(t, round_, now)",
        "for entry in now:\n            changed |= self._receive(t, round_, [entry])",
    ),
    (
        "inputs of weight zero skipped",
        REFERENCE,
        "if kind not in (EXTERNAL, ARRIVAL):",
        "if kind not in (EXTERNAL, ARRIVAL) or (kind == ARRIVAL and entry.weight == 0.0):",
    ),
    # refractoriness
    (
        "end of refractoriness one ulp late",
        REFERENCE,
        "neuron.release = t + neuron.c[4]",
        "neuron.release = math.nextafter(t + neuron.c[4], math.inf)",
    ),
    (
        "end of refractoriness one ulp early",
        REFERENCE,
        "neuron.release = t + neuron.c[4]",
        "neuron.release = max(t, math.nextafter(t + neuron.c[4], 0.0))",
    ),
    (
        "input exactly at the end of refractoriness dropped",
        REFERENCE,
        "neuron.model.instantaneous and t < neuron.release:",
        "neuron.model.instantaneous and (t < neuron.release or t == neuron.release > neuron.c[4] > 0.0):",
    ),
    (
        "inputs of current synapses lost while refractory",
        EXP,
        "instantaneous = False",
        "instantaneous = True",
    ),
    (
        "V not held while refractory",
        EXP,
        "def hold(c: Sequence[float], s: State, h: float) -> None:",
        "def hold(c: Sequence[float], s: State, h: float) -> None:\n        s.v = potential(c, s, h)",
    ),
    (
        "delta neuron not held while refractory",
        DELTA,
        "        pass",
        "        LIFDelta.flow(c, s, h)",
    ),
    # crossings
    (
        "V >= V_th tested again when a crossing fires",
        REFERENCE,
        "                self.settle(entry.neuron, t)\n                self._fire(entry.neuron, t, round_)",
        "                if self.settle(entry.neuron, t).v >= self.neurons[entry.neuron].c[2]:\n"
        "                    self._fire(entry.neuron, t, round_)",
    ),
    (
        "superseded crossing left in the queue",
        REFERENCE,
        "self.queue.remove(neuron.crossing)",
        "pass",
    ),
    (
        "crossing after the input of its time",
        REFERENCE,
        "        changed: set[int] = set()\n",
        "        changed: set[int] = set()\n"
        "        changed |= self._receive(t, round_, now)\n"
        "        now = [entry for entry in now if entry.key[2] in (CROSSING, CHANGE)]\n",
    ),
    (
        "V = V_th at t = 0 is no crossing",
        DELTA,
        "if s.v >= threshold:",
        "if s.v > threshold:",
    ),
    (
        "maximum of V not bracketed",
        EXP,
        "split = turning_point(c, s)\n",
        "split = 0.0\n",
    ),
    (
        "crossing found less precisely",
        EXP,
        "NOISE = 2.0**-52",
        "NOISE = 2.0**-42",
    ),
    # rounds, changes of current, samples, delays
    (
        "spikes without delay delivered in the round in which they were fired",
        REFERENCE,
        "                self._fire(n, t, round_)\n            else:",
        "                self._fire(n, t, round_)\n"
        "                early = [e for e in self.queue if e.key[:3] == (t, round_ + 1, ARRIVAL)]\n"
        "                for e in early:\n"
        "                    self.queue.remove(e)\n"
        "                now += early\n"
        "            else:",
    ),
    (
        "current changed before the state is advanced to its time",
        REFERENCE,
        "state = self.settle(entry.neuron, t)\n",
        "state = self.neurons[entry.neuron].state\n",
    ),
    (
        "crossing kept when the current changes",
        REFERENCE,
        "+ entry.weight)\n                changed.add(entry.neuron)",
        "+ entry.weight)",
    ),
    (
        "sample before the inputs of its time",
        REFERENCE,
        "LAST = 2**62",
        "LAST = -1",
    ),
    (
        "sample advances the state",
        REFERENCE,
        "            self.neurons[n].state = kept\n",
        "",
    ),
    (
        "delay rounded to a grid of 0.1 ms",
        REFERENCE,
        "arrival = t + delay",
        "arrival = t + round(10.0 * delay) / 10.0",
    ),
    # arithmetic
    (
        "numpy's exp",
        EXP,
        "from eventsnn._core.mathfunc import exp, expm1, log",
        "from numpy import exp\n\nfrom eventsnn._core.mathfunc import expm1, log",
    ),
    (
        "log for log1p",
        DELTA,
        "log1p((threshold - s.v) / (s.drive - threshold))",
        "math.log((s.drive - s.v) / (s.drive - threshold))",
    ),
    (
        "flow in another order of operations",
        DELTA,
        "s.v = s.v + (s.drive - s.v) * -expm1(-h / tau_m)",
        "s.v = s.drive + (s.v - s.drive) * (1.0 + expm1(-h / tau_m))",
    ),
    # external spikes
    (
        "Poisson spike from the random numbers of the count",
        STREAMS,
        "level << 8 | (k + 1) // 2",
        "level << 8 | k // 2",
    ),
    (
        "Poisson count off by one at the edge of the sum",
        STREAMS,
        "while uniform >= cumulative:",
        "while uniform * (1.0 + 1e-3) >= cumulative:",
    ),
    (
        "spike thinned by the random number of its neighbour",
        STREAMS,
        "level << 8 | 128 + k // 2",
        "level << 8 | 128 + k",
    ),
    (
        "candidates of another piece's rate",
        STREAMS,
        "bisect.bisect_right(start, t, first, after) - 1",
        "first",
    ),
    (
        "cells of different width share random numbers",
        STREAMS,
        "return math.frexp(width)[1] + 2048 if width > 0.0 else 0",
        "return 0",
    ),
    (
        "first interval not the one that time 0 falls into",
        STREAMS,
        "interval(kind, parameter, key, index, 0, True)",
        "interval(kind, parameter, key, index, 0, False)",
    ),
    (
        "intervals counted from another number",
        STREAMS,
        "interval(kind, parameter, key, index, k, False)",
        "interval(kind, parameter, key, index, k + 1, False)",
    ),
    (
        "Gamma variable accepted too often",
        STREAMS,
        "+ d * ((1.0 - t) + log(t)):",
        "+ d * ((1.0 - t) + log(t)) + 1e-2:",
    ),
]


def load(name: str, old: str = "", new: str = "") -> ModuleType:
    """A fresh copy of a module, with one text replaced."""
    spec = importlib.util.find_spec(name)
    assert spec is not None and spec.origin is not None
    source = Path(spec.origin).read_text(encoding="utf-8")
    if old:
        assert source.count(old) == 1, f"{name} holds {source.count(old)} times: {old}"
        source = source.replace(old, new)
    module = ModuleType(name)
    exec(compile(source, f"<copy of {name}>", "exec"), module.__dict__)
    return module


def load_engine(mutated: str = "", old: str = "", new: str = "") -> dict[str, ModuleType]:
    """Fresh copies of everything that the reference consists of, one of them mutated."""
    modules = {
        name: load(name, old, new) if name == mutated else load(name) for name in (REFERENCE, STREAMS, DELTA, EXP)
    }
    modules[REFERENCE].streams = modules[STREAMS]  # type: ignore[attr-defined]
    return modules


@functools.cache
def compiled_run(seed: int) -> tuple[Plan, dict[str, bytes]]:
    """A random network's Plan and its event log from the compiled engine."""
    simulation = random_network(seed, STOP).compile()
    return simulation.plan, event_log(simulation, STOP)


def differing(modules: dict[str, ModuleType], seed: int) -> list[str]:
    """What of the event log differs between the loaded reference and the compiled engine."""
    plan, wanted = compiled_run(seed)
    models = {esn.LIFDelta: modules[DELTA].LIFDelta, esn.LIFExp: modules[EXP].LIFExp}
    own = dataclasses.replace(plan, models=tuple(models[model] for model in plan.models))
    return differences(wanted, event_log(simulation_of(plan, modules[REFERENCE].Reference(own)), STOP))


def test_unchanged_copy_gives_the_event_logs_of_the_compiled_engine() -> None:
    modules = load_engine()
    assert [seed for seed in SEEDS if differing(modules, seed)] == []


@pytest.mark.parametrize(("module", "old", "new"), [mutant[1:] for mutant in MUTANTS], ids=[m[0] for m in MUTANTS])
def test_mutant_is_caught(module: str, old: str, new: str) -> None:
    modules = load_engine(module, old, new)
    assert any(differing(modules, seed) for seed in SEEDS)


def test_mutants_have_names_of_their_own() -> None:
    assert len({mutant[0] for mutant in MUTANTS}) == len(MUTANTS)
