"""RewardSTDP: plasticity that waits for a reward."""

from __future__ import annotations

from typing import Any

from eventsnn.base.checks import number
from eventsnn.base.errors import InputError
from eventsnn.plasticity.base import PlasticityRule, not_negative, positive
from eventsnn.plasticity.program import Program, expm1, written


class RewardSTDP(PlasticityRule):
    """Plasticity that depends on spike times and on dopamine (Izhikevich 2007; Potjans, Morrison & Diesmann 2010).

    Pairs of spikes leave an eligibility c of the synapse, which changes its weight while there is dopamine n:

        presynaptic spike:   c -= A_minus y            dc/dt = -c / tau_c
        postsynaptic spike:  c += A_plus x             dn/dt = -n / tau_n,   n += 1 / tau_n at a spike of `reward`
                                                       dw/dt = c (n - b)

    reward: the Population whose spikes release dopamine, after `delay` ms. Between events w follows the closed form

        w(D) = w - c [ n / k expm1(-k D) - b tau_c expm1(-D / tau_c) ],   k = 1/tau_c + 1/tau_n.

    w lies in [w_min, w_max]: it is brought there whenever something happens at the synapse. tau_plus, tau_minus, tau_c,
    tau_n (ms); b (1/ms). Raises InputError.
    """

    def __init__(
        self,
        reward: Any,
        tau_plus: float = 20.0,
        tau_minus: float = 20.0,
        tau_c: float = 1000.0,
        tau_n: float = 200.0,
        A_plus: float = 1.0,
        A_minus: float = 1.5,
        b: float = 0.0,
        w_min: float = 0.0,
        w_max: float = 200.0,
        delay: float = 1.0,
    ):
        what = type(self).__name__
        if not hasattr(reward, "ids") or not hasattr(reward, "population"):
            raise InputError(
                f"{what}: reward = {reward!r} is no population; give the one whose spikes release dopamine, for "
                "example net.population(1, SpikeSource(times))"
            )
        plus, minus = not_negative(A_plus, f"{what}: A_plus"), not_negative(A_minus, f"{what}: A_minus")
        self.tau_c, self.tau_n = positive(tau_c, f"{what}: tau_c"), positive(tau_n, f"{what}: tau_n")
        self.b = number(b, f"{what}: b", "a finite number")
        self.reward = reward
        self.delay = positive(delay, f"{what}: delay")
        super().__init__(
            pre={"x": positive(tau_plus, f"{what}: tau_plus")},
            post={"y": positive(tau_minus, f"{what}: tau_minus")},
            synapse={"c": self.tau_c},
            on_pre=lambda w, c, y: (w, c - minus * y),
            on_post=lambda w, c, x: (w, c + plus * x),
            w_min=w_min,
            w_max=positive(w_max, f"{what}: w_max", ""),
        )
        self.A_plus, self.A_minus = plus, minus

    @property
    def between(self) -> Program:
        k = 1.0 / self.tau_c + 1.0 / self.tau_n
        b, tau_c = self.b, self.tau_c

        def later(w: Any, c: Any, n: Any, D: Any) -> Any:
            return w - c * ((n / k) * expm1(D * -k) - (b * tau_c) * expm1(D * (-1.0 / tau_c)))

        return written(later, "RewardSTDP", ["w", "c", "n", "D"], ["w"])
