"""What benchmarks/microcircuit.py says of spikes whose statistics are known, and that runs in parts can be joined."""

import sys
from pathlib import Path

import numpy as np
import pytest

import eventsnn as esn

sys.path.insert(0, str(Path(__file__).parent.parent / "benchmarks"))

import microcircuit  # noqa: E402

SHORT = ["--scale", "0.01", "--duration", "100", "--dropped", "20"]


def trains_of(times: list[np.ndarray], stop: float) -> esn.SpikeTrains:
    """Neuron k fires at times[k]; the window begins at 500 ms, as after the dropped part."""
    at = np.concatenate(times)
    ids = np.repeat(np.arange(len(times)), [one.size for one in times])
    order = np.argsort(at, kind="stable")
    return esn.SpikeTrains(at[order], ids[order], len(times), 500.0, stop, "cells")


def poisson(n: int, rate: float, seconds: float) -> esn.SpikeTrains:
    rng = np.random.default_rng(1)
    spans = [np.sort(rng.uniform(500.0, 500.0 + 1000.0 * seconds, rng.poisson(rate * seconds))) for _ in range(n)]
    return trains_of(spans, 500.0 + 1000.0 * seconds)


def test_poisson_trains_are_irregular_and_uncorrelated():
    trains = poisson(100, 10.0, 100.0)
    pairs = microcircuit.correlations(trains)
    assert np.mean(trains.cv()) == pytest.approx(1.0, abs=0.01)
    assert pairs.size == 4950
    # Without correlation each coefficient scatters by 1 / sqrt(bins).
    assert abs(pairs.mean()) < 4.0 / np.sqrt(50_000 * pairs.size)
    assert pairs.std() == pytest.approx(1.0 / np.sqrt(50_000), rel=0.05)


def test_a_regular_train_has_a_cv_of_0():
    assert trains_of([np.arange(510.0, 1000.0, 10.0)], 1000.0).cv()[0] == pytest.approx(0.0, abs=1e-12)


def test_correlations_by_hand():
    # In bins of 2 ms: 1 0 1 0, the same, 0 1 0 1, 1 1 0 0, and a neuron that is silent.
    times = [[500.5, 504.0], [501.9, 505.0], [502.0, 507.9], [500.0, 503.0], []]
    found = microcircuit.correlations(trains_of([np.array(one) for one in times], 508.0))
    assert found == pytest.approx([1.0, -1.0, 0.0, -1.0, 0.0, 0.0])


def test_correlations_are_those_of_numpy():
    trains = poisson(20, 30.0, 3.0)
    counts = [np.histogram(train, np.arange(500.0, 3501.0, 2.0))[0] for train in trains.trains()]
    assert microcircuit.correlations(trains) == pytest.approx(np.corrcoef(counts)[np.triu_indices(20, 1)])


def test_a_last_bin_that_is_cut_short_is_left_out():
    times = [np.array([500.5, 506.5]), np.array([502.5, 506.6])]
    assert microcircuit.correlations(trains_of(times, 507.0)) == pytest.approx([-0.5])


def seed_of(number: int, values: np.ndarray) -> microcircuit.Seed:
    names = [population.name for population in microcircuit.POPULATIONS]
    every = {(name, statistic): values for name in names for statistic in microcircuit.STATISTICS}
    return microcircuit.Seed(microcircuit.Performance(number, 1, 0, 1.0, 1.0), every)


def test_distances_by_hand():
    seeds = [seed_of(1, np.array([1.0, 2.0])), seed_of(2, np.array([1.5, 3.0])), seed_of(3, np.empty(0))]
    lines = microcircuit.distances_table(seeds).splitlines()
    assert lines[2].split() == ["L23E", *["0.5000", "0.5000", f"{microcircuit.CHANCE:.4f}"] * 3]
    assert "nan" in microcircuit.distances_table(seeds[1:])


def test_distances_by_chance_are_those_of_random_samples(monkeypatch):
    monkeypatch.setattr(microcircuit, "POPULATIONS", microcircuit.POPULATIONS[:1])
    rng = np.random.default_rng(2)
    seeds = [seed_of(number, rng.normal(size=2000)) for number in range(40)]
    _, mean, _, chance, *_ = microcircuit.distances_table(seeds).splitlines()[2].split()
    assert float(mean) == pytest.approx(float(chance), rel=0.1)


def test_parts_are_joined_as_one_run(tmp_path, capsys):
    def tables(*arguments: object) -> tuple[str, str]:
        microcircuit.main(list(map(str, arguments)))
        return tuple(capsys.readouterr().out.split("Means over seeds", 1))

    whole = tables(*SHORT, "--seeds", 3)
    first, second = tmp_path / "first.npz", tmp_path / "second.npz"
    tables(*SHORT, "--seeds", 2, "--save", first)
    tables(*SHORT, "--seeds", 1, "--first-seed", 3, "--save", second)
    joined = tables("--join", second, first)
    assert joined[1] == whole[1]
    assert joined[0].splitlines()[0] == whole[0].splitlines()[0]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["first.npz", "second.npz"]


def test_files_that_do_not_fit_are_refused(tmp_path):
    first, other = tmp_path / "first.npz", tmp_path / "other.npz"
    microcircuit.save(first, microcircuit.Settings(1.0, 10.0, 5.0, "float64"), [seed_of(1, np.arange(3.0))])
    microcircuit.save(other, microcircuit.Settings(0.1, 10.0, 5.0, "float64"), [seed_of(2, np.arange(3.0))])
    with pytest.raises(SystemExit, match="cannot be joined"):
        microcircuit.join([first, other])
    with pytest.raises(SystemExit, match="seeds must differ"):
        microcircuit.join([first, first])
    with pytest.raises(SystemExit):
        microcircuit.main([*SHORT, "--save", str(first)])
