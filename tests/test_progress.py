"""What the progress bar writes, with and without a terminal."""

import io

import pytest
from rich.console import Console

import eventsnn as esn
from eventsnn.run.progress import ProgressBar, RunStatus, duration, short

HALF = RunStatus(time=350.0, t_start=100.0, t_stop=600.0, wall_s=2.0, spikes=12_345, synaptic_events=30_000_000)
END = RunStatus(time=600.0, t_start=100.0, t_stop=600.0, wall_s=4.0, spikes=25_000, synaptic_events=61_000_000)


def test_speed_and_time_to_go_count_from_the_start_of_the_run():
    assert HALF.speed == 0.125
    assert HALF.seconds_to_go == 2.0
    assert HALF.events_per_second == 15e6
    assert RunStatus(0.0, 0.0, 10.0, 0.0, 0, 0).speed == 0.0


def test_without_a_terminal_there_is_one_line_at_the_end():
    stream = io.StringIO()
    with ProgressBar(Console(file=stream, width=20)) as bar:
        bar(HALF)
        bar(END)
        assert stream.getvalue() == ""
    assert stream.getvalue() == (
        "simulated 500 ms in 4 s (0.125 x real time): 25,000 spikes, 61 M synaptic events, 15.2 M a second\n"
    )


def test_without_a_terminal_an_interrupted_run_says_how_far_it_came():
    stream = io.StringIO()
    with pytest.raises(KeyboardInterrupt), ProgressBar(Console(file=stream)) as bar:
        bar(HALF)
        raise KeyboardInterrupt
    assert stream.getvalue().startswith("simulated 250 of 500 ms in 2 s")
    assert stream.getvalue().count("\n") == 1


def test_a_run_that_never_reported_writes_nothing():
    stream = io.StringIO()
    with ProgressBar(Console(file=stream)):
        pass
    assert stream.getvalue() == ""


def test_standard_error_is_the_default(capsys):
    with ProgressBar() as bar:
        bar(END)
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("simulated 500 ms")


def test_in_a_terminal_everything_is_shown():
    stream = io.StringIO()
    with ProgressBar(Console(file=stream, force_terminal=True, width=120, color_system=None)) as bar:
        bar(HALF)
        half = stream.getvalue()
        bar(END)
    for text in ("350/600 ms", "2 s to go", "0.125 x real time", "12.3 k spikes", "15 M events/s"):
        assert text in half
    last = stream.getvalue().splitlines()[-2]
    assert "600/600 ms" in last
    assert "to go" not in last


def test_in_a_terminal_it_redraws_ten_times_a_second_at_most():
    stream = io.StringIO()
    with ProgressBar(Console(file=stream, force_terminal=True, width=120, color_system=None)) as bar:
        for chunk in range(1000):
            bar(RunStatus(float(chunk), 0.0, 1e6, chunk * 0.001, 0, 0))
        assert 5 <= stream.getvalue().count(" ms ") <= 12


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0"), (950, "950"), (999.6, "1 k"), (1250, "1.25 k"), (13.24e6, "13.2 M"), (1.3e9, "1.3 G")]
)
def test_short_counts(count, text):
    assert short(count) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.123, "0.12 s"), (8.24, "8.2 s"), (42.4, "42 s"), (125.2, "2 min 05 s"), (3725.0, "1 h 02 min")],
)
def test_durations(seconds, text):
    assert duration(seconds) == text


@pytest.mark.parametrize("function", [lambda: None, lambda status, other: None, esn.Uniform, dict])
def test_what_cannot_be_called_with_one_status_is_refused_before_the_run(function):
    net = esn.Network()
    net.population(1, esn.LIFDelta())
    with pytest.raises(esn.InputError, match="a function of one RunStatus"):
        net.run(1.0, progress=function)
    assert net.time == 0.0
