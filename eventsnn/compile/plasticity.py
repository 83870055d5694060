"""compile_plasticity: what engines need of the rule by which the weights of a projection change."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from eventsnn.base.arrays import Floats
from eventsnn.base.errors import InputError
from eventsnn.compile.plan import PlasticPlan, ProjectionPlan
from eventsnn.describe.parts import Projection
from eventsnn.plasticity.base import Trace
from eventsnn.plasticity.reward import RewardSTDP
from eventsnn.plasticity.short_term import TsodyksMarkram


def compile_plasticity(projection: Projection, starts: Mapping[str, int]) -> PlasticPlan | None:
    """The PlasticPlan of a projection but for the sign of its weights; None if they are static."""
    if projection.plasticity is None:
        return None
    rule = projection.plasticity.rule
    reward = rule if isinstance(rule, RewardSTDP) else None
    rewarding = np.empty(0, dtype=np.int32)
    if reward is not None:
        population = reward.reward.population
        if starts.get(population.name) is None or population.network is not projection.network:
            raise InputError(
                f"{projection.name}: the reward of its rule, {reward.reward.name}, belongs to another network; give a "
                "population of this one"
            )
        rewarding = (reward.reward.ids + starts[population.name]).astype(np.int32)
    return PlasticPlan(
        sign=1.0,
        low=rule.w_min,
        high=rule.w_max,
        dendritic=projection.dendritic,
        pre_rate=_rates(rule.pre),
        pre_nearest=_nearest(rule.pre),
        post_rate=_rates(rule.post),
        post_nearest=_nearest(rule.post),
        own_rate=np.array([-1.0 / tau for tau in rule.synapse.values()]),
        on_pre=rule.on_pre,
        on_post=rule.on_post,
        between=rule.between,
        step=rule.step,
        initial=np.array(rule.initial if isinstance(rule, TsodyksMarkram) else ()),
        reward=rewarding,
        reward_delay=0.0 if reward is None else reward.delay,
        reward_rate=0.0 if reward is None else -1.0 / reward.tau_n,
        reward_gain=0.0 if reward is None else 1.0 / reward.tau_n,
    )


def _rates(traces: Mapping[str, Trace]) -> Floats:
    return np.array([-1.0 / trace.tau for trace in traces.values()])


def _nearest(traces: Mapping[str, Trace]) -> NDArray[np.uint8]:
    return np.array([trace.nearest for trace in traces.values()], dtype=np.uint8)


def made_plastic(plan: ProjectionPlan, plastic: PlasticPlan) -> ProjectionPlan:
    """The rows of a projection whose weights change: each synapse has a weight of its own."""
    weight = plan.weight
    if weight.size != plan.n_synapses:
        weight = np.full(plan.n_synapses, weight[0])
    sign = -1.0 if (weight < 0.0).any() else 1.0
    delay = plan.delay.min(initial=math.inf) + plastic.dendritic
    if not delay > 0.0:
        raise InputError(
            f"{plan.name}: a delay of 0 ms is too short for plastic synapses, whose spikes arrive after they were "
            "fired; give a delay above 0"
        )
    require_bounds(plan.name, plastic.low, plastic.high, weight * sign)
    size = max(plan.weight_size, plastic.high if math.isfinite(plastic.high) else 0.0)
    return replace(plan, weight=weight, plastic=replace(plastic, sign=sign), weight_size=size)


def require_bounds(name: str, low: float, high: float, size: NDArray[np.floating]) -> None:
    """Raise InputError for the first weight whose size, relative to the sign of all, does not lie in the bounds of its
    rule."""
    wrong = np.flatnonzero(~((size >= low) & (size <= high * (1.0 + 2.0**-23))))
    if not wrong.size:
        return
    value = float(size[wrong[0]])
    if value < 0.0:
        raise InputError(
            f"{name}: weights of both signs cannot be plastic, for a weight keeps its sign; make two projections"
        )
    raise InputError(
        f"{name}: weight = {value:g} (synapse {wrong[0]}) in size lies outside of the bounds {low:g} to {high:g} of "
        "its plasticity; change w_max or the weight"
    )
