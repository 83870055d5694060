"""Elementary functions that have the same bits on every machine, each within 1 ulp of the exact value.

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
