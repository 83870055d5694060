"""What does a model cost that a user wrote in Python, beside the built-in one?

Motivation: a LinearModel of a user's own must not be the slow path, or nobody would dare to write one.

Run: python benchmarks/user_model.py, pinned to one core. LIFExp in the CUBA network and MAT2 under Poisson input, each
as it comes and written again; the spikes must be the same to the last bit.

Result, 2026-11-24, two-core virtual machine (AMD EPYC), median of 5, 1 s of biology, same spikes:

    LIFExp, cuba            built in 0.212 s, written again 0.212 s, ratio 1.00
    MAT2, Poisson input     built in 0.594 s, written again 0.597 s, ratio 1.00

Both run on the same kernel, so that nothing else was to be expected.
"""

import statistics
import time

import eventsnn as esn
from eventsnn.cli import scenario

REPEATS = 5


class OwnLIFExp(esn.LinearModel):
    parameters = dict(esn.LIFExp().parameters)

    def equations(self, p):
        to = esn.Reset(scale=0.0, jump=p["V_reset"] - p["E_L"])
        return esn.Linear(
            esn.Membrane(p["tau_m"], p["C_m"], p["E_L"], p["V_th"], p["t_ref"], to),
            [esn.Current("I_syn_ex", p["tau_syn_ex"], "ex"), esn.Current("I_syn_in", p["tau_syn_in"], "in")],
        )


class OwnMAT2(esn.LinearModel):
    parameters = dict(esn.MAT2().parameters)

    def equations(self, p):
        return esn.Linear(
            esn.Membrane(p["tau_m"], p["C_m"], p["E_L"], p["omega"], p["t_ref"], esn.Reset(), clamped=False),
            [esn.Current("I_syn_ex", p["tau_syn_ex"], "ex"), esn.Current("I_syn_in", p["tau_syn_in"], "in")],
            [esn.Threshold(f"V_th_alpha_{k}", p[f"tau_{k}"], reset=esn.Reset(jump=p[f"alpha_{k}"])) for k in (1, 2)],
        )


def cuba(own: bool) -> esn.Network:
    net = scenario.load("cuba").build()
    for population in net.populations.values():
        if own:
            population.model = OwnLIFExp(**population.values)
    return net


def driven(own: bool) -> esn.Network:
    net = esn.Network(seed=1)
    cells = net.population(2_000, OwnMAT2() if own else esn.MAT2(), name="cells")
    net.stimulate(cells, esn.Poisson(2_000.0), weight=150.0)
    return net


def seconds(build, own: bool) -> tuple[float, list[bytes]]:
    simulation = build(own).compile()
    begin = time.perf_counter()
    results = simulation.run(1_000.0)
    spent = time.perf_counter() - begin
    return spent, [part.tobytes() for trains in results.spikes.values() for part in (trains.times, trains.ids)]


if __name__ == "__main__":
    for name, build in (("LIFExp, cuba", cuba), ("MAT2, Poisson input", driven)):
        pairs = [(seconds(build, False), seconds(build, True)) for _ in range(REPEATS)]
        assert all(built_in[1] == own[1] for built_in, own in pairs), "the spikes differ"
        a, b = (statistics.median(pair[i][0] for pair in pairs) for i in (0, 1))
        print(f"{name}: built in {a:.3f} s, written again {b:.3f} s, ratio {b / a:.2f}")
