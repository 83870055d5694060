"""Running: pieces, resets, results, what may change when, progress, interruption and run-away."""

import math
import signal
import threading

import numpy as np
import pytest
from event_log import differences, event_log

import eventsnn as esn
from eventsnn.run import simulation as engine_module

both = pytest.mark.parametrize("engine", ["compiled", "reference"])


def busy(seed=3, n=30):
    """A recurrent network with every kind of input; its spikes and samples fill 100 ms evenly."""
    net = esn.Network(seed=seed)
    delta = net.population(n, esn.LIFDelta(t_ref=1.0), name="delta", V_m=esn.Uniform(-70.0, -55.0))
    exp = net.population(n, esn.LIFExp(I_e=esn.Uniform(300.0, 420.0)), name="exp", V_m=esn.Uniform(-70.0, -55.0))
    net.connect(delta, exp, esn.FixedInDegree(5), weight=40.0, delay=esn.Uniform(0.3, 2.0))
    net.connect(exp, delta, esn.FixedInDegree(5), weight=esn.Normal(1.5, 2.0), delay=0.7)
    net.stimulate(delta, esn.Poisson(rate=900.0), weight=2.0)
    net.stimulate(exp, esn.StepCurrent([20.0, 40.0], [60.0, -30.0]))
    net.record(exp, ["V_m", "I_syn_ex"], every=0.37, ids=range(4))
    net.record(delta[:2], "V_m", times=np.linspace(0.0, 99.0, 150))
    return net


@pytest.fixture
def small_chunks(monkeypatch):
    """Chunks of a few events, so that a short run has many."""
    monkeypatch.setattr(engine_module, "BUDGET", {"compiled": 50, "reference": 5})


# ---- pieces


@both
def test_a_run_in_pieces_has_the_bits_of_one(engine, small_chunks):
    whole = event_log(busy().compile(engine), 100.0)
    rng = np.random.default_rng(1)
    assert len(whole["exp times"]) > 8 * 50 and len(whole["delta times"]) > 8 * 50
    random = np.sort(rng.uniform(0.0, 100.0, 30)).tolist()
    for stops in ([50.0], [100.0], [math.nextafter(100.0, 0.0)], random):
        assert differences(whole, event_log(busy().compile(engine), *stops, 100.0)) == []


def test_durations_add_up_and_until_is_exact():
    net = busy()
    assert net.time == 0.0
    net.run(0.1)
    net.run(0.2)
    assert net.time == 0.1 + 0.2 != 0.3
    net.run(until=7.0)
    assert net.time == 7.0
    results = net.run(until=7.0)
    assert (net.time, results.t_stop) == (7.0, 7.0)
    net.run(0.0)
    assert net.time == 7.0


@both
def test_results_hold_everything_or_the_new(engine):
    net = busy()
    first = net.run(40.0, engine=engine)
    new = net.run(20.0, keep="new")
    assert (first.t_start, first.t_stop, new.t_start, new.t_stop) == (0.0, 40.0, 40.0, 60.0)
    reference = busy().run(80.0, engine=engine).spikes["exp"]
    assert new.spikes["exp"].times.tolist() == reference.between(40.0, 60.0).times.tolist()
    assert new.spikes["exp"].rate() == reference.between(40.0, 60.0).rate() > 0.0
    assert new.traces["exp"].times[0] == pytest.approx(40.33, abs=1e-9) and new.traces["exp"].times[-1] < 60.0
    # What was let go is gone: later results begin where the new ones did, and their rates refer to that time.
    rest = net.run(20.0)
    assert (rest.t_start, rest.t_stop) == (40.0, 80.0)
    assert rest.spikes["exp"].times.tolist() == reference.between(40.0, 80.0).times.tolist()
    assert rest.spikes["exp"].rate() == reference.between(40.0, 80.0).rate()
    assert net.results().spikes["exp"].times.tolist() == rest.spikes["exp"].times.tolist()


@both
def test_results_are_a_copy_that_later_runs_leave_alone(engine):
    net = busy()
    first = net.run(30.0, engine=engine)
    times, V = first.spikes["exp"].times.copy(), first.traces["exp"].V_m.copy()
    second = net.run(30.0)
    assert np.array_equal(first.spikes["exp"].times, times) and np.array_equal(first.traces["exp"].V_m, V)
    assert len(second.spikes["exp"]) > times.size
    assert second.spikes["exp"].times[: times.size].tolist() == times.tolist()
    assert np.array_equal(second.traces["exp"].V_m[:, : V.shape[1]], V)


@both
def test_reset_goes_back_to_the_description(engine):
    net = busy()
    one = net.run(30.0, engine=engine).spikes["exp"].times
    net.reset()
    assert net.time == 0.0
    with pytest.raises(esn.StateError, match="not run yet"):
        net.results()
    assert net.run(30.0, engine=engine).spikes["exp"].times.tolist() == one.tolist()
    net.reset()
    net.populations["exp"].set(I_e=0.0)
    assert net.run(30.0, engine=engine).spikes["exp"].times.tolist() != one.tolist()


def test_simulations_are_independent():
    net = busy()
    a, b = net.compile(), net.compile()
    a.run(20.0)
    assert (a.time, b.time, net.time) == (20.0, 0.0, 0.0)
    net.populations["exp"].set(I_e=0.0)  # the description is free: neither is the network's own
    assert b.run(20.0).spikes["exp"].times.tolist() == a.results().spikes["exp"].times.tolist()


def test_an_empty_run_has_results():
    results = busy().run(0.0)
    assert len(results.spikes["exp"]) == 0 and results.traces["exp"].V_m.shape == (4, 0)
    assert (results.t_start, results.t_stop) == (0.0, 0.0)


# ---- what may change when


@pytest.mark.parametrize(
    "change",
    [
        lambda net, exc, wires: net.population(1, esn.LIFDelta()),
        lambda net, exc, wires: net.connect(exc, exc, esn.AllToAll()),
        lambda net, exc, wires: net.stimulate(exc, esn.Poisson(1.0), weight=1.0),
        lambda net, exc, wires: exc.get("V_m"),
        lambda net, exc, wires: wires.set(delay=2.0),
    ],
    ids=["population", "connect", "stimulate", "get", "delay"],
)
def test_what_cannot_change_after_the_first_run_names_the_reset(change):
    net = esn.Network()
    exc = net.population(3, esn.LIFDelta(), name="exc")
    wires = net.connect(exc, exc, esn.AllToAll())
    change(net, exc, wires)
    net.run(1.0)
    with pytest.raises(esn.StateError, match=r"after the first run; call net\.reset\(\)"):
        change(net, exc, wires)
    net.reset()
    exc.set(I_e=2.0)


def test_the_first_run_fixes_the_engine():
    net = busy()
    assert net.run(1.0, engine="reference").summary["engine"] == "reference"
    assert net.run(1.0).summary["engine"] == "reference"
    net.run(1.0, engine="reference")
    with pytest.raises(esn.StateError, match=r"engine='reference'; call net\.reset\(\) to change to 'compiled'"):
        net.run(1.0, engine="compiled")
    net.reset()
    assert net.run(1.0).summary["engine"] == "compiled"


# ---- the summary and progress


@both
@pytest.mark.parametrize("threads", [1, 2, 64])
def test_threads_are_an_upper_bound_and_change_no_bit(engine, threads):
    results = busy().run(30.0, engine=engine, threads=threads)
    assert 1 <= results.summary["threads"] <= threads
    assert results.spikes["exp"].times.tolist() == busy().run(30.0, engine=engine).spikes["exp"].times.tolist()


@both
def test_the_summary_counts(engine):
    """A source of 3 spikes to 4 neurons, which each spike makes fire; one Poisson stream a neuron of a known number."""
    net = esn.Network(seed=4)
    cells = net.population(4, esn.LIFDelta(E_L=0.0, V_th=1.0, V_reset=0.0, t_ref=0.0), name="cells")
    source = net.population(1, esn.SpikeSource([1.0, 2.0, 3.0]), name="source")
    net.connect(source, cells, esn.AllToAll(), weight=1.0, delay=0.5)
    net.stimulate(cells, esn.Poisson(rate=50.0), weight=0.0)
    results = net.run(100.0, engine=engine)
    other = esn.Network(seed=4)
    twin = other.population(4, esn.LIFDelta(E_L=0.0, V_th=1.0, V_reset=0.0, t_ref=0.0), name="cells")
    other.stimulate(twin, esn.Poisson(rate=50.0), weight=1.0)
    streams = len(other.run(100.0).spikes["cells"])
    summary = results.summary
    assert summary["spikes"] == 3 + 12 and summary["synaptic_events"] == 12
    assert summary["external_events"] == 3 + streams and streams > 5
    assert (summary["neurons"], summary["synapses"], summary["seed"]) == (5, 4, 4)
    assert (summary["duration_ms"], summary["version"]) == (100.0, esn.__version__) and summary["wall_s"] > 0.0


@both
def test_progress_is_reported_in_ascending_order_up_to_the_end(engine, small_chunks):
    net, seen = busy(), []
    net.run(10.0, engine=engine)
    results = net.run(20.0, progress=seen.append)
    assert len(seen) > 5 and all(isinstance(status, esn.RunStatus) for status in seen)
    for name in ("time", "wall_s", "spikes", "synaptic_events"):
        values = [getattr(status, name) for status in seen]
        assert values == sorted(values), name
    assert {(status.t_start, status.t_stop) for status in seen} == {(10.0, 30.0)}
    assert seen[-1].time == 30.0 and 10.0 < seen[0].time < 30.0
    new = sum(len(trains.between(10.0, 30.0)) for trains in results.spikes.values())
    assert seen[-1].spikes == new > 0


def test_a_progress_bar_is_drawn_on_standard_error(capsys):
    busy().run(5.0, progress=True)
    out, err = capsys.readouterr()
    assert out == "" and "5" in err


@both
def test_an_error_in_the_users_progress_function_loses_nothing(engine, small_chunks):
    def fail(status):
        if status.time > 30.0:
            raise ZeroDivisionError

    whole = event_log(busy().compile(engine), 100.0)
    simulation = busy().compile(engine)
    with pytest.raises(ZeroDivisionError):
        simulation.run(100.0, progress=fail)
    assert 30.0 < simulation.time < 100.0
    assert differences(whole, event_log(simulation, 100.0)) == []


# ---- Ctrl-C


def press_at(time):
    """A progress function that presses Ctrl-C once, at the first report at or after this time (ms)."""
    pressed = []

    def report(status):
        if status.time >= time and not pressed:
            pressed.append(status.time)
            signal.raise_signal(signal.SIGINT)

    return report, pressed


@both
def test_an_interrupted_run_keeps_what_it_has_and_goes_on_with_the_same_bits(engine, small_chunks):
    whole = event_log(busy().compile(engine), 100.0)
    net = busy()
    usual = signal.getsignal(signal.SIGINT)
    for k in range(1, 8):
        report, pressed = press_at(12.0 * k)
        with pytest.raises(KeyboardInterrupt, match="kept"):
            net.run(until=100.0, engine=engine, progress=report)
        assert signal.getsignal(signal.SIGINT) is usual
        assert net.time == pressed[0] and net.time < 100.0
        results, expected = net.results(), busy().run(until=net.time, engine=engine)
        assert results.t_stop == net.time
        for name, trains in expected.spikes.items():
            assert results.spikes[name].times.tolist() == trains.times.tolist()
        for name, traces in expected.traces.items():
            assert results.traces[name].times.tolist() == traces.times.tolist()
            for variable in traces.variables:
                assert np.array_equal(getattr(results.traces[name], variable), getattr(traces, variable)), variable
    assert differences(whole, event_log(net._simulation, 100.0)) == []


def test_an_interruption_between_two_rounds_of_one_time(monkeypatch):
    """A chain of zero delays from the last neuron to the first: output order is by id, wherever the run was stopped.
    The compiled engine stops between windows only."""
    monkeypatch.setattr(engine_module, "BUDGET", {"reference": 1})
    n = 20
    net = esn.Network()
    chain = net.population(n, esn.LIFDelta(E_L=0.0, V_th=1.0, V_reset=0.0), name="chain")
    net.connect(chain, chain, esn.Explicit(range(1, n), range(n - 1)), delay=0.0)
    source = net.population(1, esn.SpikeSource([1.0]))
    net.connect(source, chain[n - 1], esn.AllToAll(), delay=0.0)
    net.record(chain, "V_m", times=[1.0])
    for _ in range(n - 3):
        with pytest.raises(KeyboardInterrupt):
            net.run(until=2.0, engine="reference", progress=press_at(0.0)[0])
        assert net.time == 1.0
        assert len(net.results().spikes["chain"]) == 0  # what lies at the time of the stop belongs to the next run
    results = net.run(until=2.0)
    assert results.spikes["chain"].times.tolist() == [1.0] * n
    assert results.spikes["chain"].ids.tolist() == list(range(n))
    assert results.traces["chain"].V_m[:, 0].tolist() == [0.0] * n


def test_runs_outside_the_main_thread_leave_signals_alone():
    results = []
    thread = threading.Thread(target=lambda: results.append(busy().run(20.0)))
    thread.start()
    thread.join()
    assert results[0].spikes["exp"].times.tolist() == busy().run(20.0).spikes["exp"].times.tolist()


# ---- run-away


def runaway():
    net = esn.Network(max_spikes=20)
    cells = net.population(3, esn.LIFDelta(E_L=0.0, V_th=1.0, V_reset=0.0, t_ref=0.0), name="cells")
    net.connect(cells, cells, esn.AllToAll(), weight=1.0, delay=0.01)
    source = net.population(1, esn.SpikeSource([2.0, 5.0]), name="source")
    net.connect(source, cells, esn.AllToAll(), weight=[[0.5, 0.0, 0.0]])
    later = net.population(1, esn.SpikeSource([6.0]), name="later")
    net.connect(later, cells[2], esn.AllToAll(), weight=1.0, delay=0.25)
    net.record(cells, "V_m", every=0.5)
    return net


@both
def test_results_after_a_run_away(engine):
    """Neuron 2 starts an avalanche at 6.25; each neuron then fires every 0.01 ms, 20 times until 6.44."""
    net = runaway()
    with pytest.raises(esn.RunawayError, match="fired more than 20 times within 1 ms .* at t = 6.4") as caught:
        net.run(20.0, engine=engine)
    error = caught.value
    assert (error.population, error.neuron) == ("cells", 2) and error.time == pytest.approx(6.45, abs=1e-9)
    results = net.results()
    assert net.time == results.t_stop == error.time
    assert results.spikes["source"].times.tolist() == [2.0, 5.0]
    assert results.spikes["cells"].counts().tolist() == [19, 19, 20]
    assert (results.spikes["cells"].times < error.time).all()
    assert results.traces["cells"].times.tolist() == [0.5 * k for k in range(13)]
    assert results.traces["cells"].V_m[0, [5, 6]] == pytest.approx([0.0, 0.0], abs=0.51)
    # It ended there: asking again says the same, and a reset begins anew.
    with pytest.raises(esn.RunawayError, match="fired more than 20 times"):
        net.run(1.0)
    assert len(net.results().spikes["cells"]) == 58
    net.reset()
    assert net.run(6.0, engine=engine).spikes["source"].times.tolist() == [2.0, 5.0]


def test_both_engines_say_the_same_of_a_run_away():
    logs = [event_log(runaway().compile(engine), 3.0, 20.0) for engine in ("compiled", "reference")]
    assert "error" in logs[0] and differences(*logs) == []


@both
def test_a_run_that_stays_within_the_limits_is_not_stopped(engine):
    net = runaway()
    assert len(net.run(until=6.4, engine=engine).spikes["cells"]) > 30


# ---- the reference engine, step by step


def test_peek_step_and_pending():
    net = esn.Network()
    cells = net.population(2, esn.LIFDelta(E_L=0.0, V_th=1.0, V_reset=0.0), name="cells")
    source = net.population(1, esn.SpikeSource([1.0]), name="source")
    net.connect(source, cells[1], esn.AllToAll(), weight=1.0, delay=0.5)
    simulation = net.compile(engine="reference")
    assert simulation.peek() == 1.0 and [entry.neuron for entry in simulation.pending()] == [2]
    simulation.step()
    assert (simulation.time, simulation.peek()) == (1.0, 1.5)
    assert [entry.time for entry in simulation.pending(neuron=1)] == [1.5] and simulation.pending(neuron=0) == []
    assert simulation.pending(until=1.5) == [] and len(simulation.pending(until=1.6)) == 1
    simulation.step()
    assert simulation.peek() == math.inf
    simulation.step()  # nothing is left to do
    results = simulation.run(until=3.0)
    assert results.spikes["source"].times.tolist() == [1.0] and results.spikes["cells"].times.tolist() == [1.5]


# ---- what must not be lost


def driven() -> esn.Network:
    net = esn.Network(seed=2)
    cells = net.population(3, esn.LIFDelta(E_L=0.0, V_th=10.0, V_reset=0.0), name="cells", I_e=[500.0, 520.0, 0.0])
    net.record(cells, "V_m", every=1.0)
    return net


@pytest.mark.parametrize("action", ["run", "results"])
def test_nothing_is_asked_of_a_network_while_it_runs(action):
    net = driven()
    calls = {"run": lambda status: net.run(5.0), "results": lambda status: net.results()}
    with pytest.raises(esn.StateError, match=f"{action}: a run of this network is going on"):
        net.run(50.0, progress=calls[action])
    whole = driven().run(100.0)
    rest = net.run(until=100.0)
    assert rest.spikes["cells"].times.tolist() == whole.spikes["cells"].times.tolist()
    assert np.array_equal(rest.traces["cells"].V_m, whole.traces["cells"].V_m)


def test_single_steps_keep_spikes_and_samples():
    simulation = driven().compile(engine="reference")
    for _ in range(4):
        simulation.step()
    whole = driven().run(100.0)
    stepped = simulation.results()
    assert stepped.spikes["cells"].times.tolist() == whole.spikes["cells"].between(0.0, simulation.time).times.tolist()
    rest = simulation.run(until=100.0)
    assert rest.spikes["cells"].times.tolist() == whole.spikes["cells"].times.tolist()
    assert np.array_equal(rest.traces["cells"].V_m, whole.traces["cells"].V_m)


def test_a_step_into_a_runaway_says_so():
    net = esn.Network(max_rounds=5)
    cell = net.population(1, esn.LIFDelta(t_ref=0.0), name="cell", V_m=-50.0)
    net.connect(cell, cell, esn.OneToOne(), weight=20.0, delay=0.0)
    simulation = net.compile(engine="reference")
    with pytest.raises(esn.RunawayError, match="neuron 0 of cell"):
        for _ in range(10):
            simulation.step()


def test_recorded_weights_take_no_memory_and_absurd_traces_are_refused():
    net = esn.Network()
    cells = net.population(300, esn.LIFDelta(), name="cells")
    projection = net.connect(cells, cells, esn.AllToAll(), weight=0.5)
    net.record(projection, "weight", every=0.1)
    assert net.run(1_000.0).traces[projection.name].weight.shape == (90_000, 10_000)  # 7 GB if it were stored
    with pytest.raises(esn.InputError, match=r"'cells->cells#0' would hold 9,\d+,\d+,\d+ samples"):
        net.run(9_000.0)
    assert net.time == 1_000.0


def test_the_summary_of_a_new_piece_counts_that_piece():
    net = driven()
    net.run(50.0)
    piece = net.run(50.0, keep="new")
    assert piece.summary["spikes"] == len(piece.spikes["cells"]) > 0
    assert piece.summary["duration_ms"] == 50.0


def test_arrays_stay_the_callers_own():
    weight, ids, I_e = np.array([1.0, 2.0]), np.array([0]), np.array([0.0, 100.0])
    net = esn.Network()
    cells = net.population(2, esn.LIFDelta(), name="cells", I_e=I_e)
    projection = net.connect(cells, cells, esn.OneToOne(), weight=weight)
    net.record(projection, "weight", every=1.0, ids=ids)
    weight[:] = I_e[:] = 7.0
    net.compile()
    ids[0] = 1
    assert projection.synapses().weight.tolist() == [1.0, 2.0]
    assert cells.get("I_e").tolist() == [0.0, 100.0]
