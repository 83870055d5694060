"""Cortical network of 1,000 Izhikevich neurons with alpha and gamma rhythms (Izhikevich 2003)

Source: E. M. Izhikevich (2003), Simple model of spiking neurons, IEEE Trans Neural Netw 14:1569-1572, figure 3: 800
excitatory neurons, from regular spiking to chattering, and 200 inhibitory ones, from fast spiking to low-threshold
spiking, all connected to all, with noise in their current. The published program takes steps of 1 ms: a new random
current in each, and the spikes of one step act as current in the next. Here the equations are solved exactly: the
current is drawn anew every ms as there, and a spike adds its weight to V after 1 ms.

Expected: 7.6 +- 1.5 Hz, and of the power of the number of spikes in a ms 0.82 +- 0.25 between 4 and 60 Hz, where alpha
and gamma rhythms lie: what the published program gives, the mean of six networks, with room for what exact
times change. With 20 steps of V a ms in place of 2 that program gives 8.1 Hz and 0.75 (three networks); here, where V
is also reset at its peak and not at the end of that ms, seeds 1 to 3 give 8.2 to 8.8 Hz and 0.65 to 0.76.
"""

from __future__ import annotations

import numpy as np

import eventsnn as esn

DURATION = 1_000.0  # ms


def build(n: int = 1_000, seed: int = 1, noise_until: float = DURATION) -> esn.Network:
    """n neurons, a fifth of them inhibitory; noise_until: ms, when the random currents end."""
    n_exc = round(0.8 * n)
    if not 0 < n_exc < n:
        raise esn.InputError(f"izhikevich_network: n = {n} leaves no excitatory or no inhibitory neuron; give more")
    rng = np.random.default_rng(seed)
    r_exc, r_inh = rng.random(n_exc), rng.random(n - n_exc)
    net = esn.Network(seed=seed)
    exc = net.population(
        n_exc, esn.Izhikevich(a=0.02, b=0.2, c=-65.0 + 15.0 * r_exc**2, d=8.0 - 6.0 * r_exc**2), name="exc"
    )
    inh = net.population(
        n - n_exc, esn.Izhikevich(a=0.02 + 0.08 * r_inh, b=0.25 - 0.05 * r_inh, c=-65.0, d=2.0), name="inh"
    )
    for population, size in ((exc, 5.0), (inh, 2.0)):
        times = np.arange(0.0, max(noise_until, 1.0), 1.0)
        for i in range(len(population)):
            net.stimulate(population[i : i + 1], esn.StepCurrent(times, size * rng.standard_normal(times.size)))
    scale = 1_000 / n
    net.connect(exc, [exc, inh], esn.AllToAll(), weight=esn.Uniform(0.0, 0.5 * scale), delay=1.0)
    net.connect(inh, [exc, inh], esn.AllToAll(), weight=esn.Uniform(-1.0 * scale, 0.0), delay=1.0)
    return net


def check(results: esn.Results) -> list[esn.Check]:
    """Rate and rhythms of the published program, if the network is the published one and ran for 1 s."""
    given = results.summary["scenario"]["parameters"]
    if given["n"] != 1_000 or given["noise_until"] < DURATION or results.t_stop < DURATION:
        return []
    trains = [results.spikes[name].between(0.0, DURATION) for name in ("exc", "inh")]
    counts = np.histogram(np.concatenate([train.times for train in trains]), np.arange(0.0, DURATION + 0.5, 1.0))[0]
    power = np.abs(np.fft.rfft(counts - counts.mean())) ** 2  # of 1 Hz, 2 Hz ...
    source = "the published program, 6 networks with NumPy"
    return [
        esn.Check("mean firing rate (Hz)", 0.8 * trains[0].rate() + 0.2 * trains[1].rate(), 7.6, 1.5, source),
        esn.Check("share of power between 4 and 60 Hz", float(power[4:60].sum() / power[1:].sum()), 0.82, 0.25, source),
    ]
