"""Trainable: the two passes over a network, and the gradient of what its output neurons do."""

from __future__ import annotations

import os
import reprlib
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from eventsnn._core.train.gradients import Tapes
from eventsnn.base.arrays import Floats, Ints
from eventsnn.base.checks import flag, floats, number, whole
from eventsnn.base.errors import InputError, StateError, suggest
from eventsnn.describe.parts import Neurons, Projection, indices
from eventsnn.network import Network
from eventsnn.results.trains import Trains
from eventsnn.train.parameters import Parameters, kinds_of
from eventsnn.train.readout import Errors, Readout
from eventsnn.train.samples import Samples, samples_of
from eventsnn.train.wiring import THRESHOLD, differ, require_differentiable, wire

# Samples whose gradients are added up one after the other. The sums of all chunks are added in their order, so that the
# number of threads does not show.
CHUNK = 8
NO_MATRIX, NO_FLOATS, NO_INTS = np.empty((0, 0)), np.empty(0), np.empty(0, dtype=np.int64)
NO_COUNTS = np.empty((0, 0), dtype=np.int64)


class Trainable:
    """A network of LIFExp neurons, of which spike times and voltages are known with their exact derivatives.

    Each sample is a run of its own from t = 0 to `duration`, with the spikes that it brings to the input neurons.

    network: its populations are LIFExp, or SpikeSource, of which the trains in the description are not used. Synapses
    may form loops, if these have delays above 0.
    inputs: neurons of SpikeSource populations, one or a list, in the order of an input's columns.
    outputs: the neurons that are read out, one or a list. Neurons with a V_th of 1e6 mV or more never fire, and are
    read out by their V.
    duration: ms.
    learn: what the gradient is taken by, some of "weight", "delay", "tau_m", "tau_syn"; a mapping gives factors by
    which their learning rates are multiplied. projections: those whose weights and delays are learned; None: all.
    least_slope: a spike at which V rises more slowly than this, in (V_th - E_L) / tau_m, has the gradient of one at
    which it rises so fast. 0: gradients are exact.
    threads: how many samples may be run at the same time; it changes no bit.

    Attributes: parameters (n,), all that is learned, to be changed in place and then used with `put()`; learned, what
    each of them is. After `backward`: input_errors (spikes,), derivatives of the loss by the times of the input spikes.

    A gradient says nothing of spikes that appear or vanish: where a small change of a parameter makes V only just reach
    the threshold, or no longer, spike times have no derivative, and close to it a very large one.

    Raises InputError for what has no gradient (see `eventsnn.train`), and StateError for a network that has run.

    Source: Wunderlich & Pehle 2021, Sci Rep 11:12829; Bohte, Kok & La Poutre 2002, Neurocomputing 48:17.
    """

    def __init__(
        self,
        network: Network,
        inputs: Neurons | Sequence[Neurons],
        outputs: Neurons | Sequence[Neurons],
        duration: float,
        *,
        learn: str | Sequence[str] | Mapping[str, float] = ("weight",),
        projections: Sequence[Projection] | None = None,
        least_slope: float = 0.0,
        threads: int = 1,
    ):
        self.duration = number(duration, "train: duration", "a finite number above 0", above=0.0, unit="ms")
        self.threads = whole(threads, "train: threads", 1)
        kinds = kinds_of(learn)
        require_differentiable(network)
        self.wiring = wire(
            network, apart="delay" in kinds or ("tau_m" in kinds or "tau_syn" in kinds) and differ(network)
        )
        self.wiring.net.set_least_slope(number(least_slope, "train: least_slope", "a finite number >= 0", 0.0))
        self.network = network
        self.inputs = self._neurons(inputs, "inputs")
        self.outputs = self._neurons(outputs, "outputs")
        if self.wiring.neurons.computed[self.inputs].any():
            raise InputError("train: inputs must be neurons of a SpikeSource population")
        if not self.wiring.neurons.computed[self.outputs].all():
            raise InputError("train: outputs must be LIFExp neurons; a SpikeSource has nothing to be learned")
        names = [p.name for p in network.projections.values()] if projections is None else self._names(projections)
        self.learned = Parameters(network, self.wiring, kinds, names)
        self.thresholds = self.wiring.neurons.constants[self.outputs, THRESHOLD]
        self.reads = np.isinf(self.thresholds)
        self.wiring.output[self.outputs] = np.arange(self.outputs.size)
        self._tapes: Tapes | None = None
        self._last: Samples | None = None
        self._orders: list[Ints] | None = None
        self._pool: ThreadPoolExecutor | None = None

    def _neurons(self, given: Any, what: str) -> Ints:
        parts = [given] if isinstance(given, Neurons) else list(given) if isinstance(given, list | tuple) else []
        if not parts or not all(isinstance(part, Neurons) for part in parts):
            raise InputError(f"train: {what} = {given!r} must be neurons of the network, or a list of them")
        for part in parts:
            if part.population.network is not self.network:
                raise InputError(f"train: {what}: {part.name} belongs to another network")
        ids = np.concatenate([part.ids + self.wiring.starts[part.population.name] for part in parts])
        if ids.size == 0 or np.unique(ids).size != ids.size:
            raise InputError(f"train: {what} must be some neurons, each of them once")
        return ids

    def _names(self, projections: Sequence[Projection]) -> list[str]:
        names = []
        if not isinstance(projections, list | tuple):
            raise InputError(f"train: projections = {reprlib.repr(projections)} must be a list of projections")
        for projection in projections:
            name = str(getattr(projection, "name", projection))
            if self.network.projections.get(name) is not projection:
                raise InputError(
                    f"train: {projection!r} is no projection of the network; " + suggest(name, self.network.projections)
                )
            names.append(name)
        return names

    def __getstate__(self) -> dict[str, Any]:
        raise StateError(
            "copy: a Trainable and its tapes stay in this process; make another Trainable of a copy of its network"
        )

    @property
    def parameters(self) -> Floats:
        return self.learned.values

    def put(self) -> None:
        """Let the next pass use what `parameters` are now. Delays below 0, and those in loops below 0.1 ms, are set to
        these bounds, and so are time constants below 0.1 ms."""
        self.learned.put()

    def write(self) -> None:
        """Let the network have what was learned: weights and delays of its projections, time constants of its
        populations. Its next run is that of the learned network. Rules other than AllToAll and Conv2D become
        Explicit."""
        self.learned.write()

    def samples(self, inputs: Trains | ArrayLike | Samples) -> Samples:
        """Inputs in the form in which passes need them, so that they are prepared only once."""
        return samples_of(inputs, self.inputs, self.duration)

    def forward(
        self, inputs: Trains | ArrayLike | Samples, *, all_spikes: bool = True, fired: Ints | None = None
    ) -> Readout:
        """Run samples, and return what the output neurons did.

        inputs: Trains with a channel for each input neuron, or an array (samples, inputs) of spike times (ms), NaN
        where there is none. all_spikes: False if only first spikes and voltages are needed. fired (neurons,): gains,
        for each neuron, the number of samples in which it fired.

        Raises InputError for inputs that do not fit, and for a network whose state becomes no number.
        """
        flag(all_spikes, "train: all_spikes")
        samples = self.samples(inputs)
        n, outputs = len(samples), self.outputs.size
        if self._tapes is None or self._tapes.n < n:
            place = self.wiring.place[self.outputs]
            self._tapes = Tapes(self.wiring.net, n, place, self.wiring.fan_of[place])
        first, peak, integral = np.empty((3, n, outputs))
        counts = NO_COUNTS if fired is None else np.zeros((-(-n // CHUNK), fired.size), dtype=np.int64)
        found = (first, peak, integral)
        self._each(lambda chunk, begin, end: self._run(samples, begin, end, False, found, counts, chunk), n)
        if fired is not None:
            fired += counts.sum(axis=0)
        self._last, self._orders = samples, None
        spikes = self._spikes(n) if all_spikes else (NO_INTS, NO_INTS, NO_FLOATS)
        return Readout(first, *spikes, peak, integral, self.duration)

    def retrace(self, readout: Readout, which: Ints) -> None:
        """Find the peaks of outputs that did not fire in some samples of the last forward pass: `readout.v_max`, mV."""
        if self._last is None:
            raise StateError("train: retrace needs the samples of a forward pass; call forward first")
        if not isinstance(readout, Readout) or readout.first.shape != (len(self._last), self.outputs.size):
            raise InputError("train: readout must be what the last forward pass returned")
        which = indices(which, "train: samples to retrace")
        if which.size and not 0 <= which.min() <= which.max() < len(self._last):
            raise InputError(f"train: samples to retrace must be from 0 to {len(self._last) - 1}")
        found = (readout.first, readout.v_max, readout.v_integral)
        for k in which.tolist():
            self._run(self._last, k, k + 1, True, found, NO_COUNTS, 0)

    def _run(
        self,
        samples: Samples,
        begin: int,
        end: int,
        tracks: bool,
        found: tuple[Floats, Floats, Floats],
        counts: Ints,
        chunk: int,
    ) -> None:
        assert self._tapes is not None
        failure = self._tapes.forward(
            begin, end, samples.start, samples.neuron, samples.time, self.duration, self.learned.n_taus > 0,
            tracks, *found, counts, chunk,
        )  # fmt: skip
        if failure is not None:
            raise self._error(*failure)

    def backward(self, errors: Errors) -> Floats:
        """The gradient by `parameters` of a loss of what the last `forward` returned, from its derivatives.

        `input_errors` has its derivatives by the times of the input spikes then. Raises StateError before `forward`;
        one backward pass belongs to each forward pass.
        """
        if self._last is None or self._tapes is None:
            raise StateError("train: backward needs the spikes of a forward pass; call forward before each backward")
        samples, tapes, p, w = self._last, self._tapes, self.learned, self.wiring
        n = len(samples)
        if not isinstance(errors, Errors):
            raise InputError(f"train: errors = {reprlib.repr(errors)} must be Errors, as a loss returns them")
        first, peak, integral = (
            _matrix(getattr(errors, name), (n, self.outputs.size), f"train: errors.{name}")
            for name in ("first", "v_max", "v_integral")
        )
        starts, spikes = self._flat(errors.spikes, n)
        self._last = None
        chunks = max(1, -(-n // CHUNK))
        weight = np.zeros((chunks, w.weight.size))
        delay = np.zeros((chunks, w.delay.size if p.n_delays else 0))
        tau = np.zeros((chunks, w.fan_of.size if p.n_taus else 0, 3))
        self.input_errors = np.empty(samples.time.size)

        def run(chunk: int, begin: int, end: int) -> None:
            tapes.backward(
                begin, end, first, starts, spikes, peak, integral,
                weight[chunk], delay[chunk], tau[chunk], samples.start, self.input_errors,
            )  # fmt: skip

        self._each(run, n)
        for sums in (weight, delay, tau):
            for chunk in range(1, chunks):
                sums[0] += sums[chunk]
        return p.gradient(weight[0], delay[0], tau[0])

    def gradients(self, errors: Errors) -> dict[str, dict[str, Floats]]:
        """The gradient by parameter, such as "weight", "delay", "tau_m" or "tau_syn_ex", and then by projection, in the
        order of its `synapses()` (of Conv2D in that of its kernel), or by population."""
        gradient, p = self.backward(errors), self.learned
        found: dict[str, dict[str, Floats]] = {kind: {} for kind in ("weight", "delay") if kind in p.learn}
        for name, block in p.blocks.items():
            found["weight"][name] = gradient[block]
        for name, part in p.delay_blocks.items():
            found["delay"][name] = gradient[p.n_weights :][part]
        for tau in p.taus:
            for name in tau.names:
                found.setdefault(name, {})[tau.population.name] = gradient[p.place_of(tau)]
        return found

    def spikes(self, sample: int) -> tuple[Ints, Floats]:
        """All spikes of a sample of the last forward pass: neurons, numbered through all populations in the order in
        which they were made, and times (ms), sorted by time. The input spikes are among them."""
        if self._tapes is None:
            raise StateError("train: there are no spikes before a forward pass; call forward first")
        sample = whole(sample, "train: sample", 0, self._tapes.n - 1)
        neurons, times = self._tapes.spikes(sample, False)
        order = np.lexsort((neurons, times))
        return neurons[order], times[order]

    # ---- below

    def _each(self, run: Callable[[int, int, int], Any], n: int) -> list[Any]:
        """Run chunks of samples, side by side if there are threads for it."""
        parts = [(k, begin, min(begin + CHUNK, n)) for k, begin in enumerate(range(0, n, CHUNK))]
        if self.threads == 1 or len(parts) == 1:
            return [run(*part) for part in parts]
        if self._pool is None:
            self._pool = ThreadPoolExecutor(min(self.threads, os.cpu_count() or 1))
        return list(self._pool.map(lambda part: run(*part), parts))

    def _spikes(self, n: int) -> tuple[Ints, Ints, Floats]:
        assert self._tapes is not None
        samples, neurons, times = [NO_INTS], [NO_INTS], [NO_FLOATS]
        self._orders = []
        for k in range(n):
            ids, at = self._tapes.spikes(k, True)
            number_of = self.wiring.output[ids]
            order = np.lexsort((at, number_of))
            self._orders.append(order)
            samples.append(np.full(ids.size, k, dtype=np.int64))
            neurons.append(number_of[order])
            times.append(at[order])
        return np.concatenate(samples), np.concatenate(neurons), np.concatenate(times)

    def _flat(self, errors: Floats | None, n: int) -> tuple[Ints, Floats]:
        """The errors of all output spikes in the order of the tapes, and where those of each sample begin."""
        if errors is None:
            return NO_INTS, NO_FLOATS
        if self._orders is None:
            raise StateError("train: errors of spikes need those of a forward pass with all_spikes=True")
        total = sum(order.size for order in self._orders)
        errors = _finite(errors, (total,), "train: errors.spikes")
        starts = np.zeros(n + 1, dtype=np.int64)
        np.cumsum([order.size for order in self._orders], out=starts[1:])
        flat = np.empty(errors.size)
        for k, order in enumerate(self._orders):
            flat[starts[k] : starts[k + 1]][order] = errors[starts[k] : starts[k + 1]]
        return starts, flat

    def _error(self, sample: int, failure: int) -> Exception:
        if failure == 1:
            return MemoryError(f"train: no memory for the spikes of sample {sample}")
        what = "has more than 2,000,000 spikes" if failure == 2 else "has a potential that is no number"
        return InputError(
            f"train: sample {sample} of the mini-batch {what}; take smaller weights or a smaller learning rate"
        )


def _matrix(given: Any, shape: tuple[int, int], what: str) -> Floats:
    return NO_MATRIX if given is None else _finite(given, shape, what)


def _finite(given: Any, shape: tuple[int, ...], what: str) -> Floats:
    array: Floats = given
    if type(given) is not np.ndarray or given.dtype != np.float64 or not given.flags.c_contiguous:
        array = np.ascontiguousarray(floats(given, what, "an array of numbers"))
    if array.shape != shape:
        raise InputError(f"{what} of shape {array.shape} must have the shape {shape}")
    if not np.isfinite(array).all():
        raise InputError(f"{what} has {array[~np.isfinite(array)][0]:g} in it; derivatives must be finite")
    return array
