"""Connection rules: exact degrees, uniform choice, ordinals, independence of the sides' sizes, every refusal."""

import itertools

import numpy as np
import pytest
from drawn_rows import draw
from scipy import stats

from eventsnn._core.synapses import connect as kernel
from eventsnn.base.errors import InputError
from eventsnn.describe.rules import (
    AllToAll,
    Explicit,
    FixedInDegree,
    FixedOutDegree,
    FixedProbability,
    FixedTotalNumber,
    OneToOne,
)
from eventsnn.describe.rules.base import Rule
from eventsnn.draw import streams

KEY = 0xFEDCBA9876543210
ERROR_PROBABILITY = 1e-6  # of each statistical test, were its seed not fixed
PRE = np.array([4, 9, 0, 7, 3, 11, 5], dtype=np.int32)  # 4, 0, 7, 3 and 5 are on both sides, at other places
POST = np.array([7, 0, 2, 5, 4, 3], dtype=np.int32)


def test_a_probability_of_minus_zero_is_zero():
    assert repr(FixedProbability(-0.0)) == repr(FixedProbability(0.0))
    assert draw(FixedProbability(-0.0), KEY, PRE, POST, True).target.size == 0


def side(n):
    return np.arange(n, dtype=np.int32)


def pairs_of(rule, pre, post, key=KEY):
    """Indices (pre, post, ordinal) of all synapses, with everything checked that holds for any rule."""
    rows = draw(rule, key, pre, post, True)
    assert isinstance(rule, Rule)
    assert (rows.indptr.dtype, rows.target.dtype, rows.ordinal.dtype) == (np.int64, np.int32, np.int64)
    assert rows.indptr.shape == (len(pre) + 1,) and rows.indptr[0] == 0
    assert rows.indptr[-1] == len(rows.target) == len(rows.ordinal)
    assert np.all(np.diff(rows.indptr) >= 0)
    source = np.repeat(np.arange(len(pre)), np.diff(rows.indptr))
    assert np.all((rows.target >= 0) & (rows.target < len(post)))
    assert np.array_equal(np.lexsort((rows.ordinal, rows.target, source)), np.arange(len(source)))
    bare = draw(rule, key, pre, post, False)
    assert bare.ordinal is None
    assert np.array_equal(bare.indptr, rows.indptr) and np.array_equal(bare.target, rows.target)
    return source, rows.target, rows.ordinal


def in_order(rule, pre, post, key=KEY):
    """Pairs by ordinal, for rules that number their synapses 0, 1, 2, ..."""
    source, target, ordinal = pairs_of(rule, pre, post, key)
    assert np.array_equal(np.sort(ordinal), np.arange(len(ordinal)))
    order = np.argsort(ordinal)
    return source[order], target[order]


def test_one_to_one():
    source, target = in_order(OneToOne(), PRE[:6], POST)
    assert np.array_equal(source, np.arange(6)) and np.array_equal(target, np.arange(6))
    assert OneToOne().shape(6, 6) == (6,)


@pytest.mark.parametrize("rule", [AllToAll(), FixedProbability(1.0)])
def test_all_to_all(rule):
    source, target, ordinal = pairs_of(rule, PRE, POST)
    assert np.array_equal(ordinal, np.arange(42))
    assert np.array_equal(source * 6 + target, ordinal)
    assert AllToAll().shape(7, 6) == (7, 6)


@pytest.mark.parametrize("rule", [AllToAll(autapses=False), FixedProbability(1.0, autapses=False)])
def test_all_to_all_without_autapses_leaves_out_those_pairs_alone(rule):
    source, target, ordinal = pairs_of(rule, PRE, POST)
    assert np.array_equal(source * 6 + target, ordinal)
    assert set(ordinal) == {i * 6 + j for i in range(7) for j in range(6) if PRE[i] != POST[j]}


def test_explicit_keeps_pairs_and_repetitions():
    pre_ids, post_ids = [6, 0, 6, 6, 2], [1, 5, 0, 1, 2]
    source, target = in_order(Explicit(pre_ids, np.array(post_ids, dtype=np.int16)), PRE, POST)
    assert source.tolist() == pre_ids and target.tolist() == post_ids
    assert Explicit(pre_ids, post_ids).shape(7, 6) == (5,)
    assert pairs_of(Explicit([], []), PRE, POST)[0].size == 0


@pytest.mark.parametrize("autapses", [True, False])
@pytest.mark.parametrize("multapses", [True, False])
@pytest.mark.parametrize("degree", [0, 1, 3, 5])
def test_degrees_are_exact_and_ordinals_name_line_and_draw(degree, multapses, autapses):
    source, target = in_order(FixedInDegree(degree, autapses, multapses), PRE, POST)
    assert np.array_equal(target, np.repeat(np.arange(6), degree))
    check_pairs(source, target, autapses, multapses)
    assert FixedInDegree(degree).shape(7, 6) == (6, degree)

    source, target = in_order(FixedOutDegree(degree, autapses, multapses), PRE, POST)
    assert np.array_equal(source, np.repeat(np.arange(7), degree))
    check_pairs(source, target, autapses, multapses)
    assert FixedOutDegree(degree).shape(7, 6) == (7, degree)


@pytest.mark.parametrize("autapses", [True, False])
@pytest.mark.parametrize("multapses", [True, False])
def test_total_number_is_exact(multapses, autapses):
    for n in (0, 1, 20, 37):
        source, target = in_order(FixedTotalNumber(n, autapses, multapses), PRE, POST)
        assert len(source) == n
        check_pairs(source, target, autapses, multapses)
    assert FixedTotalNumber(20).shape(7, 6) == (20,)


def check_pairs(source, target, autapses, multapses):
    if not autapses:
        assert not np.any(PRE[source] == POST[target])
    if not multapses:
        assert len(set(zip(source.tolist(), target.tolist(), strict=True))) == len(source)


def test_full_degree_without_multapses_takes_every_candidate():
    everyone = {(i, j) for i in range(6) for j in range(6) if i != j}
    for rule in (FixedInDegree(5, False, False), FixedOutDegree(5, False, False), FixedTotalNumber(30, False, False)):
        source, target = in_order(rule, side(6), side(6))
        assert set(zip(source.tolist(), target.tolist(), strict=True)) == everyone


def words_of(line):
    for block in range(1000):
        yield from streams.philox4x32(KEY, line, 0, block, 0)


def bounded(words, n):
    """Lemire's method as published, with its condition spelled out for every word."""
    while True:
        product = next(words) * n
        if product % 2**32 >= 2**32 % n:
            return product >> 32


def test_draws_are_those_of_the_written_out_method():
    repeated = in_order(FixedInDegree(9), side(1000), side(20))[0].reshape(20, 9)
    distinct = in_order(FixedInDegree(9, multapses=False), side(1000), side(20))[0].reshape(20, 9)
    for column in range(20):
        words = words_of(column)
        assert repeated[column].tolist() == [bounded(words, 1000) for _ in range(9)]
        words, deck = words_of(column), list(range(1000))
        for k in range(9):
            place = k + bounded(words, 1000 - k)
            deck[k], deck[place] = deck[place], deck[k]
        assert distinct[column].tolist() == deck[:9]


def test_bounded_integers_reject_the_surplus_words():
    n = 2**32 // 3 + 1  # a third of all words are surplus
    lines = kernel.Lines("repeating", KEY, 2, n, np.full(2, -1, dtype=np.int32), 500)
    for line in range(2):
        words = words_of(line)
        assert lines.draw(line).tolist() == [bounded(words, n) for _ in range(500)]
        assert next(words) != next(itertools.islice(words_of(line), 500, None))


@pytest.mark.parametrize("multapses", [True, False])
def test_partners_are_chosen_uniformly(multapses):
    n = 40
    own = np.arange(n)
    for rule in (FixedInDegree(10, False, multapses), FixedOutDegree(10, False, multapses)):
        table = np.zeros((n, n))
        for key in range(200):
            source, target = in_order(rule, side(n), side(n), key)
            np.add.at(table, (source, target), 1)
        assert np.all(table[own, own] == 0)
        # Each of the n (n - 1) pairs is expected 200 * 10 / 39 times; without multapses it varies less.
        expected = 2000 / (n - 1)
        variance = expected * (1 - 1 / (n - 1) if multapses else 1 - 10 / (n - 1))
        statistic = np.sum((table[~np.eye(n, dtype=bool)] - expected) ** 2) / variance
        # The n - 1 counts of a line are exchangeable with a fixed sum: n - 2 degrees of freedom each.
        statistic *= (n - 2) / (n - 1)
        assert stats.chi2.sf(statistic, n * (n - 2)) > ERROR_PROBABILITY
        assert stats.chi2.cdf(statistic, n * (n - 2)) > ERROR_PROBABILITY


def test_every_place_among_distinct_draws_is_uniform():
    rule = FixedInDegree(4, multapses=False)
    source = np.concatenate([in_order(rule, side(5), side(50), key)[0] for key in range(100)])
    for place in source.reshape(-1, 4).T:
        assert stats.chisquare(np.bincount(place, minlength=5)).pvalue > ERROR_PROBABILITY


@pytest.mark.parametrize("multapses", [True, False])
def test_total_number_chooses_pairs_uniformly(multapses):
    rule = FixedTotalNumber(15, autapses=False, multapses=multapses)
    table = np.zeros((7, 6))
    for key in range(3000):
        source, target = in_order(rule, PRE, POST, key)
        np.add.at(table, (source, target), 1)
    allowed = PRE[:, None] != POST[None, :]
    assert np.count_nonzero(allowed) == 37 and not np.any(table[~allowed])
    expected = 45_000 / 37
    variance = expected * (1 - 1 / 37 if multapses else 1 - 15 / 37)
    statistic = np.sum((table[allowed] - expected) ** 2) / variance * (36 / 37)
    assert stats.chi2.sf(statistic, 36) > ERROR_PROBABILITY


@pytest.mark.parametrize("p", [1e-3, 0.1, 0.5, 0.97])
@pytest.mark.parametrize("autapses", [True, False])
def test_probability_accepts_each_pair_independently(p, autapses):
    n_pre, n_post = 300, 200
    rule = FixedProbability(p, autapses)
    source, target, ordinal = pairs_of(rule, side(n_pre), side(n_post))
    assert np.array_equal(ordinal, source * n_post + target)
    assert np.all(np.diff(ordinal) > 0)
    if not autapses:
        assert not np.any(source == target)
    candidates = n_pre * n_post - (0 if autapses else 200)
    assert stats.binomtest(len(source), candidates, p).pvalue > ERROR_PROBABILITY
    for counts, n in ((np.bincount(source, minlength=n_pre), n_post), (np.bincount(target, minlength=n_post), n_pre)):
        statistic = np.sum((counts - n * p) ** 2) / (n * p * (1 - p))
        assert stats.chi2.sf(statistic, len(counts)) > ERROR_PROBABILITY
        assert stats.chi2.cdf(statistic, len(counts)) > ERROR_PROBABILITY
    assert rule.shape(n_pre, n_post) is None


@pytest.mark.parametrize("p", [0.0, 5e-324, 1e-300])
def test_vanishing_probability_gives_no_synapse(p):
    assert pairs_of(FixedProbability(p), side(1000), side(1000))[0].size == 0


@pytest.mark.parametrize("multapses", [True, False])
def test_more_lines_leave_the_earlier_ones_as_they_were(multapses):
    few = in_order(FixedInDegree(8, True, multapses), side(50), side(10))
    more = in_order(FixedInDegree(8, True, multapses), side(50), side(30))
    assert np.array_equal(np.array(more)[:, :80], few)

    few = in_order(FixedOutDegree(8, True, multapses), side(10), side(50))
    more = in_order(FixedOutDegree(8, True, multapses), side(30), side(50))
    assert np.array_equal(np.array(more)[:, :80], few)

    few = in_order(FixedTotalNumber(40, True, multapses), side(10), side(20))
    more = in_order(FixedTotalNumber(90, True, multapses), side(10), side(20))
    assert np.array_equal(np.array(more)[:, :40], few)

    few = np.array(pairs_of(FixedProbability(0.3), side(10), side(50)))
    more = np.array(pairs_of(FixedProbability(0.3), side(30), side(50)))
    assert np.array_equal(more[:, more[0] < 10], few)


def test_keys_and_lines_draw_differently():
    source = in_order(FixedInDegree(20), side(10_000), side(50))[0].reshape(50, 20)
    assert len({tuple(column) for column in source}) == 50
    other = in_order(FixedInDegree(20), side(10_000), side(50), KEY ^ 1)[0].reshape(50, 20)
    assert np.count_nonzero(source == other) < 10  # 0.1 expected


@pytest.mark.parametrize(
    "rule",
    [OneToOne(), AllToAll(), FixedInDegree(0), FixedOutDegree(0), FixedProbability(0.5), FixedTotalNumber(0)],
)
def test_empty_sides_have_no_synapses(rule):
    assert pairs_of(rule, side(0), side(0))[0].size == 0


def test_a_side_without_lines_needs_no_candidates():
    assert pairs_of(FixedInDegree(5), side(0), side(0))[0].size == 0
    assert pairs_of(FixedOutDegree(5), side(0), side(9))[0].size == 0


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: FixedInDegree(-1), "FixedInDegree: indegree = -1 is not an integer from 0"),
        (lambda: FixedInDegree(2.0), "FixedInDegree: indegree = 2.0 is not an integer from 0"),
        (lambda: FixedOutDegree("3"), "FixedOutDegree: outdegree = '3' is not an integer from 0"),
        (lambda: FixedTotalNumber(None), "FixedTotalNumber: n = None is not an integer from 0"),
        (lambda: FixedInDegree(3, autapses=1), "FixedInDegree: autapses = 1 is neither True nor False"),
        (lambda: FixedOutDegree(3, multapses="no"), "FixedOutDegree: multapses = 'no' is neither True nor False"),
        (lambda: AllToAll(autapses=None), "AllToAll: autapses = None is neither True nor False"),
        (lambda: FixedProbability(1.5), "FixedProbability: p = 1.5 is not a probability"),
        (lambda: FixedProbability(-0.1), "FixedProbability: p = -0.1 is not a probability"),
        (lambda: FixedProbability(float("nan")), "FixedProbability: p = nan is not a probability"),
        (lambda: FixedProbability("0.1"), "FixedProbability: p = '0.1' is not a probability"),
        (lambda: Explicit([[0], [1, 2]], [0, 1]), "Explicit: pre_ids holds lists of different lengths"),
        (lambda: FixedInDegree(True), "indegree = True is not an integer"),
        (lambda: FixedProbability(True), "p = True is not a probability"),
        (lambda: Explicit([0, 1], [0]), "Explicit: pre_ids has 2 and post_ids 1 elements"),
        (lambda: Explicit([0.0, 1.0], [0, 1]), "Explicit: pre_ids has 1 dimensions and type float64"),
        (lambda: Explicit([0, 1], [[0, 1]]), "Explicit: post_ids has 2 dimensions and type int"),
    ],
)
def test_unusable_parameters_are_refused_on_construction(make, sentence):
    with pytest.raises(InputError, match=sentence):
        make()


@pytest.mark.parametrize(
    ("rule", "n_pre", "n_post", "sentence"),
    [
        (OneToOne(), 3, 4, "OneToOne: 3 presynaptic and 4 postsynaptic neurons; the sizes must be equal"),
        (FixedInDegree(4, multapses=False), 3, 5, "indegree = 4 with multapses=False needs at least 4 presyn"),
        (FixedInDegree(3, False, False), 3, 5, "3 presynaptic neurons other than the neuron itself, but there are 2"),
        (FixedInDegree(1), 0, 5, "indegree = 1 with multapses=True needs at least 1 .* there are 0"),
        (FixedInDegree(1, autapses=False), 1, 1, "at least 1 presynaptic neurons other than the neuron itself"),
        (FixedOutDegree(6, multapses=False), 3, 5, "FixedOutDegree: outdegree = 6 .* at least 6 postsynaptic neurons"),
        (FixedTotalNumber(1), 0, 5, "FixedTotalNumber: n = 1 .* 0 presynaptic and 5 .*, which form 0 allowed"),
        (FixedTotalNumber(16, multapses=False), 3, 5, "FixedTotalNumber: n = 16 .* which form 15 allowed pairs"),
        (FixedTotalNumber(13, False, False), 3, 5, "FixedTotalNumber: n = 13 .* which form 12 allowed pairs"),
        (FixedTotalNumber(1, autapses=False), 1, 1, "FixedTotalNumber: n = 1 .* which form 0 allowed pairs"),
        (Explicit([0, 3], [0, 1]), 3, 5, r"pre_ids\[1\] = 3 is not an index into the 3 neurons of the presynaptic"),
        (Explicit([0, 2], [-1, 1]), 3, 5, r"post_ids\[0\] = -1 is not an index into the 5 neurons of the post"),
    ],
)
def test_sides_that_do_not_fit_are_refused_in_drawing(rule, n_pre, n_post, sentence):
    with pytest.raises(InputError, match=sentence):
        draw(rule, KEY, side(n_pre), side(n_post), False)
