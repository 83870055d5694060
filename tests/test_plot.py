"""What the pictures show: the drawn data, labels that say what was left out, and results without a spike."""

import io

import numpy as np
import pytest
from matplotlib.figure import Figure
from pictures import overlapping

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


def test_rates_in_given_bins(small):
    panel = axes()
    plot.rates(panel, small, 10.0)
    assert panel.patches[0].get_data().values.tolist() == [100.0, 100.0]
    with pytest.raises(InputError, match="width is 0.0 ms"):
        plot.rates(axes(), small, 0.0)


@pytest.mark.parametrize(("rate", "width"), [(37.0, 2.0), (4.0, 5.0), (0.4, 50.0)])
def test_bins_follow_the_rate(rate, width):
    """Of two populations with 9,250, 1,000 or 100 spikes each, beside a source with 10,000: five or more in a bin, and
    at most 250 bins."""
    few = random_population(500, rate, 500.0, "a"), random_population(500, rate, 500.0, "bb")
    source = random_population(10, 2000.0, 500.0, "source")
    results = Results({trains.name: trains for trains in (*few, source)}, {}, 0.0, 500.0, {})
    panel = axes()
    plot.rates(panel, results)
    assert panel.get_ylabel() == f"rate (Hz)\nin {width:g} ms bins"


def test_round_widths():
    assert [plot._round_width(w) for w in (1.0, 1.1, 2.0, 2.1, 5.1, 0.04)] == [1.0, 2.0, 2.0, 5.0, 10.0, 0.05]


def test_traces_draw_the_samples_and_the_threshold(small):
    panels = Figure().subplots(2, 1)
    plot.traces(panels, small.traces["chain"], "V_m", small.spikes["chain"], -50.0)
    for panel, curve, spikes in zip(panels, ([-70, -60], [-65, -55]), ([7.0], [6.0, 16.0]), strict=True):
        assert panel.lines[0].get_xydata().tolist() == [[0.0, curve[0]], [10.0, curve[1]]]
        assert panel.lines[1].get_ydata() == [-50.0, -50.0]
        marks = panel.collections[0].get_segments()
        assert [mark[0][0] for mark in marks] == spikes
        assert all(mark[1][1] > -50.0 for mark in marks)
        assert panel.get_ylim()[1] > marks[0][1][1]
    with pytest.raises(AttributeError, match="traces hold no 'w'"):
        plot.traces(panels, small.traces["chain"], "w")


def marks(times, V_m, spikes, V_th=None):
    """Where a trace ends and a mark begins: (ms, mV) of each spike."""
    panel = axes()
    trains = SpikeTrains(spikes, np.zeros(len(spikes), int), 1, 0.0, 10.0, "cell")
    plot.traces([panel], Traces(times, [0], {"V_m": [V_m]}), "V_m", trains, V_th)
    return [tuple(mark[0]) for mark in panel.collections[0].get_segments()]


@pytest.mark.parametrize("V_th", [None, 15.0])
def test_marks_begin_where_the_trace_ends(V_th):
    """Before the reset, at the last sample before the spike; where nothing was sampled before it, at the next."""
    assert marks([0.0, 1.0, 2.0, 3.0], [5.0, 14.0, 0.0, 1.0], [0.0, 1.5, 2.5], V_th) == [(0, 5), (1.5, 14), (2.5, 1)]
    assert marks([1.0], [5.0], [0.5, 2.0], V_th) == [(0.5, 5.0), (2.0, 5.0)]
    assert marks([1.0, 2.0], [np.nan, 3.0], [1.0, 1.5], V_th) == [(1.5, 3.0)]


def test_a_trace_that_shows_its_spike_gets_no_mark():
    """Hodgkin-Huxley neurons cross their threshold and go on; a neuron whose threshold moves is marked."""
    times, V_m = [0.0, 1.0, 2.0, 3.0], [-65.0, -20.0, 40.0, -70.0]
    assert marks(times, V_m, [1.5], 0.0) == []
    assert marks(times, V_m, [1.5]) == [(1.5, 40.0)]


def test_the_overall_picture(small):
    picture = small.plot(bin=10.0)
    raster, rates, first, second = picture.axes
    assert texts(raster.get_yticklabels())[0] == "input"
    assert rates.get_ylabel().startswith("rate (Hz)")
    assert [panel.get_title("left") for panel in (first, second)] == ["chain 2", "chain 0"]
    assert {panel.get_ylabel() for panel in (first, second)} == {"V_m (mV)"}
    assert second.collections[0].get_segments()[1][0].tolist() == [16.0, -55.0]
    assert second.get_xlabel() == "time (ms)"
    assert second.get_xlim() == (0.0, 20.0)
    # a population has one colour throughout
    assert np.allclose(raster.collections[1].get_edgecolor(), second.collections[0].get_edgecolor())


def trace_titles(picture: Figure) -> list[str]:
    return [panel.get_title("left") for panel in picture.axes if panel.get_title("left")]


def test_six_traces_at_most_and_some_of_every_population():
    def silent(name: str) -> SpikeTrains:
        return SpikeTrains([], [], 9, 0.0, 1.0, name)

    many = Traces([0.0], range(9), {"V_m": np.zeros((9, 1))})
    currents = Traces([0.0], [0], {"I_syn_ex": np.zeros((1, 1))})
    spikes = {"b": silent("b"), "a": silent("a"), "c": silent("c")}
    picture = Results(spikes, {"b": many, "a": many, "c": currents}, 0.0, 1.0, {}).plot()
    assert trace_titles(picture) == ["b 0", "b 1", "b 2", "a 0", "a 1", "c 0"]
    assert picture.axes[1].get_title("right") == "6 of 19 traces"
    assert picture.axes[-1].get_ylabel() == "I_syn_ex (pA)"
    fewer = Results(spikes, {"b": many, "a": many, "c": currents}, 0.0, 1.0, {}).plot(traces=2)
    assert trace_titles(fewer) == ["b 0", "a 0"] and fewer.axes[1].get_title("right") == "2 of 19 traces"
    assert trace_titles(Results(spikes, {"c": currents}, 0.0, 1.0, {}).plot(traces=0)) == []
    alone = Results(spikes, {"c": currents}, 0.0, 1.0, {}).plot()
    assert trace_titles(alone) == ["c 0"] and alone.axes[1].get_title("right") == ""


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


# ---- parts of a run, names, colours


def test_a_window_and_some_populations(large):
    raster, rates = large.plot(100.0, 200.0, "inh", bin=10.0, title="part of\nthe run").axes
    assert raster.get_ylabel() == "400 of 2,500 neurons"
    assert raster.get_xlim() == rates.get_xlim() == (100.0, 200.0)
    (drawn,) = raster.collections
    times = drawn.get_offsets()[:, 0]
    assert 100.0 <= times.min() < 101.0 and 199.0 < times.max() < 200.0
    (stairs,) = rates.patches
    assert stairs.get_data().edges.tolist() == [100.0 + 10.0 * k for k in range(11)]
    assert rates.figure.get_suptitle() == "part of the run"


def test_the_end_of_the_run_is_part_of_it(small):
    spikes = {"end": SpikeTrains([20.0], [0], 1, 0.0, 20.0, "end")}
    picture = Results(spikes, {}, 0.0, 20.0, {}).plot(10.0)
    assert picture.axes[0].collections[0].get_offsets().tolist() == [[20.0, 0.0]]
    assert texts(small.plot(t1=6.5).axes[0].texts) == []


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"populations": "chian"}, "results hold no spikes of 'chian'; did you mean 'chain'"),
        ({"populations": []}, r"plot: populations = \[\] must be the name of a population or a list of names"),
        ({"populations": [3]}, r"plot: populations = \[3\] must be"),
        ({"t0": 15.0, "t1": 5.0}, "plot: t0 = 15 ms to t1 = 5 ms is no part of what was simulated, 0 to 20 ms"),
        ({"t0": 20.0}, "plot: t0 = 20 ms to t1 = 20 ms is no part"),
        ({"t1": -1.0}, "plot: t0 = 0 ms to t1 = -1 ms is no part"),
        ({"t0": float("nan")}, "plot: t0 = nan must be a finite number of ms"),
        ({"t1": "late"}, "plot: t1 = 'late' must be a finite number of ms"),
        ({"bin": 0.0}, "plot: bin = 0.0 must be a number of ms above 0"),
        ({"bin": float("nan")}, "plot: bin = nan must be a number of ms above 0"),
        ({"bin": 1e-6}, "plot: bin = 1e-06 ms makes more than 100,000 bins of 20 ms; give a longer one"),
        ({"traces": -1}, "plot: traces = -1 must be a whole number from 0 to 50"),
        ({"traces": 2.5}, "plot: traces = 2.5 must be a whole number"),
        ({"title": 5}, "plot: title = 5 must be a text"),
    ],
)
def test_what_cannot_be_drawn_is_refused(small, arguments, sentence):
    with pytest.raises(InputError, match=sentence):
        small.plot(**arguments)


def test_rates_are_left_out_where_spikes_are_few(small, large):
    assert [panel.get_ylabel() for panel in small.plot(traces=0).axes] == ["neurons"]
    assert len(small.plot(traces=0, bin=5.0).axes) == 2
    assert len(large.plot().axes) == 2 and len(large.plot(0.0, 1.0).axes) == 2


def many_populations(count: int, n: int) -> Results:
    spikes = {name: random_population(n, 100.0, 100.0, name) for name in (f"layer {k}" for k in range(count))}
    return Results(spikes, {}, 0.0, 100.0, {})


@pytest.mark.parametrize("count", [2, 8, 9, 20, 40])
def test_no_colour_comes_twice(count):
    raster, rates = many_populations(count, 20).plot().axes
    colours = {tuple(drawn.get_edgecolor()[0]) for drawn in raster.collections}
    assert len(colours) == len({tuple(drawn.get_edgecolor()) for drawn in rates.patches}) == count
    legend = rates.get_legend()
    assert (legend is not None) == (count <= 8)
    if 8 < count <= 24:
        assert [label.get_color() for label in raster.get_yticklabels()] == plot._colours(count)


@pytest.mark.parametrize("count", [3, 8, 20])
def test_no_text_lies_over_another(count):
    """As with populations of very different sizes, long names and several traces."""
    results = many_populations(count, 2)
    large = random_population(3_000, 20.0, 100.0, "the largest of all populations in this network")
    sampled = Traces(np.arange(100.0), [1105, 1106], {"V_m": np.zeros((2, 100))})
    everything = Results({large.name: large, **results.spikes}, {large.name: sampled}, 0.0, 100.0, {})
    assert overlapping(everything.plot(title="all of it")) == []


def test_texts_that_overlap_would_be_seen():
    picture = Figure()
    picture.text(0.5, 0.5, "one")
    picture.text(0.51, 0.5, "two")
    assert overlapping(picture) == [("two", "one")]


@pytest.mark.parametrize("name", ["$\\frac", "a$b$c", "_hidden", "a\nb", "\ud800", "x" * 300])
def test_odd_names_are_drawn(name):
    results = Results({name: random_population(30, 100.0, 100.0, name)}, {}, 0.0, 100.0, {})
    picture = results.plot(title=name)
    picture.savefig(io.BytesIO(), format="png", dpi=30)
    (label,) = texts(picture.axes[1].get_legend().get_texts())
    assert label.replace("\\$", "$").strip().startswith(name[:3].replace("\n", "?").replace("\ud800", "?"))
    assert len(label) < 50
