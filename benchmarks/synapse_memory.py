"""What does a synapse cost, in memory and in time to build?

Motivation: a network should fit where its targets and weights fit, and be built in less time than it takes to run. The
goals are, in bytes a synapse, where targets fit 16 bits: 2 if weights and delays are uniform, 6 with individual float32
weights, 10 with float64, 8 more with continuous delays, little for delays that take few values; nowhere a second copy
of all synapses; and 2e7 synapses a second and thread.

Each case is built in a process of its own: 100,000 neurons, 1e8 synapses unless told otherwise. Bytes are the growth of
resident memory from the imported package to the compiled network, neurons included; the peak is the most that it was on
the way, over the same begin. Seconds are of CPU.

Run: python benchmarks/synapse_memory.py [synapses] [threads], with 4 GB.

Result, 2026-11-29, 2-core Intel Xeon virtual machine with AVX-512, gcc 12, one thread, others at work on both cores:

                                                        bytes    peak   seconds  million/s
    in-degree, uniform                                   2.32    6.08      3.49         29
    in-degree, float32 weights                           6.32    6.32      3.96         25
    in-degree, float64 weights                          10.32   10.32      4.91         20
    in-degree, float32 weights, delays on a grid         8.52    8.57      5.02         20
    in-degree, float64 weights, delays on a grid        12.52   12.57      6.76         15
    in-degree, float64 weights, continuous delays       20.30   20.30      9.41         11
    out-degree, uniform                                  2.32    2.32      1.01         99
    out-degree, float32 weights                          6.32    6.32      2.41         42
    out-degree, float64 weights                         10.32   10.32      3.30         30
    out-degree, float32 weights, delays on a grid        8.52    8.57      4.30         23
    out-degree, float64 weights, delays on a grid       12.52   12.57      5.19         19
    out-degree, float64 weights, continuous delays      20.31   20.31      8.32         12
    probability, uniform                                 2.32    2.32      3.28         30
    probability, float32 weights                         6.32    6.32      5.04         20
    probability, float64 weights                        10.32   10.32      6.40         16
    probability, float32 weights, delays on a grid       8.52    8.57      7.14         14
    probability, float64 weights, delays on a grid      12.52   12.57      8.19         12
    probability, float64 weights, continuous delays     20.30   20.30     10.43         10
    total number, uniform                                2.32    6.08      3.10         32
    total number, float32 weights                        6.32    6.32      4.98         20
    total number, float64 weights                       10.32   10.32      6.83         15
    total number, float32 weights, delays on a grid      8.52    8.57      6.49         15
    total number, float64 weights, delays on a grid     12.52   12.57      8.12         12
    total number, float64 weights, continuous delays    20.30   20.30      8.68         12

In the same hour the version before, which made each projection by itself and copied it into rows in common, took 2.74 s
and 4.29 bytes for in-degree, uniform; 12.45 s, 8.40 bytes and 10.47 at the peak for in-degree, float32 weights, delays
on a grid; 1.16 s for out-degree, uniform; 7.34 s for probability, float64 weights; 6.77 s for total number, uniform.
The microcircuit in full, 299 million synapses with float64 weights, takes 3.4 GB at the most, of which 2.99 are its
synapses; 2.2 with float32. It was built in 13 s of user time on one core of a 2-core AMD EPYC with AVX-512; the version
before took 16 s on it. Fresh pages cost 1 to 7 s more, as the host of the virtual machine has them at hand or not.

- 100,000 neurons are two pages of 65,536 (eventsnn/compile/rows.py). Slices of rows of 1,000 synapses with 30
  delays are too short to be cut, so that their targets take 4 bytes. Up to 65,536 neurons they take 2.
- The peak of in-degree and total number, uniform, is what tells synapses apart until their row is drawn: 4 bytes here,
  where targets go beyond 65,536 and there is no weight in whose place it could lie.
- A synapse of a tenth of the microcircuit takes 43 ns there, 48 in the version before; about 16 for normal values, 3 to
  count it, 7 to put it where its row is, 8 to sort and write the row. Targets noted beside ordinals, so that pairs are
  not drawn a third time, and pairs drawn without a branch each: 4. Points in the circle put side by side, 512 at a
  time: 7 % of what drawing rows takes in full. Counts of all bytes at once before sorting change nothing.
- Normal values: one by one 29 ns; those that are rejected drawn again together 22; Philox for 32 at a time and
  logarithms in a loop of their own, vectorised by the compiler, 17 to 20; eight at a time from word to value in
  AVX-512, those that are rejected found by bits, 5 to 7. A tenth of the microcircuit: 80 ns a synapse, 60 with the
  first step of this, 44 with both.
- Cutting the microcircuit's slices at 65,536 neurons makes 1.8 times as many of them. Where they keep 16 synapses or
  more it changes the time of a run by less than 1 % (4.34 and 4.37 s with it, 4.36 and 4.32 s without, of CPU for 200
  ms), and saves 0.3 GB. Where they keep 8 it saves 0.2 GB more, and takes 2 % longer.
"""

import multiprocessing
import sys
import time

import eventsnn as esn

NEURONS = 100_000
NORMAL, UNIFORM, GRID = esn.Normal(1.0, 0.1), esn.Uniform(0.5, 3.0), esn.Normal(1.5, 0.75, low=0.1, grid=0.1)

# Label: rule, weight, dtype, delay.
RULES = {
    "in-degree": lambda n: esn.FixedInDegree(n // NEURONS),
    "out-degree": lambda n: esn.FixedOutDegree(n // NEURONS),
    "probability": lambda n: esn.FixedProbability(n / NEURONS**2),
    "total number": lambda n: esn.FixedTotalNumber(n),
}
CASES = {
    "uniform": (1.0, "float64", 1.5),
    "float32 weights": (NORMAL, "float32", 1.5),
    "float64 weights": (NORMAL, "float64", 1.5),
    "float32 weights, delays on a grid": (NORMAL, "float32", GRID),
    "float64 weights, delays on a grid": (NORMAL, "float64", GRID),
    "float64 weights, continuous delays": (NORMAL, "float64", UNIFORM),
}


def memory() -> tuple[int, int]:
    """Resident memory of this process in bytes, and the most that it was."""
    with open("/proc/self/status", encoding="ascii") as status:
        fields = dict(line.split(":") for line in status)
    return tuple(1024 * int(fields[name].split()[0]) for name in ("VmRSS", "VmHWM"))


def measure(rule: str, case: str, n: int, threads: int) -> str:
    """One case, in a process that has done nothing else."""
    weight, dtype, delay = CASES[case]
    net = esn.Network(seed=1)
    cells = net.population(NEURONS, esn.LIFDelta())
    net.connect(cells, cells, RULES[rule](n), weight=weight, dtype=dtype, delay=delay)
    (before, _), began = memory(), time.process_time()
    simulation = net.compile(threads=threads)
    seconds = time.process_time() - began
    after, peak = memory()
    made = simulation.plan.n_synapses
    return (
        f"{rule + ', ' + case:50} {(after - before) / made:6.2f} bytes, peak {(peak - before) / made:6.2f}, "
        f"{seconds:6.2f} s of CPU, {made / seconds:.2e} a second"
    )


def main(n: int = 100_000_000, threads: int = 1) -> None:
    fresh = multiprocessing.get_context("spawn")
    for rule in RULES:
        for case in CASES:
            with fresh.Pool(1) as pool:
                print(pool.apply(measure, (rule, case, n, threads)), flush=True)


if __name__ == "__main__":
    main(*(int(float(argument)) for argument in sys.argv[1:]))
