"""Lines of a user's program that must be refused, run where a small network is already described."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest

import eventsnn as esn

nan, inf = math.nan, math.inf


def namespace():
    """A network of 5 `exc` (LIFDelta), 3 `cells` (LIFExp), 2 `source`, `noise`; `other` belongs to another network."""
    net = esn.Network(seed=1)
    exc = net.population(5, esn.LIFDelta(), name="exc")
    cells = net.population(3, esn.LIFExp(), name="cells")
    source = net.population(2, esn.SpikeSource([1.0]), name="source")
    noise = net.population(2, esn.Poisson(rate=5.0), name="noise")
    projection = net.connect(exc, cells, esn.AllToAll(), name="wires")
    other = esn.Network().population(2, esn.LIFDelta(), name="other")
    return locals() | {"esn": esn, "np": np, "nan": nan, "inf": inf}


def refused(code, words):
    """Runs `code`, which must raise one InputError whose single sentence holds all words; returns the namespace."""
    names = namespace()
    with pytest.raises(esn.InputError) as caught:
        exec(code, names)
    message = str(caught.value)
    for word in words:
        assert word in message, message
    # One sentence of a reasonable length, written for the user: no dump of an array, no trace of numpy.
    assert message.count("\n") == 0 and not re.search(r"[a-z]{3}\. [A-Z]", message) and len(message) < 260, message
    return names


def table(*rows):
    return pytest.mark.parametrize(("code", "words"), rows, ids=[row[0] for row in rows])
