"""Does the cortical microcircuit fire as its community's protocol asks, and how fast does it run?

Motivation: mean rates alone hide much. The protocol (github.com/INM-6/microcircuit-PD14-model; J. Senk et al. (2026),
Neuromorph Comput Eng 6:012001) compares distributions. Networks of ten seeds start from optimised potentials, with
Poisson input, and the first 500 ms are dropped. Three distributions are taken in each population:

    rate         spikes of a neuron in a second; all neurons, silent ones too
    CV           coefficient of variation of the interspike intervals of a neuron; neurons with 3 spikes or more
    correlation  correlation coefficient of the spike counts of two neurons in bins of 2 ms; all pairs of 200 neurons,
                 drawn without a look at their spikes; pairs in which one is silent have none (S. J. van Albada et al.
                 (2018), Front Neuroinform 12:291)

Beside the means of CV and correlation stands how many neurons and pairs have one. CV and correlation depend on the
duration, so that only runs of the same one can be compared.

Each distribution is compared between all pairs of seeds by the Kolmogorov-Smirnov distance: the largest difference of
two cumulative distributions, from 0 for the same to 1. These distances are the scatter of the model. Another simulator
is right if its distance from these networks is no larger. "By chance" is the mean distance of two independent samples
of as many continuous values from one distribution. Rates are multiples of one spike, which makes the distance less.
Networks differ from seed to seed, and pairs share neurons, which makes it more.

The real-time factor is the wall time of the simulation after the dropped part, over the time that it simulates. Spikes
are recorded meanwhile. The protocol asks for 10 s at least for speed, and for 15 minutes for the distributions.

Run: python benchmarks/microcircuit.py [--seeds N] [--first-seed N] [--scale PART] [--duration MS] [--dropped MS]
[--threads N] [--weights float32] [--save FILE.npz]. In full (the default) it takes 3.4 GB. A long run can be done in
parts, each with its --save; python benchmarks/microcircuit.py --join FILE ... prints the tables of all of them. A file
is written after each seed, so that a run that ends early keeps what it has.

Result, 2026-11-29, 2-core AMD EPYC virtual machine with AVX-512, in full, ten seeds, 10 s after 500 ms, two processes
of five seeds each side by side on the two cores; built in 14 to 21 s, real-time factors 16.4 to 18.5, and 28 where
another program ran as well:

                             rate (Hz)      CV             neurons    correlation               pairs
               mean     std  published
    L23E      0.853   0.010      0.903   0.771    15,762 of 20,683        0.00179    17,563 of 19,900
    L23I      2.916   0.009      2.965   0.852      5,763 of 5,834        0.00118    19,880 of 19,900
    L4E       4.411   0.014      4.414   0.847    21,798 of 21,915        0.00201    19,880 of 19,900
    L4I       5.853   0.007      5.876   0.841      5,467 of 5,479        0.00091    19,900 of 19,900
    L5E       7.572   0.113      7.569   0.814      4,843 of 4,850        0.00404    19,900 of 19,900
    L5I       8.595   0.014      8.633   0.785      1,064 of 1,065        0.00077    19,900 of 19,900
    L6E       1.127   0.008      1.105   0.786    10,882 of 14,395        0.00046    16,822 of 19,900
    L6I       7.809   0.012      7.829   0.792      2,945 of 2,948        0.00040    19,900 of 19,900

                                      rate                            CV                   correlation
                  mean   largest by chance      mean   largest by chance      mean   largest by chance
    L23E        0.0100    0.0190    0.0085    0.0087    0.0147    0.0098    0.0550    0.1059    0.0093
    L23I        0.0134    0.0243    0.0161    0.0136    0.0211    0.0162    0.0502    0.1152    0.0087
    L4E         0.0082    0.0130    0.0083    0.0091    0.0160    0.0083    0.0314    0.0559    0.0087
    L4I         0.0151    0.0265    0.0166    0.0175    0.0306    0.0166    0.0320    0.0750    0.0087
    L5E         0.0195    0.0355    0.0176    0.0163    0.0286    0.0177    0.0234    0.0485    0.0087
    L5I         0.0303    0.0507    0.0376    0.0334    0.0548    0.0377    0.0168    0.0329    0.0087
    L6E         0.0088    0.0144    0.0102    0.0136    0.0255    0.0118    0.0680    0.1292    0.0095
    L6I         0.0179    0.0322    0.0226    0.0224    0.0345    0.0226    0.0203    0.0381    0.0087

All rates are those of the paper, 0.86, 4.45, 7.59 and 1.09 Hz for the excitatory populations; "published" is the mean
of one run of 1 s, in which layer 2/3 fires a little more. Distributions of rates and CV differ between seeds as chance
has it. Those of correlations differ by more: 19,900 pairs are of 200 neurons, and share what the whole network does.
"""

import argparse
import itertools
import json
import math
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.stats import ks_2samp

import eventsnn as esn
from eventsnn.scenarios.microcircuit import POPULATIONS, build

Floats = NDArray[np.float64]

SAMPLED = 200  # neurons of a population whose pairs are correlated
BIN = 2.0  # ms
STATISTICS = ("rate", "CV", "correlation")
# Mean of Kolmogorov's distribution: of sqrt(n m / (n + m)) times the distance of samples of n and m values.
CHANCE = math.sqrt(math.pi / 2.0) * math.log(2.0)


class Settings(NamedTuple):
    """What the seeds that are compared have in common."""

    scale: float
    duration: float  # ms, without the dropped part
    dropped: float  # ms
    weights: str


class Performance(NamedTuple):
    seed: int
    threads: int
    spikes: int
    build: float  # s, from nothing to the compiled network
    wall: float  # s, after the dropped part


class Seed(NamedTuple):
    """One network: its values of each statistic, by population and statistic."""

    performance: Performance
    values: dict[tuple[str, str], Floats]


def measure(settings: Settings, seed: int, threads: int) -> Seed:
    began = time.perf_counter()
    net = build(scale=settings.scale, seed=seed)
    for projection in net.projections.values():
        projection.dtype = settings.weights  # the scenario leaves no choice, and nothing is drawn before compile
    simulation = net.compile(threads=threads)
    build_time = time.perf_counter() - began
    simulation.run(settings.dropped, threads=threads)
    began = time.perf_counter()
    results = simulation.run(settings.duration, threads=threads, keep="new")
    wall = time.perf_counter() - began
    values: dict[tuple[str, str], Floats] = {}
    for number, population in enumerate(POPULATIONS):
        trains = results.spikes[population.name]
        sampled = np.random.default_rng([seed, number]).permutation(trains.n)[:SAMPLED]
        cvs = trains.cv()
        of_population = (
            trains.counts() / (settings.duration / 1000.0),
            cvs[~np.isnan(cvs)],
            correlations(trains[sampled]),
        )
        values |= {(population.name, name): array for name, array in zip(STATISTICS, of_population, strict=True)}
    spikes = sum(len(trains) for trains in results.spikes.values())
    return Seed(Performance(seed, threads, spikes, build_time, wall), values)


def correlations(trains: esn.SpikeTrains) -> Floats:
    """Of the spike counts of each pair of neurons; a pair in which one never changes its count has none."""
    bins = int((trains.t_stop - trains.t_start) / BIN)
    place = ((trains.times - trains.t_start) / BIN).astype(np.int64)
    whole = place < bins  # a last bin that is cut short is left out
    ones = np.ones(np.count_nonzero(whole), dtype=np.int64)
    # Nearly all counts are 0: a sparse matrix makes a quarter of an hour fit. Sums of products are whole numbers, so
    # that subtracting the means loses nothing.
    counts = sparse.csr_matrix((ones, (trains.rows[whole], place[whole])), shape=(trains.n, bins))
    sums = counts.sum(axis=1).A1
    covariance = bins * (counts @ counts.T).toarray() - np.outer(sums, sums)
    varies = np.diag(covariance) > 0
    kept = covariance[np.ix_(varies, varies)].astype(np.float64)
    deviation = np.sqrt(np.diag(kept))
    return (kept / np.outer(deviation, deviation))[np.triu_indices(deviation.size, 1)]


# ---- files


def save(path: Path, settings: Settings, seeds: list[Seed]) -> None:
    arrays: dict[str, Any] = {"settings": json.dumps(settings._asdict())}
    for seed in seeds:
        number = seed.performance.seed
        arrays[f"{number}/performance"] = json.dumps(seed.performance._asdict())
        arrays |= {f"{number}/{name}/{statistic}": array for (name, statistic), array in seed.values.items()}
    part = path.with_name(path.name + ".part")
    with part.open("wb") as file:
        np.savez_compressed(file, **arrays)
    os.replace(part, path)  # a run that is ended while it writes leaves the file of the seeds before


def join(paths: list[Path]) -> tuple[Settings, list[Seed]]:
    """All seeds of all files, which must have been run with the same settings."""
    found: dict[int, Seed] = {}
    settings = None
    for path in paths:
        with np.load(path) as file:
            own = Settings(**json.loads(str(file["settings"])))
            if (settings := settings or own) != own:
                raise SystemExit(f"{path} has {own}, but {paths[0]} has {settings}: they cannot be joined")
            for name in [name for name in file.files if name.endswith("/performance")]:
                performance = Performance(**json.loads(str(file[name])))
                number = performance.seed
                if number in found:
                    raise SystemExit(f"{path} has seed {number}, as a file before it: seeds must differ")
                keys = itertools.product([population.name for population in POPULATIONS], STATISTICS)
                found[number] = Seed(performance, {key: file[f"{number}/{'/'.join(key)}"] for key in keys})
    assert settings is not None
    return settings, [found[number] for number in sorted(found)]


# ---- tables


def performance_line(performance: Performance, settings: Settings) -> str:
    factor = 1000.0 * performance.wall / settings.duration
    return (
        f"{performance.seed:8}{performance.threads:10}{performance.build:12.1f}{performance.wall:12.1f}{factor:20.2f}"
        f"{performance.spikes:14,}"
    )


def statistics_table(seeds: list[Seed]) -> str:
    """Means over seeds; those of CV and correlation are over the values that there are, and how many is said."""
    text = f"{'':8}{'rate (Hz)':>26}{'CV':>8}{'neurons':>20}{'correlation':>15}{'pairs':>20}\n"
    text += f"{'':8}{'mean':>7}{'std':>8}{'published':>11}\n"
    for population in POPULATIONS:
        rates, cvs, pairs = ([seed.values[population.name, statistic] for seed in seeds] for statistic in STATISTICS)
        means = [array.mean() for array in rates]
        std = np.std(means, ddof=1) if len(seeds) > 1 else math.nan
        neurons = rates[0].size
        sampled = min(neurons, SAMPLED)
        text += f"{population.name:8}{np.mean(means):7.3f}{std:8.3f}{population.rate:11.3f}"
        text += f"{mean_of(cvs):8.3f}{share(cvs, neurons):>20}"
        text += f"{mean_of(pairs):15.5f}{share(pairs, sampled * (sampled - 1) // 2):>20}\n"
    return text


def mean_of(samples: list[Floats]) -> float:
    means = [array.mean() for array in samples if array.size]
    return float(np.mean(means)) if means else math.nan


def share(samples: list[Floats], n: int) -> str:
    return f"{np.mean([array.size for array in samples]):,.0f} of {n:,}"


def distances_table(seeds: list[Seed]) -> str:
    """Kolmogorov-Smirnov distances between all pairs of seeds that have values."""
    text = f"{'':8}" + "".join(f"{statistic:>30}" for statistic in STATISTICS) + "\n"
    text += f"{'':8}" + f"{'mean':>10}{'largest':>10}{'by chance':>10}" * len(STATISTICS) + "\n"
    for population in POPULATIONS:
        text += f"{population.name:8}"
        for statistic in STATISTICS:
            samples = [seed.values[population.name, statistic] for seed in seeds]
            pairs = list(itertools.combinations([sample for sample in samples if sample.size], 2))
            # Other methods than asymp differ in the p-value, which is not used.
            found = [ks_2samp(first, second, method="asymp").statistic for first, second in pairs] or [math.nan]
            chance = [CHANCE * math.sqrt(1.0 / first.size + 1.0 / second.size) for first, second in pairs] or [math.nan]
            text += f"{np.mean(found):10.4f}{max(found):10.4f}{np.mean(chance):10.4f}"
        text += "\n"
    return text


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=10, metavar="N", help="how many")
    parser.add_argument("--first-seed", type=int, default=1, metavar="N")
    parser.add_argument("--scale", type=float, default=1.0, metavar="PART", help="of the neurons; 1 is all of them")
    parser.add_argument("--duration", type=float, default=10_000.0, metavar="MS", help="after the dropped part")
    parser.add_argument("--dropped", type=float, default=500.0, metavar="MS")
    parser.add_argument("--threads", type=int, default=1, metavar="N")
    parser.add_argument("--weights", choices=["float64", "float32"], default="float64")
    parser.add_argument("--save", type=Path, metavar="FILE.npz", help="a new file for the values of each seed")
    parser.add_argument("--join", type=Path, nargs="+", metavar="FILE", help="saved files; nothing is simulated")
    options = parser.parse_args(arguments)
    if options.duration < BIN or options.seeds < 1:
        parser.error(f"--duration must be {BIN:g} ms or more and --seeds 1 or more")
    if options.save and (options.save.exists() or not options.save.parent.is_dir()):
        parser.error(f"--save: {options.save} exists already, or its folder does not")
    return options


def main(arguments: Sequence[str] | None = None) -> None:
    options = parse(arguments)
    settings = Settings(options.scale, options.duration, options.dropped, options.weights)
    seeds: list[Seed] = []
    if options.join:
        settings, seeds = join(options.join)
    print(
        f"scale {settings.scale:g}, {settings.duration:g} ms after {settings.dropped:g}, {settings.weights} weights\n"
    )
    print(f"{'seed':>8}{'threads':>10}{'build (s)':>12}{'wall (s)':>12}{'real-time factor':>20}{'spikes':>14}")
    for seed in seeds:
        print(performance_line(seed.performance, settings))
    if not options.join:
        for number in range(options.first_seed, options.first_seed + options.seeds):
            seeds.append(measure(settings, number, options.threads))
            print(performance_line(seeds[-1].performance, settings), flush=True)
            if options.save:
                save(options.save, settings, seeds)
    print(f"\nMeans over seeds, of which there are {len(seeds)}\n\n{statistics_table(seeds)}")
    if len(seeds) > 1:
        print(f"Kolmogorov-Smirnov distances between seeds\n\n{distances_table(seeds)}")


if __name__ == "__main__":
    main()
