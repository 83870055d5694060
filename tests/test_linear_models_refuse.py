"""Descriptions of linear models, values and currents that are refused, and what a description says."""

import math
import subprocess
import sys

import numpy as np
import pytest
from exact_models import MODELS, name_of

import eventsnn as esn

nan, inf = math.nan, math.inf
generic = pytest.mark.parametrize("model", MODELS, ids=name_of)


class Described(esn.LinearModel):
    """A model whose equations are given to it."""

    parameters = {"I_e": 0.0, "tau": 5.0, "t_ref": 1.0}

    def __init__(self, currents=(), thresholds=(), result=None, **membrane):
        self.given = result or esn.Linear(
            esn.Membrane(**{"tau_m": 10.0, "C_m": 1.0, "E_L": 0.0, "V_th": 15.0, "t_ref": 1.0, **membrane}),
            currents,
            thresholds,
        )
        super().__init__()

    def equations(self, p):
        return self.given


class WithoutI_e(Described):
    parameters = {"tau": 5.0}


def refused(make, *words):
    """make() describes a model and uses it; one sentence that holds all words refuses it."""
    with pytest.raises(esn.InputError) as caught:
        net = esn.Network()
        net.population(3, make(), name="cells")
        net.compile()
    message = str(caught.value)
    for word in words:
        assert word in message, message
    assert "\n" not in message and len(message) < 300, message


current, threshold = esn.Current, esn.Threshold


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ({"reset": esn.Reset(scale=1.5)}, ["cells: scale of the reset of V_m = 1.5", "between -1 and 1"]),
        ({"currents": [current("I", 5.0, reset=esn.Reset(-1.01))]}, ["cells: scale of the reset of I = -1.01"]),
        ({"currents": [current("I", 0.0)]}, ["cells: the time constant of I = 0 ms", "positive and finite"]),
        ({"currents": [current("I", -3.0)]}, ["cells: the time constant of I = -3 ms", "positive and finite"]),
        ({"thresholds": [threshold("T", inf)]}, ["cells: the time constant of T = inf ms", "positive and finite"]),
        ({"tau_m": 0.0}, ["cells: the time constant of V_m = 0 ms", "positive and finite"]),
        ({"tau_m": inf}, ["cells: the time constant of V_m = inf ms", "positive and finite"]),
        (
            {"currents": [current("I", 1e-6)], "tau_m": 1.01e3},
            ["cells: the time constants of I, 1e-06 ms, and V_m, 1010 ms", "too far apart", "factor of 1e+09"],
        ),
        (
            {"currents": [current("I", 1e-9)], "thresholds": [threshold("T", np.array([1, 0.5, 1.1]))], "tau_m": None},
            ["of I, 1e-09 ms, and T, 1.1 ms", "(neuron 2)"],
        ),
        ({"currents": [current("I", 5.0), current("I", 5.0)]}, ["Described: the name 'I'", "choose another"]),
        ({"currents": [current("V_m", 5.0)]}, ["the name 'V_m'", "taken"]),
        ({"currents": [current("I", 5.0, alpha=True), current("dI", 5.0)]}, ["the name 'dI'", "taken"]),
        ({"thresholds": [threshold("V_th", 5.0)]}, ["the name 'V_th'", "taken"]),
        ({"thresholds": [threshold("tau", 5.0)]}, ["the name 'tau'", "taken"]),
        ({"currents": [current("spikes", 5.0)]}, ["the name 'spikes'", "taken"]),
        (
            {"currents": [current("I", 5.0, "a"), current("J", 5.0, "a")]},
            ["Described: two variables have the port 'a'", "a port of its own"],
        ),
        ({"currents": [current("I", 5.0, "a")], "port": "a"}, ["two variables have the port 'a'"]),
        ({"result": "a Linear"}, ["Described: equations returned 'a Linear'", "must return a Linear"]),
        ({"result": esn.Membrane(1.0, 1.0, 0.0, 1.0, 0.0)}, ["Described: equations returned Membrane"]),
        (
            {"currents": [current(f"I_{i}", 5.0) for i in range(65)]},
            ["Described: 65 variables are more than the 64"],
        ),
        (
            {"currents": [current(f"I_{i}", 5.0, alpha=True) for i in range(33)]},
            ["Described: 66 variables are more than the 64"],
        ),
        (
            {"currents": [current(f"I_{i}", 5.0, f"port_{i}") for i in range(64)], "port": "delta"},
            ["Described: 65 ports are more than the 64"],
        ),
        ({"reset": esn.Reset(0.0, 15.0)}, ["cells: V_reset = 15 mV must lie below V_th = 15 mV"]),
    ],
)  # fmt: skip
def test_descriptions_that_are_refused(parts, words):
    refused(lambda: Described(**parts), *words)


odd_numbers = [
    "'20'", "True", "1j", "[]", "[1.0, [2.0]]", "{}", "{1.0}", "object()", "[[1.0, 2.0]]", "[None]", "nan",
    "[1.0, nan]", "np.datetime64('2020')", "np.timedelta64(1, 's')", "np.ma.array([1.0], mask=[True])",
    "(x for x in [1.0])",
]  # fmt: skip
MEMBRANE = "esn.Membrane(10.0, 250.0, -70.0, -55.0, 2.0)"


@pytest.mark.parametrize("value", odd_numbers)
@pytest.mark.parametrize(
    ("part", "name"),
    [("Membrane", name) for name in ("tau_m", "C_m", "E_L", "V_th", "t_ref")]
    + [("Reset", name) for name in ("scale", "jump", "lowest")]
    + [("Current", "tau"), ("Threshold", "tau"), ("Threshold", "gain"), ("Threshold", "offset")],
)
def test_parts_take_numbers_alone(part, name, value):
    good = {
        "Membrane": {"tau_m": 10.0, "C_m": 250.0, "E_L": -70.0, "V_th": -55.0, "t_ref": 2.0},
        "Reset": {},
        "Current": {"name": "I", "tau": 2.0},
        "Threshold": {"name": "T", "tau": 5.0, "gain": 0.1},
    }[part]
    given = eval(value, {"np": np, "nan": nan})
    with pytest.raises(esn.InputError) as caught:
        getattr(esn, part)(**{**good, name: given})
    message = str(caught.value)
    assert (
        message.startswith(f"{part}: {name} ") and ("number" in message or "masked" in message) and len(message) < 260
    ), message


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("esn.Membrane(10.0, 250.0, -70.0, -55.0, 2.0, 0.0)", ["Membrane: reset = 0.0", "must be a Reset"]),
        ("esn.Membrane(10.0, 250.0, -70.0, -55.0, 2.0, None)", ["Membrane: reset = None", "must be a Reset"]),
        ("esn.Membrane(10.0, 250.0, -70.0, -55.0, 2.0, clamped='no')", ["Membrane: clamped = 'no'", "True nor False"]),
        ("esn.Membrane(10.0, 250.0, -70.0, -55.0, 2.0, port=3)", ["Membrane: port = 3", "name"]),
        ("esn.Current(3, 2.0)", ["Current: name = 3", "name"]),
        ("esn.Current('', 2.0)", ["Current: name = ''", "not empty"]),
        ("esn.Current('I', 2.0, ['ex'])", ["Current: port = ['ex']", "name"]),
        ("esn.Current('I', 2.0, alpha=1)", ["Current: alpha = 1", "True nor False"]),
        ("esn.Current('I', 2.0, reset=-3.0)", ["Current: reset = -3.0", "must be a Reset or None"]),
        ("esn.Threshold(None, 2.0)", ["Threshold: name = None", "name"]),
        ("esn.Linear(3.0)", ["Linear: membrane = 3.0", "must be a Membrane"]),
        (f"esn.Linear({MEMBRANE}, esn.Current('I', 2.0))", ["Linear: currents", "list of Current"]),
        (f"esn.Linear({MEMBRANE}, {{'I': 2.0}})", ["Linear: currents", "list of Current"]),
        (f"esn.Linear({MEMBRANE}, (esn.Current('I', t) for t in [1.0]))", ["Linear: currents", "list of Current"]),
        (f"esn.Linear({MEMBRANE}, [esn.Threshold('T', 2.0)])", ["Linear: Threshold", "in currents must be a Current"]),
        (f"esn.Linear({MEMBRANE}, [], [5.0])", ["Linear: 5.0 in thresholds must be a Threshold"]),
    ],
)
def test_parts_that_are_refused(code, words):
    with pytest.raises(esn.InputError) as caught:
        eval(code)
    assert all(word in str(caught.value) for word in words), str(caught.value)


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ({"C_m": [1.0, 2.0], "E_L": [0.0] * 3}, ["Described: equations returned arrays of 2 and 3", "one a neuron"]),
        ({"thresholds": [threshold("T", 5.0, offset=[1.0, 2.0])]}, ["cells: T: the equations gave numbers for 2"]),
        ({"C_m": [1.0, 2.0]}, ["cells: the equations gave numbers for 2 neurons, but there are 3"]),
    ],
)
def test_arrays_of_other_lengths(parts, words):
    refused(lambda: Described(**parts), *words)


def test_a_part_that_is_refused_in_a_run_names_the_population():
    class Divided(Described):
        def equations(self, p):
            with np.errstate(invalid="ignore"):
                return esn.Linear(esn.Membrane(10.0, 1.0, p["I_e"] / p["I_e"], 15.0, 1.0))

    class Defaults(Divided):
        parameters = {"I_e": 1.0}

    net = esn.Network()
    net.population(2, Defaults(), name="cells", I_e=[1.0, 0.0])
    with pytest.raises(esn.InputError, match=r"cells: Membrane: E_L = nan \(neuron 1\) must be a number"):
        net.compile()


class Adapting(esn.LinearModel):
    """A spike adds `jump` to a current, by default nothing."""

    parameters = {"I_e": 0.0, "jump": 0.0, "tau_a": 50.0}

    def equations(self, p):
        parts = [esn.Current("I_a", p["tau_a"], reset=esn.Reset(jump=p["jump"]))]
        if np.any(p["tau_a"] > 100.0):
            parts.append(esn.Current("I_b", 5.0))
        return esn.Linear(esn.Membrane(10.0, 250.0, 0.0, 15.0, 2.0), parts)


@pytest.mark.parametrize("engine", ["compiled", "reference"])
def test_a_reset_that_changes_nothing_by_default_is_not_forgotten(engine):
    net = esn.Network()
    cells = net.population(1, Adapting(jump=-200.0), name="cells", I_e=500.0)
    net.record(cells, "I_a", times=[10.0 * math.log(4.0) + 1e-9])
    results = net.run(15.0, engine=engine)
    (first,) = results.spikes["cells"].times
    assert first == pytest.approx(10.0 * math.log(4.0), abs=1e-14)  # 20 (1 - exp(-t / 10)) = 15
    assert results.traces["cells"].I_a[0, 0] == pytest.approx(-200.0, abs=1e-8)


def test_variables_must_not_depend_on_values():
    words = ["cells: equations returned other variables", "let only numbers depend on the parameters"]
    refused(lambda: Adapting(tau_a=101.0), *words)


@pytest.mark.parametrize("engine", ["compiled", "reference"])
@pytest.mark.parametrize("weights", [(1e150, 1e150), (1e150, 1e150, -1e150, -1e150)])
def test_a_state_that_is_too_large_ends_the_run(engine, weights, tmp_path):
    """The largest weights, of one sign and of both: in a process of its own, for it once never returned."""
    code = f"""
import eventsnn as esn
net = esn.Network()
cells = net.population(1, esn.LIFExp(), name="cells")
for weight in {weights}:
    net.connect(net.population(1, esn.SpikeSource([1.0])), cells, esn.AllToAll(), weight=weight)
try:
    net.run(10.0, engine={engine!r})
except esn.RunawayError as error:
    print(error)
"""
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, encoding="utf-8", timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("neuron 0 of cells has run away: a variable of its state left the range")


def test_a_model_with_all_its_variables_runs():
    """64 variables, and time constants as far apart as is allowed."""
    parts = [current(f"I_{i}", 5.0 + i, f"port_{i}", reset=esn.Reset(jump=1.0)) for i in range(62)]
    for engine in ("compiled", "reference"):
        net = esn.Network()
        model = Described(currents=parts, thresholds=[threshold("T", 1e-6), threshold("U", 1e3)], tau_m=5.0)
        cells = net.population(2, model, name="cells", I_e=4.0)
        net.stimulate(cells, esn.Poisson(rate=100.0), weight=1.0, port="port_61")
        net.record(cells, ["I_61"], times=[20.0])
        assert len(net.run(30.0, engine=engine).spikes["cells"]) > 0


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: WithoutI_e(), ["WithoutI_e", "I_e", "add it"]),
        (lambda: esn.GLIF(level=6), ["GLIF: level = 6", "1, 2, 3, 4, 5"]),
        (lambda: esn.GLIF(level=0), ["GLIF: level = 0"]),
        (lambda: esn.GLIF(level="5"), ["GLIF: level = '5'"]),
        (lambda: esn.GLIF(level=2.0), ["GLIF: level = 2.0"]),
        (lambda: esn.GLIF(level=None), ["GLIF: level = None"]),
        (lambda: esn.GLIF(level=True), ["GLIF: level = True"]),
        (lambda: esn.GLIF(level=1, th_spike_add=1.0), ["GLIF has no parameter 'th_spike_add'"]),
        (lambda: esn.GLIF(level=5, V_reset=-70.0), ["GLIF has no parameter 'V_reset'"]),
        (lambda: esn.GLIF(g=0.0), ["cells: g = 0 nS", "positive"]),
        (lambda: esn.GLIF(asc_decay_2=-0.1), ["cells: asc_decay_2 = -0.1 1/ms", "positive"]),
        (lambda: esn.GLIF(voltage_reset_fraction=1.2), ["cells: scale of the reset of V_m = 1.2", "between -1 and 1"]),
        (lambda: esn.MihalasNiebur(b=0.0), ["cells: b = 0 1/ms", "positive"]),
        (lambda: esn.MihalasNiebur(k_1=[0.1, -0.2, 0.1]), ["cells: k_1 = -0.2 1/ms (neuron 1)", "positive"]),
        (lambda: esn.MihalasNiebur(R_2=1.1), ["cells: scale of the reset of I_2 = 1.1"]),
        (lambda: esn.MihalasNiebur(Theta_reset=-70.0), ["V_reset = -70 mV must lie below Theta_reset = -70 mV"]),
        (
            lambda: esn.MihalasNiebur(Theta_reset=[-60.0, -60.0, -75.0]),
            ["V_reset = -70 mV must lie below Theta_reset = -75 mV (neuron 2)"],
        ),
        (lambda: esn.MihalasNiebur(V_reset=-50.0), ["V_reset = -50 mV must lie below V_th = -50 mV"]),
        (lambda: esn.LIFExp(V_reset=-50.0), ["V_reset = -50 mV must lie below V_th = -55 mV"]),
        (lambda: esn.IF(C_m=0.0), ["cells: C_m = 0 pF", "positive"]),
        (lambda: esn.IF(tau_m=10.0), ["IF has no parameter 'tau_m'"]),
        (lambda: esn.MAT2(tau_2=0.0), ["cells: tau_2 = 0 ms", "positive"]),
        (lambda: esn.MAT2(t_ref=-1.0), ["cells: t_ref = -1 ms", "negative"]),
        (lambda: esn.LIFExp(ports=("a b",)), ["LIFExp: port 'a b'", "letters, digits and _"]),
        (lambda: esn.LIFExp(ports=("1a",)), ["LIFExp: port '1a'"]),
        (lambda: esn.LIFAlpha(ports=("",)), ["LIFAlpha: port ''"]),
        (lambda: esn.IF(ports=(3,)), ["IF: port 3"]),
        (lambda: esn.LIFExp(ports=("a", "a")), ["LIFExp", "'I_syn_a'", "taken"]),
        (lambda: esn.IF(ports=("ex", "delta")), ["IF: two variables have the port 'delta'"]),
        (lambda: esn.LIFExp(ports=("a",), tau_syn_ex=1.0), ["no parameter 'tau_syn_ex'", "'tau_syn_a'"]),
    ],
)
def test_built_in_models_refuse(make, words):
    refused(make, *words)


def test_input_must_name_its_port_where_the_sign_does_not():
    net = esn.Network()
    cells = net.population(3, esn.LIFExp(ports=("a", "b", "c")), name="cells")
    with pytest.raises(esn.InputError, match="LIFExp of cells has the ports a, b, c; name one with port="):
        net.stimulate(cells, esn.Poisson(rate=1.0), weight=1.0)
    with pytest.raises(esn.InputError, match="LIFExp of cells has the ports a, b, c; name one with port="):
        net.connect(cells, cells, esn.AllToAll(), weight=1.0)
    with pytest.raises(esn.InputError, match="LIFExp of cells has no port 'ex'; known are a, b, c"):
        net.connect(cells, cells, esn.AllToAll(), weight=1.0, port="ex")
    alone = net.population(3, esn.LIFExp(ports="syn"), name="alone")
    net.connect(cells, alone, esn.AllToAll(), weight=-1.0)
    deaf = net.population(3, Described(currents=[current("I", 5.0)]), name="deaf")
    with pytest.raises(esn.InputError, match="Described of deaf takes no input"):
        net.connect(cells, deaf, esn.AllToAll())


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("esn.RampCurrent([1.0, 1.0], [1.0, 2.0])", ["RampCurrent", "1 ms", "strictly"]),
        ("esn.RampCurrent([2.0, 1.0], [1.0, 2.0])", ["RampCurrent: times[1] = 1 ms", "ascending"]),
        ("esn.RampCurrent([-1.0], [1.0])", ["RampCurrent: times[0] = -1 ms", "negative"]),
        ("esn.RampCurrent([1.0], [inf])", ["RampCurrent: amplitudes[0] = inf", "finite"]),
        ("esn.RampCurrent([1.0], ['a'])", ["RampCurrent: amplitudes = ['a']", "numbers"]),
        ("esn.RampCurrent([1.0, 2.0], [1.0])", ["RampCurrent", "2 times", "1 amplitudes"]),
        ("esn.RampCurrent([0.0, 5e-324], [0.0, 1.0])", ["RampCurrent", "times[0]", "too steep"]),
        ("esn.RampCurrent(1.0, 2.0)", ["RampCurrent: times", "list of numbers"]),
        ("esn.SineCurrent('1', 5.0)", ["SineCurrent: amplitude = '1'", "number of pA"]),
        ("esn.SineCurrent([[1.0]], 5.0)", ["SineCurrent: amplitude", "(1, 1)", "one number of pA, or one a neuron"]),
        ("esn.SineCurrent([1.0, nan], 5.0)", ["SineCurrent: amplitude = nan (neuron 1)", "finite number of pA"]),
        ("esn.SineCurrent([1.0], [5.0, 6.0])", ["1 of amplitude, 2 of frequency", "one value a neuron"]),
        ("esn.SineCurrent(1.0, 5.0, start=[1.0, 2.0])", ["SineCurrent: start", "one finite number of ms"]),
        ("esn.RampCurrent([1.0, 2.0], [[1.0, inf]])", ["RampCurrent: amplitudes[0, 1] = inf", "finite"]),
        ("esn.RampCurrent([0.0, 5e-324], [[0.0, 0.0], [0.0, 1.0]])", ["RampCurrent", "times[0]", "too steep"]),
        ("esn.StepCurrent([1.0], [[[1.0]]])", ["StepCurrent: amplitudes", "(1, 1, 1)", "one list a neuron"]),
        ("esn.SineCurrent(nan, 5.0)", ["SineCurrent: amplitude = nan", "finite"]),
        ("esn.SineCurrent(1.0, 0.0)", ["SineCurrent: frequency = 0 Hz", "1e-06", "1e+06"]),
        ("esn.SineCurrent(1.0, -5.0)", ["SineCurrent: frequency = -5 Hz", "between"]),
        ("esn.SineCurrent(1.0, 2e6)", ["SineCurrent: frequency = 2e+06 Hz", "between"]),
        ("esn.SineCurrent(1.0, inf)", ["SineCurrent: frequency = inf", "finite number of Hz"]),
        ("esn.SineCurrent(1.0, 5.0, phase=None)", ["SineCurrent: phase = None", "degrees"]),
        ("esn.SineCurrent(1.0, 5.0, offset=inf)", ["SineCurrent: offset = inf", "finite"]),
        ("esn.SineCurrent(1.0, 5.0, start=-1.0)", ["SineCurrent: start = -1 ms", "0 <= start < stop"]),
        ("esn.SineCurrent(1.0, 5.0, start=3.0, stop=3.0)", ["start = 3 ms and stop = 3 ms", "0 <= start < stop"]),
        ("esn.SineCurrent(1.0, 5.0, start=inf)", ["SineCurrent: start = inf", "finite"]),
        ("esn.SineCurrent(1.0, 5.0, stop=nan)", ["stop = nan ms", "0 <= start < stop"]),
    ],
)
def test_currents_that_are_refused(code, words):
    with pytest.raises(esn.InputError) as caught:
        eval(code)
    for word in words:
        assert word in str(caught.value), caught.value
    assert "\n" not in str(caught.value)
