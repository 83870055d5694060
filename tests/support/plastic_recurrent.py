"""Recurrent networks whose synapses are plastic, by model, rules and seed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from event_log import Threaded, event_log

import eventsnn as esn

# Model, rate (Hz) and weight of the noise that drives it, and the largest plastic weight.
MODELS: dict[str, tuple[Any, float, float, float]] = {
    "LIFDelta": (esn.LIFDelta(t_ref=1.0, I_e=350.0), 500.0, 1.5, 1.5),
    "LIFExp": (esn.LIFExp(t_ref=1.0, I_e=350.0), 500.0, 200.0, 120.0),
    "LIFCondExp": (esn.LIFCondExp(I_e=255.0), 500.0, 8.0, 6.0),
    "Izhikevich": (esn.Izhikevich(I_e=8.0), 300.0, 2.0, 2.0),
}

# Of the largest weight, and of a population whose spikes release dopamine.
RULES: dict[str, Callable[[float, esn.Population], esn.PlasticityRule]] = {
    "STDP": lambda most, reward: esn.STDP(lambda_=0.1, mu_plus=0.4, mu_minus=0.4, w_max=most),
    "symmetric": lambda most, reward: esn.STDP(lambda_=0.1, mu_plus=0.0, pairing="nearest_symmetric", w_max=most),
    "pre centered": lambda most, reward: esn.STDP(lambda_=0.2, pairing="nearest_pre_centered", w_max=most),
    "restricted": lambda most, reward: esn.STDP(lambda_=0.2, pairing="nearest_restricted", w_max=most),
    "power law": lambda most, reward: esn.PowerLawSTDP(lambda_=0.05 * most**0.6),
    "triplet": lambda most, reward: esn.TripletSTDP(
        Aplus=0.01 * most, Aplus_triplet=0.05 * most, Aminus=0.05 * most, Aminus_triplet=0.01 * most, w_max=most
    ),
    "triplet, nearest": lambda most, reward: esn.TripletSTDP(
        Aplus=0.05 * most, Aplus_triplet=0.05 * most, Aminus=0.05 * most, w_max=most, pairing="nearest"
    ),
    "Vogels": lambda most, reward: esn.VogelsSTDP(eta=0.05 * most, w_max=most),
    "reward": lambda most, reward: esn.RewardSTDP(
        reward, A_plus=most, A_minus=most, tau_c=100.0, b=0.003, w_max=most, delay=0.3
    ),
    "short term": lambda most, reward: esn.TsodyksMarkram(tau_rec=50.0, tau_fac=100.0, U=0.3),
    "short term, three states": lambda most, reward: esn.TsodyksMarkram(tau_rec=50.0, tau_psc=3.0),
    "own": lambda most, reward: esn.PlasticityRule(
        pre={"x": 20.0, "z": esn.Trace(5.0, nearest=True)},
        post={"y": 30.0},
        synapse={"c": 40.0},
        on_pre=lambda w, y, z, c: (w - 0.02 * most * y / (1.0 + abs(c)) * z, c + 1.0),
        on_post=lambda w, x, c: (w + 0.1 * (most - w) * x**0.7, c - 0.5),
        w_max=most,
    ),
}


def recurrent(model: str, rules: tuple[str, str], seed: int, **options: Any) -> esn.Network:
    """Forty neurons in noise, two plastic projections among them and one from outside, and one that is static."""
    rng = np.random.default_rng(seed)
    net = esn.Network(seed=seed)
    made, rate, weight, most = MODELS[model]
    cells = net.population(40, made, name="cells", V_m=esn.Uniform(-70.0, -56.0))
    outside = net.population(12, esn.Poisson(rate=40.0), name="outside")
    reward = net.population(2, esn.Poisson(rate=30.0), name="reward")
    inhibitory = model != "LIFCondExp" and bool(rng.integers(0, 2))
    port = {"port": "ex"} if model == "LIFCondExp" else {}
    for k, (pre, rule) in enumerate(((cells, rules[0]), (cells, rules[1]), (outside, rules[seed % 2]))):
        axonal = [esn.Uniform(0.1, 2.0), 0.5, esn.Normal(1.0, 0.5, low=0.25, grid=0.25)][int(rng.integers(0, 3))]
        dendritic = float(rng.choice([0.0, 0.25, 1.5, 0.7071]))
        sign = -1.0 if inhibitory and k == 1 else 1.0
        net.connect(
            pre, cells, esn.FixedProbability(0.2), weight=esn.Uniform(*sorted((0.2 * sign * most, 0.9 * sign * most))),
            axonal_delay=axonal, dendritic_delay=dendritic, plasticity=RULES[rule](most, reward), name=f"plastic{k}",
            **port, **options,
        )  # fmt: skip
    static = esn.Uniform(0.1 * most, 0.2 * most)
    net.connect(cells, cells, esn.FixedOutDegree(4), weight=static, delay=esn.Uniform(0.1, 1.0), name="static", **port)
    net.stimulate(cells, esn.Poisson(rate), weight=weight, **port)
    net.record(net.projections["plastic0"], "weight", every=7.5)
    return net


def log_of(
    net: esn.Network, engine: str, *stops: float, threads: tuple[int, ...] = (1,), calm: bool | str | None = None
) -> dict[str, bytes]:
    """Everything that two runs must have in common: spikes, samples, the final state and all weights."""
    simulation = net.compile(engine)  # type: ignore[call-overload]
    if calm is not None:
        simulation._state.set_calm(calm)
    log = event_log(Threaded(simulation, *threads), *stops)
    for name in net.projections:
        weights = simulation.weights_of(name)
        log[f"weights of {name}"] = b"" if weights is None else weights.tobytes()
    return log
