"""Spike trains, traces and results against values counted by hand, and against plain loops."""

import math

import numpy as np
import pytest

from eventsnn.base.errors import InputError
from eventsnn.models import GLIF, MAT2, MihalasNiebur
from eventsnn.results.results import Check, Results
from eventsnn.results.spike_trains import SpikeTrains
from eventsnn.results.traces import Traces, unit


def trains_of(*times: list[float], t_stop: float = 100.0, name: str = "exc") -> SpikeTrains:
    """One list of spike times a neuron."""
    pairs = sorted((time, neuron) for neuron, train in enumerate(times) for time in train)
    return SpikeTrains(
        np.array([time for time, _ in pairs]), np.array([neuron for _, neuron in pairs], dtype=np.int64),
        len(times), 0.0, t_stop, name,
    )  # fmt: skip


@pytest.fixture
def three() -> SpikeTrains:
    return trains_of([10.0, 20.0, 40.0], [], [5.0, 20.0, 35.0, 50.0, 65.0])


@pytest.fixture
def random() -> SpikeTrains:
    rng = np.random.default_rng(7)
    times = np.sort(np.round(rng.uniform(0.0, 200.0, 3000), 1))
    return SpikeTrains(times, rng.integers(0, 40, 3000), 45, 0.0, 200.5, "exc")


def test_counts_trains_and_rate_by_hand(three):
    assert len(three) == 8
    assert three.counts().tolist() == [3, 0, 5]
    assert [train.tolist() for train in three.trains()] == [[10, 20, 40], [], [5, 20, 35, 50, 65]]
    assert three.rate() == 8 / (3 * 0.1)


def test_isi_are_pooled_neuron_after_neuron(three):
    assert three.isi().tolist() == [10, 20, 15, 15, 15, 15]
    assert trains_of([], [1.0, 4.0], [2.0, 7.0], []).isi().tolist() == [3, 5]


def test_cv_by_hand(three):
    # intervals 10 and 20: mean 15, standard deviation 5 with ddof = 0 (7.07 with ddof = 1)
    cv = three.cv()
    assert cv[0] == pytest.approx(1 / 3, rel=1e-15)
    assert math.isnan(cv[1])
    assert cv[2] == 0.0
    assert np.isnan(trains_of([1.0, 2.0], [3.0]).cv()).all()


def test_per_neuron_answers_equal_plain_loops(random):
    pairs = list(zip(random.times.tolist(), random.ids.tolist(), strict=True))
    by_loop = [[time for time, neuron in pairs if neuron == i] for i in range(45)]
    assert [train.tolist() for train in random.trains()] == by_loop
    assert random.counts().tolist() == [len(train) for train in by_loop]
    assert random.isi().tolist() == [d for train in by_loop for d in np.diff(train).tolist()]
    expected = [np.std(np.diff(train)) / np.mean(np.diff(train)) if len(train) > 2 else math.nan for train in by_loop]
    np.testing.assert_allclose(random.cv(), expected, rtol=1e-13)


def test_selection_follows_the_order_given(random):
    chosen = random[[30, 2, 44, 17]]
    assert (chosen.n, chosen.neurons.tolist()) == (4, [30, 2, 44, 17])
    whole = random.trains()
    assert [train.tolist() for train in chosen.trains()] == [whole[i].tolist() for i in (30, 2, 44, 17)]
    assert set(chosen.ids.tolist()) == {30, 2, 17}
    assert np.all(np.diff(chosen.times) >= 0)
    assert chosen.rate() == pytest.approx(chosen.counts().mean() / 0.2005)


def test_every_kind_of_index_and_indexes_of_a_selection(random):
    assert random[3].neurons.tolist() == [3]
    assert random[-1].neurons.tolist() == [44]
    assert random[:4].neurons.tolist() == [0, 1, 2, 3]
    assert random[::20].neurons.tolist() == [0, 20, 40]
    assert random[random.counts() == 0].neurons.tolist() == [40, 41, 42, 43, 44]
    assert random[range(2)].neurons.tolist() == [0, 1]
    assert random[10:20][[5, 0]].neurons.tolist() == [15, 10]
    assert random[10:20][[5, 0]].counts().tolist() == random.counts()[[15, 10]].tolist()
    nobody = random[[]]
    assert (nobody.n, len(nobody)) == (0, 0)
    assert math.isnan(nobody.rate())
    assert (nobody.trains(), nobody.counts().tolist(), nobody.isi().tolist(), nobody.cv().tolist()) == ([], [], [], [])


@pytest.mark.parametrize(
    ("index", "sentence"),
    [
        (45, r"'exc': index 45 is out of range, allowed is 0 to 44"),
        ([1, 99], r"out of range"),
        ([3, 3], r"names a neuron twice"),
        ([-1, 44], r"names a neuron twice"),
        (1.5, r"must be an integer, a slice"),
        ("exc", r"must be an integer, a slice"),
        (np.ones(44, dtype=bool), r"one entry for each of 45 neurons, this one has shape \(44,\)"),
        (True, r"a mask must have"),
        ([[1, 2]], r"must be an integer, a slice"),
    ],
)
def test_wrong_indexes_are_named(random, index, sentence):
    with pytest.raises(InputError, match=sentence):
        random[index]


def test_between_is_half_open(three):
    part = three.between(10.0, 40.0)
    assert part.times.tolist() == [10, 20, 20, 35]
    assert (part.t_start, part.t_stop, part.n) == (10.0, 40.0, 3)
    assert part.rate() == 4 / (3 * 0.03)
    assert three[[2]].between(20.0, 36.0).trains()[0].tolist() == [20, 35]


def test_between_beyond_the_run_keeps_rates_right(three):
    assert three.between(50.0, 1e9).t_stop == 100.0
    assert three.between(50.0, 1e9).rate() == 2 / (3 * 0.05)


@pytest.mark.parametrize("window", [(40.0, 10.0), (10.0, 10.0), (100.0, 200.0), (-5.0, 0.0), (math.nan, 5.0)])
def test_between_refuses_what_is_no_window(three, window):
    with pytest.raises(InputError, match="'exc': between.* is no window within 0.0 to 100.0 ms"):
        three.between(*window)


def test_psth_by_hand():
    trains = trains_of([0.0, 9.9, 10.0], [10.0, 24.9], t_stop=25.0)
    edges, rate = trains.psth(10.0)
    assert edges.tolist() == [0, 10, 20, 25]
    # two neurons; the last bin has half the length
    assert rate.tolist() == [2 / (2 * 0.01), 2 / (2 * 0.01), 1 / (2 * 0.005)]


def test_psth_opens_no_bin_of_no_length():
    assert (3 * 0.1) / 0.1 > 3
    edges, rate = trains_of([0.25], t_stop=3 * 0.1).psth(0.1)
    assert (len(edges), len(rate)) == (4, 3)
    assert rate[-1] == pytest.approx(1 / 1e-4)


def test_psth_holds_every_spike(random):
    edges, rate = random.psth(0.7)
    assert np.sum(rate * np.diff(edges)) * 45 / 1000 == pytest.approx(3000, rel=1e-12)


@pytest.mark.parametrize("width", [0.0, -1.0, math.nan, math.inf])
def test_psth_refuses_a_width(three, width):
    with pytest.raises(InputError, match=f"'exc': psth width is {width} ms"):
        three.psth(width)


def test_silence():
    silent = SpikeTrains(np.zeros(0), np.zeros(0, dtype=np.int64), 5, 0.0, 10.0, "exc")
    assert (len(silent), silent.rate(), silent.counts().tolist(), silent.isi().tolist()) == (0, 0.0, [0] * 5, [])
    assert np.isnan(silent.cv()).all()
    assert silent.psth(5.0)[1].tolist() == [0.0, 0.0]
    no_time = SpikeTrains([], [], 5, 0.0, 0.0, "exc")
    assert math.isnan(no_time.rate())
    assert no_time.psth(1.0)[1].tolist() == []


def test_arrays_are_read_only_and_the_callers_stay_writable(three):
    times = np.array([1.0, 2.0])
    trains = SpikeTrains(times, np.array([0, 0]), 1, 0.0, 5.0, "exc")
    times[0] = 0.5
    for array in (trains.times, trains.ids, trains.neurons, trains.trains()[0], three[[1]].times):
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0
    with pytest.raises(AttributeError):
        trains.n = 3
    with pytest.raises(TypeError):
        iter(trains)


@pytest.mark.parametrize(
    ("times", "ids", "n", "window", "sentence"),
    [
        ([1.0], [0, 1], 2, (0.0, 5.0), "1 times but 2 ids"),
        ([2.0, 1.0], [0, 1], 2, (0.0, 5.0), "must ascend within 0.0 to 5.0"),
        ([1.0, math.nan, 2.0], [0, 1, 1], 2, (0.0, 5.0), "must ascend"),
        ([6.0], [0], 2, (0.0, 5.0), "must ascend within"),
        ([1.0], [2], 2, (0.0, 5.0), "ids run from 2 to 2, allowed is 0 to 1"),
        ([1.0], [-1], 2, (0.0, 5.0), "ids run from -1"),
        ([1.0], [0.5], 2, (0.0, 5.0), "ids must be an array of int64"),
        ([[1.0]], [0], 2, (0.0, 5.0), "times must have 1 dimension, not 2"),
        ([], [], -1, (0.0, 5.0), "n = -1"),
        ([], [], 1, (5.0, 0.0), "the window 5.0 to 0.0"),
        ([], [], 1, (0.0, math.inf), "the window 0.0 to inf"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(times, ids, n, window, sentence):
    with pytest.raises(InputError, match=f"spikes of 'exc'.*{sentence}"):
        SpikeTrains(times, ids, n, *window, "exc")


def test_traces_by_name_and_window():
    traces = Traces([0.0, 0.5, 1.0], [4, 7], {"V_m": [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], "I_syn_ex": np.zeros((2, 3))})
    assert traces.V_m[1].tolist() == [4, 5, 6]
    part = traces.between(0.5, 1.0)
    assert (part.times.tolist(), part.V_m.tolist(), part.ids.tolist()) == ([0.5], [[2.0], [5.0]], [4, 7])
    assert not traces.V_m.flags.writeable
    assert not hasattr(traces, "w")
    with pytest.raises(AttributeError, match="traces hold no 'Vm'; did you mean 'V_m'"):
        traces.Vm  # noqa: B018
    with pytest.raises(AttributeError, match="no 'weight'; known are V_m, I_syn_ex"):
        traces.weight  # noqa: B018
    with pytest.raises(InputError, match="t0 must be less than t1"):
        traces.between(1.0, 0.0)


@pytest.mark.parametrize(
    ("times", "values", "sentence"),
    [
        ([0.0, 1.0], [[1.0, 2.0, 3.0]], r"V_m has shape \(1, 3\), it must be \(ids, samples\) = \(1, 2\)"),
        ([1.0, 0.0], [[1.0, 2.0]], "times must be finite and ascend"),
        ([0.0, math.nan], [[1.0, 2.0]], "times must be finite and ascend"),
        ([0.0, 1.0], [1.0, 2.0], "V_m must have 2 dimensions, not 1"),
    ],
)
def test_traces_that_do_not_fit_are_refused(times, values, sentence):
    with pytest.raises(InputError, match=sentence):
        Traces(times, [3], {"V_m": values})


def test_units_follow_the_names():
    assert [unit(v) for v in ("V_m", "I_syn_ex", "g_in", "tau_m", "weight")] == ["mV", "pA", "nS", "ms", ""]
    units = {"V_m": "mV", "V_th": "mV", "ASC_1": "pA", "dI_syn_in": "pA/ms", "threshold_voltage": "mV"}
    glif = GLIF(level=5)
    assert set(units) <= set(glif.recordables)
    assert {variable: unit(variable) for variable in units} == units
    assert all(unit(variable) for variable in (*glif.recordables, *MihalasNiebur().recordables, *MAT2().recordables))


def test_check_passes_within_its_tolerance_and_never_with_nan():
    assert Check("rate", 37.5, 37.0, 0.5, "NEST").passed is True
    assert not Check("rate", 37.6, 37.0, 0.5, "NEST").passed
    assert not Check("rate", math.nan, 37.0, 0.5, "NEST").passed
    assert not Check("rate", math.inf, 37.0, 0.5, "NEST").passed


def test_results_name_what_is_missing(three):
    results = Results({"exc": three, "inh": three}, {}, 0.0, 100.0, {})
    assert results.spikes["exc"] is three
    assert list(results.spikes) == ["exc", "inh"]
    assert "ex" not in results.spikes
    assert results.spikes.get("ex") is None
    with pytest.raises(InputError, match="results hold no spikes of 'ex'; did you mean 'exc'"):
        results.spikes["ex"]
    with pytest.raises(InputError, match="no spikes of 'thalamus'; known are exc, inh"):
        results.spikes["thalamus"]
    with pytest.raises(InputError, match="no traces of 'exc'; known are none"):
        results.traces["exc"]


def test_tables(three):
    silent = SpikeTrains([], [], 1000, 0.0, 100.0, "silent")
    traces = Traces([0.0], [0], {"V_m": [[1.0]]})
    lines = repr(Results({"exc": three, "silent": silent}, {"exc": traces}, 0.0, 100.0, {})).splitlines()
    assert lines[0] == "Results, 0 to 100 ms"
    assert [line.split() for line in lines[2:4]] == [
        ["exc", "3", "8", "26.67", "0.17"],
        ["silent", "1,000", "0", "0.00", "-"],
    ]
    assert len({len(line) for line in lines[1:4]}) == 1
    assert lines[4] == "exc: Traces(V_m: 1 ids, 1 samples)"
    assert repr(three) == "SpikeTrains('exc': 8 spikes of 3 neurons, 0 to 100 ms, 26.67 Hz)"
