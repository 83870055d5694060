"""Rules with weights of their own: convolutions against scipy.signal, sparse matrices against their entries."""

import itertools
import subprocess
import sys

import numpy as np
import pytest
from event_log import differences, event_log
from hypothesis import given, settings
from hypothesis import strategies as st
from refusals import refused, table
from scipy import signal, sparse
from small_networks import delta, exponential

import eventsnn as esn

FORMATS = ["bsr", "coo", "csc", "csr", "dia", "dok", "lil"]
KERNEL = [[1.0, 2.0], [3.0, 0.0]]


def connected(rule, n_pre, n_post, **options):
    net = esn.Network(seed=3)
    sides = [net.population(n, esn.LIFDelta(), name=name) for n, name in ((n_pre, "a"), (n_post, "b"))]
    return net.connect(*sides, rule, **options)


def convolution(kernel, shape, stride=1, padding=0, **options):
    rule = esn.Conv2D(kernel, shape, stride, padding)
    return connected(rule, int(np.prod(rule.pre_shape)), int(np.prod(rule.post_shape)), **options)


def dense(projection):
    """The matrix of a projection that connects no pair twice."""
    pre, post, weight = projection.get("pre", "post", "weight")
    matrix = np.zeros([len(side[0]) for side in (projection.pre, projection.post)])
    matrix[pre, post] = weight
    assert len(np.unique(pre * matrix.shape[1] + post)) == pre.size
    return matrix


def plan_of(projection, threads=1):
    (plan,) = projection.network.compile(threads=threads).plan.projections
    return plan.start.tolist(), plan.target.tolist(), plan.weight.tolist(), plan.delay.tolist()


# ---- Conv2D


def test_a_convolution_worked_out_by_hand():
    """Output 0 of a 3 x 3 layer sees inputs 0, 1, 3 and 4; the last element of the kernel is 0 and makes no synapse."""
    projection = convolution(KERNEL, (3, 3))
    assert projection.rule.post_shape == (1, 2, 2)
    seen = {0: (0, 1, 3), 1: (1, 2, 4), 2: (3, 4, 6), 3: (4, 5, 7)}
    expected = sorted((pre, post, k) for post, inputs in seen.items() for k, pre in enumerate(inputs, start=1))
    pre, post, weight = projection.get("pre", "post", "weight")
    assert list(zip(pre, post, weight, strict=True)) == expected


def test_one_spike_makes_the_jumps_of_the_kernel():
    """A spike at the middle of 3 x 3 reaches outputs 0 ... 3 with the kernel from its end, and output 0 just fires."""
    net = esn.Network()
    middle = [[1.0] if i == 4 else [] for i in range(9)]
    layer = net.population(9, esn.SpikeSource(middle), name="layer")
    cells = delta(net, 4, tau_m=8.0)
    net.connect(layer, cells, esn.Conv2D([[1.0, 2.0], [3.0, 4.0]], shape=(3, 3)), weight=0.25, delay=1.5)
    net.record(cells, "V_m", times=[2.4, 4.5])
    results = net.run(5.0)
    assert results.spikes["cells"].times.tolist() == [2.5] and results.spikes["cells"].ids.tolist() == [0]
    V_m = results.traces["cells"].V_m
    assert V_m[:, 0].tolist() == [0.0] * 4
    assert V_m[:, 1] == pytest.approx(np.array([0.0, 0.75, 0.5, 0.25]) * np.exp(-2.0 / 8.0), rel=1e-14)


def pairs(low, high):
    return st.tuples(st.integers(low, high), st.integers(low, high))


@st.composite
def convolutions(draw):
    """Kernel, layer, stride and padding that fit each other; small whole numbers, so that sums are exact."""
    padding, stride, reach = draw(pairs(0, 3)), draw(pairs(1, 4)), draw(pairs(1, 4))
    size = [draw(st.integers(max(1, k - 2 * p), 7)) for k, p in zip(reach, padding, strict=True)]
    out_channels, in_channels = draw(pairs(1, 3))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    kernel = rng.integers(-2, 3, (out_channels, in_channels, *reach))
    return kernel, rng.integers(-9, 10, (in_channels, *size)), stride, padding


@settings(max_examples=100)
@given(convolutions())
def test_the_matrix_of_a_convolution_is_a_correlation(case):
    kernel, image, stride, padding = case
    projection = convolution(kernel, image.shape, stride, padding)
    padded = [np.pad(channel, [(p, p) for p in padding]) for channel in image]
    # A map of the output is the sum over channels of what scipy finds; every stride-th of its elements.
    maps = [
        sum(signal.correlate(*both, mode="valid", method="direct") for both in zip(padded, one, strict=True))
        for one in kernel
    ]
    expected = np.array(maps)[:, :: stride[0], :: stride[1]]
    assert projection.rule.post_shape == expected.shape
    assert np.array_equal(image.ravel() @ dense(projection), expected.ravel())
    assert projection.rule.shape(0, 0) == (len(projection.synapses()),)


def numbered(kernel, pre_shape, post_shape, stride, padding):
    """Pairs (pre, post) of a convolution in the order that its docstring gives, one by one."""
    found = []
    (height, width), (out_height, out_width) = pre_shape[1:], post_shape[1:]
    ranges = [range(kernel.shape[axis]) for axis in (2, 3, 0, 1)] + [range(out_height), range(out_width)]
    for u, v, o, c, i, j in itertools.product(*ranges):
        y, x = i * stride[0] + u - padding[0], j * stride[1] + v - padding[1]
        if kernel[o, c, u, v] and 0 <= y < height and 0 <= x < width:
            found.append(((c * height + y) * width + x, (o * out_height + i) * out_width + j))
    return found


@settings(max_examples=50)
@given(convolutions())
def test_synapses_of_a_convolution_are_numbered_as_documented(case):
    kernel, image, stride, padding = case
    rule = esn.Conv2D(kernel, image.shape, stride, padding)
    expected = numbered(kernel, rule.pre_shape, rule.post_shape, stride, padding)
    projection = convolution(kernel, image.shape, stride, padding, delay=1.0 + np.arange(len(expected)))
    pre, post, delay = projection.get("pre", "post", "delay")
    assert [expected[k] for k in (delay - 1.0).astype(int)] == list(zip(pre, post, strict=True))


def test_one_channel_is_short_for_an_axis_of_one():
    short, long = convolution(KERNEL, (3, 4), 2, 1), convolution([[KERNEL]], [1, 3, 4], [2, 2], np.array([1, 1]))
    assert plan_of(short) == plan_of(long)
    assert repr(short.rule) == "Conv2D(kernel of shape (1, 1, 2, 2), shape=(1, 3, 4), stride=(2, 2), padding=(1, 1))"
    assert short.rule.post_shape == (1, 2, 3)


def test_channels_may_be_populations():
    """A side that is a union of two populations is a layer of two channels."""
    rng = np.random.default_rng(5)
    rule = esn.Conv2D(rng.normal(size=(1, 2, 2, 3)), (2, 4, 5))
    net = esn.Network()
    halves = [net.population(20, esn.LIFDelta()) for _ in range(2)]
    cells = net.population(9, esn.LIFDelta())
    both = net.connect(halves, cells, rule).get("pre", "post", "weight")
    assert all(map(np.array_equal, both, connected(rule, 40, 9).get("pre", "post", "weight")))


def test_a_kernel_of_zeros_makes_no_synapse():
    assert len(convolution(np.zeros((2, 1, 3, 3)), (5, 5)).synapses()) == 0


# ---- SparseMatrix


@st.composite
def entries(draw):
    """Rows, columns and whole values, some of them twice and some 0, and the shape."""
    shape = draw(pairs(1, 8))
    n = draw(st.integers(0, 30))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    return rng.integers(-2, 3, n), (rng.integers(0, shape[0], n), rng.integers(0, shape[1], n)), shape


@settings(max_examples=100)
@given(entries())
def test_every_entry_is_a_synapse(case):
    values, (row, column), shape = case
    projection = connected(esn.SparseMatrix(sparse.coo_array((values, (row, column)), shape=shape)), *shape)
    expected = np.zeros(shape)
    np.add.at(expected, (row, column), values)
    stored = sorted(set(zip(row.tolist(), column.tolist(), strict=True)))
    assert [tuple(pair) for pair in np.transpose(projection.get("pre", "post"))] == stored
    assert np.array_equal(dense(projection), expected)
    assert projection.rule.shape(*shape) == (len(stored),)


@pytest.mark.parametrize("kind", ["array", "matrix"])
@pytest.mark.parametrize("name", FORMATS)
def test_formats_give_the_same_synapses(name, kind):
    rng = np.random.default_rng(7)
    values = rng.normal(size=(6, 4)) * (rng.random((6, 4)) < 0.4)
    options = {"blocksize": (1, 1)} if name == "bsr" else {}  # larger blocks would hold zeros
    matrix = getattr(sparse, f"{name}_{kind}")(values, **options)
    projection = connected(esn.SparseMatrix(matrix), 6, 4)
    pre, post = np.nonzero(values)
    synapses = projection.synapses()
    assert synapses.pre.tolist() == pre.tolist() and synapses.post.tolist() == post.tolist()
    assert synapses.weight.tolist() == values[pre, post].tolist()


def test_what_is_stored_counts():
    """A stored 0, a block with zeros, and sums that an entry's own type does not hold."""
    zero = sparse.csr_array(([0.0, 2.0], [1, 0], [0, 1, 2]), shape=(2, 2))
    assert connected(esn.SparseMatrix(zero), 2, 2).get("weight").tolist() == [0.0, 2.0]
    blocks = sparse.bsr_array(np.eye(2), blocksize=(2, 2))
    assert connected(esn.SparseMatrix(blocks), 2, 2).get("weight").tolist() == [1.0, 0.0, 0.0, 1.0]
    repeated = np.array([100, 100], dtype=np.int8)
    for matrix in (
        sparse.coo_array((repeated, ([1, 1], [0, 0])), shape=(2, 2)),
        sparse.csr_array((repeated, [0, 0], [0, 0, 2]), shape=(2, 2)),
    ):
        projection = connected(esn.SparseMatrix(matrix), 2, 2)
        assert projection.get("pre", "post", "weight") == ([1], [0], [200.0])


def test_synapses_of_a_matrix_are_numbered_by_row_and_column():
    matrix = sparse.csr_array(([1.0, 2.0, 3.0, 4.0], [2, 0, 1, 0], [0, 2, 4]), shape=(2, 3))  # columns in no order
    projection = connected(esn.SparseMatrix(matrix), 2, 3, delay=[10.0, 20.0, 30.0, 40.0])
    synapses = zip(*projection.get("pre", "post", "weight", "delay"), strict=True)
    assert list(synapses) == [(0, 0, 2.0, 10.0), (0, 2, 1.0, 20.0), (1, 0, 4.0, 30.0), (1, 1, 3.0, 40.0)]
    assert matrix.indices.tolist() == [2, 0, 1, 0]  # the user's own stays as it was
    assert repr(projection.rule) == "SparseMatrix(2 x 3 with 4 entries)"


def test_scipy_is_needed_by_none_but_its_users():
    program = """
import sys, eventsnn
assert "scipy" not in sys.modules
try:
    eventsnn.SparseMatrix([[1.0]])
except eventsnn.InputError:
    assert "scipy" not in sys.modules
    print("refused")
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "refused\n"


# ---- both


def examples():
    rng = np.random.default_rng(11)
    values = rng.normal(size=(40, 30)) * (rng.random((40, 30)) < 0.2)
    convolution = esn.Conv2D(rng.normal(size=(2, 2, 3, 2)), (2, 5, 4), padding=(1, 0))
    return {"Conv2D": convolution, "SparseMatrix": esn.SparseMatrix(sparse.csc_array(values))}


@pytest.mark.parametrize("name", ["Conv2D", "SparseMatrix"])
class TestBoth:
    def test_weight_is_a_factor(self, name):
        rule = examples()[name]
        projection = connected(rule, 40, 30)
        own = projection.get("weight")
        projection.set(weight=-0.3)
        assert np.array_equal(projection.get("weight"), own * -0.3)
        single = connected(rule, 40, 30, weight=-0.3, dtype="float32")
        assert np.array_equal(single.get("weight"), (own * -0.3).astype(np.float32).astype(np.float64))
        assert single.network.compile().plan.projections[0].weight.dtype == np.float32
        projection.set(weight=0.0)
        assert not projection.get("weight").any() and len(projection.synapses()) == own.size

    def test_threads_change_nothing(self, name):
        projection = connected(examples()[name], 40, 30, delay=esn.Uniform(1.0, 2.0))
        assert plan_of(projection) == plan_of(projection, threads=3)

    def test_the_description_is_a_copy(self, name):
        kernel, matrix = np.ones((2, 2)), sparse.csr_array(np.ones((9, 4)))
        rule = esn.Conv2D(kernel, (3, 3)) if name == "Conv2D" else esn.SparseMatrix(matrix)
        projection = connected(rule, 9, 4)
        before = plan_of(projection)
        kernel[:], matrix.data[:], matrix.indices[:] = 7.0, 7.0, 0
        assert plan_of(projection) == before
        kept = rule.kernel if name == "Conv2D" else rule.weights()
        with pytest.raises(ValueError, match="read-only"):
            kept[:] = 0.0


@pytest.mark.parametrize("seed", range(12))
def test_engines_agree(seed):
    """An image that spikes, two maps of it, and cells that a sparse matrix connects with them and each other."""

    def network():
        rng = np.random.default_rng(seed)
        net = esn.Network(seed=seed)
        image = net.population(2 * 6 * 5, esn.Poisson(rate=rng.choice([60.0, 200.0])), name="image")
        rule = esn.Conv2D(rng.normal(0.2, 0.5, (2, 2, 3, 3)), (2, 6, 5), stride=(1, 2), padding=1)
        maps = (delta, exponential)[seed % 2](net, int(np.prod(rule.post_shape)), "maps", t_ref=1.0)
        scale = (1.0, 30.0)[seed % 2]
        net.connect(image, maps, rule, weight=scale, delay=(1.5, esn.Uniform(0.5, 2.0))[seed % 3 == 0])
        cells = delta(net, 12, "cells", t_ref=0.5)
        shape = len(maps) + 12, 12
        both = sparse.csr_array(rng.random(shape) * (rng.random(shape) < 0.3))
        net.connect([maps, cells], cells, esn.SparseMatrix(both), weight=0.4, delay=0.75, dtype="float32")
        net.record(cells, "V_m", times=np.sort(rng.uniform(0.0, 40.0, 30)))
        return net

    expected = event_log(network().compile("reference"), 40.0)
    assert differences(expected, event_log(network().compile(), 40.0)) == []
    assert min(len(expected[f"{name} times"]) for name in ("maps", "cells")) > 8 * 40


# ---- refusals


@table(
    ("esn.Conv2D('abc', (3, 3))", ["Conv2D: kernel = 'abc'", "array of numbers"]),
    ("esn.Conv2D(None, (3, 3))", ["Conv2D: kernel = None", "array of numbers"]),
    ("esn.Conv2D([[1.0], [1.0, 2.0]], (3, 3))", ["Conv2D: kernel", "array of numbers"]),
    ("esn.Conv2D([[1j]], (3, 3))", ["Conv2D: kernel", "array of numbers"]),
    ("esn.Conv2D([1.0, 2.0], (3, 3))", ["Conv2D", "kernel of shape (2,)", "(height, width)"]),
    ("esn.Conv2D(np.ones((2, 3, 3)), (3, 3))", ["Conv2D", "kernel of shape (2, 3, 3)", "out_channels"]),
    ("esn.Conv2D(np.ones((1, 1, 0, 3)), (3, 3))", ["Conv2D", "kernel of shape (1, 1, 0, 3)", "at least 1"]),
    ("esn.Conv2D([[1.0, nan]], (3, 3))", ["Conv2D: kernel[0, 1] = nan", "finite"]),
    ("esn.Conv2D([[[[1.0], [-inf]]]], (3, 3))", ["Conv2D: kernel[0, 0, 1, 0] = -inf", "finite"]),
    ("esn.Conv2D([[1.0]], 3)", ["Conv2D: shape = 3", "(height, width)"]),
    ("esn.Conv2D([[1.0]], (3.0, 3.0))", ["Conv2D: shape = (3.0, 3.0)", "(height, width)"]),
    ("esn.Conv2D([[1.0]], (1, 1, 3, 3))", ["Conv2D: shape = (1, 1, 3, 3)", "in_channels"]),
    ("esn.Conv2D([[1.0]], (0, 3))", ["Conv2D: shape = (0, 3)", "from 1"]),
    ("esn.Conv2D([[1.0]], (2**40, 3))", ["Conv2D: shape = (1099511627776, 3)", "to 2147483647"]),
    ("esn.Conv2D([[1.0]], 'ab')", ["Conv2D: shape = 'ab'"]),
    ("esn.Conv2D([[1.0]], [[3], [3, 3]])", ["Conv2D: shape = [[3], [3, 3]]"]),
    ("esn.Conv2D([[1.0]], (2, 3, 3))", ["kernel of shape (1, 1, 1, 1)", "1 channels", "(2, 3, 3) has 2", "equal"]),
    ("esn.Conv2D(np.ones((1, 2, 1, 1)), (3, 3))", ["2 channels", "(1, 3, 3) has 1"]),
    ("esn.Conv2D(np.ones((4, 2)), (3, 3))", ["kernel of 4 x 2", "3 x 3", "padding (0, 0)", "smaller"]),
    ("esn.Conv2D(np.ones((2, 6)), (3, 3), padding=(9, 1))", ["kernel of 2 x 6", "3 x 3", "padding (9, 1)"]),
    ("esn.Conv2D([[1.0]], (3, 3), stride=0)", ["Conv2D: stride = 0", "from 1"]),
    ("esn.Conv2D([[1.0]], (3, 3), stride=(1, -1))", ["Conv2D: stride = (1, -1)", "from 1"]),
    ("esn.Conv2D([[1.0]], (3, 3), stride=1.5)", ["Conv2D: stride = 1.5", "whole number or a pair"]),
    ("esn.Conv2D([[1.0]], (3, 3), stride=True)", ["Conv2D: stride = True", "whole number"]),
    ("esn.Conv2D([[1.0]], (3, 3), stride=None)", ["Conv2D: stride = None", "whole number"]),
    ("esn.Conv2D([[1.0]], (3, 3), stride=[1])", ["Conv2D: stride = [1]", "pair"]),
    ("esn.Conv2D([[1.0]], (3, 3), stride=10**30)", ["Conv2D: stride = 1000", "whole number"]),
    ("esn.Conv2D([[1.0]], (3, 3), padding=-1)", ["Conv2D: padding = -1", "from 0"]),
    ("esn.Conv2D([[1.0]], (3, 3), padding='same')", ["Conv2D: padding = 'same'", "pair"]),
    ("esn.Conv2D([[1.0]], (3, 3), padding=(0, 0, 0))", ["Conv2D: padding = (0, 0, 0)", "pair"]),
    ("esn.SparseMatrix(np.eye(2))", ["SparseMatrix: ndarray", "scipy.sparse.csr_array"]),
    ("esn.SparseMatrix([[1.0, 0.0]])", ["SparseMatrix: list", "scipy.sparse.csr_array"]),
    ("esn.SparseMatrix(None)", ["SparseMatrix: NoneType", "scipy.sparse.csr_array"]),
)
def test_rules_out_of_range(code, words):
    refused(code, words)


@table(
    ("sparse.csr_array(np.eye(2) * 1j)", ["complex128", "astype(float)"]),
    ("sparse.csr_array(np.eye(2, dtype=bool))", ["bool", "astype(float)"]),
    ("sparse.coo_array(([nan, 1.0], ([1, 0], [0, 1])), shape=(2, 2))", ["matrix[1, 0] = nan", "finite"]),
    ("sparse.csc_array(np.array([[0.0, 0.0, 1.0], [0.0, 0.0, -inf]]))", ["matrix[1, 2] = -inf", "finite"]),
    ("sparse.coo_array(([1e308, 1e308], ([0, 0], [1, 1])), shape=(2, 2))", ["matrix[0, 1] = inf", "finite"]),
    ("sparse.csr_array(([1.0], [9], [0, 1]), shape=(1, 2))", ["contradicts itself", "build it anew"]),
    ("sparse.csc_array(([1.0], [9], [0, 1]), shape=(2, 1))", ["contradicts itself", "build it anew"]),
    ("sparse.csr_array(([1.0], [-1], [0, 1]), shape=(1, 2))", ["contradicts itself", "build it anew"]),
)
def test_matrices_that_cannot_be_used(code, words):
    refused(f"from scipy import sparse\nesn.SparseMatrix({code})", ["SparseMatrix: ", *words])


def test_a_matrix_of_one_axis_is_refused():
    vector = sparse.coo_array(np.ones(3))
    if vector.ndim == 2:
        pytest.skip("this scipy makes it a matrix")
    with pytest.raises(esn.InputError, match=r"SparseMatrix: a matrix of shape \(3,\) .* must be \(n_pre, n_post\)"):
        esn.SparseMatrix(vector)


RULES = [
    ("Conv2D", "esn.Conv2D(np.full((1, 3), 10.0), (1, 5))"),
    ("SparseMatrix", "esn.SparseMatrix(__import__('scipy.sparse').sparse.csr_array(np.full((5, 3), 10.0)))"),
]
OTHERS = "esn.Uniform(0.0, 1.0)", "esn.Uniform", "[1.0, 2.0]", "np.ones(9)", "np.ones(15)", "[[1.0]]", "[1.0]", "[]"


@pytest.mark.parametrize(("name", "rule"), RULES, ids=[name for name, _ in RULES])
class TestProjections:
    @pytest.mark.parametrize("weight", OTHERS)
    def test_the_weight_is_one_number(self, name, rule, weight):
        words = ["new: weight", "must be"] if weight == "esn.Uniform" else ["new: weight must be one number", name]
        refused(f"net.connect(exc, cells, {rule}, weight={weight}, name='new').synapses()", words)
        refused(f"net.connect(exc, cells, {rule}, name='new').set(weight={weight})\nnet.compile()", words)

    @pytest.mark.parametrize("weight", ["nan", "inf", "None", "True", "'1'"])
    def test_the_weight_is_a_number(self, name, rule, weight):
        refused(f"net.connect(exc, cells, {rule}, weight={weight}, name='new')\nnet.compile()", ["new: weight = "])

    def test_products_fit(self, name, rule):
        code = f"net.connect(exc, cells, {rule}, name='new', weight="
        refused(code + "1e150)\nnet.compile()", ["new: weight = 1e+151 mV or pA", "finite and at most 1e+150"])
        refused(code + "1e38, dtype='float32')\nnet.compile()", ["new: weight = 1e+39 is too large", "'float64'"])

    def test_arrays_of_delays(self, name, rule):
        n = {"Conv2D": 9, "SparseMatrix": 15}[name]
        code = f"net.connect(exc, cells, {rule}, delay=np.ones((5, 3)), name='new')\nnet.compile()"
        refused(code, ["new: delay", "(5, 3)", f"{name} needs shape ({n},)"])

    def test_sides(self, name, rule):
        needed = "(1, 1, 5) and (1, 1, 3) need 5 and 3" if name == "Conv2D" else "shape (5, 3)"
        for sides in ("cells, exc", "exc, exc", "exc[:4], cells"):
            code = f"net.connect({sides}, {rule}, name='new')\nnet.compile()"
            refused(code, [f"new: {name}: ", "presynaptic and", "postsynaptic neurons", needed])

    def test_procedural_storage(self, name, rule):
        code = f"net.connect(exc, cells, {rule}, name='new', storage='procedural')\nnet.compile()"
        refused(code, ["new: ", f"{name} has a weight for each synapse; use FixedOutDegree", "storage='stored'"])
