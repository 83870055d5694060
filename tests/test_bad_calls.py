"""However a call is wrong, what comes back is the project's own exception, and soon.

Sensible calls of all that users hold (tests/support/good_calls.py) are made with odd values in place of one or two of
their arguments (tests/support/bad_calls.py). A failure prints the calls, to be pasted.
"""

import inspect
import re

import numpy as np
import pytest
from bad_calls import World, bad_calls, failure
from good_calls import CALLS, DRAWN

import eventsnn as esn
from eventsnn.run.reference_simulation import ReferenceSimulation

# What the floors ask of each other: users have no reason to call it.
INTERNAL = {
    "lines", "shape", "weights", "sines", "compile", "law", "bounds", "values", "refuse", "require_unseen", "sound",
    "free_name", "new_name", "side", "require_ports", "require_unstarted", "initial_values", "set_spikes",
    "synapses_of", "count", "index", "add_spikes", "present_state", "set_weights", "state_of", "weights_of", "joined",
    "set_values", "put_weights", "set_learning", "in_parts", "of",
    "set_stimulus", "renew", "change", "require_alive", "require_rest", "among", "without",
}  # fmt: skip
# Tuples and mappings come with methods of Python's own, and bases are called by what derives from them.
ABSTRACT = {
    "LinearModel", "Code", "Check", "RunStatus", "EpochStatus", "Loss", "Optimizer", "Readout", "History",
    "SpikingClassifier", "Sweep", "SweepStatus",
}  # fmt: skip


def is_answered(calls, limit=5):
    found = []
    for call in calls:
        wrong = failure(call)
        if wrong is not None:
            found.append(f"{call}\n    {wrong}")
    assert not found, f"{len(found)} calls, among them\n" + "\n".join(found[:limit])


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.mark.filterwarnings("ignore:Warning. converting a masked element:UserWarning")
class TestOddValues:
    @pytest.mark.parametrize("seed", range(4))
    def test_the_answer_is_one_of_ours(self, seed):
        is_answered(bad_calls(1_500, seed))

    def test_pictures_too(self):
        is_answered(bad_calls(40, 0, DRAWN))

    @pytest.mark.long
    @pytest.mark.parametrize("seed", range(100, 110))
    def test_many_more(self, seed):
        is_answered(bad_calls(6_000, seed))
        is_answered(bad_calls(100, seed, DRAWN))


@pytest.mark.parametrize("call", [call for call in CALLS + DRAWN if call != "net.results()"])
def test_sensible_calls_are_sensible(call):
    """Else the odd value would never be looked at."""
    eval(call, {}, World())


def test_all_public_names_are_called():
    called = " ".join(CALLS + DRAWN)
    for module, prefix in ((esn, "esn"), (esn.encode, "encode"), (esn.events, "events"), (esn.train, "train")):
        for name in module.__all__:
            if name not in ABSTRACT and callable(getattr(module, name)):
                assert re.search(rf"\b(?:{prefix}\.)?{name}\b", called), name
    held = [
        esn.Network, esn.Population, esn.Projection, ReferenceSimulation, esn.Results, esn.SpikeTrains, esn.Traces,
        esn.encode.Trains, esn.events.Events, esn.SpikeSource, esn.Uniform, esn.Sweep,
        esn.train.Trainable, esn.train.Readout, *map(vars(esn.encode).get, esn.encode.__all__),
    ]  # fmt: skip
    for kind in filter(inspect.isclass, held):
        for name, _ in inspect.getmembers(kind, callable):
            if not name.startswith("_") and name not in INTERNAL and kind is not esn.encode.Code:
                assert f".{name}" in called, f"{kind.__name__}.{name}"


def test_a_raw_exception_would_be_seen(monkeypatch):
    monkeypatch.setattr(esn.SpikeTrains, "psth", lambda self, width: np.ceil(width))
    assert "TypeError" in failure("spikes.psth('a')")
    assert failure("spikes.psth()") is None and failure("spikes.between(5.0, 1.0)") is None


def test_calls_are_the_same_for_the_same_seed():
    assert list(bad_calls(50, 3)) == list(bad_calls(50, 3)) != list(bad_calls(50, 4))


@pytest.mark.parametrize("force", ["a", "", 1, None, [], np.bool_(True)])
def test_force_is_true_or_false(force):
    for call in (World()["results"].save, World()["trains"].save):
        with pytest.raises(esn.InputError, match="force = .* is neither True nor False"):
            call("folder", force=force)


@pytest.mark.parametrize("path", ["a\0b", "a" * 5000, "\ud800", b"a", 3, None])
def test_names_that_no_folder_can_have(path):
    for call in (World()["results"].save, esn.load):
        with pytest.raises(esn.InputError):
            call(path)


def test_more_threads_than_are_of_use():
    net = World()["net"]
    net.compile(threads=2**70)
    net.run(1.0, threads=2**70)
