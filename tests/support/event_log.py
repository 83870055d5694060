"""Everything that two runs must have in common to the last bit."""

from __future__ import annotations

import numpy as np

import eventsnn as esn
from eventsnn.compile.plan import Plan
from eventsnn.run.reference_simulation import ReferenceSimulation

STOP = 40.0  # ms
# Lengths of this are in seconds; all other counters count what is simulated.
SECONDS = ("collecting_s", "processing_s", "waiting_s")


class Threaded:
    """A Simulation that runs on several threads: one after the other of `numbers`, a number for each run."""

    def __init__(self, simulation: esn.Simulation, *numbers: int):
        self.simulation, self.numbers, self.runs = simulation, numbers, 0

    def run(self, *arguments, **options):
        threads = self.numbers[self.runs % len(self.numbers)]
        self.runs += 1
        return self.simulation.run(*arguments, threads=threads, **options)

    def __getattr__(self, name):
        return getattr(self.simulation, name)


def event_log(simulation: esn.Simulation, *stops: float) -> dict[str, bytes]:
    """Spikes in output order, samples, final state and the run-away error, if any, of runs up to `stops` (ms)."""
    log: dict[str, bytes] = {}
    try:
        for stop in stops:
            simulation.run(until=stop)
    except esn.RunawayError as error:
        log["error"] = str(error).encode()
    log |= recorded(simulation.results())
    if "error" not in log:
        for name, values in simulation._state.settled().items():
            log[f"state {name}"] = np.asarray(values).tobytes()
    return log


def event_log_of_pieces(simulation: esn.Simulation, *stops: float) -> dict[str, bytes]:
    """The same without the state, put together from Results that each hold the spikes and samples of one run only."""
    log: dict[str, bytes] = {}
    for stop in stops:
        try:
            piece = recorded(simulation.run(until=stop, keep="new"))
        except esn.RunawayError as error:
            piece = recorded(simulation.results()) | {"error": str(error).encode()}
        for name, values in piece.items():
            log[name] = log.get(name, b"") + values
        if "error" in log:
            break
    return log


def recorded(results: esn.Results) -> dict[str, bytes]:
    """Spikes in output order and samples. Samples are put as (samples, ids), so that later ones follow earlier ones."""
    log = {}
    for name, trains in results.spikes.items():
        log[f"{name} times"], log[f"{name} ids"] = trains.times.tobytes(), trains.ids.tobytes()
    for name, traces in results.traces.items():
        log[f"{name} sample times"] = traces.times.tobytes()
        for variable in traces.variables:
            log[f"{name} {variable}"] = getattr(traces, variable).T.tobytes()
    return log


def simulation_of(plan: Plan, state: object) -> esn.Simulation:
    """A Simulation that drives the given engine, one with the reference's methods, on a plan."""
    simulation = ReferenceSimulation(plan)
    simulation._state = state  # type: ignore[assignment]
    return simulation


def differences(a: dict[str, bytes], b: dict[str, bytes]) -> list[str]:
    return [name for name in sorted(a.keys() | b.keys()) if a.get(name) != b.get(name)]


def log_of(network: esn.Network, *threads: int, stops: tuple[float, ...] = (STOP / 3, STOP)) -> dict[str, bytes]:
    """The event log of a network in pieces, each on a number of threads, with its counters."""
    simulation = network.compile()
    log = event_log(Threaded(simulation, *threads), *stops)
    if "error" not in log:
        counters = {name: n for name, n in simulation.results().summary.items() if name not in (*SECONDS, "threads")}
        counters.pop("wall_s")
        log["counters"] = str(counters).encode()
    return log
