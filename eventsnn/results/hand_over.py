"""Results for the analysis packages: a Block of Neo, tables of pandas.

Both packages are imported when they are asked for.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from eventsnn.base.arrays import Floats
from eventsnn.base.errors import InputError
from eventsnn.results.spike_trains import SpikeTrains
from eventsnn.results.traces import Traces, unit

if TYPE_CHECKING:
    from eventsnn.results.recorded import Recorded

# Samples count as regular if none is further from the grid than this part of a period: k * 0.1 is not exactly a grid.
GRID_SLACK = 1e-9


def package(name: str, extra: str) -> Any:
    """An optional package, imported; InputError with the command that installs it if it is not there."""
    try:
        return importlib.import_module(name)
    except ImportError:
        raise InputError(f'{name} is not installed; pip install "eventsnn[{extra}]" installs it') from None


# ---- Neo


def block(recorded: Recorded) -> Any:
    """A neo.Block of one Segment with all spikes and traces; see Results.to_neo."""
    neo = package("neo", "neo")
    segment = neo.Segment(name="run")
    segment.spiketrains = spike_train_list(recorded.spikes, recorded.t_start, recorded.t_stop)
    for name, traces in recorded.traces.items():
        for variable, values in traces.variables.items():
            found = signal(name, variable, traces, values)
            regular = isinstance(found, neo.AnalogSignal)
            (segment.analogsignals if regular else segment.irregularlysampledsignals).append(found)
    seed = recorded.summary.get("seed")
    made = neo.Block(name="eventsnn", **({} if seed is None else {"seed": seed}))
    made.segments.append(segment)
    return made


def spike_train_list(spikes: Mapping[str, SpikeTrains], t_start: float, t_stop: float) -> Any:
    """A SpikeTrainList with a train for every neuron of these populations, one population after the other (ms).

    Trains are annotated with `population` and `neuron`, the id in it; their channels are numbered through.
    """
    package("neo", "neo")
    lists = importlib.import_module("neo.core.spiketrainlist")
    trains = list(spikes.values())
    first = np.cumsum([0, *(each.n for each in trains)])
    times = np.concatenate([np.empty(0), *(each.times for each in trains)])
    channels = [each.rows + start for each, start in zip(trains, first[:-1], strict=True)]
    ids = np.concatenate([np.empty(0, dtype=np.int64), *(each.neurons for each in trains)])
    milliseconds = package("quantities", "neo").ms
    return lists.SpikeTrainList.from_spike_time_array(
        times,
        np.concatenate([np.empty(0, dtype=np.int64), *channels]),
        all_channel_ids=list(range(int(first[-1]))),
        units="ms",
        t_start=t_start * milliseconds,
        t_stop=t_stop * milliseconds,
        population=np.repeat(list(spikes), [each.n for each in trains]).tolist(),
        neuron=ids.tolist(),
    )


def signal(name: str, variable: str, traces: Traces, values: Floats) -> Any:
    """One variable, (samples, ids), as AnalogSignal where samples lie on a grid, else as IrregularlySampledSignal."""
    neo = package("neo", "neo")
    words: dict[str, Any] = {
        "name": f"{name} {variable}",
        "units": unit(variable) or "dimensionless",
        "array_annotations": {"id": np.array(traces.ids)},
        "population": name,
        "variable": variable,
    }
    period = period_of(traces.times)
    if period is None:
        return neo.IrregularlySampledSignal(np.array(traces.times), values.T, time_units="ms", **words)
    ms = package("quantities", "neo").ms
    return neo.AnalogSignal(values.T, t_start=float(traces.times[0]) * ms, sampling_period=period * ms, **words)


def period_of(times: Floats) -> float | None:
    """ms between samples that lie on a grid; None if they do not, or are less than two."""
    if len(times) < 2:
        return None
    period = float(times[-1] - times[0]) / (len(times) - 1)
    off = np.abs(times - (times[0] + period * np.arange(len(times))))
    # a sample at 1e6 ms is only known to some 1e-10 ms
    slack = max(GRID_SLACK * period, 4.0 * float(np.spacing(np.abs(times).max())))
    return period if period > 0.0 and off.max() <= slack else None


# ---- pandas


def spike_table(spikes: Mapping[str, SpikeTrains]) -> Any:
    """A pandas.DataFrame with the columns population, id and time, a row for each spike; see Results.to_dataframe."""
    pandas = package("pandas", "pandas")
    trains = list(spikes.values())
    codes = np.repeat(np.arange(len(trains)), [len(each) for each in trains])
    columns = {
        "population": pandas.Categorical.from_codes(codes, categories=list(spikes)),
        "id": np.concatenate([np.empty(0, dtype=np.int64), *(each.ids for each in trains)]),
        "time": np.concatenate([np.empty(0), *(each.times for each in trains)]),
    }
    return pandas.DataFrame(columns)


def trace_table(traces: Traces) -> Any:
    """A pandas.DataFrame with the columns id, time and one for each variable; see Results.to_dataframe."""
    pandas = package("pandas", "pandas")
    columns = {"id": np.repeat(traces.ids, len(traces.times)), "time": np.tile(traces.times, len(traces.ids))}
    return pandas.DataFrame(columns | {name: np.array(values).reshape(-1) for name, values in traces.variables.items()})
