"""The engine's queues alone, driven by a list of what is to be done: for their tests and benchmarks/queues.py."""

from numpy import float64, int32, int64
from numpy.typing import NDArray

def replay_wakes(
    n: int,
    width: float,
    stop: NDArray[float64],
    begin: NDArray[int64],
    neuron: NDArray[int32],
    time: NDArray[float64],
) -> tuple[NDArray[int32], NDArray[int64]]:
    """Neurons whose events lie before stop[0], then sets[begin[0]:begin[1]] of (neuron, time); and so on.

    Returns the neurons taken and, for every stop, how many in all.
    """

def replay_rows(
    width: float,
    stop: NDArray[float64],
    begin: NDArray[int64],
    time: NDArray[float64],
    key: NDArray[int64],
) -> tuple[NDArray[int64], NDArray[int64]]:
    """Rows that arrive before stop[0], in their order, then rows begin[0] to begin[1] - 1 are pushed; and so on.

    key[i] is (round, projection, row, ordinal, first) of row i. Returns the rows taken and, for every stop, how many in
    all.
    """
