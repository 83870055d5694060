"""What a notebook shows of results: tables and a picture, in a kernel that nothing has told of matplotlib."""

import re
import sys
from base64 import b64decode
from pathlib import Path

import nbformat
import numpy as np
import pytest
from nbclient import NotebookClient

from eventsnn.results.results import Results
from eventsnn.results.spike_trains import SpikeTrains
from eventsnn.results.traces import Traces

PNG = b"\x89PNG\r\n\x1a\n"

CELLS = [
    """
    import sys
    import eventsnn as esn
    net = esn.Network()
    cells = net.population(3, esn.LIFDelta(I_e=400.0), name="cells <b>&")
    net.record(cells, "V_m", every=1.0)
    results = net.run(100.0)
    """,
    "results",
    "results.plot()",
    "results.spikes['cells <b>&']",
    "results.traces['cells <b>&']",
    "esn.encode.Latency().encode([[0.5, 1.0]]).plot()",
    "neurons = esn.scenario('three_neurons'); neurons.plot(neurons.run())",
    "'matplotlib.pyplot' in sys.modules",
]


@pytest.fixture(scope="module")
def shown(tmp_path_factory) -> list[dict[str, str]]:
    """What each cell shows, by MIME type, in a real kernel of this interpreter."""
    folder = tmp_path_factory.mktemp("notebook")
    with pytest.MonkeyPatch.context() as patch:
        for variable in ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR"):
            patch.setenv(variable, str(folder / variable))
        # the kernel of this interpreter, whatever others are installed
        patch.setenv("JUPYTER_PATH", str(Path(sys.prefix, "share", "jupyter")))
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(_dedented(cell)) for cell in CELLS])
        NotebookClient(notebook, timeout=120, kernel_name="python3", resources={"metadata": {"path": folder}}).execute()
    outputs = [[one for one in cell.outputs if one.output_type == "execute_result"] for cell in notebook.cells]
    assert [len(found) for found in outputs] == [0] + [1] * (len(CELLS) - 1)
    return [{}, *(found[0].data for found in outputs[1:])]


def _dedented(cell: str) -> str:
    return re.sub(r"^ +", "", cell, flags=re.MULTILINE).strip()


def test_results_show_their_tables_and_their_picture(shown):
    html = shown[1]["text/html"]
    assert re.findall(r"<b>(.*?)</b>", html) == ["Results, 0 to 100 ms", "Traces"]
    assert re.findall(r"<td[^>]*>(.*?)</td>", html)[:3] == ["cells &lt;b&gt;&amp;", "3", "9"]
    (data,) = re.findall(r'<img src="data:image/png;base64,([^"]+)"', html)
    assert b64decode(data).startswith(PNG)
    assert shown[1]["text/plain"].startswith("Results, 0 to 100 ms")


@pytest.mark.parametrize("cell", [2, 5, 6])
def test_figures_are_shown_in_a_fresh_kernel(shown, cell):
    """Of results, of trains, and of a scenario, which draws into a figure of matplotlib's own."""
    assert b64decode(shown[cell]["image/png"]).startswith(PNG)
    assert shown[-1]["text/plain"] == "False"


def test_spikes_and_traces_show_a_table(shown):
    assert "cells &lt;b&gt;&amp;" in shown[3]["text/html"] and "<b>Spikes, 0 to 100 ms</b>" in shown[3]["text/html"]
    cells = re.findall(r"<td[^>]*>(.*?)</td>", shown[4]["text/html"])
    assert cells[:4] == ["V_m", "mV", "3", "100"]


def test_names_are_no_html():
    name = "<script>alert('a')</script>&\""
    trains = SpikeTrains([1.0], [0], 1, 0.0, 2.0, name)
    traces = Traces([0.0], [0], {name: np.full((1, 1), np.nan)})
    for thing in (trains, traces, Results({name: trains}, {name: traces}, 0.0, 2.0, {})):
        html = thing._repr_html_()
        assert "<script>" not in html and "&lt;script&gt;alert(&#x27;a&#x27;)&lt;/script&gt;&amp;&quot;" in html


def test_results_of_nothing_are_shown():
    assert "<table>" in Results({}, {}, 0.0, 0.0, {})._repr_html_()
    assert "<td" in SpikeTrains([], [], 0, 0.0, 0.0, "none")._repr_html_()
    assert "samples" in Traces([], [], {})._repr_html_()
