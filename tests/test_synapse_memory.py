"""Bytes a synapse, as the growth of a fresh process's resident memory, and how much more it was while building."""

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="resident memory is read from /proc")

# 5 million synapses between 5,000 neurons. Prints the bytes a synapse that stay, and those at the most.
PROGRAM = """
import eventsnn as esn

def memory(name):
    return 1024 * next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith(name))

net = esn.Network(seed=1)
cells = net.population(5_000, esn.LIFDelta())
net.connect(cells, cells, esn.{rule}, {values})
before = memory("VmRSS")
simulation = net.compile()
made = simulation.plan.n_synapses
print((memory("VmRSS") - before) / made, (memory("VmHWM") - before) / made)
"""

NORMAL, UNIFORM, GRID = "esn.Normal(1.0, 0.1)", "esn.Uniform(0.5, 3.0)", "esn.Normal(1.5, 0.75, low=0.1, grid=0.1)"
RULES = ["FixedInDegree(1_000)", "FixedOutDegree(1_000)", "FixedProbability(0.2)", "FixedTotalNumber(5_000_000)"]
CASES = [
    ("weight=1.0, delay=1.5", 2.0, 3.2, 3.7),
    (f"weight={NORMAL}, dtype='float32'", 6.0, 7.2, 7.7),
    (f"weight={NORMAL}", 10.0, 11.2, 11.7),
    (f"weight={NORMAL}, delay={UNIFORM}", 18.0, 19.2, 19.7),
    (f"weight={NORMAL}, delay={GRID}, dtype='float32'", 6.0, 7.7, 8.2),
]


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize(("values", "least", "most", "peak"), CASES)
def test_bytes_of_a_synapse(rule, values, least, most, peak):
    program = PROGRAM.format(rule=rule, values=values)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    stays, highest = map(float, done.stdout.split())
    assert least - 0.1 < stays < most and highest < peak
