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
from eventsnn.cli import app
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
    (["."], ". is a folder"),
    (["photo.png", "--code", "latencie"], "did you mean 'latency'?"),
    (["photo.png", "--code", "cochlea"], "--code cochlea, which takes sound, cannot be used for an image"),
    (["sound.wav", "--code", "latency"], "--code latency, which takes images, cannot be used for a sound"),
    (["photo.png", "--set", "sigma=2"], "code image has no parameter 'sigma'"),
    (["photo.png", "--set", "sigmas=2;3"], "sigmas must be numbers with commas"),
    (["photo.png", "--set", "ratio=0.5"], "Image: ratio = 0.5"),
    (["recording.bin", "--code", "latency"], "takes no code"),
    (["photo.png", "--out", "no/where.h5"], "no/where.h5 cannot be written: No such file or directory"),
    (["cut.png"], "cut.png is truncated"),
    (["text.png"], "text.png"),
    (["empty.wav"], "empty.wav"),
]


@pytest.mark.parametrize(("arguments", "words"), BAD, ids=[" ".join(arguments) for arguments, _ in BAD])
def test_bad_input_is_one_sentence(folder, arguments, words):
    Path("cut.png").write_bytes(Path("photo.png").read_bytes()[:120])
    Path("text.png").write_text("no picture at all")
    Path("empty.wav").write_bytes(b"")
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
