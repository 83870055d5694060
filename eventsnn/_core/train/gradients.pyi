import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

class Net:
    weights: int
    entries: int
    def __init__(
        self,
        stages: Ints,
        windows: Floats,
        fans: Ints,
        constants: Floats,
        neuron: Ints,
        port: NDArray[np.int8],
        delay: Floats,
        weight: Floats,
        initial: Floats,
        output: Ints,
        branches: Ints,
        branch: NDArray[np.int32],
    ) -> None: ...
    def set_constants(self, constants: Floats) -> None: ...
    def set_least_slope(self, least_slope: float) -> None: ...
    def set_windows(self, windows: Floats) -> None: ...

class Tapes:
    n: int
    def __init__(self, net: Net, n: int, place: Ints, fan: Ints) -> None: ...
    def forward(
        self,
        begin: int,
        end: int,
        start: Ints,
        neuron: Ints,
        time: Floats,
        duration: float,
        keeps: bool,
        tracks: bool,
        first: Floats,
        peak: Floats,
        integral: Floats,
        fired: Ints,
        chunk: int,
    ) -> tuple[int, int] | None: ...
    def backward(
        self,
        begin: int,
        end: int,
        first: Floats,
        spike_start: Ints,
        spikes: Floats,
        peak: Floats,
        integral: Floats,
        weight: Floats,
        delay: Floats,
        tau: Floats,
        start: Ints,
        input: Floats,
    ) -> None: ...
    def spikes(self, i: int, only_outputs: bool) -> tuple[Ints, Floats]: ...
