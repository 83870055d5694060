"""The elementary functions: error against mpmath, special values, order across seams, and the same bits everywhere."""

import hashlib
import math
import random
import struct
from collections.abc import Callable, Iterator

import mpmath  # type: ignore[import-untyped]
import pytest

from eventsnn._core.base import mathfunc

FUNCTIONS = {name: getattr(mathfunc, name) for name in ("exp", "expm1", "log", "log1p")}
LN2 = math.log(2.0)
INF = math.inf
TINY = 5e-324

RANGES = [
    ("exp", -0.35, 0.35),
    ("exp", -30.0, 0.0),
    ("exp", -708.0, 709.78),
    ("expm1", -0.05, 0.0),
    ("expm1", -0.07, 0.07),
    ("expm1", 0.0625, 0.3466),
    ("expm1", 0.3465, 0.4),
    ("expm1", -2.5, 2.5),
    ("expm1", -40.0, -30.0),
    ("expm1", 30.0, 45.0),
    ("expm1", 45.0, 709.78),
    ("log", 0.5, 0.71),
    ("log", 0.69, 0.7072),
    ("log", 0.7, 1.45),
    ("log", 0.999, 1.001),
    ("log", 1.4, 3.0),
    ("log1p", -0.31, -0.29),
    ("log1p", -1.0, 0.0),
    ("log1p", -0.3, 0.42),
    ("log1p", 0.41, 0.6),
    ("log1p", 0.6, 10.0),
]


def error_in_ulp(name: str, x: float) -> float:
    """Distance of the function's value from the exact one, in units of the exact value's last place."""
    with mpmath.workprec(160):
        exact = getattr(mpmath, name)(mpmath.mpf(x))
        if exact == 0:
            return 0.0 if FUNCTIONS[name](x) == 0.0 else INF
        exponent = max(mpmath.frexp(exact)[1] - 53, -1074)
        return float(abs(mpmath.mpf(FUNCTIONS[name](x)) - exact) * mpmath.mpf(2) ** -exponent)


def at_all_scales(generator: random.Random, low: int, high: int, count: int) -> Iterator[float]:
    """Numbers with uniform significand and uniform exponent, 2^low <= x < 2^high."""
    for _ in range(count):
        yield math.ldexp(generator.uniform(1.0, 2.0), generator.randrange(low, high))


def neighbours(centre: float, count: int) -> Iterator[float]:
    """The 2 count + 1 doubles around a centre, ascending."""
    x = centre
    for _ in range(count):
        x = math.nextafter(x, -INF)
    for _ in range(2 * count + 1):
        yield x
        x = math.nextafter(x, INF)


@pytest.mark.parametrize(("name", "low", "high"), RANGES)
def test_error_is_below_seven_tenths_of_an_ulp(name: str, low: float, high: float) -> None:
    generator = random.Random(f"{name} {low} {high}")
    worst = max((generator.uniform(low, high) for _ in range(2000)), key=lambda x: error_in_ulp(name, x))
    assert error_in_ulp(name, worst) < 0.7, worst


@pytest.mark.parametrize(
    ("name", "low", "high", "sign"),
    [
        ("expm1", -1022, -1, 1.0),
        ("expm1", -60, 0, -1.0),
        ("log", -1022, 1024, 1.0),
        ("log", -1074, -1022, 1.0),
        ("log1p", -1022, -1, 1.0),
        ("log1p", -60, 0, -1.0),
        ("log1p", 0, 1024, 1.0),
        ("log1p", 48, 58, 1.0),
    ],
)
def test_error_over_all_magnitudes(name: str, low: int, high: int, sign: float) -> None:
    arguments = at_all_scales(random.Random(f"{name} {low} {high}"), low, high, 2000)
    worst = max((sign * x for x in arguments), key=lambda x: error_in_ulp(name, x))
    assert error_in_ulp(name, worst) < 0.7, worst


def test_log1p_close_to_its_pole() -> None:
    arguments = [-1.0 + x for x in at_all_scales(random.Random(1), -53, -3, 2000)]
    assert max(error_in_ulp("log1p", x) for x in arguments) < 0.7


def test_exp_underflows_gradually() -> None:
    generator = random.Random(2)
    assert max(error_in_ulp("exp", generator.uniform(-745.1, -708.0)) for _ in range(2000)) < 0.85


@pytest.mark.parametrize(
    ("name", "seam"),
    [
        ("exp", LN2 / 2),
        ("exp", -LN2 / 2),
        ("exp", -1021.5 * LN2),
        ("exp", 1022.5 * LN2),
        ("expm1", 1 / 16),
        ("expm1", -1 / 16),
        ("expm1", LN2 / 2),
        ("expm1", -LN2 / 2),
        ("expm1", 1.5 * LN2),
        ("expm1", -36.0),
        ("expm1", 53.5 * LN2),
        ("expm1", 39.0),
        ("log", math.sqrt(0.5)),
        ("log", math.sqrt(2.0)),
        ("log", 1.0),
        ("log", 2.2250738585072014e-308),
        ("log1p", -0.5),
        ("log1p", -0.2928),
        ("log1p", 0.4142),
        ("log1p", 1.0),
    ],
)
def test_seams_keep_order_and_error(name: str, seam: float) -> None:
    arguments = list(neighbours(seam, 1000))
    values = [FUNCTIONS[name](x) for x in arguments]
    assert values == sorted(values)
    assert max(error_in_ulp(name, x) for x in arguments[900:1100]) < 0.75


@pytest.mark.parametrize(
    ("name", "x", "expected"),
    [
        ("exp", 0.0, 1.0),
        ("exp", -0.0, 1.0),
        ("exp", INF, INF),
        ("exp", -INF, 0.0),
        ("exp", 709.782712893384, 1.7976931348622732e308),
        ("exp", 709.7827128933841, INF),
        ("exp", 1e308, INF),
        ("exp", -745.1332191019411, TINY),
        ("exp", -745.1332191019412, 0.0),
        ("exp", -1e308, 0.0),
        ("exp", TINY, 1.0),
        ("expm1", 0.0, 0.0),
        ("expm1", -0.0, -0.0),
        ("expm1", TINY, TINY),
        ("expm1", -TINY, -TINY),
        ("expm1", INF, INF),
        ("expm1", -INF, -1.0),
        ("expm1", -1e308, -1.0),
        ("expm1", 709.7827128933841, INF),
        ("log", 1.0, 0.0),
        ("log", 0.0, -INF),
        ("log", -0.0, -INF),
        ("log", INF, INF),
        ("log", TINY, -744.4400719213812),
        ("log", 1.7976931348623157e308, 709.782712893384),
        ("log1p", 0.0, 0.0),
        ("log1p", -0.0, -0.0),
        ("log1p", TINY, TINY),
        ("log1p", -TINY, -TINY),
        ("log1p", -1.0, -INF),
        ("log1p", INF, INF),
    ],
)
def test_special_values(name: str, x: float, expected: float) -> None:
    value = FUNCTIONS[name](x)
    assert value == expected
    assert math.copysign(1.0, value) == math.copysign(1.0, expected)


@pytest.mark.parametrize("function", FUNCTIONS.values(), ids=FUNCTIONS)
def test_nan_stays_nan(function: Callable[[float], float]) -> None:
    assert math.isnan(function(math.nan))


@pytest.mark.parametrize(
    ("name", "x"), [("log", -TINY), ("log", -INF), ("log1p", -1.0000000000000002), ("log1p", -INF)]
)
def test_outside_the_domain_is_one_nan_on_every_machine(name: str, x: float) -> None:
    assert struct.pack("<d", FUNCTIONS[name](x)).hex() == "000000000000f87f"


@pytest.mark.parametrize(
    ("name", "low", "high", "digest"),
    [
        ("exp", -745.0, 709.0, "10f9f88323f0be37"),
        ("exp", -1.0, 1.0, "7ae27a4c71121bc8"),
        ("expm1", -40.0, 40.0, "c332f59cc9edbd6c"),
        ("expm1", -1.0, 1.0, "f75ba7fe0cdfe7be"),
        ("expm1", -0.0625, 0.0625, "e219bd96914cb633"),
        ("log", 0.6875, 0.71, "4eaa4fbea1021556"),
        ("log", 0.01, 4.0, "be1dd76194b1af7b"),
        ("log1p", -0.3125, -0.2928, "e5c6636721482116"),
        ("log1p", -0.9, 1.0, "456a82ea7644aa6e"),
    ],
)
def test_bits_are_those_of_every_other_machine(name: str, low: float, high: float, digest: str) -> None:
    """Fails where the compiler fuses or reorders: fused multiply-add changes 5 to 200 results in a million."""
    count = 1 << 17
    values = [FUNCTIONS[name](low + (high - low) * (i / count)) for i in range(count)]
    assert hashlib.sha256(struct.pack(f"<{count}d", *values)).hexdigest()[:16] == digest


def test_sin_turns_is_the_sine_of_so_many_full_turns() -> None:
    generator = random.Random(5)
    scales = (1e-9, 0.25, 0.5, 1.0, 30.0, 1e6, 1e15)
    arguments = [generator.uniform(-scale, scale) for scale in scales for _ in range(3000)]
    with mpmath.workprec(200):
        exact = [mpmath.sin(2 * mpmath.pi * mpmath.mpf(x)) for x in arguments]
        errors = [abs(mathfunc.sin_turns(x) - e) for x, e in zip(arguments, exact, strict=True)]
        assert max(errors) < 3e-16
        assert max(d / abs(e) for d, e in zip(errors[:6000], exact, strict=False)) < 2.5 * 2.0**-52


def test_sin_turns_at_quarters_and_beyond() -> None:
    for turns in (0.0, 3.0, -7.0, 1e15, 2.0**51 + 1.0, 2.0**52 + 1.0, 1e300):
        assert mathfunc.sin_turns(turns) == 0.0
        if abs(turns) < 2.0**51:
            assert mathfunc.sin_turns(turns + 0.25) == pytest.approx(1.0, abs=3e-16)
            assert mathfunc.sin_turns(turns - 0.25) == pytest.approx(-1.0, abs=3e-16)
            assert mathfunc.sin_turns(turns + 0.5) == 0.0
    for x in (0.1, 0.24, 0.26, 0.3, 0.49):
        assert mathfunc.sin_turns(-x) == -mathfunc.sin_turns(x)
    assert all(math.isnan(mathfunc.sin_turns(x)) for x in (INF, -INF, math.nan))


def test_atan2_is_an_angle_to_an_ulp_or_so() -> None:
    generator = random.Random(6)
    points = [(generator.uniform(-1.0, 1.0), generator.uniform(-1.0, 1.0)) for _ in range(10000)]
    points += [(generator.uniform(0.9, 1.1) * q, 1.0) for q in (0.1, 0.1875, 0.5, 0.9375, 1.0) for _ in range(1000)]
    points += [(y, 1.0) for y in at_all_scales(generator, -1022, 1024, 2000)]
    points += [(y, -1.0) for y in at_all_scales(generator, -1022, 1024, 2000)]
    for y, x in points:
        with mpmath.workprec(160):
            exact = mpmath.atan2(mpmath.mpf(y), mpmath.mpf(x))
            ulp = mpmath.mpf(2) ** max(mpmath.frexp(exact)[1] - 53, -1074)
            assert abs(mathfunc.atan2(y, x) - exact) < 1.5 * ulp, (y, x)


def test_atan2_turns_with_its_point_across_seams() -> None:
    for q in (0.1, *(j / 8 + 1 / 16 for j in range(1, 8)), 1.0):
        values = [mathfunc.atan2(y, 1.0) for y in neighbours(q, 1000)]
        assert all(b - a > -(2.0**-52) for a, b in zip(values, values[1:], strict=False))
        assert values[-1] > values[0]


def test_atan2_at_zeros_and_infinities_is_that_of_c() -> None:
    special = (0.0, -0.0, 1.0, -1.0, INF, -INF, TINY, -TINY, 1e308)
    for y in special:
        for x in special:
            value = mathfunc.atan2(y, x)
            assert value == math.atan2(y, x)
            assert math.copysign(1.0, value) == math.copysign(1.0, math.atan2(y, x))
    assert math.isnan(mathfunc.atan2(math.nan, 1.0))
    assert math.isnan(mathfunc.atan2(1.0, math.nan))


def test_bits_of_atan2_are_those_of_every_other_machine() -> None:
    count = 1 << 16
    values = [mathfunc.atan2(i - 20000.5, 13000.25 - 0.37 * i) for i in range(count)]
    assert hashlib.sha256(struct.pack(f"<{count}d", *values)).hexdigest()[:16] == "392c4167e1c7ce2a"
