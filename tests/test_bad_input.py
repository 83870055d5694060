"""Every mistake is refused in one sentence that names the object, the parameter, the value and what is allowed.

Each row is a line of a user's program, run where a small network is already described, and words of the sentence.
"""

import numpy as np
import pytest
from refusals import namespace, refused, table

import eventsnn as esn

# ---- values: parameters, weights, delays, rates ...

BAD_NUMBERS = [
    "'20'", "None", "True", "1j", "[]", "[1.0, [2.0]]", "{}", "object()", "esn.Uniform", "[[1.0, 2.0]]", "[None]",
]  # fmt: skip


@pytest.mark.parametrize("value", [*BAD_NUMBERS, "nan", "inf", "-inf", "[1.0, nan, 1.0, 1.0, 1.0]", "np.ones(4)"])
@pytest.mark.parametrize("name", ["tau_m", "C_m", "E_L", "V_th", "V_reset", "t_ref", "I_e", "V_m"])
def test_parameters_and_states(name, value):
    refused(f"exc.set({name}={value})\nnet.compile()", ["exc", name])
    refused(f"net.population(5, esn.LIFDelta(), name='new', {name}={value})\nnet.run(1.0)", ["new", name])
    refused(f"exc.set({name}={value})\nexc.get({name!r})", ["exc", name])


@table(
    ("exc.set(tau_m=-1.0)", ["exc: tau_m = -1", "positive"]),
    ("exc.set(tau_m=0.0)", ["exc: tau_m = 0", "positive"]),
    ("exc.set(C_m=-250.0)", ["exc: C_m = -250", "positive"]),
    ("exc.set(C_m=[250.0, 250.0, 0.0, 250.0, 250.0])", ["exc: C_m = 0", "neuron 2", "positive"]),
    ("cells.set(tau_syn_ex=-2.0)", ["cells: tau_syn_ex = -2", "positive"]),
    ("cells.set(tau_syn_in=0.0)", ["cells: tau_syn_in = 0", "positive"]),
    ("exc.set(t_ref=-0.1)", ["exc: t_ref = -0.1", "negative"]),
    ("exc.set(V_reset=-55.0)", ["exc: V_reset = -55", "below V_th = -55"]),
    ("exc.set(V_reset=[-70.0, -70.0, -50.0, -70.0, -70.0])", ["exc: V_reset = -50", "below V_th = -55", "neuron 2"]),
    ("exc.set(V_th=-80.0)", ["exc: V_reset = -70", "below V_th = -80"]),
    ("exc.set(tau_m=esn.Normal(1.0, 5.0))", ["exc: tau_m = -", "positive"]),
    ("exc.set(I_e=esn.Normal(0.0, 1.0, low=-0.01, high=0.01, outside='error'))", ["exc: I_e", "outside", "redraw"]),
    ("exc.set(I_e=esn.LogNormal(1e4, 1.0))", ["exc: I_e = inf", "finite"]),
    ("exc.set(C_m=1e-320)", ["exc: R = inf", "finite"]),
    ("exc.set(E_L=-1e308, V_th=1e308)", ["exc: V_th - E_L = inf", "finite"]),
)
def test_parameters_out_of_range(code, words):
    refused(code + "\nnet.compile()", words)
    for engine in ("compiled", "reference"):
        refused(code + f"\nnet.run(1.0, engine={engine!r})", words)


@table(
    ("esn.LIFDelta(tau=3.0)", ["LIFDelta", "no parameter 'tau'"]),
    ("esn.LIFDelta(tau_syn_ex=3.0)", ["LIFDelta", "no parameter 'tau_syn_ex'"]),
    ("esn.LIFExp(tau_syn_exc=3.0)", ["LIFExp", "'tau_syn_exc'", "did you mean 'tau_syn_ex'"]),
    ("exc.set(tau=3.0)", ["exc: LIFDelta", "'tau'", "did you mean 'tau_m'"]),
    ("exc.set(I_syn_ex=3.0)", ["exc: LIFDelta", "'I_syn_ex'"]),
    ("exc.set(I_e=1.0, Vm=3.0)", ["exc: LIFDelta", "'Vm'", "did you mean 'V_m'"]),
    ("exc.get('Vth')", ["exc", "'Vth'", "did you mean 'V_th'"]),
    ("exc.get(3)", ["exc", "3", "known are"]),
    ("exc.get(None)", ["exc", "None", "known are"]),
    ("source.set(rate=3.0)", ["source", "SpikeSource", "'rate'"]),
    ("source.get('rate')", ["source", "'rate'", "known are none"]),
    ("net.population(2, esn.Poisson(rate=1.0), V_m=3.0)", ["Poisson", "'V_m'"]),
)
def test_unknown_parameters(code, words):
    refused(code, words)


def test_a_refused_set_changes_nothing():
    names = refused("exc.set(I_e=1.0, Vm=3.0)", [])
    assert names["exc"].get("I_e").tolist() == [0.0] * 5


# ---- network and populations


@table(
    ("esn.Network(seed=-1)", ["Network: seed = -1", "at least 0"]),
    ("esn.Network(seed=1.5)", ["Network: seed = 1.5", "whole number"]),
    ("esn.Network(seed=None)", ["Network: seed = None", "whole number"]),
    ("esn.Network(seed='1')", ["Network: seed = '1'", "whole number"]),
    ("esn.Network(seed=True)", ["Network: seed = True", "whole number"]),
    ("esn.Network(max_rounds=0)", ["Network: max_rounds = 0", "at least 1"]),
    ("esn.Network(max_spikes=1e6)", ["Network: max_spikes = 1000000.0", "whole number"]),
    ("net.population(0, esn.LIFDelta(), name='new')", ["new: n = 0", "at least 1"]),
    ("net.population(-3, esn.LIFDelta(), name='new')", ["new: n = -3", "at least 1"]),
    ("net.population(2.0, esn.LIFDelta(), name='new')", ["new: n = 2.0", "whole number"]),
    ("net.population('5', esn.LIFDelta(), name='new')", ["new: n = '5'", "whole number"]),
    ("net.population(True, esn.LIFDelta(), name='new')", ["new: n = True", "whole number"]),
    ("net.population(None, esn.LIFDelta(), name='new')", ["new: n = None", "whole number"]),
    ("net.population(10**30, esn.LIFDelta(), name='new')", ["new: n = 1000", "2147483647"]),
    ("net.population(5, esn.LIFDelta)", ["population", "LIFDelta", "write LIFDelta()"]),
    ("net.population(5, 'LIFDelta')", ["population", "'LIFDelta'", "not a model"]),
    ("net.population(5, None)", ["population", "None", "not a model"]),
    ("net.population(5, esn.StepCurrent([1.0], [1.0]))", ["population", "StepCurrent", "not a model"]),
    ("net.population(5, esn.LIFDelta(), name='exc')", ["population", "'exc'", "taken"]),
    ("net.population(5, esn.LIFDelta(), name='')", ["population", "''", "not empty"]),
    ("net.population(5, esn.LIFDelta(), name='a/b')", ["population", "'a/b'", "'/'"]),
    ("net.population(5, esn.LIFDelta(), name=7)", ["population", "7", "string"]),
    ("net.population(5, esn.LIFDelta(), name=['a'])", ["population", "['a']", "string"]),
    ("esn.Network().compile()", ["compile", "no population"]),
    ("esn.Network().run(1.0)", ["compile", "no population"]),
    ("net.compile('compild')", ["engine = 'compild'", "did you mean 'compiled'"]),
    ("net.compile(engine=None)", ["engine = None", "known are"]),
    ("net.run(1.0, engine='')", ["engine = ''", "known are"]),
    ("net.run(1.0, engine=['compiled'])", ["engine = ['compiled']", "'compiled'?"]),
)
def test_networks_and_populations(code, words):
    refused(code, words)


@table(
    ("exc[5]", ["exc", "5"]),
    ("exc[-6]", ["exc", "-6", "5"]),
    ("exc[[0, 7]]", ["exc", "7", "5"]),
    ("exc[10**30]", ["exc", "1000"]),
    ("exc[[True, False]]", ["exc", "boolean", "5"]),
    ("exc[True]", ["exc", "boolean"]),
    ("exc[0.5]", ["exc", "0.5", "whole numbers"]),
    ("exc[[0.0, 1.0]]", ["exc", "[0.0, 1.0]", "whole numbers"]),
    ("exc['a']", ["exc", "'a'", "whole numbers"]),
    ("exc['a':]", ["exc", "slice"]),
    ("exc[None]", ["exc", "None", "whole numbers"]),
    ("exc[{0, 1}]", ["exc", "{0, 1}", "whole numbers"]),
    ("exc[{0: 1}]", ["exc", "{0: 1}", "whole numbers"]),
    ("exc[[[0, 1]]]", ["exc", "[[0, 1]]", "whole numbers"]),
    ("exc[[0], [1, 2]]", ["exc", "whole numbers"]),
)
def test_slices(code, words):
    refused(code, words)


# ---- connections


@pytest.mark.parametrize("value", [value for value in BAD_NUMBERS if value != "[]"] + ["nan", "inf", "[]"])
@pytest.mark.parametrize("name", ["weight", "delay"])
def test_weights_and_delays(name, value):
    if (name, value) == ("delay", "None"):
        return  # a delay that is not given, since with plasticity its parts may be
    code = f"net.connect(exc, cells, esn.AllToAll(), {name}={value}, name='new')"
    refused(code + "\nnet.compile()", ["new", name])
    refused(code + ".synapses()", ["new", name])
    if value != "None":  # which set() takes for a value that is not to change
        refused(f"projection.set({name}={value})\nnet.run(1.0)", ["wires", name])


@table(
    ("net.connect(exc, cells, esn.AllToAll(), delay=-0.1)", ["exc->cells#0: delay = -0.1", "finite and not negative"]),
    ("net.connect(exc, exc, esn.OneToOne(), delay=[1.0, 1.0, -2.0, 1.0, 1.0])", ["delay = -2", "synapse 2"]),
    ("net.connect(exc, exc, esn.OneToOne(), weight=[1.0, 1.0, nan, 1.0, 1.0])", ["weight = nan", "synapse 2"]),
    ("net.connect(exc, exc, esn.OneToOne(), weight=np.ones(4))", ["weight", "(4,)", "OneToOne needs shape (5,)"]),
    ("net.connect(exc, cells, esn.AllToAll(), weight=np.ones(15))", ["weight", "(15,)", "AllToAll needs shape (5, 3)"]),
    ("net.connect(exc, cells, esn.FixedInDegree(2), delay=np.ones((2, 3)))", ["delay", "(2, 3)", "shape (3, 2)"]),
    ("net.connect(exc, cells, esn.FixedProbability(0.5), weight=np.ones(15))", ["FixedProbability", "random"]),
    ("net.connect(exc, cells, esn.AllToAll(), delay=esn.Normal(1.0, 1.0))", ["delay = -", "negative"]),
    ("net.connect(exc, cells, esn.AllToAll(), weight=esn.LogNormal(800.0, 1.0))", ["weight = inf", "finite"]),
    ("net.connect(exc, cells, esn.AllToAll(), weight=esn.Normal(0, 1, low=9.0, outside='error'))", ["weight", "low"]),
    ("net.connect(exc, cells, esn.OneToOne())", ["exc->cells#0", "OneToOne", "5", "3", "equal"]),
    ("net.connect(exc, cells, esn.FixedInDegree(6, multapses=False))", ["exc->cells#0", "indegree = 6", "5"]),
    ("net.connect(exc, cells, esn.FixedTotalNumber(16, multapses=False))", ["exc->cells#0", "n = 16", "15"]),
    ("net.connect(exc, cells, esn.Explicit([0, 5], [0, 0]))", ["exc->cells#0", "pre_ids[1] = 5", "5"]),
    ("net.connect(exc, cells, esn.Explicit([0], [-1]))", ["exc->cells#0", "post_ids[0] = -1", "3"]),
)
def test_connections_that_do_not_fit(code, words):
    refused(code + "\nnet.compile()", words)
    refused(code + ".synapses()", words)


@table(
    ("net.connect(exc, cells, esn.AllToAll)", ["connect", "AllToAll", "not a rule"]),
    ("net.connect(exc, cells, 'all_to_all')", ["connect", "'all_to_all'", "not a rule"]),
    ("net.connect(exc, cells, None)", ["connect", "None", "not a rule"]),
    ("net.connect('exc', cells, esn.AllToAll())", ["connect: pre", "'exc'", "not a population"]),
    ("net.connect(exc, None, esn.AllToAll())", ["connect: post", "None", "not a population"]),
    ("net.connect([exc, 3], cells, esn.AllToAll())", ["connect: pre", "3", "not a population"]),
    ("net.connect([], cells, esn.AllToAll())", ["connect: pre", "no neurons"]),
    ("net.connect(exc, cells[:0], esn.AllToAll())", ["connect: post", "no neurons", "cells[0:0]"]),
    ("net.connect([exc, exc], cells, esn.AllToAll())", ["connect: pre", "exc", "twice"]),
    ("net.connect(exc, [cells[0], cells[:2]], esn.AllToAll())", ["connect: post", "cells", "twice"]),
    ("net.connect(exc, cells[[1, 1]], esn.AllToAll())", ["connect: post", "cells", "twice"]),
    ("net.connect(other, exc, esn.AllToAll())", ["connect: pre", "other", "another network"]),
    ("net.connect(exc, other, esn.AllToAll())", ["connect: post", "other", "another network"]),
    ("net.connect(exc, source, esn.AllToAll())", ["exc->source#0", "source is a source", "connect from it"]),
    ("net.connect(exc, [cells, noise], esn.AllToAll())", ["noise is a source"]),
    ("net.connect(exc, cells, esn.AllToAll(), port='exc')", ["exc->cells#0", "LIFExp", "'exc'", "did you mean 'ex'"]),
    ("net.connect(exc, exc, esn.AllToAll(), port='ex')", ["exc->exc#0", "LIFDelta", "'ex'", "delta"]),
    ("net.connect(exc, [exc, cells], esn.AllToAll(), port='delta')", ["LIFExp of cells", "'delta'"]),
    ("net.connect(exc, cells, esn.AllToAll(), port=0)", ["no port 0", "known are ex, in"]),
    ("net.connect(exc, cells, esn.AllToAll(), port='')", ["no port ''", "known are ex, in"]),
    ("net.connect(exc, cells, esn.AllToAll(), name='wires')", ["connect", "'wires'", "taken"]),
    ("net.connect(exc, cells, esn.AllToAll(), name='')", ["connect", "''", "not empty"]),
    ("net.connect(exc, cells, esn.AllToAll(), name=3)", ["connect", "3", "string"]),
    ("projection.get('weights')", ["wires", "'weights'", "did you mean 'weight'"]),
    ("projection.get(1)", ["wires", "1", "known are"]),
)
def test_connections(code, words):
    refused(code, words)


@table(
    ("esn.FixedInDegree(-1)", ["FixedInDegree: indegree = -1", "from 0 to 2147483647"]),
    ("esn.FixedInDegree(1.5)", ["FixedInDegree: indegree = 1.5", "integer"]),
    ("esn.FixedOutDegree(None)", ["FixedOutDegree: outdegree = None", "integer"]),
    ("esn.FixedOutDegree(nan)", ["FixedOutDegree: outdegree = nan", "integer"]),
    ("esn.FixedTotalNumber('9')", ["FixedTotalNumber: n = '9'", "integer"]),
    ("esn.FixedProbability(1.1)", ["FixedProbability: p = 1.1", "[0, 1]"]),
    ("esn.FixedProbability(-0.1)", ["FixedProbability: p = -0.1", "[0, 1]"]),
    ("esn.FixedProbability(nan)", ["FixedProbability: p = nan", "[0, 1]"]),
    ("esn.FixedProbability('0.5')", ["FixedProbability: p = '0.5'", "[0, 1]"]),
    ("esn.AllToAll(autapses=1)", ["AllToAll: autapses = 1", "True nor False"]),
    ("esn.FixedInDegree(1, multapses=None)", ["FixedInDegree: multapses = None", "True nor False"]),
    ("esn.Explicit([0.0], [1])", ["Explicit: pre_ids", "float", "integers"]),
    ("esn.Explicit([0, 1], [1])", ["Explicit: pre_ids", "2", "post_ids", "1", "equal"]),
    ("esn.Explicit(None, [1])", ["Explicit: pre_ids", "integers"]),
    ("esn.Explicit('01', [1, 2])", ["Explicit: pre_ids", "integers"]),
    ("esn.Uniform(2.0, 1.0)", ["Uniform: low = 2.0", "high = 1.0"]),
    ("esn.Uniform(0.0, nan)", ["Uniform: high = nan", "finite"]),
    ("esn.Uniform(-1e308, 1e308)", ["Uniform", "-1e+308", "finite"]),
    ("esn.Uniform('0', 1.0)", ["Uniform: low = '0'", "number"]),
    ("esn.Normal(0.0, -1.0)", ["Normal: std = -1.0", ">= 0"]),
    ("esn.Normal(None, 1.0)", ["Normal: mean = None", "number"]),
    ("esn.Normal(0.0, 1.0, low=1.0, high=0.0)", ["Normal: low = 1.0", "high = 0.0"]),
    ("esn.Normal(0.0, 1.0, outside='clamp')", ["Normal: outside = 'clamp'", "'clip'"]),
    ("esn.LogNormal(0.0, -1.0)", ["LogNormal: sigma = -1.0", ">= 0"]),
    ("esn.LogNormal(inf, 1.0)", ["LogNormal: mu = inf", "finite"]),
)
def test_rules_and_distributions(code, words):
    refused(code, words)


# ---- sources and stimuli


@table(
    ("esn.SpikeSource([2.0, 1.0])", ["SpikeSource: times[1] = 1 ms", "2 ms", "ascending"]),
    ("esn.SpikeSource([-1.0, 1.0])", ["SpikeSource: times[0] = -1 ms", "negative"]),
    ("esn.SpikeSource([1.0, nan])", ["SpikeSource: times[1] = nan", "finite"]),
    ("esn.SpikeSource([1.0, inf])", ["SpikeSource: times[1] = inf", "finite"]),
    ("esn.SpikeSource([[1.0], [3.0, 2.0]])", ["SpikeSource: neuron 1: times[1] = 2 ms", "ascending"]),
    ("esn.SpikeSource([[1.0], 2.0])", ["SpikeSource: neuron 1: times", "list of numbers"]),
    ("esn.SpikeSource([[[1.0]]])", ["SpikeSource: neuron 0: times", "(1, 1)"]),
    ("esn.SpikeSource('abc')", ["SpikeSource: times = 'abc'", "one list of numbers", "one list a neuron"]),
    ("esn.SpikeSource(['abc'])", ["SpikeSource: neuron 0: times = 'abc'", "numbers"]),
    ("esn.SpikeSource(b'abc')", ["SpikeSource: times = b'abc'", "one list of numbers"]),
    ("esn.SpikeSource(None)", ["SpikeSource: times = None", "numbers"]),
    ("esn.SpikeSource(5.0)", ["SpikeSource: times = 5.0", "one list of numbers"]),
    ("esn.SpikeSource(np.array(5.0))", ["SpikeSource: times = array(5.)", "one list of numbers"]),
    ("esn.SpikeSource([True])", ["SpikeSource: times = [True]", "numbers"]),
    ("esn.SpikeSource([1.0, 2j])", ["SpikeSource: times", "numbers"]),
    ("esn.SpikeSource([None])", ["SpikeSource: times = [None]", "numbers"]),
    ("esn.StepCurrent([1.0, 1.0], [1.0, 2.0])", ["StepCurrent", "1 ms", "strictly"]),
    ("esn.StepCurrent([2.0, 1.0], [1.0, 2.0])", ["StepCurrent: times[1] = 1 ms", "ascending"]),
    ("esn.StepCurrent([-1.0], [1.0])", ["StepCurrent: times[0] = -1 ms", "negative"]),
    ("esn.StepCurrent([1.0], [nan])", ["StepCurrent: amplitudes[0] = nan", "finite"]),
    ("esn.StepCurrent([1.0], ['a'])", ["StepCurrent: amplitudes = ['a']", "numbers"]),
    ("esn.StepCurrent([1.0, 2.0], [1.0])", ["StepCurrent", "2 times", "1 amplitudes"]),
    ("esn.StepCurrent(1.0, 2.0)", ["StepCurrent: times", "list of numbers"]),
    ("esn.StepCurrent(None, None)", ["StepCurrent: times = None", "numbers"]),
)
def test_spike_trains_and_currents(code, words):
    refused(code, words)


@pytest.mark.parametrize("value", [*BAD_NUMBERS, "-1.0", "nan", "inf", "[1.0, -2.0]", "1e-310"])
def test_rates(value):
    refused(f"net.population(2, esn.Poisson({value}), name='new')\nnet.compile()", ["new: rate"])
    refused(f"net.stimulate(exc[:2], esn.Poisson({value}), weight=1.0, name='new')\nnet.compile()", ["new: rate"])


@pytest.mark.parametrize("value", [*[v for v in BAD_NUMBERS if v != "None"], "nan", "-inf", "np.ones(4)"])
def test_weights_of_stimuli(value):
    refused(f"net.stimulate(exc, esn.Poisson(1.0), weight={value}, name='new')\nnet.compile()", ["new: weight"])


@table(
    (
        "net.population(3, esn.SpikeSource([[1.0], [2.0]]), name='a')\nnet.run(1.0)",
        ["a: ", "2 neurons", "not of 3"],
    ),
    ("net.stimulate(exc, esn.Poisson(1.0))", ["Poisson->exc#0", "weight="]),
    ("net.stimulate(exc, esn.StepCurrent([0.0], [1.0]), weight=1.0)", ["StepCurrent->exc#0", "no weight"]),
    ("net.stimulate(cells, esn.StepCurrent([0.0], [1.0]), port='ex')", ["StepCurrent->cells#0", "no port"]),
    ("net.stimulate(source, esn.Poisson(1.0), weight=1.0)", ["source is a source"]),
    ("net.stimulate(cells, esn.Poisson(1.0), weight=1.0, port='inh')", ["'inh'", "did you mean 'in'"]),
    ("net.stimulate(exc, esn.SpikeSource([1.0]), weight=1.0)", ["stimulate", "SpikeSource", "connect"]),
    ("net.stimulate(exc, esn.Poisson, weight=1.0)", ["stimulate", "not a stimulus"]),
    ("net.stimulate(exc, 5.0, weight=1.0)", ["stimulate", "5.0", "not a stimulus"]),
    ("net.stimulate(exc, noise, weight=1.0)", ["stimulate", "noise", "not a stimulus"]),
    ("net.stimulate(None, esn.Poisson(1.0), weight=1.0)", ["stimulate", "None", "not a population"]),
    ("net.stimulate(other, esn.Poisson(1.0), weight=1.0)", ["stimulate", "other", "another network"]),
    ("net.stimulate([exc[0], exc[:3]], esn.Poisson(1.0), weight=1.0)", ["stimulate", "exc", "twice"]),
    ("[net.stimulate(exc, esn.Poisson(1.0), weight=1.0, name='n') for _ in range(2)]", ["stimulate", "'n'", "taken"]),
    ("net.stimulate(exc, esn.Poisson(1.0), weight=1.0, name=0)", ["stimulate", "0", "string"]),
)
def test_stimuli(code, words):
    refused(code, words)


# ---- recording


@table(
    ("net.record(exc, 'Vm', every=1.0)", ["record: exc", "'Vm'", "did you mean 'V_m'"]),
    ("net.record(exc, 'I_syn_ex', every=1.0)", ["record: exc", "'I_syn_ex'"]),
    ("net.record(source, 'V_m', every=1.0)", ["record: source", "'V_m'", "known are spikes"]),
    ("net.record(projection, 'delay', every=1.0)", ["record: wires", "'delay'", "known are weight"]),
    ("net.record(projection, 'spikes')", ["record: wires", "'spikes'", "known are weight"]),
    ("net.record(exc, [], every=1.0)", ["record: exc", "V_m"]),
    ("net.record(exc, None, every=1.0)", ["record: exc", "None", "known are"]),
    ("net.record(exc, 3, every=1.0)", ["record: exc", "3", "known are"]),
    ("net.record(exc, ['V_m', 'V_m'], every=1.0)", ["record: exc", "'V_m'", "twice"]),
    ("net.record(exc, 'V_m')", ["record: exc", "every=", "times="]),
    ("net.record(exc, 'V_m', every=1.0, times=[1.0])", ["record: exc", "every=", "times="]),
    ("net.record(exc, 'V_m', every=0.0)", ["record: exc", "every = 0.0", "positive"]),
    ("net.record(exc, 'V_m', every=-1.0)", ["record: exc", "every = -1.0", "positive"]),
    ("net.record(exc, 'V_m', every=nan)", ["record: exc", "every = nan", "positive"]),
    ("net.record(exc, 'V_m', every=inf)", ["record: exc", "every = inf", "finite"]),
    ("net.record(exc, 'V_m', every='1')", ["record: exc", "every = '1'", "number"]),
    ("net.record(exc, 'V_m', every=True)", ["record: exc", "every = True", "number"]),
    ("net.record(exc, 'V_m', every=[1.0])", ["record: exc", "every = [1.0]", "one"]),
    ("net.record(exc, 'V_m', every=1e-300)\nnet.run(1.0)", ["every = 1e-300", "samples"]),
    ("net.record(exc, 'V_m', times=[2.0, 1.0])", ["record: exc: times[1] = 1", "ascending"]),
    ("net.record(exc, 'V_m', times=[-1.0])", ["record: exc: times[0] = -1", "negative"]),
    ("net.record(exc, 'V_m', times=[nan])", ["record: exc: times[0] = nan", "finite"]),
    ("net.record(exc, 'V_m', times=1.0)", ["record: exc: times", "list of numbers"]),
    ("net.record(exc, 'V_m', times='ab')", ["record: exc: times = 'ab'", "numbers"]),
    ("net.record(exc, 'spikes', every=1.0)", ["record", "exc", "spikes", "only ids"]),
    ("net.record(exc, ['V_m', 'spikes'], every=1.0)", ["record", "exc", "spikes", "only ids"]),
    ("net.record(exc, 'spikes', name='a')", ["record", "exc", "spikes", "only ids"]),
    ("[net.record(exc, 'V_m', every=k) for k in (1.0, 2.0)]", ["record", "'exc'", "already", "name="]),
    ("net.record(exc, 'V_m', every=1.0, name='')", ["record", "''", "not empty"]),
    ("net.record(exc, 'V_m', every=1.0, name=5)", ["record", "5", "string"]),
    ("net.record(exc, 'V_m', every=1.0, ids=[5])", ["exc", "5"]),
    ("net.record(exc, 'spikes', ids=[-7])", ["exc", "-7"]),
    ("net.record(exc, 'V_m', every=1.0, ids=[0.5])", ["exc", "0.5", "whole numbers"]),
    ("net.record(exc, 'V_m', every=1.0, ids='ab')", ["exc", "'ab'", "whole numbers"]),
    ("net.record(exc, 'V_m', every=1.0, ids=[])", ["record", "no neurons"]),
    ("net.record(exc, 'V_m', every=1.0, ids=[1, 1])", ["record", "exc", "twice"]),
    ("net.record(exc, 'V_m', every=1.0, ids=[True, False])", ["exc", "boolean"]),
    ("net.record(projection, 'weight', every=1.0, ids=[15])\nnet.compile()", ["record: wires", "0 to 14"]),
    ("net.record(projection, 'weight', every=1.0, ids=[-1])\nnet.compile()", ["record: wires", "0 to 14"]),
    ("net.record(projection, 'weight', every=1.0, ids=[0.5])", ["record: wires", "0.5", "whole numbers"]),
    ("net.record(projection, 'weight', every=1.0, ids=[True] * 15)", ["record: wires", "whole numbers", "mask"]),
    ("net.record('exc', 'V_m', every=1.0)", ["record", "'exc'", "not a population"]),
    ("net.record([exc, cells], 'V_m', every=1.0)", ["record", "not a population"]),
    ("net.record(None, 'V_m', every=1.0)", ["record", "None", "not a population"]),
    ("net.record(other, 'V_m', every=1.0)", ["record", "other", "another network"]),
    ("net.record(exc[:0], 'V_m', every=1.0)", ["record", "no neurons"]),
)
def test_recordings(code, words):
    refused(code, words)


# ---- runs


@table(
    ("net.run()", ["run", "duration", "until="]),
    ("net.run(1.0, until=2.0)", ["run", "duration", "until="]),
    ("net.run(-1.0)", ["run: duration = -1", "at least 0"]),
    ("net.run(nan)", ["run: duration = nan", "finite"]),
    ("net.run(inf)", ["run: duration = inf", "finite"]),
    ("net.run('10')", ["run: duration = '10'", "number of ms"]),
    ("net.run(True)", ["run: duration = True", "number of ms"]),
    ("net.run([10.0])", ["run: duration", "(1,)", "number of ms"]),
    ("net.run(until=None)", ["run", "duration", "until="]),
    ("net.run(until=-1.0)", ["run: until = -1", "at least 0"]),
    ("net.run(until=nan)", ["run: until = nan", "finite"]),
    ("net.run(10.0)\nnet.run(until=9.0)", ["run: until = 9", "at least 10"]),
    ("net.run(1.0, threads=0)", ["run: threads = 0", "at least 1"]),
    ("net.run(1.0, threads=1.5)", ["run: threads = 1.5", "whole number"]),
    ("net.run(1.0, threads=None)", ["run: threads = None", "whole number"]),
    ("net.run(1.0, progress='yes')", ["run: progress = 'yes'", "function"]),
    ("net.run(1.0, progress=1)", ["run: progress = 1", "function"]),
    ("net.run(1.0, keep='last')", ["run: keep = 'last'", "'new'"]),
    ("net.run(1.0, keep=None)", ["run: keep = None", "'new'"]),
)
def test_runs(code, words):
    names = refused(code, words)
    if "\n" not in code:  # a first run that is refused has not begun
        names["exc"].set(I_e=1.0)
        assert names["net"].time == 0.0
    names["net"].run(1.0)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("net.results()", ["results", "not run yet", "net.run"]),
    ],
)
def test_calls_at_the_wrong_time(code, words):
    with pytest.raises(esn.StateError) as caught:
        exec(code, namespace())
    assert all(word in str(caught.value) for word in words)


def test_a_mistake_leaves_the_network_as_it_was():
    """After every refused description above the network still compiles to the same Plan."""
    names = namespace()
    net, exc = names["net"], names["exc"]
    before = net.compile().run(5.0)
    for code in (
        "net.population(2, esn.LIFDelta(), name='new', tau=1.0)",
        "net.connect(exc, cells, esn.AllToAll(), port='exc')",
        "net.stimulate(exc, esn.Poisson(1.0))",
        "net.record(exc, 'Vm', every=1.0)",
    ):
        with pytest.raises(esn.InputError):
            exec(code, names)
    assert list(net.populations) == ["exc", "cells", "source", "noise"] and list(net.projections) == ["wires"]
    assert not net.stimuli and not net.probes and not net.spike_probes
    after = net.compile().run(5.0)
    assert list(after.spikes) == list(before.spikes) and len(exc) == 5
    for name, trains in before.spikes.items():
        assert np.array_equal(trains.times, after.spikes[name].times)


# ---- attributes


@table(
    ("exc.I_e = 500.0", ["exc", "'I_e'", "exc.set(I_e=...)"]),
    ("exc.V_m = -60.0", ["exc", "'V_m'", "exc.set(V_m=...)"]),
    ("exc.taum = 10.0", ["exc", "'taum'", "known are"]),
    ("exc[:2].I_e = 500.0", ["exc[0:2]", "'I_e'"]),
    ("source.rate = 5.0", ["source", "'rate'"]),
    ("projection.weights = 3.0", ["wires", "'weights'", "did you mean 'weight'"]),
    ("net.stimulate(exc, esn.Poisson(1.0), 1.0, name='noise2').rate = 3.0", ["noise2", "'rate'"]),
)
def test_attributes_that_would_have_no_effect(code, words):
    refused(code, words)


@pytest.mark.parametrize("code", ["projection.weight = 3.0", "stimulus.weight = 3.0", "stimulus.port = 'ex'"])
def test_attributes_that_come_too_late(code):
    names = namespace()
    exec("stimulus = net.stimulate(cells, esn.Poisson(1.0), 1.0)\nstimulus.weight = 2.0", names)
    names["net"].run(1.0)
    with pytest.raises(esn.StateError, match="after the first run; call net.reset"):
        exec(code, names)
