"""storage="procedural": the same synapses and spikes as stored ones, in little memory, and what is not offered."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from event_log import differences, event_log

import eventsnn as esn

RULES = [
    esn.AllToAll(autapses=False),
    esn.OneToOne(),
    esn.FixedOutDegree(60),
    esn.FixedOutDegree(60, autapses=False),
    esn.FixedOutDegree(90, multapses=False),
    esn.FixedOutDegree(119, autapses=False, multapses=False),
    esn.FixedProbability(0.2, autapses=False),
    esn.FixedProbability(0.003),  # most rows are empty
]
WEIGHTS = [0.7, esn.Normal(0.0, 1.0), esn.LogNormal(-1.0, 0.5)]
DELAYS = [1.0, esn.Uniform(0.5, 3.0), esn.Normal(1.5, 0.75, low=0.1, grid=0.1), esn.Exponential(2.0)]


def network(rule, weight, delay, storage, dtype="float64"):
    """120 neurons of which the last is the first on the postsynaptic side, driven by noise."""
    net = esn.Network(seed=3)
    cells = net.population(120, esn.LIFDelta(tau_m=10.0), name="cells", I_e=320.0, V_m=esn.Uniform(-70.0, -50.0))
    options = {"name": "p", "weight": weight, "delay": delay, "dtype": dtype, "storage": storage}
    net.connect(cells, [cells[[119]], cells[:119]], rule, **options)
    net.stimulate(cells, esn.Poisson(500.0), weight=0.5)
    return net


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("weight", WEIGHTS)
@pytest.mark.parametrize("delay", DELAYS)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_a_row_drawn_anew_is_the_stored_one(rule, weight, delay, dtype):
    stored, drawn = (
        network(rule, weight, delay, storage, dtype).compile().plan.projections[0]
        for storage in ("stored", "procedural")
    )
    assert stored.n_synapses == drawn.n_synapses
    for row in range(120):
        for one, other in zip(stored.row(row), drawn.row(row), strict=True):
            assert one.dtype == other.dtype and np.array_equal(one, other)


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("delay", DELAYS)
def test_spikes_are_those_of_the_stored_network(rule, delay):
    """In one run and in pieces, which end between the slices of a row."""
    stored = event_log(network(rule, WEIGHTS[1], delay, "stored").compile(), 40.0)
    assert differences(stored, event_log(network(rule, WEIGHTS[1], delay, "procedural").compile(), 40.0)) == []
    net = network(rule, WEIGHTS[1], delay, "procedural")
    pieces = [net.run(until=t, keep="new").spikes["cells"].times for t in np.arange(0.7, 40.5, 0.7)]
    times = np.concatenate(pieces)
    whole = network(rule, WEIGHTS[1], delay, "stored").run(until=np.arange(0.7, 40.5, 0.7)[-1]).spikes["cells"].times
    assert np.array_equal(times, whole) and times.size > 100


@pytest.mark.parametrize("delay", [0.0, 1.0, esn.Uniform(0.0, 1.5)])
def test_the_reference_runs_a_procedural_network_alike(delay):
    logs = [
        event_log(network(esn.FixedOutDegree(12), 0.3, delay, "procedural").compile(engine=engine), 15.0)
        for engine in ("compiled", "reference")
    ]
    assert differences(*logs) == []


def test_a_run_away_of_procedural_rows_fails_at_the_same_neuron():
    def fail(storage):
        net = network(esn.FixedOutDegree(30), 50.0, esn.Uniform(0.0, 1e-300), storage)
        net.populations["cells"].set(t_ref=0.0)
        net.max_spikes = 1_000
        with pytest.raises(esn.RunawayError) as error:
            net.run(50.0)
        return str(error.value)

    assert fail("stored") == fail("procedural")


def test_synapses_of_a_procedural_projection_can_be_read():
    net = network(RULES[4], WEIGHTS[1], DELAYS[1], "procedural")
    before = net.projections["p"].get("weight")
    net.run(1.0)
    stored = network(RULES[4], WEIGHTS[1], DELAYS[1], "stored").projections["p"].get("weight")
    assert np.array_equal(before, stored) and np.array_equal(net.projections["p"].get("weight"), stored)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            {"rule": esn.FixedInDegree(3)},
            "p: storage='procedural' draws rows .* FixedInDegree draws columns; use Fixed",
        ),
        ({"rule": esn.FixedTotalNumber(3)}, "but FixedTotalNumber draws pairs from all rows; use FixedOut"),
        ({"rule": esn.Explicit([0], [1])}, "but Explicit is a list of pairs; .* or storage='stored'"),
        ({"weight": np.ones((120, 60))}, "p: weight is an array .*procedural.* does not keep; give a number"),
        ({"delay": np.ones((120, 60))}, "p: delay is an array with a value for each synapse"),
        ({"delay": -1.0}, "p: delay = -1 ms must be finite and not negative"),
        (
            {"delay": esn.Normal(1.5, 0.5)},
            r"p: delay: Normal.* may draw -5 to 8 ms; .* must be .* not negative; set low",
        ),
        ({"weight": esn.LogNormal(0.0, 100.0)}, "p: weight: LogNormal.* may draw 0 to inf mV or pA; .* must be finite"),
        (
            {"weight": esn.Normal(0.0, 1.0, outside="error", low=-9.0)},
            "p: weight with storage='proc.* looks at all draws",
        ),
        ({"weight": esn.Normal(0.0, 1.0, low=4.0)}, "p: weight with .*less than 1 % of draws.*widen it or use"),
        ({"weight": 1e39, "dtype": "float32"}, r"p: weight = 1e\+39 is too large for dtype 'float32'"),
        ({"storage": "disk"}, "p: storage = 'disk' is not known; known are stored, procedural"),
        ({"storage": 1}, "p: storage = 1 is not known"),
    ],
)
def test_what_cannot_be_drawn_anew_is_refused(change, words):
    given = {"rule": esn.FixedOutDegree(60), "weight": 1.0, "delay": 1.0, "storage": "procedural"} | change
    with pytest.raises(esn.InputError, match=words):
        network(**given).compile()


def test_weights_that_are_not_kept_cannot_be_recorded():
    net = network(esn.FixedOutDegree(3), 1.0, 1.0, "procedural")
    net.record(net.projections["p"], "weight", every=1.0)
    with pytest.raises(
        esn.InputError, match="record: p keeps no weights with storage='procedural'; use storage='stored'"
    ):
        net.run(1.0)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="resident memory is read from /proc")
@pytest.mark.parametrize("delay", ["1.5", "esn.Uniform(1.0, 2.0)"])
def test_a_thousand_million_synapses_fit_in_one_gigabyte(delay, tmp_path):
    """A million neurons of out-degree 1,000, of which a hundred fire: all there is in memory, to the end of the run."""
    program = f"""
import eventsnn as esn
net = esn.Network(seed=1)
cells = net.population(1_000_000, esn.LIFDelta())
source = net.population(100, esn.SpikeSource([0.5]))
rule, weight = esn.FixedOutDegree(1_000), esn.Normal(0.1, 0.01)
net.connect(cells, cells, rule, weight=weight, delay={delay}, storage="procedural")
net.connect(source, cells[:100], esn.OneToOne(), weight=30.0)
results = net.run(5.0)
assert len(results.spikes["LIFDelta#0"]) == 100 and results.summary["synapses"] == 1_000_000_100
assert results.summary["synaptic_events"] == 100_100
print(1024 * next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM")))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert int(done.stdout) < 1e9
