"""`eventsnn resume` and `eventsnn verify`: runs that go on, or are done again, from what they have recorded
of themselves.

A folder never says which file is executed: a user's own scenario has to be named again, and must be what it was.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from eventsnn.base.errors import InputError, RunawayError, StateError
from eventsnn.base.paths import claimed
from eventsnn.cli.console import CHECK_FAILED, console, input_errors, interrupts
from eventsnn.cli.running import REQUEST, Request, build, simulate_and_report
from eventsnn.cli.scenario import Scenario, available, load
from eventsnn.results.files import DAMAGE, SUMMARY, plain, sha256
from eventsnn.results.fingerprint import difference
from eventsnn.results.results import Results
from eventsnn.results.results import load as load_results

_FORMAT = "eventsnn scenario"

Folder = Annotated[Path, typer.Argument(metavar="DIR", help="Folder of the run, such as runs/brunel.")]
OwnFile = Annotated[
    Path | None,
    typer.Option("--scenario", metavar="FILE", help="The scenario's file, if it is your own."),
]
Threads = Annotated[int, typer.Option(metavar="N", min=1, help="Upper bound of the threads that simulate.")]
Memory = Annotated[
    float | None,
    typer.Option(metavar="GB", help="Memory that the network and its samples may take; what is free if left out."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the summary as JSON on stdout, and no tables.")]


def write_request(request: Request, folder: Path) -> None:
    """Note in a folder what is to be simulated, for `resume`."""
    content = {
        "format": _FORMAT, "scenario": request.scenario.notes(request.parameters, request.duration),
        "engine": request.engine, "plot": request.plot, "checkpoint_every": request.checkpoint_every,
    }  # fmt: skip
    (folder / REQUEST).write_text(json.dumps(plain(content), indent=2), encoding="utf-8")


def resume(
    folder: Folder, scenario: OwnFile = None, threads: Threads = 1, limit_memory: Memory = None, as_json: AsJson = False
) -> None:
    """Go on with a run that was interrupted, from its last checkpoint to its end.

    The results are those of a run that was never interrupted, bit for bit, whatever the number of threads. Checkpoints
    are written by `eventsnn run --checkpoint-every MS`.
    """
    with input_errors(), interrupts(f"interrupted; eventsnn resume {folder} goes on from the last checkpoint"):
        if (folder / SUMMARY).exists():
            raise InputError(f"{folder}: its run has come to its end; eventsnn show {folder} prints what it holds")
        notes = _read_request(folder)
        found, parameters, duration = _recorded(notes["scenario"], folder, scenario, "resume")
        request = Request(
            found, parameters, duration, notes["engine"], threads, limit_memory, True, notes["checkpoint_every"],
            notes["plot"], not as_json,
        )  # fmt: skip
        with claimed(folder, f"{folder} cannot be gone on with"):
            network = build(request)
            network.resume(folder, None if limit_memory is None else 1e9 * limit_memory)
            console(stderr=True).print(f"{folder}: from {network.time:g} to {duration:g} ms", soft_wrap=True)
            simulate_and_report(request, network, folder, as_json)


def verify(folder: Folder, scenario: OwnFile = None, threads: Threads = 1, limit_memory: Memory = None) -> None:
    """Simulate a finished run again, from what it has recorded of itself, and compare all bits.

    Ends with 0 if they are equal, and with 1 if not, saying where they first differ.
    """
    with input_errors(), interrupts("interrupted; nothing was compared"):
        kept = load_results(folder)
        found, parameters, duration = _recorded(kept.summary.get("scenario"), folder, scenario, "verify")
        engine = kept.summary.get("engine", "compiled")
        again = _simulate_again(Request(found, parameters, duration, engine, threads, limit_memory), kept)
        equal, sentence = _compared(kept, again)
    console().print(f"{folder}: {sentence}", soft_wrap=True)
    if not equal:
        raise typer.Exit(CHECK_FAILED)


def _simulate_again(request: Request, kept: Results) -> Results:
    """The results of the same run, up to the time that those reach which were kept."""
    network = build(request)
    options = request.options(Path())
    try:
        if kept.summary.get("stopped") and request.scenario.run is None:
            network.run(until=kept.t_stop, **options)
        else:
            request.scenario.simulate(network, request.duration, request.parameters, **options)
    except RunawayError:
        pass  # which the kept one may have ended in too
    return network.results()


def _compared(kept: Results, again: Results) -> tuple[bool, str]:
    """Whether they are equal, and a sentence that says so or where they differ."""
    odd = difference(kept, again)
    versions = [results.summary.get("version") for results in (kept, again)]
    if odd is not None:
        other = "" if versions[0] == versions[1] else f"; it was run by eventsnn {versions[0]}, now by {versions[1]}"
        return False, f"different: {odd}{other}"
    try:
        mine, theirs = kept.fingerprint(), again.fingerprint()
    except StateError:
        return True, "equal, all spikes and samples; of the state in which the run ended it says nothing"
    if kept.summary.get("fingerprint") != mine:
        return False, "different: the fingerprint in its summary is not that of its spikes and samples"
    if mine == theirs:
        return True, f"equal, fingerprint {mine}"
    if kept.summary.get("stopped"):
        return True, f"equal, all spikes and samples; it was stopped within {kept.t_stop:g} ms, of which some was done"
    return False, "different: spikes and samples are equal, the state in which the run ended is not"


def _recorded(recorded: Any, folder: Path, given: Path | None, command: str) -> tuple[Scenario, dict[str, Any], float]:
    """The scenario, its parameters and the duration (ms) that a folder says it was made with."""
    if not (isinstance(recorded, Mapping) and isinstance(recorded.get("name"), str)):
        raise InputError(f"{folder} was not made by eventsnn run, so that nothing in it says how to make it again")
    parameters, duration = recorded.get("parameters"), recorded.get("duration")
    if not isinstance(parameters, Mapping) or isinstance(duration, bool) or not isinstance(duration, int | float):
        raise InputError(f"{folder} does not say with which parameters or for how long its scenario was run")
    found = _own(recorded, folder, given, command) if recorded.get("file") else _shipped(recorded["name"], given)
    unknown = [name for name in parameters if name not in found.parameters]
    if unknown:
        raise InputError(f"{folder}: scenario {found.name} has no parameter {unknown[0]!r} any more")
    values = {name: tuple(value) if isinstance(value, list) else value for name, value in parameters.items()}
    return found, values, float(duration)


def _own(recorded: Mapping[str, Any], folder: Path, given: Path | None, command: str) -> Scenario:
    """A user's file, that is the one which was run."""
    if given is None:
        raise InputError(
            f"{folder} was made by the scenario in {recorded['file']}; if you trust this file, name it: "
            f"eventsnn {command} {folder} --scenario {recorded['file']}"
        )
    if not given.is_file():
        raise InputError(f"--scenario {given} does not exist")
    if sha256(given) != recorded.get("sha256"):
        raise InputError(
            f"--scenario {given} is not what it was when {folder} was made, so that its results may be others; "
            "restore it, or run it anew"
        )
    return load(str(given.absolute()))


def _shipped(name: str, given: Path | None) -> Scenario:
    if given is not None:
        raise InputError(f"--scenario {given} is not needed: the folder was made by {name}, which eventsnn has")
    if name not in available():
        raise InputError(f"the folder was made by a scenario {name!r}, which this eventsnn does not have")
    return load(name)


def _read_request(folder: Path) -> dict[str, Any]:
    path = folder / REQUEST
    try:
        notes = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise InputError(
            f"{folder} holds no run to go on with; eventsnn run NAME --checkpoint-every MS makes one"
        ) from None
    except DAMAGE as error:
        raise InputError(f"{path} is damaged ({error}); nothing says which scenario to go on with") from None
    kinds = {"engine": str, "plot": bool, "checkpoint_every": float | int}
    if not (
        isinstance(notes, dict)
        and notes.get("format") == _FORMAT
        and all(isinstance(notes.get(name), kind) for name, kind in kinds.items())
    ):
        raise InputError(f"{path} is not what eventsnn run writes; nothing says which scenario to go on with")
    return notes
