"""Many short runs: what they leave is put together as one run would leave it, at a cost that does not grow."""

import numpy as np
import pytest

import eventsnn as esn
from eventsnn.run.history import Growing


def test_views_stay_as_they_were_and_cannot_be_written():
    rng = np.random.default_rng(1)
    grown, expected, views = Growing(np.float64, 3), np.empty((3, 0)), []
    for _ in range(200):
        part = rng.normal(size=(3, rng.integers(0, 9)))
        grown.append(part)
        expected = np.concatenate([expected, part], axis=1)
        views.append((grown.values, expected.copy()))
    assert all(np.array_equal(*pair) for pair in views)
    with pytest.raises(ValueError, match="read-only"):
        views[-1][0][0, 0] = 1.0


def test_growing_copies_little():
    """1,000 appended one by one take 11 rooms; one a time would be 1,000."""
    grown, rooms = Growing(np.int64), set()
    for k in range(1_000):
        grown.append(np.array([k]))
        rooms.add(id(grown._room.base if grown._room.base is not None else grown._room))
    assert grown.values.tolist() == list(range(1_000)) and len(rooms) <= 12


def network():
    net = esn.Network(seed=4)
    cells = net.population(20, esn.LIFExp(I_e=500.0), name="cells")
    net.stimulate(cells, esn.Poisson(2_000.0), weight=50.0)
    net.record(cells, "spikes", ids=range(3, 17))
    net.record(cells, "V_m", every=0.3, ids=[1, 5])
    return net


def test_short_runs_leave_what_one_run_leaves():
    one, many = network().run(100.0), network()
    early = None
    for k in range(400):
        results = many.run(0.25)
        early = results if k == 99 else early
    for a, b in ((one, results), (one, many.results())):
        assert a.spikes["cells"].times.tobytes() == b.spikes["cells"].times.tobytes()
        assert a.spikes["cells"].ids.tobytes() == b.spikes["cells"].ids.tobytes()
        assert a.spikes["cells"].neurons.tolist() == b.spikes["cells"].neurons.tolist() == list(range(3, 17))
        assert a.traces["cells"].V_m.tobytes() == b.traces["cells"].V_m.tobytes()
        assert a.traces["cells"].times.tobytes() == b.traces["cells"].times.tobytes()
    assert early.t_stop == 25.0 and early.spikes["cells"].times.max() < 25.0
    assert np.array_equal(early.spikes["cells"].times, one.spikes["cells"].between(0.0, 25.0).times)
    for array in (results.spikes["cells"].times, results.spikes["cells"].neurons, results.traces["cells"].V_m):
        assert not array.flags.writeable
