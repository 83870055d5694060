"""States that leave their range, and those that change too fast: both engines end the run alike, at the same time."""

import numpy as np
import pytest
from event_log import Threaded, differences, event_log
from extreme_networks import Limited, TooLong, extreme_network

import eventsnn as esn
from eventsnn._core.solve.neuron import MOST_STEPS

ENGINES = ["compiled", "reference"]
STOP = 6.0
# Of the reference engine: 2,000 steps each.
MOST_CHUNKS = 15


def compare(seed):
    """How the network ends, if both engines, pieces and threads agree; None if the reference takes too long."""
    log = event_log(extreme_network(seed, STOP).compile(), STOP)
    cuts = sorted(np.random.default_rng(seed).uniform(0.0, STOP, 2))
    assert differences(log, event_log(extreme_network(seed, STOP).compile(), *cuts, STOP)) == []
    assert differences(log, event_log(Threaded(extreme_network(seed, STOP).compile(), 3), STOP)) == []
    try:
        reference = event_log(Limited(extreme_network(seed, STOP).compile("reference"), MOST_CHUNKS), STOP)
    except TooLong:
        return None
    assert differences(log, reference) == []
    error = log.get("error", b"runs to its end").decode()
    return next(words for words in ("run away", "steps for", "times within", "rounds", "to its end") if words in error)


def test_engines_agree_on_extreme_networks():
    ends = [compare(seed) for seed in range(60)]
    assert ends.count(None) < 12
    assert ends.count("run away") > 15 and ends.count("to its end") > 10


@pytest.mark.long
@pytest.mark.parametrize("first", range(0, 1_500, 100))
def test_engines_agree_on_many_extreme_networks(first):
    ends = [compare(seed) for seed in range(first, first + 100)]
    assert ends.count(None) < 20


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("until", [2.8, 4.0, 20.0])
def test_a_run_ends_when_its_state_leaves_the_range_not_later(engine, until):
    """An input of -1e7 nS at 2.6 ms, while the neuron is refractory until 4.4 ms; what came before is kept."""
    net = esn.Network(seed=1)
    kick, hit = (net.population(1, esn.SpikeSource([t])) for t in (2.0, 2.5))
    net.population(1, esn.SpikeSource(np.arange(1, 200) / 10.0), name="tick")
    cell = net.population(1, esn.HHTraub(t_ref=2.0), name="cell")
    net.connect(kick, cell, esn.AllToAll(), weight=300.0, delay=0.1)
    net.connect(hit, cell, esn.AllToAll(), weight=-1e7, delay=0.1)
    simulation = net.compile(engine)
    with pytest.raises(esn.RunawayError, match="neuron 0 of cell has run away") as caught:
        simulation.run(until=until)
    assert caught.value.time == 2.6
    results = simulation.results()
    assert results.t_stop == 2.6 and results.spikes["tick"].times[-1] == 2.5
    assert results.spikes["cell"].times == pytest.approx([2.40668621], abs=1e-6)


STIFF = {
    "a": esn.Izhikevich(a=2.0**31), "k_2": esn.Izhikevich(k_2=1e15), "leak_u": esn.Izhikevich(leak_u=2.0**31),
    "g_L": esn.LIFCondExp(g_L=2.0**31), "E_ex": esn.LIFCondExp(E_ex=1e308), "tau_w": esn.AdEx(tau_w=1e-9),
    "tau_syn": esn.AdEx(tau_syn_ex=1e-9), "step": esn.Izhikevich("figure1", step=1e-9),
}  # fmt: skip


@pytest.mark.parametrize("name", STIFF)
def test_stiff_parameters_end_a_run_with_a_name(name):
    """The first such step is found within a fraction of a second; else the engine computes for hours, and hears no
    Ctrl-C while it does."""
    logs = []
    for engine in ENGINES:
        net = esn.Network(seed=1, max_spikes=50)
        cells = net.population(3, STIFF[name], name="cells")
        net.stimulate(cells, esn.Poisson(1_000.0), weight=1.0)
        logs.append(event_log(Limited(net.compile(engine), 200), 0.05))
    assert differences(*logs) == []
    if name in ("a", "k_2", "leak_u", "step"):
        assert f"of cells needs more than {MOST_STEPS:,} steps for 1 ms".encode() in logs[0]["error"]


@pytest.mark.parametrize("engine", ENGINES)
def test_steps_are_counted_from_the_last_event(engine):
    """So many steps a ms as are allowed, for many ms; a hundredth more, and the run ends before its first ms does."""
    net = esn.Network()
    net.population(1, esn.Izhikevich("figure1", step=1.0 / MOST_STEPS), name="cell")
    assert net.compile(engine).run(3.0).t_stop == 3.0
    other = esn.Network()
    other.population(1, esn.Izhikevich("figure1", step=0.99 / MOST_STEPS), name="cell")
    with pytest.raises(esn.RunawayError, match="steps for 1 ms") as caught:
        other.compile(engine).run(3.0)
    assert caught.value.time == pytest.approx(0.99, abs=1e-3)


@pytest.mark.parametrize("name", ["tau_syn_ex", "tau_syn_in"])
@pytest.mark.parametrize("model", [esn.LIFCondExp, esn.LIFCondAlpha])
def test_time_constants_that_take_too_many_steps_are_refused(model, name):
    net = esn.Network()
    net.population(2, model(**{name: [1.0, 1e-4]}), name="cells")
    with pytest.raises(esn.InputError, match=rf"cells: {name} = 0.0001 ms \(neuron 1\) must be at least 0.000244"):
        net.compile()
