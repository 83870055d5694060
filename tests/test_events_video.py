"""Events of a video: crossing times by hand, the rates of leak and noise, the spread of thresholds, refusals."""

import math

import numpy as np
import pytest
from scipy import stats

from eventsnn.base.errors import InputError
from eventsnn.events import from_video, video

ERROR_PROBABILITY = 1e-6  # of each statistical test, were its seed not fixed


def frames(*values: float, shape: tuple[int, ...] = (1, 1)) -> np.ndarray:
    """One frame of a single intensity after another."""
    return np.array([np.full(shape, value) for value in values], dtype=float)


def e(change: float) -> float:
    """The intensity whose logarithm lies so far above that of 20."""
    return 20.0 * math.exp(change)


def test_events_come_when_the_logarithm_has_moved_by_the_threshold():
    # 10 ms a frame: up by 1 in the first, down by 0.5 in the second, at rest in the third.
    found = from_video(frames(e(0.0), e(1.0), e(0.5), e(0.5)), fps=100.0, threshold=0.2, mismatch=0.0)
    assert found.t == pytest.approx([2.0, 4.0, 6.0, 8.0, 10.0, 14.0, 18.0], abs=1e-6)
    assert found.p.tolist() == [1] * 5 + [0] * 2


def test_below_20_the_pixel_is_linear():
    # From 0 to 20 the signal rises from 0 to ln 20 = 2.9957, in 20 ms.
    found = from_video(frames(0, 10, 20), fps=100.0, threshold=0.5, mismatch=0.0)
    assert found.t == pytest.approx([0.5 * k / math.log(20.0) * 20.0 for k in range(1, 6)])


def test_a_pixel_is_blind_for_t_ref():
    # The line rises by 0.1 in a ms: the threshold takes 2 ms, the dead time 3.
    found = from_video(frames(e(0.0), e(2.0)), fps=50.0, threshold=0.2, mismatch=0.0, t_ref=3.0)
    assert found.t == pytest.approx([2.0, 7.0, 12.0, 17.0])


def test_pixels_count_from_the_top_left():
    clip = frames(100, 100, shape=(3, 4))
    clip[1, 2, 1] = 100 * math.exp(0.3)
    clip[1, 0, 3] = 100 * math.exp(-0.5)
    found = from_video(clip, fps=1000.0, mismatch=0.0)
    assert (found.width, found.height) == (4, 3)
    assert [tuple(event)[1:] for event in found] == [(3, 0, 0), (1, 2, 1), (3, 0, 0)]
    assert found.t == pytest.approx([0.4, 2 / 3, 0.8])


def test_leak_is_a_rate_whatever_the_threshold():
    found = from_video(frames(*[50] * 21, shape=(2, 2)), fps=10.0, leak=5.0, mismatch=0.05)
    assert len(found) == 4 * 10 and found.p.all()
    for x, y in ((0, 0), (1, 1)):
        assert found[(found.x == x) & (found.y == y)].t == pytest.approx(200.0 * np.arange(1, 11))


@pytest.mark.parametrize(("intensity", "share"), [(0, 1.0), (255, 0.25), (127.5, 0.625)])
def test_shot_noise_falls_with_the_intensity(intensity, share):
    found = from_video(frames(*[intensity] * 11, shape=(30, 40)), fps=10.0, shot_noise=8.0, seed=3)
    expected = 1200 * 8.0 * share  # in one second
    assert stats.poisson.cdf(len(found), expected) > ERROR_PROBABILITY
    assert stats.poisson.sf(len(found), expected) > ERROR_PROBABILITY
    assert stats.binomtest(int(found.p.sum()), len(found), 0.5).pvalue > ERROR_PROBABILITY
    assert stats.kstest(found.t, "uniform", args=(0.0, 1000.0)).pvalue > ERROR_PROBABILITY
    pixels = np.bincount(found.y.astype(int) * 40 + found.x, minlength=1200)
    assert stats.chi2.sf(np.sum((pixels - expected / 1200) ** 2) / (expected / 1200), 1200) > ERROR_PROBABILITY


def test_shot_noise_follows_the_frames():
    clip = np.concatenate([frames(*[0] * 10, shape=(30, 40)), frames(*[255] * 11, shape=(30, 40))])
    found = from_video(clip, fps=10.0, threshold=100.0, shot_noise=8.0)
    dark = np.count_nonzero(found.t < 1000.0)
    assert stats.binomtest(dark, len(found), 0.8).pvalue > ERROR_PROBABILITY


def test_thresholds_are_drawn_for_each_pixel_and_sign():
    # The line moves by 0.1 a ms, so that the first event tells the threshold.
    up = from_video(
        frames(e(0.0), e(2.0), shape=(40, 50)), fps=50.0, threshold=0.2, mismatch=0.03, t_ref=1000.0, seed=5
    )
    down = from_video(
        frames(e(2.0), e(0.0), shape=(40, 50)), fps=50.0, threshold=0.2, mismatch=0.03, t_ref=1000.0, seed=5
    )
    assert len(up) == len(down) == 2000 and up.p.all() and not down.p.any()
    by_pixel = []
    for found in (up, down):
        thresholds = 0.1 * found.t
        assert stats.kstest(thresholds, "norm", args=(0.2, 0.03)).pvalue > ERROR_PROBABILITY
        by_pixel.append(thresholds[np.lexsort((found.x, found.y))])
    assert abs(stats.pearsonr(*by_pixel).statistic) < 5 / math.sqrt(2000)


def test_what_a_pixel_sees_depends_on_nothing_else(monkeypatch):
    clip = np.random.default_rng(1).integers(0, 256, (6, 5, 4))
    whole = from_video(clip, fps=100.0, leak=1.0, shot_noise=5.0, t_ref=1.0, seed=7)
    assert np.array_equal(from_video(clip, fps=100.0, leak=1.0, shot_noise=5.0, t_ref=1.0, seed=7).data, whole.data)
    part = from_video(clip[:, :3], fps=100.0, leak=1.0, shot_noise=5.0, t_ref=1.0, seed=7)
    assert np.array_equal(part.data, whole[whole.y < 3].data)
    assert not np.array_equal(from_video(clip, fps=100.0, seed=8).data, from_video(clip, fps=100.0, seed=7).data)
    monkeypatch.setattr(video, "AT_ONCE", 20)
    assert np.array_equal(from_video(clip, fps=100.0, leak=1.0, shot_noise=5.0, t_ref=1.0, seed=7).data, whole.data)


def test_colours_count_by_their_luma():
    clip = np.random.default_rng(2).integers(0, 256, (4, 3, 2, 3)).astype(np.uint8)
    grey = 0.299 * clip[..., 0] + 0.587 * clip[..., 1] + 0.114 * clip[..., 2]
    found, other = from_video(clip, fps=25.0), from_video(grey, fps=25.0)
    assert len(found) and np.allclose(found.t, other.t) and np.array_equal(found.x, other.x)


def test_a_single_frame_has_no_events():
    assert len(from_video(frames(100), fps=25.0, leak=1.0, shot_noise=10.0)) == 0


@pytest.mark.parametrize(
    ("clip", "options", "sentence"),
    [
        (np.zeros((2, 3)), {}, r"frames have the shape \(2, 3\)"),
        (np.zeros((2, 3, 3, 4)), {}, r"frames have the shape \(2, 3, 3, 4\)"),
        (np.zeros((0, 3, 3)), {}, "one frame at least"),
        (np.zeros((2, 3, 3), dtype=complex), {}, "type complex128"),
        ([["a"]], {}, "from_video: frames have the shape"),
        (frames(0, 256), {}, "frame 1 has values 256.0 to 256.0; 0 to 255 are needed"),
        (frames(np.nan, 0), {}, "frame 0 has values nan to nan"),
        (frames(0, 1), {"fps": 0.0}, "fps = 0.0 must be a number of Hz from 1e-6 to 1e9"),
        (frames(0, 1), {}, "all frames have values in 0 to 1, which is dark; 0 to 255 are needed"),
        ([[[0.0]], [[0.0, 1.0]]], {}, "from_video: frames have the shape"),
        (frames(0, 100), {"leak": 1e300}, "from_video: this would be about .* spikes"),
        (frames(0, 100), {"shot_noise": 1e12}, "take less leak or shot_noise"),
        (frames(0, 1), {"threshold": 0.001}, "threshold = 0.001 must be at least 0.01"),
        (frames(0, 1), {"mismatch": -1}, "mismatch = -1 must be"),
        (frames(0, 1), {"t_ref": np.inf}, "t_ref = inf must be"),
        (frames(0, 1), {"leak": "1"}, "leak = '1' must be"),
        (frames(0, 1), {"shot_noise": -1.0}, "shot_noise = -1.0 must be"),
        (frames(0, 1), {"seed": -1}, "seed = -1 must be a whole number"),
    ],
)
def test_what_is_no_video_is_refused(clip, options, sentence):
    with pytest.raises(InputError, match=sentence):
        from_video(clip, **{"fps": 25.0, **options})


def test_a_still_pixel_with_a_dead_time_warns_of_nothing():
    """Warnings of numbers are errors in this suite."""
    assert len(from_video(np.full((4, 5, 6), 100.0), 100.0, t_ref=1.0)) == 0
