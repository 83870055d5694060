"""The integers of the compiled engine are Python's, of any size that a state may have."""

from __future__ import annotations

import math

from hypothesis import example, given
from hypothesis import strategies as st

from eventsnn._core.solve import integers
from eventsnn.solve import frames

# Sizes are spread over all powers of two, most of them beyond 64 bits.
sizes = st.integers(0, 124).flatmap(lambda bits: st.integers(-(2**bits), 2**bits))
doubles = st.builds(math.ldexp, st.floats(-1.0, 1.0), st.integers(0, 130))
kept = st.floats(2.0**-10, 0.5)


@given(doubles)
@example(-4734568980499850240.0)  # the nearest double to its distance from -2^64 is another
@example(2.0**62)
@example(-(2.0**63))
@example(2.0**64)
@example(0.5)
@example(1.5)
@example(-2.5)
@example(1e39)
@example(-1e300)
@example(math.inf)
def test_the_nearest_integer(value):
    assert integers.nearest(value) == frames.nearest(value)


@given(sizes)
@example(2**63 - 1)
@example(-(2**63))
@example(2**64 - 2**10)
@example(2**64 + 2**11)
@example(-(2**64) - 2**11)
@example(-(2**64) - 2**11 - 1)
def test_the_nearest_double(value):
    assert integers.double_of(value) == float(value)


@given(sizes, kept, st.integers(0, 50))
def test_frames_later(value, kept, count):
    assert integers.later(value, kept, count) == frames.later(value, kept, float(count))


def test_nothing_is_left_after_many_frames():
    assert integers.later(2**124, 0.37, 200.0) == integers.later(-(2**124), 0.37, 200.0) == 0


@given(st.lists(st.one_of(sizes, st.sampled_from([-frames.LIMIT, frames.LIMIT])), max_size=40))
def test_sums_are_limited_whatever_their_order(values):
    expected = frames.limited(sum(values))
    assert integers.total(values) == integers.total(sorted(values)) == integers.total(values[::-1]) == expected
