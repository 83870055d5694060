"""Spike times of one neuron of the linear family in more than 50 digits: what the simulator is measured against.

Nothing here is shared with the simulator. Its parameters and inputs are taken as the exact numbers that the float64s
are, and everything that follows from them is computed in 384 bits: there is no fl(t + d) here, and a spike time is not
rounded. Between two events the state follows from exact coefficients (tests/support/oracle_flow.py), and a crossing of
the threshold is proved, not sampled (tests/support/oracle_search.py).

The arithmetic is MPFR's through gmpy2 if that is installed, else mpmath's; both round correctly, so the results agree.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import mpmath
from oracle_flow import Drive, Flow, Particular, Real, shifted
from oracle_search import Crossing, Search, Undecided

BITS = 384


def mpmath_arithmetic() -> SimpleNamespace:
    context = mpmath.MPContext()
    context.prec = BITS
    return SimpleNamespace(
        name="mpmath", real=context.mpf, exp=context.exp, sin=context.sin, cos=context.cos, pi=+context.pi
    )


def default_arithmetic() -> SimpleNamespace:
    try:
        import gmpy2
    except ImportError:
        return mpmath_arithmetic()
    gmpy2.get_context().precision = BITS
    return SimpleNamespace(
        name="gmpy2", real=gmpy2.mpfr, exp=gmpy2.exp, sin=gmpy2.sin, cos=gmpy2.cos, pi=gmpy2.const_pi()
    )


ARITHMETIC = default_arithmetic()


# ---- the parameters of a neuron


@dataclass
class Current:
    """x' = -rate x (+ y, y' = -rate y if alpha). At a spike x becomes scale x + jump, at the end of refractoriness if
    `at_release`, else at once. `port`: the input that adds to it (to y: weight e rate, if alpha)."""

    name: str
    rate: Real
    alpha: bool = False
    port: str | None = None
    scale: Real = 1
    jump: Real = 0
    at_release: bool = False


@dataclass
class Threshold:
    """T' = -rate T + gain v; as for currents, and never below `lowest` after a spike."""

    name: str
    rate: Real
    gain: Real = 0
    scale: Real = 1
    jump: Real = 0
    at_release: bool = False
    lowest: Real | None = None


@dataclass
class Spike(Crossing):
    cause: str = "flow"  # or "input", "release": what brought V to the threshold or above
    restart: float = 0.0  # mV/ms, the slope of V - threshold when refractoriness has ended


# ---- a neuron


class Cell:
    """One neuron. Potentials are relative to E_L; the state is a list: for each current (y,) x, then v, then the
    thresholds. tau_m: None without leak. At a spike v becomes scale v + jump and stays so for t_ref if `clamped`."""

    def __init__(
        self,
        tau_m: float | None,
        C: float,
        theta: float,
        t_ref: float = 0.0,
        I_e: float = 0.0,
        scale: float = 0.0,
        jump: float = 0.0,
        clamped: bool = True,
        currents: Sequence[Current] = (),
        thresholds: Sequence[Threshold] = (),
        arithmetic: Any = None,
        rate_m: Real | None = None,
    ):
        self.N = N = arithmetic or ARITHMETIC
        real = N.real
        self.C, self.theta, self.t_ref, self.I_e = real(C), real(theta), real(t_ref), real(I_e)
        self.scale, self.jump, self.clamped = real(scale), real(jump), clamped
        self.currents, self.thresholds = list(currents), list(thresholds)
        self.rates: list[Real] = []
        links = []
        self.place: dict[str, int] = {}
        self.ports: dict[str, tuple[int, Real]] = {}
        feeding = []
        e = N.exp(real(1))
        for current in self.currents:
            if current.alpha:
                self.place["d" + current.name] = len(self.rates)
                self.rates.append(current.rate)
                links.append((len(self.rates) - 1, len(self.rates), real(1)))
            self.place[current.name] = len(self.rates)
            self.rates.append(current.rate)
            feeding.append(len(self.rates) - 1)
            if current.port is not None:
                target = self.place["d" + current.name] if current.alpha else self.place[current.name]
                self.ports[current.port] = target, e * current.rate if current.alpha else real(1)
        self.v = self.place["V_m"] = len(self.rates)
        self.ports["delta"] = self.v, real(1)
        self.rates.append(rate_m if rate_m is not None else real(0) if tau_m is None else 1 / real(tau_m))
        links += [(k, self.v, 1 / self.C) for k in feeding]
        for threshold in self.thresholds:
            self.place[threshold.name] = len(self.rates)
            links.append((self.v, len(self.rates), threshold.gain))
            self.rates.append(threshold.rate)
        output = [0] * self.v + [1] + [-1] * len(self.thresholds)
        self.flow = Flow(self.rates, links, output, N)
        # What stays while v is clamped: v, and the thresholds that follow it.
        self.held = [self.v] + [self.v + 1 + i for i, t in enumerate(self.thresholds) if t.gain]
        self.closest = math.inf  # the least |f| at a maximum that `crossing` had to compute
        self._kept: tuple[Drive, Particular] | None = None

    def state(self, **values: Real) -> list[Real]:
        """A state with these values by name, else 0."""
        x = [self.N.real(0)] * self.flow.n
        for name, value in values.items():
            x[self.place[name]] = self.N.real(value)
        return x

    def particular(self, drive: Drive) -> Particular:
        if self._kept is None or self._kept[0] is not drive:
            self._kept = drive, Particular(self.flow, self.v, drive, self.I_e, self.C, self.theta)
        return self._kept[1]

    def set_threshold(self, theta: Real) -> None:
        """The same neuron with another threshold (mV, relative to E_L)."""
        self.theta, self._kept, self.closest = self.N.real(theta), None, math.inf

    def free(self, x: Sequence[Real], p: Particular) -> list[Real]:
        """The state without what the drive makes of it."""
        x = list(x)
        for k in p.states:
            x[k] = x[k] - p.at(k, self.N.real(0), self.N)
        return x

    def advance(self, x: Sequence[Real], drive: Drive, s: Real) -> list[Real]:
        p = self.particular(drive)
        new = self.flow.step(self.free(x, p), s)
        for k in p.states:
            new[k] = new[k] + p.at(k, s, self.N)
        return new

    def hold(self, x: Sequence[Real], s: Real) -> list[Real]:
        new = self.flow.step(x, s)
        for k in self.held:
            new[k] = x[k]
        return new

    def height(self, x: Sequence[Real]) -> Real:
        """V - threshold, now."""
        total = x[self.v] - self.theta
        for k in range(self.v + 1, self.flow.n):
            total = total - x[k]
        return total

    def size(self, x: Sequence[Real], drive: Drive) -> float:
        """max(threshold, sum of |R I_k|, |drive|, |v|) in mV: what the rounding of float64 is relative to."""
        R = min(self.flow.tau[self.v], 10.0 if not self.rates[self.v] else math.inf) / float(self.C)
        external = abs(float(self.I_e + drive.level)) + sum(abs(float(a)) for a, _, _ in drive.sines)
        currents = 0.0
        for current in self.currents:
            k = self.place[current.name]
            currents += abs(float(x[k]))
            if current.alpha:
                currents += abs(float(x[k - 1] / current.rate))
        thresholds = abs(float(self.theta)) + sum(abs(float(value)) for value in x[self.v + 1 :])
        return max(thresholds, R * currents, R * external, abs(float(x[self.v])))

    # ---- the first zero of f, or of a derivative

    def crossing(
        self, x: Sequence[Real], drive: Drive, length: Real, order: int = 0, sign: int = 1, start: Real = 0
    ) -> Crossing | None:
        """The first s in [start, length] at which sign * f^(order) >= 0, or None; f = V - threshold from state x."""
        p = self.particular(drive)
        search = Search(self.flow, self.free(x, p), p, order, sign, self.size(x, drive))
        found = search.first(start, length)
        self.closest = min(self.closest, search.closest)
        return found

    # ---- the neuron under input

    def in_order(
        self, inputs: Sequence[tuple[Real, str, float]], drives: Sequence[tuple[Real, Callable[[], Drive]]]
    ) -> list[tuple[Real, int, Any]]:
        """Inputs and changes of the drive by time; at one time the drive changes first."""
        changes = [(self.N.real(time), 0, make) for time, make in drives]
        arrivals = [(self.N.real(time), 1, item) for time, *item in inputs]
        return sorted([*changes, *arrivals], key=lambda event: event[:2])

    def spikes(
        self,
        x: Sequence[Real],
        stop: float,
        inputs: Sequence[tuple[Real, str, float]] = (),
        drives: Sequence[tuple[Real, Callable[[], Drive]]] = (),
    ) -> list[Spike]:
        """All spikes in [0, stop). inputs: (time, port, weight), ascending; drives: from `time` on the drive is what
        the function gives. Inputs of one time act together."""
        N = self.N
        x, t, stop, release = list(x), N.real(0), N.real(stop), None
        found: list[Spike] = []
        drive = Drive()
        events = [*self.in_order(inputs, drives), (stop, 2, None)]

        def fire(crossing: Crossing | None, cause: str = "flow") -> None:
            nonlocal x, release
            if crossing is None:
                found.append(Spike(t, math.inf, 0.0, self.size(x, drive), cause))
            else:
                found.append(Spike(t, crossing.slope, crossing.bend, crossing.size))
            if len(found) > 1 and found[-2].t == t and self.t_ref == 0:
                raise Undecided("two spikes at one time")
            x[self.v] = self.scale * x[self.v] + self.jump
            x = self.reset(x, at_release=False)
            release = t + self.t_ref
            if self.t_ref == 0:
                end_refractoriness()

        def end_refractoriness() -> None:
            nonlocal x, release
            release = None
            x = self.reset(x, at_release=True)
            p = self.particular(drive)
            x0 = self.free(x, p)
            found[-1].restart = Search(self.flow, x0, p, 0, 1, 0.0).local(N.real(0), x0).d[1]
            if self.height(x) >= 0:
                fire(None, "release")

        if self.height(x) >= 0:
            fire(None, "input")
        i = 0
        while i < len(events):
            due = events[i][0]
            while t < due:
                if release is not None:
                    end = min(due, release)
                    x = self.hold(x, end - t) if self.clamped else self.advance(x, drive, end - t)
                    if drive.slope or drive.sines:
                        drive = shifted(drive, end - t)
                    t = end
                    if t == release:
                        end_refractoriness()
                else:
                    crossing = self.crossing(x, drive, due - t)
                    end = due if crossing is None else t + crossing.t
                    x = self.advance(x, drive, end - t)
                    if drive.slope or drive.sines:
                        drive = shifted(drive, end - t)
                    t = end
                    if crossing is not None:
                        fire(crossing)
            if due >= stop:
                break
            received = False
            while i < len(events) and events[i][0] == due:
                _, kind, item = events[i]
                if kind == 0:
                    drive = item()
                else:
                    port, weight = item
                    target, factor = self.ports[port]
                    if not (target == self.v and self.clamped and release is not None):
                        x[target] = x[target] + factor * weight
                received = True
                i += 1
            if received and release is None and self.height(x) >= 0:
                fire(None, "input")
        return [spike for spike in found if spike.t < stop]

    def reset(self, x: Sequence[Real], at_release: bool) -> list[Real]:
        x = list(x)
        for part in [*self.currents, *self.thresholds]:
            if part.at_release == at_release:
                k = self.place[part.name]
                x[k] = part.scale * x[k] + part.jump
                lowest = getattr(part, "lowest", None)
                if lowest is not None and x[k] < lowest:
                    x[k] = lowest
        return x


# ---- the models, by NEST's names of their parameters


def cell(model: str, p: dict[str, Any], ports: Sequence[str] = ("ex", "in"), arithmetic: Any = None) -> Cell:
    """The neuron of a model of the simulator with parameters p, all given. Potentials relative to E_L are rounded as
    docs/semantics.md says, fl(V - E_L); all else is exact."""
    N = arithmetic or ARITHMETIC
    real = N.real

    def relative(name: str) -> float:
        return float(p[name]) - float(p["E_L"])

    def synapses(alpha: bool = False) -> list[Current]:
        return [Current(f"I_syn_{port}", 1 / real(p[f"tau_syn_{port}"]), alpha, port) for port in ports]

    common = {"t_ref": p["t_ref"], "I_e": p["I_e"], "arithmetic": N}
    if model in ("LIFDelta", "LIFExp", "LIFAlpha", "IF"):
        return Cell(
            None if model == "IF" else p["tau_m"], p["C_m"], relative("V_th"), jump=relative("V_reset"),
            currents=[] if model == "LIFDelta" else synapses(model == "LIFAlpha"), **common,
        )  # fmt: skip
    if model == "MAT2":
        thresholds = [Threshold(f"V_th_alpha_{k}", 1 / real(p[f"tau_{k}"]), jump=real(p[f"alpha_{k}"])) for k in (1, 2)]
        return Cell(
            p["tau_m"], p["C_m"], relative("omega"), scale=1.0, clamped=False,
            currents=synapses(), thresholds=thresholds, **common,
        )  # fmt: skip
    if model == "MihalasNiebur":
        currents = [
            Current(f"I_{j}", real(p[f"k_{j}"]), scale=real(p[f"R_{j}"]), jump=real(p[f"A_{j}"])) for j in (1, 2)
        ]
        lowest = real(relative("Theta_reset") - relative("Theta_inf"))
        return Cell(
            None, p["C_m"], relative("Theta_inf"), jump=relative("V_reset"), rate_m=real(p["g"]) / real(p["C_m"]),
            currents=[*currents, *synapses()],
            thresholds=[Threshold("Theta", real(p["b"]), gain=real(p["a"]), lowest=lowest)], **common,
        )  # fmt: skip
    assert model == "GLIF", model
    level = p["level"]
    after_spike = [
        Current(
            f"ASC_{j}", real(p[f"asc_decay_{j}"]), scale=real(p[f"asc_r_{j}"]), jump=real(p[f"asc_amps_{j}"]),
            at_release=True,
        )
        for j in (1, 2)
    ]  # fmt: skip
    thresholds = [
        Threshold("threshold_spike", real(p["th_spike_decay"]), jump=real(p["th_spike_add"]), at_release=True),
        Threshold("threshold_voltage", real(p["th_voltage_decay"]), gain=real(p["th_voltage_index"])),
    ]
    reset = (p["voltage_reset_fraction"], p["voltage_reset_add"]) if level in (2, 4, 5) else (0.0, relative("V_reset"))
    return Cell(
        None, p["C_m"], relative("V_th"), scale=reset[0], jump=reset[1], rate_m=real(p["g"]) / real(p["C_m"]),
        currents=[*(after_spike if level >= 3 else []), *synapses(alpha=True)],
        thresholds=thresholds[: {1: 0, 2: 1, 3: 0, 4: 1, 5: 2}[level]], **common,
    )  # fmt: skip
