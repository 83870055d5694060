"""Images: the difference of Gaussians against an independent convolution, spikes by hand, reconstruction, refusals."""

import numpy as np
import pytest
from scipy import integrate, ndimage

import eventsnn as esn
from eventsnn.encode import Image, Latency, Population, RankOrder


def blob(size=31, sigma=2.0, at=(15, 15)):
    y, x = np.mgrid[:size, :size]
    return np.exp(-0.5 * ((y - at[0]) ** 2 + (x - at[1]) ** 2) / sigma**2)


def test_contrast_is_the_difference_of_gaussians():
    code = Image(sigmas=(1.0, 2.5), ratio=1.6)
    point = np.zeros((1, 61, 61))
    point[0, 30, 30] = 1.0
    y, x = np.mgrid[-30:31, -30:31]
    for answer, sigma in zip(code.contrast(point)[0], (1.0, 2.5), strict=True):
        surround = 1.6 * sigma
        gauss = [np.exp(-0.5 * (x**2 + y**2) / s**2) / (2.0 * np.pi * s**2) for s in (sigma, surround)]
        # Sampled Gaussians, cut off at four standard deviations.
        assert np.abs(answer * code._norm(sigma) - (gauss[0] - gauss[1])).max() < 2e-3 * gauss[0].max()
        squares, _ = integrate.quad(_ring, 0.0, np.inf, args=(sigma, surround))
        assert code._norm(sigma) == pytest.approx(np.sqrt(squares), rel=1e-9)


def _ring(r, sigma, surround):
    return 2.0 * np.pi * r * (_gauss(r, sigma) - _gauss(r, surround)) ** 2


def _gauss(r, sigma):
    return np.exp(-0.5 * (r / sigma) ** 2) / (2.0 * np.pi * sigma**2)


def test_a_uniform_image_is_silent():
    assert Image().encode(np.full((2, 9, 9), 0.7)).times.size == 0
    assert Image(sigmas=(1.0, 3.0)).encode(np.zeros((1, 9, 9))).counts().sum() == 0


def test_a_bright_blob_excites_on_cells_first_at_its_centre():
    trains = Image(sigmas=(2.0,), code=Latency(duration=10.0)).encode(blob()[np.newaxis])
    assert trains.shape == (2, 31, 31)
    assert trains.times[0] == 0.0  # the largest contrast of the image has the value 1
    assert np.unravel_index(trains.ids[0], trains.shape) == (1, 15, 15)
    dark = Image(sigmas=(2.0,), code=Latency(duration=10.0)).encode(1.0 - blob()[np.newaxis])
    assert np.unravel_index(dark.ids[0], dark.shape) == (0, 15, 15)
    assert np.abs(np.sort(trains.times) - np.sort(dark.times)).max() < 1e-9  # off and on change places


def test_latencies_are_those_of_the_contrast():
    image = np.random.default_rng(1).uniform(0.0, 1.0, (1, 12, 14))
    code = Image(sigmas=(1.3,), ratio=2.0, code=Latency(duration=7.0))
    centre, surround = (ndimage.gaussian_filter(image[0], s, mode="nearest") for s in (1.3, 2.6))
    contrast = (centre - surround) / np.abs(centre - surround).max()
    first = code.encode(image).first()[0]
    assert np.abs(first[1] - 7.0 * (1.0 - contrast))[contrast > 0].max() < 1e-12
    assert np.abs(first[0] - 7.0 * (1.0 + contrast))[contrast < 0].max() < 1e-12
    assert np.isnan(first[1][contrast <= 0]).all() and np.isnan(first[0][contrast >= 0]).all()


def test_cells_of_a_scale_are_sigma_apart():
    image = np.random.default_rng(2).uniform(0.0, 1.0, (1, 24, 24))
    trains = Image(sigmas=(1.0, 4.0), code=RankOrder(threshold=0.0)).encode(image)
    assert trains.shape == (2, 2, 24, 24)
    spikes = trains.counts()[0].sum(axis=1)
    assert (spikes[0] == 1).all()
    there = np.zeros((24, 24), dtype=bool)
    there[2::4, 2::4] = True
    assert np.array_equal(spikes[1] == 1, there)


def test_the_first_spikes_show_the_image():
    """Each tenth of the spikes brings the picture nearer, up to the coarse part that no cell sees."""
    rng = np.random.default_rng(3)
    image = ndimage.gaussian_filter(rng.uniform(0.0, 1.0, (48, 64)), 1.5)
    image = ((image - image.min()) / np.ptp(image))[np.newaxis]
    code = Image(sigmas=(1.0, 2.0, 4.0, 8.0), ratio=2.0)
    trains = code.encode(image)
    seen = [code.decode(trains, round(share * trains.times.size))[0] for share in (0.02, 0.1, 0.5, 1.0)]
    alike = [np.corrcoef(picture.ravel(), image.ravel())[0, 1] for picture in seen]
    assert alike == sorted(alike) and alike[0] > 0.5 and alike[-1] > 0.9
    assert np.array_equal(code.decode(trains)[0], seen[-1])
    assert np.array_equal(code.decode(trains, 0), np.zeros((1, 48, 64)))
    by_rank = Image(sigmas=(1.0, 2.0, 4.0, 8.0), ratio=2.0, code=RankOrder(m=0.999, threshold=0.0))
    ranked = by_rank.decode(by_rank.encode(image))[0]
    assert np.corrcoef(ranked.ravel(), image.ravel())[0, 1] > 0.75


def test_one_spike_adds_one_receptive_field():
    code = Image(sigmas=(2.0,), code=Latency(duration=10.0))
    trains = code.encode(blob(at=(13, 17))[np.newaxis])
    point = np.zeros((31, 31))
    point[13, 17] = 1.0
    field = ndimage.gaussian_filter(point, 2.0, mode="nearest") - ndimage.gaussian_filter(point, 3.2, mode="nearest")
    assert np.abs(code.decode(trains, 1)[0] - field / code._norm(2.0)).max() < 1e-12


def test_images_are_coded_one_by_one(monkeypatch):
    images = np.random.default_rng(4).uniform(0.0, 1.0, (7, 10, 8))
    code = Image(sigmas=(1.0, 2.0))
    whole = code.encode(images)
    monkeypatch.setattr("eventsnn.encode.base.AT_ONCE", 100)
    in_parts = code.encode(images)
    assert np.array_equal(whole.times, in_parts.times) and np.array_equal(whole.ids, in_parts.ids)
    assert np.array_equal(code.encode(images[3:4]).times, whole[3].times)
    assert len(code.encode(images[:0])) == 0 and code.encode(images[:0]).shape == (2, 2, 10, 8)


def test_the_picture_shows_what_it_says():
    figure = Image(sigmas=(1.0, 2.0)).plot(blob(), shares=(0.1, 0.5))
    titles = [axes.get_title() for axes in figure.axes]
    assert titles[:3] == [
        "image",
        "off cells, sigma 1: the darker, the earlier",
        "on cells, sigma 1: the darker, the earlier",
    ]
    assert [title.partition("\n")[0] for title in titles[3:5]] == ["first 10% of the spikes", "first 50% of the spikes"]
    assert "spikes before (%)" in [axes.get_ylabel() for axes in figure.axes]


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: Image(sigmas=()), "sigmas"),
        (lambda: Image(sigmas=(1.0, -1.0)), "at least 0.25 pixels"),
        (lambda: Image(sigmas=1e-3), "at least 0.25 pixels"),
        (lambda: Image(sigmas=8.0).encode(np.ones((1, 3, 3))), "12.8 pixels is far wider than an image of 3 x 3"),
        (lambda: Image(ratio=1e9).encode(np.ones((1, 3, 3))), "is far wider"),
        (lambda: Image().encode(np.ones((3, 3))), "write x[np.newaxis] for one image"),
        (lambda: Image().decode(Image().encode(np.ones((1, 9, 9))), -1), "spikes = -1 must be a whole number"),
        (lambda: Image().decode(Image().encode(np.ones((1, 9, 9))), "a"), "spikes = 'a' must be a whole number"),
        (lambda: Image().plot(np.ones((9, 9)), shares=[-1.0]), "shares"),
        (lambda: Image().plot(np.ones((9, 9)), shares=0.5), "shares"),
        (lambda: Image().plot("a"), "Image: image = 'a' must be an array of numbers"),
        (lambda: Image().plot(np.ones((0, 5))), "no pixels"),
        (lambda: Image(sigmas="a"), "sigmas"),
        (lambda: Image(ratio=1.0), "ratio = 1.0"),
        (lambda: Image(code=Population()), "must be a Latency or a RankOrder"),
        (lambda: Image(code=RankOrder()), "give it a threshold"),
        (lambda: Image().encode(np.ones((2, 3))), "(samples, height, width)"),
        (lambda: Image().encode(np.full((2, 3, 3), 255)), "x[0, 0, 0] = 255 must lie in 0 to 1"),
        (lambda: Image().encode(np.full((2, 3, 3), -0.1)), "x[0, 0, 0] = -0.1"),
        (lambda: Image().decode(Latency().encode(np.ones((1, 3, 3)))), "(2, height, width) is needed"),
        (lambda: Image().plot(np.ones((1, 3, 3))), "(samples, height, width)"),
    ],
)
def test_refusals(call, words):
    with pytest.raises(esn.InputError) as caught:
        call()
    assert words in str(caught.value) and len(str(caught.value)) < 260


def test_pixels_out_of_range_can_be_clipped():
    bright = 1.5 * blob()[np.newaxis]
    assert np.array_equal(Image().encode(bright, clip=True).times, Image().encode(np.minimum(bright, 1.0)).times)
