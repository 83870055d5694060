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

from eventsnn.base.errors import InputError, suggest
from eventsnn.base.paths import as_path, existing, require_free
from eventsnn.cli.console import console, input_errors, interrupts
from eventsnn.cli.settings import Parameter, defaults_text, settings_of
from eventsnn.encode import CODES, Cochlea, Code, Image, Trains, read_wav
from eventsnn.events import read

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Picture = Callable[[], "Figure"]

# White, in images with more than 8 bits a pixel: what Pillow calls I has 16 bits in most files.
LARGEST = {"I;16": 65535, "I;16L": 65535, "I;16B": 65535, "I": 65535, "F": 1}
# Scales (pixels) of on and off cells, each for images of so many times as many pixels in height and width.
SIGMAS, SMALLEST = (1, 2, 4, 8), 16


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

    Images are read as grey from 0 (black) to 1 (white), of several the first; --set sample_rate= resamples a sound. The
    events of a recording are spikes already and take no code. The file can be read with eventsnn.encode.load, or as
    spikes in the SONATA layout.
    """
    with input_errors(), interrupts("interrupted; nothing is written"):
        if list_codes:
            _list_codes()
            return
        if file is None:
            raise InputError("encode needs an image, a WAV file or an event recording; --list explains the codes")
        target = as_path(out or f"{file.stem}.spikes.h5", "the file of spike trains")
        picture = target.with_suffix(".png")
        _require_free(file, target, picture if plot else None, force)
        trains, draw = _encoded(file, code, settings or [])
        trains.save(target, force=force)
    with input_errors(), interrupts(f"interrupted; {target} is written, its picture is not"):
        screen = console()
        screen.print(f"{trains!r}", soft_wrap=True)
        screen.print(str(target), soft_wrap=True)
        if plot:
            _save_picture(draw, picture)
            screen.print(str(picture), soft_wrap=True)


def _require_free(file: Path, target: Path, picture: Path | None, force: bool) -> None:
    """Raise InputError if a file that is written would take the place of another, unless force, or of the input."""
    if picture == target:
        raise InputError(f"{target} would be the file of spike trains and its picture; name another file with --out")
    existing(file, "the file")
    for path, what in ((target, "the file of spike trains"), (picture, "the picture")):
        if path is not None:
            require_free(path, what, True)
            if path.exists() and path.samefile(file):
                raise InputError(f"{path} is the file to be encoded and would be lost; name another one with --out")
            require_free(path, what, force)


def _encoded(file: Path, name: str | None, settings: list[str]) -> tuple[Trains, Picture]:
    """The spike trains of a file, and what draws them."""
    kind = _kind(file)
    if kind == "events":
        return _events(file, name, settings)
    cls, values = _code(kind, name, settings)
    if kind == "sound":
        sound, given = _read_sound(file, values)
        x = sound[np.newaxis]
    else:
        x = _read_image(file)[np.newaxis]
        given = {
            "sigmas": tuple(float(sigma) for sigma in SIGMAS if sigma == 1 or SMALLEST * sigma <= min(x.shape[1:]))
        }
    parameters = _parameters(cls)
    chosen = cls(**{key: value for key, value in {**given, **values}.items() if key in parameters})
    trains = chosen.encode(x)
    if isinstance(chosen, Image):
        return trains, partial(chosen.plot, x[0])
    return trains, partial(chosen.plot, trains) if isinstance(chosen, Cochlea) else trains.plot


def _kind(file: Path) -> str:
    """ "image", "sound" or "events", by how the file begins."""
    from PIL import Image, UnidentifiedImageError

    try:
        with file.open("rb") as opened:
            start = opened.read(12)
        if start[:4] in (b"RIFF", b"RIFX", b"RF64") and start[8:] == b"WAVE":
            return "sound"
        with Image.open(file):
            return "image"
    except UnidentifiedImageError:
        return "events"
    except (OSError, ValueError, Image.DecompressionBombError) as error:
        raise InputError(f"{file} cannot be read: {getattr(error, 'strerror', None) or error}") from None


def _read_image(file: Path) -> np.ndarray:
    """Grey values in [0, 1], shape (height, width), upright."""
    from PIL import Image, ImageOps

    try:
        with Image.open(file) as image:
            upright = ImageOps.exif_transpose(image)
            if upright.mode not in LARGEST:
                return np.asarray(upright.convert("L"), dtype=np.float64) / 255.0
            pixels = np.asarray(upright, dtype=np.float64) / LARGEST[upright.mode]
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise InputError(f"{file} is truncated, damaged or too large for an image: {error}") from None
    if pixels.size and not (pixels.min() >= 0.0 and pixels.max() <= 1.0):
        low, high = (LARGEST[upright.mode] * bound for bound in (pixels.min(), pixels.max()))
        raise InputError(
            f"{file} has grey values from {low:g} to {high:g}, not 0 to {LARGEST[upright.mode]}; scale them"
        )
    return pixels


def _read_sound(file: Path, values: dict[str, Any]) -> tuple[np.ndarray, dict[str, Any]]:
    """The sound of a file, at the rate that is wanted, and the parameters that say its rate."""
    wanted = values.get("sample_rate")
    if wanted is not None and wanted == round(wanted):
        wanted = round(wanted)  # read_wav refuses what is no whole number
    rate, sound = read_wav(file, wanted)
    if "dt" in values:
        raise InputError(f"--set dt={values['dt']:g} would stretch {file}, whose samples are {1000 / rate:g} ms apart")
    return sound, {"sample_rate": rate, "dt": 1000.0 / rate}


def _events(file: Path, name: str | None, settings: list[str]) -> tuple[Trains, Picture]:
    if name is not None or settings:
        raise InputError(f"{file} is read as an event recording, which takes no code; leave --code and --set out")
    try:
        recording = read(file)
    except InputError as error:
        if "known kind" not in str(error):
            raise
        raise InputError(f"{file} begins like no image, WAV file or event recording that can be read") from None
    return recording.to_trains(), recording.plot


def _code(kind: str, name: str | None, settings: list[str]) -> tuple[type[Code], dict[str, Any]]:
    """The code of this name and the parameters that are set."""
    known = [key for key, cls in CODES.items() if cls.takes == kind]
    name = known[0] if name is None else name
    if name not in known:
        takes = f", which takes {_TAKES[CODES[name].takes]}," if name in CODES else ""
        what = {"image": "an image", "sound": "a sound"}[kind]
        raise InputError(f"--code {name}{takes} cannot be used for {what}; {suggest(name, known)}")
    return CODES[name], settings_of(f"code {name}", _parameters(CODES[name]), settings)


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
