"""Optimizers: how parameters follow the gradient of the loss.

An optimizer is told with `start` how many parameters there are, takes a `step` for each mini-batch, in place, and hears
of the end of each `epoch`, when the learning rate may change. An optimizer of one's own is a subclass of Optimizer with
the two methods `allocate` and `change`.

All arrays are allocated once. Those of a network's weights fit no longer into the fast caches of a processor, and each
pass over them costs as much as the arithmetic: the formulas below are arranged to need few.
"""

from __future__ import annotations

import inspect
import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

import numpy as np

from eventsnn.base.arrays import Bools, Floats
from eventsnn.base.checks import floats, number, takes_one, whole
from eventsnn.base.errors import InputError, StateError


class Optimizer(ABC):
    """An optimizer: the base of SGD and Adam.

    learning_rate: a number above 0, or a function of the number of the epoch, from 0, that returns one of at least 0;
    decay: a number is multiplied by it after every epoch.

    Attributes: rate, the learning rate of this epoch; scale, by which each step is multiplied, a number or one for each
    parameter.
    Raises InputError for a learning rate or decay that is out of range, or both a function and a decay.
    """

    def __init__(self, learning_rate: float | Callable[[int], float], decay: float = 1.0):
        name = type(self).__name__
        self.decay = number(decay, f"{name}: decay", "a number above 0 and at most 1", above=0.0, most=1.0)
        self.learning_rate: float | Callable[[int], float]
        if callable(learning_rate):
            if not takes_one(learning_rate):
                raise InputError(
                    f"{name}: learning_rate = {learning_rate!r} must be a number, or a function of the number of the "
                    "epoch"
                )
            if self.decay != 1.0:
                raise InputError(
                    f"{name}: decay = {self.decay:g} is for a learning_rate that is a number; let the function return "
                    "smaller ones in later epochs"
                )
            self.learning_rate = learning_rate
        else:
            rule = "a finite number above 0, or a function of the number of the epoch"
            self.learning_rate = number(learning_rate, f"{name}: learning_rate", rule, above=0.0)
        self.scale: Floats | float = 1.0
        self._n = -1  # not started
        self._begin_epoch(0)

    def __repr__(self) -> str:
        values = [f"{name}={getattr(self, name)!r}" for name in inspect.signature(type(self)).parameters]
        return f"{type(self).__name__}({', '.join(values)})"

    def start(self, n: int, scale: float | Floats = 1.0) -> None:
        """Begin anew with n parameters: nothing is remembered of earlier steps, and the first epoch begins.

        scale: by which each step is multiplied, of at least 0, a number or an array of shape (n,): learning rates of
        single parameters relative to the optimizer's, 0 for those that shall stay as they are.

        Raises InputError if n is no whole number, or scale negative, not finite or of another shape.
        """
        name = type(self).__name__
        n = whole(n, f"{name}: n", 0)
        array = floats(scale, f"{name}: scale", "a number or an array of numbers")
        if array.shape not in ((), (n,)):
            raise InputError(f"{name}: scale of shape {array.shape} must be a number or have shape ({n},)")
        bad = ~((array >= 0.0) & np.isfinite(array))
        if bad.any():
            k = int(np.argmax(bad))
            where = f" of parameter {k}" if array.ndim else ""
            raise InputError(f"{name}: scale = {array.flat[k]:g}{where} must be a finite number of at least 0")
        self.scale = array if array.ndim else float(array)
        self._n = n
        self._good: Bools = np.empty(n, dtype=np.bool_)
        self._begin_epoch(0)
        self.allocate(n)

    def step(self, parameters: Floats, gradient: Floats) -> None:
        """Change the parameters, shape (n,), in place, by the gradient of the loss with respect to them.

        Raises StateError before `start`; InputError for arrays of another shape, and for a gradient that is not
        finite, which changes nothing.
        """
        name = type(self).__name__
        if self._n < 0:
            raise StateError(f"{name}: step needs to know how many parameters there are; call start(n) first")
        for what, array in (("parameters", parameters), ("gradient", gradient)):
            if array.shape != (self._n,):
                raise InputError(f"{name}: {what} of shape {array.shape} must have shape ({self._n},), as in start")
        if not np.logical_and.reduce(np.isfinite(gradient, out=self._good)):
            k = int(np.argmin(self._good))
            raise InputError(
                f"{name}: the derivative of the loss with respect to parameter {k} is {gradient[k]:g}; take a smaller "
                "learning_rate or other initial weights"
            )
        self.change(parameters, gradient)

    def epoch(self) -> None:
        """An epoch ends and the next one begins: change the learning rate.

        Raises InputError if it is a function and returns something else than a finite number of at least 0.
        """
        self._begin_epoch(self._epoch + 1)

    @abstractmethod
    def allocate(self, n: int) -> None:
        """Allocate what is remembered of n parameters, and forget all earlier steps."""

    @abstractmethod
    def change(self, parameters: Floats, gradient: Floats) -> None:
        """One step, in place, at the learning rate self.rate, multiplied by self.scale."""

    def _begin_epoch(self, epoch: int) -> None:
        self._epoch = epoch
        if callable(self.learning_rate):
            what = f"{type(self).__name__}: learning_rate({epoch})"
            self.rate = number(self.learning_rate(epoch), what, "a finite number of at least 0", least=0.0)
        else:
            self.rate = self.learning_rate * self.decay**epoch

    def _subtract(self, parameters: Floats, step: Floats, rate: float) -> None:
        """parameters -= rate scale step, in place; step too is changed."""
        if isinstance(self.scale, float):
            step *= rate * self.scale
        else:
            step *= self.scale
            step *= rate
        parameters -= step


class SGD(Optimizer):
    """Stochastic gradient descent, with momentum or without.

        change(t) = momentum change(t - 1) - rate dL/dw
        w <- w + scale change(t)

    Parameters: learning_rate, in the unit of w squared over that of L, a number or a function of the number of the
    epoch; momentum, from 0 to less than 1; decay, by which the learning rate is multiplied after every epoch.
    Raises InputError for a parameter out of range.

    Source: Robbins & Monro 1951, Ann Math Stat 22:400; momentum: Rumelhart, Hinton & Williams 1986, Nature 323:533.
    """

    def __init__(self, learning_rate: float | Callable[[int], float], momentum: float = 0.0, decay: float = 1.0):
        super().__init__(learning_rate, decay)
        self.momentum = _below_one(momentum, "SGD: momentum")

    def allocate(self, n: int) -> None:
        self._scratch: Floats = np.empty(n)
        self._velocity: Floats = np.zeros(n if self.momentum else 0)  # momentum change(t - 1), with the sign of dL/dw

    def change(self, parameters: Floats, gradient: Floats) -> None:
        if not self.momentum:
            np.copyto(self._scratch, gradient)
            self._subtract(parameters, self._scratch, self.rate)
            return
        self._velocity *= self.momentum
        # The rate belongs to the gradient of its time: what was learnt at a high one goes on, as in the equation.
        np.multiply(gradient, self.rate, out=self._scratch)
        self._velocity += self._scratch
        np.copyto(self._scratch, self._velocity)
        self._subtract(parameters, self._scratch, 1.0)


class Adam(Optimizer):
    """Adam: steps of about the size of the learning rate, whatever the size of the gradient.

        m <- beta1 m + (1 - beta1) g,    v <- beta2 v + (1 - beta2) g^2,    g = dL/dw
        w <- w - rate scale (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + epsilon)

    at step t = 1, 2, ..., with m = v = 0 before the first.

    Parameters: learning_rate, in the unit of w, a number or a function of the number of the epoch; beta1, beta2, from 0
    to less than 1; epsilon, above 0, in the unit of g; decay, by which the learning rate is multiplied after every
    epoch.
    Raises InputError for a parameter out of range.

    Source: Kingma & Ba 2015, ICLR, arXiv:1412.6980, algorithm 1.
    """

    def __init__(
        self,
        learning_rate: float | Callable[[int], float] = 1e-3,
        beta1: float = 0.9,
        beta2: float = 0.999,
        epsilon: float = 1e-8,
        decay: float = 1.0,
    ):
        super().__init__(learning_rate, decay)
        self.beta1, self.beta2 = _below_one(beta1, "Adam: beta1"), _below_one(beta2, "Adam: beta2")
        self.epsilon = number(epsilon, "Adam: epsilon", "a finite number above 0", above=0.0)

    def allocate(self, n: int) -> None:
        self._t = 0
        # The sums m / (1 - beta1) and v / (1 - beta2): a pass less for each; the factors go into epsilon and the rate.
        self._m: Floats = np.zeros(n)
        self._v: Floats = np.zeros(n)
        self._scratch: Floats = np.empty(n)

    def change(self, parameters: Floats, gradient: Floats) -> None:
        m, v, scratch = self._m, self._v, self._scratch
        self._t += 1
        m *= self.beta1
        m += gradient
        v *= self.beta2
        np.multiply(gradient, gradient, out=scratch)
        v += scratch
        # sqrt(v / (1 - beta2^t)) = root sqrt(sum)
        root = math.sqrt((1.0 - self.beta2) / (1.0 - self.beta2**self._t))
        np.sqrt(v, out=scratch)
        scratch += self.epsilon / root
        np.divide(m, scratch, out=scratch)
        self._subtract(parameters, scratch, self.rate * (1.0 - self.beta1) / (1.0 - self.beta1**self._t) / root)


def _below_one(value: Any, what: str) -> float:
    return number(value, what, "a number from 0 to less than 1", least=0.0, most=math.nextafter(1.0, 0.0))
