"""Elementary functions that have the same bits on every machine, within 1 ulp of the exact value (sin_turns: 2.5,
atan2: 1.5).

Special values are those of C: nothing raises, log(0) is -inf and log(-1) is nan.
"""

def exp(x: float) -> float:
    """e^x."""

def expm1(x: float) -> float:
    """e^x - 1, without cancellation near 0."""

def log(x: float) -> float:
    """Natural logarithm of x."""

def log1p(x: float) -> float:
    """log(1 + x), without cancellation near 0."""

def sin_turns(x: float) -> float:
    """sin(2 pi x): the angle in full turns."""

def atan2(y: float, x: float) -> float:
    """The angle of the point (x, y), from -pi to pi."""
