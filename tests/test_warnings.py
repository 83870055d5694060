"""Warnings of what is likely to be meant otherwise: numbers in SI units, samples at the end of a run."""

import warnings

import numpy as np
import pytest

import eventsnn as esn
from eventsnn.cli import scenario


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (esn.LIFDelta(tau_m=0.01), "cells: tau_m = 0.01 ms .* did you mean 10 ms .0.01 s."),
        (esn.LIFDelta(t_ref=0.002), "t_ref = 0.002 ms .* did you mean 2 ms .0.002 s."),
        (esn.LIFDelta(E_L=-0.07, V_reset=-0.07, V_th=-0.055), "E_L = -0.07 mV .* did you mean -70 mV .-0.07 V."),
        (esn.LIFDelta(C_m=[250.0, 2e-10]), "C_m = 2e-10 pF .* did you mean 200 pF .2e-10 F."),
        (esn.LIFDelta(I_e=3e-10), "I_e = 3e-10 pA .* did you mean 300 pA .3e-10 A."),
        (esn.LIFCondExp(g_L=1e-8), "g_L = 1e-08 nS .* did you mean 10 nS .1e-08 S."),
    ],
)
def test_parameters_in_si_units(model, words):
    net = esn.Network()
    net.population(2, model, name="cells")
    with pytest.warns(esn.InputWarning, match=words) as caught:
        net.compile()
    assert len(caught) == 1


def silent(net):
    with warnings.catch_warnings():
        warnings.simplefilter("error", esn.InputWarning)
        net.compile()


@pytest.mark.parametrize("name", [name for name in scenario.available() if "full" not in name])
def test_no_scenario_is_warned_of(name):
    loaded = scenario.load(name)
    small = {"n": 1000} if name == "brunel" else {"scale": 0.02} if "scale" in loaded.parameters else {}
    silent(loaded.build(**small))


def test_models_without_units_are_not_warned_of():
    net = esn.Network()
    net.population(1, esn.LIFDelta(tau_m=1.0, C_m=1.0, E_L=0.0, V_reset=0.0, V_th=1.0, t_ref=0.0, I_e=0.5))
    net.population(1, esn.LIFExp(E_L=0.0, V_th=0.02, V_reset=0.0, tau_syn_ex=0.05))
    for name in esn.models.__all__:
        kind = getattr(esn, name)
        if name != "LinearModel" and hasattr(kind, "kernel"):
            net.population(1, kind())
    silent(net)


def sampled(*, times):
    net = esn.Network()
    cells = net.population(1, esn.LIFDelta(I_e=100.0), name="cells")
    net.record(cells, "V_m", times=times)
    return net


def test_a_sample_at_the_end_of_a_run_is_warned_of_once():
    net = sampled(times=[5.0, 10.0, 15.0])
    with pytest.warns(esn.InputWarning, match="sample of cells at 10 ms, where this run ends.*state()") as caught:
        net.run(10.0)
        assert net.results().traces["cells"].times.tolist() == [5.0]
        net.run(5.0)
    assert len(caught) == 1
    state = net.populations["cells"].state("V_m")[0]
    trace = net.run(1.0).traces["cells"]
    assert trace.times.tolist() == [5.0, 10.0, 15.0] and trace.V_m[0, -1] == state


def test_other_samples_are_not_warned_of():
    net = sampled(times=[5.0, 15.0])
    net.record(net.populations["cells"], "V_m", every=1.0, name="grid")
    with warnings.catch_warnings():
        warnings.simplefilter("error", esn.InputWarning)
        assert net.run(10.0).traces["grid"].times.size == 10
        assert np.array_equal(net.run(10.0).traces["cells"].times, [5.0, 15.0])
