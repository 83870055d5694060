"""Self-sustained network of Hodgkin-Huxley neurons with conductance synapses (Brette et al. 2007, benchmark 3)

Source: R. Brette et al. (2007), Simulation of networks of spiking neurons: a review of tools and strategies, J Comput
Neurosci 23:349-398, benchmark 3: the network of benchmark 1 (`coba`), of Hodgkin-Huxley neurons with the rates of Traub
& Miles. 3,200 excitatory and 800 inhibitory neurons with exponential conductances (6 and 67 nS, tau 5 and 10 ms,
reversal at 0 and -80 mV); each pair is connected with probability 0.02. Poisson input of the first 50 ms starts the
activity, which goes on by itself. Codes on a time grid deliver a spike a step of 0.1 ms later: here that is the delay.

A neuron spikes where V is at V_th = -20 mV or above, and not again for 3 ms; its V goes on all the while.

Expected: 38.3 +- 10 Hz from 100 ms on: the mean of four networks with steps of 0.02 ms in NumPy (exponential in V
and the gates, the same rule for spikes), and three times the standard deviation of 3.4 Hz of six networks here, since
each draws its own connections.
"""

import eventsnn as esn
from eventsnn.scenarios import coba

DURATION = 200.0  # ms


def build(n: int = 4_000, p: float = 0.02, delay: float = 0.1, tolerance: float = 1e-6, seed: int = 1) -> esn.Network:
    """n neurons, a fifth of them inhibitory; connection probability p; delay in ms; tolerance of V in mV a step."""
    hh = esn.HHTraub(
        C_m=200.0, g_Na=20_000.0, g_K=6_000.0, g_L=10.0, E_Na=50.0, E_K=-90.0, E_L=-60.0, V_T=-63.0, V_th=-20.0,
        t_ref=3.0, E_ex=0.0, E_in=-80.0, tau_syn_ex=5.0, tau_syn_in=10.0, tolerance=tolerance,
    )  # fmt: skip
    net: esn.Network = coba.network("cobahh", hh, esn.Uniform(-65.0, -55.0), n, p, delay, seed)
    return net


def check(results: esn.Results) -> list[esn.Check]:
    """The rate that a time grid gives, if the network is the published one and ran for at least 200 ms."""
    source = "4 networks on a grid with NumPy; 3 standard deviations of 6 networks"
    checks: list[esn.Check] = coba.rate(results, DURATION, 38.3, 10.0, source)
    return checks
