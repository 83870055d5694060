"""How far from the exact spike times are the simulators of the field, on the same trains of input?

Motivation: time-driven simulators round spikes to a grid. NEST's precise models do not, but all except the lossless one
look for a crossing only where V is above the threshold at the end of a step or at an input.

50 neurons of each model (NEST's defaults, tau_m = 10 ms, tau_syn = 2 ms, t_ref = 2 ms, E_L = 0) receive 0.1 to 5 random
inputs a ms from 20 sources for 1,000 ms. tests/support/oracle.py says when they spike. 20 neurons with conductances get
what a neuron of scenarios/coba.py gets, spikes of 64 excitatory and 16 inhibitory ones at 20 Hz; quadrature in long
double says when they spike. A spike is found if the simulator has one within t_ref of it, else it is missed; what is
left over is invented. Errors are those of the spikes found.

Run: python benchmarks/accuracy_peers.py [--nest-python PYTHON] [--brian2-python PYTHON], in an environment with
eventsnn and its test extra. NEST and Brian2 may live in environments of their own, whose interpreters the options or
the variables NEST_PYTHON and BRIAN2_PYTHON name; what is not found is skipped. It takes some minutes, most of them for
Brian2 at 0.001 ms, and rewrites its section of docs/accuracy.md.

Result, 2026-11-27, NEST 3.10.0, Brian2 2.9.0; step and errors in ms:

      simulator                     step    spikes  missed  invented   largest    median
    LIFDelta, 1,538 spikes
      eventsnn                      none     1,538       0         0   4.3e-13   0.0e+00
      NEST iaf_psc_delta_ps         1        1,538       0         0   1.8e-12   0.0e+00
      NEST iaf_psc_delta_ps         0.1      1,538       0         0   3.0e-12   0.0e+00
      NEST iaf_psc_delta_ps         0.01     1,538       0         0   1.0e-11   0.0e+00
      NEST iaf_psc_delta            1        1,437     287       186   2.0e+00   5.0e-01
      NEST iaf_psc_delta            0.1      1,521      57        40   1.9e+00   5.2e-02
      NEST iaf_psc_delta            0.01     1,536       9         7   1.2e+00   5.3e-03
      Brian2                        0.1      1,516      70        48   1.9e+00   5.2e-02
      Brian2                        0.001    1,538       0         0   1.2e+00   5.1e-04

    LIFExp, 1,143 spikes
      eventsnn                      none     1,143       0         0   7.2e-13   1.6e-14
      NEST iaf_psc_exp_ps_lossless* 1        1,122       0         0   1.4e-13   1.6e-14
      NEST iaf_psc_exp_ps_lossless  0.1      1,143       0         0   9.1e-13   2.1e-14
      NEST iaf_psc_exp_ps_lossless  0.01     1,143       0         0   1.6e-12   2.4e-14
      NEST iaf_psc_exp_ps           1        1,143       3         3   2.3e-01   1.6e-14
      NEST iaf_psc_exp_ps           0.1      1,143       0         0   9.1e-13   2.1e-14
      NEST iaf_psc_exp_ps           0.01     1,143       0         0   1.6e-12   2.4e-14
      NEST iaf_psc_exp              1        1,119     169       145   2.0e+00   1.1e+00
      NEST iaf_psc_exp              0.1      1,139      14        10   1.4e+00   1.1e-01
      NEST iaf_psc_exp              0.01     1,142       3         2   1.4e+00   1.1e-02
      Brian2                        0.1      1,146       7        10   1.7e+00   3.4e-02
      Brian2                        0.001    1,143       0         0   9.7e-03   3.3e-04

    LIFAlpha, 1,023 spikes
      eventsnn                      none     1,023       0         0   6.4e-13   1.7e-14
      NEST iaf_psc_alpha_ps         1        1,021       4         2   1.6e+00   1.7e-14
      NEST iaf_psc_alpha_ps         0.1      1,023       0         0   3.4e-13   2.2e-14
      NEST iaf_psc_alpha_ps         0.01     1,023       0         0   2.3e-12   3.0e-14
      NEST iaf_psc_alpha            1        1,006     152       135   2.0e+00   1.1e+00
      NEST iaf_psc_alpha            0.1      1,021       6         4   1.5e+00   1.1e-01
      NEST iaf_psc_alpha            0.01     1,022       2         1   1.6e+00   1.2e-02
      Brian2                        0.1      1,028       7        12   1.0e+00   3.5e-02
      Brian2                        0.001    1,023       0         0   1.8e-02   3.6e-04

    LIFCondExp in coba, 85 spikes
      eventsnn                      none        85       0         0   8.5e-14   0.0e+00
      NEST iaf_cond_exp             1           78      11         4   4.4e+00   1.1e+00
      NEST iaf_cond_exp             0.1         84       2         1   3.7e+00   1.1e-01
      NEST iaf_cond_exp             0.01        85       0         0   2.4e-02   1.1e-02
      Brian2                        0.1         87       0         2   7.9e-01   7.0e-02
      Brian2                        0.001       85       0         0   7.2e-03   6.5e-04

    * without the one neuron of 50 at which it stops with a NumericalInstability

NEST's precise models find every spike of these trains at 0.1 ms and below, with errors that grow as the step shrinks;
at 1 ms iaf_psc_exp_ps and iaf_psc_alpha_ps miss some. On a grid of 0.01 ms or more spikes are lost and invented. With
conductances eventsnn's are right to the last bits (measured 2026-11-29; by Taylor series with 1e-12 mV a step it was
1.1e-13 ms at most); Brian2's at 0.1 ms is 0.07 ms in the median.
"""

import argparse
import functools
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from workloads import COBA

ROOT = Path(__file__).resolve().parents[1]
TRAINS, DURATION, SEED, DELAY = 50, 1_000.0, 1, 1.0
PARAMETERS = {"tau_m": 10.0, "C_m": 250.0, "E_L": 0.0, "V_th": 15.0, "V_reset": 0.0, "t_ref": 2.0}
SYNAPSES = {"tau_syn_ex": 2.0, "tau_syn_in": 2.0}
COBA_INPUT = ((64 * 20.0, 6.0), (16 * 20.0, -67.0))  # Hz, nS
COBA_TRAINS = 20
MODELS = ("LIFDelta", "LIFExp", "LIFAlpha", "LIFCondExp")
NEST = {
    "LIFDelta": ("iaf_psc_delta_ps", "iaf_psc_delta"),
    "LIFExp": ("iaf_psc_exp_ps_lossless", "iaf_psc_exp_ps", "iaf_psc_exp"),
    "LIFAlpha": ("iaf_psc_alpha_ps", "iaf_psc_alpha"),
    "LIFCondExp": ("iaf_cond_exp",),
}
NEST_STEPS = (1.0, 0.1, 0.01)
BRIAN2_STEPS = (0.1, 0.001)


# ---- in the environment of a peer: nothing of eventsnn may be imported here


def nest_spikes(model: str, step: float, data: dict) -> list[np.ndarray]:
    """All neurons at once; if NEST stops with an error, each alone, and nan for those at which it stops."""
    try:
        return nest_run(model, step, data)
    except Exception:  # NEST makes the class of an error when it occurs
        trains = []
        for i in range(len(data["I_e"])):
            mine = data["target"] == i
            alone = {key: data[key][mine] for key in ("times", "weights")}
            alone |= {"I_e": data["I_e"][i : i + 1], "target": np.zeros(mine.sum(), int), "duration": data["duration"]}
            try:
                trains += nest_run(model, step, alone)
            except Exception:  # NEST makes the class of an error when it occurs
                trains.append(np.array([np.nan]))
        return trains


def nest_run(model: str, step: float, data: dict) -> list[np.ndarray]:
    import nest

    nest.set_verbosity("M_ERROR")
    nest.ResetKernel()
    nest.set(resolution=step)
    n = len(data["I_e"])
    precise = "_ps" in model
    parameters = COBA if "cond" in model else {**PARAMETERS, **({} if "delta" in model else SYNAPSES)}
    neurons = nest.Create(model, n, params=parameters)
    neurons.V_m, neurons.I_e = parameters["E_L"], data["I_e"]
    for i in range(n):
        mine = data["target"] == i
        order = np.argsort(data["times"][mine], kind="stable")
        times, weights = data["times"][mine][order], data["weights"][mine][order]
        generator = nest.Create("spike_generator", params={"precise_times" if precise else "allow_offgrid_times": True})
        generator.set(spike_times=times, spike_weights=weights)
        nest.Connect(generator, neurons[i], syn_spec={"weight": 1.0, "delay": DELAY})
    recorder = nest.Create("spike_recorder")
    nest.Connect(neurons, recorder)
    nest.Simulate(data["duration"])
    events = recorder.get("events")
    first = neurons[0].global_id
    return [np.sort(events["times"][events["senders"] == first + i]) for i in range(n)]


def brian2_spikes(model: str, step: float, data: dict) -> list[np.ndarray]:
    import brian2 as b

    b.start_scope()
    b.defaultclock.dt = step * b.ms
    n = len(data["I_e"])
    # As potentials of 1 per mV and currents of 1 per pA: I / C_m is in mV/ms.
    equations = {
        "LIFDelta": "dv/dt = -v/tau_m + drive/ms : 1 (unless refractory)",
        "LIFExp": """
            dv/dt = -v/tau_m + (drive + x)/ms : 1 (unless refractory)
            dx/dt = -x/tau : 1""",
        "LIFAlpha": """
            dv/dt = -v/tau_m + (drive + x)/ms : 1 (unless refractory)
            dx/dt = y/ms - x/tau : 1
            dy/dt = -y/tau : 1""",
        "LIFCondExp": """
            dv/dt = (g_L*(E_L - v) + x*(E_ex - v) + y*(E_in - v))/C_m/ms + drive/ms : 1 (unless refractory)
            dx/dt = -x/tau_syn_ex : 1
            dy/dt = -y/tau_syn_in : 1""",
    }[model]
    conducts = model == "LIFCondExp"
    parameters = COBA if conducts else PARAMETERS | {"tau": SYNAPSES["tau_syn_ex"]}
    names = {name: value * b.ms if name.startswith("t") else value for name, value in parameters.items()}
    neurons = b.NeuronGroup(
        n, equations + "\ndrive : 1", threshold="v >= V_th", reset="v = V_reset", refractory=names["t_ref"],
        namespace=names, method="exponential_euler" if conducts else "exact",
    )  # fmt: skip
    neurons.v, neurons.drive = parameters["E_L"], data["I_e"] / parameters["C_m"]
    # A generator takes one spike a step: further ones of a source go to copies of it.
    steps = np.floor(data["times"] / step + 1e-6).astype(int)
    order = np.lexsort((steps, data["source"]))
    source, steps = data["source"][order], steps[order]
    rank = np.zeros(len(order), dtype=int)
    for k in range(1, len(order)):
        if source[k] == source[k - 1] and steps[k] == steps[k - 1]:
            rank[k] = rank[k - 1] + 1
    copies = rank.max() + 1
    pairs, first, place = np.unique(source * copies + rank, return_index=True, return_inverse=True)
    generator = b.SpikeGeneratorGroup(len(pairs), place, steps * step * b.ms)
    C_m = parameters["C_m"]
    scale = {"LIFDelta": 1.0, "LIFExp": 1.0 / C_m, "LIFAlpha": np.e / 2.0 / C_m, "LIFCondExp": 1.0}[model]
    event = {
        "LIFDelta": "v_post += w*int(not_refractory_post)", "LIFExp": "x_post += w", "LIFAlpha": "y_post += w",
        "LIFCondExp": "x_post += clip(w, 0, inf); y_post -= clip(w, -inf, 0)",
    }[model]  # fmt: skip
    synapses = b.Synapses(generator, neurons, "w : 1", on_pre=event, delay=DELAY * b.ms)
    synapses.connect(i=np.arange(len(pairs)), j=data["target"][order][first])
    synapses.w = data["weights"][order][first] * scale
    monitor = b.SpikeMonitor(neurons)
    network = b.Network(neurons, generator, synapses, monitor)
    network.run(data["duration"] * b.ms)
    times = np.asarray(monitor.t / b.ms)
    return [times[np.asarray(monitor.i) == i] for i in range(n)]


def worker(peer: str, model: str, step: float, source: str, out: str) -> None:
    data = dict(np.load(source))
    data["duration"] = float(data["duration"])
    trains = (nest_spikes if peer == "nest" else brian2_spikes)(model, step, data)
    np.savez(out, ids=np.repeat(np.arange(len(trains)), [len(t) for t in trains]), times=np.concatenate(trains))


# ---- here


def peer_spikes(python: str, peer: str, model: str, step: float, source: str) -> list[np.ndarray] | None:
    """The spikes of a simulator that runs in an environment of its own; None, with a line, if it does not run."""
    with tempfile.TemporaryDirectory() as folder:
        out = str(Path(folder) / "spikes.npz")
        command = [python, str(Path(__file__).resolve()), "--worker", peer, model, str(step), source, out]
        done = subprocess.run(command, capture_output=True, text=True, cwd=folder)
        if done.returncode:
            reason = (done.stderr.strip() or "failed").splitlines()[-1]
            print(f"{peer} {model} at {step} ms: skipped, {reason}", flush=True)
            return None
        found = np.load(out)
        n = len(np.load(source)["I_e"])
        return [found["times"][found["ids"] == i] for i in range(n)]


def interpreter(option: str | None, variable: str, module: str) -> str | None:
    python = option or os.environ.get(variable) or sys.executable
    if subprocess.run([python, "-c", f"import {module}"], capture_output=True).returncode == 0:
        return python
    print(f"{module}: skipped, not installed; name an interpreter that has it by --{module}-python or {variable}")
    return None


def match(expected: Sequence[Any], got: np.ndarray, window: float) -> tuple[list[float], int, int]:
    """Errors of the spikes found, and the numbers of missed and invented ones; both trains ascend."""
    import oracle

    errors, missed, j = [], 0, 0
    for exact in expected:
        t = float(exact)
        while j < len(got) and got[j] <= t - window:
            j += 1
        if j < len(got) and got[j] < t + window:
            errors.append(abs(float(oracle.ARITHMETIC.real(float(got[j])) - exact)))
            j += 1
        else:
            missed += 1
    return errors, missed, len(got) - len(errors)


def row(simulator: str, step: str, window: float, expected: list[Sequence[Any]], got: list[np.ndarray]) -> str:
    errors: list[float] = []
    missed = invented = 0
    stopped = sum(np.isnan(train).any() for train in got)
    for a, b in zip(expected, got, strict=True):
        if np.isnan(b).any():
            continue
        more, lost, extra = match(a, b, window)
        errors += more
        missed += lost
        invented += extra
    worst, median = (f"{max(errors):.1e}", f"{float(np.median(errors)):.1e}") if errors else ("-", "-")
    if stopped:
        simulator += f" ({stopped} of {len(got)} neurons left out: it stops with an error)"
    return f"| {simulator} | {step} | {len(errors) + invented:,} | {missed} | {invented} | {worst} | {median} |"


class Case(NamedTuple):
    data: dict[str, np.ndarray]  # source, target, time and weight of each input; I_e of each neuron
    expected: list[Sequence[Any]]
    own: dict[str, list[np.ndarray]]  # what eventsnn says


def linear_case(model: str, options: argparse.Namespace) -> Case:
    import exact
    import families

    family = families.FAMILIES[model]
    parameters = {**PARAMETERS, **({} if model == "LIFDelta" else SYNAPSES)}
    rng = np.random.default_rng(SEED)
    inputs, I_e = [], np.zeros(options.trains)
    for i in range(options.trains):
        p = {**parameters, "I_e": 0.0}
        rate = float(families.loguniform(rng, 0.1, 5.0, 1)[0])
        mine, I_e[i] = exact.random_inputs(family, p, rng, options.duration, rate)
        inputs.append(mine)
    expected = []
    for mine, current in zip(inputs, I_e, strict=True):
        cell = family.cell({**parameters, "I_e": float(current)})
        expected.append([spike.t for spike in cell.spikes(cell.state(), options.duration, mine.merged())])
    columns = {**{k: np.full(options.trains, v) for k, v in parameters.items()}, "I_e": I_e}
    own = {"eventsnn": exact.run_trains(family, columns, inputs, options.duration, ())}
    flat = [
        (20 * i + k, i, train, weight)
        for i, mine in enumerate(inputs)
        for k, (train, weight) in enumerate(zip(mine.trains, mine.weights, strict=True))
    ]
    return Case({"I_e": I_e} | columns_of(flat), expected, own)


def later(v: Any, g: Any, h: Any) -> tuple[Any, Any]:
    """V and both conductances h ms later, at most 1 ms, by 20 Gauss nodes in long double."""
    wide = np.longdouble
    p = {name: wide(value) for name, value in COBA.items()}
    taus, reversals = np.array([p["tau_syn_ex"], p["tau_syn_in"]]), np.array([p["E_ex"], p["E_in"]])
    nodes, weights = gauss()
    s = (h * nodes)[:, None]
    then, end = g * np.exp(-s / taus), g * np.exp(-h / taus)
    passed = (p["g_L"] * (h - s[:, 0]) + (taus * (then - end)).sum(axis=1)) / p["C_m"]
    rate = (p["g_L"] * (p["E_L"] - v) + (then * (reversals - v)).sum(axis=1)) / p["C_m"]
    return v + h * (weights * rate * np.exp(-passed)).sum(), end


@functools.cache
def gauss() -> tuple[Any, Any]:
    """20 nodes in [0, 1] and their weights, in long double."""
    z = np.polynomial.legendre.leggauss(20)[0].astype(np.longdouble)
    for _ in range(4):
        before, legendre = np.ones_like(z), z
        for j in range(2, 21):
            before, legendre = legendre, ((2 * j - 1) * z * legendre - (j - 1) * before) / j
        slope = 20 * (z * legendre - before) / (z * z - 1)
        z = z - legendre / slope
    return (1 + z) / 2, 1 / ((1 - z * z) * slope**2)


def spikes_of_conductances(inputs: list[tuple[float, int, float]], stop: float) -> list[float]:
    """Spike times (ms) of a neuron at rest; an input is (time, which conductance, nS)."""
    wide = np.longdouble
    v, g, t, release = wide(COBA["E_L"]), np.zeros(2, wide), wide(0.0), 0.0
    V_th, taus, spikes = wide(COBA["V_th"]), np.array([COBA["tau_syn_ex"], COBA["tau_syn_in"]], wide), []
    for end, place, weight in [*sorted(inputs), (stop, 0, 0.0)]:
        while t < end:
            held = t < release
            h = min(wide(end), wide(release) if held else t + wide(0.125)) - t
            there, left = later(v, g, h)
            if held:
                there, left = v, g * np.exp(-h / taus)
            elif there >= V_th:
                h = crossing(v, g, h, V_th)
                there, left = wide(COBA["V_reset"]), g * np.exp(-h / taus)
                spikes.append(float(t + h))
                release = spikes[-1] + COBA["t_ref"]
            v, g, t = there, left, t + h
        g[place] += wide(weight)
    return spikes


def crossing(v: Any, g: Any, high: Any, V_th: Any) -> Any:
    """Time (ms) at which V, at least V_th at `high`, comes there."""
    low = np.longdouble(0.0)
    for _ in range(70):
        middle = (low + high) / 2
        low, high = (low, middle) if later(v, g, middle)[0] >= V_th else (middle, high)
    return high


def coba_case(model: str, options: argparse.Namespace) -> Case:
    import eventsnn as esn

    rng = np.random.default_rng(SEED)
    flat, expected = [], []
    for i in range(COBA_TRAINS):
        inputs: list[tuple[float, int, float]] = []
        for k, (rate, weight) in enumerate(COBA_INPUT):
            times = np.sort(rng.uniform(0.0, options.duration, rng.poisson(rate * options.duration / 1000.0)))
            flat.append((2 * i + k, i, times, weight))
            inputs += [(float(t) + DELAY, k, abs(weight)) for t in times]
        expected.append(spikes_of_conductances(inputs, options.duration))
    net = esn.Network(seed=SEED)
    neurons = net.population(COBA_TRAINS, esn.LIFCondExp(**COBA), name="neurons")
    for source, target, times, weight in flat:
        one = net.population(1, esn.SpikeSource([times]), name=f"source {source}")
        net.connect(one, neurons[target : target + 1], esn.OneToOne(), weight=weight, delay=DELAY)
    spikes = net.run(options.duration).spikes["neurons"]
    own = {"eventsnn": [spikes.times[spikes.ids == i] for i in range(COBA_TRAINS)]}
    return Case({"I_e": np.zeros(COBA_TRAINS)} | columns_of(flat), expected, own)


def columns_of(flat: list[tuple[int, int, np.ndarray, float]]) -> dict[str, np.ndarray]:
    counts = [len(train) for _, _, train, _ in flat]
    sources, targets, trains, weights = zip(*flat, strict=True)
    return {
        "times": np.concatenate(trains), "source": np.repeat(sources, counts), "target": np.repeat(targets, counts),
        "weights": np.repeat(weights, counts),
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--nest-python", metavar="PYTHON")
    parser.add_argument("--brian2-python", metavar="PYTHON")
    parser.add_argument("--trains", type=int, default=TRAINS)
    parser.add_argument("--duration", type=float, default=DURATION)
    parser.add_argument("--models", nargs="*", choices=MODELS, default=MODELS)
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "accuracy.md")
    options = parser.parse_args()
    sys.path.insert(0, str(ROOT / "tests" / "support"))

    nest = interpreter(options.nest_python, "NEST_PYTHON", "nest")
    brian2 = interpreter(options.brian2_python, "BRIAN2_PYTHON", "brian2")
    lines = []
    for model in options.models:
        conducts = model == "LIFCondExp"
        case = (coba_case if conducts else linear_case)(model, options)
        window = (COBA if conducts else PARAMETERS)["t_ref"]
        lines += ["", f"**{model}**, {sum(map(len, case.expected)):,} spikes", ""]
        lines += ["| simulator | step (ms) | spikes | missed | invented | largest error (ms) | median error (ms) |"]
        lines += ["|---|---|---|---|---|---|---|"]
        lines += [row(label, "none", window, case.expected, trains) for label, trains in case.own.items()]
        print("\n".join(lines[-4 - len(case.own) :]), flush=True)
        with tempfile.TemporaryDirectory() as folder:
            source = str(Path(folder) / "input.npz")
            np.savez(source, duration=options.duration, **case.data)
            jobs = [(nest, "nest", name, step) for name in NEST[model] for step in NEST_STEPS]
            jobs += [(brian2, "brian2", model, step) for step in BRIAN2_STEPS]
            for python, peer, name, step in jobs:
                if python is not None:
                    got = peer_spikes(python, peer, name, step, source)
                    if got is not None:
                        label = f"NEST {name}" if peer == "nest" else "Brian2"
                        lines += [row(label, f"{step:g}", window, case.expected, got)]
                        print(lines[-1], flush=True)
    write(options.out, lines, options)


def write(out: Path, lines: list[str], options: argparse.Namespace) -> None:
    import datetime
    import re

    text = out.read_text() if out.exists() else "# Accuracy\n"
    text = re.sub(r"\n<!-- peers -->.*", "", text, flags=re.DOTALL).rstrip("\n") + "\n"
    about = f"""
<!-- peers -->
## Side by side

{options.trains} neurons of each model (NEST's defaults with E_L = 0) under the same random input, 0.1 to 5 a ms, for
{options.duration:,.0f} ms, against the oracle; and {COBA_TRAINS} neurons with conductances under the input that each
gets in `coba`, 1,600 a second, against quadrature in long double. A spike is found if the simulator has one within
t_ref of it; the errors are those of the spikes found. On a grid inputs are moved to the grid too. Written by
`python benchmarks/accuracy_peers.py`, last run {datetime.date.today().isoformat()}.
"""
    out.write_text(text + about + "\n".join(lines) + "\n")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--worker"]:
        worker(sys.argv[2], sys.argv[3], float(sys.argv[4]), sys.argv[5], sys.argv[6])
    else:
        main()
