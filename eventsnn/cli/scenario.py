"""Finds scenarios by name or file and turns `name=value` texts into the typed arguments of their `build`."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import math
import pkgutil
import reprlib
import sys
import traceback
import types
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from eventsnn.base.errors import InputError, suggest
from eventsnn.cli.neighbours import among_neighbours, neighbours
from eventsnn.cli.settings import Parameter, is_supported, settings_of
from eventsnn.network import Network
from eventsnn.results.files import sha256
from eventsnn.results.results import Check, Results

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Scenario:
    """A network that can be built, with its duration in ms and, optionally, expected values and a picture.

    `file` is the user's own file, None for a scenario that comes with the package.
    """

    name: str
    title: str
    description: str
    parameters: dict[str, Parameter]
    duration: float
    file: Path | None
    build: Callable[..., Network]
    run: Callable[..., dict[str, Any]] | None
    check: Callable[[Results], list[Check]] | None
    plot: Callable[[Results], Figure] | None

    def defaults(self) -> dict[str, Any]:
        """The value of every parameter when none is set."""
        return {name: parameter.default for name, parameter in self.parameters.items()}

    def simulate(self, network: Network, duration: float, parameters: dict[str, Any], **options: Any) -> dict[str, Any]:
        """Run a network for `duration` ms, as the scenario says or in one go; what the scenario has measured.

        A scenario's `run` with a parameter `training` is told there whether it shall show how training goes.
        """
        if self.run is None:
            network.run(duration, **options)
            return {}
        named = {}
        if "training" in inspect.signature(self.run).parameters:
            # A function is told of runs, not of epochs.
            named["training"] = options.get("progress") is True
        # Of many short runs each would draw a bar of its own.
        return self.run(network, duration, self.defaults() | parameters, **options | {"progress": False}, **named)

    def notes(self, parameters: dict[str, Any], duration: float) -> dict[str, Any]:
        """What a folder says of the scenario, with the SHA-256 of the file if it is a user's own."""
        return {
            "name": self.name,
            "file": str(self.file) if self.file else None,
            "sha256": sha256(self.file) if self.file else None,
            "parameters": self.defaults() | parameters,
            "duration": duration,
        }

    def note(
        self, results: Results, parameters: dict[str, Any], duration: float, live: dict[str, Any] | None = None
    ) -> None:
        """Write into the summary which scenario this was and what it has measured, as `check` and `plot` look it up
        there."""
        results.summary["scenario"] = self.notes(parameters, duration)
        if self.run is not None:
            results.summary["live"] = live or {}


@dataclass(frozen=True)
class Prepared:
    """A scenario with its parameters. Made by `eventsnn.scenario`.

    `network` is that of the scenario, built when it is first asked for; `run` goes on where it stands.
    """

    scenario: Scenario
    parameters: dict[str, Any]

    @cached_property
    def network(self) -> Network:
        return self.scenario.build(**self.parameters)

    def run(self, duration: float | None = None, **options: Any) -> Results:
        """Simulate for `duration` ms, the scenario's own if left out; options are those of Network.run."""
        duration = self.scenario.duration if duration is None else duration
        live = self.scenario.simulate(self.network, duration, self.parameters, **options)
        results = self.network.results()
        self.scenario.note(results, self.parameters, duration, live)
        return results

    def check(self, results: Results) -> list[Check]:
        """What the scenario compares with published or derived figures, for a run of its whole duration."""
        return list(self.scenario.check(results)) if self.scenario.check else []

    def plot(self, results: Results) -> Figure:
        """The scenario's own picture, or the general one where it has none."""
        if not self.scenario.plot:
            return results.plot()
        from eventsnn.results.picture import shown  # matplotlib takes long to import

        return shown(self.scenario.plot(results))


def scenario(name: str | Path, /, **parameters: Any) -> Prepared:
    """A scenario by its name, or one in a file of your own, with these parameters in place of its defaults.

    Its results are what the command line saves: `s = esn.scenario("brunel", g=4.5)`, `results = s.run()`,
    `s.check(results)`, `s.plot(results)`. Raises InputError for an unknown scenario or parameter.
    """
    loaded = load(name)
    for given in parameters:
        if given not in loaded.parameters:
            raise InputError(f"scenario {loaded.name} has no parameter {given!r}; {suggest(given, loaded.parameters)}")
    return Prepared(loaded, parameters)


def available() -> list[str]:
    """The names of the scenarios that come with the package, in alphabetical order."""
    package = importlib.import_module("eventsnn.scenarios")
    return sorted(module.name for module in pkgutil.iter_modules(package.__path__) if not module.name.startswith("_"))


def load(name_or_path: str | Path) -> Scenario:
    """The scenario of that name, or the one in the user's own .py file.

    Raises InputError for an unknown name, a file that is missing or fails when imported, and a module that is not a
    scenario. The file is executed.
    """
    if not isinstance(name_or_path, str | Path):
        raise InputError(f"scenario = {reprlib.repr(name_or_path)} is neither the name of one nor the path of a file")
    text = str(name_or_path)
    if text.endswith(".py") or "/" in text or "\\" in text:
        path = Path(name_or_path)
        if path.suffix != ".py" or not path.is_file():
            raise InputError(f"scenario file {path} does not exist or is not a .py file")
        path = path.absolute()
        with neighbours(path.parent):
            module = _import(str(name_or_path), lambda: _execute(path))
        return _scenario(path.stem, module, path.resolve())
    names = available()
    if text not in names:
        raise InputError(
            f"unknown scenario {text!r} ({suggest(text, names)}); `eventsnn list` shows all of them, and a file of "
            "your own is given by its path, such as ./mine.py"
        )
    return _scenario(text, _import(text, lambda: importlib.import_module(f"eventsnn.scenarios.{text}")), None)


def parse_settings(scenario: Scenario, settings: Sequence[str]) -> dict[str, Any]:
    """The values of several `name=value` texts, as the annotations of `build` say; see eventsnn.settings."""
    return settings_of(f"scenario {scenario.name}", scenario.parameters, settings)


def _execute(path: Path) -> types.ModuleType:
    name = f"eventsnn_scenario_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"Python finds no way to import {path}")
    module = importlib.util.module_from_spec(spec)
    # Registered first, as an import statement does: dataclasses look their own module up there.
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _import(label: str, execute: Callable[[], types.ModuleType]) -> types.ModuleType:
    try:
        return execute()
    except (Exception, SystemExit) as error:
        raise InputError(f"scenario {label} cannot be imported: {_place(error)}{_text_of(error)}") from error


def _place(error: BaseException) -> str:
    """Where in the scenario the error arose, as `file, line n: `: its own line, not the library's below it."""
    if isinstance(error, SyntaxError):
        return f"{error.filename}, line {error.lineno}: "
    own = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if frame.filename not in (__file__, importlib.__file__) and not frame.filename.startswith("<frozen ")
    ]
    # The first such frame is the scenario's module level; the last one in the same file is the line at fault.
    lines = [frame.lineno for frame in own if frame.filename == own[0].filename]
    return f"{own[0].filename}, line {lines[-1]}: " if own else ""


def _text_of(error: BaseException) -> str:
    message = error.msg if isinstance(error, SyntaxError) else str(error)
    return f"{type(error).__name__}: {message}" if message else type(error).__name__


def _scenario(name: str, module: types.ModuleType, file: Path | None) -> Scenario:
    def reject(reason: str) -> InputError:
        return InputError(f"{file or name} is not a scenario: {reason}")

    build = getattr(module, "build", None)
    if not callable(build):
        raise reject("it defines no function build(...) -> eventsnn.Network")
    duration = getattr(module, "DURATION", None)
    if not isinstance(duration, (int, float)) or isinstance(duration, bool):
        raise reject("it defines no number DURATION, the time to simulate in ms, such as DURATION = 1000.0")
    if not (math.isfinite(duration) and duration > 0):
        raise reject(f"DURATION must be a finite number of ms above 0, not {duration!r}")
    functions: dict[str, Any] = {name: getattr(module, name, None) for name in ("build", "run", "check", "plot")}
    if file is not None:
        folder = Path(str(module.__file__)).parent
        functions = {name: function and among_neighbours(function, folder) for name, function in functions.items()}
    title, _, description = (inspect.getdoc(module) or name).partition("\n")
    return Scenario(
        name=name,
        title=title.strip().removesuffix("."),
        description=description.strip(),
        parameters={
            parameter.name: _parameter(parameter, module, reject)
            for parameter in inspect.signature(build).parameters.values()
        },
        duration=float(duration),
        file=file,
        **functions,
    )


def _parameter(
    parameter: inspect.Parameter, module: types.ModuleType, reject: Callable[[str], InputError]
) -> Parameter:
    where = f"parameter {parameter.name} of build"
    if parameter.kind not in (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY):
        raise reject(f"{where} cannot be given by its name")
    if parameter.default is inspect.Parameter.empty:
        raise reject(f"{where} has no default")
    if parameter.annotation is inspect.Parameter.empty:
        raise reject(f"{where} has no type, such as {parameter.name}: float = {parameter.default!r}")
    annotation = parameter.annotation
    if isinstance(annotation, str):
        try:
            # A module with `from __future__ import annotations` keeps its annotations as text.
            annotation = eval(annotation, vars(module))
        except Exception as error:
            raise reject(f"{where} has the type {annotation!r}, which fails with {_text_of(error)}") from error
    if not is_supported(annotation):
        raise reject(
            f"{where} has the type {annotation!r}; allowed are int, float, bool, str, Literal, None and unions"
        )
    if not isinstance(parameter.default, (bool, int, float, str, types.NoneType)):
        raise reject(f"{where} has the default {parameter.default!r}; allowed are numbers, texts, True, False and None")
    return Parameter(parameter.name, annotation, parameter.default)
