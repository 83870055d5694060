"""Quantities of other packages are converted to the unit that is asked for, or refused; none loses its unit."""

import re
import warnings

import numpy as np
import pytest
from exact_models import name_of

import eventsnn as esn

# A line of a docstring: a parameter, its default and its unit, if it has one, and what it is.
LINE = re.compile(r"^ {8}(\w+) +[-\d.e]+ +(ms|mV|pA|pF|nS|[\w]+/ms|1/\(mV ms\))? *(?:\w|$)", re.MULTILINE)


@pytest.mark.parametrize(
    "model", [getattr(esn, name)() for name in esn.models.__all__ if hasattr(getattr(esn, name), "kernel")
              and name != "LinearModel"], ids=name_of
)  # fmt: skip
def test_units_of_parameters_are_those_of_the_docstring(model):
    lines = {name: unit for name, unit in LINE.findall(type(model).__doc__)}
    assert len(lines) > 6
    for name, unit in lines.items():
        assert model.unit_of(name) == unit.replace("(mV ms)", "mV/ms"), name


class Pint:
    def __init__(self):
        self.units = pytest.importorskip("pint").UnitRegistry()

    def __call__(self, value, unit):
        return self.units.Quantity(value, unit)


class Quantities:
    def __init__(self):
        self.package = pytest.importorskip("quantities")

    def __call__(self, value, unit):
        return self.package.Quantity(value, unit or "dimensionless")


class Astropy:
    def __init__(self):
        self.package = pytest.importorskip("astropy.units")

    def __call__(self, value, unit):
        return self.package.Quantity(value, unit)


class Brian2:
    def __init__(self):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self.package = pytest.importorskip("brian2")

    def __call__(self, value, unit):
        known = vars(self.package) | vars(self.package.units.stdunits)
        above, *below = unit.split("/")
        if not above:
            return self.package.Quantity(value)
        quantity = value * (known[above] if above != "1" else 1.0)
        for name in below:
            quantity = quantity / known[name]
        return quantity


@pytest.fixture(params=[Pint, Quantities, Astropy, Brian2])
def q(request):
    return request.param()


def test_parameters_and_states(q):
    net = esn.Network()
    model = esn.LIFExp(tau_m=q(0.02, "ms") * 1000, C_m=q(0.25, "nF"), I_e=[q(0.5, "nA"), q(300.0, "pA")])
    cells = net.population(2, model, V_th=q(np.array([-50.0, -49.0]), "mV"), I_syn_ex=q(5.0, "pA"), E_L=q(-70, ""))
    assert cells.get("tau_m", "C_m")[0] == pytest.approx(20.0) and cells.get("C_m") == pytest.approx(250.0)
    assert cells.get("I_e") == pytest.approx([500.0, 300.0])
    assert cells.get("V_th") == pytest.approx([-50.0, -49.0]) and cells.get("I_syn_ex") == pytest.approx(5.0)
    net.run(q(0.01, "s") if not isinstance(q, Brian2) else 10.0 * q(1.0, "ms"))
    assert net.time == pytest.approx(10.0)


def test_a_unit_of_names_that_say_none(q):
    cells = esn.Network().population(1, esn.AdEx(a=q(4.0, "nS"), b=q(0.08, "nA"), Delta_T=q(2.0, "mV")))
    assert cells.get("a") == pytest.approx(4.0) and cells.get("b") == pytest.approx(80.0)
    cells = esn.Network().population(1, esn.Izhikevich(a=q(0.02, "1/ms"), c=q(-65.0, "mV"), d=q(8.0, "mV/ms")))
    assert [cells.get(name)[0] for name in "acd"] == pytest.approx([0.02, -65.0, 8.0])


def test_connections_stimuli_and_recordings(q):
    net = esn.Network(seed=1)
    source = net.population(2, esn.SpikeSource([q(1.0, "ms"), q(2.0, "ms")]), name="source")
    jumps = net.population(2, esn.LIFDelta(), name="jumps")
    currents = net.population(2, esn.LIFExp(), name="currents")
    conducting = net.population(2, esn.LIFCondExp(), name="conducting")
    weights = [(jumps, q(0.5, "mV"), 0.5), (currents, q(0.25, "nA"), 250.0), (conducting, q(3.0, "nS"), 3.0)]
    for post, weight, expected in weights:
        wires = net.connect(source, post, esn.OneToOne(), weight=weight, delay=q(np.array([1.5, 2.5]), "ms"))
        assert wires.get("weight") == pytest.approx(expected)
        assert sorted(wires.get("delay")) == pytest.approx([1.5, 2.5])
    wires.set(weight=q(2.0, "nS"))
    assert wires.get("weight") == pytest.approx(2.0)
    net.stimulate(jumps, esn.Poisson(q(0.1, "kHz")), weight=q(2.0, "mV"), name="noise")
    noise = net.stimuli["noise"]
    assert noise.weight == pytest.approx(2.0) and noise.source.rate == pytest.approx(100.0)
    net.stimulate(jumps, esn.StepCurrent([q(1.0, "ms")], q(np.array([0.1]), "nA")), name="step")
    assert net.stimuli["step"].source.amplitudes == pytest.approx([100.0])
    net.record(jumps, "V_m", every=q(0.5, "ms"))
    assert net.run(5.0).traces["jumps"].times == pytest.approx(np.arange(0.0, 5.0, 0.5))


def test_distributions_hold_quantities(q):
    net = esn.Network(seed=1)
    cells = net.population(100, esn.LIFDelta(V_th=esn.Normal(q(-0.05e3, "mV"), q(1.0, "mV"), high=q(-45.0, "mV"))))
    plain = esn.Network(seed=1).population(100, esn.LIFDelta(V_th=esn.Normal(-50.0, 1.0, high=-45.0)))
    assert cells.get("V_th") == pytest.approx(plain.get("V_th"))
    delay = esn.Uniform(q(1.0, "ms"), q(2.0, "ms"))
    assert 1.0 <= net.connect(cells, cells, esn.OneToOne(), delay=delay).get("delay").min() <= 2.0
    with pytest.raises(esn.InputError, match="V_th: Uniform.* draws ms, not mV"):
        cells.set(V_th=delay)
    with pytest.raises(esn.InputError, match="Normal: mean is mV, std is a plain number"):
        esn.Normal(q(-50.0, "mV"), 1.0)
    with pytest.raises(esn.InputError, match="LogNormal: mu and sigma.*plain numbers"):
        esn.LogNormal(q(1.0, "mV"), q(1.0, "mV"))


def test_another_dimension_is_refused(q):
    net = esn.Network()
    cells = net.population(2, esn.LIFDelta(), name="cells")
    mixed = net.population(2, esn.LIFExp(), name="mixed")
    for refused, words in [
        (lambda: cells.set(tau_m=q(5.0, "mV")), "cells: tau_m = 5.* cannot be converted to ms"),
        (lambda: esn.LIFDelta(V_th=q([1.0, 2.0], "ms")), "LIFDelta: V_th = .* to mV"),
        (lambda: cells.set(I_e=[1.0, q(5.0, "mV")]), "cells: I_e = 5.* to pA"),
        (lambda: net.connect(cells, mixed, esn.AllToAll(), weight=q(1.0, "mV")), "mixed#0: weight = 1.* to pA"),
        (lambda: net.connect(cells, cells, esn.AllToAll(), delay=q(1.0, "mV")), "cells#0: delay = 1.* to ms"),
        (lambda: net.connect(cells, [cells, mixed], esn.AllToAll(), weight=q(1.0, "mV")), "weight = 1.* has a unit"),
        (lambda: esn.Gamma(q(1.0, "Hz"), q(1.0, "ms")), "Gamma: shape = 1.* has a unit.* give a plain number"),
        (lambda: esn.SpikeSource(q([1.0], "mV")), "SpikeSource: times = .* to ms"),
        (lambda: net.run(q(1.0, "mV")), "run: duration = 1.* to ms"),
        (lambda: esn.Renewal(esn.Exponential(q(1.0, "mV"))), "Renewal: intervals: .* draws mV, not ms"),
        (lambda: esn.FixedProbability(q(0.5, "ms")), "FixedProbability: p = "),
        (lambda: esn.SpikeSource([1.0], ids=q(np.array([0]), "ms")), "SpikeSource: ids = .* whole numbers"),
    ]:
        with pytest.raises(esn.InputError, match=words):
            refused()


def test_models_of_users_may_say_units(q):
    class Mine(esn.LinearModel):
        parameters = {"tau_m": 10.0, "C_m": 250.0, "E_L": -70.0, "V_th": -55.0, "t_ref": 2.0, "I_e": 0.0, "jump": 1.0}
        units = {"jump": "pA"}

        def equations(self, p):
            membrane = esn.Membrane(p["tau_m"], p["C_m"], p["E_L"], p["V_th"], p["t_ref"])
            return esn.Linear(membrane, [esn.Current("I_a", 5.0, reset=esn.Reset(jump=p["jump"]))])

    assert Mine(jump=q(1.0, "nA")).values["jump"] == pytest.approx(1000.0)
    with pytest.raises(esn.InputError, match="Mine: jump = 1.* to pA"):
        Mine(jump=q(1.0, "ms"))
