"""Random neurons of every linear model (families.py), run by the simulator and by oracle.py, and compared.

`tests/test_exact.py` runs small numbers of them, `benchmarks/accuracy.py` the large ones that docs/accuracy.md reports.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import oracle
from families import (
    FAMILIES,
    Array,
    Columns,
    Family,
    at,
    charge,
    exact_state,
    loguniform,
    random_states,
    resistance,
    threshold,
)

import eventsnn as esn

ULP = 2.0**-52
STEP = 2.0**-30  # ms: input times are multiples of it, so that adding a delay of 1 ms rounds nothing
HORIZON = 300.0  # ms in which a state may cross


# ---- first spikes of random states


def first_spikes(family: Family, p: Columns, states: Columns, horizon: float, drive: Any = None) -> Array:
    """The simulator's first spike of every neuron, nan for none."""
    n = len(states["V_m"])
    net = esn.Network()
    cells = net.population(n, family.instance(p), name="cells", **states)
    for stimulus, ids in drive or ():
        net.stimulate(cells[ids], stimulus)
    trains = net.run(horizon).spikes["cells"]
    first = np.full(n, np.nan)
    ids, index = np.unique(trains.ids, return_index=True)
    first[ids] = trains.times[index]
    return first


@dataclass
class Tally:
    """What a comparison found. `wrong` holds a sentence for each disagreement, beyond the tolerance or in number."""

    cases: int = 0
    spikes: int = 0
    missed: int = 0
    invented: int = 0
    error: float = 0.0  # ms
    ulps: float = 0.0  # of the time
    conditioned: float = 0.0  # largest error in units of (ulp of the potentials / slope + ulp of the time)
    beyond: int = 0  # errors above max(1e-12 ms, 4 ulp of the time); wrong unless the conditioning explains them
    excused: int = 0  # cases within the margin in which rounding decides
    wrong: list[str] = field(default_factory=list)


def conditioning(size: float, slope: float, bend: float) -> float:
    """How far a crossing moves if the potentials are an ulp of their size off (ms)."""
    e = ULP * size
    linear = e / abs(slope) if slope else math.inf
    return min(linear, math.sqrt(2.0 * e / abs(bend)) if bend else math.inf)


def compare(tally: Tally, got: float, expected: oracle.Crossing | None, size: float, margin: float, label: str) -> None:
    """One neuron's first spike. margin: the least distance of a maximum from the threshold that was met (mV)."""
    tally.cases += 1
    if (expected is None) != math.isnan(got):
        if margin <= 1e-13 * size:
            tally.excused += 1
            return
        if expected is None:
            tally.invented += 1
        else:
            tally.missed += 1
        when = "none" if expected is None else repr(float(expected.t))
        tally.wrong.append(f"{label}: simulator {got!r}, exact {when}, margin {margin:.3g} mV of {size:.3g} mV")
        return
    if expected is None:
        return
    tally.spikes += 1
    error = abs(float(oracle.ARITHMETIC.real(got) - expected.t))
    ulp = math.ulp(float(expected.t))
    unit = conditioning(size, expected.slope, expected.bend)
    if error > max(1e-12, 4.0 * ulp):
        tally.beyond += 1
    if error > max(1e-12, 4.0 * ulp, 8.0 * unit):
        if margin <= 1e-13 * size:
            tally.excused += 1
            return
        tally.wrong.append(
            f"{label}: simulator {got!r}, exact {float(expected.t)!r}, error {error:.3g} ms, "
            f"conditioning {unit:.3g} ms, margin {margin:.3g} mV"
        )
    tally.error = max(tally.error, error)
    tally.ulps = max(tally.ulps, error / ulp)
    tally.conditioned = max(tally.conditioned, error / (unit + ulp))


def compare_states(family: Family, n: int, seed: int) -> Tally:
    """n random neurons in random states: does each cross within HORIZON, and when."""
    rng = np.random.default_rng([seed, 1])
    p = family.draw(rng, n)
    states = random_states(family, p, rng, n)
    got = first_spikes(family, p, states, HORIZON)
    tally = Tally()
    for i in range(n):
        mine = at(p, i)
        cell = family.cell(mine)
        x = exact_state(cell, mine, at(states, i))
        crossing = cell.crossing(x, oracle.Drive(), HORIZON)
        size = cell.size(x, oracle.Drive())
        compare(tally, got[i], crossing, size, cell.closest, f"{family.name}, state {i} of seed {seed}")
    return tally


# ---- trains of input


@dataclass
class Inputs:
    """What one neuron receives: a train for each of its sources, with the source's port and weight."""

    trains: list[Array]  # ms, multiples of STEP, at which the sources spike
    ports: list[str]
    weights: list[float]

    def merged(self) -> list[tuple[float, str, float]]:
        """(time of arrival, port, weight), ascending, after a delay of 1 ms."""
        rows = zip(self.trains, self.ports, self.weights, strict=True)
        return sorted((time + 1.0, port, weight) for train, port, weight in rows for time in train.tolist())


def random_inputs(
    family: Family, p: Columns, rng: np.random.Generator, duration: float, rate: float
) -> tuple[Inputs, float]:
    """Ten sources a port, `rate` inputs a ms in all, and the constant current (pA) that goes with them.

    Weights and current follow from the mean (0.5 to 1.1 of the threshold) and the standard deviation (0.15 to 0.5 of
    it) that the input would give V without a threshold, so that most neurons fire irregularly at some 1 to 50 Hz.
    """
    theta, C_m = float(threshold(p)), p["C_m"]
    tau = p["tau_m"] if "tau_m" in p else p["C_m"] / p["g"] if "g" in p else 20.0
    mean, spread = theta * rng.uniform(0.5, 1.1), theta * rng.uniform(0.15, 0.5)
    jump = spread * math.sqrt(2.0 / (tau * rate))  # mV that an input moves V by, were its current instantaneous
    inputs = Inputs([], [], [])
    drift = 0.0
    ports = family.ports if family.ports != ("delta",) else ("delta", "delta")
    for k, port in enumerate(ports):
        share = rate / len(ports) / 10.0
        for _ in range(10):
            size = (1.0 if k % 2 == 0 else -1.0) * jump * rng.uniform(0.5, 1.5)
            n = int(rng.poisson(share * duration))
            inputs.trains.append(np.unique(np.round(rng.uniform(0.0, duration, n) / STEP) * STEP))
            inputs.ports.append(port)
            inputs.weights.append(float(size if port == "delta" else size * C_m / charge(family, p, port)))
            drift += size * share
    return inputs, float((mean / tau - drift) * C_m)


def shortened(p: Columns) -> Columns:
    """All time constants of a neuron times the same power of 2, so that none of membrane and synapses exceeds 20 ms."""
    names = [name for name in p if name == "tau_m" or name.startswith("tau_syn")]
    if not names:
        return p
    longest = np.maximum.reduce([p[name] for name in names])
    factor = 2.0 ** -np.ceil(np.maximum(0.0, np.log2(longest / 20.0)))
    return {name: value * factor if name in names else value for name, value in p.items()}


@dataclass
class TrainTally(Tally):
    """The errors are those of all spikes."""

    inputs: int = 0


def run_trains(family: Family, p: Columns, inputs: Sequence[Inputs], duration: float, stimuli: Sequence[Any]) -> Any:
    """The simulator's spikes of neurons with parameters p, each under its own input (and current)."""
    n = len(inputs)
    net = esn.Network()
    cells = net.population(n, family.instance(p), name="cells")
    for i, stimulus in enumerate(stimuli):
        net.stimulate(cells[i : i + 1], stimulus)
    trains = [train for mine in inputs for train in mine.trains]
    targets = np.array([i for i, mine in enumerate(inputs) for _ in mine.trains])
    ports = np.array([port for mine in inputs for port in mine.ports])
    weights = np.array([weight for mine in inputs for weight in mine.weights])
    sources = net.population(len(trains), esn.SpikeSource(trains), name="sources")
    for port in dict.fromkeys(ports.tolist()):
        which = np.flatnonzero(ports == port)
        net.connect(sources, cells, esn.Explicit(which, targets[which]), weight=weights[which], delay=1.0, port=port)
    return net.run(duration).spikes["cells"].trains()


def compare_trains(
    family: Family, n: int, dense: int, seed: int, duration: float = 2_000.0, currents: Any = None
) -> TrainTally:
    """n random neurons under random input for `duration` ms, `dense` of them under 100 inputs a ms: every spike.

    currents(rng, size, duration) gives a stimulus for the simulator, and the drives for the oracle, a neuron.
    """
    rng = np.random.default_rng([seed, 2])
    p = shortened(family.draw(rng, n))
    rates = loguniform(rng, 0.3, 10.0, n)
    rates[:dense] = 100.0
    inputs, p["I_e"] = [], np.zeros(n)
    extra = []
    for i in range(n):
        mine = at(p, i)
        drive, p["I_e"][i] = random_inputs(family, mine, rng, duration, rates[i])
        inputs.append(drive)
        if currents is not None:
            extra.append(currents(rng, float(threshold(mine) / resistance(family, mine)), duration))
    got = run_trains(family, p, inputs, duration, [stimulus for stimulus, _ in extra])
    tally = TrainTally()
    for i in range(n):
        cell = family.cell(at(p, i))
        merged = inputs[i].merged()
        tally.inputs += len(merged)
        expected = cell.spikes(cell.state(), duration, merged, extra[i][1] if extra else ())  # from rest
        longest = max((tau for tau in cell.flow.tau if tau < math.inf), default=0.0)
        held = len(merged) if math.inf in cell.flow.tau else rates[i] * longest
        compare_train(tally, cell, got[i], expected, held, f"{family.name}, train {i} of seed {seed}")
    return tally


def compare_train(
    tally: TrainTally, cell: oracle.Cell, got: Array, expected: Sequence[oracle.Spike], held: float, label: str
) -> None:
    """All spikes of one neuron. An error above max(1e-12 ms, 4 ulp) is wrong unless float64 itself explains it, by

    - what the crossing makes of a few ulp of the potentials, and of half an ulp for each input that its currents still
      hold (`held`): each is rounded when it is added, and a constant weight always in the same direction;
    - what it inherits from the spike before, whose time is a float64: V starts again that much too early or too late,
      and a neuron that is above its threshold when refractoriness ends spikes that much too early or too late.
    """
    tally.cases += 1
    tally.spikes += len(expected)
    if len(got) != len(expected):
        tally.missed += max(0, len(expected) - len(got))
        tally.invented += max(0, len(got) - len(expected))
        apart = next((k for k, (a, b) in enumerate(zip(got, expected, strict=False)) if abs(a - float(b.t)) > 1e-6), -1)
        tally.wrong.append(f"{label}: {len(got)} spikes, exact {len(expected)}; they part at spike {apart}")
        return
    slowest = float(min(cell.rates[cell.v :]))
    allowed, before = 0.0, None
    for k, (time, spike) in enumerate(zip(got.tolist(), expected, strict=True)):
        error = abs(float(oracle.ARITHMETIC.real(time) - spike.t))
        ulp = math.ulp(float(spike.t))
        own = inherited = 0.0
        if spike.cause == "release":
            inherited = allowed + ulp
        elif spike.cause == "flow":
            own = conditioning(spike.size, spike.slope, spike.bend)
            tally.conditioned = max(tally.conditioned, error / (own + ulp))
            if before is not None:
                decay = math.exp(-slowest * max(0.0, float(spike.t - before.t - cell.t_ref)))
                inherited = allowed * abs(before.restart / spike.slope) * decay
        allowed, before = (8.0 + 0.5 * held) * own + inherited + ulp, spike
        tally.error = max(tally.error, error)
        tally.ulps = max(tally.ulps, error / ulp)
        if error > max(1e-12, 4.0 * ulp):
            tally.beyond += 1
            if error > allowed:
                tally.wrong.append(
                    f"{label}: spike {k} of {len(got)} at {time!r}, error {error:.3g} ms, explained {allowed:.3g} ms, "
                    f"slope {spike.slope:.3g} mV/ms, potentials {spike.size:.3g} mV"
                )


# ---- external currents


def sine_drive(amplitude: float, frequency: float, phase: float, offset: float, start: float = 0.0) -> oracle.Drive:
    """SineCurrent from `start` on, for the oracle."""
    N = oracle.ARITHMETIC
    omega = 2 * N.pi * N.real(frequency) / 1000
    angle = N.real(phase) * N.pi / 180 + omega * N.real(start)
    return oracle.Drive(N.real(offset), N.real(0), [(N.real(amplitude), omega, angle)])


def random_current(rng: np.random.Generator, size: float, duration: float) -> tuple[Any, list[tuple[float, Any]]]:
    """A random step, ramp or sine current of about `size` pA: for the simulator, and the same for the oracle."""
    N = oracle.ARITHMETIC
    kind = rng.choice(["StepCurrent", "RampCurrent", "SineCurrent"])
    times = np.sort(rng.uniform(0.0, duration, 30))
    amplitudes = rng.normal(0.0, 0.5 * size, 30)
    levels = list(zip(times.tolist(), amplitudes.tolist(), strict=True))
    if kind == "StepCurrent":
        drives = [(t, lambda a=a: oracle.Drive(N.real(a))) for t, a in levels]
        return esn.StepCurrent(times, amplitudes), drives
    if kind == "RampCurrent":
        drives = [
            (t, lambda t=t, a=a, t1=t1, a1=a1: oracle.Drive(N.real(a), (N.real(a1) - a) / (N.real(t1) - t)))
            for (t, a), (t1, a1) in zip(levels, levels[1:], strict=False)
        ]
        drives.append((levels[-1][0], lambda: oracle.Drive(N.real(levels[-1][1]))))
        return esn.RampCurrent(times, amplitudes), drives
    start, stop = float(times[0]), float(times[-1])
    wave = {
        "amplitude": float(size * rng.uniform(0.1, 1.0)), "frequency": float(loguniform(rng, 1.0, 1000.0, 1)[0]),
        "phase": float(rng.uniform(0.0, 360.0)), "offset": float(size * rng.normal(0.0, 0.2)),
    }  # fmt: skip
    drives = [(start, lambda: sine_drive(**wave, start=start)), (stop, lambda: oracle.Drive())]
    return esn.SineCurrent(**wave, start=start, stop=stop), drives


def compare_sines(n: int, seed: int, horizon: float = 100.0, group: int = 100) -> Tally:
    """n random LIFExp neurons in random states under sinusoidal currents of 1 to 1,000 Hz, `group` of them under each.

    Half of the thresholds are moved to within 1e-4 of a maximum that V would reach.
    """
    family, tally = FAMILIES["LIFExp"], Tally()
    rng = np.random.default_rng([seed, 3])
    p = family.draw(rng, n)
    states = random_states(family, p, rng, n)
    weak = rng.random(n) < 0.5  # else the synaptic currents decide alone
    for port in family.ports:
        states[f"I_syn_{port}"] = np.where(weak, 0.1, 1.0) * states[f"I_syn_{port}"]
    stimuli, drives = [], []
    for first in range(0, n, group):
        frequency = float(loguniform(rng, 1.0, 1000.0, 1)[0])
        omega = 2.0 * math.pi * frequency / 1000.0
        mine = slice(first, min(first + group, n))
        # For the median neuron an amplitude that lifts V by about the threshold.
        tau, C_m = np.median(p["tau_m"][mine]), np.median(p["C_m"][mine])
        size = float(15.0 * C_m / tau * math.hypot(1.0, omega * tau) * rng.uniform(0.2, 1.5))
        wave = {"amplitude": size, "frequency": frequency, "phase": float(rng.uniform(0.0, 360.0)), "offset": 0.0}
        stimuli.append((esn.SineCurrent(**wave), mine))
        drives.append(sine_drive(**wave))
    for i in np.flatnonzero(rng.random(n) < 0.5):
        mine = at(p, i)
        cell = family.cell(mine)
        x = exact_state(cell, mine, at(states, i))
        heights = maxima(cell, x, drives[i // group], horizon, 1 + int(rng.integers(0, 5)))
        if heights and max(heights) > max(0.5, float(x[cell.v])):
            theta = float(max(heights)) * (1.0 + rng.choice([-1.0, 1.0]) * float(loguniform(rng, 1e-9, 1e-4, 1)[0]))
            p["V_th"][i] = mine["E_L"] + theta
            p["V_reset"][i] = min(p["V_reset"][i], p["V_th"][i] - 1.0)
    got = first_spikes(family, p, states, horizon, stimuli)
    for i in range(n):
        mine = at(p, i)
        cell = family.cell(mine)
        x, drive = exact_state(cell, mine, at(states, i)), drives[i // group]
        crossing = cell.crossing(x, drive, horizon)
        compare(tally, got[i], crossing, cell.size(x, drive), cell.closest, f"sine, neuron {i} of seed {seed}")
    return tally


def maxima(cell: oracle.Cell, x: Sequence[Any], drive: oracle.Drive, length: float, count: int) -> list[Any]:
    """Heights (mV) of the first `count` maxima of V - moving thresholds after now; fewer if there are not so many."""
    N = cell.N
    nudge = N.real(2) ** -60  # beyond a zero of the slope, which is resolved to 1e-40
    start: Any = N.real(0)
    heights = []
    rising = cell.crossing(x, drive, 0.0, order=1) is not None
    while len(heights) < count:
        if not rising:
            bottom = cell.crossing(x, drive, length, order=1, start=start)
            if bottom is None:
                break
            start = bottom.t + nudge
        top = cell.crossing(x, drive, length, order=1, sign=-1, start=start)
        if top is None:
            break
        heights.append(cell.height(cell.advance(x, drive, top.t)) + cell.theta)
        start, rising = top.t + nudge, False
    return heights


# ---- grazing


THRESHOLDS = {"MAT2": "omega", "MihalasNiebur": "Theta_inf"}


def grazing(family: Family, n: int, seed: int, group: int = 50) -> tuple[Columns, Columns, Array]:
    """n neurons whose first maximum, or the higher of their first two, lies within 1e-9 of the threshold: parameters,
    states, and by how many mV it lies above. Of one draw of parameters up to `group` states are kept."""
    rng = np.random.default_rng([seed, 4])
    name = THRESHOLDS.get(family.model, "V_th")
    kept: list[tuple[Columns, Columns, float]] = []
    while len(kept) < n:
        p = {key: float(np.ravel(value)[0]) for key, value in family.draw(rng, 1).items()}
        states = random_states(family, p, rng, group)
        # With E_L = 0 the threshold keeps all its digits.
        E_L = p["E_L"]
        for key in ("E_L", "V_th", "V_reset", "omega", "Theta_inf", "Theta_reset"):
            if key in p:
                p[key] -= E_L
        states["V_m"] = states["V_m"] - E_L
        if "Theta" in states:
            states["Theta"] = np.full(group, p["Theta_inf"])
        cell = family.cell(p)
        for k in range(group):
            state = at(states, k)
            x = exact_state(cell, p, state)
            fall = cell.crossing(x, oracle.Drive(), 0.0, order=1) is None
            if fall and rng.random() < 0.9:  # most of those have no maximum, which takes long to find out
                continue
            heights = maxima(cell, x, oracle.Drive(), 0.3 * HORIZON, max(family.humps, 1 + int(rng.random() < 0.1)))
            if len(heights) < family.humps:
                continue
            top = heights[0] if rng.random() < 0.5 else max(heights)
            start = cell.height(x) + cell.theta
            if top < 0.5 or top <= start + 1e-6:
                continue
            theta = float(top) * (1.0 + rng.choice([-1.0, 1.0]) * float(loguniform(rng, 1e-15, 1e-9, 1)[0]))
            mine = {**p, name: theta}
            if "V_reset" in mine:
                mine["V_reset"] = min(mine["V_reset"], theta - 1.0)
            if "Theta" in state:
                state["Theta"], mine["Theta_reset"] = theta, theta - 5.0
                mine["V_reset"] = min(mine["V_reset"], theta - 6.0)
            kept.append((mine, state, float(top - cell.N.real(theta))))
    kept = kept[:n]
    columns = [{key: np.array([case[j][key] for case in kept]) for key in kept[0][j]} for j in (0, 1)]
    return columns[0], columns[1], np.array([case[2] for case in kept])


@dataclass
class GrazingTally(Tally):
    decided: int = 0  # cases with a margin above 1e-13 of the potentials: there every decision must be right
    over: int = 0  # cases whose maximum lies above the threshold


def compare_grazing(family: Family, n: int, seed: int) -> GrazingTally:
    """n cases of `grazing`: crosses or not, and when."""
    p, states, margins = grazing(family, n, seed)
    got = first_spikes(family, p, states, HORIZON)
    tally = GrazingTally(over=int((margins >= 0.0).sum()))
    last, cell = None, None
    free = ("V_th", "V_reset", "omega", "Theta_inf", "Theta_reset")
    for i in range(n):
        mine = at(p, i)
        key = [value for name, value in mine.items() if name not in free]
        if cell is None or key != last:
            last, cell = key, family.cell(mine)
        cell.set_threshold(threshold(mine))  # one flow serves all that differ in nothing else
        x = exact_state(cell, mine, at(states, i))
        crossing = cell.crossing(x, oracle.Drive(), HORIZON)
        size = cell.size(x, oracle.Drive())
        margin = min(cell.closest, abs(float(margins[i])))
        compare(tally, got[i], crossing, size, margin, f"{family.name}, grazing case {i} of seed {seed}")
        tally.decided += margin > 1e-13 * size
    return tally
