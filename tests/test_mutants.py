"""Small wrong changes of the reference engine and of the models' equations: the equality tests must notice every one.

A mutant that gave the compiled engine's event logs on all networks would show that they cannot tell right from wrong.
Not in the table, because no event log can differ: changes of current carried out after the inputs of their time (the
state is advanced with the old current in either order, and neither acts on what the other does), the port to which a
weight of zero is added, and a `hopeless` that gives up less often: the search then says the same. `>` for `>=` in the
threshold test after an input is not in it either: the neuron then fires by its crossing, in the next round of the same
time, which only spikes without delay can show. Nor is the order of synaptic and external input of one time, for neurons
in no frame: random times do not coincide.
"""

from __future__ import annotations

import dataclasses
import functools
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from copies import load
from event_log import differences, event_log, simulation_of
from random_networks import random_network

import eventsnn as esn
from eventsnn.compile.plan import Plan

STOP = 40.0
AT_THE_LINE = -1  # not a random network
# Of the first 120, those that are the first to tell some mutant.
SEEDS = (AT_THE_LINE, 0, 1, 2, 5, 6, 8, 17, 21, 31, 39, 44)

REFERENCE, ENTRY, EXTERNAL = (f"eventsnn.run.{name}" for name in ("reference", "entry", "external"))
STREAMS = "eventsnn.draw.streams"
CLOSED_FORM, SEARCH, FRAMES = (f"eventsnn.solve.{name}" for name in ("closed_form", "crossing", "frames"))

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
        ENTRY,
        "total[entry.port] = total[entry.port] + (abs",
        "total[0] = total[0] + (abs",
    ),
    (
        "inputs of one time added one by one",
        REFERENCE,
        "            model.receive(c, state, total, state.t < neuron.release)",
        "            for one in (*synaptic, *external):\n"
        "                model.receive(c, state, by_port(model, [one]), state.t < neuron.release)",
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
        "neuron.release = t + neuron.c[T_REF]",
        "neuron.release = math.nextafter(t + neuron.c[T_REF], math.inf)",
    ),
    (
        "end of refractoriness one ulp early",
        REFERENCE,
        "neuron.release = t + neuron.c[T_REF]",
        "neuron.release = max(t, math.nextafter(t + neuron.c[T_REF], 0.0))",
    ),
    (
        "input exactly at the end of refractoriness dropped",
        REFERENCE,
        "neuron.model.instantaneous and t < neuron.release:",
        "neuron.model.instantaneous and (t < neuron.release or t == neuron.release > neuron.c[T_REF] > 0.0):",
    ),
    (
        "inputs of current synapses lost while refractory",
        CLOSED_FORM,
        "        else:\n            weight = weight + s.low[slot]",
        "        elif not refractory:\n            weight = weight + s.low[slot]",
    ),
    (
        "V not held while refractory",
        CLOSED_FORM,
        "    if not k.clamped:\n        flow(k, c, s, h)",
        "    if True:\n        flow(k, c, s, h)",
    ),
    (
        "V held while refractory where it is not clamped",
        CLOSED_FORM,
        "    if not k.clamped:\n        flow(k, c, s, h)\n        return\n",
        "",
    ),
    (
        "driven thresholds not held while refractory",
        CLOSED_FORM,
        "    for j in range(k.n_driven, k.n_thresholds):",
        "    for j in range(k.n_thresholds):",
    ),
    # crossings
    (
        "V >= V_th tested again when a crossing fires",
        REFERENCE,
        "                self.settle(entry.neuron, t)\n                self._fire(entry.neuron, t, round_)",
        "                settled, own = self.settle(entry.neuron, t), self.neurons[entry.neuron]\n"
        "                if settled.v >= own.model.threshold(own.c, settled):\n"
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
        SEARCH,
        "if start == 0.0 and s.v >= closed_form.threshold(k, c, s):",
        "if start == 0.0 and s.v > closed_form.threshold(k, c, s):",
    ),
    (
        "maximum of V not bracketed",
        SEARCH,
        "if kind == CONCAVE and here.du > 0.0 > there.du:",
        "if False:",
    ),
    (
        "crossing found less precisely",
        SEARCH,
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
        "state, gain, current = self.settle(n, t), ",
        "state, gain, current = self.neurons[n].state, ",
    ),
    (
        "crossing kept when the current changes",
        REFERENCE,
        "self._change_current(entry.neuron, entry.port, t)\n                changed.add(entry.neuron)",
        "self._change_current(entry.neuron, entry.port, t)",
    ),
    (
        "sample before the inputs of its time",
        ENTRY,
        "LAST = 2**62",
        "LAST = -2",
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
        CLOSED_FORM,
        "from eventsnn._core.base.mathfunc import exp, expm1, sin_turns",
        "from numpy import exp\n\nfrom eventsnn._core.base.mathfunc import expm1, sin_turns",
    ),
    (
        "crossing from the state at the last event",
        FRAMES,
        "t = origin + c[TAU_M] * log(u / gap) if float(u) < gap else origin",
        "t = s.t + c[TAU_M] * log(u / (gap * membrane_grown(c, s.t))) if float(u) < gap else origin",
    ),
    (
        "several frames at once",
        FRAMES,
        "    while frames > 0.0 and value != 0:",
        "    factor, frames = int(kept**frames * 2.0**63), min(frames, 1.0)\n    while frames > 0.0 and value != 0:",
    ),
    (
        "a frame skipped",
        FRAMES,
        "return math.floor(later / width) - math.floor(t / width)",
        "return max(math.floor(later / width) - math.floor(t / width) - 1.0, 0.0)",
    ),
    (
        "a frame's end rounded down",
        FRAMES,
        "value = (value * factor + 2**62) >> 63",
        "value = (value * factor) >> 63",
    ),
    (
        "inputs rounded down",
        FRAMES,
        "limited(round(value))",
        "limited(math.floor(value))",
    ),
    (
        "the threshold without slack",
        FRAMES,
        "SLACK = 512",
        "SLACK = 0",
    ),
    (
        "a hundred times the slack",
        FRAMES,
        "SLACK = 512",
        "SLACK = 51_200",
    ),
    (
        "the end of refractoriness without slack",
        REFERENCE,
        "RELEASE_SLACK = 2.0**-50",
        "RELEASE_SLACK = 0.0",
    ),
    (
        "crossing found from the cell before its own",
        FRAMES,
        "    if s.t + span < end:",
        "    if s.t + span < end + CELL:",
    ),
    (
        "free of refractoriness only at the next event",
        FRAMES,
        "        move(k, c, s, release, release)\n        lift(k, c, s)\n    move(k, c, s, t, release)\n",
        "        move(k, c, s, t, release)\n        lift(k, c, s)\n    move(k, c, s, t, release)\n",
    ),
    (
        "weight applied before what the unit has grown by",
        FRAMES,
        "f.u += nearest(weight * (scale * membrane_grown(c, s.t)))",
        "f.u += nearest((weight * scale) * membrane_grown(c, s.t))",
    ),
    (
        "flow in another order of operations",
        CLOSED_FORM,
        "new.v = (v + ((drive - v) * -lost + added) if k.leaks",
        "new.v = ((v + (drive - v) * -lost) + added if k.leaks",
    ),
    (
        "what additions to a current lose is dropped",
        CLOSED_FORM,
        "            weight = weight + s.low[slot]\n",
        "",
    ),
    (
        "reset that leaves the other variables alone",
        CLOSED_FORM,
        "    if not k.resets:\n        return\n",
        "    return\n",
    ),
    (
        "lowest value after a spike ignored",
        CLOSED_FORM,
        "return value if value > c[at + 2] else c[at + 2]",
        "return value",
    ),
    (
        "ramp not integrated",
        CLOSED_FORM,
        "slope * rate * divided([0.0, 0.0, rate], h)",
        "0.0",
    ),
    (
        "sinusoidal current counted from the last event",
        CLOSED_FORM,
        "turns = frequency * s.t + phase",
        "turns = phase",
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
        EXTERNAL,
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
        EXTERNAL,
        "interval(kind, parameter, key, index, 0, True)",
        "interval(kind, parameter, key, index, 0, False)",
    ),
    (
        "intervals counted from another number",
        EXTERNAL,
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


def load_engine(mutated: str = "", old: str = "", new: str = "") -> dict[str, ModuleType]:
    """Fresh copies of everything that the reference consists of, one of them mutated."""
    names = (REFERENCE, ENTRY, EXTERNAL, STREAMS, CLOSED_FORM, SEARCH, FRAMES)
    modules = {name: load(name, old, new) if name == mutated else load(name) for name in names}
    known = vars(modules[REFERENCE])
    known.update({name: item for name, item in vars(modules[ENTRY]).items() if name in known and name[0] != "_"})
    modules[REFERENCE].external_spikes = modules[EXTERNAL]  # type: ignore[attr-defined]
    modules[EXTERNAL].streams = modules[STREAMS]  # type: ignore[attr-defined]
    modules[REFERENCE].frames = modules[FRAMES]  # type: ignore[attr-defined]
    modules[SEARCH].closed_form = modules[CLOSED_FORM]  # type: ignore[attr-defined]
    modules[FRAMES].crossing = modules[SEARCH]  # type: ignore[attr-defined]
    return modules


class OnCopy:
    """A model whose equations are those of copies of closed_form, crossing and frames."""

    def __init__(self, model: Any, modules: dict[str, ModuleType]):
        self._model, self._modules = model, modules

    def __getattr__(self, name: str) -> Any:
        if name in ("enter", "leave"):
            return functools.partial(getattr(self._modules[FRAMES], name), self._model.shape)
        if name in ("flow", "hold", "threshold", "crossing", "receive", "reset"):
            module = self._modules[SEARCH if name == "crossing" else CLOSED_FORM]
            return functools.partial(getattr(module, name), self._model.shape)
        return getattr(self._model, name)


def network_at_the_line() -> esn.Network:
    """Twenty inputs of 1 mV at one time, which reach 20 mV, and single ones that are 2e-11 mV too small."""
    net = esn.Network()
    start = net.population(1, esn.SpikeSource([0.5]), name="start")
    model = esn.LIFDelta(E_L=0.0, V_th=20.0, V_reset=0.0, t_ref=0.5)
    delay = np.random.default_rng(1).uniform(0.5, 30.0, 60)
    reach, miss = (net.population(60, model, name=name) for name in ("reach", "miss"))
    each = np.repeat(np.arange(60), 20)
    net.connect(start, reach, esn.Explicit(0 * each, each), weight=1.0, delay=delay[each])
    net.connect(start, miss, esn.AllToAll(), weight=20.0 - 2e-11, delay=delay[np.newaxis])
    return net


def test_what_is_at_the_line_spikes() -> None:
    for engine in ("compiled", "reference"):
        results = network_at_the_line().run(STOP, engine=engine)
        assert results.spikes["reach"].counts().tolist() == [1] * 60 and len(results.spikes["miss"]) == 0


@functools.cache
def compiled_run(seed: int) -> tuple[Plan, dict[str, bytes]]:
    """A network's Plan and its event log from the compiled engine."""
    network = network_at_the_line() if seed == AT_THE_LINE else random_network(seed, STOP)
    simulation = network.compile()
    return simulation.plan, event_log(simulation, STOP)


def differing(modules: dict[str, ModuleType], seed: int) -> list[str]:
    """What of the event log differs between the loaded reference and the compiled engine."""
    plan, wanted = compiled_run(seed)
    own = dataclasses.replace(plan, models=tuple(OnCopy(model, modules) for model in plan.models))
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
