"""Random streams: Philox against published answers, Poisson cells against theory, twin against kernel."""

import hashlib
import itertools
import math
import random

import numpy as np
import pytest
from scipy import stats

from eventsnn import streams
from eventsnn._core import philox
from eventsnn.errors import InputError

MEAN, WIDTH = 6.25, 0.3125
ERROR_PROBABILITY = 1e-6  # of each statistical test, were its seed not fixed


@pytest.mark.parametrize("generator", [philox.philox4x32, streams.philox4x32])
@pytest.mark.parametrize(
    ("counter", "key", "answer"),
    [
        ("00000000 00000000 00000000 00000000", "00000000 00000000", "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
        ("ffffffff ffffffff ffffffff ffffffff", "ffffffff ffffffff", "408f276d 41c83b0e a20bc7c6 6d5451fd"),
        ("243f6a88 85a308d3 13198a2e 03707344", "a4093822 299f31d0", "d16cfe09 94fdcceb 5001e420 24126ea1"),
    ],
)
def test_philox_gives_the_known_answers_of_random123(generator, counter, key, answer):
    low, high = (int(word, 16) for word in key.split())
    words = generator(high << 32 | low, *(int(word, 16) for word in counter.split()))
    assert " ".join(f"{word:08x}" for word in words) == answer


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
