"""Self-sustained network with conductance synapses (Vogels & Abbott 2005, the COBA benchmark)

Source: T. P. Vogels and L. F. Abbott (2005), Signal propagation and logic gating in networks of integrate-and-fire
neurons, J Neurosci 25:10786-10795, as benchmark 1 of R. Brette et al. (2007), Simulation of networks of spiking
neurons: a review of tools and strategies, J Comput Neurosci 23:349-398. 3,200 excitatory and 800 inhibitory leaky
integrate-and-fire neurons with exponential conductances (6 and 67 nS, tau 5 and 10 ms, reversal at 0 and -80 mV); each
pair is connected with probability 0.02. Rest lies 10 mV below threshold: Poisson input of the first 50 ms starts the
activity, which goes on by itself. Codes on a time grid deliver a spike a step of 0.1 ms later: here that is the delay.

Expected: 19.9 +- 4.0 Hz from 100 ms on, asynchronous and irregular: the mean of four networks with forward steps of
0.1 ms in NumPy, and four times their standard deviation of 1.0 Hz, since each draws its own connections. The network of
seed 1 fires at 19.2 Hz.
"""

import eventsnn as esn
from eventsnn.models.base import Model

DURATION = 1_000.0  # ms
KICK = 50.0  # ms


def build(n: int = 4_000, p: float = 0.02, delay: float = 0.1, seed: int = 1) -> esn.Network:
    """n neurons, a fifth of them inhibitory; connection probability p; delay in ms."""
    lif = esn.LIFCondExp(
        C_m=200.0, g_L=10.0, E_L=-60.0, V_th=-50.0, V_reset=-60.0, t_ref=5.0, E_ex=0.0, E_in=-80.0, tau_syn_ex=5.0,
        tau_syn_in=10.0,
    )  # fmt: skip
    return network("coba", lif, esn.Uniform(-60.0, -50.0), n, p, delay, seed)


def network(name: str, model: Model, start: esn.Uniform, n: int, p: float, delay: float, seed: int) -> esn.Network:
    """The network of n neurons of a model, for the scenario of this name; start: what V begins with."""
    n_exc = round(0.8 * n)
    if not 0 < n_exc < n:
        raise esn.InputError(f"{name}: n = {n} leaves no excitatory or no inhibitory neuron; n must be at least 3")
    net = esn.Network(seed=seed)
    exc = net.population(n_exc, model, name="exc", V_m=start)
    inh = net.population(n - n_exc, model, name="inh", V_m=start)
    net.stimulate([exc, inh], esn.InhomogeneousPoisson([0.0, KICK], [300.0, 0.0]), weight=6.0, name="kick")
    rule = esn.FixedProbability(p, autapses=False)
    net.connect(exc, [exc, inh], rule, weight=6.0, delay=delay)  # nS
    net.connect(inh, [exc, inh], rule, weight=-67.0, delay=delay)
    return net


def check(results: esn.Results) -> list[esn.Check]:
    """The rate that a time grid gives, if the network is the published one and ran for at least 1 s."""
    source = "4 networks on a grid with NumPy: mean and four standard deviations"
    return rate(results, 1_000.0, 19.9, 4.0, source)


def rate(results: esn.Results, least: float, expected: float, tolerance: float, source: str) -> list[esn.Check]:
    """The rate (Hz) after the start, if the network is the published one and ran for `least` ms."""
    given = results.summary["scenario"]["parameters"]
    published = all(given[name] == value for name, value in {"n": 4_000, "p": 0.02, "delay": 0.1}.items())
    if not published or results.t_stop < least:
        return []
    late = [results.spikes[name].between(2.0 * KICK, results.t_stop).rate() for name in ("exc", "inh")]
    measured = 0.8 * late[0] + 0.2 * late[1]
    return [esn.Check("mean firing rate after the start (Hz)", measured, expected, tolerance, source)]
