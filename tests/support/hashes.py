"""Hashes of all spikes, samples and final states: of every scenario and of 200 random networks.

A change that must change no bit, such as a move of code, leaves all lines as they are:

    python tests/support/hashes.py > before.txt
    ... the change ...
    python tests/support/hashes.py | diff before.txt -

Without --scenarios and --networks both are run; --seeds 0 50 runs the first 50 networks. --threads: no line depends on
it either.
"""

from __future__ import annotations

import argparse
import hashlib
from collections.abc import Iterator

from event_log import Threaded, event_log
from random_networks import random_network

import eventsnn as esn
from eventsnn.cli import scenario

SEEDS = range(200)
STOP = 40.0  # ms


def hash_of(network: esn.Network, stop: float, threads: int) -> str:
    digest = hashlib.sha256()
    for name, values in sorted(event_log(Threaded(network.compile(), threads), stop).items()):
        digest.update(f"{name} {len(values)} ".encode())
        digest.update(values)
    return digest.hexdigest()


def of_scenarios(threads: int) -> Iterator[tuple[str, str]]:
    for name in scenario.available():
        loaded = scenario.load(name)
        yield f"scenario {name}", hash_of(loaded.build(**loaded.defaults()), loaded.duration, threads)


def of_networks(threads: int, seeds: range = SEEDS) -> Iterator[tuple[str, str]]:
    for seed in seeds:
        yield f"network {seed}", hash_of(random_network(seed, STOP, others=True), STOP, threads)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scenarios", action="store_true")
    parser.add_argument("--networks", action="store_true")
    parser.add_argument("--seeds", type=int, nargs=2, metavar=("FIRST", "STOP"))
    parser.add_argument("--threads", type=int, default=1, metavar="N")
    options = parser.parse_args()
    both = not (options.scenarios or options.networks or options.seeds)
    if options.scenarios or both:
        show(of_scenarios(options.threads))
    if options.networks or options.seeds or both:
        show(of_networks(options.threads, range(*options.seeds) if options.seeds else SEEDS))


def show(hashes: Iterator[tuple[str, str]]) -> None:
    for name, digest in hashes:
        print(name, digest, flush=True)


if __name__ == "__main__":
    main()
