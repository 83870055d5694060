"""Weights of one plastic synapse by the sums over its whole history: no traces, no recursions but that of the weight.

`history` takes the weight (its size), the times at which spikes come to the synapse from before it and from behind it,
the times at which its weight is read, and the keywords of the rule. Equal times of one side are so many spikes.
Exponentials and sums are taken anew for each event, of every earlier spike that counts, so that nothing is shared with
the engines but the rules as they are published.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

Times = Sequence[float]
Update = Callable[[float, int], float]


@dataclass
class History:
    """What a synapse did.

    final: the weight after everything. reads: the weight at each time that was asked for, before what comes to the
    synapse at that very time. sent: what each presynaptic spike is transmitted with. after: (time, weight) after each
    update.
    """

    final: float
    reads: list[float] = field(default_factory=list)
    sent: list[float] = field(default_factory=list)
    after: list[tuple[float, float]] = field(default_factory=list)


READ, PRE, POST, REWARD = range(4)  # their order at one time


def events(pre: Times, post: Times, reads: Times, reward: Times = ()) -> list[tuple[float, int, int]]:
    """All that comes to the synapse in order, as (time, kind, index)."""
    sides = ((READ, reads), (PRE, pre), (POST, post), (REWARD, reward))
    return sorted((t, kind, k) for kind, times in sides for k, t in enumerate(times))


@dataclass
class Updates:
    """The weight after spike i or j, before it is held between low and high: on_pre(w, i) and on_post(w, j)."""

    on_pre: Update
    on_post: Update
    low: float
    high: float


def history(
    rule: str, weight: float, pre: Times, post: Times, reads: Times = (), start: float = -math.inf, **keywords: Any
) -> History:
    """What a synapse of this rule did. start: spikes before it count for those after it, but leave the weight."""
    if rule == "RewardSTDP":
        return rewarded(weight, pre, post, reads, start, **keywords)
    if rule == "TsodyksMarkram":
        sent = [weight * part for part in released(pre, **keywords)]
        return History(weight, [weight] * len(reads), sent)
    return walk(weight, pre, post, reads, start, RULES[rule](pre, post, **keywords))


def walk(weight: float, pre: Times, post: Times, reads: Times, start: float, updates: Updates) -> History:
    found = History(weight, [weight] * len(reads))
    for t, kind, k in events(pre, post, reads):
        if kind == READ:
            found.reads[k] = found.final
            continue
        if t >= start:
            new = (updates.on_pre if kind == PRE else updates.on_post)(found.final, k)
            found.final = min(max(new, updates.low), updates.high)
            found.after.append((t, found.final))
        if kind == PRE:
            found.sent.append(found.final)
    return found


def decayed(times: Times, t: float, tau: float) -> float:
    """The sum of what is left at t of spikes at `times`."""
    return math.fsum(math.exp(-(t - s) / tau) for s in times)


def before(times: Times, t: float, nearest: bool = False) -> list[float]:
    """The other side's spikes strictly before t; of them the last if only the nearest one counts."""
    earlier = [s for s in times if s < t]
    return earlier[-1:] if nearest else earlier


def own(times: Times, k: int, nearest: bool = False) -> list[float]:
    """The spikes of a side before its spike k: those at the same time that are taken before it count."""
    return list(times[max(k - 1, 0) if nearest else 0 : k])


def untouched(others: Times, times: Times, k: int) -> list[float]:
    """Spikes of the other side strictly before spike k of this one that no earlier spike of this one has followed."""
    return [s for s in before(others, times[k]) if not any(s < t for t in times[:k])]


# For each pairing, those of the other side that a presynaptic and a postsynaptic spike pair with, of (others, own, k).
PAIRINGS = {
    "all": (lambda post, pre, i: before(post, pre[i]), lambda pre, post, j: before(pre, post[j])),
    "nearest_symmetric": (
        lambda post, pre, i: before(post, pre[i], True),
        lambda pre, post, j: before(pre, post[j], True),
    ),
    "nearest_pre_centered": (
        lambda post, pre, i: before(post, pre[i], True),
        lambda pre, post, j: untouched(pre, post, j),
    ),
    "nearest_restricted": (
        lambda post, pre, i: untouched(post, pre, i)[-1:],
        lambda pre, post, j: untouched(pre, post, j)[-1:],
    ),
}


def stdp(
    pre: Times, post: Times, *, tau_plus: float = 20.0, tau_minus: float = 20.0, lambda_: float = 0.01,
    alpha: float = 1.0, mu_plus: float = 1.0, mu_minus: float = 1.0, w_max: float = 100.0, pairing: str = "all",
) -> Updates:  # fmt: skip
    """Guetig et al. 2003 with the pairings of Morrison et al. 2008."""
    with_post, with_pre = PAIRINGS[pairing]

    def on_pre(w: float, i: int) -> float:
        depression = alpha * lambda_ * (w / w_max) ** mu_minus
        return w - w_max * depression * decayed(with_post(post, pre, i), pre[i], tau_minus)

    def on_post(w: float, j: int) -> float:
        potentiation = lambda_ * (1.0 - w / w_max) ** mu_plus
        return w + w_max * potentiation * decayed(with_pre(pre, post, j), post[j], tau_plus)

    return Updates(on_pre, on_post, 0.0, w_max)


def power_law(
    pre: Times, post: Times, *, tau_plus: float = 20.0, tau_minus: float = 20.0, lambda_: float = 0.1,
    alpha: float = 1.0, mu: float = 0.4,
) -> Updates:  # fmt: skip
    """Morrison et al. 2007."""

    def on_pre(w: float, i: int) -> float:
        return w - lambda_ * alpha * w * decayed(before(post, pre[i]), pre[i], tau_minus)

    def on_post(w: float, j: int) -> float:
        return w + lambda_ * w**mu * decayed(before(pre, post[j]), post[j], tau_plus)

    return Updates(on_pre, on_post, 0.0, math.inf)


def triplet(
    pre: Times, post: Times, *, tau_plus: float = 16.8, tau_plus_triplet: float = 101.0, tau_minus: float = 33.7,
    tau_minus_triplet: float = 125.0, Aplus: float = 5e-10, Aplus_triplet: float = 6.2e-3, Aminus: float = 7e-3,
    Aminus_triplet: float = 2.3e-4, w_max: float = 100.0, pairing: str = "all",
) -> Updates:  # fmt: skip
    """Pfister & Gerstner 2006."""
    nearest = pairing == "nearest"

    def on_pre(w: float, i: int) -> float:
        s = pre[i]
        slow = decayed(own(pre, i, nearest), s, tau_plus_triplet)
        return w - decayed(before(post, s, nearest), s, tau_minus) * (Aminus + Aminus_triplet * slow)

    def on_post(w: float, j: int) -> float:
        p = post[j]
        slow = decayed(own(post, j, nearest), p, tau_minus_triplet)
        return w + decayed(before(pre, p, nearest), p, tau_plus) * (Aplus + Aplus_triplet * slow)

    return Updates(on_pre, on_post, 0.0, w_max)


def vogels(
    pre: Times, post: Times, *, tau: float = 20.0, eta: float = 0.001, alpha: float = 0.12, w_max: float = 1.0
) -> Updates:
    """Vogels et al. 2011."""

    def on_pre(w: float, i: int) -> float:
        return w + eta * (decayed(before(post, pre[i]), pre[i], tau) - alpha)

    def on_post(w: float, j: int) -> float:
        return w + eta * decayed(before(pre, post[j]), post[j], tau)

    return Updates(on_pre, on_post, 0.0, w_max)


RULES = {"STDP": stdp, "PowerLawSTDP": power_law, "TripletSTDP": triplet, "VogelsSTDP": vogels}


def rewarded(
    weight: float, pre: Times, post: Times, reads: Times, start: float, *, reward: Times, tau_plus: float = 20.0,
    tau_minus: float = 20.0, tau_c: float = 1000.0, tau_n: float = 200.0, A_plus: float = 1.0, A_minus: float = 1.5,
    b: float = 0.0, w_min: float = 0.0, w_max: float = 200.0,
) -> History:  # fmt: skip
    """Izhikevich 2007, as Potjans et al. 2010 write it; reward: when dopamine is released.

    The tags are all pairs before, the dopamine all rewards before. Between two events the weight is the integral of
    their product in closed form, and it is held within its bounds at each event; to read it is none.
    """
    tags = [(p, A_plus * decayed(before(pre, p), p, tau_plus)) for p in post]
    tags += [(s, -A_minus * decayed(before(post, s), s, tau_minus)) for s in pre]
    rate = 1.0 / tau_c + 1.0 / tau_n

    def gain(t0: float, t1: float) -> float:
        """The integral of c (n - b) from t0 to t1, where nothing comes to the synapse between them."""
        c = math.fsum(size * math.exp(-(t0 - t) / tau_c) for t, size in tags if t <= t0)
        n = decayed([t for t in reward if t <= t0], t0, tau_n) / tau_n
        return c * (n * -math.expm1(-(t1 - t0) * rate) / rate - b * tau_c * -math.expm1(-(t1 - t0) / tau_c))

    found, last = History(weight, [weight] * len(reads)), max(start, 0.0)
    for t, kind, k in events(pre, post, reads, reward):
        now = min(max(found.final + gain(last, t), w_min), w_max) if t > last else found.final
        if kind == READ:
            found.reads[k] = now
            continue
        if t > last:
            found.final, last = now, t
            found.after.append((t, now))
        if kind == PRE:
            found.sent.append(found.final)
    return found


def released(
    pre: Times, *, U: float = 0.5, tau_rec: float = 800.0, tau_fac: float = 0.0, tau_psc: float | None = None
) -> list[float]:
    """Tsodyks, Uziel & Markram 2000; without tau_psc Maass & Markram 2002: what part of the weight each spike releases.

    What spike j released is active first and then recovers: a chain of two decays, or of one where tau_psc is None. The
    use u is a sum over all earlier spikes of U (1 - U)^(spikes in between) exp(-time / tau_fac).
    """
    sent: list[float] = []

    def missing(since: float) -> float:
        """What part of a release is neither active nor has recovered, or still active, after this time."""
        slow = math.exp(-since / tau_rec)
        if tau_psc is None:
            return slow
        fast = math.exp(-since / tau_psc)
        if tau_psc == tau_rec:
            return slow * (1.0 + since / tau_rec)
        return fast + tau_rec / (tau_rec - tau_psc) * (slow - fast)

    for k, t in enumerate(pre):
        if tau_fac > 0.0:
            use = math.fsum(U * (1.0 - U) ** (k - j) * math.exp(-(t - pre[j]) / tau_fac) for j in range(k + 1))
        else:
            use = U
        available = 1.0 - math.fsum(size * missing(t - pre[j]) for j, size in enumerate(sent))
        sent.append(use * available)
    return sent
