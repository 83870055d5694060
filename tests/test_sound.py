"""The cochlea: filters by their analytic response, hair cells by hand and by DOP853; sound files of any content."""

import math
import struct
import tracemalloc
import warnings
import wave

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.integrate import solve_ivp
from scipy.io import wavfile

import eventsnn as esn
from eventsnn.encode.hair_cells import HairCells
from eventsnn.encode.sound import Cochlea, read_wav


def erb(f):
    """Hz; 132.639 at 1 kHz."""
    return 24.7 * (4.37 * f / 1000.0 + 1.0)


def tone(f, seconds=0.25, rate=16_000.0, amplitude=1.0):
    return amplitude * np.sin(2.0 * np.pi * f * np.arange(round(seconds * rate)) / rate)


def trains_of(trains, sample=0):
    """Spike times (ms) of each channel of a sample."""
    one = trains[sample]
    return [one.times[one.ids == i] for i in range(one.n)]


# ---- filters


def test_centre_frequencies_are_equally_spaced_on_the_erb_scale():
    # 21.4 log10(4.37 f / 1000 + 1), so that the middle one is where the argument is the geometric mean of the ends.
    middle = (math.sqrt(1.437 * 27.22) - 1.0) / 0.00437
    assert Cochlea(channels=3).frequencies == pytest.approx([100.0, middle, 6000.0], rel=1e-13)
    assert middle == pytest.approx(1202.3, abs=0.1)
    numbers = 21.4 * np.log10(4.37 * Cochlea(channels=41, f_low=50.0, f_high=7_500.0).frequencies / 1000.0 + 1.0)
    assert np.ptp(np.diff(numbers)) < 1e-12
    assert Cochlea(channels=1).frequencies == pytest.approx([100.0], rel=1e-14)


def gammatone(f, at, rate):
    """Gain at the frequencies `at` of t^3 exp(-a t) cos(2 pi f t), sampled: its Fourier transform and the images."""
    a = 2.0 * np.pi * 1.019 * erb(f)
    image = at[:, np.newaxis] + rate * np.arange(-300, 301)
    return np.abs(sum((a + 2j * np.pi * (image + side)) ** -4.0 for side in (f, -f)).sum(axis=1))


@pytest.mark.parametrize("rate", [8_000.0, 44_100.0])
def test_filters_have_the_analytic_response_of_a_gammatone(rate):
    code = Cochlea(sample_rate=rate, channels=9, f_low=60.0, f_high=3_500.0)
    click = np.zeros((1, int(0.25 * rate)))
    click[0, 0] = 1.0
    h = code.filtered(click)[0]
    at = np.linspace(0.0, rate / 2.0, 41)
    n = np.arange(click.size)
    for f, response in zip(code.frequencies, h, strict=True):
        measured = np.abs(np.exp(-2j * np.pi * np.outer(at, n) / rate) @ response)
        centre = gammatone(f, np.array([f]), rate)
        assert np.abs(measured - gammatone(f, at, rate) / centre).max() < 1e-6
        assert abs(np.exp(-2j * np.pi * f * n / rate) @ response) == pytest.approx(1.0, abs=1e-12)
        t = n / rate
        shape = t**3 * np.exp(-2.0 * np.pi * 1.019 * erb(f) * t) * np.cos(2.0 * np.pi * f * t)
        assert response / np.abs(response).max() == pytest.approx(shape / np.abs(shape).max(), abs=1e-6)


def test_filters_pass_a_tone_at_their_centre_as_it_is():
    code = Cochlea(channels=12)
    passed = code.filtered([tone(f, 0.5) for f in code.frequencies])
    assert passed.shape == (12, 12, 8_000)
    late = np.abs(passed[:, :, 4_000:])
    assert [late[k, k].max() for k in range(12)] == pytest.approx(np.ones(12), abs=0.02)
    energies = (passed[:, :, 4_000:] ** 2).mean(axis=2)
    assert energies.argmax(axis=0).tolist() == energies.argmax(axis=1).tolist() == list(range(12))


def test_filters_are_linear_and_know_no_other_sample():
    rng = np.random.default_rng(1)
    x = rng.standard_normal((3, 700))
    code = Cochlea(channels=4)
    passed = code.filtered(x)
    assert code.filtered(2.0 * x[:1] - x[1:2])[0] == pytest.approx(2.0 * passed[0] - passed[1], abs=1e-12)
    late = np.concatenate([np.zeros((1, 100)), x[2:, :-100]], axis=1)
    assert code.filtered(late)[0, :, 100:] == pytest.approx(passed[2, :, :-100], abs=1e-12)


# ---- hair cells


def hair_cells(signals, gain=1.0, threshold=1.0, tau=1.0, t_ref=1.0):
    """Spike times of hair cells under these signals (channels, time), of 1 kHz."""
    current = gain * np.maximum(np.atleast_2d(np.asarray(signals, dtype=np.float64)), 0.0)
    found = HairCells(len(current), 1.0, tau, threshold, t_ref, 100).follow(np.column_stack([current, current[:, -1]]))
    return [found.times[found.cell == i] for i in range(len(current))]


# At 1.0001 V reaches the threshold with a slope of 1e-4 / ms, so that an ulp of V is 1e-12 ms.
@pytest.mark.parametrize(
    ("current", "tau", "t_ref", "error"), [(1.5, 10.0, 2.0, 1e-12), (7.0, 3.0, 0.0, 1e-12), (1.0001, 1.0, 0.3, 2e-11)]
)
def test_constant_input_by_hand(current, tau, t_ref, error):
    (train,) = hair_cells(np.full(100, current / 4.0), gain=2.0, threshold=0.5, tau=tau, t_ref=t_ref)
    rise = tau * math.log(current / (current - 1.0))
    expected = rise + (rise + t_ref) * np.arange(int((100.0 - rise) // (rise + t_ref)) + 1)
    assert train == pytest.approx(expected, abs=error) and train.size > 5


def test_a_ramp_by_hand():
    # V = b (t - tau + tau exp(-t / tau)) under a current b t.
    rise = 2.5 - 3.0 + 3.0 * math.exp(-2.5 / 3.0)
    (train,) = hair_cells(np.arange(4.0), tau=3.0, threshold=rise, t_ref=100.0)
    assert train == pytest.approx([2.5], abs=1e-13)


def test_silence_and_what_stays_below_threshold():
    assert len(Cochlea().encode(np.zeros((2, 1_000))).times) == 0
    below = [np.full(500, 0.999), np.full(500, -50.0), np.where(np.arange(500) % 50, 0.0, 4.0)]
    assert [train.size for train in hair_cells(below, tau=5.0)] == [0, 0, 0]


@pytest.mark.parametrize("t_ref", [0.0, 0.4, 1.0, 3.7])
def test_random_input_against_a_numerical_integrator(t_ref):
    rng = np.random.default_rng(2)
    signal = 3.0 * rng.standard_normal(60)
    (train,) = hair_cells(signal, tau=2.0, t_ref=t_ref)
    s = np.append(np.maximum(signal, 0.0), max(signal[-1], 0.0))
    reach = lambda t, V: V[0] - 1.0  # noqa: E731
    reach.terminal, reach.direction = True, 1.0
    expected, t, V = [], 0.0, 0.0
    while t < 60.0:
        end = math.floor(t) + 1.0
        k = math.floor(t)
        slope = s[k + 1] - s[k]
        flow = lambda t, V, k=k, slope=slope: (-V + s[k] + slope * (t - k)) / 2.0  # noqa: E731
        solved = solve_ivp(flow, (t, end), [V], "DOP853", events=reach, rtol=1e-12, atol=1e-13, max_step=0.1)
        t, V = solved.t[-1], solved.y[0, -1]
        if solved.status == 1:
            expected.append(t)
            t, V = t + t_ref, 0.0
    assert train.size >= 8
    assert train == pytest.approx([time for time in expected if time <= 60.0], abs=1e-9)


signals = hnp.arrays(np.float64, st.tuples(st.just(1), st.integers(0, 60)), elements=st.floats(-5.0, 5.0, width=32))


@settings(max_examples=40, deadline=None)
@given(signals, st.floats(0.1, 5.0), st.floats(0.0, 4.0))
def test_hair_cells_spike_while_the_sound_drives_them_and_never_in_their_dead_time(x, tau, t_ref):
    code = Cochlea(sample_rate=2_000.0, channels=2, f_high=800.0, gain=10.0, tau=tau, t_ref=t_ref)
    trains = code.encode(x)
    assert trains.shape == (2,) and len(trains) == 1 and trains.duration == pytest.approx(0.5 * x.size)
    at = 0.5 * np.arange(x.size)
    for signal, train in zip(code.filtered(x)[0], trains_of(trains), strict=True):
        # V rises to the threshold only under a current that is larger.
        if train.size:
            assert (10.0 * np.interp(train, at, np.maximum(signal, 0.0)) > 1.0 - 1e-9).all()
        assert (np.diff(train) > t_ref - 1e-9).all()


def test_a_tone_excites_the_channel_of_its_frequency_most():
    code = Cochlea(channels=24, gain=20.0, t_ref=0.0)
    trains = code.encode([tone(f, 0.1, amplitude=0.5) for f in code.frequencies])
    assert trains.rates().argmax(axis=1).tolist() == list(range(24))
    assert trains[3].times.size > 20


def test_spikes_of_a_low_tone_lock_to_one_half_of_its_cycle():
    code = Cochlea(channels=1, f_low=250.0, f_high=300.0, gain=30.0)
    (train,) = trains_of(code.encode(tone(250.0, 1.0)[np.newaxis]))
    late = train[train > 100.0]
    phase = np.exp(2j * np.pi * 250.0 * late / 1000.0)
    turns = np.angle(phase / phase.mean()) / (2.0 * np.pi)
    assert late.size >= 225 and np.ptp(turns) < 0.5


def test_samples_are_encoded_by_themselves_and_of_any_type_of_number():
    rng = np.random.default_rng(3)
    x = rng.integers(-3, 4, (4, 320))
    code = Cochlea(channels=5)
    trains = code.encode(x)
    assert (len(trains), trains.shape, trains.duration) == (4, (5,), 20.0) and len(trains.times) > 100
    for k in range(4):
        alone = code.encode(x[k : k + 1].astype(np.float32).tolist())
        assert np.array_equal(alone.times, trains[k].times) and np.array_equal(alone.ids, trains[k].ids)


def test_long_sounds_are_heard_in_blocks_of_time(monkeypatch):
    """Blocks shorter than the filters, and one of a single sample at the end, change spikes by rounding alone."""
    x = np.random.default_rng(5).normal(0.0, 0.2, (2, 3_001))
    code = Cochlea(sample_rate=8_000.0, channels=5)
    whole = code.encode(x)
    monkeypatch.setattr("eventsnn.encode.sound.AT_ONCE", 5 * 100)
    monkeypatch.setattr("eventsnn.encode.base.AT_ONCE", 5 * 100)
    parts = code.encode(x)
    assert np.array_equal(parts.offsets, whole.offsets) and np.array_equal(parts.ids, whole.ids)
    assert parts.times == pytest.approx(whole.times, abs=1e-9) and whole.times.size > 300


def test_a_sound_of_8_khz_needs_no_other_settings():
    code = Cochlea(sample_rate=8_000.0)
    assert code.frequencies[-1] == pytest.approx(3_600.0)
    assert Cochlea().frequencies[-1] == pytest.approx(6_000.0)


@pytest.mark.parametrize("shape", [(0, 100), (3, 0), (0, 0)])
def test_without_sound_there_are_no_spikes(shape):
    trains = Cochlea(channels=2).encode(np.zeros(shape))
    assert (len(trains), trains.shape, trains.times.size) == (shape[0], (2,), 0)
    assert trains.duration == shape[1] / 16.0
    assert Cochlea(channels=2).filtered(np.zeros(shape)).shape == (shape[0], 2, shape[1])


@settings(max_examples=25, deadline=None)
@given(
    hnp.arrays(
        np.float64, hnp.array_shapes(min_dims=2, max_dims=2, max_side=20),
        elements=st.floats(allow_nan=False, allow_infinity=False),
    )
)  # fmt: skip
def test_any_finite_sound_gives_spikes_or_an_input_error(x):
    for t_ref in (0.0, 1.0):
        try:
            assert Cochlea(channels=2, t_ref=t_ref).encode(x).shape == (2,)
        except esn.InputError as error:
            assert str(error).startswith("Cochlea: ")


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: Cochlea(sample_rate=0.0), "Cochlea: sample_rate = 0.0 must be a number of Hz from 1000 to 1000000"),
        (lambda: Cochlea(channels=0), "Cochlea: channels = 0 must be a whole number from 1 to 1000"),
        (lambda: Cochlea(f_low=-1.0), "Cochlea: f_low = -1.0 must be a finite number above 0"),
        (lambda: Cochlea(f_high=8_000.0), "f_low = 100 and f_high = 8000 Hz must ascend and lie below 8000 Hz"),
        (lambda: Cochlea(f_low=7_000.0), "f_low = 7000 and f_high = 6000 Hz must ascend"),
        (lambda: Cochlea(sample_rate=8_000.0, f_low=3_700.0), "f_low = 3700 and f_high = 3600 Hz must ascend"),
        (lambda: Cochlea(gain=math.inf), "Cochlea: gain = inf must be a finite number above 0"),
        (lambda: Cochlea(tau=0.0), "Cochlea: tau = 0.0 must be"),
        (lambda: Cochlea(threshold="1"), "Cochlea: threshold = '1' must be a number"),
        (lambda: Cochlea(t_ref=-1.0), "Cochlea: t_ref = -1.0 must be a finite number of ms, 0 or more"),
        (lambda: Cochlea().encode([1.0, 2.0]), r"Cochlea: x has shape \(2,\)"),
        (lambda: Cochlea().encode(np.zeros((1, 2, 3))), r"Cochlea: x has shape \(1, 2, 3\); \(samples, time\) is"),
        (lambda: Cochlea().encode([[0.0], [np.nan]]), r"Cochlea: x\[1, 0\] = nan must be finite"),
        (lambda: Cochlea().encode(np.outer([1.0, 1e308], np.ones(99))), "Cochlea: sample 1 is too loud for float64"),
        (lambda: Cochlea(t_ref=0.0).encode([[0.0, 1.0], [1e6, 1e6]]), r"channel \d+ spikes more than 100 .* sample 1"),
    ],
)
def test_refusals(make, sentence):
    with pytest.raises(esn.InputError, match=sentence):
        make()


# ---- sound files


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("sounds")


def riff(form, data, before=b"", size=None):
    """A WAV file of a format and data; `size` is what it says that the data has."""
    parts = before + b"fmt " + struct.pack("<I", len(form)) + form
    parts += b"data" + struct.pack("<I", len(data) if size is None else size) + data + b"\0" * (len(data) % 2)
    return b"RIFF" + struct.pack("<I", 4 + len(parts)) + b"WAVE" + parts


def pcm(bits, channels=1, rate=8_000, tag=1):
    frame = channels * bits // 8
    return struct.pack("<HHIIHH", tag, channels, rate, rate * frame % 2**32, frame % 2**16, bits)


@pytest.mark.parametrize("channels", [1, 2, 5])
@pytest.mark.parametrize(
    ("dtype", "scale", "offset"),
    [("u1", 128.0, 128.0), ("i2", 2.0**15, 0.0), ("i4", 2.0**31, 0.0), ("f4", 1.0, 0.0), ("f8", 1.0, 0.0)],
)
def test_wav_round_trip(folder, dtype, scale, offset, channels):
    rng = np.random.default_rng(4)
    values = rng.standard_normal((101, channels)) / 3.0
    written = values.astype(dtype) if dtype[0] == "f" else np.rint(0.9 * scale * np.tanh(values) + offset).astype(dtype)
    wavfile.write(folder / "a.wav", 22_050, written[:, 0] if channels == 1 else written)
    rate, sound = read_wav(folder / "a.wav")
    assert rate == 22_050 and sound.dtype == np.float64 and np.abs(sound).max() > 0.1
    assert sound == pytest.approx(((written.astype(np.float64) - offset) / scale).mean(axis=1), abs=1e-15)


@pytest.mark.parametrize("size", [1, 2, 3, 4])
def test_integers_of_any_size_by_another_writer(folder, size):
    values = [0, 1, -1, 2 ** (8 * size - 1) - 1, -(2 ** (8 * size - 1)), 37]
    with wave.open(str(folder / "b.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(size)
        file.setframerate(11_025)
        shift = 128 if size == 1 else 0
        file.writeframes(b"".join((v + shift).to_bytes(size, "little", signed=size > 1) for v in values))
    rate, sound = read_wav(str(folder / "b.wav"))
    assert rate == 11_025 and sound.tolist() == [v / 2.0 ** (8 * size - 1) for v in values]


def test_extensible_format_and_parts_that_mean_nothing_here(folder):
    guid = struct.pack("<H", 1) + bytes.fromhex("000000001000800000aa00389b71")
    form = pcm(24, tag=0xFFFE)[:-2] + struct.pack("<HHHI", 24, 22, 20, 4) + guid
    note = b"LIST" + struct.pack("<I", 3) + b"abc\0"
    (folder / "c.wav").write_bytes(riff(form, b"\0\0\x40\0\0\xc0", note) + b"after the end")
    assert read_wav(folder / "c.wav")[1].tolist() == [0.5, -0.5]


def test_resampling_keeps_a_tone(folder):
    wavfile.write(folder / "d.wav", 44_100, tone(440.0, 0.2, 44_100.0))
    rate, sound = read_wav(folder / "d.wav", 16_000)
    assert rate == 16_000 and sound.size == 3_200
    assert sound[400:-400] == pytest.approx(tone(440.0, 0.2)[400:-400], abs=1e-3)
    same, as_it_is = read_wav(folder / "d.wav", 44_100)
    assert same == 44_100 and np.array_equal(as_it_is, tone(440.0, 0.2, 44_100.0))


def test_resampling_leaves_out_what_the_new_rate_cannot_hold(folder):
    wavfile.write(folder / "e.wav", 48_000, tone(9_000.0, 0.1, 48_000.0))
    assert np.abs(read_wav(folder / "e.wav", 8_000)[1][50:-50]).max() < 1e-3


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "it is no WAV file"),
        (b"ID3\x04" + b"\0" * 60, "it is no WAV file"),
        (riff(pcm(16), b"\0" * 8).replace(b"RIFF", b"RIFX"), "it is no WAV file"),
        (riff(pcm(16), b"\0" * 8)[:-1], "it should have 52 bytes, but has 51"),
        (riff(pcm(16), b"\0" * 8, size=2**32 - 1), r"part b'data' should have 4294967295 bytes, but has 8"),
        (riff(pcm(16), b"")[:-8], "it should have 44 bytes, but has 36"),
        (riff(pcm(16), b""), "it has no sound"),
        (riff(pcm(16, 2), b"\0" * 6), "it cannot be made sense of: cannot reshape array of size 3"),
        (riff(b"", b"\0" * 8), "it cannot be made sense of"),
        (riff(pcm(16, rate=0), b"\0" * 8), "its sample rate of 0 Hz does not lie in 1000 to 1000000 Hz"),
        (riff(pcm(16, rate=2**21), b"\0" * 8), "its sample rate of 2097152 Hz"),
        (riff(pcm(16, 0), b"\0" * 8), "it cannot be made sense of"),
        (riff(pcm(8, tag=7), b"\0" * 8), "Unknown wave file format: MULAW"),
        (riff(pcm(16, tag=3), b"\0" * 8), "Unsupported bit depth"),
        (riff(pcm(72), b"\0" * 9), "Unsupported bit depth"),
        (riff(pcm(32, tag=3), np.array([0.0, np.nan], "<f4").tobytes()), "its sample 1 = nan must be finite"),
        (riff(pcm(64, 2, tag=3), np.array([1e308, 1e308], "<f8").tobytes()), "its sample 0 = inf must be finite"),
    ],
)
def test_files_that_cannot_be_used(folder, content, sentence):
    path = folder / "bad.wav"
    path.write_bytes(content)
    with pytest.raises(esn.InputError, match=f"sound file .*bad.wav cannot be read: .*{sentence}"):
        read_wav(path)


def test_paths_and_rates_that_cannot_be_used(folder):
    for path, sentence in (
        (folder / "missing.wav", "missing.wav does not exist"),
        (folder, "is no file, but a folder"),
        (folder / "a\0.wav", "is no name of a file"),
        (None, "the sound file: None is no path"),
    ):
        with pytest.raises(esn.InputError, match=sentence):
            read_wav(path)
    (folder / "f.wav").write_bytes(riff(pcm(16, rate=999_983), b"\0" * 8))
    with pytest.raises(esn.InputError, match="f.wav has 999983 Hz, of which 16000 Hz are 16000 / 999983; give"):
        read_wav(folder / "f.wav", 16_000)
    for rate in (0, 16_000.0, True, 2**40, "16000"):
        with pytest.raises(esn.InputError, match=f"read_wav: sample_rate = {rate!r} must be a whole number of Hz"):
            read_wav(folder / "f.wav", rate)


SOUND = riff(pcm(16, 2), bytes(range(40)), b"LIST" + struct.pack("<I", 4) + b"abcd")
edits = st.lists(st.tuples(st.integers(0, len(SOUND) - 1), st.integers(0, 255)), max_size=6)


@settings(max_examples=500, deadline=None)
@given(edits, st.integers(0, len(SOUND)), st.sampled_from([None, 8_000, 44_100]))
@example([(4 + k, 255) for k in range(4)], len(SOUND), None)
@example([(52 + k, 255) for k in range(4)], len(SOUND), 8_000)
def test_damaged_files_are_read_or_refused_by_name(folder, changes, length, rate):
    content = bytearray(SOUND)
    for at, value in changes:
        content[at] = value
    path = folder / "fuzz.wav"
    path.write_bytes(content[:length])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            heard, sound = read_wav(path, rate)
        except esn.InputError as error:
            assert "fuzz.wav" in str(error)
            return
    assert np.isfinite(sound).all() and 1_000 <= heard <= 1_000_000
    assert 1 <= sound.size <= 40 * (45 if rate else 1)


@settings(deadline=None)
@given(st.binary(max_size=80), st.sampled_from([b"", b"RIFF", SOUND[:12], SOUND[:32], SOUND[:48]]))
def test_any_bytes_are_read_or_refused_by_name(folder, content, begin):
    path = folder / "fuzz.wav"
    path.write_bytes(begin + content)
    try:
        assert np.isfinite(read_wav(path)[1]).all()
    except esn.InputError as error:
        assert "fuzz.wav" in str(error)


def test_sizes_that_lie_take_no_memory(folder):
    empty = b"\0" * 8
    liars = [riff(pcm(16), empty, size=2**32 - 2), riff(pcm(16, 65_535), empty), riff(pcm(32, rate=99_991), empty)]
    tracemalloc.start()
    for k, content in enumerate(liars):
        (folder / "liar.wav").write_bytes(content)
        try:
            read_wav(folder / "liar.wav", 16_000)
        except esn.InputError:
            assert k < 2
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 200e6  # bytes; of the filter between rates without a common divisor


def test_hair_cells_are_neurons_under_ramps():
    """The simulator's own LIFDelta under a RampCurrent, at random scales of time, strength and dead time."""
    rng = np.random.default_rng(7)
    total = 0
    for _ in range(15):
        dt, tau, threshold = 10.0 ** rng.uniform([-2.0, -0.5, -1.0], [0.5, 1.0, 0.5])
        t_ref = float(rng.choice([0.0, 0.01, 0.5, 3.0]))
        current = threshold * rng.choice([1.0, 5.0]) * np.maximum(rng.normal(0.5, 2.0, (4, 200)), 0.0)
        cells = HairCells(4, dt, tau, threshold, t_ref, 1000)
        found = cells.follow(np.column_stack([current, current[:, -1]]))
        net = esn.Network()
        lif = esn.LIFDelta(tau_m=tau, C_m=tau, E_L=0.0, V_th=threshold, V_reset=0.0, t_ref=t_ref)
        cells = net.population(4, lif, name="cells")
        for cell, line in zip(cells, current, strict=True):
            net.stimulate(cell, esn.RampCurrent(dt * np.arange(200), line))
        spikes = net.run(200 * dt).spikes["cells"]
        order = np.lexsort((found.times, found.cell))
        assert np.array_equal(np.bincount(found.cell, minlength=4), spikes.counts())
        assert np.concatenate(spikes.trains()) == pytest.approx(found.times[order], rel=1e-12, abs=1e-11)
        total += len(spikes)
    assert total > 1_000
