"""What the pictures show: the drawn data, labels that say what was left out, and results without a spike."""

import io

import numpy as np
import pytest
from matplotlib.figure import Figure

from eventsnn.base.errors import InputError
from eventsnn.results import plot
from eventsnn.results.results import Results
from eventsnn.results.spike_trains import SpikeTrains
from eventsnn.results.traces import Traces


def random_population(n: int, rate: float, duration: float, name: str) -> SpikeTrains:
    rng = np.random.default_rng(len(name) + n)
    count = int(n * rate * duration / 1000.0)
    times = np.sort(rng.uniform(0.0, duration, count))
    return SpikeTrains(times, rng.integers(0, n, count), n, 0.0, duration, name)


@pytest.fixture
def small() -> Results:
    source = SpikeTrains([5.0, 15.0], [0, 0], 1, 0.0, 20.0, "input")
    chain = SpikeTrains([6.0, 7.0, 16.0], [0, 2, 0], 3, 0.0, 20.0, "chain")
    traces = Traces([0.0, 10.0], [2, 0], {"V_m": [[-70.0, -60.0], [-65.0, -55.0]]})
    return Results({"input": source, "chain": chain}, {"chain": traces}, 0.0, 20.0, {"V_th": {"chain": -50.0}})


@pytest.fixture
def large() -> Results:
    exc, inh = random_population(10_000, 37.0, 500.0, "exc"), random_population(2_500, 37.0, 500.0, "inh")
    return Results({"exc": exc, "inh": inh}, {}, 0.0, 500.0, {})


def axes() -> plot.Axes:
    return Figure().subplots()


def texts(labels) -> list[str]:
    return [label.get_text() for label in labels]


def test_raster_draws_every_spike_of_a_small_network(small):
    panel = axes()
    plot.raster(panel, small)
    drawn = [collection.get_offsets().tolist() for collection in panel.collections]
    assert drawn == [[[5, 0], [15, 0]], [[6, 1], [7, 3], [16, 1]]]
    assert texts(panel.get_yticklabels()) == ["input", "chain 0", "chain 1", "chain 2"]
    assert panel.get_ylabel() == "neurons"
    assert panel.get_xlim() == (0.0, 20.0)
    first, second = panel.collections
    assert first.get_edgecolor().tolist() != second.get_edgecolor().tolist()


def test_raster_of_a_large_network_draws_a_part_and_says_so(large):
    panel = axes()
    plot.raster(panel, large)
    assert panel.get_ylabel() == "400 of 12,500 neurons"
    assert texts(panel.get_yticklabels()) == ["exc\n320 of\n10,000", "inh\n80 of\n2,500"]
    exc, inh = (collection.get_offsets() for collection in panel.collections)
    trains = large.spikes["exc"].trains()
    # neuron 10,000 k / 320 is in row k, with all of its spikes
    for row in (0, 1, 7, 319):
        assert exc[exc[:, 1] == row, 0].tolist() == trains[10_000 * row // 320].tolist()
    assert (inh[:, 1].min(), inh[:, 1].max()) == (320, 399)


def test_a_raster_stays_within_its_points_and_keeps_small_populations_visible():
    wild = Results({"wild": random_population(1000, 500.0, 1000.0, "wild")}, {}, 0.0, 1000.0, {})
    panel = axes()
    plot.raster(panel, wild)
    assert 80_000 < len(panel.collections[0].get_offsets()) < 110_000
    large, small = random_population(20_000, 1.0, 1000.0, "large"), random_population(60, 10.0, 1000.0, "small")
    panel = axes()
    plot.raster(panel, Results({"large": large, "small": small}, {}, 0.0, 1000.0, {}))
    assert panel.get_ylabel() == "448 of 20,060 neurons"
    rows = np.unique(panel.collections[1].get_offsets()[:, 1])
    assert (len(rows), rows[0]) == (50, 398)


def test_a_raster_of_selected_neurons(large):
    panel = axes()
    chosen = large.spikes["exc"][[500, 3, 70]]
    plot.raster(panel, Results({"exc": chosen}, {}, 0.0, 500.0, {}))
    offsets = panel.collections[0].get_offsets()
    assert offsets[offsets[:, 1] == 0, 0].tolist() == chosen.trains()[0].tolist()
    assert texts(panel.get_yticklabels()) == ["exc 500", "exc 3", "exc 70"]


def test_rates_draw_the_psth(large):
    panel = axes()
    plot.rates(panel, large)
    assert panel.get_ylabel() == "rate (Hz)\nin 2 ms bins"
    exc, inh = panel.patches
    edges, rate = large.spikes["inh"].psth(2.0)
    assert inh.get_data().edges.tolist() == edges.tolist()
    assert inh.get_data().values.tolist() == rate.tolist()
    assert exc.get_data().values.mean() == pytest.approx(37.0)
    assert texts(panel.get_legend().get_texts()) == ["exc, mean 37 Hz", "inh, mean 37 Hz"]


def test_rates_in_given_bins_and_in_wide_ones_where_spikes_are_few(small):
    panel = axes()
    plot.rates(panel, small, 10.0)
    assert panel.patches[0].get_data().values.tolist() == [100.0, 100.0]
    panel = axes()
    plot.rates(panel, small)
    assert len(panel.patches[0].get_data().values) == 20
    with pytest.raises(InputError, match="width is 0.0 ms"):
        plot.rates(axes(), small, 0.0)


def test_round_widths():
    assert [plot._round_width(w) for w in (1.0, 1.1, 2.0, 2.1, 5.1, 0.04)] == [1.0, 2.0, 2.0, 5.0, 10.0, 0.05]


def test_traces_draw_the_samples_and_a_mark_per_spike_on_the_threshold(small):
    panels = Figure().subplots(2, 1)
    plot.traces(panels, small.traces["chain"], "V_m", small.spikes["chain"], -50.0)
    for panel, curve, spikes in zip(panels, ([-70, -60], [-65, -55]), ([7.0], [6.0, 16.0]), strict=True):
        assert panel.lines[0].get_xydata().tolist() == [[0.0, curve[0]], [10.0, curve[1]]]
        assert panel.lines[1].get_ydata() == [-50.0, -50.0]
        marks = panel.collections[0].get_segments()
        assert [mark[0].tolist() for mark in marks] == [[time, -50.0] for time in spikes]
        assert all(mark[1][1] > -50.0 for mark in marks)
        assert panel.get_ylim()[1] > marks[0][1][1]


def test_without_a_threshold_marks_stand_on_the_highest_sample(small):
    panel = axes()
    plot.traces([panel], small.traces["chain"], "V_m", small.spikes["chain"])
    assert panel.collections[0].get_segments()[0][0].tolist() == [7.0, -55.0]
    assert len(panel.lines) == 1
    with pytest.raises(AttributeError, match="traces hold no 'w'"):
        plot.traces([panel], small.traces["chain"], "w")


def test_marks_stand_on_the_threshold_even_if_a_sample_lies_above_it(small):
    panel = axes()
    plot.traces([panel], small.traces["chain"], "V_m", small.spikes["chain"], -58.0)
    assert panel.collections[0].get_segments()[0][0].tolist() == [7.0, -58.0]


def test_the_overall_picture(small):
    picture = small.plot()
    raster, rates, first, second = picture.axes
    assert texts(raster.get_yticklabels())[0] == "input"
    assert rates.get_ylabel().startswith("rate (Hz)")
    assert [panel.get_ylabel() for panel in (first, second)] == ["chain 2\nV_m (mV)", "chain 0\nV_m (mV)"]
    assert second.collections[0].get_segments()[1][0].tolist() == [16.0, -50.0]
    assert second.get_xlabel() == "time (ms)"
    assert second.get_xlim() == (0.0, 20.0)
    # a population has one colour throughout
    assert np.allclose(raster.collections[1].get_edgecolor(), second.collections[0].get_edgecolor())


def test_six_traces_at_most_and_some_of_every_population():
    def silent(name: str) -> SpikeTrains:
        return SpikeTrains([], [], 9, 0.0, 1.0, name)

    many = Traces([0.0], range(9), {"V_m": np.zeros((9, 1))})
    currents = Traces([0.0], [0], {"I_syn_ex": np.zeros((1, 1))})
    spikes = {"b": silent("b"), "a": silent("a"), "c": silent("c")}
    picture = Results(spikes, {"b": many, "a": many, "c": currents}, 0.0, 1.0, {}).plot()
    shown = [panel.get_ylabel().split("\n")[0] for panel in picture.axes[2:]]
    assert shown == ["b 0", "b 1", "b 2", "a 0", "a 1", "c 0"]
    assert picture.axes[-1].get_ylabel() == "c 0\nI_syn_ex (pA)"


@pytest.mark.parametrize("duration", [0.0, 100.0])
@pytest.mark.parametrize("populations", [[], [0], [5], [1, 10_000]])
def test_results_without_a_spike(populations, duration):
    spikes = {str(n): SpikeTrains([], [], n, 0.0, duration, str(n)) for n in populations}
    picture = Results(spikes, {}, 0.0, duration, {}).plot()
    picture.savefig(io.BytesIO(), format="png", dpi=30)
    assert texts(picture.axes[0].texts) == ["no spikes"]
    assert picture.axes[0].get_xlim()[1] > 0.0


def test_pictures_leave_pyplot_alone(small):
    pyplot = pytest.importorskip("matplotlib.pyplot")
    before = pyplot.get_fignums()
    small.plot()
    assert pyplot.get_fignums() == before
