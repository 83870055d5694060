"""How many searches for a crossing do the cheap tests settle?

Motivation: nearly all events lead to no spike, so a search that could be spared is the main cost of exactness. Three
things spare one: `hopeless`, which excludes a crossing for ever; the bound, a time before which no crossing can lie,
which the next event mostly comes before; and, within the search, an interval that is excluded without a look inside.

Run: python benchmarks/no_spike_tests.py. The states are those after every event of a scenario in the reference engine.

Result, 2026-11-23 (500 ms; cuba 20 ms, whose drive is above threshold, so that only bounds and further input spare it):

                                      states   hopeless   searched   intervals   of them excluded   would spike
    balanced Poisson input            31,158    94.8 %      5.2 %       1.0          100.0 %           0.0 %
    cuba                              87,983     0.0 %    100.0 %       5.4           80.0 %         100.0 %
    three_neurons                         52    13.5 %     86.5 %       1.2           65.5 %          34.6 %
    mihalas_niebur_patterns              251    11.6 %     88.0 %       4.8           77.2 %          85.3 %
    glif_adaptation                      127     3.9 %     96.1 %       2.5           46.2 %          96.1 %
    mat2_types                           157     2.5 %     79.6 %       1.7           41.1 %          97.5 %

Below threshold nearly every search is spared, and what is left needs one interval. The reference searches after every
event, the compiled engine only when a bound falls due before the next one.
"""

import math
from collections import Counter

import eventsnn as esn
from eventsnn.cli import scenario
from eventsnn.solve import crossing as crossing_search

STOP, SHORT = 500.0, 20.0  # ms
DRIVEN = "neurons under balanced Poisson input"
NETWORKS = [DRIVEN, "cuba", "three_neurons", "mihalas_niebur_patterns", "glif_adaptation", "mat2_types"]


def driven() -> esn.Network:
    """Neurons below threshold on average, each with 10 kHz of excitation and 2.5 kHz of inhibition."""
    net = esn.Network(seed=1)
    neurons = net.population(5, esn.LIFExp(C_m=250.0, tau_syn_ex=2.0, tau_syn_in=6.0), name="neurons")
    net.stimulate(neurons, esn.Poisson(10_000.0), weight=20.0, name="ex")
    net.stimulate(neurons, esn.Poisson(2_500.0), weight=-10.0, name="in")
    return net


def count(name: str) -> Counter:
    seen: Counter = Counter()
    crossing, shape_of = crossing_search.crossing, crossing_search.shape_of

    def counted_crossing(k, c, s, start=0.0):
        seen["states"] += 1
        seen["hopeless"] += crossing_search.hopeless(k, c, s)
        before = seen["intervals"]
        h, found = crossing(k, c, s, start)
        seen["spikes if nothing else happened"] += h < math.inf
        seen["searches"] += seen["intervals"] > before
        return h, found

    def counted_shape_of(p, width, scale):
        kind = shape_of(p, width, scale)
        seen["intervals"] += kind != 0
        seen["intervals excluded without a look inside"] += kind == crossing_search.CLEAR
        return kind

    crossing_search.crossing, crossing_search.shape_of = counted_crossing, counted_shape_of
    try:
        network = driven() if name == DRIVEN else scenario.load(name).build()
        network.run(SHORT if name == "cuba" else STOP, engine="reference")
    finally:
        crossing_search.crossing, crossing_search.shape_of = crossing, shape_of
    return seen


if __name__ == "__main__":
    for name in NETWORKS:
        seen = count(name)
        states, searches, intervals = seen["states"], max(seen["searches"], 1), max(seen["intervals"], 1)
        print(
            f"{name}: {states} states, hopeless {100 * seen['hopeless'] / states:.1f} %, "
            f"searched {100 * seen['searches'] / states:.1f} % in {intervals / searches:.1f} intervals, "
            f"of them excluded {100 * seen['intervals excluded without a look inside'] / intervals:.1f} %; "
            f"would spike {100 * seen['spikes if nothing else happened'] / states:.1f} %",
            flush=True,
        )
