"""How fast is eventsnn beside its peers on the same networks, and how far from what memory allows?

Motivation: "fast" says nothing without a peer on the same machine in the same hour, the same network, the rate at which
it fired, and a limit that nobody can pass. workloads.py describes the networks, a worker for each simulator in peers/
builds and runs them, each measurement in a process of its own on one core. The limit is a loop in C that visits the
synapses of our own network in the order of our own spikes and does nothing but add (scatter.c).

Run: make bench, or python benchmarks/bench.py [--quick] [--workloads PATTERN ...] [--simulators NAME ...], on an
otherwise idle machine; everything takes hours, most of them NEST's. NEST, Brian2, ANNarchy and GeNN may live in
environments of their own, whose interpreters --nest, --brian2, --annarchy and --genn or the variables BENCH_NEST,
BENCH_BRIAN2, BENCH_ANNARCHY and BENCH_GENN name; what is not found is skipped. GeNN is on no package index: it is built
from its repository. It prints a table and writes bench.json and bench.png into --out; CONTRIBUTING.md says how to read
them.

Result, 2026-11-27, 2-core AMD EPYC (Zen 4) virtual machine, CPU seconds on one core; eventsnn and scatter-add medians
of 3, all others, brunel_dc_het and the microcircuit in full one run each. Whenever another program had to run, the
measurement was stopped, so that wall times mean nothing. All rates are the expected ones but NEST's of sparse_1e6 (no
spikes: not looked into). docs/accuracy.md says what the spike times of coba are worth.

                          eventsnn  scatter  ANNarchy  Brian2 C++  Brian2 Cython     NEST  NEST precise
    brunel_poisson            7.72    0.694      11.3        13.1           14.6     28.9         103
    brunel_dc                 3.05    0.694      1.98        8.97           12.3     25.9          84.7
    brunel_dc_stored          3.66    0.995      9.91        12.1           11.7     25.0          76.9
    brunel_exp               10.5                10.3        10.4                    53.2         145
    brunel_exp_dc             4.38    0.924*     2.18        5.97           7.14     40.5
    brunel_dc_het            19.9
    cuba                      0.857   0.013      1.50        0.965          3.59      7.48         13.0
    coba                     11.4                 3.70        3.09           5.22     76.1 (17 Hz)
    sparse_1e4                0.065   0.001      0.318       0.111          0.335     1.94
    sparse_1e5                0.115   0.003      2.75        1.11           1.74     16.3
    sparse_1e6                0.147   0.006                 10.6                    164 (0 Hz)
    microcircuit, a tenth     2.67    0.094                                          10.9
    microcircuit in full     73.5                                                   211
    * two words

Since then, 2026-11-29, on a 2-core Xeon (Sapphire Rapids) virtual machine that others used, smallest of some runs: coba
5.5 s by quadrature of the closed form where Taylor series of 1e-12 mV took 9.6 and, without vectors, quadrature 11.9. A
third of it is the quadrature of eight events side by side (20 to 33 ns an event), a seventh the search for crossings.
What did not pay: a second, closer horizon for the bound (1.5 % fewer fall due, for 2.6 ns an event); 128 or 512 neurons
at a time in place of 256; unrolled loops; searches for crossings that ask for V side by side, with the same bits (6.36
s before, 6.41 after, in turns: of 600 neurons in a window some 20 are searched, by three rules). An exponential with
its last bit rounded less well would save 8 % of the quadrature.

The microcircuit in full takes 3.85 GB and 47.7 s to build, NEST 12.6 GB and 212 s.

With GeNN and the fly, 2026-11-29, 2-core Intel Xeon virtual machine, while other programs ran, so that all times are
too long; cuba and coba medians of 3, all others one run each. In NEST and GeNN the fly's rate is 4 to 6 % lower.

                          eventsnn  scatter  GeNN CPU  Brian2 C++  ANNarchy     NEST
    brunel_poisson            2.98                5.20
    brunel_dc                 1.12                1.14
    brunel_dc_stored          1.71                1.54
    cuba                      0.526               0.644       0.641      1.21
    coba, 1e-12 mV           10.3                 2.47        2.89       3.19
    fly                       3.04     0.026      2.38        2.60                20.4

Since calm neurons may have heavy-tailed weights and lanes fewer ranges, the same day, on a 2-core AMD EPYC virtual
machine with nothing else running, medians of 3 (fly of 2 for Brian2):

                          eventsnn  scatter  GeNN CPU  Brian2 C++
    brunel_poisson            2.47    0.638      5.57        11.7
    brunel_dc                 1.06    0.625      1.06        8.50
    brunel_dc_stored          1.62    0.939      1.32        11.7
    brunel_exp                4.72    0.598      5.67        9.34
    brunel_exp_dc             2.34    0.684      1.02        5.94
    cuba                      0.522   0.013      0.828       0.759
    coba                      6.30               2.99        3.03
    fly                       0.568   0.015      2.75        2.23

GeNN has a grid of 0.1 ms and float32. microcircuit_full took 17.0 s on one thread, 10.6 to 12.1 s of wall time on two,
and 9.3 s to build on two.
"""

import argparse
import contextlib
import dataclasses
import datetime
import fnmatch
import json
import math
import os
import platform
import signal
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parent))

from workloads import Workload, workloads  # noqa: E402

HERE = Path(__file__).resolve().parent
QUICK = 0.04  # of the size, where the harness itself is tried
BUSY = 0.5  # average number of running programs above which times are not to be trusted


class Simulator(NamedTuple):
    """A row of the table: `peer` is the module in peers/ that runs it, with these settings in its requests."""

    title: str
    peer: str
    settings: dict[str, Any]


SIMULATORS = {
    "eventsnn": Simulator("eventsnn", "eventsnn", {}),
    "scatter": Simulator("scatter-add", "scatter", {"words": 1}),
    "scatter_two": Simulator("scatter-add, two words", "scatter", {"words": 2}),
    "nest": Simulator("NEST", "nest", {"precise": False}),
    "nest_ps": Simulator("NEST precise", "nest", {"precise": True}),
    "brian2": Simulator("Brian2 C++", "brian2", {"target": "cpp_standalone"}),
    "brian2_cython": Simulator("Brian2 Cython", "brian2", {"target": "cython"}),
    "annarchy": Simulator("ANNarchy", "annarchy", {}),
    "genn": Simulator("GeNN CPU", "genn", {}),
}
OWN = ("eventsnn", "scatter")  # run by the interpreter that runs this
PEERS = ("nest", "brian2", "annarchy", "genn")


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


# ---- one measurement


def ask(python: str, peer: str, request: dict[str, Any], folder: str, limit: float) -> dict[str, Any]:
    """The worker's answer; {"skipped": reason} if it does not run."""
    paths = [str(HERE)]
    if python == sys.executable and os.environ.get("PYTHONPATH"):
        paths.append(os.environ["PYTHONPATH"])
    threads = {name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")}
    environment = {**os.environ, **threads, "PYTHONPATH": os.pathsep.join(paths)}
    pipe = subprocess.PIPE
    try:
        worker = subprocess.Popen(
            [python, "-m", f"peers.{peer}"], stdin=pipe, stdout=pipe, stderr=pipe, text=True, cwd=folder,
            env=environment, start_new_session=True,  # so that what a worker has started ends with it
        )  # fmt: skip
    except OSError as error:
        return {"skipped": f"{python}: {error.strerror}"}
    try:
        out, err = worker.communicate(json.dumps(request), timeout=limit)
    except BaseException as error:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(worker.pid, signal.SIGKILL)
        worker.communicate()
        if isinstance(error, subprocess.TimeoutExpired):
            return {"skipped": f"it took longer than {limit:g} s"}
        raise
    if worker.returncode < 0:
        return {"skipped": f"ended by signal {-worker.returncode}", "stderr": err[-5000:]}
    if worker.returncode or not out.strip():
        return {"skipped": (err.strip() or "no answer").splitlines()[-1], "stderr": err[-5000:]}
    answer: dict[str, Any] = json.loads(out.splitlines()[-1])
    return answer


def available_cores(first: int | None) -> list[int]:
    """Cores to run on, the first for all that runs on one; empty where a process cannot choose."""
    if not hasattr(os, "sched_getaffinity"):
        return []
    cores = sorted(os.sched_getaffinity(0), reverse=True)
    return cores if first is None else [first, *(core for core in cores if core != first)]


def available_memory() -> int | None:
    """Bytes that a measurement may take; None where the system does not say."""
    try:
        with open("/proc/meminfo") as info:
            fields = dict(line.split(":", 1) for line in info)
        return 1024 * int(fields["MemAvailable"].split()[0])
    except OSError:
        return None


# ---- a session


def versions(names: Sequence[str], pythons: dict[str, str]) -> dict[str, str]:
    """The simulators that run, with their versions; a line for each peer that does not."""
    found: dict[str, str] = {}
    answers: dict[str, dict[str, Any]] = {}
    for name in names:
        peer = SIMULATORS[name].peer
        if peer not in answers:
            with tempfile.TemporaryDirectory() as folder:
                answers[peer] = ask(pythons[peer], peer, {}, folder, 300.0)
            if "skipped" in answers[peer]:
                hint = f"; name an interpreter that has it by --{peer} or BENCH_{peer.upper()}" if peer in PEERS else ""
                say(f"{peer}: skipped, {answers[peer]['skipped']}{hint}")
        if "version" in answers[peer]:
            found[name] = answers[peer]["version"]
    return found


def measure(
    workload: Workload, names: Sequence[str], pythons: dict[str, str], options: argparse.Namespace
) -> dict[str, Any]:
    """All runs of a workload: {simulator: {"runs": [answers]}}, or {"skipped": reason} for those that do not run it.

    Repeats go round all simulators, so that what changes on the machine meanwhile meets all of them.
    """
    cores = available_cores(options.core)
    results: dict[str, Any] = {}
    request = {
        "network": workload.network,
        "seed": options.seed,
        "cores": cores[: workload.threads],
        "threads": workload.threads,
        "memory": available_memory(),
    }
    with tempfile.TemporaryDirectory() as folder:
        repeats = min(options.repeats, workload.repeats or options.repeats)
        for repeat in range(1, repeats + 1):
            for name in names:
                if workload.only and name not in workload.only or "skipped" in results.get(name, {}):
                    continue
                title, peer, settings = SIMULATORS[name]
                answer = ask(pythons[peer], peer, {**request, "folder": folder, **settings}, folder, options.limit)
                if "skipped" in answer:
                    results[name] = answer
                    say(f"{workload.name}: {title} skipped, {answer['skipped']}")
                    if name == "eventsnn":
                        return results
                    continue
                results.setdefault(name, {"runs": []})["runs"].append(answer)
                rate = "" if answer["rate"] is None else f" at {answer['rate']:.4g} Hz"
                say(f"{workload.name}: {title}, {repeat} of {repeats}: {answer['cpu_s']:.4g} s{rate}")
    return results


def events(answer: dict[str, Any], network: dict[str, Any]) -> float:
    """Synaptic and external events of a run, from its own spikes where the simulator does not count them."""
    if "events" in answer:
        return float(answer["events"])
    if any(p["rule"][0] == "wiring" for p in network["projections"]):
        return math.nan  # it depends on which neurons fired
    drive, sizes, seconds = network["drive"], network["populations"], network["duration"] / 1000.0
    rates = drive.get("rate", 0.0)
    rates = rates if isinstance(rates, list) else [rates] * len(sizes)
    external = {
        "poisson": sum(rate * n * seconds for rate, n in zip(rates, sizes.values(), strict=True)),
        "kicks": drive.get("spikes", 0),
    }.get(drive["kind"], 0.0)
    if "rates" in answer:  # populations with rates and synapses of their own
        totals = [(p["pre"], p["rule"][1]) for p in network["projections"]]
        return float(sum(answer["rates"][pre] * seconds * n for pre, n in totals) + external)
    return float(answer["spikes"] * answer["synapses"] / answer["neurons"] + external)


def off_rate(workload: Workload, result: dict[str, Any], expected: float) -> bool:
    """Whether this was another network, or the same one wrongly."""
    if workload.rates and "rates" in result:
        return any(abs(result["rates"][name] - rate) > most for name, (rate, most) in workload.rates.items())
    return bool(abs(result["rate"] - expected) > workload.tolerance * expected)


def summarise(workload: Workload, results: dict[str, Any], alone: dict[str, Any]) -> None:
    """Add medians, ratios to eventsnn and whether the rate is the expected one, to the results of each simulator.

    alone: the results of the same network on one thread, if there are any; the gain is the ratio of wall times.
    """
    for result in results.values():
        for key in ("cpu_s", "wall_s", "build_s", "growth_bytes", "peak_bytes", "rate", "neurons", "synapses"):
            values = [run[key] for run in result.get("runs", []) if run[key] is not None]
            if values:
                result[key] = statistics.median(values)
        for run in result.get("runs", [])[:1]:
            if run.get("rates"):
                all_rates = [one["rates"] for one in result["runs"]]
                result["rates"] = {name: statistics.median(one[name] for one in all_rates) for name in all_rates[0]}
            result["version"], result["threads"] = run["version"], run.get("threads", workload.threads)
            result["ns_per_event"] = 1e9 * result["cpu_s"] / max(events(run, workload.network), 1.0)
            result["bytes_per_synapse"] = result["growth_bytes"] / max(result["synapses"], 1)
    ours = results.get("eventsnn", {})
    expected = workload.rate if workload.rate is not None else ours.get("rate")
    for result in results.values():
        if "rate" in result and expected is not None:
            result["off_rate"] = off_rate(workload, result, expected)
    time = "cpu_s" if workload.threads == 1 else "wall_s"
    for name, result in results.items():
        wrong = result.get("off_rate", False) or ours.get("off_rate", True)
        if time in result and not wrong and ours[time] > 0.0:
            result["ratio"] = result[time] / ours[time]
        one = alone.get(name, {})
        if time in result and "wall_s" in one and not (result.get("off_rate") or one.get("off_rate")):
            result["gain"] = one["wall_s"] / result["wall_s"]


def machine() -> dict[str, Any]:
    processor = platform.processor()
    if Path("/proc/cpuinfo").exists():
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
        processor = names[0] if names else processor
    described: dict[str, Any] = {"processor": processor, "cores": os.cpu_count(), "system": platform.platform()}
    if hasattr(os, "sysconf"):
        described["memory_bytes"] = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    if hasattr(os, "getloadavg"):
        described["load"] = os.getloadavg()[0]
    return described | {"python": platform.python_version()}


# ---- the table

COLUMNS = ("version", "rate (Hz)", "CPU (s)", "wall (s)", "build (s)", "ratio", "ns/event", "peak (MB)", "B/synapse")


def cells(name: str, result: dict[str, Any]) -> list[str]:
    """One row; what does not apply to a simulator is left empty."""
    if "skipped" in result:
        return [f"skipped: {result['skipped'][:90]}"]
    bare = name.startswith("scatter")
    rate = "" if "rate" not in result else f"{result['rate']:.4g}" + ("*" if result.get("off_rate") else "")
    shared_core = result["wall_s"] > 1.1 * result["cpu_s"] + 0.01 and result["threads"] == 1
    return [
        "" if bare else result["version"],
        rate,
        f"{result['cpu_s']:.4g}",
        f"{result['wall_s']:.4g}" + ("!" if shared_core else ""),
        "" if bare else f"{result['build_s']:.3g}",
        f"{result['ratio']:.3g}" if "ratio" in result else "",
        f"{result['ns_per_event']:.3g}",
        "" if bare else f"{result['peak_bytes'] / 1e6:.0f}",
        "" if bare else f"{result['bytes_per_synapse']:.3g}",
    ]


def table(session: dict[str, Any]) -> str:
    described = session["machine"]
    memory = f", {described['memory_bytes'] / 2**30:.0f} GiB" if "memory_bytes" in described else ""
    lines = [f"{session['date'][:10]}, {described['processor']}, {described['cores']} cores{memory}"]
    if session["scale"] != 1.0:
        lines.append(f"at {session['scale']:g} of the size: times mean nothing")
    for name, record in session["workloads"].items():
        expected = "" if record["rate"] is None else f", {record['rate']:.4g} Hz expected"
        title = f"{name}: {record['about']}{expected}"
        lines += ["", title, f"  {'':24}" + "".join(f"{column:>11}" for column in COLUMNS)]
        for simulator, result in record["results"].items():
            row = cells(simulator, result)
            text = "  " + row[0] if len(row) == 1 else "".join(f"{cell:>11}" for cell in row)
            lines.append(f"  {SIMULATORS[simulator].title:24}{text}")
        lines += population_rates(record) + gains(record)
    lines += ["", "CPU and wall: the simulated part, without building. ratio: CPU (several cores: wall) to eventsnn's."]
    lines += ["* far from the expected rate: another network, and in no ratio. ! the core was shared: measure again."]
    return "\n".join(lines)


def population_rates(record: dict[str, Any]) -> list[str]:
    """Lines with the rate of each population, where these are compared one by one."""
    if not record["rates"]:
        return []
    names = list(record["rates"])
    rows = {"rates (Hz) of": names}
    rows["expected"] = [f"{rate:.2f}+-{most:.2f}" for rate, most in record["rates"].values()]
    for simulator, result in record["results"].items():
        if "rates" in result:
            rows[SIMULATORS[simulator].title] = [f"{result['rates'][name]:.2f}" for name in names]
    return [f"    {title:22}" + "".join(f"{cell:>12}" for cell in row) for title, row in rows.items()]


def gains(record: dict[str, Any]) -> list[str]:
    """A line about what several cores gain."""
    found = {SIMULATORS[name].title: result["gain"] for name, result in record["results"].items() if "gain" in result}
    if not found:
        return []
    each = ", ".join(f"{title} {gain:.2f}" for title, gain in found.items())
    return [f"    times as fast as {record['alone']}, by wall time: {each}"]


# ---- command line


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for peer in PEERS:
        variable = f"BENCH_{peer.upper()}"
        python = os.environ.get(variable, sys.executable)
        parser.add_argument(f"--{peer}", metavar="PYTHON", default=python, help=f"or {variable}")
    parser.add_argument("--workloads", nargs="*", metavar="PATTERN", help="as 'brunel*'; all unless given")
    parser.add_argument("--simulators", nargs="*", metavar="NAME", choices=SIMULATORS, default=list(SIMULATORS))
    parser.add_argument("--repeats", type=int, default=3, metavar="N")
    parser.add_argument("--scale", type=float, default=1.0, metavar="X", help="size and, below 1, duration")
    parser.add_argument("--quick", action="store_true", help=f"--scale {QUICK} --repeats 1, to try the program itself")
    parser.add_argument("--core", type=int, metavar="N", help="the last one unless given")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--limit", type=float, default=3600.0, metavar="S", help="seconds for one measurement")
    parser.add_argument("--add", action="store_true", help="to what --out holds, in place of what is measured again")
    parser.add_argument("--out", type=Path, default=Path("runs/bench"), metavar="FOLDER")
    options = parser.parse_args(arguments)
    if options.quick:
        options.scale, options.repeats = QUICK, 1
    return options


def now() -> str:
    return datetime.datetime.now().astimezone().isoformat(timespec="seconds")


def begin(options: argparse.Namespace) -> dict[str, Any]:
    """A session without versions; with what --add found, if it was measured likewise."""
    session: dict[str, Any] = {"date": now(), "machine": machine(), "versions": {}, "workloads": {}}
    session |= {key: getattr(options, key) for key in ("scale", "repeats", "seed")}
    written = options.out / "bench.json"
    if options.add and written.exists():
        old = json.loads(written.read_text())
        if any(old[key] != session[key] for key in ("scale", "seed")):
            raise SystemExit(f"{written} was measured with another --scale or --seed: nothing can be added to it")
        session |= {key: old[key] for key in ("versions", "workloads")}
    return session


def main(arguments: Sequence[str] | None = None) -> int:
    options = parse(arguments)
    pythons = {peer: sys.executable for peer in OWN} | {peer: getattr(options, peer) for peer in PEERS}
    session = begin(options)
    found = versions(options.simulators, pythons)
    session["versions"] |= found
    if session["machine"].get("load", 0.0) > BUSY:
        say(f"the machine is busy (load {session['machine']['load']:.1f}): times will be too long")
    patterns = options.workloads or ["*"]
    options.out.mkdir(parents=True, exist_ok=True)
    try:
        for workload in workloads(options.scale, len(available_cores(options.core)) or os.cpu_count() or 1):
            if any(fnmatch.fnmatchcase(workload.name, pattern) for pattern in patterns):
                before = session["workloads"].get(workload.name, {}).get("results", {})
                measured = measure(workload, list(found), pythons, options)
                results = {name: (before | measured)[name] for name in SIMULATORS if name in before | measured}
                summarise(workload, results, session["workloads"].get(workload.alone, {}).get("results", {}))
                record = {**dataclasses.asdict(workload), "date": now(), "results": results}
                session["workloads"][workload.name] = record
                (options.out / "bench.json").write_text(json.dumps(session, indent=1))
    except KeyboardInterrupt:
        say("interrupted: what was measured follows")
    print(table(session))

    from bench_plot import draw

    draw(session, {name: simulator.title for name, simulator in SIMULATORS.items()}).savefig(options.out / "bench.png")
    say(f"wrote {options.out / 'bench.json'} and bench.png")
    return 0


if __name__ == "__main__":
    sys.exit(main())
