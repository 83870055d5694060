"""Each fast loop over calm neurons by itself, in every kind of lanes, against whole numbers of any size in Python."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from eventsnn._core.draw import philox
from eventsnn._core.run import loops

each_number_of_lanes = pytest.mark.parametrize(
    "lanes",
    [
        pytest.param(n, marks=pytest.mark.skipif(n > philox.most_lanes(), reason="not on this processor"))
        for n in (1, 4, 8)
    ],
)
STATE, ZERO = loops.NUMBERS_OF_A_STATE, loops.ZERO
NEURONS = 61  # no multiple of any number of lanes


def wrapped(number: int) -> int:
    return (number + 2**63) % 2**64 - 2**63


def rounded(value: float) -> int:
    """Half to even."""
    return round(value)


def kept_of(number: int, kept: float) -> int:
    """number * kept, halves up."""
    return (Fraction(number) * Fraction(kept) + Fraction(1, 2)).__floor__()


def states(draw: np.random.Generator) -> np.ndarray:
    state = draw.integers(-(2**55), 2**55, (NEURONS, STATE)) + ZERO
    state[:, 0] = draw.integers(-(2**53), 0, NEURONS)
    return state


# ---- what arrives


@each_number_of_lanes
@pytest.mark.parametrize("kind", ["shared", "float64", "float32"])
@pytest.mark.parametrize("currents", [0, 1, 2])
@pytest.mark.parametrize("width", [np.uint16, np.int32])
def test_what_arrives_is_added_to_each(lanes, kind, currents, width):
    """Some neurons come to their line by it, and one is reached twice."""
    draw = np.random.default_rng(currents + 10 * (kind == "shared"))
    listed_ever = 0
    for n in (1, 7, 8, 9, 40):
        state = states(draw) if currents else draw.integers(-(2**52), 0, NEURONS)
        base = 3
        target = np.sort(draw.integers(0, NEURONS - base, n)).astype(width)
        weight = draw.normal(0.0, 1.0, n).astype("float64" if kind == "shared" else kind)
        factors = [[2.0**51.3, 2.0**50.9], [2.0**52.1] * 2, [-(2.0**51.7), 2.0**49.2]]
        slots = [0, currents - 1]
        expected = state.copy().reshape(NEURONS, -1)
        for i in range(n):
            w = float(weight[0 if kind == "shared" else i])
            of = expected[base + target[i]]
            if not currents:
                of[0] = wrapped(int(of[0]) + rounded(w * factors[1][0]))
                continue
            sign = int(w < 0.0)
            of[0] = wrapped(int(of[0]) + rounded(w * factors[0][sign]) + loops.PADDING)
            of[1] = wrapped(int(of[1]) + rounded(w * factors[1][sign]))
            of[2 + slots[sign]] = wrapped(int(of[2 + slots[sign]]) + rounded(w * factors[2][sign]))
        found = state.reshape(-1).copy()
        listed, largest = loops.added(lanes, target, base, weight, kind == "shared", currents, factors, slots, found)
        assert found.tolist() == expected.reshape(-1).tolist()
        at_line = {i for i in range(n) if (expected[base + target[i]] >= 0).any()}
        # What is in between, where a neuron is reached twice, may list its first synapse or not.
        assert at_line == set(listed.tolist()) or len(set(target)) < n
        assert at_line <= {i for i in range(n) if target[i] in target[listed]}
        assert largest == max(abs(float(w)) for w in weight[: 1 if kind == "shared" else n])
        listed_ever += len(listed)
    assert listed_ever > 0


# ---- the beginning of a block


def exact_highest(state, least, most, external, at_end, slot):
    """Where v is at most, in units of U: as fractions, without the margin."""
    x = [int(number) - ZERO for number in state[2:]]
    up = Fraction(int(state[1]) - ZERO)
    for number, low, high in zip(x, least, most, strict=True):
        up -= number * Fraction(low if number >= 0 else high)
    raised = Fraction(0)
    if external is not None:
        raised = max(raised, int(external[0]) - int(external[1]) * Fraction(at_end[slot]))
    return up + raised


@each_number_of_lanes
@pytest.mark.parametrize("currents", [1, 2])
@pytest.mark.parametrize("slot", [None, 0, 1])
@pytest.mark.parametrize("uneven", [False, True])
def test_d_is_a_bound_of_the_block(lanes, currents, slot, uneven):
    """Not below the exact one, and above it by no more than the margin is for; U and X have their external input."""
    if slot is not None and slot >= currents:
        pytest.skip("no such current")
    draw = np.random.default_rng(currents)
    least, most, at_end, margin = [0.3, 1.1], [0.7, 1.4], [0.5, 1.2], 2.0**-40
    state = states(draw)
    state[:, 2 + currents :] = ZERO
    flag = (draw.random(NEURONS) < 0.1).astype(np.uint8)
    large = 5
    state[large, 1] = ZERO + 2**60
    lows = draw.integers(2**53, 2**56, NEURONS) if uneven else None
    external = draw.integers(-(2**54), 2**54, (2, NEURONS)) if slot is not None else None
    found = state.copy()
    others = loops.begun(
        lanes, currents, least, most, at_end, margin, 2**55, lows, external, slot or 0, found.reshape(-1), flag
    )
    expected = state.copy()
    if external is not None:
        expected[:, 1] += external[0]
        expected[:, 2 + slot] += external[1]
    assert (found[:, 1:] == expected[:, 1:]).all()
    for n in range(NEURONS):
        of = None if external is None else external[:, n]
        exact = exact_highest(state[n], least, most, of, at_end, slot) - (2**55 if lows is None else int(lows[n]))
        if n == large:
            assert found[n, 0] == 0
        else:
            assert exact < int(found[n, 0]) < exact + 2**20
        assert (n in others) == bool(flag[n] or not -(2**61) <= found[n, 0] < 0)


@pytest.mark.parametrize("uneven", [False, True])
@pytest.mark.parametrize("driven", [False, True])
def test_d_without_currents_moves_as_lines_do(uneven, driven):
    draw = np.random.default_rng(3)
    d = draw.integers(-(2**54), 2**52, NEURONS)
    before, now = (draw.integers(2**52, 2**54, NEURONS) for _ in range(2))
    more = draw.integers(-(2**50), 2**50, NEURONS) if driven else None
    expected = d + (before - now if uneven else 77) + (0 if more is None else more)
    others = loops.begun_jumps(77, before if uneven else None, now if uneven else None, more, d)
    assert d.tolist() == expected.tolist()
    assert others.tolist() == np.flatnonzero((expected >= 0) | (expected < -(2**61))).tolist()


@each_number_of_lanes
def test_lowest_lines(lanes):
    """A line that falls is lowest at the block's end; one out of reach is left there."""
    gap = np.array([1.0, -1.0, 0.0, 3e-9, -3e-9, 1e30, -1e30] * 9)
    low = loops.lowest_lines(lanes, gap, 0.0, 2.0**50, 1.5, 2.5, 2.0**-40)
    for value, found in zip(gap.tolist(), low.tolist(), strict=True):
        line = Fraction(value) * 2**50 * Fraction(1.5 if value > 0.0 else 2.5)
        if abs(value) < 1e9:
            assert 1024 <= line - found <= 1026 + abs(line) / 2**39
        else:
            assert found == (2**60 if value > 0.0 else -(2**62))


# ---- frames


@each_number_of_lanes
@pytest.mark.parametrize("of_u", [0.0, 0.1353352832366127])
@pytest.mark.parametrize("of_x", [0.0, 0.36787944117144233, 0.5 - 2.0**-54])
def test_numbers_in_new_frames(lanes, of_u, of_x):
    draw = np.random.default_rng(7)
    state = states(draw)
    state[:8, 1] = ZERO + np.array([0, 1, -1, 2**61, -(2**61), 2**32, -(2**31), 2**62 - 1])
    kept = np.array([0.0, of_u, of_x, 0.0])
    found = state.reshape(-1).copy()
    loops.in_new_frames(lanes, kept, found)
    for before, after in zip(state.tolist(), found.reshape(NEURONS, STATE).tolist(), strict=True):
        for k in range(STATE):
            expected = ZERO + kept_of(before[k] - ZERO, kept[k]) if kept[k] else before[k]
            assert after[k] == expected


@each_number_of_lanes
@pytest.mark.parametrize("uneven", [False, True])
def test_halves_are_rounded_up(lanes, uneven):
    """Of those without a flag, D and all; where kept is 1/2, every other number is half way."""
    d = np.array(list(range(-9, 9)) + [2**60 + 1, -(2**60) - 1, 12345, -12345, 0, 1])
    flag = np.zeros(d.size, dtype=np.uint8)
    flag[3], d[3] = 2, -(2**60)
    line = np.arange(d.size) * 1000 if uneven else np.full(d.size, 2**52)
    for kept in (0.5, 0.1353352832366127):
        found = d.copy()
        loops.jumps_in_new_frames(lanes, kept, line if uneven else None, 2**52, flag, found)
        for n in range(d.size):
            expected = d[n] if flag[n] else kept_of(int(d[n]) + int(line[n]), kept) - int(line[n])
            assert found[n] == expected
