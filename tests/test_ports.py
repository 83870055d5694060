"""Which weights a port takes: signs choose a port and mean nothing else for conductances; sizes have an end."""

import numpy as np
import pytest

import eventsnn as esn

CONDUCTANCES = [esn.LIFCondExp, esn.LIFCondAlpha, esn.EIF, esn.AdEx, esn.HHTraub]


def described(model=None):
    net = esn.Network(seed=1)
    cells = net.population(20, model or esn.LIFCondExp(), name="cells")
    return net, cells, net.population(20, esn.SpikeSource([1.0]), name="source")


@pytest.mark.parametrize("port", ["ex", "in"])
@pytest.mark.parametrize("kind", CONDUCTANCES)
def test_a_named_port_of_conductances_takes_no_sign(kind, port):
    words = rf"= -3.* must not be negative at port '{port}' of conductances; leave port= out"
    array = np.ones(20)
    array[7] = -3.0
    for weight in (-3.0, array, esn.Uniform(-3.0, -3.0)):
        net, cells, source = described(kind())
        wires = net.connect(source, cells, esn.OneToOne(), weight=weight, port=port, name="wires")
        with pytest.raises(esn.InputError, match="wires: weight " + words):
            net.compile()
        with pytest.raises(esn.InputError, match="wires: weight " + words):
            wires.synapses()
        net, cells, source = described(kind())
        net.stimulate(cells, esn.Poisson(100.0), weight=weight, port=port, name="noise")
        with pytest.raises(esn.InputError, match="noise: weight " + words):
            net.compile()


def test_drawn_weights_and_those_set_later():
    net, cells, source = described()
    wires = net.connect(source, cells, esn.AllToAll(), weight=esn.Normal(1.0, 1.0), port="in", name="wires")
    with pytest.raises(esn.InputError, match="wires: weight = -.* must not be negative at port 'in'"):
        net.compile()
    wires.set(weight=esn.Normal(1.0, 1.0, low=0.0))
    net.run(2.0)
    with pytest.raises(esn.InputError, match="wires: weight = -1 .* must not be negative at port 'in'"):
        wires.set(weight=-1.0)
    assert wires.get("weight").min() >= 0.0
    net, cells, source = described()
    net.connect(source, cells, esn.AllToAll(), weight=esn.Normal(1.0, 1.0), port="in", storage="procedural")
    with pytest.raises(esn.InputError, match="may draw -.* must not be negative at port 'in'.*; set low and high"):
        net.compile()


@pytest.mark.parametrize("engine", ["compiled", "reference"])
def test_a_named_port_of_currents_takes_the_weight_as_it_is(engine):
    net, cells, source = described(esn.LIFExp())
    net.connect(source, cells, esn.OneToOne(), weight=100.0, port="in")
    net.connect(source, cells, esn.OneToOne(), weight=-30.0, port="ex")
    net.record(cells, ["I_syn_ex", "I_syn_in"], times=[2.0])
    trace = net.run(3.0, engine=engine).traces["cells"]
    assert (trace.I_syn_in[0, 0], trace.I_syn_ex[0, 0]) == pytest.approx((100.0, -30.0))


@pytest.mark.parametrize("engine", ["compiled", "reference"])
@pytest.mark.parametrize("kind", [esn.LIFAlpha, esn.IF, esn.GLIF, esn.MAT2, esn.QIF])
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_the_largest_weights_add_to_a_number(engine, kind, sign):
    """Weights of 1.7e308 once made V infinite, and a neuron with an infinite V never fires; larger ones are refused."""
    words = r"weight = .*1\.7e\+308.* must be finite and at most 1e\+150 in size"
    for storage in ("stored", "procedural"):
        net, cells, source = described(kind())
        port = None if kind().by_sign is not None else kind().ports[0]
        wires = net.connect(source, cells, esn.AllToAll(), weight=sign * 1.7e308, port=port, storage=storage)
        with pytest.raises(esn.InputError, match=words):
            net.compile(engine=engine)
        wires.set(weight=sign * 1e150)
        net.record(cells, "V_m", times=[2.5])
        try:
            assert np.isfinite(net.run(3.0, engine=engine).traces["cells"].V_m).all()
        except esn.RunawayError:
            pass
    net, cells, _ = described(kind())
    net.stimulate(cells, esn.Poisson(100.0), weight=sign * 1.7e308, port=port)
    with pytest.raises(esn.InputError, match=words):
        net.compile(engine=engine)
