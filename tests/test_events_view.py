"""Pictures of events: which pixels are drawn in which colour, labels, and what is written."""

import os

import numpy as np
import pytest
from PIL import Image

from eventsnn.base.errors import InputError
from eventsnn.events import Events, view

BLUE, ORANGE, WHITE = (0x00, 0x72, 0xB2), (0xD5, 0x5E, 0x00), (255, 255, 255)


def some_events() -> Events:
    # Two ON events of a pixel, an OFF event of another, then one of each that cancel each other, over 40 ms.
    t, x, y, p = [100.0, 101.0, 102.0, 121.0, 122.0, 140.0], [0, 0, 5, 2, 2, 7], [0, 0, 3, 1, 1, 3], [1, 1, 0, 1, 0, 1]
    return Events.of(t, x, y, p, 8, 4)


def images_of(figure) -> list:
    return [panel.images[0] for panel in figure.axes if panel.images]


def test_a_figure_has_a_panel_for_each_window():
    figure = some_events().plot(panels=4, every=10.0)
    images = images_of(figure)
    assert [panel.get_title() for panel in figure.axes[:4]] == [
        "0 to 10 ms",
        "10 to 20 ms",
        "20 to 30 ms",
        "30 to 40 ms",
    ]
    expected = np.zeros((4, 8))
    expected[0, 0], expected[3, 5] = 2, -1
    assert np.array_equal(images[0].get_array(), expected)
    assert [np.count_nonzero(image.get_array()) for image in images] == [2, 0, 0, 0]
    # All panels have the same colours, white is none.
    assert len({image.get_clim() for image in images}) == 1
    assert [tuple(round(255 * part) for part in view.MAP(value)[:3]) for value in (0.0, 1.0)] == [ORANGE, BLUE]
    assert view.MAP(0.5)[:3] == pytest.approx((1.0, 1.0, 1.0), abs=0.01)
    assert figure.get_suptitle() == "6 events of 8 x 4 pixels in 40 ms"
    assert figure.axes[0].get_xlabel() == "x (pixel)" and figure.axes[0].get_ylabel() == "y (pixel)"
    assert figure.axes[-1].get_ylabel() == "ON - OFF events"
    # y counts downwards.
    assert figure.axes[0].get_ylim() == (3.5, -0.5)


def test_a_figure_finds_a_window_itself():
    rng = np.random.default_rng(0)
    x, y = rng.integers(0, 50, 5000), rng.integers(0, 40, 5000)
    events = Events.of(np.linspace(0.0, 1000.0, 5000), x, y, np.ones(5000, dtype=int), 50, 40)
    figure = events.plot(panels=5)
    # A tenth of 2000 pixels, 200 events, come in 40 ms; 20 is the round number below.
    assert [panel.get_title() for panel in figure.axes[:2]] == ["100 to 120 ms", "300 to 320 ms"]
    assert len(images_of(figure)) == 5


@pytest.mark.parametrize("count", [0, 1])
def test_a_figure_of_next_to_nothing(tmp_path, count):
    some_events()[:count].plot().savefig(tmp_path / "a.png")
    assert Image.open(tmp_path / "a.png").size[0] > 100


@pytest.mark.parametrize("suffix", [".gif", ".png"])
def test_an_animation_has_an_image_for_each_window(tmp_path, suffix):
    path = tmp_path / f"a{suffix}"
    some_events().animate(path, every=20.0, fps=10.0)
    shown = Image.open(path)
    assert shown.n_frames == 3 and shown.size == (480, 240 + view.STRIP) and shown.info["loop"] == 0
    pages = []
    for k in range(3):
        shown.seek(k)
        assert shown.info["duration"] == 100
        pages.append(np.array(shown.convert("RGB")))
    # A pixel is 60 x 60 of the image.
    middle = [page[30:240:60, 30::60] for page in pages]
    colours = [{(y, x): tuple(page[y, x]) for y in range(4) for x in range(8)} for page in middle]
    marked = [{at: colour for at, colour in page.items() if colour != WHITE} for page in colours]
    assert marked == [{(0, 0): BLUE, (3, 5): ORANGE}, {}, {(3, 7): BLUE}]
    # The strip says the time, which differs.
    strips = [page[241:] for page in pages]
    assert all((strip < 128).any() for strip in strips) and not np.array_equal(strips[0], strips[1])


def test_an_animation_of_no_events(tmp_path):
    some_events()[:0].animate(tmp_path / "a.gif", every=20.0)
    assert Image.open(tmp_path / "a.gif").n_frames == 1


def test_what_cannot_be_drawn_is_refused(tmp_path):
    events = some_events()
    for call, sentence in (
        (
            lambda: events.animate(tmp_path / "a.mp4", 20.0),
            "the suffix '.mp4' is no animation; known are .gif and .png",
        ),
        (lambda: events.animate(tmp_path / "a.gif", 0.0), "every = 0.0 must be"),
        (lambda: events.animate(tmp_path / "a.gif", 20.0, fps=-1), "fps = -1 must be"),
        (lambda: events.animate(tmp_path / "a.gif", 0.001), "makes 40,001 images, 2000 are allowed"),
        (
            lambda: events.animate(tmp_path / "none" / "a.gif", 20.0),
            "the animation .*a.gif cannot be written: No such file",
        ),
        (
            lambda: events.animate(tmp_path / "a.gif", 20.0, fps=1e-300),
            "fps = 1e-300 must be a number of Hz from 0.001",
        ),
        (lambda: events.animate(tmp_path / "a.gif", 20.0, fps=60.0), "fps = 60.0 must be .* to 50"),
        (lambda: events.animate(None, 20.0), "the animation: None is no path"),
        (lambda: events.animate(tmp_path / "a.gif", 20.0, force=1), "force = 1 is neither True nor False"),
        (lambda: events.plot(panels=0), "panels = 0 must be a whole number from 1 to 12"),
        (lambda: events.plot(every=-1.0), "every = -1.0 must be"),
        (lambda: Events(events.data, 2**16, 2**16).plot(), "too large to draw; crop or downsample"),
    ):
        with pytest.raises(InputError, match=sentence):
            call()
    (tmp_path / "a.gif").write_text("precious")
    with pytest.raises(InputError, match="exists already"):
        events.animate(tmp_path / "a.gif", 20.0)
    assert (tmp_path / "a.gif").read_text() == "precious" and os.listdir(tmp_path) == ["a.gif"]
    events.animate(tmp_path / "a.gif", 20.0, force=True)
    assert Image.open(tmp_path / "a.gif").n_frames == 3
