"""What the workers have in common: request and answer, the core they run on, time and memory, and given spikes."""

import json
import os
import sys
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

STEP = 0.1  # ms, of the simulators that have one


class Unsupported(Exception):
    """The simulator cannot run this network, and why."""


class Mark(NamedTuple):
    cpu: float  # s, of all threads of the process
    wall: float  # s
    resident: int  # bytes
    peak: int  # bytes


def mark() -> Mark:
    return Mark(time.process_time(), time.perf_counter(), *memory())


def memory() -> tuple[int, int]:
    """Bytes that are resident, and the most that ever were."""
    try:
        with open("/proc/self/status") as status:
            fields = dict(line.split(":", 1) for line in status)
    except OSError:
        import resource

        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
        return peak, peak
    # Not ru_maxrss, which begins with what the parent process held.
    resident, peak = (1024 * int(fields[name].split()[0]) for name in ("VmRSS", "VmHWM"))
    return resident, peak


def pin(request: dict[str, Any]) -> None:
    """Keep to the cores of the request from here on; what is compiled before may use all of them."""
    if request["cores"] and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, request["cores"])


def limit_memory(most: int | None) -> None:
    """A simulator that needs more must fail by itself, before the system ends whatever it likes."""
    if most:
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (most, most))


def answer(begin: Mark, built: Mark, done: Mark, **counts: Any) -> dict[str, Any]:
    """counts: neurons, synapses, spikes (all of them), rate (Hz), and rates where populations differ."""
    return {
        "build_s": built.cpu - begin.cpu,
        "cpu_s": done.cpu - built.cpu,
        "wall_s": done.wall - built.wall,
        "growth_bytes": done.resident - begin.resident,
        "peak_bytes": done.peak,
        **counts,
    }


def distribution(value: dict[str, Any]) -> tuple[str, float, float, dict[str, float]]:
    """Name, two numbers and, if it has some, `low`, `high` and `grid` of a distribution of the description."""
    [name] = {"uniform", "normal"} & value.keys()
    return name, *value[name], {key: number for key, number in value.items() if key != name}


def unlimited(value: dict[str, Any]) -> tuple[str, float, float]:
    """The same, for a simulator whose worker has no words for limits."""
    name, a, b, limits = distribution(value)
    if limits:
        raise Unsupported("distributions with limits are not written yet")
    return name, a, b


def mean(value: Any) -> float:
    """Of a value of the description: a number or a distribution."""
    if not isinstance(value, dict):
        return float(value)
    name, a, b, _ = distribution(value)
    return float((a + b) / 2 if name == "uniform" else a)


def of(value: Any, population: int) -> Any:
    """What a value of the description is for one of the populations."""
    return value[population] if isinstance(value, list) else value


def rate(times: np.ndarray, neurons: int, network: dict[str, Any]) -> float:
    """Mean rate (Hz) after the transient."""
    kept = np.count_nonzero(np.asarray(times) >= network["transient"])
    return float(kept / neurons / (network["duration"] - network["transient"]) * 1000.0)


def kicks(drive: dict[str, Any], neurons: int, duration: float) -> tuple[np.ndarray, list[np.ndarray]]:
    """Which neurons are made to fire, ascending, and when each gets its inputs (ms).

    One input in each of `spikes` equal parts of the duration, or of the time until `until`, to all neurons in a random
    order and then again, or to so many of them as there are inputs. What they set off has arrived before the end.
    """
    # A stream that NumPy promises never to change: all workers must draw the same, whatever their version.
    draws = np.random.RandomState(drive["seed"])
    count = drive["spikes"]
    chosen = draws.permutation(neurons)[:count]
    span = min(drive.get("until", duration), duration - 4.0 * drive["delay"]) - 1.0
    times = 1.0 + (np.arange(count) + draws.random_sample(count)) * span / count
    return np.sort(chosen), [times[k :: chosen.size] for k in np.argsort(chosen)]


def serve(version: Callable[[], str], simulate: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """Answer the request on standard input. Without a network it asks for the version only."""
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # simulators greet on standard output
    request = json.load(sys.stdin)
    try:
        result: dict[str, Any] = {"version": version()}
        if "network" in request:
            limit_memory(request["memory"])
            result |= simulate(request)
    except (ImportError, Unsupported) as error:
        result = {"skipped": str(error)}
    except MemoryError:
        result = {"skipped": "it needs more memory than there is"}
    print(json.dumps(result), file=out, flush=True)
