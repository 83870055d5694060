"""How far are learned weights from those that the rule says, here and on NEST's grid, for the same spikes?

Motivation: a plasticity rule is a function of spike times, but a time-driven simulator rounds them first.
How much of the weight is then the grid's? A synapse sees the same off-grid trains here and in NEST, so that nothing but
times and arithmetic differ, and the exact answer is the rule itself: direct summation over all pairs of spikes
(tests/support/oracle_plasticity.py).

4 synapses for each rule; before and behind each of them Poisson trains of 20 Hz, 20 s long, 400 spikes each. The axonal
delay is 0 and the dendritic one 1 ms, since NEST's delays are dendritic. Compared is what each presynaptic spike is
transmitted with: NEST's weight_recorder says it, here it is what the current of the neuron is raised by. The error is
relative, the largest and the median of all presynaptic spikes of all synapses. NEST's trains come from spike_generator
with allow_offgrid_times through parrot_neuron; "precise" is precise_times through parrot_neuron_ps. "own times" is the
largest error against the same summation over the times that NEST's synapse works with: what is left there is not the
grid's but another rule. These times are the grid's on both sides; of a precise neuron the presynaptic spikes are still
on the grid, and the postsynaptic ones are not.

Run: python benchmarks/plasticity_accuracy.py [--nest-python PYTHON] [--rules PATTERN ...], in an environment with
eventsnn, for the oracle with its sources. NEST may live in an environment of its own, named by the option or by the
variable NEST_PYTHON; without it only our rows are written. It takes a minute or two.

Result, 2026-11-30, NEST 3.10.0; relative errors of weights:

                                      step           largest    median  own times
    STDP pairing=all                  none           5.8e-16   1.3e-16
    stdp_synapse                      1              1.3e-01   2.4e-02    4.7e-02
    stdp_synapse                      0.1            5.4e-02   4.6e-04    2.1e-02
    stdp_synapse                      0.01           2.4e-04   3.9e-05    2.8e-15
    stdp_synapse                      0.1, precise   7.4e-02   7.4e-03    1.1e-13
    STDP pairing=nearest_symmetric    none           5.2e-16   0.0e+00
    stdp_nn_symm_synapse              1              4.7e-02   1.4e-02    3.0e-02
    stdp_nn_symm_synapse              0.1            2.3e-02   5.1e-04    1.4e-02
    stdp_nn_symm_synapse              0.01           1.4e-02   3.9e-04    1.4e-02
    stdp_nn_symm_synapse              0.1, precise   2.6e-02   5.5e-03    1.4e-02
    STDP pairing=nearest_pre_centered none           6.6e-16   0.0e+00
    stdp_nn_pre_centered_synapse      1              6.1e-02   1.5e-02    2.4e-02
    stdp_nn_pre_centered_synapse      0.1            2.7e-02   2.3e-04    3.6e-15
    stdp_nn_pre_centered_synapse      0.01           1.4e-04   2.4e-05    2.1e-15
    stdp_nn_pre_centered_synapse      0.1, precise   3.1e-02   4.2e-03    5.4e-14
    STDP pairing=nearest_restricted   none           4.9e-16   0.0e+00
    stdp_nn_restr_synapse             1              4.2e-02   1.2e-02    3.6e-02
    stdp_nn_restr_synapse             0.1            2.1e-02   6.9e-04    1.2e-02
    stdp_nn_restr_synapse             0.01           1.2e-02   5.4e-04    1.2e-02
    stdp_nn_restr_synapse             0.1, precise   2.5e-02   4.0e-03    1.2e-02
    PowerLawSTDP                      none           7.3e-16   1.4e-16
    stdp_pl_synapse_hom               1              3.2e-02   7.7e-03    1.6e-02
    stdp_pl_synapse_hom               0.1            9.8e-03   2.5e-04    4.8e-03
    stdp_pl_synapse_hom               0.01           7.7e-05   1.8e-05    3.0e-16
    stdp_pl_synapse_hom               0.1, precise   1.6e-02   3.0e-03    3.1e-14
    TripletSTDP                       none           1.4e-16   0.0e+00
    stdp_triplet_synapse              1              1.9e-03   4.9e-04    6.4e-04
    stdp_triplet_synapse              0.1            5.7e-04   1.1e-05    2.1e-04
    stdp_triplet_synapse              0.01           2.3e-06   4.4e-07    0.0e+00
    stdp_triplet_synapse              0.1, precise   5.9e-04   8.7e-05    7.1e-16
    VogelsSTDP                        none           4.7e-16   0.0e+00
    vogels_sprekeler_synapse          1              2.4e-02   1.0e-02    3.4e-03
    vogels_sprekeler_synapse          0.1            2.2e-03   2.9e-05    1.1e-03
    vogels_sprekeler_synapse          0.01           9.5e-06   1.3e-06    1.9e-14
    vogels_sprekeler_synapse          0.1, precise   3.2e-03   3.5e-05    2.2e-14
    TsodyksMarkram tau_psc=3.0        none           2.3e-14   4.6e-16
    tsodyks_synapse                   1              1.4e-01   3.8e-03    1.3e-14
    tsodyks_synapse                   0.1            1.1e-02   3.6e-04    1.7e-14
    tsodyks_synapse                   0.01           1.5e-03   3.6e-05    1.5e-14
    tsodyks_synapse                   0.1, precise   1.1e-02   3.6e-04    5.4e-13
    TsodyksMarkram                    none           2.4e-14   2.3e-16
    tsodyks2_synapse                  1              1.4e-01   3.8e-03    2.0e-14
    tsodyks2_synapse                  0.1            1.1e-02   3.6e-04    3.4e-14
    tsodyks2_synapse                  0.01           1.5e-03   3.6e-05    2.2e-14
    tsodyks2_synapse                  0.1, precise   1.1e-02   3.6e-04    5.5e-13

Ours are those of float64: 7e-16, and 2e-14 for TsodyksMarkram, which transmits what little is left of 1; half of that
is the oracle's sum. NEST's median falls with the step, to 4e-5 at 0.01 ms where its rule is ours; the largest error
falls less evenly, since two spikes that come to the synapse within one step are a tie or in the wrong order, and what
they teach then has another sign.
What is left in "own times" is, each found by putting it into the oracle and finding NEST's weights to 1e-13:

- At one time NEST has the postsynaptic spike first, and transmits with the weight after it. Here the presynaptic one is
  first (docs/semantics.md). Off the grid there are no such times; at 1 ms one spike in 45 has one.
- Where a postsynaptic spike comes at the time of a presynaptic one and is the first since the one before it,
  stdp_nn_restr_synapse pairs the presynaptic spike with the last postsynaptic one before it, though this one was paired
  already; the one at this time is never paired with a later presynaptic spike.
- stdp_nn_symm_synapse and stdp_nn_restr_synapse pair postsynaptic spikes that come before the first presynaptic one
  with a presynaptic spike at t = 0 that there was not. No step makes it go away.
- With precise times NEST counts where in its step a postsynaptic spike is, and of a presynaptic one only the step: the
  interval between them is off by half a step on average, always in one direction, so that the median error at 0.1 ms
  is up to 20 times that of the grid. tsodyks_synapse and tsodyks2_synapse have the grid's times.
"""

import argparse
import fnmatch
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
PAIRS, DURATION, RATE, SEED = 4, 20_000.0, 20.0, 1  # synapses, ms, Hz
DELAY, TAU_SENT = 1.0, 2.0  # ms; dendritic, and of the current in which transmitted weights are seen
STEPS = ((1.0, False), (0.1, False), (0.01, False), (0.1, True))  # ms, whether precise


class Case(NamedTuple):
    """A rule of ours and its keywords, NEST's synapse, its parameters and those of the neuron behind it, the weight."""

    rule: str
    keywords: dict[str, Any]
    nest: str
    synapse: dict[str, float]
    neuron: dict[str, float]
    weight: float


def stdp(pairing: str, nest: str) -> Case:
    """Guetig's rule, between additive and multiplicative, with a tau_minus that is not tau_plus."""
    keywords = {"lambda_": 0.01, "alpha": 1.05, "mu_plus": 0.4, "mu_minus": 0.4, "tau_plus": 17.0, "tau_minus": 34.0}
    synapse = {"lambda": 0.01, "alpha": 1.05, "mu_plus": 0.4, "mu_minus": 0.4, "tau_plus": 17.0}
    return Case("STDP", keywords | {"pairing": pairing}, nest, synapse, {"tau_minus": 34.0}, 50.0)


CASES = (
    stdp("all", "stdp_synapse"),
    stdp("nearest_symmetric", "stdp_nn_symm_synapse"),
    stdp("nearest_pre_centered", "stdp_nn_pre_centered_synapse"),
    stdp("nearest_restricted", "stdp_nn_restr_synapse"),
    Case("PowerLawSTDP", {"lambda_": 0.1, "alpha": 0.1}, "stdp_pl_synapse_hom", {"alpha": 0.1}, {}, 50.0),
    Case("TripletSTDP", {}, "stdp_triplet_synapse", {}, {"tau_minus": 33.7, "tau_minus_triplet": 125.0}, 50.0),
    Case("VogelsSTDP", {"alpha": 0.8}, "vogels_sprekeler_synapse", {"alpha": 0.8}, {}, 0.5),
    Case("TsodyksMarkram", {"U": 0.2, "tau_fac": 500.0, "tau_psc": 3.0}, "tsodyks_synapse",
         {"U": 0.2, "tau_fac": 500.0}, {}, 50.0),
    Case("TsodyksMarkram", {"U": 0.2, "tau_fac": 500.0}, "tsodyks2_synapse",
         {"U": 0.2, "u": 0.2, "tau_fac": 500.0}, {}, 50.0),
)  # fmt: skip


class Seen(NamedTuple):
    """What each presynaptic spike of a synapse was transmitted with, and the times at which it was done (ms)."""

    sent: np.ndarray
    pre: np.ndarray
    post: np.ndarray


# ---- in the environment of NEST: nothing of eventsnn may be imported here


def nest_seen(case: Case, step: float, precise: bool, trains: dict[str, np.ndarray]) -> list[Seen]:
    import nest

    nest.verbosity = nest.VerbosityLevel.ERROR
    nest.ResetKernel()
    nest.set(resolution=step)
    kind, mode = ("_ps", "precise_times") if precise else ("", "allow_offgrid_times")
    weights = nest.Create("weight_recorder")
    nest.CopyModel(case.nest, "plastic", {**case.synapse, "weight_recorder": weights})
    sides = [nest.Create("parrot_neuron" + kind, PAIRS) for _ in range(2)]
    sides[1].set(case.neuron)
    for side, neurons in zip(("pre", "post"), sides, strict=True):
        for k in range(PAIRS):
            source = nest.Create("spike_generator", params={mode: True, "spike_times": trains[f"{side}{k}"]})
            nest.Connect(source, neurons[k], syn_spec={"delay": DELAY})
    # A parrot does not repeat what comes to this receptor.
    synapse = {"synapse_model": "plastic", "weight": case.weight, "delay": DELAY, "receptor_type": 1}
    nest.Connect(*sides, "one_to_one", synapse)
    recorder = nest.Create("spike_recorder")
    nest.Connect(sides[0] + sides[1], recorder)
    nest.Simulate(DURATION + 10.0)
    sent, spikes = weights.events, recorder.events
    found = []
    for before, behind in zip(*sides, strict=True):
        pre, post = (np.sort(spikes["times"][spikes["senders"] == n.global_id]) for n in (before, behind))
        mine = sent["weights"][sent["senders"] == before.global_id]
        if precise:
            pre = np.ceil(pre / step) * step
        found.append(Seen(mine, pre, post + DELAY))
    return found


def worker(nest: str, step: str, precise: str, source: str, out: str) -> None:
    case = next(case for case in CASES if case.nest == nest)
    found = nest_seen(case, float(step), precise == "True", dict(np.load(source)))
    np.savez(out, **{f"{name}{k}": column for k, one in enumerate(found) for name, column in one._asdict().items()})


# ---- here


def in_nest(python: str, case: Case, step: float, precise: bool, source: str) -> list[Seen] | None:
    """What NEST does, in its own environment; None, with a line, if it does not run."""
    with tempfile.TemporaryDirectory() as folder:
        out = str(Path(folder) / "seen.npz")
        command = [python, str(Path(__file__).resolve()), "--worker", case.nest, str(step), str(precise), source, out]
        done = subprocess.run(command, capture_output=True, text=True, cwd=folder)
        if done.returncode:
            print(f"{case.nest} at {step:g} ms: skipped, {(done.stderr.strip() or 'failed').splitlines()[-1]}")
            return None
        found = np.load(out)
        return [Seen(*(found[f"{name}{k}"] for name in Seen._fields)) for k in range(PAIRS)]


def draw() -> dict[str, np.ndarray]:
    """Trains that end early enough for all to arrive."""
    rng = np.random.default_rng(SEED)
    mean = RATE * DURATION / 1000.0
    return {
        f"{side}{k}": np.sort(rng.uniform(0.0, DURATION, rng.poisson(mean)))
        for k in range(PAIRS)
        for side in ("pre", "post")
    }


def ours(case: Case, trains: dict[str, np.ndarray]) -> list[Seen]:
    """Neurons that are perfect integrators, fired by kicks; their current falls by TAU_SENT between samples."""
    import eventsnn as esn

    pre, post = ([trains[f"{side}{k}"] for k in range(PAIRS)] for side in ("pre", "post"))
    net = esn.Network(seed=SEED)
    before = net.population(PAIRS, esn.SpikeSource(pre), name="before")
    model = esn.IF(("ex",), C_m=1e9, E_L=0.0, V_th=1.0, V_reset=0.0, t_ref=0.0, tau_syn_ex=TAU_SENT)
    behind = net.population(PAIRS, model, name="behind")
    kicks = net.population(PAIRS, esn.SpikeSource(post), name="kicks")
    net.connect(kicks, behind, esn.OneToOne(), weight=2.0, delay=0.0, port="delta")
    rule = getattr(esn, case.rule)(**case.keywords)
    net.connect(
        before, behind, esn.OneToOne(), weight=case.weight, axonal_delay=0.0, dendritic_delay=DELAY,
        port="ex", plasticity=rule,
    )  # fmt: skip
    arrivals = np.unique(np.concatenate(pre) + DELAY)
    net.record(behind, "I_syn_ex", times=arrivals, name="current")
    results = net.run(DURATION + 10.0)
    found = []
    for k in range(PAIRS):
        fired = results.spikes["behind"].times[results.spikes["behind"].ids == k]
        assert np.array_equal(fired, post[k])
        came = pre[k] + DELAY
        level = results.traces["current"].I_syn_ex[k, np.searchsorted(arrivals, came)]
        left = level[:-1] * np.exp(-np.diff(came) / TAU_SENT)
        found.append(Seen(level - np.concatenate([[0.0], left]), pre[k], fired + DELAY))
    return found


def exact(case: Case, pre: np.ndarray, post: np.ndarray) -> np.ndarray:
    import oracle_plasticity

    return np.array(
        oracle_plasticity.history(case.rule, case.weight, pre.tolist(), post.tolist(), **case.keywords).sent
    )


def errors(case: Case, seen: list[Seen], expected: list[np.ndarray]) -> np.ndarray:
    return np.concatenate([np.abs(one.sent - right) / right for one, right in zip(seen, expected, strict=True)])


def row(name: str, step: str, off: np.ndarray, own: float | None = None) -> str:
    own_times = "" if own is None else f"{own:.1e}"
    return f"  {name:34}{step:14}{off.max():8.1e}  {np.median(off):8.1e}  {own_times:>9}".rstrip()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nest-python", metavar="PYTHON")
    parser.add_argument("--rules", nargs="*", metavar="PATTERN", default=["*"], help="of NEST's synapses")
    options = parser.parse_args()
    sys.path.insert(0, str(ROOT / "tests" / "support"))
    from accuracy_peers import interpreter

    nest = interpreter(options.nest_python, "NEST_PYTHON", "nest")
    trains = draw()
    print(f"  {'':34}{'step':14}{'largest':>8}  {'median':>8}  {'own times':>9}")
    with tempfile.TemporaryDirectory() as folder:
        source = str(Path(folder) / "trains.npz")
        np.savez(source, **trains)
        for case in CASES:
            if not any(fnmatch.fnmatchcase(case.nest, pattern) for pattern in options.rules):
                continue
            right = [exact(case, trains[f"pre{k}"], trains[f"post{k}"] + DELAY) for k in range(PAIRS)]
            named = [f"{name}={value}" for name, value in case.keywords.items() if name in ("pairing", "tau_psc")]
            print(row(" ".join([case.rule, *named]), "none", errors(case, ours(case, trains), right)), flush=True)
            for step, precise in STEPS if nest else ():
                seen = in_nest(nest, case, step, precise, source)
                if seen is not None:
                    own = errors(case, seen, [exact(case, one.pre, one.post) for one in seen]).max()
                    label = f"{step:g}" + (", precise" if precise else "")
                    print(row(case.nest, label, errors(case, seen, right), own), flush=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--worker"]:
        worker(*sys.argv[2:])
    else:
        main()
