"""Small random networks that provoke every rule of the event semantics, for the equality tests and the mutants."""

from __future__ import annotations

from itertools import takewhile
from typing import Any

import numpy as np

import eventsnn as esn
from eventsnn.run.external import spike_times

# Multiples of 2^-3 ms and 2^-4 mV or pA: sums and differences are exact, so ties and exact threshold hits do happen.
GRID_TIME, GRID_WEIGHT = 0.125, 0.0625
THRESHOLD = 10.0  # mV above E_L
# Subtracting and adding this changes no bit of a later time, so that an input can be sent to arrive at any given time.
LEAD = 0.25


class Draw:
    """Random values; on a dyadic grid of times in half of the networks, of weights in half of either half."""

    def __init__(self, seed: int, part: int = 0):
        self.rng = np.random.default_rng([seed, part] if part else seed)
        self.dyadic_time, self.dyadic_weight = seed % 2 == 0, seed // 2 % 2 == 0

    def time(self, low: float, high: float, size: int | None = None) -> np.ndarray:
        t = self.rng.uniform(low, high, size)
        return np.round(t / GRID_TIME) * GRID_TIME if self.dyadic_time else t

    def weight(self, scale: float, size: int | None = None) -> np.ndarray:
        w = self.rng.normal(0.3 * scale, scale, size)
        w = np.where(self.rng.random(size) < 0.1, 0.0, w)
        return np.round(w / GRID_WEIGHT) * GRID_WEIGHT if self.dyadic_weight else w

    def train(self, n: int, stop: float) -> np.ndarray:
        return np.sort(self.time(0.0, stop, n))

    def chance(self, p: float) -> bool:
        return bool(self.rng.random() < p)

    def number(self, low: int, high: int) -> int:
        return int(self.rng.integers(low, high))


def random_network(
    seed: int, stop: float = 40.0, samples: bool = True, few_at_once: bool = False, others: bool = False
) -> esn.Network:
    """One to three populations of linear models, given and drawn sources, currents, loops, zero weights and delays.
    With others a quarter of them have a population of a model that is not linear.

    Spikes of all populations are recorded; samples=False leaves out the state variables and changes nothing else. With
    few_at_once delays of zero or nearly so are those between the first neurons of two populations.
    """
    draw = Draw(seed)
    few_spikes = draw.number(1, 5) if draw.chance(0.15) else 60
    few_rounds = draw.number(1, 3) if draw.chance(0.5) else 60
    net = esn.Network(seed=seed, max_rounds=few_rounds, max_spikes=few_spikes)
    neurons = [_population(net, draw, k) for k in range(draw.number(1, 4))]
    _connect(net, draw, _sources(net, draw, stop), neurons, few_at_once)
    for k, population in enumerate(neurons):
        _stimulate(net, draw, population, k, stop)
        if population.values["t_ref"] == 0.0 and draw.chance(0.5):
            _knock_twice(net, draw, population, stop)
    if draw.chance(0.4):
        _volleys(net, draw, neurons[draw.number(0, len(neurons))], stop)
    if draw.chance(0.4):
        _point_processes(net, draw, neurons)
    _rules(net, Draw(seed, 1), neurons, stop, few_at_once)
    if others:
        _not_linear(net, Draw(seed, 2), neurons, stop)
    first = _first_run(net, stop)
    if draw.chance(0.8):
        _coincide(net, draw, first, neurons[draw.number(0, len(neurons))], stop)
    if samples:
        for population in neurons:
            spikes = np.concatenate([trains.times for trains in first.spikes.values()])
            times = np.concatenate([draw.train(50, stop), draw.rng.permutation(spikes)[:10]])
            net.record(population, list(population.model.recordables), times=np.unique(times))
    return net


def _population(net: esn.Network, draw: Draw, k: int) -> esn.Population:
    n = draw.number(1, 7)
    E_L = float(draw.rng.choice([0.0, -65.0]))
    reset = 0.0 if draw.chance(0.4) else float(np.round(draw.rng.uniform(-4.0, 6.0)))
    common = {
        "tau_m": draw.rng.uniform(0.7, 20.0, n) if draw.chance(0.3) else 8.0,
        "C_m": 250.0 if draw.chance(0.5) else 128.0,
        "E_L": E_L,
        "V_th": E_L + THRESHOLD,
        "V_reset": E_L + reset,
        "t_ref": float(draw.time(0.0, 3.0)) if draw.chance(0.65) else 0.0,
        "I_e": draw.weight(250.0, n) if draw.chance(0.4) else 0.0,
    }
    if draw.chance(0.1):
        # V would settle at the threshold exactly.
        common |= {"tau_m": 8.0, "C_m": 128.0, "I_e": 16.0 * THRESHOLD}
    V_m = np.full(n, E_L)
    if draw.chance(0.5):
        V_m = E_L + draw.weight(6.0, n)
        V_m[draw.rng.random(n) < 0.2] = E_L + THRESHOLD
    if draw.chance(0.4):
        return net.population(n, esn.LIFDelta(**common), name=f"delta{k}", V_m=V_m)
    tau = [0.5, 2.0, 5.0, 8.0, 8.0 + 1e-9, 20.0]
    synapses = {"tau_syn_ex": draw.rng.choice(tau), "tau_syn_in": draw.rng.choice(tau)}
    currents = {"I_syn_ex": draw.weight(400.0, n), "I_syn_in": -abs(draw.weight(400.0, n))} if draw.chance(0.5) else {}
    model = esn.LIFExp(**common, **synapses) if draw.chance(0.5) else _other_model(draw, common | synapses, tau)
    return net.population(n, model, name=f"current{k}", V_m=V_m, **currents)


def _other_model(draw: Draw, common: dict[str, Any], tau: list[float]) -> esn.LinearModel:
    """A model of the linear family whose threshold at rest, capacitance and leak are the common ones."""
    E_L, C_m, V_th = (common[name] for name in ("E_L", "C_m", "V_th"))
    membrane = {name: common[name] for name in ("E_L", "C_m", "t_ref", "I_e", "tau_syn_ex", "tau_syn_in")}
    leak = C_m / common["tau_m"]
    kind = draw.number(0, 6)
    if kind == 0:
        return esn.LIFAlpha(**common)
    if kind == 1:
        return esn.IF(**{name: value for name, value in common.items() if name != "tau_m"})
    if kind == 2:
        moving = {"tau_1": draw.rng.choice(tau), "alpha_1": float(draw.weight(10.0)), "alpha_2": 3.0}
        return esn.MAT2(**membrane, **moving, tau_m=common["tau_m"], omega=V_th)
    if kind == 3:
        moving = {"a": draw.rng.choice([0.0, 0.02, -0.01]), "b": draw.rng.choice([0.01, 1.0 / 8.0, 0.3])}
        after = {"A_1": float(draw.weight(300.0)), "A_2": float(draw.weight(60.0))}
        after["k_1"] = draw.rng.choice([0.2, 0.125])
        reset = common["V_reset"]
        lowest = max(reset + 1.0, V_th + draw.rng.choice([-2.0, 3.0]))
        return esn.MihalasNiebur(
            **membrane, **moving, **after, g=leak, Theta_inf=V_th, V_reset=reset, Theta_reset=lowest
        )
    level = draw.number(1, 6)
    rules = {"asc_amps_1": -50.0, "asc_amps_2": float(draw.weight(200.0))}
    rules |= {"voltage_reset_add": 3.0, "th_spike_add": 2.0}
    known = esn.GLIF(level).parameters
    reset = {"V_reset": common["V_reset"]} | rules
    reset = {name: value for name, value in reset.items() if name in known}
    return esn.GLIF(level, **membrane, g=leak, V_th=V_th, **reset)


def _sources(net: esn.Network, draw: Draw, stop: float) -> list[esn.Population]:
    n = draw.number(1, 5)
    trains = [draw.train(draw.number(0, 40), stop) for _ in range(n)]
    if draw.chance(0.3):
        trains[0] = np.sort(np.concatenate([trains[0], trains[0][::3], [0.0]]))  # two spikes at one time
    sources = [net.population(n, esn.SpikeSource(trains), name="trains")]
    if draw.chance(0.5):
        sources.append(net.population(2, esn.Poisson(rate=[300.0, 0.0]), name="poisson"))
    return sources


def _connect(
    net: esn.Network, draw: Draw, sources: list[esn.Population], neurons: list[esn.Population], few_at_once: bool
) -> None:
    """Every pair of populations is connected in some way; self-loops and multiple synapses included."""
    shortest = float(draw.rng.choice([0.25, 0.25, 1.5, 0.0, 0.0, 2.0**-50]))  # 2^-50 is lost in the sum from 8 ms on
    for pre in [*sources, *neurons]:
        for post in neurons:
            n_pairs = draw.number(0, 3 * max(len(pre), len(post)))
            rule = esn.Explicit(draw.rng.integers(0, len(pre), n_pairs), draw.rng.integers(0, len(post), n_pairs))
            delta = isinstance(post.model, esn.LIFDelta)
            strength = (5.0 if delta else 150.0) * (2.0 if pre in sources else 0.7)
            weight = draw.weight(strength, n_pairs) if draw.chance(0.7) else float(draw.weight(strength))
            if delta and draw.chance(0.3):
                # One, two or four at a time lift V from rest to the threshold exactly.
                weight = draw.rng.choice([THRESHOLD, THRESHOLD / 2.0, THRESHOLD / 4.0], n_pairs)
            at_once = shortest < 0.25 and draw.chance(0.4)
            least = max(shortest, 0.25)
            delay = draw.time(least, least + 3.0, n_pairs) if draw.chance(0.5) else float(draw.time(least, least + 2.0))
            if few_at_once:
                if shortest < 0.25:
                    delay = np.where((rule.pre_ids == 0) & (rule.post_ids == 0), shortest, delay)
            elif at_once:
                delay = np.where(draw.rng.random(n_pairs) < 0.5, shortest, delay) if np.ndim(delay) else shortest
            port = None if delta or draw.chance(0.7) else str(draw.rng.choice(["ex", "in"]))
            dtype = "float32" if n_pairs % 4 == 1 else "float64"
            net.connect(pre, post, rule, weight=weight, delay=delay, port=port, dtype=dtype)
    if draw.chance(0.2):
        post = neurons[0]
        weight = float(draw.weight(1.0 if isinstance(post.model, esn.LIFDelta) else 30.0))
        net.connect(neurons, post, esn.AllToAll(), weight=weight, delay=float(draw.time(max(shortest, 0.25), 2.0)))


def _stimulate(net: esn.Network, draw: Draw, population: esn.Population, k: int, stop: float) -> None:
    scale = 4.0 if isinstance(population.model, esn.LIFDelta) else 60.0
    if draw.chance(0.6):
        weight = draw.weight(scale, len(population)) if draw.chance(0.3) else float(draw.weight(scale))
        net.stimulate(population, esn.Poisson(rate=draw.rng.choice([500.0, 500.0, 2_000.0, 8_000.0])), weight=weight)
    if draw.chance(0.3):
        half = population[: max(1, len(population) // 2)]
        net.stimulate(half, esn.Poisson(rate=90.0), weight=scale, name=f"more{k}")
    if draw.chance(0.5):
        times = np.unique(draw.train(5, stop))
        net.stimulate(population, esn.StepCurrent(times, draw.weight(300.0, times.size)))
    if draw.chance(0.3):
        net.stimulate(population[0], esn.StepCurrent([0.0, 1.0], [100.0, 0.0]))
    if draw.chance(0.3):
        times = np.unique(draw.train(4, stop))
        net.stimulate(population, esn.RampCurrent(times, draw.weight(300.0, times.size)))
    if draw.chance(0.25):
        start = float(draw.time(0.0, stop / 2.0))
        frequency = float(draw.rng.choice([4.0, 60.0, 900.0]))
        size = float(draw.weight(300.0))
        sine = esn.SineCurrent(size, frequency, phase=30.0, offset=50.0, start=start, stop=0.9 * stop)
        net.stimulate(population[: draw.number(1, len(population) + 1)], sine)


def _rules(net: esn.Network, draw: Draw, neurons: list[esn.Population], stop: float, few_at_once: bool) -> None:
    """What large networks have: rules, drawn weights, synapses drawn anew for each spike, delays of which the least is
    tiny; and inhibition from outside, by several stimuli of some neurons, and ties with them."""
    tiny = [esn.Exponential(1.0), esn.LogNormal(0.0, 1.0), esn.Uniform(1e-9, 3.0)]
    for k, post in enumerate(neurons):
        unit = 1.0 if isinstance(post.model, esn.LIFDelta) else 30.0
        if draw.chance(0.4):
            pre = neurons[draw.number(0, len(neurons))]
            rules = [esn.FixedOutDegree(3), esn.FixedInDegree(3), esn.FixedProbability(0.5), esn.AllToAll()]
            weights = [-unit, 0.25 * unit, esn.Normal(0.0, unit), esn.Uniform(-2.0 * unit, unit)]
            delay = float(draw.time(0.25, 2.0)) if few_at_once or draw.chance(0.4) else draw.rng.choice(tiny)
            options = {"storage": str(draw.rng.choice(["stored", "procedural"]))}
            options |= {"dtype": str(draw.rng.choice(["float32", "float64"]))}
            rule, weight = draw.rng.choice(rules), draw.rng.choice(np.array(weights, dtype=object))
            if isinstance(rule, esn.FixedInDegree):  # drawn by columns, of which no row can be drawn alone
                options["storage"] = "stored"
            net.connect(pre, post, rule, weight=weight, delay=delay, name=f"rule{k}", **options)
        if draw.chance(0.3):
            for j in range(draw.number(1, 4)):
                process = esn.Poisson(rate=draw.rng.choice([100.0, 1_500.0, 20_000.0]))
                weight = unit * draw.rng.choice([-1.0, -0.25, 0.05])
                net.stimulate(post[: draw.number(1, len(post) + 1)], process, weight=weight, name=f"rules{k} {j}")
        if draw.chance(0.2):
            times = np.round(draw.rng.uniform(0.0, stop, 12) / GRID_TIME) * GRID_TIME
            ties = net.population(3, esn.SpikeSource(np.sort(times)), name=f"ties{k}")
            weight = unit * draw.rng.choice([-1.0, 1.0 / 3.0, 2.0])
            net.connect(ties, post, esn.AllToAll(), weight=weight, delay=0.5, dtype="float32")


# A model, its least and most parameters, and the weight of an input of which some make it spike.
NOT_LINEAR = [
    (
        esn.LIFCondExp,
        {"C_m": (100.0, 300.0), "tau_syn_ex": (0.5, 5.0), "tau_syn_in": (2.0, 9.0), "I_e": (0.0, 300.0)},
        8.0,
    ),
    (esn.LIFCondAlpha, {"C_m": (100.0, 300.0), "tau_syn_ex": (0.5, 3.0), "g_L": (8.0, 20.0), "I_e": (0.0, 300.0)}, 8.0),
    (esn.EIF, {"Delta_T": (1.5, 3.0), "tau_syn_ex": (0.5, 5.0), "t_ref": (0.5, 3.0), "I_e": (0.0, 700.0)}, 20.0),
    (esn.AdEx, {"a": (-1.0, 4.0), "b": (0.0, 80.0), "tau_w": (20.0, 144.0), "I_e": (0.0, 900.0)}, 20.0),
    (esn.Izhikevich, {"a": (0.02, 0.1), "b": (0.2, 0.25), "d": (2.0, 8.0), "I_e": (0.0, 10.0)}, 5.0),
    (esn.QIF, {}, 3.0),
    (esn.HHTraub, {"g_L": (8.0, 12.0), "tau_syn_ex": (1.0, 5.0), "t_ref": (1.0, 3.0), "I_e": (0.0, 200.0)}, 20.0),
]


def _not_linear(net: esn.Network, draw: Draw, neurons: list[esn.Population], stop: float) -> None:
    """One to three neurons, in a loop with the first population, driven at random, by the current and by a train."""
    if not draw.chance(0.25):
        return
    kind, parameters, unit = NOT_LINEAR[draw.number(0, len(NOT_LINEAR))]
    n = 1 if kind is esn.HHTraub else draw.number(1, 4)  # of which the reference takes a second for each
    drawn = {
        name: draw.rng.uniform(low, high, n) if draw.chance(0.3) else float(draw.rng.uniform(low, high))
        for name, (low, high) in parameters.items()
    }
    cells = net.population(n, kind(**drawn), name="other")
    back = 2.0 if isinstance(neurons[0].model, esn.LIFDelta) else 60.0
    delay = float(draw.time(0.25, 2.0)) if draw.chance(0.7) else float(draw.rng.choice([0.0, 2.0**-50, 0.01]))
    net.connect(neurons[0], cells, esn.AllToAll(), weight=unit * float(draw.rng.choice([-1.0, 0.5, 1.0])), delay=delay)
    net.connect(cells, neurons[0], esn.AllToAll(), weight=float(draw.weight(back)), delay=float(draw.time(0.25, 2.0)))
    net.connect(cells, cells, esn.AllToAll(), weight=0.3 * float(draw.weight(unit)), delay=max(delay, 0.01))
    train = net.population(1, esn.SpikeSource(draw.train(8, stop)), name="train of others")
    net.connect(train, cells, esn.AllToAll(), weight=[unit, 3.0 * unit][draw.number(0, 2)], delay=LEAD)
    if draw.chance(0.5):
        net.stimulate(cells, esn.Poisson(rate=draw.rng.choice([300.0, 1_000.0])), weight=0.5 * unit)
    if draw.chance(0.4):
        times = np.unique(draw.train(4, stop))
        net.stimulate(cells, esn.StepCurrent(times, draw.weight(10.0 * unit, times.size)))
    if draw.chance(0.3):
        net.record(cells, list(cells.model.recordables), times=np.unique(draw.train(20, stop)))


def _point_processes(net: esn.Network, draw: Draw, neurons: list[esn.Population]) -> None:
    """One of each random process but the homogeneous one, as a stimulus or as a source."""
    rate = float(draw.rng.choice([200.0, 900.0]))
    processes = [
        esn.InhomogeneousPoisson([0.0, 7.5, 11.0, 30.0], draw.rng.choice([0.0, 300.0, 450.0, 4000.0], 4)),
        esn.SinusoidalPoisson(rate, 800.0, 40.0, draw.rng.uniform(0.0, 360.0)),
        esn.PoissonRefractory(rate, 1.0),
        esn.Gamma(rate, draw.rng.choice([0.5, 3.0])),
        esn.Renewal(esn.LogNormal(1.0, 0.5)),
        esn.Renewal(esn.Normal(2.0, 1.0, low=0.0)),
        esn.Renewal(esn.Uniform(1.0, 4.0), start="ordinary"),
    ]
    for process in draw.rng.permutation(np.array(processes, dtype=object))[:3]:
        population = neurons[draw.number(0, len(neurons))]
        weight = float(draw.weight(4.0 if isinstance(population.model, esn.LIFDelta) else 60.0))
        if draw.chance(0.5):
            net.stimulate(population, process, weight=weight)
        else:
            source = net.population(2, process)
            net.connect(source, population, esn.AllToAll(), weight=weight, delay=float(draw.time(0.25, 2.0)))


def _knock_twice(net: esn.Network, draw: Draw, population: esn.Population, stop: float) -> None:
    """Two spikes whose strong inputs come at one time, in two rounds."""
    time = float(draw.time(0.0, stop))
    knock = net.population(1, esn.SpikeSource([time, time + LEAD]), name=f"knock {population.name}")
    weight = 2.0 * THRESHOLD if isinstance(population.model, esn.LIFDelta) else 500.0
    net.connect(knock, population[0], esn.Explicit([0, 0], [0, 0]), weight=weight, delay=[LEAD, 0.0])


def _volleys(net: esn.Network, draw: Draw, population: esn.Population, stop: float) -> None:
    """Spikes of several sources, fired one after the other, that arrive at once; their sum depends on their order."""
    delays = draw.rng.permutation(np.arange(1.0, 7.0)) * LEAD
    times = np.unique(np.round(draw.rng.uniform(2.0, stop, 6)))
    volley = net.population(delays.size, esn.SpikeSource([times - delay for delay in delays]), name="volley")
    pre, post = np.divmod(np.arange(delays.size * len(population)), len(population))
    scale = 2.0 if isinstance(population.model, esn.LIFDelta) else 30.0
    weight = draw.rng.uniform(-scale, scale, pre.size)
    net.connect(volley, population, esn.Explicit(pre, post), weight=weight, delay=delays[pre])


def _first_run(net: esn.Network, stop: float) -> esn.Results:
    simulation = net.compile()
    try:
        return simulation.run(stop)
    except esn.RunawayError:
        return simulation.results()


def _coincide(net: esn.Network, draw: Draw, first: esn.Results, population: esn.Population, stop: float) -> None:
    """Input or changes of current at the very times at which external spikes reach a population, or at which its
    neurons spiked and their refractoriness ended in a run without them (true at least up to the first)."""
    spikes = first.spikes[population.name].times[: draw.number(1, 8)]
    t_ref = float(np.max(population.values["t_ref"]))
    external = _external_times(net, population, stop)
    at_external = external.size > 0 and draw.chance(0.5)
    times = draw.rng.permutation(external)[:20] if at_external else np.concatenate([spikes, spikes + t_ref])
    times = np.unique(times[times >= LEAD])
    if times.size and (at_external or draw.chance(0.8)):
        echo = net.population(1, esn.SpikeSource(times - LEAD), name="echo")
        post = draw.rng.permutation(np.repeat(np.arange(len(population)), 8 if at_external else 3))
        scale = draw.rng.choice([1.0, 4.0]) * (4.0 if isinstance(population.model, esn.LIFDelta) else 60.0)
        weight = draw.weight(scale, post.size) if not at_external else draw.rng.uniform(-scale, scale, post.size)
        net.connect(echo, population, esn.Explicit(np.zeros_like(post), post), weight=weight, delay=LEAD)
    if times.size and draw.chance(0.5):
        net.stimulate(population, esn.StepCurrent(times, draw.weight(200.0, times.size)), name="echo")


def _external_times(net: esn.Network, population: esn.Population, stop: float) -> np.ndarray:
    """When the Poisson stimuli of a population's neurons spike."""
    plan = net.compile().plan
    (block,) = (p for p in plan.populations if p.name == population.name)
    streams = range(*plan.streams.start[[block.start, block.stop]])
    return np.array([t for s in streams for t in takewhile(lambda t: t < stop, spike_times(plan.streams, s))])
