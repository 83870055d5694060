"""Turns `name=value` texts into typed values: parameters of scenarios and of codes on the command line."""

from __future__ import annotations

import types
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Union, get_args, get_origin

from eventsnn.base.errors import InputError, suggest

_TRUTH = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


@dataclass(frozen=True)
class Parameter:
    """A parameter that can be set by its name, such as one of a scenario's `build`: annotated type and default."""

    name: str
    annotation: Any
    default: Any


def settings_of(owner: str, parameters: Mapping[str, Parameter], settings: Sequence[str]) -> dict[str, Any]:
    """The typed values of several `name=value` texts.

    A value is read as the parameter's annotation says: int (1_000 and 1e4 too), float, bool (true/false/yes/no/1/0),
    str, a Literal's choices, tuple[float, ...] with commas, and unions of these, where `none` stands for None. Raises
    InputError, naming the owner, for a text without `=`, an unknown name, one given twice and a value of another type.
    """
    values: dict[str, Any] = {}
    for setting in settings:
        name, value = _setting(owner, parameters, setting)
        if name in values:
            raise InputError(f"{owner}: {name} is given twice, as {values[name]!r} and {value!r}")
        values[name] = value
    return values


def defaults_text(parameters: Mapping[str, Parameter]) -> str:
    """All parameters and their defaults as `n=12500, g=5.0`."""
    return ", ".join(f"{name}={default_text(parameter.default)}" for name, parameter in parameters.items())


def default_text(value: Any) -> str:
    """A default as it is listed: a long tuple by its length alone."""
    return f"{len(value)} numbers" if isinstance(value, tuple) and len(value) > 3 else repr(value)


def _setting(owner: str, parameters: Mapping[str, Parameter], setting: str) -> tuple[str, Any]:
    name, equals, text = setting.partition("=")
    name, text = name.strip(), text.strip()
    if not equals:
        known = defaults_text(parameters) or "none"
        raise InputError(f"--set takes name=value, not {setting!r}; the parameters are {known}")
    if name not in parameters:
        raise InputError(f"{owner} has no parameter {name!r}; {suggest(name, parameters)}")
    parameter = parameters[name]
    try:
        return name, _convert(text, parameter.annotation)
    except ValueError:
        raise InputError(
            f"{owner}: {name} must be {_type_text(parameter.annotation)} (default {parameter.default!r}), not {text!r}"
        ) from None


def _convert(text: str, annotation: Any) -> Any:
    """The value of `text` as the annotated type; ValueError if it is none."""
    if annotation is bool:
        if text.lower() not in _TRUTH:
            raise ValueError(text)
        return _TRUTH[text.lower()]
    if annotation is int:
        return _integer(text)
    if annotation is float or annotation is str:
        return annotation(text)
    if annotation is None or annotation is types.NoneType:
        if text.lower() != "none":
            raise ValueError(text)
        return None
    if get_origin(annotation) is Literal:
        for choice in get_args(annotation):
            if str(choice) == text:
                return choice
        raise ValueError(text)
    if get_origin(annotation) is tuple:
        return tuple(_convert(part.strip(), get_args(annotation)[0]) for part in text.split(","))
    # None first: `str | None` would otherwise take the word none for a text.
    for member in sorted(get_args(annotation), key=lambda member: member is not types.NoneType):
        try:
            return _convert(text, member)
        except ValueError:
            continue
    raise ValueError(text)


def _integer(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        number = float(text)
        # Above 2**53 the nearest float may be another integer than the one that was written.
        if not number.is_integer() or abs(number) > 2**53:
            raise
        return int(number)


def _type_text(annotation: Any) -> str:
    if annotation is bool:
        return "true or false"
    if annotation is types.NoneType:
        return "none"
    if get_origin(annotation) is Literal:
        return "one of " + ", ".join(str(choice) for choice in get_args(annotation))
    if get_origin(annotation) is tuple:
        return "numbers with commas"
    if get_args(annotation):
        return " or ".join(_type_text(member) for member in get_args(annotation))
    return {int: "an int", float: "a float", str: "a text"}[annotation]


def is_supported(annotation: Any) -> bool:
    """Whether a text can be read as a value of this type."""
    if get_origin(annotation) in (Union, types.UnionType):
        return all(is_supported(member) for member in get_args(annotation))
    if annotation == tuple[float, ...]:
        return True
    return annotation in (int, float, bool, str, types.NoneType) or get_origin(annotation) is Literal
