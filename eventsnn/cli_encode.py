"""`eventsnn encode`: an image, a sound or an event recording becomes a file of spike trains."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import fields
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import numpy as np
import typer
from rich.table import Table

from eventsnn.console import console, input_errors, interrupts
from eventsnn.errors import InputError, suggest
from eventsnn.settings import Parameter, defaults_text, settings_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from eventsnn.encode import Code, Trains

Picture = Callable[[], "Figure"]


def encode(
    file: Annotated[
        Path | None, typer.Argument(metavar="IMAGE|WAV|EVENTS", help="An image, a WAV file or an event recording.")
    ] = None,
    code: Annotated[
        str | None, typer.Option(metavar="NAME", help="The code; if left out, image for images, cochlea for sound.")
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="Set a parameter of the code; may be given repeatedly."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="File for the spike trains; NAME.spikes.h5 here if left out.")
    ] = None,
    plot: Annotated[bool, typer.Option("--plot", help="Draw a picture beside it, such as NAME.spikes.png.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace the files if they are there already.")] = False,
    list_codes: Annotated[bool, typer.Option("--list", help="Explain the codes and their parameters.")] = False,
) -> None:
    """Turn an image, a sound or an event recording into spike trains.

    Images are read as grey from 0 (black) to 1 (white). The events of a recording are spikes already and take no code.
    The file can be read with eventsnn.encode.load, or as spikes in the SONATA layout.
    """
    with input_errors(), interrupts("interrupted; nothing is written"):
        if list_codes:
            _list_codes()
            return
        if file is None:
            raise InputError("encode needs an image, a WAV file or an event recording; --list explains the codes")
        target = out or Path(f"{file.stem}.spikes.h5")
        picture = target.with_suffix(".png")
        for path in (target, picture) if plot else (target,):
            if path.exists() and file.exists() and path.samefile(file):
                raise InputError(f"{path} is the file to be encoded and would be lost; name another one with --out")
            if path.exists() and not force:
                raise InputError(f"{path} exists already; name another file with --out, or pass --force to replace it")
        trains, draw = _encoded(file, code, settings or [])
        trains.save(target, force=force)
        screen = console()
        screen.print(f"{trains!r}", soft_wrap=True)
        screen.print(str(target), soft_wrap=True)
        if plot:
            _save_picture(draw, picture)
            screen.print(str(picture), soft_wrap=True)


def _encoded(file: Path, name: str | None, settings: list[str]) -> tuple[Trains, Picture]:
    """The spike trains of a file, and what draws them."""
    if not file.is_file():
        raise InputError(f"{file} {'is a folder' if file.is_dir() else 'does not exist'}; name a file")
    kind = _kind(file)
    if kind == "events":
        return _events(file, name, settings)
    given: dict[str, Any] = {}
    if kind == "sound":
        from eventsnn.encode import read_wav

        rate, sound = read_wav(file)
        given = {"sample_rate": rate, "dt": 1000.0 / rate}
        x = sound[np.newaxis]
    else:
        x = _read_image(file)[np.newaxis]
    chosen = _code(kind, name, settings, given)
    trains = chosen.encode(x)
    from eventsnn.encode import Cochlea, Image

    if isinstance(chosen, Image):
        return trains, partial(chosen.plot, x[0])
    return trains, partial(chosen.plot, trains) if isinstance(chosen, Cochlea) else trains.plot


def _kind(file: Path) -> str:
    """ "image", "sound" or "events", by how the file begins."""
    from PIL import Image, UnidentifiedImageError

    with file.open("rb") as opened:
        start = opened.read(12)
    if start[:4] in (b"RIFF", b"RIFX", b"RF64") and start[8:] == b"WAVE":
        return "sound"
    try:
        with Image.open(file):
            return "image"
    except UnidentifiedImageError:
        return "events"
    except (OSError, ValueError, Image.DecompressionBombError) as error:
        raise InputError(f"{file} cannot be read as an image: {error}") from None


def _read_image(file: Path) -> np.ndarray:
    """Grey values in [0, 1], shape (height, width)."""
    from PIL import Image

    try:
        with Image.open(file) as image:
            return np.asarray(image.convert("L"), dtype=np.float64) / 255.0
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise InputError(f"{file} is truncated, damaged or too large for an image: {error}") from None


def _events(file: Path, name: str | None, settings: list[str]) -> tuple[Trains, Picture]:
    from eventsnn.events import read

    if name is not None or settings:
        raise InputError(f"{file} is read as an event recording, which takes no code; leave --code and --set out")
    recording = read(file)
    return recording.to_trains(), recording.plot


def _code(kind: str, name: str | None, settings: list[str], given: dict[str, Any]) -> Code:
    """The code of this name, with the file's own values for parameters that it has and that are not set."""
    from eventsnn.encode import CODES

    known = [key for key, cls in CODES.items() if cls.takes == kind]
    name = known[0] if name is None else name
    if name not in known:
        takes = f", which takes {_TAKES[CODES[name].takes]}," if name in CODES else ""
        what = {"image": "an image", "sound": "a sound"}[kind]
        raise InputError(f"--code {name}{takes} cannot be used for {what}; {suggest(name, known)}")
    parameters = _parameters(CODES[name])
    values = settings_of(f"code {name}", parameters, settings)
    own = {key: value for key, value in given.items() if key in parameters}
    return CODES[name](**{**own, **values})


def _parameters(code: type[Code]) -> dict[str, Parameter]:
    """Those parameters of a code that can be set by a text."""
    hints = get_type_hints(code)
    return {
        field.name: Parameter(field.name, hints[field.name], field.default)
        for field in fields(code)  # type: ignore[arg-type]
        if field.name != "code"
    }


_TAKES = {"image": "images", "sound": "sound", "signal": "signals"}


def _list_codes() -> None:
    from eventsnn.encode import CODES

    table = Table("code", "takes", "what it does", "parameters and defaults")
    for name, code in CODES.items():
        first, _, _ = (inspect.getdoc(code) or "").partition("\n\n")
        table.add_row(name, _TAKES[code.takes], " ".join(first.split()), defaults_text(_parameters(code)))
    screen = console()
    screen.print(table)
    screen.print("eventsnn encode FILE --code NAME --set parameter=value; help(eventsnn.encode.Latency) says more.")


def _save_picture(draw: Picture, path: Path) -> None:
    import matplotlib

    matplotlib.use("Agg")
    try:
        draw().savefig(path, dpi=150)
    except OSError as error:
        raise InputError(f"picture {path} cannot be written: {error}") from error
