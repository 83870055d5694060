"""Self-sustained network with voltage jumps (Brette et al. 2007, benchmark 4)

Source: R. Brette et al. (2007), Simulation of networks of spiking neurons: a review of tools and strategies, J Comput
Neurosci 23:349-398, benchmark 4, the one meant for event-driven simulators: the network of the scenario cuba, in which
an input is no current but a jump of the membrane potential, 0.25 mV or -2.25 mV.

No delay: a grid code needs one of at least a step, an event-driven one does not, and the rate is the same with any
delay up to 1.5 ms. All neurons whom an input lifts to threshold fire at that very time, then those whom these lift, and
so on in rounds; each takes the sum of a round's inputs. Avalanches of up to a few hundred spikes result, and eight
spikes in nine have company.

Expected: 9.84 +- 1.0 Hz, and 0.115 +- 0.014 of the spikes alone at their time. No published figure is known; sixteen
networks simulated event by event with NumPy gave 9.84 and 0.1149 with standard deviations of 0.24 and 0.0034 from one
network to the next, since each draws its own connections. The tolerances are four of them: one seed in 10,000 falls
outside.
"""

import numpy as np

import eventsnn as esn

DURATION = 10_000.0  # ms
ONSET = 100.0  # ms, by which the traces of the initial state are gone


def build(n: int = 4_000, p: float = 0.02, delay: float = 0.0, seed: int = 1) -> esn.Network:
    """n neurons, a fifth of them inhibitory; connection probability p; delay in ms."""
    n_exc = round(0.8 * n)
    if not 0 < n_exc < n:
        raise esn.InputError(f"voltage_jumps: n = {n} leaves no excitatory or inhibitory neuron; n must be at least 3")

    net = esn.Network(seed=seed)
    lif = esn.LIFDelta(tau_m=20.0, E_L=-49.0, V_th=-50.0, V_reset=-60.0, t_ref=5.0)
    exc = net.population(n_exc, lif, name="exc", V_m=esn.Uniform(-60.0, -50.0))
    inh = net.population(n - n_exc, lif, name="inh", V_m=esn.Uniform(-60.0, -50.0))
    rule = esn.FixedProbability(p, autapses=False)
    net.connect(exc, [exc, inh], rule, weight=0.25, delay=delay)
    net.connect(inh, [exc, inh], rule, weight=-2.25, delay=delay)
    return net


def check(results: esn.Results) -> list[esn.Check]:
    """Rate and share of lone spikes of the published network without delays, once it has run for 500 ms."""
    given = results.summary["scenario"]["parameters"]
    published = all(given[name] == value for name, value in {"n": 4_000, "p": 0.02, "delay": 0.0}.items())
    if not published or results.t_stop < 500.0:
        return []
    late = [trains.between(ONSET, results.t_stop) for trains in results.spikes.values()]
    times = np.concatenate([trains.times for trains in late])
    rate = 1000.0 * len(times) / (4_000 * (results.t_stop - ONSET))  # Hz
    alone = np.count_nonzero(np.unique(times, return_counts=True)[1] == 1) / len(times)
    source = "16 networks simulated event by event with NumPy: mean and four standard deviations"
    return [
        esn.Check("mean firing rate (Hz)", rate, 9.84, 1.0, source),
        esn.Check("share of spikes alone at their time", alone, 0.115, 0.014, source),
    ]
