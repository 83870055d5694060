def philox4x32(key: int, c0: int, c1: int, c2: int, c3: int) -> tuple[int, int, int, int]: ...
def most_lanes() -> int:
    """How many Philox blocks this processor draws side by side: 8, 4 or 1; `lanes` below is 8, 4 or 1 and not more."""

def eight_uniforms(lanes: int, key: int, c0: int, c1: int, c2: int, c3: int) -> list[float]:
    """The numbers in [0, 1) of four blocks."""

def cell_at_once(
    lanes: int, key: int, stream: int, mean: float, exp_minus_mean: float, start: float, end: float
) -> list[float] | None:
    """Spike times in cell 0 of a Poisson process, or None if there are too many to be drawn at once."""

def poisson_cell_times(
    key: int, stream: int, cell: int, mean: float, exp_minus_mean: float, start: float, width: float, level: int = 0
) -> list[float]: ...
