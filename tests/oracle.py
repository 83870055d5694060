"""Spike times of one neuron of the linear family in more than 50 digits: what the simulator is measured against.

Nothing here is shared with the simulator. Its parameters and inputs are taken as the exact numbers that the float64s
are, and everything that follows from them is computed in 384 bits: there is no fl(t + d) here, and a spike time is not
rounded. With so many digits the coefficients of the exponentials may be used as they are, also for time constants that
differ by 1e-17; for equal ones a coefficient is a polynomial (`Flow`).

Crossings are found with proof, not by sampling (`Cell.crossing`). From a state, f = V - threshold and its first three
derivatives are known, and the fourth is bounded over a step from bounds of the state. That shows one of five things
about the step: f stays negative, f is monotone, f is concave, f is convex, or the step is too long and is halved. In
the first four cases a crossing is either impossible or the only zero of a bracket, where Newton's method finds it in
384 bits; for a concave f that may just reach 0, the maximum is computed first, in 384 bits. float64 decides only what
is beyond NOISE times the sum of the absolute terms, 100 times what rounding can do; the rest is decided in 384 bits.

The arithmetic is MPFR's through gmpy2 if that is installed, else mpmath's; both round correctly, so the results agree.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import mpmath

BITS = 384
NOISE = 1e-13  # of the sum of absolute terms
RESOLVED = 1e-40  # ms: every zero is shown to lie within this distance by the signs on both sides

Real = Any  # gmpy2.mpfr or mpmath.mpf
Basis = tuple[int, int]  # (index of rate, power): s^power exp(-rate s)


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
class Drive:
    """External current (pA) from a moment on: level + slope s + sum of amplitude sin(omega s + phase)."""

    level: Real = 0
    slope: Real = 0
    sines: list[tuple[Real, Real, Real]] = field(default_factory=list)


@dataclass
class Crossing:
    t: Real
    slope: float  # mV/ms of V - threshold there
    bend: float  # mV/ms^2
    size: float  # mV, max(threshold, sum of |R I_k|, |drive|, |v|) when the search began; R of 10 ms without leak


@dataclass
class Spike(Crossing):
    cause: str = "flow"  # or "input", "release": what brought V to the threshold or above
    restart: float = 0.0  # mV/ms, the slope of V - threshold when refractoriness has ended


class Undecided(Exception):
    """A sign that 384 bits do not settle: the case is degenerate."""


# ---- the flow without drive: exponentials with polynomial coefficients


class Flow:
    """x' = A x for states in cascade: A is lower triangular, -rates on the diagonal, `links` (source, target, gain)
    below it. `output` is the row L of f = L x."""

    def __init__(self, rates: Sequence[Real], links: Sequence[tuple[int, int, Real]], output: Sequence[int], N: Any):
        self.N, self.n, self.output = N, len(rates), output
        self.distinct = list(dict.fromkeys(rates))
        index = [self.distinct.index(rate) for rate in rates]
        into: list[list[tuple[int, Real]]] = [[] for _ in rates]
        for source, target, gain in links:
            assert source < target
            if gain:
                into[target].append((source, gain))
        # responses[i][k]: what a state i of 1 at time 0 makes of state k, as {(rate, power): coefficient}.
        self.responses: list[dict[int, dict[Basis, Real]]] = []
        for i in range(self.n):
            response: dict[int, dict[Basis, Real]] = {i: {(index[i], 0): N.real(1)}}
            for k in range(i + 1, self.n):
                forcing: dict[Basis, Real] = {}
                for source, gain in into[k]:
                    for basis, coefficient in response.get(source, {}).items():
                        forcing[basis] = forcing.get(basis, 0) + gain * coefficient
                if forcing:
                    response[k] = self.convolve(forcing, index[k])
            self.responses.append(response)
        self.basis = sorted({b for response in self.responses for terms in response.values() for b in terms})
        place = {b: j for j, b in enumerate(self.basis)}
        self.entries = [
            [
                (i, [(place[b], c) for b, c in response[k].items()])
                for i, response in enumerate(self.responses)
                if k in response
            ]
            for k in range(self.n)
        ]
        # Coefficients of f on the basis, as rows over the states.
        self.weights: list[list[tuple[int, Real]]] = []
        for b in self.basis:
            row = []
            for i, response in enumerate(self.responses):
                total = N.real(0)
                for k, terms in response.items():
                    if b in terms:
                        total += output[k] * terms[b]
                if total:
                    row.append((i, total))
            self.weights.append(row)
        # Rows L A^n for the derivatives, and what bounds need, as float64.
        row = [N.real(value) for value in output]
        self.rows = []
        for _ in range(7):
            self.rows.append([float(value) for value in row])
            new = [-rate * value for rate, value in zip(rates, row, strict=True)]
            for source, target, gain in links:
                new[source] = new[source] + gain * row[target]
            row = new
        self.tau = [float(1 / rate) if rate else math.inf for rate in rates]
        self.into = [[(source, float(gain)) for source, gain in sources] for sources in into]

    def convolve(self, forcing: dict[Basis, Real], own: int) -> dict[Basis, Real]:
        """The solution of x' = -rate x + forcing, x(0) = 0."""
        result: dict[Basis, Real] = {}
        at_zero = self.N.real(0)
        for rate in {r for r, _ in forcing}:
            top = max(power for r, power in forcing if r == rate)
            p = [forcing.get((rate, power), self.N.real(0)) for power in range(top + 1)]
            if rate == own:
                for power, value in enumerate(p):
                    result[rate, power + 1] = result.get((rate, power + 1), 0) + value / (power + 1)
                continue
            gap = self.distinct[own] - self.distinct[rate]
            above = self.N.real(0)
            for power in range(top, -1, -1):  # q' + gap q = p
                above = (p[power] - (power + 1) * above) / gap
                result[rate, power] = result.get((rate, power), 0) + above
            at_zero += above
        if at_zero:
            result[own, 0] = result.get((own, 0), 0) - at_zero
        return result

    def basis_values(self, s: Real) -> list[Real]:
        decays: dict[int, Real] = {}
        values = []
        for rate, power in self.basis:
            if rate not in decays:
                decays[rate] = self.N.exp(-self.distinct[rate] * s)
            values.append(decays[rate] if power == 0 else decays[rate] * s if power == 1 else decays[rate] * s**power)
        return values

    def step(self, x: Sequence[Real], s: Real) -> list[Real]:
        b = self.basis_values(s)
        new = []
        for entry in self.entries:
            total = 0
            for i, terms in entry:
                if x[i]:
                    if len(terms) == 1:
                        total += terms[0][1] * b[terms[0][0]] * x[i]
                    else:
                        total += sum([c * b[j] for j, c in terms]) * x[i]
            new.append(total)
        return new

    def coefficients(self, x: Sequence[Real]) -> list[Real]:
        """f = L x on the basis."""
        return [sum([c * x[i] for i, c in row]) for row in self.weights]

    def derivative(self, coefficients: Sequence[Real]) -> list[Real]:
        place = {b: j for j, b in enumerate(self.basis)}
        result = [self.N.real(0)] * len(self.basis)
        for (rate, power), c in zip(self.basis, coefficients, strict=True):
            j = place[rate, power]
            result[j] = result[j] - self.distinct[rate] * c
            if power:
                lower = place[rate, power - 1]
                result[lower] = result[lower] + power * c
        return result

    def ranges(self, x: Sequence[float], h: float) -> tuple[list[float], list[float]]:
        """Bounds of every state over [0, h], in cascade: each is no more than itself plus what flows in."""
        high, low = [], []
        for k in range(self.n):
            up, down = (x[k], 0.0) if x[k] > 0.0 else (0.0, x[k])
            span = min(h, self.tau[k])
            for source, gain in self.into[k]:
                a, b = gain * high[source] * span, gain * low[source] * span
                up += max(a, b, 0.0)
                down += min(a, b, 0.0)
            high.append(up)
            low.append(down)
        return high, low


class Particular:
    """What the drive alone makes of V and the thresholds: the bounded solution (with leak), polynomial plus sines."""

    def __init__(self, cell: Cell, drive: Drive):
        N, R0 = cell.N, cell.N.real(0)
        v, rate = cell.v, cell.rates[cell.v]
        self.states: dict[int, tuple[list[Real], list[tuple[Real, Real, Real]]]] = {}
        a, b = (N.real(drive.level) + cell.I_e) / cell.C, N.real(drive.slope) / cell.C
        if rate:
            polynomial = [a / rate - b / rate**2, b / rate] if b else [a / rate]
        else:
            polynomial = [R0, a, b / 2] if b else [R0, a]
        sines = []  # (real and imaginary part of F, omega): Im(F exp(i omega s))
        for amplitude, omega, phase in drive.sines:
            re, im = amplitude / cell.C * N.cos(phase), amplitude / cell.C * N.sin(phase)
            sines.append((*divide(re, im, rate, omega), omega))
        self.states[v] = polynomial, sines
        total, total_sines = list(polynomial), list(sines)
        for k, threshold in zip(range(v + 1, cell.flow.n), cell.thresholds, strict=True):
            if not threshold.gain:
                continue
            if not rate:
                raise NotImplementedError("a threshold that follows V without leak")
            g, r = threshold.gain, threshold.rate
            if len(polynomial) == 2:
                slope = g * polynomial[1] / r
                own = [(g * polynomial[0] - slope) / r, slope]
            else:
                own = [g * polynomial[0] / r]
            own_sines = [(*divide(g * re, g * im, r, omega), omega) for re, im, omega in sines]
            self.states[k] = own, own_sines
            total = [x - y for x, y in zip(total, own, strict=True)]
            total_sines = [
                (re - own_re, im - own_im, omega)
                for (re, im, omega), (own_re, own_im, _) in zip(total_sines, own_sines, strict=True)
            ]
        total[0] = total[0] - cell.theta
        self.polynomial, self.sines = total, total_sines
        self.floats = [float(value) for value in total] + [0.0] * (3 - len(total))
        self.amplitudes = [(abs(float(re)) + abs(float(im)), float(omega)) for re, im, omega in total_sines]
        self.constant = len(polynomial) == 1 and not sines

    def at(self, k: int, s: Real, N: Any) -> Real:
        if k not in self.states:
            return 0
        return particular_value(*self.states[k], s, N)

    def value(self, s: Real, order: int, N: Any) -> Real:
        """f's part, or its derivative."""
        polynomial, sines = self.polynomial, self.sines
        for _ in range(order):
            polynomial = [k * c for k, c in enumerate(polynomial)][1:]
            sines = [(-omega * im, omega * re, omega) for re, im, omega in sines]
        return particular_value(polynomial, sines, s, N)

    def derivatives(self, s: Real, order: int, N: Any) -> tuple[list[float], list[float]]:
        """Derivatives order to order + 3 at s in float64, and the sizes of their terms."""
        p0, p1, p2 = self.floats
        if p1 == 0.0 == p2 and not self.sines:
            return ([p0, 0.0, 0.0, 0.0], [abs(p0), 0.0, 0.0, 0.0]) if order == 0 else ([0.0] * 4, [0.0] * 4)
        t = float(s)
        values = [p0 + p1 * t + p2 * t * t, p1 + 2 * p2 * t, 2 * p2, 0.0, 0.0, 0.0, 0.0][order : order + 4]
        sizes = [
            abs(p0) + abs(p1) * t + abs(p2) * t * t, abs(p1) + 2 * abs(p2) * t, 2 * abs(p2), 0.0, 0.0, 0.0, 0.0,
        ][order : order + 4]  # fmt: skip
        for (re, im, omega), (size, w) in zip(self.sines, self.amplitudes, strict=True):
            sine, cosine = float(N.sin(omega * s)), float(N.cos(omega * s))
            f, g = float(re), float(im)
            for _ in range(order):
                f, g = -w * g, w * f
            for n in range(4):
                values[n] += f * sine + g * cosine
                sizes[n] += size * w ** (order + n)
                f, g = -w * g, w * f
        return values, sizes

    def bound(self, order: int) -> float:
        return sum(size * omega**order for size, omega in self.amplitudes)

    def highest(self, s: float, h: float) -> float:
        """Upper bound of f's part over [s, s + h]."""
        p0, p1, p2 = self.floats
        ends = [p0 + p1 * t + p2 * t * t for t in (s, s + h)]
        return max(ends) + abs(p2) * h * h + self.bound(0)


def divide(re: Real, im: Real, a: Real, b: Real) -> tuple[Real, Real]:
    """(re + i im) / (a + i b)"""
    norm = a * a + b * b
    return (re * a + im * b) / norm, (im * a - re * b) / norm


def particular_value(polynomial: Sequence[Real], sines: Sequence[tuple[Real, Real, Real]], s: Real, N: Any) -> Real:
    total = N.real(0)
    for c in reversed(polynomial):
        total = total * s + c
    for re, im, omega in sines:
        total += re * N.sin(omega * s) + im * N.cos(omega * s)
    return total


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
        self.shortest = min(t for t in [*self.flow.tau, 10.0] if t < math.inf)
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
            self._kept = drive, Particular(self, drive)
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
        N, flow, p = self.N, self.flow, self.particular(drive)
        x0 = self.free(x, p)
        search = Search(self, x0, p, order, sign, self.size(x, drive))
        a, xa = N.real(start), x0 if not start else flow.step(x0, N.real(start))
        length = N.real(length)
        here = search.local(a, xa)
        if here.sign(0) >= 0:
            return search.result(a)
        h = 0.5 * self.shortest
        while a < length:
            rest = float(length - a)
            # All that is left lies below: the sum of what each state can still contribute.
            high, low = flow.ranges(here.x, rest)
            if search.ceiling(high, low, a, rest) < -here.noise[0]:
                return None
            h = min(h, rest)
            while True:
                b = length if h >= rest else a + h
                shape = search.shape(here, h)
                if shape is not None:
                    break
                h *= 0.5
                if h < 1e-30:
                    raise Undecided(f"no step is short enough at s = {float(a)}")
            there = search.local(b, flow.step(xa, b - a))
            if shape in ("rising", "convex"):
                if there.sign(0) >= 0:
                    return search.result(search.zero(0, a, b))
            elif shape == "concave" and here.sign(1) > 0:
                if there.sign(0) >= 0:
                    return search.result(search.zero(0, a, b))
                if there.sign(1) < 0:
                    top = search.zero(1, a, b)
                    value = search.value(0, top)
                    self.closest = min(self.closest, abs(float(value)))
                    if value >= 0:
                        return search.result(search.zero(0, a, top))
            a, xa, here = b, there.exact, there
            h *= 2.0
        return None

    # ---- the neuron under input

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
        events: list[tuple[Real, int, Any]] = sorted(
            [(N.real(time), 0, make) for time, make in drives] + [(N.real(time), 1, item) for time, *item in inputs],
            key=lambda event: event[:2],
        )
        events.append((stop, 2, None))

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
            found[-1].restart = Search(self, self.free(x, p), p, 0, 1, 0.0).local(N.real(0), self.free(x, p)).d[1]
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


def shifted(drive: Drive, s: Real) -> Drive:
    """The same drive seen from s later."""
    sines = [(amplitude, omega, phase + omega * s) for amplitude, omega, phase in drive.sines]
    return Drive(drive.level + drive.slope * s, drive.slope, sines)


class Search:
    """f (or a derivative, or its negative) from one state on: values in 384 bits, and shapes of steps."""

    def __init__(self, cell: Cell, x0: Sequence[Real], p: Particular, order: int, sign: int, size: float):
        self.cell, self.p, self.first, self.way, self.size = cell, p, order, sign, size
        self.x0 = x0
        self.levels: list[list[Real]] | None = None
        self.rows = [[sign * value for value in row] for row in cell.flow.rows[order : order + 5]]

    def value(self, order: int, s: Real) -> Real:
        """The order-th derivative of the function at s after the state."""
        flow = self.cell.flow
        if self.levels is None:
            levels = [flow.coefficients(self.x0)]
            for _ in range(self.first + 2):
                levels.append(flow.derivative(levels[-1]))
            self.levels = levels[self.first :]
        total = sum([c * b for c, b in zip(self.levels[order], flow.basis_values(s), strict=True)])
        return self.way * (total + self.p.value(s, self.first + order, self.cell.N))

    def local(self, s: Real, exact: Sequence[Real]) -> Local:
        x = [float(value) for value in exact]
        values, sizes = self.p.derivatives(s, self.first, self.cell.N)
        d, noise = [], []
        for row, value, size in zip(self.rows, values, sizes, strict=False):
            total, absolute = self.way * value, size
            for r, xi in zip(row, x, strict=True):
                term = r * xi
                total += term
                absolute += abs(term)
            d.append(total)
            noise.append(NOISE * absolute)
        return Local(self, s, exact, x, d, noise)

    def ceiling(self, high: Sequence[float], low: Sequence[float], a: Real, h: float) -> float:
        if self.first:
            return math.inf
        total = self.p.highest(float(a), h) if self.way > 0 else math.inf
        for r, up, down in zip(self.rows[0], high, low, strict=True):
            total += r * up if r > 0.0 else r * down
        return total

    def shape(self, here: Local, h: float) -> str | None:
        """What is certain about the function over [s, s + h]."""
        d0, d1, d2, d3 = here.d
        e0, e1, e2, e3 = here.noise
        high, low = self.cell.flow.ranges(here.x, h)
        fourth = self.p.bound(self.first + 4) + sum(
            abs(r) * max(up, -down) for r, up, down in zip(self.rows[4], high, low, strict=True)
        )
        fourth *= 1.0 + 1e-9
        bend = 0.5 * fourth * h * h
        high2 = d2 + e2 + max(0.0, (d3 + e3) * h) + bend
        low2 = d2 - e2 + min(0.0, (d3 - e3) * h) - bend
        high1 = d1 + e1 + max(0.0, high2 * h)
        low1 = d1 - e1 + min(0.0, low2 * h)
        rise = d1 + e1
        if rise <= 0.0 and high2 <= 0.0:
            top = 0.0
        elif high2 >= 0.0:
            top = max(0.0, rise * h + 0.5 * high2 * h * h)
        else:
            top = rise * min(h, 0.5 * rise / -high2) if rise < -high2 * h else rise * h + 0.5 * high2 * h * h
        if d0 + e0 + top * (1.0 + 1e-9) < 0.0:
            return "below"
        if low1 > 0.0:
            return "rising"
        if high1 < 0.0:
            return "below"
        if high2 < 0.0:
            return "concave"
        if low2 > 0.0:
            return "convex"
        return None

    def zero(self, order: int, low: Real, high: Real) -> Real:
        """The one zero between low and high: for order 0 from below to above, for order 1 (a maximum) from above."""
        N = self.cell.N
        sign = 1 if order == 0 else -1
        left, right = low, high
        s = (low + high) / 2
        for _ in range(500):
            f = sign * self.value(order, s)
            if f >= 0:
                right = s
            else:
                left = s
            slope = sign * self.value(order + 1, s)
            new = s - f / slope if slope > 0 else left
            if not left < new < right:
                if abs(new - s) < RESOLVED / 4:
                    break
                new = (left + right) / 2
            if abs(new - s) < RESOLVED / 4:
                s = new
                break
            s = new
        below, above = s - N.real(RESOLVED), s + N.real(RESOLVED)
        if below > low and sign * self.value(order, below) >= 0 or above < high and sign * self.value(order, above) < 0:
            raise Undecided(f"the zero near {float(s)} is not resolved")
        return s

    def result(self, s: Real) -> Crossing:
        return Crossing(s, float(self.value(1, s)), float(self.value(2, s)), self.size)


@dataclass
class Local:
    """The function at one time: exact state, float64 state, derivatives 0 to 3 and the noise of each."""

    search: Search
    s: Real
    exact: Sequence[Real]
    x: list[float]
    d: list[float]
    noise: list[float]

    def sign(self, order: int) -> int:
        if abs(self.d[order]) > self.noise[order]:
            return 1 if self.d[order] > 0.0 else -1
        value = self.search.value(order, self.s)
        if value == 0:
            return 0
        return 1 if value > 0 else -1


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
