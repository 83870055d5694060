"""What a network needs, by hand; what the system has; that what does not fit is refused before it is allocated."""

import re
import subprocess
import sys
import time
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import eventsnn as esn
from eventsnn.base import memory
from eventsnn.base.errors import InputError
from eventsnn.cli.main import app
from eventsnn.compile.memory import NEURON, ROW, STREAM, bytes_of_synapse, count, expected

GB = 10**9


def network(n=1000):
    net = esn.Network(seed=1)
    return net, net.population(n, esn.LIFDelta(), name="cells")


def refused(action, *words):
    """The sentence of a refusal that takes neither time nor memory."""
    tracemalloc.start()
    began = time.perf_counter()
    try:
        with pytest.raises(InputError) as caught:
            action()
        assert tracemalloc.get_traced_memory()[1] < 50e6 and time.perf_counter() - began < 5.0
    finally:
        tracemalloc.stop()
    for word in words:
        assert word in str(caught.value), str(caught.value)
    return str(caught.value)


# ---- how many synapses, and their bytes


@pytest.mark.parametrize(
    ("rule", "synapses"),
    [
        (esn.OneToOne(), 1000),
        (esn.AllToAll(), 1_000_000),
        (esn.FixedProbability(0.1), 100_000),
        (esn.FixedProbability(0.0), 0),
        (esn.FixedInDegree(30), 30_000),
        (esn.FixedOutDegree(7), 7_000),
        (esn.FixedTotalNumber(1_234), 1_234),
        (esn.Explicit([0, 1, 2], [3, 4, 5]), 3),
    ],
)
def test_expected_synapses(rule, synapses):
    net, cells = network()
    projection = net.connect(cells, cells, rule)
    assert expected(projection, 1000, 1000) == synapses
    assert abs(len(projection.synapses()) - synapses) <= 5 * synapses**0.5 * (type(rule) is esn.FixedProbability)


def test_expected_synapses_of_two_sides():
    assert esn.FixedProbability(0.5).expected(200, 30) == 3000
    assert esn.FixedInDegree(4).expected(200, 30) == 120 and esn.FixedOutDegree(4).expected(200, 30) == 800
    assert esn.Conv2D(np.ones((2, 1, 3, 3)), (5, 5)).expected(25, 18) == 9 * 9 * 2


@pytest.mark.parametrize(
    ("given", "size"),
    [
        (dict(weight=1.0, delay=1.5), 2),
        (dict(weight=esn.Normal(1.0, 0.1)), 2 + 8),
        (dict(weight=esn.Normal(1.0, 0.1), dtype="float32"), 2 + 4),
        (dict(weight=esn.Normal(1.0, 0.1), delay=esn.Uniform(0.5, 3.0)), 2 + 8 + 8),
        (dict(delay=esn.Normal(1.5, 0.75, low=0.1, grid=0.1)), 2),
    ],
)
def test_bytes_of_a_synapse(given, size):
    net, cells = network()
    projection = net.connect(cells, cells, esn.FixedOutDegree(10), **given)
    assert bytes_of_synapse(projection, 10_000, 1000, 1000) == size
    # 2**17 targets lie in two pages: 16 bits do if a row has 32 synapses, else 32 are needed.
    assert bytes_of_synapse(projection, 32 * 1000, 1000, 2**17) == size
    assert bytes_of_synapse(projection, 31 * 1000, 1000, 2**17) == size + 2


def test_a_network_by_hand():
    """1000 neurons, 1000 * 1000 synapses of 10 bytes, 1000 rows, and a stream for each neuron: 10.55 MB."""
    net, cells = network()
    net.connect(cells, cells, esn.AllToAll(), weight=esn.Normal(1.0, 0.1), name="all")
    net.stimulate(cells, esn.Poisson(1.0), weight=1.0)
    needed = 1000 * NEURON + 1000 * 1000 * 10 + 1000 * ROW + 1000 * STREAM
    assert needed == 10_550_000
    net.compile(limit_memory=needed)
    message = refused(lambda: net.compile(limit_memory=needed - 1))
    assert message == (
        "compile: the network needs about 11 MB of memory and 11 MB are available; most of it takes projection all, "
        "1e6 synapses; use storage='procedural' or make fewer, or raise limit_memory (--limit-memory) if there is more"
    )
    assert net.run(1.0, limit_memory=needed).t_stop == 1.0


@pytest.mark.parametrize(("number", "words"), [(0, "0"), (12_500, "12,500"), (1e6, "1e6"), (1.234e12, "1.23e12")])
def test_counts_in_words(number, words):
    assert count(number) == words


@pytest.mark.parametrize(
    ("size", "words"),
    [
        (950, "950 bytes"),
        (1234, "1.2 kB"),
        (23 * GB, "23 GB"),
        (1.2e12, "1.2 TB"),
        (16e16, "160 PB"),
        (1e30, "1e+15 PB"),
    ],
)
def test_amounts_in_words(size, words):
    assert memory.amount(size) == words


PROGRAM = """
import eventsnn as esn
def resident():
    return 1024 * next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM"))
warm = esn.Network()
warm.population(3, esn.LIFDelta())
warm.run(1.0)
net = esn.Network(seed=1)
n = 300_000
before = resident()
{describe}
simulation = net.compile()
print((resident() - before) / n)
"""
MEASURED = [
    ("net.population(n, esn.LIFDelta())", NEURON),
    ("net.population(n, esn.LIFExp())", NEURON),
    ("net.population(n, esn.Poisson(1.0))", NEURON + STREAM),
    ("net.stimulate(net.population(n, esn.LIFDelta()), esn.Poisson(1.0), weight=1.0)", NEURON + STREAM),
    ("p = net.population(n, esn.LIFDelta()); net.connect(p, p[:9], esn.FixedOutDegree(1))", NEURON + ROW + 2),
]


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="resident memory is read from /proc")
@pytest.mark.parametrize(("describe", "counted"), MEASURED)
def test_what_is_counted_is_there(describe, counted):
    """Never more than is taken, and most of it."""
    program = PROGRAM.format(describe=describe)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert 0.98 * counted < float(done.stdout) < 1.6 * counted


# ---- what does not fit


def test_a_billion_neurons_are_refused_before_they_are_made():
    net, cells = network(10**9)
    net.connect(cells[: 8 * 10**8], [cells], esn.FixedInDegree(1000), name="some")
    net.stimulate(cells[10:], esn.Poisson(5.0), weight=0.1)
    net.record(cells, "V_m", every=1.0, ids=[0, 5, -1])
    assert len(cells) == 10**9 and len(cells[::3]) == 333_333_334
    # 290 GB of neurons, 1e12 synapses of 4 bytes, 24 GB of rows and 230 GB of streams
    words = ["needs about 4.5 TB of memory and 10 GB", "projection some, 1e12 synapses", "make fewer"]
    refused(lambda: net.compile(limit_memory=10 * GB), *words)
    refused(lambda: net.run(10.0, limit_memory=10 * GB), *words)


def test_a_bare_population_is_refused():
    net, cells = network(2 * 10**9)
    assert repr(cells) == "<cells: 2000000000 neurons>"
    refused(
        lambda: net.compile(limit_memory=100 * GB),
        "needs about 580 GB of memory and 100 GB are available; most of it takes population cells, 2e9 neurons; make",
    )


def test_what_is_available_is_the_limit_by_itself(monkeypatch):
    monkeypatch.setattr(memory, "available", lambda: 1_000_000)
    net, _ = network(10_000)
    refused(net.compile, "compile: the network needs about 2.9 MB of memory and 1 MB are available")
    refused(lambda: net.run(1.0), "compile: the network needs about 2.9 MB")
    assert net.compile(limit_memory=10e6).run(1.0, limit_memory=1).t_stop == 1.0
    monkeypatch.setattr(memory, "available", lambda: None)
    assert net.compile().run(1.0).t_stop == 1.0


def test_procedural_rows_take_no_synapses():
    net, cells = network(10_000)
    net.connect(cells, cells, esn.FixedOutDegree(5000), storage="procedural")
    net.compile(limit_memory=10_000 * (NEURON + ROW))


@pytest.mark.parametrize("limit", [0, -1, "1 GB", True, float("nan"), float("inf"), [1]])
def test_limits_that_are_none(limit):
    net, _ = network()
    for call in (net.compile, net.run, net.compile().run):
        arguments = () if call == net.compile else (1.0,)
        with pytest.raises(InputError, match=r"limit_memory = .* must be a number of bytes above 0, or None"):
            call(*arguments, limit_memory=limit)


def test_samples_by_hand():
    """100 samples of 3 neurons and 2 variables: 24 bytes a time and 16 a value are 12,000 bytes."""
    net = esn.Network()
    net.record(net.population(5, esn.LIFExp(), name="cells"), ["V_m", "I_syn_ex"], every=1.0, ids=[0, 2, 4])
    simulation = net.compile()
    message = refused(lambda: simulation.run(100.0, limit_memory=11_999))
    assert re.search(
        r"run: what is recorded needs about 12 kB .* takes the trace 'cells', 600 samples; record", message
    )
    assert simulation.time == 0.0
    assert simulation.run(100.0, limit_memory=12_000).traces["cells"].V_m.shape == (3, 100)
    assert simulation.run(100.0, limit_memory=12_000).traces["cells"].V_m.shape == (3, 200)


def test_samples_of_a_run_that_never_ends_are_refused():
    net, cells = network(3)
    net.record(cells, "V_m", every=0.1)
    refused(lambda: net.run(1e12), "the trace 'cells' would hold 30,000,000,000,000 samples")
    refused(
        lambda: net.run(7e7, limit_memory=16 * GB), "needs about 50 GB of memory and 16 GB", "2,100,000,000 samples"
    )
    assert net.run(1.0).traces["cells"].V_m.shape == (3, 10)


@pytest.mark.parametrize("n", ["100000000", "1000000000"])
def test_the_command_line_refuses(n, tmp_path):
    result = CliRunner().invoke(
        app, ["run", "brunel", "--set", f"n={n}", "--limit-memory", "64", "--out", str(tmp_path / "out")]
    )
    assert result.exit_code == 2 and result.stderr.count("\n") == 1
    assert "and 64 GB are available; most of it takes projection exc->exc+inh#0" in result.stderr
    assert not (tmp_path / "out").exists()


# ---- what the system has


@pytest.fixture
def system(tmp_path, monkeypatch):
    """Writes files below folders that stand for /proc and /sys/fs/cgroup."""
    monkeypatch.setattr(memory, "PROC", tmp_path / "proc")
    monkeypatch.setattr(memory, "CGROUPS", tmp_path / "cgroup")

    def write(**files):
        for name, content in files.items():
            path = tmp_path / name.replace("__", "/")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
        return tmp_path

    return write


MEMINFO = "MemTotal: 200 kB\nMemFree: 5 kB\nMemAvailable:    100 kB\n"


def test_available_where_nothing_is_said(system):
    assert memory.available() is None


def test_available_of_the_system(system):
    system(proc__meminfo=MEMINFO)
    assert memory.available() == 102_400


def test_available_in_a_control_group(system):
    folder = system(proc__meminfo=MEMINFO, proc__self__cgroup="0::/job/step\n")
    inner, outer = folder / "cgroup/job/step", folder / "cgroup/job"
    inner.mkdir(parents=True)
    (inner / "memory.max").write_text("max\n")
    (inner / "memory.current").write_text("7000\n")
    assert memory.available() == 102_400
    (outer / "memory.max").write_text("50000\n")
    (outer / "memory.current").write_text("20000\n")
    assert memory.available() == 30_000
    (outer / "memory.stat").write_text("anon 8000\ninactive_file 12000\n")
    assert memory.available() == 42_000
    (inner / "memory.max").write_text("6000\n")
    assert memory.available() == 0


def test_available_in_a_control_group_of_version_1(system):
    folder = system(proc__meminfo=MEMINFO, proc__self__cgroup="5:cpu:/a\n4:memory:/box\n0::/\n")
    group = folder / "cgroup/memory"  # what a container sees at its root, not under its name
    group.mkdir(parents=True)
    (group / "memory.limit_in_bytes").write_text("40000\n")
    (group / "memory.usage_in_bytes").write_text("15000\n")
    (group / "memory.stat").write_text("total_inactive_file 5000\n")
    assert memory.available() == 30_000


# ---- neurons that are a range until somebody asks


def test_neurons_are_the_same_as_those_of_an_array():
    net, cells = network(20)
    ids = np.arange(20)
    keys = [
        slice(3, 9),
        slice(None, None, -3),
        slice(-4, None),
        5,
        -1,
        [1, 1, 7],
        [-1, 0],
        np.array([3], np.uint8),
        ids > 4,
    ]
    for key in keys:
        part = cells[key]
        expected_ids = ids[key if isinstance(key, slice) else np.atleast_1d(key)]
        assert part.ids.tolist() == expected_ids.tolist() and len(part) == len(expected_ids), key
        assert part.ids.dtype == np.int64
        for inner in (slice(1, None), [0], [-1]):
            again = expected_ids[inner]
            assert part[inner].ids.tolist() == again.tolist() and len(part[inner]) == len(again)
    for bad in (20, -21, [3, 20], np.uint64(2**63)):
        with pytest.raises(InputError, match="out of bounds for axis 0 with size 20; it has 20"):
            cells[bad]


def test_neurons_twice_are_refused():
    net, cells = network(20)
    for side in ([cells, cells[3]], [cells[:5], cells[4:8]], cells[[1, 1]], [cells, cells]):
        with pytest.raises(InputError, match="neurons of cells appear twice"):
            net.connect(side, cells, esn.AllToAll())
    net.connect([cells[::2], cells[1::2]], [cells], esn.AllToAll())
