"""The scenario izhikevich_patterns: the published figure, the exact solution, and in what they differ."""

import numpy as np
import pytest
from scenario_runs import run, simulated

import eventsnn as esn
from eventsnn.scenarios import izhikevich_patterns as patterns

# Panels of which the figure has another number of spikes (exact, figure), and those with a spike over 5 ms late.
COUNTS = {"C": (29, 28), "D": (8, 6), "E": (7, 6), "H": (18, 14), "N": (14, 7), "P": (7, 5), "Q": (8, 1), "S": (4, 3),
          "T": (46, 12)}  # fmt: skip
LATE = {"I": 10.2, "M": 10.6}  # ms


@pytest.fixture(scope="module")
def both():
    return simulated(patterns.build(), patterns.DURATION)


@pytest.mark.parametrize(("method", "names"), [("exact", ["exact"]), ("figure1", ["figure"])])
def test_one_method_alone_gives_the_same_bits_and_its_own_checks(tmp_path, both, method, names):
    alone = simulated(patterns.build(method), patterns.DURATION)
    assert list(alone.spikes) == names
    assert alone.spikes[names[0]].times.tobytes() == both.spikes[names[0]].times.tobytes()
    checks = run(tmp_path, "izhikevich_patterns", "--set", f"method={method}")
    assert len(checks) == (21 if method == "exact" else 20)
    assert all(("forward steps" in name) == (method == "figure1") for name in checks)
    assert patterns.differences(alone) == [""] * 20


def test_the_differences_are_those_of_the_panels(both):
    said = dict(zip("ABCDEFGHIJKLMNOPQRST", patterns.differences(both), strict=True))
    expected = {panel: f"exact {exact}" for panel, (exact, _) in COUNTS.items()}
    expected |= {panel: f"{late} ms late" for panel, late in LATE.items()}
    assert {panel: difference for panel, difference in said.items() if difference} == expected


def test_checks_say_which_patterns_differ_and_why(both):
    sources = {check.name: check.source for check in patterns.check(both)}
    why = "Izhikevich 2004, figure 1; exact 29, steps of 0.25 ms delay spikes"
    assert sources["spikes of tonic bursting, forward steps"] == why
    assert sources["spikes of tonic spiking, forward steps"] == "Izhikevich 2004, figure 1"
    assert sum("delay spikes" in source for source in sources.values()) == len(COUNTS) + len(LATE)


def test_the_picture_marks_the_panels_that_differ(both):
    panels = [panel for panel in patterns.plot(both).axes if panel.get_title("left")]
    marked = {panel.get_title("left")[0]: panel.get_title("right") for panel in panels if panel.get_title("right")}
    expected = {panel: f"{figure}, exact {exact}" for panel, (exact, figure) in COUNTS.items()}
    assert marked == expected | {panel: f"{late} ms late" for panel, late in LATE.items()}
    shaded = {panel.get_title("left")[0] for panel in panels if panel.get_facecolor() != (1.0, 1.0, 1.0, 1.0)}
    assert shaded == set(expected) | set(LATE)


@pytest.mark.parametrize("panel", COUNTS)
def test_short_steps_give_the_exact_number(panel):
    """So the length of the steps is the reason. H ends 0.02 ms after its last exact spike, which then is beyond it."""
    pattern = patterns.PATTERNS[ord(panel) - ord("A")]
    short = pattern._replace(step=pattern.step / 1000.0)
    net = esn.Network()
    model = esn.Izhikevich("figure1", a=pattern.a, b=pattern.b, c=pattern.c, d=pattern.d, step=short.step)
    cell = net.population(1, model, name="cell", V_m=pattern.V_0, U_m=pattern.b * pattern.V_0)
    for current in patterns.currents(short, True):
        net.stimulate(cell, current)
    times = net.run(pattern.duration).spikes["cell"].times
    assert np.count_nonzero(times < pattern.duration) == pattern.spikes - (panel == "H")
    assert pattern.duration - pattern.last < 0.03 or panel != "H"
