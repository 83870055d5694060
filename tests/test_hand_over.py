"""Results as Neo's, pandas' and Elephant's own objects: values by hand, and what Elephant finds in them."""

import subprocess
import sys
import time

import numpy as np
import pytest

import eventsnn as esn

neo = pytest.importorskip("neo")
pd = pytest.importorskip("pandas")


def by_hand() -> esn.Results:
    exc = esn.SpikeTrains([1.0, 2.5, 4.0], [1, 0, 1], 3, 0.0, 10.0, "exc")
    inh = esn.SpikeTrains([0.5, 7.0], [9, 4], 2, 0.0, 10.0, "inh", [9, 4])
    even = esn.Traces(0.1 * np.arange(4), [0, 2], {"V_m": np.arange(8.0).reshape(2, 4), "own": np.ones((2, 4))})
    uneven = esn.Traces([0.0, 1.0, 3.0], [5], {"I_syn_ex": [[1.0, 2.0, 4.0]], "g_ex": [[0.5, 0.25, 0.125]]})
    return esn.Results({"exc": exc, "inh": inh}, {"exc": even, "inh": uneven}, 0.0, 10.0, {"seed": 7})


def ran() -> esn.Results:
    net = esn.Network(seed=3)
    exc = net.population(20, esn.LIFDelta(), "exc")
    net.stimulate(exc, esn.Poisson(8_000.0), 1.5)
    net.record(exc, "V_m", every=0.1, ids=[0, 1])
    return net.run(1_000.0)


# ---- Neo


def test_spikes_by_hand():
    block = by_hand().to_neo()
    trains = block.segments[0].spiketrains
    assert block.annotations["seed"] == 7 and len(block.segments) == 1
    assert [t.magnitude.tolist() for t in trains] == [[2.5], [1.0, 4.0], [], [0.5], [7.0]]
    named = [(t.annotations["population"], t.annotations["neuron"]) for t in trains]
    assert named == [("exc", 0), ("exc", 1), ("exc", 2), ("inh", 9), ("inh", 4)]
    assert {t.dimensionality.string for t in trains} == {"ms"}
    assert {(float(t.t_start), float(t.t_stop)) for t in trains} == {(0.0, 10.0)}
    channels, times = trains.multiplexed
    assert channels.tolist() == [1, 0, 1, 3, 4] and times.magnitude.tolist() == [1.0, 2.5, 4.0, 0.5, 7.0]


def test_traces_by_hand():
    segment = by_hand().to_neo().segments[0]
    v, own = segment.analogsignals
    assert v.name == "exc V_m" and v.dimensionality.string == "mV" and own.dimensionality.string == "dimensionless"
    assert v.magnitude.tolist() == [[0.0, 4.0], [1.0, 5.0], [2.0, 6.0], [3.0, 7.0]]
    assert v.array_annotations["id"].tolist() == [0, 2]
    assert float(v.sampling_period.rescale("ms")) == pytest.approx(0.1, rel=1e-15) and float(v.t_start) == 0.0
    current, conductance = segment.irregularlysampledsignals
    assert (current.dimensionality.string, conductance.dimensionality.string) == ("pA", "nS")
    assert current.times.magnitude.tolist() == [0.0, 1.0, 3.0] and current.magnitude.tolist() == [[1.0], [2.0], [4.0]]


def test_a_single_sample_no_sample_and_no_spike():
    nothing = esn.SpikeTrains([], [], 2, 0.0, 5.0, "exc")
    traces = {"one": esn.Traces([1.0], [0], {"V_m": [[2.0]]}), "none": esn.Traces([], [0], {"V_m": np.empty((1, 0))})}
    segment = esn.Results({"exc": nothing}, traces, 0.0, 5.0, {}).to_neo().segments[0]
    assert [len(t) for t in segment.spiketrains] == [0, 0]
    assert [s.shape for s in segment.irregularlysampledsignals] == [(1, 1), (0, 1)]
    assert len(esn.Results({}, {}, 0.0, 5.0, {}).to_neo().segments[0].spiketrains) == 0
    assert len(esn.Results({}, {}, 0.0, 5.0, {}).to_dataframe()) == 0


def test_a_run_keeps_its_bits():
    results = ran()
    segment = results.to_neo().segments[0]
    for train, times in zip(segment.spiketrains, results.spikes["exc"].trains(), strict=True):
        assert train.magnitude.tobytes() == times.tobytes()
    v = segment.analogsignals[0]
    assert v.magnitude.tobytes() == np.ascontiguousarray(results.traces["exc"].V_m.T).tobytes()


def test_a_million_spikes_take_no_longer_than_two_seconds():
    draw = np.random.default_rng(1)
    spikes = esn.SpikeTrains(
        np.sort(draw.uniform(0.0, 1e3, 10**6)), draw.integers(0, 1_000, 10**6), 1_000, 0.0, 1e3, "e"
    )
    results = esn.Results({"e": spikes}, {}, 0.0, 1e3, {})
    began = time.process_time()
    trains = results.to_neo().segments[0].spiketrains
    assert sum(map(len, trains)) == len(results.to_dataframe()) == 10**6
    assert time.process_time() - began < 4.0  # of a busy machine; 0.6 s else


# ---- Elephant and Viziphant


def test_elephant_finds_the_same_rates_intervals_and_variation():
    statistics = pytest.importorskip("elephant.statistics")
    results = ran()
    spikes, trains = results.spikes["exc"], results.to_neo().segments[0].spiketrains
    rates = [float(statistics.mean_firing_rate(t).rescale("Hz")) for t in trains]
    assert np.mean(rates) == pytest.approx(spikes.rate(), rel=1e-12) and spikes.rate() > 1.0
    intervals = [statistics.isi(t).magnitude for t in trains]
    assert np.concatenate(intervals).tolist() == spikes.isi().tolist()
    assert [statistics.cv(i) for i in intervals] == pytest.approx(spikes.cv(), rel=1e-12)


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_elephant_finds_the_same_rate_over_time():
    """The mean over neurons in the middle of the run, where its kernel sees no ends, against our own bins."""
    statistics = pytest.importorskip("elephant.statistics")
    kernels = pytest.importorskip("elephant.kernels")
    pq = pytest.importorskip("quantities")
    results = ran()
    trains = list(results.to_neo().segments[0].spiketrains)
    kernel = kernels.GaussianKernel(sigma=5.0 * pq.ms)
    rate = statistics.instantaneous_rate(trains, sampling_period=1.0 * pq.ms, kernel=kernel, pool_spike_trains=True)
    middle = rate.rescale("Hz").magnitude[200:800].mean()
    counted = results.spikes["exc"].psth(10.0)[1][20:80].mean()
    assert middle == pytest.approx(counted, rel=0.01) and counted > 100.0


def test_elephant_bins_them():
    conversion = pytest.importorskip("elephant.conversion")
    pq = pytest.importorskip("quantities")
    binned = conversion.BinnedSpikeTrain(list(by_hand().to_neo().segments[0].spiketrains), bin_size=5 * pq.ms)
    assert binned.to_array().tolist() == [[1, 0], [2, 0], [0, 0], [1, 0], [0, 1]]


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
def test_viziphant_draws_them():
    import matplotlib

    matplotlib.use("Agg")
    rasterplot = pytest.importorskip("viziphant.rasterplot")
    axes = rasterplot.rasterplot(list(by_hand().to_neo().segments[0].spiketrains))
    drawn = np.concatenate([collection.get_offsets() for collection in axes.collections]) if axes.collections else None
    lines = sum(len(line.get_xdata()) for line in axes.lines)
    assert (0 if drawn is None else len(drawn)) + lines >= 5


# ---- pandas


def test_tables_by_hand():
    results = by_hand()
    table = results.to_dataframe()
    assert table.columns.tolist() == ["population", "id", "time"] and table["population"].dtype == "category"
    assert table["population"].tolist() == ["exc"] * 3 + ["inh"] * 2
    assert table["id"].tolist() == [1, 0, 1, 9, 4] and table["time"].tolist() == [1.0, 2.5, 4.0, 0.5, 7.0]
    traces = results.to_dataframe("exc")
    assert traces.columns.tolist() == ["id", "time", "V_m", "own"]
    assert traces["id"].tolist() == [0] * 4 + [2] * 4 and traces["V_m"].tolist() == list(range(8))
    assert traces["time"].tolist() == 2 * (0.1 * np.arange(4)).tolist()


def test_an_unknown_trace_is_a_sentence():
    with pytest.raises(esn.InputError, match="'exx'.*exc"):
        by_hand().to_dataframe("exx")


# ---- without the packages


@pytest.mark.parametrize("call, extra", [("to_neo", "neo"), ("to_dataframe", "pandas")])
def test_a_missing_package_is_named_with_the_command(monkeypatch, call, extra):
    monkeypatch.setitem(sys.modules, extra, None)
    with pytest.raises(esn.InputError, match=rf'{extra} is not installed; pip install "eventsnn\[{extra}\]"'):
        getattr(by_hand(), call)()


def test_import_eventsnn_imports_none_of_them():
    code = "import sys, eventsnn; sys.exit(bool({'neo', 'quantities', 'pandas', 'elephant'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
