"""Networks to be trained, and derivatives of what they do by finite differences."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import eventsnn as esn
from eventsnn.train import Errors, Readout, Trainable

INPUTS, HIDDEN, OUTPUTS, READERS = 4, 6, 3, 2
LEVELS = 6  # of the steps of finite differences


def random_network(seed: int, duration: float = 40.0) -> tuple[esn.Network, Any, Any, Any]:
    """Four inputs, six neurons that excite and inhibit each other, three that fire and two whose V is read; also the
    spikes of two samples. Seeds vary refractoriness, reset, currents, time constants, autapses and loops."""
    rng = np.random.default_rng(seed)
    strength = 0.6 if seed % 3 == 1 else 1.0  # without refractoriness neurons would fire without end
    net = esn.Network(seed=seed)
    source = net.population(INPUTS, esn.SpikeSource([1.0]), name="source")
    tau_syn = rng.uniform(2.0, 9.0)
    shared = {
        "C_m": 100.0, "E_L": -70.0, "V_th": -55.0, "V_reset": [-70.0, -62.0, -75.0][seed % 3],
        "t_ref": [2.0, 0.0, 0.5][seed % 3], "tau_syn_ex": tau_syn,
        "tau_syn_in": tau_syn if seed % 2 == 0 else rng.uniform(2.0, 9.0),
    }  # fmt: skip
    tau_m = [tau_syn, tau_syn * (1.0 + 1e-9), rng.uniform(5.0, 20.0), 2.0 * tau_syn][seed % 4]
    hidden = net.population(
        HIDDEN, esn.LIFExp(**shared, tau_m=tau_m, I_e=rng.uniform(-40.0, 60.0) if seed % 5 else 0.0), name="hidden"
    )
    out = net.population(OUTPUTS, esn.LIFExp(**shared, tau_m=7.0), name="out")
    readers = net.population(READERS, esn.LIFExp(**shared | {"V_th": 1e9}, tau_m=9.0), name="readers")
    net.connect(
        source, hidden, esn.AllToAll(), weight=strength * rng.normal(300.0, 120.0, (INPUTS, HIDDEN)),
        delay=rng.uniform(0.5, 3.0, (INPUTS, HIDDEN)),
    )  # fmt: skip
    net.connect(
        hidden, out, esn.AllToAll(), weight=strength * rng.normal(200.0, 80.0, (HIDDEN, OUTPUTS)),
        delay=rng.uniform(0.0, 3.0, (HIDDEN, OUTPUTS)),
    )  # fmt: skip
    net.connect(hidden, readers, esn.AllToAll(), weight=rng.normal(30.0, 90.0, (HIDDEN, READERS)), delay=1.0)
    if seed % 5:
        net.connect(
            hidden, hidden, esn.AllToAll(autapses=seed % 3 > 0) if seed % 3 else esn.AllToAll(),
            weight=rng.normal(-20.0, 60.0, (HIDDEN, HIDDEN)), delay=rng.uniform(1.0, 4.0, (HIDDEN, HIDDEN)),
        )  # fmt: skip
    trains = [np.sort(rng.uniform(0.0, 0.7 * duration, 10)) for _ in range(2)]
    times = np.concatenate(trains)
    ids = rng.integers(0, INPUTS, times.size).astype(np.int32)
    offsets = np.cumsum([0, *(train.size for train in trains)])
    return net, source, [out, readers], (times, ids, offsets)


class Linear:
    """A loss that is a linear function of all that can be read out, with fixed coefficients."""

    def __init__(self, readout: Readout, seed: int):
        rng = np.random.default_rng(seed)
        self.spikes = rng.normal(size=readout.time.size)
        self.v_max = rng.normal(size=readout.v_max.shape) * 0.1
        self.v_integral = rng.normal(size=readout.v_integral.shape) * 0.003
        self.counts = readout.counts()

    def value(self, readout: Readout) -> float:
        """NaN if spikes have appeared or vanished."""
        if (readout.counts() != self.counts).any():
            return np.nan
        total = float(self.spikes @ readout.time)
        total += float(np.nansum(self.v_max * readout.v_max)) + float(np.nansum(self.v_integral * readout.v_integral))
        return total

    def errors(self) -> Errors:
        return Errors(spikes=self.spikes, v_max=self.v_max, v_integral=self.v_integral)


def differences(
    value: Callable[[], float], array: np.ndarray, step: float | np.ndarray, put: Callable[[], None]
) -> np.ndarray:
    """Derivatives by the elements of an array, by central differences of fourth order.

    Of several steps those are taken that agree best: spike times bend sharply where V only just reaches the threshold.
    """
    found = np.empty(array.size)
    flat = array.reshape(-1)
    steps = np.broadcast_to(step, array.size)
    for k in range(array.size):
        kept, tries = flat[k], []
        for size in steps[k] / 4.0 ** np.arange(LEVELS):
            values = []
            for many in (-2, -1, 1, 2):
                flat[k] = kept + many * size
                put()
                values.append(value())
            tries.append((values[0] - 8.0 * values[1] + 8.0 * values[2] - values[3]) / (12.0 * size))
        flat[k] = kept
        put()
        apart = np.abs(np.diff(tries))
        found[k] = np.nan if np.isnan(apart).all() else tries[int(np.nanargmin(apart)) + 1]
    return found


def loss_of(model: Trainable, inputs: Any, loss: Linear, spikes: list[int]) -> float:
    """NaN if anywhere in the network a spike has appeared or vanished."""
    readout = model.forward(inputs)
    return loss.value(readout) if totals(model, 2) == spikes else np.nan


def totals(model: Trainable, samples: int) -> list[int]:
    return [model.spikes(k)[0].size for k in range(samples)]
