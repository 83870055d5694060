"""What users do to a network that lives, as they know it from other simulators, and what must then hold."""


import numpy as np
import pytest
from event_log import differences, recorded

import eventsnn as esn


def noisy(weight=20.0, **options):
    net = esn.Network(seed=2)
    cells = net.population(40, esn.LIFExp(), name="cells")
    net.stimulate(cells, esn.Poisson(8_000.0), weight=40.0, name="drive")
    net.connect(cells, cells, esn.FixedProbability(0.2), weight=weight, delay=1.0, name="wires", **options)
    return net, cells


# ---- a description does not change by itself


@pytest.mark.parametrize("kind", [np.array, list])
def test_arrays_that_are_written_to_later_change_nothing(kind):
    """Processes are compiled again with every change, and went on otherwise with what then stood in their arrays."""

    def run(write):
        net = esn.Network(seed=1)
        rate, weight, v = kind([100.0] * 4), kind([30.0] * 4), kind([-60.0] * 4)
        source = net.population(4, esn.Poisson(rate), name="source")
        cells = net.population(4, esn.LIFExp(), name="cells", V_m=v)
        drive = net.stimulate(cells, esn.SinusoidalPoisson(rate, rate, rate), weight=weight, name="drive")
        wires = net.connect(source, cells, esn.OneToOne(), weight=weight)
        net.stimulate(cells, esn.Gamma(rate, rate), weight=weight)
        net.stimulate(cells, esn.PoissonRefractory(rate, kind([1.0] * 4)), weight=weight)
        drive.set(weight=weight)
        wires.set(weight=weight)
        if write:
            weight[0], v[0] = 900.0, -51.0
        net.run(50.0)
        if write:
            rate[0], rate[1] = 500.0, 0.0
        cells.set(tau_m=5.0)
        return net.run(100.0)

    assert differences(recorded(run(False)), recorded(run(True))) == []
