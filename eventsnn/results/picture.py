"""Picture: a figure that a notebook shows although pyplot does not know it."""

from __future__ import annotations

import io

from matplotlib.figure import Figure


class Picture(Figure):
    """A matplotlib Figure that any notebook shows as an image, also before anything has asked for `%matplotlib`."""

    def _repr_png_(self) -> bytes:
        return self.png()

    def png(self) -> bytes:
        """The picture as the bytes of a PNG file."""
        file = io.BytesIO()
        self.savefig(file, format="png")
        return file.getvalue()


def shown(figure: Figure) -> Figure:
    """The figure itself, as a Picture if it is a plain one that pyplot does not show, such as scenarios draw."""
    if type(figure) is Figure and figure.canvas.manager is None:
        figure.__class__ = Picture
    return figure
