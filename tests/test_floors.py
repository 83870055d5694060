"""The folders of both trees are floors: imports go down only, and never in a circle."""

import ast

import pytest
from floors import FLOORS, ROOT, circle, floor, graph, sources, upward

import eventsnn


def test_every_module_stands_on_a_floor():
    modules = [name for name in sources() if name not in ("eventsnn", "eventsnn._core")]
    assert len(modules) > 150 and {"eventsnn.network", "eventsnn._core.run.calm.calm"} <= set(modules)
    assert [name for name in modules if floor(name) is None] == []


def test_every_floor_has_modules():
    assert {list(FLOORS)[floor(name)] for name in graph() if floor(name) is not None} == set(FLOORS)


def test_every_import_is_of_a_module_that_exists():
    edges = graph()
    assert sum(map(len, edges.values())) > 700
    assert {other for others in edges.values() for other in others} - set(edges) == set()


def test_imports_go_down():
    assert upward(graph()) == []


def test_imports_form_no_circle():
    assert circle(graph()) == []


def test_nothing_but_the_doors_training_and_batches_imports_the_face():
    importers = {module for module, others in graph().items() if "eventsnn.network" in others}
    above = ("eventsnn.train.", "eventsnn.batch.", "eventsnn.cli.")
    assert {module for module in importers if not module.startswith(above)} == set()


# ---- the checks see what they are for


def planted(tmp_path, **files):
    """The graph of a package of these files, named with _ for / and the suffix last: run_a_py is run/a.py."""
    for name, text in files.items():
        *folders, stem, suffix = name.split("__")
        tree = tmp_path / ("eventsnn" if suffix == "py" else "ext/eventsnn/_core")
        path = tree.joinpath(*folders, f"{stem}.{suffix}")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return graph(tmp_path)


LAZY = "def f():\n    from eventsnn.network import Network\n"
FOR_TYPES = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from eventsnn import network\n"


@pytest.mark.parametrize("text", ["import eventsnn.network\n", LAZY, FOR_TYPES])
def test_an_import_from_above_is_seen(tmp_path, text):
    edges = planted(tmp_path, network__py="", results__plot__py=text)
    assert upward(edges) == ["eventsnn.results.plot imports eventsnn.network"]


@pytest.mark.parametrize(
    "text",
    [
        "from eventsnn._core.run.core cimport Core\n",
        'cdef extern from "eventsnn/_core/run/passes.h" nogil:\n    int f()\n',
        "def f():\n    from eventsnn.run.state import State\n",
    ],
)
def test_a_cimport_from_above_is_seen(tmp_path, text):
    edges = planted(tmp_path, solve__frames__pxd=text, run__core__pxd="", run__passes__h="", run__state__py="")
    assert len(upward(edges)) == 1 and upward(edges)[0].startswith("eventsnn._core.solve.frames imports eventsnn.")


def test_what_may_never_be_imported_is_seen(tmp_path):
    edges = planted(tmp_path, run__a__py="from eventsnn.describe.b import B\n", describe__b__py="")
    assert upward(edges) == ["eventsnn.run.a may never import eventsnn.describe.b"]


def test_a_circle_is_seen(tmp_path):
    headers = {
        "base__a__h": '#include "eventsnn/_core/base/b.h"\n',
        "base__b__h": '#include "eventsnn/_core/base/a.h"\n',
    }
    assert len(circle(planted(tmp_path, **headers))) == 3
    edges = {"a": {"b"}, "b": {"c", "d"}, "c": {"d"}, "d": {"b"}, "e": {"a"}}
    assert circle(edges) == ["b", "c", "d", "b"]
    assert circle({**edges, "d": {"e"}, "e": set()}) == []


def test_the_list_of_public_names_is_nothing_but_that():
    tree = ast.parse((ROOT / "eventsnn" / "__init__.py").read_text("utf-8"))
    defined = [node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)]
    assert defined == ["__dir__"]
    assert dir(eventsnn) == sorted([*eventsnn.__all__, "__version__"])
    assert len(eventsnn.__all__) == len(set(eventsnn.__all__)) > 50
    assert all(hasattr(eventsnn, name) for name in dir(eventsnn))
