"""Tells the user how a run is going."""

from __future__ import annotations

from types import TracebackType
from typing import NamedTuple

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from eventsnn.base.errors import InputError, StateError

REFRESH = 0.1  # s; faster than this nobody can read


class RunStatus(NamedTuple):
    """Where a run stands; the engine hands one to `progress` after every chunk and once at the end.

    Attributes:
        time: simulated up to here, ms.
        t_start, t_stop: the window of this run, ms.
        wall_s: time on the wall since this run began, s.
        spikes, synaptic_events: how many there were since this run began.
    """

    time: float
    t_start: float
    t_stop: float
    wall_s: float
    spikes: int
    synaptic_events: int

    @property
    def speed(self) -> float:
        """Simulated time over time on the wall; 1 is real time."""
        return (self.time - self.t_start) / 1000.0 / self.wall_s if self.wall_s > 0.0 else 0.0

    @property
    def events_per_second(self) -> float:
        """Synaptic events per second on the wall."""
        return self.synaptic_events / self.wall_s if self.wall_s > 0.0 else 0.0

    @property
    def seconds_to_go(self) -> float:
        """Time on the wall that the rest will take at the speed so far, s; NaN before anything was simulated."""
        done = self.time - self.t_start
        return self.wall_s * (self.t_stop - self.time) / done if done > 0.0 else float("nan")


class ProgressBar:
    """A bar on standard error: simulated time, speed, spikes, synaptic events a second, time to go.

        with ProgressBar() as bar:
            net.run(1000.0, progress=bar)

    Where standard error is no terminal (a log file, a pipe) it prints one line at the end and nothing else.
    """

    def __init__(self, console: Console | None = None):
        if console is not None and not isinstance(console, Console):
            raise InputError(f"ProgressBar: {console!r} is no Console of rich; give one, or nothing")
        self._console = console if console is not None else Console(stderr=True)
        self._status: RunStatus | None = None
        self._drawn_at = -REFRESH
        self._live = self._console.is_terminal and not self._console.is_dumb_terminal
        self._progress = Progress(
            BarColumn(bar_width=None),
            TextColumn("{task.fields[text]}", markup=False),
            console=self._console,
            auto_refresh=False,
            expand=True,
        )
        self._task = self._progress.add_task("", total=1.0, text="starting")

    def __getstate__(self) -> dict[str, object]:
        raise StateError("copy: a ProgressBar belongs to its terminal; make another one where it is to be drawn")

    def __enter__(self) -> ProgressBar:
        if self._live:
            self._progress.start()
        return self

    def __call__(self, status: RunStatus) -> None:
        self._status = status
        # the clock on the wall starts anew with every run, so it may also have gone back
        recent = 0.0 <= status.wall_s - self._drawn_at < REFRESH
        if self._live and (status.time >= status.t_stop or not recent):
            self._draw(status)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._live:
            if self._status is not None:
                self._draw(self._status)
            self._progress.stop()
        elif self._status is not None:
            self._console.print(_final_line(self._status), markup=False, highlight=False, soft_wrap=True)

    def _draw(self, status: RunStatus) -> None:
        self._drawn_at = status.wall_s
        done, total = status.time - status.t_start, status.t_stop - status.t_start
        self._progress.update(self._task, total=total, completed=done, text=_live_text(status))
        self._progress.refresh()


def _live_text(status: RunStatus) -> str:
    left = status.seconds_to_go
    clock = f"{duration(left)} to go" if left > 0.0 else duration(status.wall_s)
    # a narrow terminal cuts the end off: what matters most comes first
    return (
        f"{status.time:.0f}/{status.t_stop:g} ms · {clock} · {status.speed:.3g} x real time · "
        f"{short(status.spikes)} spikes · {short(status.events_per_second)} events/s"
    )


def _final_line(status: RunStatus) -> str:
    total = "" if status.time >= status.t_stop else f" of {status.t_stop - status.t_start:g}"
    return (
        f"simulated {status.time - status.t_start:g}{total} ms in {duration(status.wall_s)} "
        f"({status.speed:.3g} x real time): {status.spikes:,} spikes, {short(status.synaptic_events)} synaptic events, "
        f"{short(status.events_per_second)} a second"
    )


def short(count: float) -> str:
    """A count in three digits: 950, 1.25 k, 13.2 M, 1.3 G."""
    for factor, letter in ((1e9, " G"), (1e6, " M"), (1e3, " k")):
        if count >= 0.9995 * factor:
            return f"{count / factor:.3g}{letter}"
    return f"{count:.3g}"


def duration(seconds: float) -> str:
    """A time on the wall: 0.12 s, 8.2 s, 2 min 05 s, 1 h 02 min."""
    if seconds < 59.95:
        return f"{seconds:.2g} s" if seconds < 10.0 else f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    return f"{minutes // 60} h {minutes % 60:02d} min"
