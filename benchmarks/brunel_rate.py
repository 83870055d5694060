"""At what rate does Brunel's network fire (g = 5, eta = 2, 12,500 neurons), and why do grid codes say less?

Motivation: 37.3 Hz is what runs on a grid of 0.1 ms give. A grid makes all inputs of one step
simultaneous, so that inhibition cancels excitation that in continuous time came first and fired the neuron. If that is
the reason, NEST's rate must rise towards the exact one as its step shrinks, and its precise model must give it at once.

Run: python benchmarks/brunel_rate.py [seeds], with eventsnn, or NEST, or both installed; what is missing is skipped.

Result, 2026-11-23, NEST 3.10.0, Hz, mean of seeds 1 to 3 (NEST precise with dc: 1 and 2; cells with *: 1 only):

    drive     eventsnn   NEST 0.1 ms   0.05 ms   0.02 ms   0.01 ms   NEST precise
    dc        38.06      37.19         37.45     37.90     37.99     38.11
    poisson   38.31      37.40         37.69     37.88*    -         38.24*

So it is: the rate rises towards the exact one as the step shrinks, and the precise model agrees with ours.
"""

import sys

DURATION, TRANSIENT = 1000.0, 100.0
N_EXC, N_INH, C_EXC, C_INH = 10_000, 2_500, 1_000, 250


def eventsnn_rate(drive: str, seed: int) -> float:
    from eventsnn.cli import scenario

    results = scenario.load("brunel").build(drive=drive, seed=seed).run(DURATION)
    spikes = sum(len(trains.between(TRANSIENT, DURATION)) for trains in results.spikes.values())
    return spikes / (N_EXC + N_INH) / (DURATION - TRANSIENT) * 1000.0


def nest_rate(model: str, step: float, drive: str, seed: int) -> float:
    import nest
    import numpy as np

    nest.set_verbosity("M_ERROR")
    nest.ResetKernel()
    nest.set(resolution=step, rng_seed=seed)
    n = N_EXC + N_INH
    neurons = nest.Create(model, n, params={"tau_m": 20.0, "E_L": 0.0, "V_th": 20.0, "V_reset": 10.0, "t_ref": 2.0})
    neurons.V_m = np.random.default_rng(seed).uniform(-10.0, 20.0, n)
    for pre, indegree, weight in ((neurons[:N_EXC], C_EXC, 0.1), (neurons[N_EXC:], C_INH, -0.5)):
        rule = {"rule": "fixed_indegree", "indegree": indegree}
        nest.Connect(pre, neurons, rule, {"weight": weight, "delay": 1.5})
    if drive == "dc":
        neurons.I_e = 40.0 * 250.0 / 20.0
    else:
        source = "poisson_generator_ps" if model.endswith("ps") else "poisson_generator"
        nest.Connect(nest.Create(source, params={"rate": 20_000.0}), neurons, syn_spec={"weight": 0.1, "delay": step})
    recorder = nest.Create("spike_recorder")
    nest.Connect(neurons, recorder)
    nest.Simulate(DURATION)
    times = recorder.get("events")["times"]
    return float((times > TRANSIENT).sum() / n / (DURATION - TRANSIENT) * 1000.0)


def table(label: str, module: str, rate, *arguments, seeds: int) -> None:
    try:
        __import__(module)
    except ImportError:
        print(f"{label}: skipped, {module} is not installed")
        return
    rates = [rate(*arguments, seed) for seed in range(1, seeds + 1)]
    mean = sum(rates) / len(rates)
    print(f"{label}: {mean:.2f} Hz, of " + ", ".join(f"{r:.2f}" for r in rates), flush=True)


if __name__ == "__main__":
    seeds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    for drive in ("dc", "poisson"):
        table(f"eventsnn, {drive}", "eventsnn", eventsnn_rate, drive, seeds=seeds)
        for step in (0.1, 0.05, 0.02, 0.01):
            table(f"NEST {step} ms, {drive}", "nest", nest_rate, "iaf_psc_delta", step, drive, seeds=seeds)
        table(f"NEST precise, {drive}", "nest", nest_rate, "iaf_psc_delta_ps", 0.1, drive, seeds=min(seeds, 2))
