"""The fingerprint of a run: the same for all that must make no difference, another one for all that does."""

from __future__ import annotations

import hashlib
import pickle

import numpy as np
import pytest
from long_networks import network_of

import eventsnn as esn
from eventsnn.base.errors import StateError
from eventsnn.results.fingerprint import difference

STOP = 50.0


def of(case: str, **options: object) -> str:
    return network_of(case).run(STOP, **options).fingerprint()


@pytest.mark.parametrize("case", ["rows float32", "rows procedural", "rule STDP", "model AdEx", "drive Gamma"])
def test_it_does_not_depend_on_how_a_run_was_done(case, tmp_path):
    expected = of(case)
    assert len(expected) == 64
    assert of(case, threads=3) == of(case, engine="reference") == expected
    pieces = network_of(case)
    for stop in (0.0, 1e-9, 17.3, 17.3, 40.0):
        pieces.run(until=stop)
    results = pieces.run(until=STOP)
    assert results.fingerprint() == expected
    results.save(tmp_path / "saved")
    kept = esn.load(tmp_path / "saved")
    assert kept.fingerprint() == kept.summary["fingerprint"] == expected
    assert pickle.loads(pickle.dumps(results)).fingerprint() == expected


def test_it_does_not_depend_on_how_synapses_are_kept():
    def network(**storage: object) -> str:
        net = esn.Network(seed=3)
        cells = net.population(30, esn.LIFDelta(I_e=420.0), name="cells", V_m=esn.Uniform(-70.0, -56.0))
        net.connect(cells, cells, esn.FixedOutDegree(5), weight=0.5, delay=esn.Uniform(0.5, 3.0), **storage)
        return net.run(STOP).fingerprint()

    assert network() == network(storage="procedural") == network(dtype="float32")  # 0.5 is exact in either


def test_it_is_the_one_that_is_documented():
    """Computed here from the definition, of a source whose state is nothing but the time."""
    net = esn.Network()
    net.population(2, esn.SpikeSource([[1.0], [2.5]]), name="a'b")
    results = net.run(4.0)
    arrays = {
        "spikes \"a'b\" ids": np.array([0, 1]), "spikes \"a'b\" times": np.array([1.0, 2.5]),
        "state": np.frombuffer(results.state().encode(), dtype=np.uint8), "window": np.array([0.0, 4.0]),
    }  # fmt: skip
    sums = [f"{name} {hashlib.sha256(a.dtype.str.encode() + a.tobytes()).hexdigest()}\n" for name, a in arrays.items()]
    assert results.fingerprint() == hashlib.sha256("".join(sums).encode()).hexdigest()


@pytest.mark.parametrize(
    "change", [{"seed": 4}, {"weight": 0.2000001}, {"extra": 1e-12}, {"recorded": False}, {"stop": STOP + 1e-9}]
)
def test_it_depends_on_all_that_was_recorded(change):
    def network(seed: int = 3, weight: float = 0.2, extra: float = 0.0, recorded: bool = True, stop: float = STOP):
        net = esn.Network(seed=seed)
        cells = net.population(10, esn.LIFDelta(), name="cells", V_m=-60.0 + extra)
        net.stimulate(cells, esn.Poisson(5000.0), weight=weight)
        if recorded:
            net.record(cells, "V_m", every=10.0, ids=[2])
        return net.run(stop).fingerprint()

    assert network(**change) != network()


def test_the_state_alone_makes_a_difference():
    """Two networks of which nothing that is recorded differs."""

    def network(V_m: float) -> esn.Results:
        net = esn.Network()
        net.population(1, esn.LIFDelta(), name="cell", V_m=V_m)
        return net.run(1.0)

    one, other = network(-61.0), network(-62.0)
    assert difference(one, other) is None and one.state() != other.state()
    assert one.fingerprint() != other.fingerprint()


def test_it_is_refused_once_the_state_is_gone():
    net = network_of("rows float32")
    first = net.run(10.0)
    net.run(1.0)
    with pytest.raises(StateError, match="the network has gone on since.*ask for it before it goes on"):
        first.fingerprint()
    with pytest.raises(StateError, match="fingerprint"):
        esn.Results({}, {}, 0.0, 1.0, {}).fingerprint()


def test_difference_names_the_first_one():
    def results(times: list[float], ids: list[int], v: list[float]) -> esn.Results:
        trains = esn.SpikeTrains(np.array(times), np.array(ids), 3, 0.0, 9.0, "p")
        traces = {"p": esn.Traces(np.array([1.0, 2.0]), np.array([1]), {"V_m": np.array([v])})}
        return esn.Results({"p": trains}, traces, 0.0, 9.0, {})

    kept = results([1.0, 3.0], [0, 1], [-60.0, -61.0])
    assert difference(kept, results([1.0, 3.0], [0, 1], [-60.0, -61.0])) is None
    assert difference(kept, results([1.0, 3.0], [0, 2], [-60.0, -61.0])) == (
        "spike 1 of p is neuron 1 at 3 ms in the one and neuron 2 at 3 ms in the other"
    )
    assert difference(kept, results([1.0], [0], [-60.0, -61.0])) == (
        "spike 1 of p is neuron 1 at 3 ms in the one and none in the other"
    )
    assert difference(kept, results([1.0, 3.5], [0, 1], [-60.0, -61.5])) == "V_m of p 1 at 2 ms is -61 and -61.5"
