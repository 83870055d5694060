"""What does an external spike of a Poisson process cost to draw?

Motivation: a second of Brunel's network takes 2.5e8 of them, 12,500 neurons at 20 kHz, and cost 11 s more than with
constant current, 44 ns a spike. How much of that is drawing, which part of drawing, and what of it can be spared
without changing a bit? Goal: 5 ns a spike.

Run: taskset -c 1 python benchmarks/external_input.py, from the repository with Cython installed, on an otherwise idle
machine. Cells of 12,500 streams are drawn one after the other; then sums of what they add are found for many streams
side by side; then the streams are read window after window and in each neuron after neuron, drawing when it has to. The
sums of all bits must be the same whenever this is run.

Result, 2026-11-24, 2-core AMD EPYC (Zen 5) virtual machine, gcc 12, ns a spike, median of 3; before -> after:

    spikes a cell   drawn          windows of 0.125 ms   0.5 ms         1 ms           (read one by one)
    4               20.8 ->  5.1   26.8 -> 10.4          25.0 ->  9.3   23.8 -> 11.7
    5 (20 kHz)      20.9 ->  4.5   26.2 ->  9.3          25.0 ->  8.1   23.7 ->  9.9
    7.9             21.6 ->  4.9   30.9 -> 10.5          29.2 ->  9.1   28.2 ->  8.8
    5, AVX2 alone   20.9 ->  5.7   26.2 -> 10.2          25.0 ->  8.9   23.7 -> 10.5
    5, plain C      20.9 -> 15.7   26.2 -> 21.1          25.0 -> 19.6   23.7 -> 18.6

Before, "drawn" held a sum of all times as well, about 1 ns. 200 ms of brunel took 3.83 -> 2.93 s, with constant
current 1.65 -> 1.53 s, so that an external spike costs 28 ns in place of 44: goal reached for drawing itself (with AVX2
alone missed by 0.7 ns), not for drawing and reading together.

Of 104 ns that a cell of five took, the parts alone: insertion sort 38, the count by division 22, Philox 6 to 11 for the
first block and 17 for the others. The rest is what mispredicted branches leave of the overlap of cell and cell.

Summed: what the spikes of a block add to the integers of neurons in frames (external.h), with their exponentials, for
blocks of a cell, a half and a quarter of it. Until 2026-11-28 this went neuron by neuron, from times that were sorted:
4.9 ns a spike to draw them with one exponential, and as much again to add them up.

Result, 2026-11-29, the machine of the first table (its clock then some 1.6 times slower), ns a spike, 5 spikes a cell:

    parts           1               2               4
                    jumps currents  jumps currents  jumps currents
    AVX-512         4.2   5.6       4.3   5.9       4.7   6.8
    AVX2             9.4  12.1      14.5  16.5      19.5  21.8
    plain C         26.6  30.4      33.9  34.7      35.5  38.6

The drawing of single cells took 6.7 in the same minute, 4.5 in the table above. Eight streams lie in the lanes of a
vector; a group of sixteen needs as many blocks of the generator as its fullest cell. As long as they were neighbours,
40 % of the lanes did nothing: 5.7, 7.8, 6.0, 8.1, 7.2 and 9.0 ns. Now 256 streams are sorted by how many spikes they
have (expected: two thirds of the time, got three quarters). An exponential takes 1.4 ns of what is left; one with a
table of 16 powers and half as many terms would save a third of that, and change the bits of everything. Not done.

What was tried for drawing, with what was expected of it:
- The count from a table of 16 probabilities, all compared: 22 -> 2 ns alone, as expected.
- A loop over four blocks in plain C, for gcc to vectorise (SSE2 or AVX2): expected half the time, got none, 30 to 34 ns
  for four blocks with or without. Written with intrinsics SSE2 27, AVX2 13, AVX-512 10.5 for eight. So SSE2 was left
  out.
- That loop unrolled, as gcc does it: 15.2 ns in place of 12.9; the keys then come from general registers.
- A sorting network in C: first no gain, 15.8 ns a spike, because gcc makes one jump of a minimum and a maximum of the
  same comparison. With two comparisons (< and >) 9.6; in vectors of four 7.5; with a merge for 8 to 14 spikes 6.2.
- What the count's comparisons give is the mask of the times that are wanted; no way over the count: 6.2 -> 5.8.
- Fewer moves between the halves of vectors in the sort: 5.8 -> 5.6.
- All 16 numbers at once with AVX-512, so that no second round is needed: 5.8 -> 4.5.
- Spikes kept copied in one size whatever their number: 12.3 -> 11.1 in windows of 0.5 ms.
- Refilling while two (or four) spikes are left, into 18 (20) places in place of 10, so that nobody waits for what is
  being drawn: expected 2 to 4 ns less, got none (9.4 -> 10.0, and 8.9 -> 8.8 several at a time). What is left in
  reading is mispredicted ends of loops, not waiting. It would also have kept all cells from being drawn twice; so that
  costs little (17 % of the cells of 7.9 hold more than the 10 that are kept, 1 % of those of 5).
- A smaller Stream: times are sums of a start and 53 bits of a cell, which 32 bits cannot hold.
"""

import importlib.util
import math
import statistics
import sys
import tempfile
import time
from pathlib import Path
from types import ModuleType

from eventsnn._core.draw import philox
from eventsnn._core.run.calm import external

HERE = Path(__file__).resolve().parent
EXT = HERE.parent / "ext"
# setup.py's.
FLAGS = ["/O2", "/fp:precise"] if sys.platform == "win32" else ["-O3", "-ffp-contract=off"]
DIRECTIVES = {"language_level": 3, "boundscheck": False, "wraparound": False, "cdivision": True}

N = 12_500
WIDTH = 0.25  # ms, the cells of all rates between 16 and 32 kHz
MEANS = [4.0, 5.0, 7.9]  # spikes in a cell; 20 kHz has 5
WINDOWS = [0.125, 0.5, 1.0]  # ms
DURATION = 50.0  # ms
REPEATS = 3


def loops(folder: str) -> ModuleType:
    """external_input.pyx, compiled as the kernels are."""
    from Cython.Build import cythonize
    from setuptools import Distribution, Extension
    from setuptools.command.build_ext import build_ext

    module = Extension(
        "external_input_loops", [str(HERE / "external_input.pyx")], include_dirs=[str(EXT)], extra_compile_args=FLAGS
    )
    translated = cythonize(
        [module], include_path=[str(EXT)], build_dir=folder, compiler_directives=DIRECTIVES, quiet=True
    )
    command = build_ext(Distribution({"ext_modules": translated}))
    command.build_lib = command.build_temp = folder
    command.ensure_finalized()
    command.run()
    spec = importlib.util.spec_from_file_location(module.name, command.get_ext_fullpath(module.name))
    compiled = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(compiled)
    return compiled


def measure(prepare, action, clock=time.perf_counter) -> tuple[float, tuple[int, int]]:
    """ns a spike, the median, and what was read."""
    each = []
    for _ in range(REPEATS):
        prepared = prepare()
        began = clock()
        read = action(prepared)
        each.append(1e9 * (clock() - began) / read[0])
    return statistics.median(each), read


def report_sums(mean: float, lanes: int) -> None:
    """Sums of what the spikes of cells add, for blocks of a cell, half of it and a quarter."""
    line = []
    for parts in (1, 2, 4):
        for current in (None, (1e13, 0.0, 1.0 / 0.5)):
            edges = [WIDTH * part / parts for part in range(parts + 1)]
            given = (N, 12345, 0, 0, mean, math.exp(-mean), WIDTH, edges, 0.1, 1e13, 0.0, 1.0 / 20.0, current)

            def draw(_, given=given):
                for _ in range(40):
                    _, _, spikes, _ = external.sums(lanes, *given)
                return 40 * sum(spikes), 0

            ns, _ = measure(lambda: None, draw, time.process_time)
            line.append(f"{parts} parts{' with currents' if current else ''} {ns:.1f}")
    print(f"    {lanes} lanes, summed: {', '.join(line)}", flush=True)


def report(compiled: ModuleType, mean: float) -> None:
    ns, _ = measure(lambda: None, lambda _: compiled.cells(N, 200, WIDTH, mean))
    print(f"{mean:g} spikes a cell: {ns:.1f} ns a spike drawn")
    for lanes in (n for n in (8, 4, 1) if n <= philox.most_lanes()):
        report_sums(mean, lanes)

    for window in WINDOWS:
        windows = round(DURATION / window)
        ns, read = measure(
            lambda: compiled.Streams(N, WIDTH, mean), lambda streams, w=window, n=windows: streams.one_by_one(w, n)
        )
        print(f"    windows of {window:g} ms: {ns:.1f} read ({read[0]} spikes, sum {read[1]:x})", flush=True)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        compiled = loops(folder)
        for mean in MEANS:
            report(compiled, mean)
