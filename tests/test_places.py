"""The places of a neuron's constants, stated once in the kernels: each model puts there what the name says."""

import pytest

import eventsnn as esn
from eventsnn._core.models import conducting, exponential, hodgkin_huxley, izhikevich, quadratic
from eventsnn._core.solve import closed_form, neuron, steps
from eventsnn.compile.neurons import initial_values
from eventsnn.solve.closed_form import current_at, threshold_at

LINEAR = {
    "TAU_M": "tau_m", "PER_C": "1/C_m", "V_RESET": "scale of V_m", "LONGEST": "longest", "PER_UNIT": "1/unit",
    "NARROWEST": "narrowest frame", "WIDTH_M": "width of a frame", "RATE_M": "1/tau", "KEPT_M": "kept in a frame",
}  # fmt: skip
CURRENT = {
    "TAU": "tau of {}", "DIFFERENCE": "difference", "INVERSE": "inverse", "FASTER": "faster",
    "CURRENT_RESET": "scale of {}", "COUPLING": "coupling", "WIDTH": "width of a frame", "RATE": "1/tau",
    "KEPT": "kept in a frame",
}  # fmt: skip
THRESHOLD = {"TAU": "tau of {}", "GAIN": "gain", "THRESHOLD_RESET": "scale of {}"}
STEPS = {"ORDER": "order", "FARTHEST": "farthest", "V_RESET": "V_reset", "LOWEST": "lowest", "HEAD": "tolerance"}
CONDUCTING = {
    "RATE_L": "g_L / C_m", "E_L": "E_L", "V_RESET": "V_reset", "E_EX": "E_ex", "E_IN": "E_in",
    "RATE_EX": "1 / tau_syn_ex", "RATE_IN": "1 / tau_syn_in", "TAU_EX": "tau_syn_ex", "TAU_IN": "tau_syn_in",
    "SCALES": "weight to ex",
}  # fmt: skip
# Of each model's own constants the last places of all.
OWN = {
    esn.EIF: (exponential, {"RATE_L": "g_L / C_m", "E_L": "E_L", "V_T": "V_th", "PER_DELTA": "1 / Delta_T",
              "UPSTROKE": "g_L Delta_T / C_m", "PER_C": "1 / C_m", "E_EX": "E_ex", "E_IN": "E_in",
              "RATE_EX": "1 / tau_syn_ex", "RATE_IN": "1 / tau_syn_in", "A": "a", "RATE_W": "1 / tau_w"}),
    esn.HHTraub: (hodgkin_huxley, {"G_NA": "g_Na / C_m", "G_K": "g_K / C_m", "G_L": "g_L / C_m", "PER_C": "1 / C_m",
                  "E_NA": "E_Na", "E_K": "E_K", "E_L": "E_L", "E_EX": "E_ex", "E_IN": "E_in", "V_T": "V_T",
                  "RATE_EX": "1 / tau_syn_ex", "RATE_IN": "1 / tau_syn_in"}),
    esn.Izhikevich: (izhikevich, {"A": "a", "B": "b", "K_2": "k_2", "K_1": "k_1", "K_0": "k_0", "V_U": "V_u",
                     "LEAK_U": "leak_u", "STEP": "step"}),
    esn.QIF: (quadratic, {"CURVATURE": "g_L / (C_m (V_th - E_L))", "E_L": "E_L", "SPAN": "V_th - E_L",
              "RHEOBASE": "g_L (V_th - E_L) / (4 C_m)"}),
}  # fmt: skip
MODELS = [
    esn.IF, esn.LIFDelta, esn.LIFExp, esn.LIFAlpha, esn.GLIF, esn.MAT2, esn.MihalasNiebur, esn.LIFCondExp,
    esn.LIFCondAlpha, esn.AdEx, *OWN,
]  # fmt: skip


def names_of(model):
    """What each constant of a neuron is, in the order in which the kernels have them."""
    return model.constants(initial_values(esn.Network().population(1, model)))[0]


def named(module, expected, names, first=0, *words):
    """Which of the places that are expected to have these names do not."""
    found = {place: names[first + getattr(module, place)] for place in expected}
    return {place: name for place, name in found.items() if name != expected[place].format(*words)}


@pytest.mark.parametrize("kind", MODELS)
def test_constants_of_all_models_begin_alike(kind):
    model = kind()
    r, t_ref, threshold = (names_of(model)[place] for place in (neuron.R, neuron.T_REF, neuron.THRESHOLD))
    assert r == ("1 / C_m" if isinstance(model, esn.LIFCondExp | esn.LIFCondAlpha) else "R")
    assert t_ref == "t_ref" and threshold.split(" - ")[0] in (model.threshold_name, "V_th")


@pytest.mark.parametrize(
    "kind", [esn.IF, esn.LIFDelta, esn.LIFExp, esn.LIFAlpha, esn.GLIF, esn.MAT2, esn.MihalasNiebur]
)
def test_places_of_linear_models(kind):
    model = kind()
    names, shape = names_of(model), model.shape
    assert named(closed_form, LINEAR, names) == {}
    for i, slot in enumerate(model.slots[: shape.n_currents]):
        assert named(closed_form, CURRENT, names, current_at(shape, i), slot) == {}
    for i, slot in enumerate(model.slots[shape.n_currents + shape.n_alpha :]):
        assert named(closed_form, THRESHOLD, names, threshold_at(shape, i), slot) == {}
    assert len(names) >= threshold_at(shape, shape.n_thresholds)


@pytest.mark.parametrize("kind", [esn.LIFCondExp, esn.LIFCondAlpha])
def test_places_of_models_with_conductances(kind):
    assert named(conducting, CONDUCTING, names_of(kind())) == {}


@pytest.mark.parametrize("kind", OWN)
def test_places_of_models_without_a_closed_form(kind):
    names = names_of(kind())
    module, own = OWN[kind]
    assert named(steps, STEPS, names) == {}
    assert named(module, own, names[-len(own) :]) == {}
    assert sorted(getattr(module, place) for place in own) == list(range(len(own)))


def test_a_place_that_is_another_ones_is_seen():
    names = names_of(esn.QIF())
    assert named(steps, {"ORDER": "farthest"}, names) == {"ORDER": "order"}
