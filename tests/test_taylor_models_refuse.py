"""What models without a closed form take from users: values, representations, weights."""

import pytest
from small_networks import one

import eventsnn as esn


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (esn.Izhikevich(step=0.0, method="figure1"), r"cell: step = 0 ms must be positive"),
        (esn.Izhikevich(c=30.0), r"cell: c = 30 mV must lie below V_th = 30 mV"),
        (esn.Izhikevich(tolerance=1.0), r"cell: tolerance = 1 mV must lie between 1e-15 and 0.001 mV"),
        (esn.Izhikevich(t_ref=-1.0), r"cell: t_ref = -1 ms must not be negative"),
        (esn.AdEx(C_m=0.0), r"cell: C_m = 0 pF must be positive"),
        (esn.AdEx(tau_w=0.0), r"cell: tau_w = 0 ms must be positive"),
        (esn.AdEx(Delta_T=0.0), r"cell: Delta_T = 0 mV must be positive"),
        (esn.EIF(Delta_T=1.0), r"cell: V_peak = 0 mV lies more than 40 Delta_T above V_th, .*lower V_peak"),
        (esn.LIFCondExp(V_reset=-55.0), r"cell: V_reset = -55 mV must lie below V_th = -55 mV"),
        (esn.LIFCondAlpha(g_L=-1.0), r"cell: g_L = -1 nS must be positive"),
        (esn.HHTraub(t_ref=0.0), r"cell: t_ref = 0 ms must be positive, since V stays above V_th for a while"),
        (esn.QIF(V_th=-70.0), r"cell: V_th = -70 mV must lie above E_L"),
        (esn.QIF(V_reset=1.0), r"cell: V_reset = 1 mV must lie below V_peak = 0 mV"),
        (esn.HHTraub(g_K=-1.0), r"cell: g_K = -1 nS must not be negative"),
    ],
)
def test_values_that_the_equations_cannot_take(model, message):
    with pytest.raises(esn.InputError, match=f"^{message}$"):
        one(model)[0].compile()


def test_unknown_methods_and_negative_conductances_are_refused():
    with pytest.raises(esn.InputError, match="Izhikevich: method = 'figure' is not known; did you mean 'figure1'"):
        esn.Izhikevich("figure")
    with pytest.raises(esn.InputError, match="g_in = -1 nS must not be negative"):
        one(esn.AdEx(), g_in=-1.0)[0].compile()


@pytest.mark.parametrize("text", ["Izhikevich()", "Izhikevich(method='figure1', a=0.1)", "AdEx(b=60.0)", "HHTraub()"])
def test_repr_is_the_call_that_made_the_model(text):
    assert repr(eval(f"esn.{text}")) == text


def test_conductance_weights_are_magnitudes():
    """A negative weight goes to "in" by its size; so does a positive one that is sent there, of either kind."""
    traces = []
    for weight, port in ((-3.0, None), (3.0, "in")):
        for stimulated in (False, True):
            net, cell = one(esn.LIFCondExp(), g_ex=1.0)
            source = esn.SpikeSource([2.0])
            if stimulated:
                net.stimulate(cell, esn.Poisson(rate=1e-9), weight=weight, port=port)
            pre = net.population(1, source, name="pre")
            net.connect(pre, cell, esn.AllToAll(), weight=weight, port=port)
            net.record(cell, ["g_ex", "g_in"], times=[3.0])
            trace = net.run(4.0).traces["cell"]
            traces.append((trace.g_ex[0, 0], trace.g_in[0, 0]))
    assert len(set(traces)) == 1
    assert traces[0][1] == 3.0
