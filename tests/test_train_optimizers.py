"""Optimizers: first steps solved by hand, many against the equations written plainly, schedules, every refusal."""

import math
import re

import numpy as np
import pytest

from eventsnn.base.errors import InputError, StateError
from eventsnn.train.optimizers import SGD, Adam, Optimizer

# ---- steps by hand


def walk(optimizer, start, gradients, scale=1.0):
    """The parameters after each step."""
    w = np.array(start, dtype=np.float64)
    optimizer.start(w.size, scale)
    path = []
    for gradient in gradients:
        optimizer.step(w, np.array(gradient, dtype=np.float64))
        path.append(w.tolist())
    return path


def test_gradient_descent_by_hand():
    assert walk(SGD(0.5), [1.0, 2.0], [[1.0, -2.0], [0.5, 0.0]]) == [[0.5, 3.0], [0.25, 3.0]]


def test_momentum_by_hand():
    # changes: -0.5 g = -0.5, 1; then half of these and -0.5 g = -0.25, 0: -0.5, 0.5; then half of these.
    path = walk(SGD(0.5, momentum=0.5), [1.0, 2.0], [[1.0, -2.0], [0.5, 0.0], [0.0, 0.0]])
    assert path == [[0.5, 3.0], [0.0, 3.5], [-0.25, 3.75]]


def test_adam_by_hand():
    # beta1 = beta2 = 1/2. t = 1: m = g / 2, v = g^2 / 2, both divided by 1/2: a step of g / |g|, but for epsilon.
    # t = 2, g = 0 after 4: m = 1, v = 4, both divided by 3/4: 4/3 / sqrt(16/3) = 1 / sqrt(3); g = 1 after 1: again 1.
    path = walk(Adam(0.1, 0.5, 0.5, epsilon=1e-300), [0.0, 0.0, 0.0], [[4.0, 1.0, -2.0], [0.0, 1.0, 0.0]])
    one = 0.1 * (1.0 + 1.0 / math.sqrt(3.0))
    assert np.array(path) == pytest.approx(np.array([[-0.1, -0.1, 0.1], [-one, -0.2, one]]), rel=1e-14)
    # epsilon is added to the root of what has been divided: 0.1 * 4 / (4 + 4).
    assert walk(Adam(0.1, 0.9, 0.999, epsilon=4.0), [0.0], [[4.0]])[0] == pytest.approx([-0.05], rel=1e-13)


def test_adam_with_defaults_begins_with_steps_of_the_learning_rate():
    path = walk(Adam(), [0.0, 0.0], [[1e-3, -1e3]])
    assert path[0] == pytest.approx([-1e-3, 1e-3], rel=2e-5)


# ---- many steps, beside the equations


def plain_sgd(w, gradients, rates, momentum, scale):
    change = [0.0] * len(w)
    for g, rate in zip(gradients, rates, strict=True):
        change = [momentum * c - rate * d for c, d in zip(change, g, strict=True)]
        w = [x + s * c for x, c, s in zip(w, change, scale, strict=True)]
    return w


def plain_adam(w, gradients, rates, beta1, beta2, epsilon, scale):
    m, v = [0.0] * len(w), [0.0] * len(w)
    for t, (g, rate) in enumerate(zip(gradients, rates, strict=True), start=1):
        m = [beta1 * a + (1.0 - beta1) * d for a, d in zip(m, g, strict=True)]
        v = [beta2 * a + (1.0 - beta2) * d * d for a, d in zip(v, g, strict=True)]
        for i in range(len(w)):
            m_hat, v_hat = m[i] / (1.0 - beta1**t), v[i] / (1.0 - beta2**t)
            w[i] -= rate * scale[i] * m_hat / (math.sqrt(v_hat) + epsilon)
    return w


@pytest.mark.parametrize("scale", ["one", "number", "array"])
@pytest.mark.parametrize("schedule", ["constant", "decay", "function"])
def test_many_steps_are_those_of_the_equations(scale, schedule):
    rng = np.random.default_rng(1)
    n, epochs, steps = 7, 5, 6
    gradients = rng.normal(size=(epochs * steps, n)) * 10.0 ** rng.integers(-4, 4, n)
    scales = {"one": np.ones(n), "number": np.full(n, 0.3), "array": rng.uniform(0.0, 2.0, n)}[scale]
    given = {"one": 1.0, "number": 0.3, "array": scales}[scale]
    rate, decay = {
        "constant": (0.02, 1.0), "decay": (0.02, 0.7), "function": (lambda epoch: 0.1 / (1 + epoch), 1.0),
    }[schedule]  # fmt: skip
    rates = [rate(e) if callable(rate) else rate * decay**e for e in range(epochs) for _ in range(steps)]
    cases = [
        (SGD(rate, decay=decay), lambda w: plain_sgd(w, gradients, rates, 0.0, scales)),
        (SGD(rate, 0.9, decay), lambda w: plain_sgd(w, gradients, rates, 0.9, scales)),
        (Adam(rate, decay=decay), lambda w: plain_adam(w, gradients, rates, 0.9, 0.999, 1e-8, scales)),
        (
            Adam(rate, 0.5, 0.8, 1e-2, decay=decay),
            lambda w: plain_adam(w, gradients, rates, 0.5, 0.8, 1e-2, scales),
        ),
    ]
    for optimizer, plainly in cases:
        for _ in range(2):  # the second start begins anew
            w = np.linspace(-1.0, 1.0, n)
            kept = w
            expected = plainly(w.tolist())
            optimizer.start(n, given)
            for k, gradient in enumerate(gradients):
                if k and k % steps == 0:
                    optimizer.epoch()
                before = gradient.copy()
                optimizer.step(w, gradient)
                np.testing.assert_array_equal(gradient, before)
            assert w is kept
            np.testing.assert_allclose(w, expected, rtol=1e-11, atol=1e-13)


def test_a_parabola_is_descended():
    for optimizer in (SGD(0.1), SGD(0.05, 0.8), Adam(0.1, beta2=0.9, decay=0.98)):
        w = np.array([3.0, -2.0])
        optimizer.start(2)
        for _ in range(300):
            optimizer.step(w, w - [1.0, 1.0])
            optimizer.epoch()
        assert w == pytest.approx([1.0, 1.0], abs=1e-3)


def test_scale_zero_keeps_a_parameter():
    for optimizer in (SGD(0.1, 0.9), Adam(0.1)):
        path = walk(optimizer, [1.0, 1.0], [[1.0, 1.0]] * 3, np.array([0.0, 1.0]))
        assert [w[0] for w in path] == [1.0] * 3 and path[-1][1] < path[0][1] < 1.0


def test_zero_gradients_change_nothing():
    for optimizer in (SGD(0.1), SGD(0.1, 0.9), Adam()):
        assert walk(optimizer, [1.0, -1.0], [[0.0, 0.0]] * 2) == [[1.0, -1.0]] * 2


# ---- schedules


def test_learning_rates():
    seen = []

    def rate(epoch):
        seen.append(epoch)
        return 0.0 if epoch > 1 else 1.0 / (1 + epoch)

    for optimizer, expected in ((SGD(0.5, decay=0.5), [0.5, 0.25, 0.125]), (Adam(rate), [1.0, 0.5, 0.0])):
        for _ in range(2):
            optimizer.start(3)
            rates = [optimizer.rate]
            for _ in range(2):
                optimizer.epoch()
                rates.append(optimizer.rate)
            assert rates == expected
    assert set(seen) == {0, 1, 2} and all(type(epoch) is int for epoch in seen)


# ---- bad input


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: SGD(0.0), "SGD: learning_rate = 0.0 must be a finite number above 0, or a function of the number of"),
        (lambda: SGD(np.nan), "SGD: learning_rate = nan must be a finite number above 0"),
        (lambda: Adam(np.inf), "Adam: learning_rate = inf must be a finite number above 0"),
        (lambda: Adam("0.1"), "Adam: learning_rate = '0.1' must be a finite number above 0"),
        (lambda: Adam([0.1, 0.2]), "Adam: learning_rate = [0.1, 0.2] must be a finite number above 0"),
        (lambda: Adam(float), "Adam: learning_rate = <class 'float'> must be a number, or a function of the number of"),
        (lambda: SGD(lambda: 0.1), "must be a number, or a function of the number of the epoch"),
        (lambda: SGD(lambda epoch: -0.1), "SGD: learning_rate(0) = -0.1 must be a finite number of at least 0"),
        (lambda: SGD(lambda epoch: None), "SGD: learning_rate(0) = None must be a finite number of at least 0"),
        (lambda: SGD(lambda epoch: 0.1, decay=0.9), "SGD: decay = 0.9 is for a learning_rate that is a number; let"),
        (lambda: SGD(0.1, momentum=1.0), "SGD: momentum = 1.0 must be a number from 0 to less than 1"),
        (lambda: SGD(0.1, momentum=-0.1), "SGD: momentum = -0.1 must be a number from 0 to less than 1"),
        (lambda: SGD(0.1, decay=0.0), "SGD: decay = 0.0 must be a number above 0 and at most 1"),
        (lambda: Adam(decay=1.1), "Adam: decay = 1.1 must be a number above 0 and at most 1"),
        (lambda: Adam(beta1=1), "Adam: beta1 = 1 must be a number from 0 to less than 1"),
        (lambda: Adam(beta2=np.nan), "Adam: beta2 = nan must be a number from 0 to less than 1"),
        (lambda: Adam(epsilon=0.0), "Adam: epsilon = 0.0 must be a finite number above 0"),
        (lambda: SGD(0.1).start(-1), "SGD: n = -1 must be a whole number of at least 0"),
        (lambda: SGD(0.1).start(2.0), "SGD: n = 2.0 must be a whole number"),
        (lambda: SGD(0.1).start(2, np.ones(3)), "SGD: scale of shape (3,) must be a number or have shape (2,)"),
        (lambda: Adam().start(2, [1.0, -1.0]), "Adam: scale = -1 of parameter 1 must be a finite number of at least 0"),
        (lambda: Adam().start(2, np.nan), "Adam: scale = nan must be a finite number of at least 0"),
        (lambda: Adam().start(2, None), "Adam: scale = None must be a number or an array of numbers"),
    ],
)
def test_bad_input(make, sentence):
    with pytest.raises(InputError, match=re.escape(sentence)):
        make()


def test_a_bad_rate_of_a_later_epoch():
    optimizer = Adam(lambda epoch: 0.1 - 0.1 * epoch * epoch)
    optimizer.start(1)
    optimizer.epoch()
    with pytest.raises(InputError, match=re.escape("Adam: learning_rate(2) = -0.3")):
        optimizer.epoch()


@pytest.mark.parametrize("optimizer", [SGD(0.1), SGD(0.1, 0.9), Adam()], ids=repr)
def test_bad_steps(optimizer):
    name = type(optimizer).__name__
    fresh = type(optimizer)(0.1)
    with pytest.raises(StateError, match=re.escape(f"{name}: step needs to know how many parameters there are; call")):
        fresh.step(np.zeros(2), np.zeros(2))
    optimizer.start(2)
    with pytest.raises(InputError, match=re.escape(f"{name}: parameters of shape (3,) must have shape (2,)")):
        optimizer.step(np.zeros(3), np.zeros(3))
    with pytest.raises(InputError, match=re.escape(f"{name}: gradient of shape (2, 1) must have shape (2,)")):
        optimizer.step(np.zeros(2), np.zeros((2, 1)))
    for bad in (np.nan, np.inf, -np.inf):
        w = np.ones(2)
        sentence = f"{name}: the derivative of the loss with respect to parameter 1 is {bad:g}; take a smaller"
        with pytest.raises(InputError, match=re.escape(sentence)):
            optimizer.step(w, np.array([1.0, bad]))
        assert w.tolist() == [1.0, 1.0]
    optimizer.step(w, np.zeros(2))
    assert w.tolist() == [1.0, 1.0]  # nor is a refused gradient remembered


def test_no_parameters():
    for optimizer in (SGD(0.1, 0.5), Adam()):
        assert walk(optimizer, [], [[], []]) == [[], []]


def test_what_is_printed():
    assert repr(SGD(0.1, 0.9)) == "SGD(learning_rate=0.1, momentum=0.9, decay=1.0)"
    assert repr(Adam()) == "Adam(learning_rate=0.001, beta1=0.9, beta2=0.999, epsilon=1e-08, decay=1.0)"


# ---- an optimizer of one's own


class Signs(Optimizer):
    """What a user may write: steps of the learning rate against the sign of the gradient."""

    def allocate(self, n):
        self.steps = 0

    def change(self, parameters, gradient):
        self.steps += 1
        parameters -= self.rate * self.scale * np.sign(gradient)


def test_an_optimizer_of_ones_own():
    optimizer = Signs(0.5, decay=0.5)
    assert walk(optimizer, [1.0, 1.0], [[3.0, -1e-9], [0.0, 2.0]]) == [[0.5, 1.5], [0.5, 1.0]]
    assert optimizer.steps == 2 and repr(optimizer) == "Signs(learning_rate=0.5, decay=0.5)"
