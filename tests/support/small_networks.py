"""Networks small enough to solve by hand, described in a line or two."""

import eventsnn as esn

# A neuron that an input of 1 mV fires: threshold 1 mV above rest, and no leak to speak of within the times used here.
TRIGGER = {"tau_m": 10.0, "C_m": 10.0, "E_L": 0.0, "V_th": 1.0, "V_reset": 0.0, "t_ref": 0.0}


def delta(net, n=1, name="cells", **changed):
    values = {**TRIGGER, **changed}
    state = {"V_m": values.pop("V_m")} if "V_m" in values else {}
    return net.population(n, esn.LIFDelta(**values), name=name, **state)


def exponential(net, n=1, name="cells", **changed):
    values = {**TRIGGER, "tau_syn_ex": 2.0, "tau_syn_in": 5.0, **changed}
    state = {key: values.pop(key) for key in ("V_m", "I_syn_ex", "I_syn_in") if key in values}
    return net.population(n, esn.LIFExp(**values), name=name, **state)


def spikes_at(net, target, times, weight=1.0, delay=0.0, name=None, **options):
    """Input spikes at these times; with delay 0 they arrive at them."""
    source = net.population(1, esn.SpikeSource(times), name=name)
    return net.connect(source, target, esn.AllToAll(), weight=weight, delay=delay, **options)


def times_of(results, name="cells"):
    return results.spikes[name].times.tolist()


def one(model, **state):
    """A network of one neuron, named cell."""
    net = esn.Network()
    return net, net.population(1, model, name="cell", **state)
