"""Random streams: Philox against published answers, Poisson cells against theory, twin against kernel."""

import hashlib
import itertools
import math
import random

import numpy as np
import pytest
from scipy import stats

import eventsnn as esn
from eventsnn._core.draw import philox
from eventsnn._core.draw.stream import spikes
from eventsnn.base.errors import InputError
from eventsnn.draw import streams
from eventsnn.run.external import spike_times

MEAN, WIDTH = 6.25, 0.3125
ERROR_PROBABILITY = 1e-6  # of each statistical test, were its seed not fixed


each_number_of_lanes = pytest.mark.parametrize(
    "lanes",
    [
        pytest.param(n, marks=pytest.mark.skipif(n > philox.most_lanes(), reason="not on this processor"))
        for n in (1, 4, 8)
    ],
)

KNOWN_ANSWERS = [
    ("00000000 00000000 00000000 00000000", "00000000 00000000", "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
    ("ffffffff ffffffff ffffffff ffffffff", "ffffffff ffffffff", "408f276d 41c83b0e a20bc7c6 6d5451fd"),
    ("243f6a88 85a308d3 13198a2e 03707344", "a4093822 299f31d0", "d16cfe09 94fdcceb 5001e420 24126ea1"),
]


@pytest.mark.parametrize("generator", [philox.philox4x32, streams.philox4x32])
@pytest.mark.parametrize(("counter", "key", "answer"), KNOWN_ANSWERS)
def test_philox_gives_the_known_answers_of_random123(generator, counter, key, answer):
    low, high = (int(word, 16) for word in key.split())
    words = generator(high << 32 | low, *(int(word, 16) for word in counter.split()))
    assert " ".join(f"{word:08x}" for word in words) == answer


@each_number_of_lanes
@pytest.mark.parametrize("place", range(4))
@pytest.mark.parametrize(("counter", "key", "answer"), KNOWN_ANSWERS)
def test_blocks_side_by_side_give_the_known_answers_in_every_place(counter, key, answer, place, lanes):
    low, high = (int(word, 16) for word in key.split())
    *three, last = (int(word, 16) for word in counter.split())
    drawn = philox.eight_uniforms(lanes, high << 32 | low, *three, (last - place) % 2**32)
    digits = answer.replace(" ", "")
    expected = [(int(pair, 16) >> 11) / 2**53 for pair in (digits[:16], digits[16:])]
    assert drawn[2 * place : 2 * place + 2] == expected


def test_twin_gives_the_bits_of_the_kernel():
    draw = random.Random(1)
    for _ in range(300):
        key, stream, cell = draw.getrandbits(64), draw.getrandbits(32), draw.getrandbits(40)
        counter = [draw.getrandbits(32) for _ in range(4)]
        assert streams.philox4x32(key, *counter) == philox.philox4x32(key, *counter)
        width = 2.0 ** draw.randint(-8, 3)
        mean = draw.uniform(4.0, 8.0)
        cell_arguments = (key, stream, cell, mean, math.exp(-mean), cell * width, width)
        assert streams.poisson_cell(*cell_arguments) == philox.poisson_cell_times(*cell_arguments)


@each_number_of_lanes
def test_cells_drawn_at_once_have_the_bits_of_the_twin_whatever_their_count(lanes):
    counts = set()
    for stream in range(1500):
        mean = 7.9 if stream % 2 else 4.0
        start, end = 0.25 * stream, 0.25 * stream + 0.25
        times = philox.cell_at_once(lanes, 7, stream, mean, math.exp(-mean), start, end)
        expected = streams.poisson_cell(7, stream, 0, mean, math.exp(-mean), start, end - start)
        # Which of them are left to the other way is seen as well.
        assert times == (expected if len(expected) < 15 else None)
        counts.add(len(expected))
    assert counts >= set(range(16))


@each_number_of_lanes
def test_equal_times_and_times_that_round_up_to_the_end_of_a_cell(lanes):
    """Four doubles to a cell; what comes too close to the next cell stays in this one."""
    start, end = 2.0**50 + 0.25, 2.0**50 + 1.25
    seen = []
    for stream in range(200):
        times = philox.cell_at_once(lanes, 8, stream, MEAN, math.exp(-MEAN), start, end)
        assert times == streams.poisson_cell(8, stream, 0, MEAN, math.exp(-MEAN), start, end - start)
        seen += times
    assert set(seen) == {start, start + 0.25, start + 0.5, start + 0.75}


@each_number_of_lanes
def test_count_changes_exactly_where_the_uniform_number_reaches_a_cumulative_probability(lanes):
    """The probability of no spike is set to the very number that was drawn, to the one above and to 1."""
    for stream in range(50):
        first = philox.eight_uniforms(lanes, 9, stream, 0, 0, 0)[0]
        above = math.nextafter(first, 1.0)
        assert len(philox.cell_at_once(lanes, 9, stream, 0.0, first, 0.0, 1.0)) == 1
        assert philox.cell_at_once(lanes, 9, stream, 0.0, above, 0.0, 1.0) == []
        assert philox.cell_at_once(lanes, 9, stream, 5.0, 1.0, 0.0, 1.0) == []
        # Of a mean of 1 the first two probabilities are equal, so that their sum is exact.
        if first < 0.99:
            assert len(philox.cell_at_once(lanes, 9, stream, 1.0, first / 2.0, 0.0, 1.0)) == 2
            assert len(philox.cell_at_once(lanes, 9, stream, 1.0, math.nextafter(first, 1.0) / 2.0, 0.0, 1.0)) == 1


def cells(key, n, stream=3):
    arguments = (MEAN, math.exp(-MEAN))
    return [philox.poisson_cell_times(key, stream, cell, *arguments, cell * WIDTH, WIDTH) for cell in range(n)]


def test_counts_of_cells_are_poisson():
    counts = np.array([len(times) for times in cells(11, 20_000)])
    observed = np.bincount(np.minimum(counts, 16), minlength=17)
    expected = stats.poisson.pmf(np.arange(17), MEAN)
    expected[16] = stats.poisson.sf(15, MEAN)
    assert stats.chisquare(observed, expected * len(counts)).pvalue > ERROR_PROBABILITY


def test_intervals_across_cells_are_exponential_and_independent():
    times = np.array(list(itertools.chain.from_iterable(cells(12, 4000))))
    intervals = np.diff(times)
    assert stats.kstest(intervals, stats.expon(scale=WIDTH / MEAN).cdf).pvalue > ERROR_PROBABILITY
    assert stats.spearmanr(intervals[:-1], intervals[1:]).pvalue > ERROR_PROBABILITY


def test_count_and_times_of_a_cell_are_independent():
    drawn = [(len(times), min(times) / WIDTH, max(times) / WIDTH) for times in cells(13, 8000) if times]
    # The smallest of n uniforms has the distribution 1 - (1 - x)^n, the largest x^n.
    assert stats.kstest([1 - (1 - first % 1.0) ** n for n, first, _ in drawn], "uniform").pvalue > ERROR_PROBABILITY
    assert stats.kstest([(last % 1.0) ** n for n, _, last in drawn], "uniform").pvalue > ERROR_PROBABILITY


def test_key_stream_and_both_words_of_the_cell_matter():
    arguments = (MEAN, math.exp(-MEAN), 0.0, WIDTH)
    drawn = [(1, 2, 3), (2, 2, 3), (1 + 2**32, 2, 3), (1, 3, 3), (1, 2, 4), (1, 2, 3 + 2**32)]
    assert len({tuple(philox.poisson_cell_times(*which, *arguments)) for which in drawn}) == len(drawn)


def test_times_stay_inside_a_cell_that_rounding_reduces_to_one_double():
    start, width = 2.0**42, 2.0**-10
    assert start + 0.9 * width == start + width
    for cell in range(50):
        arguments = (5, 0, cell, MEAN, math.exp(-MEAN), start, width)
        times = philox.poisson_cell_times(*arguments)
        assert set(times) <= {start}
        assert times == streams.poisson_cell(*arguments)


def test_count_ends_below_64_even_if_the_probabilities_do_not_sum_to_one():
    mean = math.nextafter(8.0, 0.0)
    longest = 0
    for cell in range(40):
        arguments = (6, 0, cell, mean, 0.5 * math.exp(-mean), 0.0, 1.0)
        times = philox.poisson_cell_times(*arguments)
        assert times == streams.poisson_cell(*arguments)
        longest = max(longest, len(times))
    assert 30 < longest < 64


def test_kernel_refuses_a_mean_that_could_overflow_its_buffer():
    with pytest.raises(InputError, match=r"mean = 8\.0 is not in \[0, 8\)"):
        philox.poisson_cell_times(1, 0, 0, 8.0, math.exp(-8.0), 0.0, 1.0)


def test_stream_key_hashes_length_and_bytes_of_each_part():
    text = b"".join(len(part).to_bytes(8, "little") + part for part in (b"17", "größe".encode(), b"weight"))
    expected = int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "little")
    assert streams.stream_key(17, "größe", "weight") == expected
    assert streams.stream_key(np.int64(17), "größe", "weight") == expected


def test_stream_keys_of_shifted_parts_differ():
    parts = [(1, "ab", "c"), (1, "a", "bc"), (1, "abc", ""), (1, "", "abc"), (11, "", "abc"), (1, "1", "abc")]
    assert len({streams.stream_key(*triple) for triple in parts}) == len(parts)


@pytest.mark.parametrize("rate", [1e-300, 1e-3, 1.0, 3999.999, 4000.0, 7999.999, 8000.0, 20_000.0, 1e300])
def test_cell_width_is_the_power_of_two_that_holds_4_to_8_spikes(rate):
    width = streams.cell_width(rate)
    assert math.frexp(width)[0] == 0.5
    assert 4.0 <= rate / 1000.0 * width < 8.0


@pytest.mark.parametrize("rate", [0.0, -1.0, math.inf, math.nan])
def test_cell_width_refuses_a_rate_without_cells(rate):
    with pytest.raises(InputError, match=f"Poisson: rate = {rate} Hz"):
        streams.cell_width(rate)


# ---- streams as the engine reads them


READ = {
    "sparse": esn.Poisson(50.0),
    "full cells": esn.Poisson(31_900.0),
    "sine": esn.SinusoidalPoisson(9_000.0, 5_000.0, 20.0),
    "intervals": esn.Gamma(2_000.0, 2.0),
    "given": esn.SpikeSource([[0.5, 0.5, 0.5, 2.0, 19.5, 20.0, 39.9, 1e3]]),
}


@pytest.mark.parametrize("name", READ)
def test_spikes_of_a_stream_are_those_of_the_twin(name):
    net = esn.Network(seed=5)
    net.population(1, READ[name], name="source")
    plan = net.compile().plan.streams
    end = 1000.0 if name == "sparse" else 40.0
    train = plan.train_time[int(plan.train_start[0]) : int(plan.train_stop[0])]
    arguments = (int(plan.key[0]), int(plan.index[0]), int(plan.kind[0]), plan.parameter[0], bool(plan.stationary[0]))
    expected = list(itertools.takewhile(lambda t: t < end, spike_times(plan, 0)))
    assert spikes(*arguments, train, end) == expected
