"""Rules in which pairs and triplets of spikes change a weight for good."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from eventsnn.base.checks import choice, number
from eventsnn.plasticity.base import PlasticityRule, Trace, not_negative, positive
from eventsnn.plasticity.program import maximum

# A variable with this time constant (ms) tells of a spike at the very same time, and of no earlier one.
INSTANT = 1e-300

PAIRINGS = ("all", "nearest_symmetric", "nearest_pre_centered", "nearest_restricted")


def _raised(u: Any, mu: float) -> Any:
    """u^mu, which is nothing to be computed for the two most frequent powers."""
    return 1.0 if mu == 0.0 else u if mu == 1.0 else u**mu


class STDP(PlasticityRule):
    """Pair-based plasticity that depends on spike times, for all dependences on the weight (Guetig et al. 2003).

    With u = w / w_max, and traces x of presynaptic and y of postsynaptic spikes:

        presynaptic spike:   u -= alpha lambda u^mu_minus y
        postsynaptic spike:  u += lambda (1 - u)^mu_plus x

    mu_plus = mu_minus = 0 is additive (Song, Miller & Abbott 2000), 1 and 1 multiplicative (Rubin, Lee & Sompolinsky
    2001), 0 and 1 that of van Rossum, Bi & Turrigiano 2000, and what lies between that of Guetig et al. 2003.
    pairing says which pairs count (Morrison, Diesmann & Gerstner 2008, figure 7): "all"; "nearest_symmetric", in which
    each spike counts with the last one of the other side; "nearest_pre_centered", in which a presynaptic spike counts
    with the last postsynaptic spike before and with the next one after it; "nearest_restricted", in which only
    immediate pairs count. tau_plus and tau_minus (ms); w_max in the unit of the weight. Raises InputError.
    """

    def __init__(
        self,
        tau_plus: float = 20.0,
        tau_minus: float = 20.0,
        lambda_: float = 0.01,
        alpha: float = 1.0,
        mu_plus: float = 1.0,
        mu_minus: float = 1.0,
        w_max: float = 100.0,
        pairing: str = "all",
    ):
        what = type(self).__name__
        plus = positive(tau_plus, f"{what}: tau_plus")
        minus = positive(tau_minus, f"{what}: tau_minus")
        rate = not_negative(lambda_, f"{what}: lambda_")
        ratio = not_negative(alpha, f"{what}: alpha")
        up, down = not_negative(mu_plus, f"{what}: mu_plus"), not_negative(mu_minus, f"{what}: mu_minus")
        most = positive(w_max, f"{what}: w_max", "")
        choice(pairing, f"{what}: pairing", PAIRINGS)

        def depressed(w: Any, y: Any) -> Any:
            return w - (alpha_rate * most) * _raised(w / most, down) * y

        def potentiated(w: Any, x: Any) -> Any:
            return w + (rate * most) * _raised(maximum(1.0 - w / most, 0.0), up) * x

        alpha_rate = ratio * rate
        super().__init__(**_paired(pairing, plus, minus, depressed, potentiated), w_max=most)
        self.tau_plus, self.tau_minus, self.lambda_, self.alpha = plus, minus, rate, ratio
        self.mu_plus, self.mu_minus, self.pairing = up, down, pairing


def _paired(
    pairing: str,
    plus: float,
    minus: float,
    depressed: Callable[[Any, Any], Any],
    potentiated: Callable[[Any, Any], Any],
) -> dict[str, Any]:
    """Traces and updates of a rule of pairs."""
    if pairing in ("all", "nearest_symmetric"):
        nearest = pairing != "all"
        return {
            "pre": {"x": Trace(plus, nearest)},
            "post": {"y": Trace(minus, nearest)},
            "on_pre": depressed,
            "on_post": potentiated,
        }
    if pairing == "nearest_pre_centered":
        # x is what presynaptic spikes since the last postsynaptic one have left, but for the last one of them, which is
        # m: a postsynaptic spike that comes at its very time neither sees it nor takes it away.
        def pre_centered(w: Any, x: Any, m: Any, now: Any, y: Any) -> Any:
            return depressed(w, y), _chosen(now, x, x + m), _chosen(now, m, 0.0) + 1.0, 1.0

        return {
            "post": {"y": Trace(minus, True)},
            "synapse": {"x": plus, "m": plus, "now": INSTANT},
            "on_pre": pre_centered,
            "on_post": lambda w, x, m, now: (
                potentiated(w, _chosen(now, x, x + m)), 0.0, _chosen(now, m, 0.0), now
            ),
        }  # fmt: skip
    # m is what the last presynaptic spike has left, and x the one before it, as long as no postsynaptic one follows.
    return {
        "synapse": {"x": plus, "m": plus, "y": minus, "now": INSTANT},
        "on_pre": lambda w, x, m, y, now: (depressed(w, y), _chosen(now, x, m), 1.0, 0.0, 1.0),
        "on_post": lambda w, x, m, now: (
            potentiated(w, _chosen(now, x, m)), 0.0, _chosen(now, m, 0.0), 1.0, now
        ),
    }  # fmt: skip


def _chosen(now: Any, at_once: Any, later: Any) -> Any:
    """at_once where now is 1, later where it is 0."""
    return at_once * now + later * (1.0 - now)


class PowerLawSTDP(PlasticityRule):
    """Pair-based plasticity with potentiation by a power of the weight (Morrison, Aertsen & Diesmann 2007).

        presynaptic spike:   w -= lambda alpha w y
        postsynaptic spike:  w += lambda w^mu x

    w is in the unit of the weight and has no upper bound. tau_plus and tau_minus (ms). Raises InputError.
    """

    def __init__(
        self, tau_plus: float = 20.0, tau_minus: float = 20.0, lambda_: float = 0.1, alpha: float = 1.0, mu: float = 0.4
    ):
        what = type(self).__name__
        plus, minus = positive(tau_plus, f"{what}: tau_plus"), positive(tau_minus, f"{what}: tau_minus")
        rate, ratio = not_negative(lambda_, f"{what}: lambda_"), not_negative(alpha, f"{what}: alpha")
        power = not_negative(mu, f"{what}: mu")
        super().__init__(
            pre={"x": plus},
            post={"y": minus},
            on_pre=lambda w, y: w - (rate * ratio) * w * y,
            on_post=lambda w, x: w + rate * _raised(w, power) * x,
        )
        self.tau_plus, self.tau_minus, self.lambda_, self.alpha, self.mu = plus, minus, rate, ratio, power


class TripletSTDP(PlasticityRule):
    """Plasticity by pairs and triplets of spikes (Pfister & Gerstner 2006).

    With a fast and a slow trace on either side, r1 (tau_plus) and r2 (tau_plus_triplet) of presynaptic and o1
    (tau_minus) and o2 (tau_minus_triplet) of postsynaptic spikes, r2 and o2 as they were before the spike itself:

        presynaptic spike:   w -= o1 (Aminus + Aminus_triplet r2)
        postsynaptic spike:  w += r1 (Aplus + Aplus_triplet o2)

    Amplitudes are in the unit of the weight; the defaults are those of the visual cortex, all-to-all (table 4 of the
    paper). pairing: "all" or "nearest", in which a trace is set to 1 by a spike. w lies in [0, w_max]. Raises
    InputError.
    """

    def __init__(
        self,
        tau_plus: float = 16.8,
        tau_plus_triplet: float = 101.0,
        tau_minus: float = 33.7,
        tau_minus_triplet: float = 125.0,
        Aplus: float = 5e-10,
        Aplus_triplet: float = 6.2e-3,
        Aminus: float = 7e-3,
        Aminus_triplet: float = 2.3e-4,
        w_max: float = 100.0,
        pairing: str = "all",
    ):
        what = type(self).__name__
        nearest = choice(pairing, f"{what}: pairing", ("all", "nearest")) == "nearest"
        plus, minus = not_negative(Aplus, f"{what}: Aplus"), not_negative(Aminus, f"{what}: Aminus")
        plus3 = not_negative(Aplus_triplet, f"{what}: Aplus_triplet")
        minus3 = not_negative(Aminus_triplet, f"{what}: Aminus_triplet")
        super().__init__(
            pre={
                "r1": Trace(positive(tau_plus, f"{what}: tau_plus"), nearest),
                "r2": Trace(positive(tau_plus_triplet, f"{what}: tau_plus_triplet"), nearest),
            },
            post={
                "o1": Trace(positive(tau_minus, f"{what}: tau_minus"), nearest),
                "o2": Trace(positive(tau_minus_triplet, f"{what}: tau_minus_triplet"), nearest),
            },
            on_pre=lambda w, o1, r2: w - o1 * (minus + minus3 * r2),
            on_post=lambda w, r1, o2: w + r1 * (plus + plus3 * o2),
            w_max=positive(w_max, f"{what}: w_max", ""),
        )
        self.Aplus, self.Aplus_triplet, self.Aminus, self.Aminus_triplet = plus, plus3, minus, minus3
        self.pairing = pairing


class VogelsSTDP(PlasticityRule):
    """Plasticity of inhibitory synapses that brings their targets to a rate (Vogels et al. 2011).

        presynaptic spike:   w += eta (y - alpha)
        postsynaptic spike:  w += eta x

    Both traces have the time constant tau (ms). alpha = 2 rho0 tau makes targets fire at rho0 (1/ms). eta and w_max are
    in the unit of the weight; w is its size, in [0, w_max], also of weights that are negative. Raises InputError.
    """

    def __init__(self, tau: float = 20.0, eta: float = 0.001, alpha: float = 0.12, w_max: float = 1.0):
        what = type(self).__name__
        tau = positive(tau, f"{what}: tau")
        rate = not_negative(eta, f"{what}: eta")
        target = number(alpha, f"{what}: alpha", "a finite number")
        super().__init__(
            pre={"x": tau},
            post={"y": tau},
            on_pre=lambda w, y: w + rate * (y - target),
            on_post=lambda w, x: w + rate * x,
            w_max=positive(w_max, f"{what}: w_max", ""),
        )
        self.tau, self.eta, self.alpha = tau, rate, target
