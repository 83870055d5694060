"""Silence and refractoriness cost nothing, and a large network is built in seconds. The limits leave room for slow
machines everywhere but where the promise is absolute; benchmarks/speed_floor.py measures."""

import time

import pytest

import eventsnn as esn
from eventsnn.scenarios import brunel


def shortest_run(simulation: esn.Simulation, duration: float, repeats: int = 5) -> float:
    """Seconds; the shortest of a few, since other programs may get in the way of any one."""
    times = []
    for _ in range(repeats):
        began = time.perf_counter()
        simulation.run(duration)
        times.append(time.perf_counter() - began)
    return min(times)


@pytest.mark.parametrize(
    "model, V_m", [(esn.LIFExp(), -70.0), (esn.LIFDelta(t_ref=1e5), -50.0)], ids=["silent", "refractory"]
)
def test_a_million_neurons_that_do_nothing_cost_nothing(model, V_m):
    net = esn.Network()
    net.population(1_000_000, model, name="cells", V_m=V_m)
    simulation = net.compile()
    spikes = simulation.run(1.0).spikes["cells"]
    assert len(spikes) == (1_000_000 if V_m > -55.0 else 0)
    assert shortest_run(simulation, 1_000.0) < 0.010


def test_fifteen_million_synapses_are_built_in_seconds():
    began = time.perf_counter()
    plan = brunel.build().compile().plan
    assert plan.n_synapses == 15_625_000
    assert time.perf_counter() - began < 5.0


@pytest.mark.long
@pytest.mark.parametrize("drive", ["poisson", "dc"])
def test_a_second_of_brunel_takes_less_than_a_minute(drive):
    simulation = brunel.build(drive=drive).compile()
    began = time.process_time()
    results = simulation.run(1_000.0)
    seconds = time.process_time() - began
    rates = [results.spikes[name].between(100.0, 1_000.0).rate() for name in ("exc", "inh")]
    assert abs(0.8 * rates[0] + 0.2 * rates[1] - 38.1) < 0.7
    assert seconds < 60.0
