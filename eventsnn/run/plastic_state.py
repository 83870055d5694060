"""The arrays of a state that belong to plastic projections, and the check that they fit a network.

plastic.K.                of the rows number K of the Net, whose weights change:
  pre_, post_, third_     trains of the presynaptic neurons, of the targets from the first to the last, and of the
                          neurons that reward: those spikes that something may still ask for
    spikes                rows of a time (ms), the traces after it, and what a step of transmission has left
    start                 train number i has the rows start[i]:start[i + 1]
    first                 how many spikes each had before
  own, at                 variables of synapses, and the time (ms) of these and of sizes; none if nothing changes by
                          itself
  swept                   ms: what has come to synapses before is in their weights
  enabled                 0 while plasticity is frozen
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eventsnn.compile.layout import Net

Arrays = dict[str, NDArray[Any]]

SIDES = ("pre", "post", "third")


def plastic_shapes(net: Net) -> dict[str, Any]:
    """Type and shape of every array; None stands for any length."""
    found: dict[str, Any] = {}
    for k, rows in enumerate(net.rows):
        plan = rows.plan
        rule = plan.plastic
        if rule is None:
            continue
        trains = {"pre": plan.pre.size, "post": max(rows.last_target - rows.first_target + 1, 0), "third": 1}
        behind = rule.initial.size + 1 if rule.step is not None else 0
        widths = {"pre": 1 + rule.pre_rate.size + behind, "post": 1 + rule.post_rate.size, "third": 2}
        for side in SIDES:
            found[f"plastic.{k}.{side}_start"] = (np.int64, (trains[side] + 1,))
            found[f"plastic.{k}.{side}_first"] = (np.int64, (trains[side],))
            found[f"plastic.{k}.{side}_spikes"] = (np.float64, (None, widths[side]))
        n = plan.n_synapses if rule.own_rate.size or rule.between is not None else 0
        found[f"plastic.{k}.own"] = (np.float64, (n, rule.own_rate.size))
        found[f"plastic.{k}.at"] = (np.float64, (n,))
        found[f"plastic.{k}.swept"] = (np.float64, ())
        found[f"plastic.{k}.enabled"] = (np.uint8, ())
    return found


def check_plastic(net: Net, state: Arrays, refuse: Callable[[str], None]) -> None:
    """Refuse, with a sentence about an array, what kernels could not go on from."""
    for number, projection in enumerate(net.projections):
        if projection.plastic is not None and f"weights.{number}" not in state:
            refuse(f"weights.{number} is missing")
    for k, rows in enumerate(net.rows):
        if rows.plan.plastic is not None:
            fired = state["neurons.spikes"]
            of_targets = fired[rows.first_target : rows.last_target + 1]
            of_rewards = fired[rows.plan.plastic.reward].sum(keepdims=True)
            # Of a neuron without synapses there is no train.
            of_rows = np.where(np.diff(rows.plan.start) > 0, fired[rows.plan.pre], 0)
            _check_train(f"plastic.{k}.pre", state, of_rows, refuse)
            _check_train(f"plastic.{k}.post", state, of_targets, refuse)
            _check_train(f"plastic.{k}.third", state, of_rewards, refuse)
            _check_synapses(f"plastic.{k}", state, refuse)
            _check_under_way(k, state, refuse)


def _check_train(name: str, state: Arrays, fired: NDArray[Any], refuse: Callable[[str], None]) -> None:
    spikes, start, first = (state[f"{name}_{part}"] for part in ("spikes", "start", "first"))
    if start[0] != 0 or start[-1] != len(spikes) or (np.diff(start) < 0).any():
        refuse(f"{name}_start does not cut {name}_spikes into one part for each train")
    if (first + np.diff(start) != fired).any():
        refuse(f"{name}_first is not how many spikes each neuron had before those that are kept")
    if not np.isfinite(spikes).all():
        refuse(f"{name}_spikes holds a number that is not finite")
    times = spikes[:, 0]
    falls = np.diff(times) < 0.0
    falls[start[(start > 0) & (start < times.size)] - 1] = False
    if falls.any() or (times < 0.0).any() or (times >= max(float(state["time"]), 0.0)).any():
        refuse(f"{name}_spikes holds times that do not ascend or do not lie before the present time")


def _check_synapses(name: str, state: Arrays, refuse: Callable[[str], None]) -> None:
    now = float(state["time"])
    if not np.isfinite(state[f"{name}.own"]).all():
        refuse(f"{name}.own holds a number that is not finite")
    at = state[f"{name}.at"]
    if not ((at >= 0.0) & (at <= now)).all():
        refuse(f"{name}.at holds a time that does not lie before the present time")
    if not state[f"{name}.swept"] <= now:
        refuse(f"{name}.swept = {float(state[f'{name}.swept']):g} ms does not lie before the present time")
    if state[f"{name}.enabled"] > 1:
        refuse(f"{name}.enabled = {int(state[f'{name}.enabled'])} is neither 0 nor 1")


def _check_under_way(k: int, state: Arrays, refuse: Callable[[str], None]) -> None:
    """Refuse spikes under way that are not in their trains."""
    mine = np.flatnonzero(state["rows.projection"] == k)
    row, ordinal = state["rows.row"][mine], state["rows.ordinal"][mine]
    start, spikes = state[f"plastic.{k}.pre_start"], state[f"plastic.{k}.pre_spikes"]
    place = start[row] + (ordinal - state[f"plastic.{k}.pre_first"][row])
    inside = (place >= start[row]) & (place < start[row + 1])
    if not inside.all() or (spikes[place, 0] != state["rows.fired"][mine]).any():
        refuse(f"plastic.{k}.pre_spikes does not hold a spike that is under way")
