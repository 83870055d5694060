"""A network for every model, plasticity rule and source that eventsnn has, to be stopped, killed and gone on with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import eventsnn as esn

STOP = 120.0  # ms

_MODELS: dict[str, Callable[[], Any]] = {
    "AdEx": lambda: esn.AdEx(I_e=700.0), "EIF": lambda: esn.EIF(I_e=700.0), "GLIF": lambda: esn.GLIF(I_e=400.0),
    "HHTraub": lambda: esn.HHTraub(I_e=300.0), "IF": lambda: esn.IF(I_e=300.0),
    "Izhikevich": lambda: esn.Izhikevich(I_e=8.0), "LIFAlpha": lambda: esn.LIFAlpha(I_e=420.0),
    "LIFCondAlpha": lambda: esn.LIFCondAlpha(I_e=350.0), "LIFCondExp": lambda: esn.LIFCondExp(I_e=350.0),
    "LIFDelta": lambda: esn.LIFDelta(I_e=420.0), "LIFExp": lambda: esn.LIFExp(I_e=420.0),
    "MAT2": lambda: esn.MAT2(I_e=700.0), "MihalasNiebur": lambda: esn.MihalasNiebur(I_e=3.0),
    "QIF": lambda: esn.QIF(I_e=300.0), "LinearModel": lambda: _own_model(),
}  # fmt: skip
_RULES: dict[str, Callable[[esn.Network], Any]] = {
    "STDP": lambda net: esn.STDP(), "PowerLawSTDP": lambda net: esn.PowerLawSTDP(),
    "TripletSTDP": lambda net: esn.TripletSTDP(), "VogelsSTDP": lambda net: esn.VogelsSTDP(w_max=100.0),
    "TsodyksMarkram": lambda net: esn.TsodyksMarkram(),
    "RewardSTDP": lambda net: esn.RewardSTDP(net.population(1, esn.Poisson(30.0), name="reward"), delay=1.0),
    "PlasticityRule": lambda net: esn.PlasticityRule(
        {"x": 20.0}, {"y": esn.Trace(5.0)}, on_pre=lambda w, y: w - 0.1 * y, on_post=lambda w, x: w + 0.1 * x,
        w_min=0.0, w_max=90.0,
    ),
}  # fmt: skip
_SOURCES: dict[str, Callable[[], Any]] = {
    "Poisson": lambda: esn.Poisson(800.0), "PoissonRefractory": lambda: esn.PoissonRefractory(400.0, 0.5),
    "Gamma": lambda: esn.Gamma(600.0, 2.0), "Renewal": lambda: esn.Renewal(esn.LogNormal(0.3, 0.5)),
    "SinusoidalPoisson": lambda: esn.SinusoidalPoisson(600.0, 300.0, 30.0),
    "InhomogeneousPoisson": lambda: esn.InhomogeneousPoisson([0.0, 40.0, 70.0], [900.0, 50.0, 700.0]),
    "SpikeSource": lambda: esn.SpikeSource(np.arange(0.25, STOP, 1.0)),
    "StepCurrent": lambda: esn.StepCurrent([0.0, 31.0, 64.5], [0.0, 300.0, 100.0]),
    "RampCurrent": lambda: esn.RampCurrent([3.0, 80.0], [0.0, 400.0]),
    "SineCurrent": lambda: esn.SineCurrent(200.0, 40.0),
}  # fmt: skip
CASES = [
    *[f"model {name}" for name in _MODELS], *[f"rule {name}" for name in _RULES],
    *[f"source {name}" for name in _SOURCES], *[f"drive {name}" for name in _SOURCES if "Current" not in name],
    "rows procedural", "rows float32", "rows sampled", "rows few",
]  # fmt: skip


def network_of(case: str) -> esn.Network:
    kind, name = case.split(" ", 1)
    return {"model": _model, "rule": _rule, "source": _source, "drive": _source, "rows": _rows}[kind](case, name)


def named() -> set[str]:
    """What there is a network for."""
    return {*_MODELS, *_RULES, *_SOURCES}


def _own_model() -> Any:
    class Own(esn.LinearModel):
        """Two currents, and a threshold that spikes raise."""

        parameters = {"tau_m": 10.0, "C_m": 250.0, "E_L": -70.0, "V_th": -55.0, "t_ref": 2.0, "I_e": 500.0}

        def equations(self, p: Any) -> esn.Linear:
            potential = p["tau_m"], p["C_m"], p["E_L"], p["V_th"], p["t_ref"]
            currents = [esn.Current("I_ex", 2.0, "ex"), esn.Current("I_in", 5.0, "in", alpha=True)]
            theta = esn.Threshold("theta", 30.0, 0.002, esn.Reset(1.0, 2.0), 0.0)
            return esn.Linear(esn.Membrane(*potential, port="delta"), currents, [theta])

    return Own()


def _model(case: str, name: str) -> esn.Network:
    net = esn.Network(seed=11)
    cells = net.population(24, _MODELS[name](), name="cells")
    weak = {"LIFDelta": 0.4, "MihalasNiebur": 0.2, "Izhikevich": 0.5, "LIFCondExp": 1.0, "LIFCondAlpha": 1.0}
    weight = weak.get(name, 20.0)
    net.connect(cells, cells, esn.FixedOutDegree(4), weight=weight, delay=esn.Uniform(0.4, 4.0), name="wires")
    net.stimulate(cells, esn.Poisson(400.0), weight=weight)
    net.record(cells, list(cells.model.recordables)[:3], every=1.3, ids=[0, 5])
    return net


def _rule(case: str, name: str) -> esn.Network:
    net = esn.Network(seed=12)
    noise = net.population(20, esn.Poisson(40.0), name="noise")
    cells = net.population(10, esn.LIFExp(I_e=380.0), name="cells", V_m=esn.Uniform(-70.0, -55.0))
    rule = _RULES[name](net)
    options: dict[str, Any] = {"plasticity": rule}
    if name in ("STDP", "PowerLawSTDP"):
        options |= {"axonal_delay": esn.Uniform(0.5, 2.0), "dendritic_delay": 0.4}
    else:
        options["delay"] = esn.Uniform(0.5, 3.0)
    wires = net.connect(noise, cells, esn.AllToAll(), weight=esn.Uniform(20.0, 60.0), name="wires", **options)
    net.connect(cells, cells, esn.FixedOutDegree(3), weight=10.0, delay=1.5, name="static")
    net.stimulate(cells, esn.Poisson(500.0), weight=30.0)
    net.record(wires, "weight", every=7.5, ids=[0, 3, 77])
    net.record(cells, "V_m", every=2.5, ids=[1])
    return net


def _source(case: str, name: str) -> esn.Network:
    """As a population that is connected, or as a stimulus."""
    net = esn.Network(seed=13)
    cells = net.population(30, esn.LIFExp(), name="cells", I_e=esn.Uniform(300.0, 420.0))
    net.connect(cells, cells, esn.FixedOutDegree(3), weight=-15.0, delay=1.1)
    net.record(cells, "V_m", every=1.0, ids=[0, 1])
    source = _SOURCES[name]()
    if case.startswith("drive") or "Current" in name:
        # Trains that are given have a population of their own.
        weight = {} if "Current" in name else {"weight": 60.0}
        if name != "SpikeSource":
            net.stimulate(cells, source, **weight)
            return net
    sources = net.population(6, source, name="sources")
    net.connect(sources, cells, esn.FixedOutDegree(8), weight=60.0, delay=esn.Uniform(0.2, 6.0))
    return net


def _rows(case: str, name: str) -> esn.Network:
    """Other storage of synapses; many samples; of one neuron only that it spikes."""
    net = esn.Network(seed=14)
    cells = net.population(40, esn.LIFDelta(), name="cells", V_m=esn.Uniform(-70.0, -55.0))
    storage: dict[str, Any] = {"procedural": {"storage": "procedural"}, "float32": {"dtype": "float32"}}.get(name, {})
    weight = esn.Normal(0.0, 0.5)
    net.connect(cells, cells, esn.FixedOutDegree(10), weight=weight, delay=esn.Uniform(0.5, 3.0), **storage)
    net.stimulate(cells, esn.Poisson(9_000.0), weight=0.2)
    if name == "sampled":
        net.record(cells, "V_m", every=0.05)
    if name == "few":
        net.record(cells, "spikes", ids=[7])
    return net
