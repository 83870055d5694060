"""Busy random networks of models whose neurons can be calm, and engines in which they are."""

from __future__ import annotations

from typing import Any

import numpy as np
from event_log import differences, event_log

import eventsnn as esn

STOP = 12.0  # ms
# Of busy networks that hold everything that has to be tried.
SEEDS = (1, 3, 7, 8, 14, 15, 20, 23, 34, 36, 38, 42, 48, 52, 56, 60)
WIDTHS = (2.0**-6, 0.125, 1.0, 8.0)  # of blocks, ms

# Multiples of these are exact in sums, so that ties and exact hits of the threshold do happen.
GRID_TIME, GRID_WEIGHT = 0.125, 0.0625


def busy_network(seed: int, stop: float, varied: bool = False, tiny: bool = False) -> esn.Network:
    """Two or three populations, dense and mostly below the threshold, with every kind of synapse and of drive.

    varied: of models without currents, every neuron has a tau_m of its own. tiny: some delays are continuous, and the
    least of them tiny.

    In half of the networks all times lie on a grid, in a third all neurons of a population have their constants in
    common; nothing is recorded but spikes, unless a few neurons are sampled.
    """
    rng = np.random.default_rng(seed)
    grid = bool(seed % 2)
    alike = rng.random() < 0.4
    net = esn.Network(seed=seed, max_spikes=100)
    cells = [_population(net, rng, k, alike, varied) for k in range(rng.integers(2, 4))]
    # Sources that fall silent for so long that frames begin and end meanwhile.
    pauses = np.concatenate([rng.uniform(0.0, 0.3 * stop, 25), rng.uniform(0.8 * stop, stop, 25)])
    trains = [np.sort(_times(rng, pauses, grid)) for _ in range(6)]
    sources = net.population(6, esn.SpikeSource(trains), name="sources")
    for post in cells:
        for pre in [sources, *cells]:
            for _ in range(rng.integers(1, 3)):
                _connect(net, rng, pre, post, grid)
        if rng.random() < 0.7:
            _stimulate(net, rng, post)
        if rng.random() < 0.2:
            current = esn.StepCurrent([0.2 * stop, 0.5 * stop], [40.0, -20.0])
            net.stimulate(post[:3], current)
        if rng.random() < 0.3:
            net.record(post, "V_m", every=1.7, ids=[1, 4])
    _lower(net, np.random.default_rng([seed, 1]), cells, stop)
    if tiny:
        _delay_at_random(net, np.random.default_rng([seed, 2]), [sources, *cells], cells)
    return net


def _lower(net: esn.Network, rng: np.random.Generator, cells: list[Any], stop: float) -> None:
    """Inhibition from outside, of some neurons by several stimuli, and spikes of which many come at one time."""
    for k, post in enumerate(cells):
        unit = 1.0 if isinstance(post.model, esn.LIFDelta) else 40.0
        if rng.random() < 0.5:
            for j in range(rng.integers(1, 4)):
                process = esn.Poisson(rate=float(rng.choice([100.0, 2_000.0, 20_000.0])))
                weight = unit * float(rng.choice([-0.5, -0.05, 0.02]))
                net.stimulate(post[j : j + rng.integers(2, 12)], process, weight=weight, name=f"lower{k} {j}")
        if rng.random() < 0.4:
            times = np.sort(np.round(rng.uniform(0.0, stop, 20) / GRID_TIME) * GRID_TIME)
            ties = net.population(5, esn.SpikeSource(times), name=f"ties{k}")
            weight = unit * float(rng.choice([-0.5, 0.3]))
            net.connect(ties, post, esn.AllToAll(), weight=weight, delay=0.5, dtype="float32")


def _delay_at_random(net: esn.Network, rng: np.random.Generator, sources: list[Any], cells: list[Any]) -> None:
    for k, post in enumerate(cells):
        unit = 1.0 if isinstance(post.model, esn.LIFDelta) else 40.0
        delay = [esn.Exponential(1.0), esn.LogNormal(0.0, 1.0), esn.Uniform(1e-9, 3.0)][rng.integers(0, 3)]
        options = {"storage": str(rng.choice(["stored", "procedural"])), "dtype": "float32", "name": f"tiny{k}"}
        pre = sources[rng.integers(0, len(sources))]
        net.connect(pre, post, esn.FixedOutDegree(6), weight=esn.Normal(0.0, 0.3 * unit), delay=delay, **options)


def _times(rng: np.random.Generator, t: np.ndarray, grid: bool) -> np.ndarray:
    return np.round(t / GRID_TIME) * GRID_TIME if grid else t + rng.uniform(0.0, 0.1, t.size)


def _population(net: esn.Network, rng: np.random.Generator, k: int, alike: bool, varied: bool) -> esn.Population:
    n = int(rng.integers(17, 32))
    E_L = float(rng.choice([0.0, -65.0]))
    tau_m = float(rng.choice([0.25, 2.0, 8.0, 20.0]))
    drive = rng.choice(["none", "below", "above", "each"])
    per_mV = 128.0 / tau_m  # pA
    I_e: Any = {"none": 0.0, "below": 6.0 * per_mV, "above": 11.0 * per_mV, "each": 0.0}[str(drive)]
    if drive == "each" and not alike:
        I_e = rng.uniform(-5.0, 10.5, n) * per_mV
    t_ref = float(rng.choice([0.0, 0.0625, 0.3, 1.0, 2.5, 11.0]))
    common: dict[str, Any] = {
        "tau_m": tau_m,
        "C_m": 128.0,
        "E_L": E_L,
        "V_th": E_L + (10.0 if alike or rng.random() < 0.6 else rng.uniform(9.0, 12.0, n)),
        "V_reset": E_L + float(rng.choice([0.0, -3.0, 4.0])),
        "t_ref": t_ref,
        "I_e": I_e,
    }
    V_m = E_L + rng.uniform(-2.0, 9.5, n)
    V_m[: n // 8] = E_L + 10.0
    if rng.random() < 0.5:
        if varied:
            common["tau_m"] = tau_m * np.linspace(0.8, 1.2, n)
        return net.population(n, esn.LIFDelta(**common), name=f"delta{k}", V_m=V_m)
    fast, slow = tau_m / 4.0, tau_m / 2.0 if tau_m > 1.0 else 1.0
    tau = {"tau_syn_ex": float(rng.choice([fast, slow])), "tau_syn_in": float(rng.choice([fast, slow, 2.0 * tau_m]))}
    if rng.random() < 0.2 and k > 0:
        tau["tau_syn_in"] = tau_m  # no frame, never calm
    I_syn = {"I_syn_ex": rng.uniform(0.0, 2.0, n) * per_mV} if rng.random() < 0.5 else {}
    return net.population(n, esn.LIFExp(**common, **tau), name=f"exp{k}", V_m=V_m, **I_syn)


def _connect(net: esn.Network, rng: np.random.Generator, pre: Any, post: Any, grid: bool) -> None:
    n_pre, n_post = len(pre), len(post)
    jumps = isinstance(post.model, esn.LIFDelta)
    n_pairs = 2 * max(n_pre, n_post)
    pairs = rng.integers(0, n_pre, n_pairs), rng.integers(0, n_post, n_pairs)
    rules = [esn.FixedOutDegree(10), esn.FixedProbability(0.5), esn.AllToAll(), esn.Explicit(*pairs)]
    rule = rules[rng.integers(0, 4)]
    scale = (0.25 if jumps else 10.0) * (2.0 if pre.name == "sources" else 1.0)
    options: dict[str, Any] = {"dtype": str(rng.choice(["float32", "float64"]))}
    kind = rng.integers(0, 4)
    strong = 20.0 if pre.name == "sources" else 1.5
    weight: Any = scale * float(rng.choice([1.0, 0.5, -1.0, -2.0, 0.0, strong]))
    if kind == 1:
        weight = esn.Normal(0.0, scale)
    elif kind == 2:
        weight = esn.Uniform(-scale, 1.2 * scale)
    delay: Any = 0.25 + float(rng.integers(0, 12)) / 8.0
    how = rng.integers(0, 4)
    if how == 1:
        delay = esn.Normal(0.8, 0.4, low=0.25, grid=GRID_TIME)
    elif how == 2 and not grid and not post.name.endswith("0"):
        delay = esn.Uniform(0.25, 2.0)
    stored = how == 1 and post.name.endswith("0")
    if not isinstance(rule, esn.Explicit) and rng.random() < 0.3 and not stored:
        options["storage"] = "procedural"
    if not jumps and rng.random() < 0.3:
        options["port"] = str(rng.choice(["ex", "in"]))
    net.connect(pre, post, rule, weight=weight, delay=delay, **options)


def _stimulate(net: esn.Network, rng: np.random.Generator, post: Any) -> None:
    """Cells from 2 ms to 1/64 ms wide: wider and narrower than blocks."""
    rate = float(rng.choice([30.0, 3_000.0, 12_000.0, 50_000.0, 300_000.0]))
    tau_m = float(np.min(post.values["tau_m"]))
    jumps = isinstance(post.model, esn.LIFDelta)
    # About 5 mV in the mean, but not much for a few spikes.
    weight = min(5.0 * 1e3 / (rate * tau_m), 1.0)
    if not jumps:
        weight = min(weight * 128.0 / float(np.min(post.values["tau_syn_ex"])), 400.0)
    weight *= float(rng.choice([1.0, 1.0, -0.5, 2.0]))
    target = post[:3] if rate > 20_000.0 else post
    net.stimulate(target, esn.Poisson(rate=rate), weight=weight)


# ---- engines in which neurons are calm


def calm(network: esn.Network, mode: object = True, **options: float) -> esn.Simulation:
    simulation = network.compile()
    simulation._state.set_calm(mode, **options)
    return simulation


def require_calm(simulation: esn.Simulation, width: float = 0.125) -> None:
    """Neurons were looked at, and some were calm when something arrived; in wide blocks there may be none."""
    counters = simulation._state.counters
    assert counters["calm_looks"] > 0
    assert counters["alert_arrivals"] < counters["synaptic_events"] or width > 0.125


def agree(make, stop=30.0) -> None:
    reference = event_log(make().compile("reference"), stop)
    for width in WIDTHS:
        simulation = calm(make(), width=width)
        assert differences(reference, event_log(simulation, stop)) == []
        require_calm(simulation, width)
