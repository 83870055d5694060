"""Sparse random network of excitatory and inhibitory neurons (Brunel 2000)

Source: N. Brunel (2000), Dynamics of sparsely connected networks of excitatory and inhibitory spiking neurons,
J Comput Neurosci 8:183-208, model A: leaky integrate-and-fire neurons with delta synapses, 0.8 n excitatory and 0.2 n
inhibitory, each receiving 0.1 of both; every neuron has external excitation of eta times the rate that alone would
reach the threshold. Figure 8C (g = 5, eta = 2) shows the asynchronous irregular state at 37.7 Hz.

Expected: 38.1 +- 0.7 Hz at g = 5, eta = 2, n = 12,500, also with the external drive replaced by its mean (drive=dc).
On a grid the network fires less, because inputs of one step cancel before the threshold is tested: NEST 3.10 gives 37.2
Hz at a step of 0.1 ms and 38.0 at 0.01 ms (benchmarks/brunel_rate.py).
"""

import math
from typing import Literal

import eventsnn as esn

DURATION = 1000.0  # ms
TRANSIENT = 100.0  # ms, the way into the stationary state
PUBLISHED = {"n": 12_500, "g": 5.0, "eta": 2.0, "weight": 0.1, "density": 0.1}
SHORTEST_CHECK = 400.0  # ms, below which the rate scatters by more than the tolerance


def build(
    n: int = 12_500,
    g: float = 5.0,
    eta: float = 2.0,
    drive: Literal["poisson", "dc"] = "poisson",
    seed: int = 1,
    weight: float = 0.1,
    density: float = 0.1,
) -> esn.Network:
    """n neurons; inhibition g times stronger than excitation; external rate eta times the threshold rate.

    weight of an excitatory synapse in mV; density: the part of each population that a neuron has input from.
    """
    tau_m, threshold, delay = 20.0, 20.0, 1.5  # ms, mV, ms
    n_exc = round(0.8 * n)
    if not (0.0 < density <= 1.0 and weight > 0.0):
        raise esn.InputError(f"brunel: density = {density} must be above 0 and at most 1, weight = {weight} mV above 0")
    indegree_exc, indegree_inh = round(density * n_exc), round(density * (n - n_exc))
    if min(indegree_exc, indegree_inh) < 1:
        least = math.ceil(5.0 / density)
        raise esn.InputError(f"brunel: n = {n} gives a neuron no inhibitory input; n must be at least {least}")
    rate = 1000.0 * eta * threshold / (weight * tau_m)  # Hz, summed over all external synapses

    net = esn.Network(seed=seed)
    lif = esn.LIFDelta(tau_m=tau_m, E_L=0.0, V_th=threshold, V_reset=10.0, t_ref=2.0)
    exc = net.population(n_exc, lif, name="exc", V_m=esn.Uniform(-10.0, 20.0))
    inh = net.population(n - n_exc, lif, name="inh", V_m=esn.Uniform(-10.0, 20.0))
    net.connect(exc, [exc, inh], esn.FixedInDegree(indegree_exc), weight=weight, delay=delay)
    net.connect(inh, [exc, inh], esn.FixedInDegree(indegree_inh), weight=-g * weight, delay=delay)
    if drive == "poisson":
        net.stimulate([exc, inh], esn.Poisson(rate=rate), weight=weight, name="external")
    else:
        mean = weight * rate / 1000.0 * tau_m  # mV that the input adds to V on average
        net.stimulate([exc, inh], esn.StepCurrent([0.0], [mean * 250.0 / tau_m]), name="external")  # C_m = 250 pF
    return net


def check(results: esn.Results) -> list[esn.Check]:
    """The published rate, where the parameters are the published ones and the run is long enough to tell."""
    given = results.summary["scenario"]["parameters"]
    published = all(given[name] == value for name, value in PUBLISHED.items())
    if not published or results.t_stop < SHORTEST_CHECK:
        return []
    rates = [results.spikes[name].between(TRANSIENT, results.t_stop).rate() for name in ("exc", "inh")]
    source = "Brunel 2000, figure 8C: 37.7 Hz; NEST: 37.2 Hz at a step of 0.1 ms, 38.0 Hz at 0.01 ms"
    return [esn.Check("mean firing rate (Hz)", 0.8 * rates[0] + 0.2 * rates[1], 38.1, 0.7, source)]
