"""Scenarios run as from the command line."""

import json

from typer.testing import CliRunner

from eventsnn.cli.main import app
from eventsnn.cli.scenario import load


def run(tmp_path, name, *arguments):
    """The checks of a run on the command line, by their names; its picture is drawn too."""
    arguments = ["run", name, "--out", str(tmp_path / "out"), "--plot", "--json", *map(str, arguments)]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    (picture,) = (tmp_path / "out").glob("*.png")
    assert picture.name == (f"{name}.png" if load(name).plot else "raster.png") and picture.stat().st_size > 5_000
    return {check["name"]: check for check in json.loads(result.stdout)["checks"]}


def simulated(network, duration, **parameters):
    """Results as a scenario's functions get them from the command line."""
    results = network.run(duration)
    results.summary["scenario"] = {"parameters": parameters}
    return results
