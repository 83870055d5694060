"""The state of neurons as it is now: exact, by closed forms, and reading it changes nothing."""

import math

import numpy as np
import pytest
from event_log import differences, event_log
from random_networks import random_network

import eventsnn as esn

ENGINES = ["compiled", "reference"]


def decaying():
    net = esn.Network()
    cells = net.population(3, esn.LIFDelta(tau_m=20.0, E_L=-65.0, V_th=-50.0), name="cells", V_m=[-60.0, -65.0, -55.0])
    kick = net.population(1, esn.SpikeSource([4.0]), name="kick")
    net.connect(kick, cells[:1], esn.AllToAll(), weight=2.0, delay=1.0)
    return net, cells


@pytest.mark.parametrize("engine", ENGINES)
def test_the_closed_form_by_hand(engine):
    net, cells = decaying()
    assert cells.state("V_m").tolist() == [-60.0, -65.0, -55.0]  # before the first run
    net.run(5.0, engine=engine)
    # What arrives at 5 ms belongs to the next run.
    expected = [-65.0 + 5.0 * math.exp(-0.25), -65.0, -65.0 + 10.0 * math.exp(-0.25)]
    assert cells.state("V_m") == pytest.approx(expected, rel=1e-14)
    net.run(2.0)
    expected[0] = -65.0 + (5.0 * math.exp(-0.25) + 2.0) * math.exp(-0.1)
    assert cells[[2, 0]].state("V_m")[1] == pytest.approx(expected[0], rel=1e-14)
    assert set(cells.state()) == {"V_m"}


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    "model", [esn.LIFExp(), esn.MAT2(), esn.AdEx(), esn.LIFCondAlpha(), esn.Izhikevich(), esn.GLIF()]
)
def test_it_is_what_a_sample_would_have_been(engine, model):
    """A sample just after the last event has the same bits; nothing happens in between."""
    net = esn.Network(seed=2)
    cells = net.population(4, model, name="cells")
    names = list(model.recordables)
    net.record(cells, names, times=[7.0])
    source = net.population(1, esn.SpikeSource([1.0, 3.0]), name="source")
    port = None if model.by_sign is not None else model.ports[0]
    net.connect(source, cells, esn.AllToAll(), weight=[[1.0, 20.0, 3.0, 0.5]], delay=1.0, port=port)
    net.run(until=7.0, engine=engine)
    now = cells.state(*names)
    values = dict(zip(names, now if len(names) > 1 else (now,), strict=True))
    trace = net.run(1.0).traces["cells"]
    for name in names:
        assert values[name].tobytes() == np.ascontiguousarray(getattr(trace, name)[:, 0]).tobytes()


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("seed", range(20))
def test_reading_changes_no_bit(engine, seed):
    expected = event_log(random_network(seed, 20.0, others=True).compile(engine), 20.0)

    class Read:
        """A simulation that is read in the middle of its run."""

        def __init__(self, simulation):
            self.simulation = simulation

        def run(self, until):
            self.simulation.run(until=until / 3)
            for p in self.simulation.plan.populations:
                if p.model is not None:
                    self.simulation.state_of(p.name, p.model.recordables)
            return self.simulation.run(until=until)

        def __getattr__(self, name):
            return getattr(self.simulation, name)

    network = random_network(seed, 20.0, others=True)
    assert differences(expected, event_log(Read(network.compile(engine)), 20.0)) == []


def test_what_cannot_be_read_is_refused():
    net, cells = decaying()
    with pytest.raises(esn.InputError, match="cells: there is no state variable 'Vm'; did you mean 'V_m'"):
        cells.state("Vm")
    with pytest.raises(esn.InputError, match="kick: there is no state variable 'V_m'"):
        net.populations["kick"].state("V_m")
    reading = []
    with pytest.raises(esn.StateError, match="a run of this network is going on"):
        net.run(5.0, progress=lambda status: reading.append(cells.state("V_m")))
