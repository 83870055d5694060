"""Bad calls: sensible ones in which one or two arguments are replaced by an odd value.

A call is a line of a user's program, so that it can be pasted behind `from bad_calls import World`:

    eval("exc.set(V_m=Decimal('1.5'))", {}, World())

The names in it are made when they are asked for, anew in each World unless they cannot be changed.
"""

from __future__ import annotations

import ast
import datetime
import re
import tempfile
from collections.abc import Iterator, Sequence
from decimal import Decimal
from fractions import Fraction
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import scipy.sparse
from good_calls import CALLS

import eventsnn as esn

ODD = [
    "None", "True", "False", "'a'", "''", "'5'", "'1.5'", "'nan'", "'a' * 5000", "'\\x00'", "'\\ud800'", "'é/..'",
    "b'a'", "b''", "bytearray(b'12')", "memoryview(b'12')", "float('nan')", "float('inf')", "-float('inf')", "-1",
    "0", "-0.0",
    "0.5", "1", "3", "2**31", "2**63", "2**70", "-2**70", "10**400", "1e308", "-1e308", "5e-324", "1j", "[]", "()",
    "[0]",
    "[1, 1]", "[[1], [1, 2]]", "[[]]", "[[[1.0]]]", "[None]", "['a']", "[1, 'a']", "[float('nan')]", "[1j]",
    "[[1, 2], 3]",
    "[-1]", "[2**70]", "[10**400]", "[object()]", "[True, False]", "(0, 1)", "('a', None)", "{}", "{'a': 1}",
    "{0: 1.0}",
    "set()", "{1, 2}", "frozenset({1})", "dict", "object()", "object", "int", "len", "print", "Ellipsis",
    "NotImplemented",
    "slice(None)", "slice('a', 2)", "slice(0, 10**30)", "range(3)", "range(0)", "iter([1, 2])", "(i for i in [1, 2])",
    "map(str, [1])", "zip([1], [2])", "Decimal('1.5')", "Decimal('NaN')", "Fraction(1, 3)", "date(2020, 1, 1)",
    "datetime.datetime(2020, 1, 1)", "datetime.timedelta(1)", "np.datetime64('2020')", "np.timedelta64(1, 's')",
    "np.datetime64('NaT')", "np.float64(2.0)", "np.float32('nan')", "np.float16(3.0)", "np.longdouble(1)", "np.int8(2)",
    "np.uint64(2**64 - 1)", "np.bool_(True)", "np.str_('a')", "np.bytes_(b'a')", "np.void(b'a')", "np.complex64(1j)",
    "np.array(2.0)", "np.array('a')", "np.array(None)", "np.array([])", "np.array([], dtype=object)", "np.ones(3)",
    "np.ones((2, 2))", "np.ones((2, 2, 2))", "np.zeros((0, 3))", "np.ones(3, dtype=bool)", "np.array([1.0, np.nan])",
    "np.array(['a', 'b'])", "np.array([b'a'])", "np.array([1, None], dtype=object)", "np.array(['2020'], 'M8[D]')",
    "np.array([1, 2], 'm8[s]')", "np.ones(2, 'c16')", "np.ones(2, [('a', float)])", "np.ma.masked",
    "np.ma.array([1.0, 2.0], mask=[True, False])", "np.ones(3, np.longdouble)", "np.ones(2, '>f8')", "np.float64",
    "esn.Uniform(0.0, 1.0)", "esn.Normal(1.0, 0.5)", "esn.Uniform", "esn.LIFDelta()",
    "esn.LIFDelta",
    "esn.Poisson(5.0)", "esn.AllToAll()", "esn.StepCurrent([0.0], [1.0])", "esn.SpikeSource([1.0])", "esn.Reset()",
    "esn",
    "exc", "exc[:2]", "wires", "other", "trains", "spikes", "traces", "camera", "results", "net", "sparse", "Odd()",
    "Path('a')", "Path('/proc/none')", "'/dev/null/a'", "'.'", "lambda: 1", "type('Empty', (), {})()",
    "__import__('math')",
    "ValueError('a')", "re.compile('a')",
]  # fmt: skip

# Where a number is a length of time, these would take for ever.
LONG = re.compile(r"2\*\*|10\*\*|e308|2\*\*64|e-324|inf|datetime|date|NaT")
LENGTHS = (
    "net.run(",
    "simulation.run(",
    "reference.run(",
    "living.run(",
    "user(",
    "train.",
    "encode.Rate(",
    "encode.Inhomog",
    "events.from_video(",
    "esn.sweep(",
)

OWN = (esn.InputError, esn.StateError, esn.RunawayError)
# How Python refuses arguments that a function does not have.
ARITY = re.compile(
    r"missing \d+ required|takes .*argument|unexpected keyword|multiple values|got an unexpected|takes no|"
    r"must be strings|abstract class|unhashable type"
)


class Odd:
    """An object that cannot be hashed, compared or counted."""

    __hash__ = None  # type: ignore[assignment]

    def __eq__(self, other: object) -> bool:
        raise ValueError("no comparison")

    def __len__(self) -> int:
        raise TypeError("no length")

    def __bool__(self) -> bool:
        raise ValueError("no truth value")


class User(esn.LinearModel):
    """A user's model whose equations are given to it."""

    parameters = {"I_e": 300.0, "tau": 5.0}

    def __init__(self, given: Any):
        self.given = given
        super().__init__()

    def equations(self, p: Any) -> Any:
        return self.given


def user(given: Any) -> esn.Results:
    net = esn.Network()
    net.population(2, User(given), name="cells")
    net.run(1.0, engine="reference")
    return net.reset() or net.run(2.0)


@cache
def ran() -> esn.Results:
    world = World()
    world["net"].record(world["exc"], ["V_m"], every=0.5)
    world["net"].stimulate(world["exc"], esn.StepCurrent([0.0], [900.0]))
    return world["net"].run(20.0)


@cache
def folder() -> Path:
    """A folder with a result and files of spike trains, events and sound."""
    import scipy.io.wavfile

    place = Path(tempfile.mkdtemp())
    ran().save(place / "kept")
    World()["trains"].save(place / "trains.h5")
    esn.events.write(World()["camera"], place / "events.csv")
    scipy.io.wavfile.write(place / "a.wav", 8000, np.zeros(50, np.int16))
    return place


def small(seed: int = 1) -> esn.Network:
    net = esn.Network(seed)
    net.population(2, esn.LIFDelta(), name="cells")
    return net


@cache
def swept() -> esn.Sweep:
    """A sweep over two parameters, in a folder."""
    grid = {"g": [1.0, 2.0], "h": ["a", "b"]}
    out = Path(tempfile.mkdtemp()) / "swept"
    return esn.sweep(lambda g, h: small(), 1.0, grid, measure=lambda results: {"a": 1.0}, out=out)


class World(dict):
    """The names that calls use, made when they are asked for."""

    def __missing__(self, name: str) -> Any:
        make = getattr(self, f"make_{name}", None)
        if make is None:
            raise KeyError(name)  # then it is a builtin
        self[name] = make()
        return self[name]

    def __init__(self) -> None:
        super().__init__(
            esn=esn, np=np, encode=esn.encode, events=esn.events, train=esn.train,
            Decimal=Decimal, Fraction=Fraction, Path=Path, re=re,
            date=datetime.date, datetime=datetime, Odd=Odd, user=user, ReferenceSimulation=type(self).reference_class(),
            build=self.build, small=small,
        )  # fmt: skip

    @staticmethod
    def reference_class() -> type:
        from eventsnn.run.reference_simulation import ReferenceSimulation

        return ReferenceSimulation

    def build(self, *parts: Any) -> Any:
        """The network with what was added compiles, or says why it does not."""
        return self["net"].compile()

    def make_net(self) -> esn.Network:
        net = self["net"] = esn.Network(seed=1)
        self["exc"] = net.population(5, esn.LIFDelta(), name="exc")
        self["cells"] = net.population(3, esn.LIFExp(), name="cells")
        self["source"] = net.population(2, esn.SpikeSource([1.0]), name="source")
        self["noise"] = net.population(2, esn.Poisson(rate=5.0), name="noise")
        self["wires"] = net.connect(self["exc"], self["cells"], esn.AllToAll(), name="wires")
        self["shots"] = net.stimulate(self["cells"], esn.Poisson(3.0), weight=1.0, name="shots")
        self["steps"] = net.stimulate(self["cells"], esn.StepCurrent([0.0], [1.0]), name="steps")
        return net

    def make_stopped(self) -> str:
        """A folder with a checkpoint of a network like `net`."""
        folder = str(Path(tempfile.mkdtemp()) / "stopped")
        World()["net"].run(1.0, checkpoint=folder)
        return folder

    def make_living(self) -> esn.Network:
        net = self["living"] = esn.Network(seed=1)
        self["lively"] = net.population(3, esn.LIFExp(), name="lively")
        self["live_shots"] = net.stimulate(self["lively"], esn.Poisson(3.0), weight=1.0, name="shots")
        self["live_steps"] = net.stimulate(self["lively"], esn.StepCurrent([0.0], [1.0]), name="steps")
        self["live_wires"] = net.connect(self["lively"], self["lively"], esn.OneToOne(), name="wires")
        net.run(1.0)
        return net

    def _of_net(name: str, net: str = "net") -> Any:  # type: ignore[misc]
        def make(self: World) -> Any:
            self[net] = getattr(self, f"make_{net}")()
            return self[name]

        return make

    make_exc, make_cells, make_source, make_noise, make_wires, make_shots, make_steps = map(
        _of_net, ["exc", "cells", "source", "noise", "wires", "shots", "steps"]
    )
    make_lively, make_live_shots, make_live_steps, make_live_wires = map(
        _of_net, ["lively", "live_shots", "live_steps", "live_wires"], ["living"] * 4
    )

    def make_learner(self) -> esn.Network:
        net = self["learner"] = esn.Network(seed=1)
        self["eyes"] = net.population(3, esn.SpikeSource([1.0]), name="eyes")
        self["hands"] = net.population(2, esn.LIFExp(), name="hands")
        self["nerves"] = net.connect(self["eyes"], self["hands"], esn.AllToAll(), weight=2000.0, name="nerves")
        return net

    def make_model(self) -> esn.train.Trainable:
        net = self["learner"]
        return esn.train.Trainable(net, self["eyes"], self["hands"], 20.0)

    def make_readout(self) -> esn.train.Readout:
        return self["model"].forward([[1.0, 2.0, 3.0]])

    def make_history(self) -> esn.train.History:
        return esn.train.fit(self["model"], [[1.0, 2.0, 3.0]], [1], loss=esn.train.TimeToFirstSpike(), epochs=2)

    def make_learned(self) -> Path:
        path = folder() / "learned.npz"
        esn.train.save(self["learner"], path, force=True)
        return path

    make_eyes, make_hands, make_nerves = map(_of_net, ["eyes", "hands", "nerves"], ["learner"] * 3)

    def make_other(self) -> Any:
        return esn.Network().population(2, esn.LIFDelta(), name="other")

    def make_simulation(self) -> Any:
        return self["net"].compile()

    def make_reference(self) -> Any:
        return self["net"].compile("reference")

    def make_plan(self) -> Any:
        return self["simulation"].plan

    def make_results(self) -> Any:
        return ran()

    def make_spikes(self) -> Any:
        return ran().spikes["exc"]

    def make_traces(self) -> Any:
        return ran().traces["exc"]

    def make_trains(self) -> Any:
        return esn.encode.Latency(duration=20.0).encode(np.linspace(0.0, 1.0, 12).reshape(2, 2, 3))

    def make_camera(self) -> Any:
        return esn.events.Events.of([0.0, 1.0, 2.5], [0, 1, 2], [0, 1, 1], [0, 1, 1], 4, 3)

    def make_sparse(self) -> Any:
        return scipy.sparse.csr_array(np.eye(3))

    def make_swept(self) -> esn.Sweep:
        return swept()

    def make_folder(self) -> Path:
        return folder()


def places(tree: ast.AST) -> Iterator[tuple[ast.AST, str, int | None]]:
    """Where an expression holds an argument, an element of a list or an index, but for those of numpy's functions."""
    if isinstance(tree, ast.Call):
        if ast.unparse(tree.func).startswith("np."):
            return
        yield from ((tree, "args", k) for k in range(len(tree.args)))
        yield from ((word, "value", None) for word in tree.keywords)
    elif isinstance(tree, ast.List | ast.Tuple):
        yield from ((tree, "elts", k) for k in range(len(tree.elts)))
    elif isinstance(tree, ast.Subscript) and not ast.unparse(tree.value).startswith("np."):
        yield tree, "slice", None
    elif isinstance(tree, ast.Dict):
        yield from ((tree, "values", k) for k in range(len(tree.values)))
        yield from ((tree, "keys", k) for k in range(len(tree.keys)))
    for child in ast.iter_child_nodes(tree):
        yield from places(child)


def changed(call: str, random: Random) -> str:
    """The call with one odd argument, seldom two, or one that is missing or too many."""
    tree = ast.parse(call, mode="eval")
    known = [odd for odd in ODD if not (call.startswith(LENGTHS) and LONG.search(odd))]
    where = list(places(tree.body))
    for node, field, k in random.sample(where, min(len(where), 2 if random.random() < 0.2 else 1)):
        odd = ast.parse(random.choice(known), mode="eval").body
        if k is None:
            setattr(node, field, odd)
        else:
            getattr(node, field)[k] = odd
    if isinstance(tree.body, ast.Call):
        if random.random() < 0.01 and tree.body.args:
            del tree.body.args[-1]
        elif random.random() < 0.02 or not where:
            tree.body.keywords.append(ast.keyword("unknown", ast.Constant(1)))
    return ast.unparse(ast.fix_missing_locations(tree))


def bad_calls(count: int, seed: int, calls: Sequence[str] = CALLS) -> Iterator[str]:
    """So many calls, the same for the same seed; each sensible one has as many odd ones as it has arguments."""
    random = Random(seed)
    weights = [max(len(list(places(ast.parse(call, mode="eval")))), 1) for call in calls]
    for call in random.choices(calls, weights, k=count):
        yield changed(call, random)


def failure(call: str) -> str | None:
    """What is wrong with how a call is answered: nothing, or the exception that is none of the project's own."""
    try:
        eval(compile(call, "<call>", "eval"), {}, World())
    except OWN as error:
        message = str(error)
        if "\n" in message or len(message) > 600:
            return f"a message of {len(message)} characters: {message[:80]!r}"
    except Exception as error:
        trace = error.__traceback__
        while trace is not None and trace.tb_next is not None:
            trace = trace.tb_next
        assert trace is not None
        if trace.tb_frame.f_code.co_name == "_advance":  # the fault of what was given for a function of RunStatus
            return None
        file = trace.tb_frame.f_code.co_filename
        if isinstance(error, TypeError) and file == "<call>" and ARITY.search(str(error)):
            return None
        return f"{type(error).__name__}: {str(error)[:200]} ({'/'.join(Path(file).parts[-3:])}:{trace.tb_lineno})"
    return None
