"""What a picture looks like once it is laid out."""

from matplotlib.figure import Figure


def drawn_texts(picture: Figure) -> list:
    found = list(picture.texts)
    for panel in picture.axes:
        legend = panel.get_legend()
        found += [panel.title, panel._left_title, panel._right_title, *(legend.get_texts() if legend else [])]
        for axis in (panel.xaxis, panel.yaxis):
            low, high = sorted(axis.get_view_interval())
            # hidden ones have no labels
            ticks = zip(axis.get_majorticklocs(), axis.get_majorticklabels(), strict=False)
            found += [axis.label, *(label for at, label in ticks if low <= at <= high)]
    return [text for text in found if text.get_text() and text.get_visible()]


def overlapping(picture: Figure) -> list[tuple[str, str]]:
    """Pairs of texts that lie over one another; the space above and below the letters may."""
    picture.draw_without_rendering()
    boxes = [(text.get_text(), text.get_window_extent().shrunk(0.95, 0.7)) for text in drawn_texts(picture)]
    return [(a, b) for k, (a, one) in enumerate(boxes) for b, two in boxes[:k] if one.overlaps(two)]
