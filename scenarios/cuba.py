"""Self-sustained network with current synapses (Vogels & Abbott 2005, the CUBA benchmark)

Source: T. P. Vogels and L. F. Abbott (2005), Signal propagation and logic gating in networks of integrate-and-fire
neurons, J Neurosci 25:10786-10795, as benchmark 2 of R. Brette et al. (2007), Simulation of networks of spiking
neurons: a review of tools and strategies, J Comput Neurosci 23:349-398. 3,200 excitatory and 800 inhibitory leaky
integrate-and-fire neurons with exponential synaptic currents; each pair is connected with probability 0.02. Rest lies
1 mV above threshold, so that the network needs no input. Codes on a time grid deliver a spike one step of 0.1 ms later:
here that is the delay.

Expected: 5.56 +- 0.58 Hz over 10 s, asynchronous and irregular: the mean of twenty networks on a grid of 0.1 ms with
NumPy, and four times their standard deviation of 0.144 Hz, since each draws its own connections. NEST and Brian2 are
reported at 5.5 to 5.9 Hz; the network of seed 1 fires at 5.72 Hz, on the grid at 5.74 Hz.
"""

import eventsnn as esn

DURATION = 10_000.0  # ms


def build(n: int = 4_000, p: float = 0.02, delay: float = 0.1, seed: int = 1) -> esn.Network:
    """n neurons, a fifth of them inhibitory; connection probability p; delay in ms."""
    n_exc = round(0.8 * n)
    if not 0 < n_exc < n:
        raise esn.InputError(f"cuba: n = {n} leaves no excitatory or no inhibitory neuron; n must be at least 3")
    # The source gives weights in mV, the potential that a lasting current would reach; tau_m / C_m = 0.1 mV/pA.
    weight_exc, weight_inh = 1.62 / 0.1, -9.0 / 0.1  # pA

    net = esn.Network(seed=seed)
    lif = esn.LIFExp(
        tau_m=20.0, C_m=200.0, E_L=-49.0, V_th=-50.0, V_reset=-60.0, t_ref=5.0, tau_syn_ex=5.0, tau_syn_in=10.0
    )
    exc = net.population(n_exc, lif, name="exc", V_m=esn.Uniform(-60.0, -50.0))
    inh = net.population(n - n_exc, lif, name="inh", V_m=esn.Uniform(-60.0, -50.0))
    rule = esn.FixedProbability(p, autapses=False)
    net.connect(exc, [exc, inh], rule, weight=weight_exc, delay=delay)
    net.connect(inh, [exc, inh], rule, weight=weight_inh, delay=delay)
    return net


def check(results: esn.Results) -> list[esn.Check]:
    """The rate that grid codes give, if the network is the published one and ran for at least 1 s."""
    given = results.summary["scenario"]["parameters"]
    published = all(given[name] == value for name, value in {"n": 4_000, "p": 0.02, "delay": 0.1}.items())
    if not published or results.t_stop < 1_000.0:
        return []
    rate = 0.8 * results.spikes["exc"].rate() + 0.2 * results.spikes["inh"].rate()
    source = "20 networks on a grid with NumPy: mean and four standard deviations; NEST and Brian2: 5.5 to 5.9 Hz"
    return [esn.Check("mean firing rate (Hz)", rate, 5.56, 0.58, source)]
