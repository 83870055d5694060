"""Generated examples are the same in every run, and slow machines fail no test."""

import signal

import pytest
from hypothesis import settings

from eventsnn.compile import synapses as compile_synapses

settings.register_profile("reproducible", derandomize=True, deadline=None)
settings.load_profile("reproducible")

# A shell lets what it runs in the background ignore Ctrl-C, and what pytest starts would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def by_synapse(monkeypatch):
    """Delays are kept by synapse however few values they take, so that those of spans meet exactly."""
    monkeypatch.setattr(compile_synapses, "MOST_VALUES", 0)
