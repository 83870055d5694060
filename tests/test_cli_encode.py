"""`eventsnn encode`: an image, a sound and a recording become files, codes are explained, bad input is one sentence."""

import json
import subprocess
import sys
import wave
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow
from typer.testing import CliRunner

from eventsnn import encode, events
from eventsnn.cli.main import app
from eventsnn.encode import CODES, Latency


def run(*arguments):
    """Exit code, what is printed, and the error in one line."""
    result = CliRunner().invoke(app, ["encode", *map(str, arguments)])
    return result.exit_code, result.stdout, " ".join(result.stderr.split())


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Three files, in the present folder: photo.png, sound.wav, recording.bin."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(1)
    Pillow.fromarray(rng.integers(0, 256, (12, 16)).astype(np.uint8)).save("photo.png")
    with wave.open("sound.wav", "wb") as sound:
        sound.setparams((1, 2, 16_000, 0, "NONE", ""))
        tone = 0.3 * np.sin(2.0 * np.pi * 440.0 * np.arange(1600) / 16_000)
        sound.writeframes((tone * 32767).astype("<i2").tobytes())
    t = np.sort(np.round(rng.uniform(0.0, 50.0, 300), 3))
    recording = events.Events.of(t, rng.integers(0, 34, 300), rng.integers(0, 34, 300), rng.integers(0, 2, 300), 34, 34)
    events.write(recording, "recording.bin")
    return tmp_path


def test_an_image_becomes_the_trains_of_its_code(folder):
    code, printed, _ = run("photo.png", "--code", "latency", "--set", "duration=30", "--out", "spikes.h5", "--plot")
    assert code == 0 and "1 sample of 12 x 16 channels" in printed and "spikes.png" in printed
    grey = np.asarray(Pillow.open("photo.png"), dtype=np.float64) / 255.0
    expected, read = Latency(duration=30.0).encode(grey[np.newaxis]), encode.load("spikes.h5")
    assert np.array_equal(read.times, expected.times) and np.array_equal(read.ids, expected.ids)
    assert Pillow.open("spikes.png").size[0] > 500


def test_files_are_named_after_the_input_and_never_replace_it(folder):
    before = Path("photo.png").read_bytes()
    assert run("photo.png", "--plot")[0] == 0
    assert {path.name for path in folder.iterdir()} >= {"photo.spikes.h5", "photo.spikes.png"}
    assert encode.load("photo.spikes.h5").shape == (2, 12, 16)  # off and on cells
    code, _, error = run("photo.png", "--plot")
    assert code == 2 and "photo.spikes.h5 exists already" in error and "--force" in error
    assert run("photo.png", "--plot", "--force")[0] == 0
    code, _, error = run("photo.png", "--plot", "--out", "photo.h5", "--force")
    assert code == 2 and "photo.png is the file to be encoded" in error
    code, _, error = run("photo.png", "--out", "photo.png", "--force")
    assert code == 2 and "would be lost" in error
    assert Path("photo.png").read_bytes() == before


@pytest.mark.parametrize("name", [name for name, code in CODES.items() if code.takes == "image"])
def test_every_code_of_images(folder, name):
    assert run("photo.png", "--code", name)[0] == 0
    assert encode.load("photo.spikes.h5").times.size > 0


@pytest.mark.parametrize("name", [name for name, code in CODES.items() if code.takes == "sound"])
def test_every_code_of_sound(folder, name):
    chosen = ["--set", "threshold=-1.0"] if name == "bsa" else []
    assert run("sound.wav", "--code", name, *chosen, "--plot")[0] == 0
    trains = encode.load("sound.spikes.h5")
    assert trains.times.size > 0 and trains.duration == pytest.approx(100.0, abs=0.1)  # ms, whatever dt is by default


def test_sound_and_events_need_no_code(folder):
    code, printed, _ = run("sound.wav")
    assert code == 0 and "32 channels" in printed
    code, printed, _ = run("recording.bin", "--plot")
    assert code == 0 and "2 x 34 x 34 channels, 300 spikes" in printed
    assert encode.load("recording.spikes.h5").times.size == 300


def test_parameters_with_several_numbers(folder):
    assert run("photo.png", "--set", "sigmas=1, 2,4")[0] == 0
    assert encode.load("photo.spikes.h5").shape == (3, 2, 12, 16)


def test_the_list_explains_every_code():
    result = subprocess.run(
        [sys.executable, "-m", "eventsnn", "encode", "--list"],
        capture_output=True,
        text=True,
        check=True,
        env={"COLUMNS": "200", "PATH": ""},
    )
    for name, code in CODES.items():
        assert name in result.stdout
        assert (code.__doc__ or "").split()[0] in result.stdout
    assert "20 numbers" in result.stdout  # not all of them


BAD = [
    ([], "needs an image"),
    (["nothing.png"], "nothing.png does not exist"),
    (["."], "the file: '.' is no name of a file"),
    ([".."], "the file .. is no file, but a folder"),
    (["photo.png", "--out", "."], "'.' is no name of a file"),
    (["photo.png", "--out", "x.png", "--plot"], "x.png would be the file of spike trains and its picture"),
    (["sound.wav", "--code", "bsa", "--set", "dt=1"], "--set dt=1 would stretch sound.wav, whose samples are"),
    (["sound.wav", "--set", "sample_rate=8000.5"], "sample_rate = 8000.5 must be a whole number of Hz"),
    (["dark.tiff", "--code", "latency"], "dark.tiff has grey values from 0 to 2, not 0 to 1; scale them"),
    (["photo.png", "--code", "latencie"], "did you mean 'latency'?"),
    (["photo.png", "--code", "cochlea"], "--code cochlea, which takes sound, cannot be used for an image"),
    (["sound.wav", "--code", "latency"], "--code latency, which takes images, cannot be used for a sound"),
    (["photo.png", "--set", "sigma=2"], "code image has no parameter 'sigma'"),
    (["photo.png", "--set", "sigmas=2;3"], "sigmas must be numbers with commas"),
    (["photo.png", "--set", "ratio=0.5"], "Image: ratio = 0.5"),
    (["recording.bin", "--code", "latency"], "takes no code"),
    (["photo.png", "--out", "no/where.h5"], "no/where.h5 cannot be written: No such file or directory"),
    (["cut.png"], "cut.png is truncated"),
    (["text.png"], "text.png begins like no image, WAV file or event recording"),
    (["empty.wav"], "empty.wav"),
]


@pytest.mark.parametrize(("arguments", "words"), BAD, ids=[" ".join(arguments) for arguments, _ in BAD])
def test_bad_input_is_one_sentence(folder, arguments, words):
    Path("cut.png").write_bytes(Path("photo.png").read_bytes()[:120])
    Path("text.png").write_text("no picture at all")
    Path("empty.wav").write_bytes(b"")
    Pillow.fromarray(np.array([[0.0, 2.0]], dtype=np.float32)).save("dark.tiff")
    before = {path.name for path in folder.iterdir()}
    code, printed, error = run(*arguments)
    assert code == 2 and words in error and error.startswith("eventsnn: ") and printed == ""
    assert {path.name for path in folder.iterdir()} == before


def test_spikes_can_be_read_as_sonata(folder):
    import h5py

    run("photo.png", "--out", "spikes.h5")
    with h5py.File("spikes.h5") as file:
        assert file.attrs["magic"] == 0x0A7A
        group = file["spikes/trains"]
        assert group["timestamps"].attrs["units"] == "ms" and group["node_ids"].dtype == np.uint64
        assert json.loads(json.dumps(group.attrs["shape"].tolist())) == [2, 12, 16]


@pytest.mark.parametrize(
    ("pixels", "name"),
    [
        (np.array([[0, 13107], [65535, 2000]], dtype=np.uint16), "deep.png"),
        (np.array([[0, 13107], [65535, 2000]], dtype=np.uint16), "deep.tiff"),
        (np.array([[0, 13107], [65535, 2000]], dtype=np.int32), "deeper.tiff"),
        (np.array([[0.0, 0.2], [1.0, 2000 / 65535]], dtype=np.float32), "float.tiff"),
    ],
)
def test_images_of_more_than_8_bits(folder, pixels, name):
    Pillow.fromarray(pixels).save(name)
    assert run(name, "--code", "latency")[0] == 0
    trains = encode.load(f"{Path(name).stem}.spikes.h5")
    assert Latency().decode(trains)[0] == pytest.approx(np.array([[0.0, 0.2], [1.0, 2000 / 65535]]), abs=1e-7)


def test_a_photo_is_turned_as_its_camera_was(folder):
    exif = Pillow.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees, clockwise
    Pillow.fromarray(np.array([[0, 255, 51]], dtype=np.uint8)).save("turned.png", exif=exif)
    assert run("turned.png", "--code", "latency")[0] == 0
    assert Latency().decode(encode.load("turned.spikes.h5"))[0] == pytest.approx(np.array([[0.0], [1.0], [0.2]]))


def test_a_large_image_has_several_scales(folder):
    for side, scales in ((28, ()), (64, (3,)), (128, (4,))):
        Pillow.fromarray(np.random.default_rng(1).integers(0, 256, (side, side), dtype=np.uint8)).save("a.png")
        assert run("a.png", "--force")[0] == 0
        assert encode.load("a.spikes.h5").shape == (*scales, 2, side, side)


def test_sound_is_resampled_not_stretched(folder):
    assert run("sound.wav", "--set", "sample_rate=8000", "--out", "slow.h5")[0] == 0
    assert run("sound.wav", "--out", "own.h5")[0] == 0
    assert encode.load("slow.h5").duration == pytest.approx(encode.load("own.h5").duration, abs=1.0)
