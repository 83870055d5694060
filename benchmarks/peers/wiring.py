"""The rule "wiring": who connects to whom in a network with the degrees and weights of a connectome."""

from typing import Any, NamedTuple

import numpy as np

LOTS = 16  # of the median neuron


class Synapses(NamedTuple):
    """A synapse for each connected pair, in order of `pre` and then `post`."""

    pre: np.ndarray
    post: np.ndarray
    weight: np.ndarray  # contacts of the pair x weight of a contact, with the sign of the source


def synapses(made: dict[str, Any], neurons: int) -> Synapses:
    """The same in every process: a seed, and streams that NumPy promises never to change.

    Out-degrees are lognormal, and so are in-degrees: a neuron has lots, of which each synapse draws one. A part
    `inside` of all synapses draws from the community of its source, the others from everyone. A community is made of
    neurons one after the other, which are given other numbers at the end, all but the first `driven`: these are
    excitatory, and have the longest rows of their community. A pair has at least k contacts with probability
    k^-`tail`, up to `most`.
    """
    draws = np.random.RandomState(made["seed"])
    degree = draws.lognormal(0.0, made["spread"], neurons)
    degree = np.minimum(np.rint(degree * made["synapses"] / degree.sum()).astype(np.int64), neurons // 4)
    degree[: made["community"]] = np.sort(degree[: made["community"]])[::-1]
    share = 1 + np.rint(LOTS * draws.lognormal(0.0, made["spread"], neurons)).astype(np.int64)
    lots, bound = np.repeat(np.arange(neurons), share), np.concatenate([[0], np.cumsum(share)])

    pre = np.repeat(np.arange(neurons), degree)
    inside = draws.random_sample(pre.size) < made["inside"]
    community = np.arange(neurons) // made["community"] * made["community"]
    first = bound[community]
    span = bound[np.minimum(community + made["community"], neurons)] - first
    u = draws.random_sample(pre.size)
    post = lots[np.where(inside, first[pre] + np.floor(u * span[pre]), np.floor(u * lots.size)).astype(np.int64)]

    number = np.concatenate([np.arange(made["driven"]), made["driven"] + draws.permutation(neurons - made["driven"])])
    pairs = np.sort(number[pre] * neurons + number[post])
    pairs = pairs[np.diff(pairs, prepend=-1) > 0]
    contacts = np.minimum(np.floor(draws.random_sample(pairs.size) ** (-1.0 / made["tail"])), made["most"])
    sign = np.where(draws.random_sample(neurons) < made["excitatory"], 1.0, -1.0)
    sign[: made["driven"]] = 1.0
    pre, post = np.divmod(pairs, neurons)
    return Synapses(pre, post, contacts * sign[pre] * made["contact"])


def counts(network: dict[str, Any], spikes: np.ndarray) -> dict[str, int]:
    """The synaptic events of spikes of these neurons, for networks where the mean number of synapses does not tell."""
    rows = [p["rule"][1] for p in network["projections"] if p["rule"][0] == "wiring"]
    if not rows:
        return {}
    n = sum(network["populations"].values())
    return {"events": sum(int(np.bincount(synapses(made, n).pre, minlength=n)[spikes].sum()) for made in rows)}
