"""Networks whose synapses have a delay each."""

from __future__ import annotations

import eventsnn as esn


def network(model="delta", own=True, storage="stored", grid=None, **options):
    """Balanced, irregular, with dozens of synapses that a row reaches in one window, and a projection of one delay."""
    net = esn.Network(seed=8)
    common = {"E_L": 0.0, "V_th": 10.0, "V_reset": 0.0, "t_ref": 1.0, "C_m": 100.0}
    common["tau_m"] = esn.Uniform(8.0, 12.0) if own else 10.0
    unit = 1.0 if model == "delta" else 40.0
    ports = {"delta": {}, "exp": {"tau_syn_ex": 1.0, "tau_syn_in": 2.0}, "one": {"tau_syn_ex": 1.5, "tau_syn_in": 1.5}}
    lif = (esn.LIFDelta if model == "delta" else esn.LIFExp)(**common, **ports[model])
    state = {"I_e": 130.0, "V_m": esn.Uniform(0.0, 9.0)}
    cells = [net.population(n, lif, name=name, **state) for n, name in ((41, "a"), (22, "b"))]
    delay = esn.Normal(1.5, 0.5, low=0.5, grid=grid) if grid else esn.Uniform(0.5, 2.0)
    options = {"storage": storage, **options}
    options["delay"] = delay
    net.connect(cells[0], cells, esn.FixedOutDegree(60), weight=esn.Normal(0.6 * unit, 0.1 * unit), **options)
    net.connect(cells[1], cells[::-1], esn.FixedOutDegree(50), weight=-1.0 * unit, name="i", **options)
    net.connect(cells[0], cells[1], esn.FixedOutDegree(5), weight=0.3 * unit, delay=1.0, name="one delay")
    net.record(cells[0], "V_m", every=0.7, ids=[0, 7])
    return net
