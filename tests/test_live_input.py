"""Spikes that are pushed while the network lives: results do not depend on how the stream was cut."""

import numpy as np
import pytest
from event_log import differences, event_log, recorded

import eventsnn as esn

ENGINES = ["compiled", "reference"]
STOP = 60.0


def network(times=(), ids=()):
    net = esn.Network(seed=8)
    camera = net.population(25, esn.SpikeSource(list(times), list(ids)), name="camera")
    cells = net.population(25, esn.LIFExp(tau_syn_ex=1.0), name="cells")
    net.connect(camera, cells, esn.FixedProbability(0.3), weight=500.0, delay=0.4)
    net.connect(cells, cells, esn.FixedProbability(0.1), weight=-50.0, delay=1.0)
    net.record(cells, "V_m", every=1.0, ids=[3])
    return net, camera


def stream(seed=1, n=3_000):
    rng = np.random.default_rng(seed)
    return np.sort(np.round(rng.uniform(0.0, STOP, n) * 64.0) / 64.0), rng.integers(0, 25, n)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("cuts", [[20.0], [0.0, 7.25, 7.3, 40.0], list(np.arange(1.0, STOP, 3.0))])
def test_a_stream_in_chunks_is_the_stream(engine, cuts):
    times, ids = stream()
    expected = recorded(network(times, ids)[0].run(STOP, engine=engine))
    net, camera = network()
    for begin, end in zip([0.0, *cuts], [*cuts, STOP], strict=True):
        here = (times >= begin) & (times < end)
        # Half of a chunk, and the other half, which comes before it in part.
        for part in (slice(None, None, 2), slice(1, None, 2)):
            camera.push(times[here][part], ids[here][part])
        if end > begin:
            results = net.run(until=end, engine=engine)
    assert differences(expected, recorded(results)) == []
    assert len(results.spikes["cells"]) > 50


@pytest.mark.parametrize("engine", ENGINES)
def test_what_was_to_come_stays(engine):
    net = esn.Network()
    source = net.population(2, esn.SpikeSource([1.0, 5.0, 9.0]), name="source")  # one list for both
    net.run(5.0, engine=engine)
    source.push([0.5], relative=True)
    source.push([[6.0], [7.0, 8.0]])
    spikes = net.run(until=12.0).spikes["source"]
    assert [train.tolist() for train in spikes.trains()] == [[1.0, 5.0, 5.5, 6.0, 9.0], [1.0, 5.0, 5.5, 7.0, 8.0, 9.0]]
    source.set(times=[[13.0], []])
    source.push([14.0, 14.0], [1, 1])
    assert [t.tolist() for t in net.run(5.0).spikes["source"].between(12.0, 17.0).trains()] == [[13.0], [14.0, 14.0]]
    net.reset()
    assert net.run(20.0).spikes["source"].times.tolist() == [1.0, 1.0, 5.0, 5.0, 9.0, 9.0]


def test_pushed_before_the_first_run_it_is_part_of_the_description():
    net, camera = network([3.0], [2])
    camera.push([1.0, 3.0], [4, 2])
    assert net.run(5.0).spikes["camera"].times.tolist() == [1.0, 3.0, 3.0]
    net.reset()
    assert net.run(5.0).spikes["camera"].ids.tolist() == [4, 2, 2]


def test_what_is_refused_leaves_what_was_to_come():
    net, camera = network([3.0, 8.0], [2, 2])
    poisson = net.population(1, esn.Poisson(5.0), name="noise")
    net.run(5.0)
    for times, ids, sentence in (
        ([4.0], [1], "camera: a spike at 4 ms lies in the past"),
        ([6.0], [25], "camera: .* ids must lie in 0 to 24"),
        ([6.0], None, "camera: times without ids= would be spikes of each of its 25 neurons"),
        ("6", None, "camera: SpikeSource: times = '6'"),
    ):
        with pytest.raises(esn.InputError, match=sentence):
            camera.push(times, ids)
    with pytest.raises(esn.InputError, match=r"noise: Poisson\(rate=5.0\) takes no spikes"):
        poisson.push([6.0])
    assert net.run(5.0).spikes["camera"].times.tolist() == [3.0, 8.0]


def test_engines_agree_on_what_is_pushed():
    times, ids = stream(2)
    logs = []
    for engine in ENGINES:
        net, camera = network()
        camera.push(times[:1000], ids[:1000])
        net.run(until=float(times[999]), engine=engine)
        camera.push(times[1000:], ids[1000:])
        logs.append(event_log(net._simulation, STOP))
    assert differences(*logs) == []
