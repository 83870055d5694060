"""What plastic synapses refuse, each in one sentence that names the object, the value and what is allowed."""

import pytest
from refusals import refused, table

import eventsnn as esn

PAIRS = ["tau_plus", "tau_minus", "lambda_", "alpha"]
SIZES = {
    "STDP": [*PAIRS, "mu_plus", "mu_minus", "w_max"],
    "PowerLawSTDP": [*PAIRS, "mu"],
    "TripletSTDP": [
        "tau_plus", "tau_plus_triplet", "tau_minus", "tau_minus_triplet", "Aplus", "Aplus_triplet", "Aminus",
        "Aminus_triplet", "w_max",
    ],
    "VogelsSTDP": ["tau", "eta", "w_max"],
    "TsodyksMarkram": ["U", "tau_rec", "tau_fac", "tau_psc"],
}  # fmt: skip
REWARD = ["tau_plus", "tau_minus", "tau_c", "tau_n", "A_plus", "A_minus", "b", "w_min", "w_max", "delay"]


@pytest.mark.parametrize("value", ["nan", "inf", "'20'", "True", "[]", "1j", "[1.0, 2.0]"])
@pytest.mark.parametrize(("rule", "name"), [(rule, name) for rule, names in SIZES.items() for name in names])
def test_numbers_of_rules(rule, name, value):
    refused(f"esn.{rule}({name}={value})", [rule, name])


@pytest.mark.parametrize("value", ["nan", "'20'", "True", "None", "[]", "inf"])
@pytest.mark.parametrize("name", REWARD)
def test_numbers_of_reward(name, value):
    refused(f"esn.RewardSTDP(source, {name}={value})", ["RewardSTDP", name])


@pytest.mark.parametrize("value", ["0.0", "-20.0", "-1e-300"])
@pytest.mark.parametrize(
    ("rule", "name"),
    [(rule, name) for rule, names in SIZES.items() for name in names if name[:3] == "tau" and name != "tau_fac"],
)
def test_time_constants(rule, name, value):
    refused(f"esn.{rule}({name}={value})", [rule, name, value.partition(".")[0]])


@table(
    ("esn.STDP(w_max=-1.0)", ["STDP: w_max = -1"]),
    ("esn.STDP(w_max=0.0)", ["STDP: w_max = 0"]),
    ("esn.STDP(lambda_=-0.1)", ["STDP: lambda_ = -0.1"]),
    ("esn.STDP(mu_plus=-0.1)", ["STDP: mu_plus = -0.1"]),
    ("esn.STDP(pairing='nearest')", ["STDP: pairing = 'nearest'", "nearest_"]),
    ("esn.STDP(pairing=None)", ["STDP: pairing = None", "all"]),
    ("esn.TripletSTDP(pairing='nearest_symmetric')", ["TripletSTDP: pairing = 'nearest_symmetric'", "nearest"]),
    ("esn.TripletSTDP(w_max=-2.0)", ["TripletSTDP: w_max = -2"]),
    ("esn.VogelsSTDP(w_max=-2.0)", ["VogelsSTDP: w_max = -2"]),
    ("esn.TsodyksMarkram(U=0.0)", ["TsodyksMarkram: U = 0"]),
    ("esn.TsodyksMarkram(U=1.5)", ["TsodyksMarkram: U = 1.5"]),
    ("esn.TsodyksMarkram(tau_fac=-1.0)", ["TsodyksMarkram: tau_fac = -1"]),
    ("esn.RewardSTDP(source, w_min=-1.0)", ["RewardSTDP: w_min = -1"]),
    ("esn.RewardSTDP(source, w_min=5.0, w_max=4.0)", ["RewardSTDP: w_max = 4", "w_min = 5"]),
    ("esn.RewardSTDP(source, tau_c=-5.0)", ["RewardSTDP: tau_c = -5"]),
    ("esn.RewardSTDP(source, tau_n=0.0)", ["RewardSTDP: tau_n = 0"]),
    ("esn.RewardSTDP(None)", ["RewardSTDP: reward = None", "population"]),
    ("esn.RewardSTDP('source')", ["RewardSTDP: reward = 'source'", "population"]),
    ("esn.RewardSTDP([source])", ["RewardSTDP: reward = ", "population"]),
    ("esn.RewardSTDP(projection)", ["RewardSTDP: reward = ", "population"]),
    ("esn.PlasticityRule(w_min=-0.5)", ["PlasticityRule: w_min = -0.5"]),
    ("esn.PlasticityRule(w_max=-0.5)", ["PlasticityRule: w_max = -0.5"]),
    ("esn.PlasticityRule(w_min=nan)", ["PlasticityRule: w_min = nan"]),
    ("esn.PlasticityRule(w_max=nan)", ["PlasticityRule: w_max = nan"]),
    ("esn.PlasticityRule(w_min=inf)", ["PlasticityRule: w_min = inf"]),
    ("esn.Trace(-20.0)", ["Trace: tau = -20"]),
    ("esn.Trace(0.0)", ["Trace: tau = 0"]),
    ("esn.Trace(nan)", ["Trace: tau = nan"]),
    ("esn.Trace('20')", ["Trace: tau = '20'"]),
    ("esn.Trace(20.0, nearest=1)", ["Trace: nearest = 1"]),
)
def test_rules_out_of_range(code, words):
    refused(code, words)


def test_a_reward_must_be_given():
    with pytest.raises(TypeError, match="reward"):
        esn.RewardSTDP()


@table(
    ("esn.PlasticityRule(pre=[20.0])", ["PlasticityRule: pre = [20.0]", "dictionary"]),
    ("esn.PlasticityRule(pre={'x': -20.0})", ["PlasticityRule: pre", "x", "-20", "positive"]),
    ("esn.PlasticityRule(post={'y': nan})", ["PlasticityRule: post", "y", "nan"]),
    ("esn.PlasticityRule(post={'y': 0.0})", ["PlasticityRule: post", "y", "0", "positive"]),
    ("esn.PlasticityRule(synapse={'c': None})", ["PlasticityRule: synapse", "c", "None"]),
    ("esn.PlasticityRule(synapse={'c': -1.0})", ["PlasticityRule: synapse", "c", "-1", "positive"]),
    ("esn.PlasticityRule(pre={'x': 20.0}, post={'x': 20.0})", ["PlasticityRule", "'x'", "twice"]),
    ("esn.PlasticityRule(pre={'x': 20.0}, synapse={'x': 20.0})", ["PlasticityRule", "'x'", "twice"]),
    ("esn.PlasticityRule(pre={'w': 20.0})", ["PlasticityRule", "'w'"]),
    ("esn.PlasticityRule(pre={3: 20.0})", ["PlasticityRule: pre", "3", "name"]),
    ("esn.PlasticityRule(pre={'x y': 20.0})", ["PlasticityRule: pre", "'x y'", "name"]),
    ("esn.PlasticityRule(pre={'lambda': 20.0})", ["PlasticityRule: pre", "'lambda'", "name"]),
    ("esn.PlasticityRule(pre={'': 20.0})", ["PlasticityRule: pre", "''", "name"]),
    ("esn.PlasticityRule(pre={k: 20.0 for k in 'abcde'})", ["PlasticityRule: pre", "5", "4"]),
)
def test_traces(code, words):
    refused(code, words)


def updated(function, **more):
    given = "".join(f", {name}={value}" for name, value in more.items())
    return f"import eventsnn.plasticity as p\nesn.PlasticityRule(pre={{'x': 20.0}}, on_post={function}{given})"


@pytest.mark.parametrize(
    ("function", "words"),
    [
        ("3", ["3", "function"]),
        ("'w + x'", ["'w + x'", "function"]),
        ("lambda w, z: w + z", ["'z'"]),
        ("lambda w, y: w + y", ["'y'"]),
        ("lambda w, *more: w", ["'more'"]),
        ("lambda w, **more: w", ["'more'"]),
        ("lambda w, x: w + x if w > 0 else w", ["value", "minimum"]),
        ("lambda w, x: w + x if w == 0.0 else w", ["value", "minimum"]),
        ("lambda w, x: w + x if w != 0.0 else w", ["value", "minimum"]),
        ("lambda w, x: w if x else 2.0 * w", ["value", "minimum"]),
        ("lambda w, x: w or x", ["value", "minimum"]),
        ("lambda w, x: max(w, x)", ["value", "maximum"]),
        ("lambda w, x: w + x * (w < 1.0)", ["value", "minimum"]),
        ("lambda w, x: math.exp(x)", []),
        ("lambda w, x: np.exp(x)", ["exp"]),
        ("lambda w, x: np.sqrt(x)", []),
        ("lambda w, x: float(w) + x", ["value"]),
        ("lambda w, x: int(w) + x", []),
        ("lambda w, x: w // x", []),
        ("lambda w, x: w % x", []),
        ("lambda w, x: round(w)", []),
        ("lambda w, x: w + 'x'", ["'x'"]),
        ("lambda w, x: w + nan", ["nan", "finite"]),
        ("lambda w, x: w + inf * x", ["inf", "finite"]),
        ("lambda w, x: w + [1.0] * 2", []),
        ("lambda w, x: w + np.ones(3) * x", []),
        ("lambda w, x: w[0]", []),
        ("lambda w, x: w.real", []),
        ("lambda w, x: 1 / 0 + w", []),
        ("lambda w, x: None", ["None"]),
        ("lambda w, x: 'w'", ["'w'"]),
        ("lambda w, x: (w, x)", ["2", "w"]),
        ("lambda w, x: ()", ["0", "w"]),
        ("lambda w, x: [w, x]", []),
        ("lambda w, x: {'w': w}", []),
        ("lambda w, x: nan", ["nan"]),
        ("lambda w, x: sum((x + k) * (w - k) for k in range(200))", ["64"]),
    ],
)
def test_functions_that_cannot_be_written_down(function, words):
    refused("import math\n" + updated(function), ["PlasticityRule: on_post", *words])


@pytest.mark.parametrize(
    ("function", "words"),
    [
        ("lambda w, c: w", ["1", "w, c"]),
        ("lambda w, c: (w,)", ["1", "w, c"]),
        ("lambda w, c: (w, c, c)", ["3", "w, c"]),
    ],
)
def test_variables_of_a_synapse_are_returned(function, words):
    refused(updated(function, synapse="{'c': 10.0}"), ["PlasticityRule: on_post", *words])


def test_symbols_of_one_update_are_not_those_of_another():
    kept = []

    def on_pre(w, y):
        kept.append(y)
        return w

    with pytest.raises(esn.InputError, match="on_post"):
        esn.PlasticityRule(post={"y": 20.0}, on_pre=on_pre, on_post=lambda w: w + kept[0])


def connected(options, rest="", weight="0.5", pre="exc", post="cells", rule="esn.STDP(w_max=1.0)"):
    return (
        f"wires = net.connect({pre}, {post}, esn.AllToAll(), weight={weight}, name='new', plasticity={rule}, {options})"
        f"\n{rest}"
    )


COMPILE = "net.compile()"


@table(
    (connected("", rule="'STDP'"), ["new: plasticity = 'STDP'", "STDP()"]),
    (connected("", rule="esn.STDP"), ["new: plasticity = ", "STDP", "STDP()"]),
    (connected("", rule="3"), ["new: plasticity = 3", "STDP()"]),
    (connected("", rule="[esn.STDP()]"), ["new: plasticity = [", "STDP()"]),
    (connected("", rule="esn.Trace(2.0)"), ["new: plasticity = Trace(", "STDP()"]),
    (connected("storage='procedural'"), ["new", "procedural", "stored"]),
    (connected("delay=1.0, axonal_delay=1.0"), ["new", "delay", "axonal_delay"]),
    (connected("delay=1.0, dendritic_delay=1.0"), ["new", "delay", "dendritic_delay"]),
    (connected("axonal_delay=-1.0", COMPILE), ["new", "delay = -1"]),
    (connected("dendritic_delay=-1.0", COMPILE), ["new: dendritic_delay = -1"]),
    (connected("dendritic_delay=nan", COMPILE), ["new: dendritic_delay = nan"]),
    (connected("axonal_delay=nan", COMPILE), ["new", "delay = nan"]),
    (connected("axonal_delay='1'", COMPILE), ["new", "delay = '1'"]),
    (connected("dendritic_delay='1'", COMPILE), ["new: dendritic_delay = '1'"]),
    (connected("delay=-1.0", COMPILE), ["new: delay = -1"]),
    (connected("delay=0.0", COMPILE), ["new", "delay", "0 ms"]),
    (connected("axonal_delay=0.0, dendritic_delay=0.0", COMPILE), ["new", "delay", "0 ms"]),
    (connected("delay=np.array([[1.0, 1.0, 0.0]] + 4 * [[1.0] * 3])", COMPILE), ["new", "delay", "0 ms"]),
    (connected("delay=esn.Normal(0.0, 1.0, low=0.0, outside='clip')", COMPILE), ["new", "delay"]),
    (connected("", COMPILE, weight="1.5"), ["new", "weight = 1.5", "1"]),
    (connected("", COMPILE, weight="-1.5"), ["new", "1.5", "1"]),
    (connected("", COMPILE, weight="np.where(np.arange(15).reshape(5, 3) == 7, 2.5, 0.5)"), ["new", "weight = 2.5"]),
    (connected("", COMPILE, weight="np.where(np.arange(15).reshape(5, 3) == 7, -0.5, 0.5)"), ["new", "sign"]),
    (connected("", COMPILE, weight="esn.Normal(0.0, 0.1)"), ["new", "sign"]),
    (connected("", COMPILE, weight="nan"), ["new: weight = nan"]),
    (
        connected("", COMPILE, weight="0.1", rule="esn.PlasticityRule(w_min=0.2, w_max=1.0)"),
        ["new", "weight = 0.1", "0.2"],
    ),
    (connected("", post="source"), ["new", "source", "takes no input"]),
    (connected("", rule="esn.RewardSTDP(other)"), ["new", "reward", "other", "another network"]),
    ("net.connect(exc, cells, esn.AllToAll(), axonal_delay=1.0, name='new')", ["new", "axonal_delay", "plasticity"]),
    ("net.connect(exc, cells, esn.AllToAll(), dendritic_delay=1.0, name='new')", ["new", "dendritic_delay"]),
)
def test_connections(code, words):
    refused(code, words)


@table(
    (connected("", "wires.plasticity = esn.STDP()"), ["new", "'plasticity'", "connect"]),
    (connected("", "wires.plasticity.enabled = 1"), ["new", "enabled = 1", "True"]),
    (connected("", "wires.plasticity.enabled = None"), ["new", "enabled = None"]),
    (connected("", "wires.plasticity.enable = False"), ["new", "'enable'", "enabled"]),
    (connected("", "wires.plasticity.rule = esn.STDP()"), ["new", "'rule'"]),
    (connected("", "net.run(1.0)\nwires.set(weight=1.5)"), ["new", "1.5", "1"]),
    (connected("", "net.run(1.0)\nwires.set(weight=-0.5)"), ["new", "sign"]),
    (connected("", "net.run(1.0)\nwires.set(weight=nan)"), ["new", "weight = nan"]),
    (connected("", "net.run(1.0)\nwires.set(weight=np.full(15, 7.0), order='synapses')"), ["new", "7", "1"]),
    (connected("", "net.run(1.0)\nwires.normalize(-1.0)"), ["new", "total = -1"]),
    (connected("", "net.run(1.0)\nwires.normalize(nan)"), ["new", "total = nan"]),
    (connected("", "net.run(1.0)\nwires.normalize('1')"), ["new", "total = '1'"]),
    (connected("", "net.run(1.0)\nwires.normalize(1.0, axis='rows')"), ["new", "axis = 'rows'", "post"]),
    (connected("", "net.run(1.0)\nwires.normalize(1.0, axis=0)"), ["new", "axis = 0", "post"]),
    ("net.run(1.0)\nnet.reset(weights=1)", ["weights = 1"]),
    ("net.run(1.0)\nnet.reset(weights=None)", ["weights = None"]),
)
def test_between_runs(code, words):
    refused(code, words)


def test_what_is_refused_changes_nothing():
    code = connected("", "net.run(1.0)\nwires.set(weight=0.25)\nwires.set(weight=1.5)", pre="source")
    names = refused(code, ["new"])
    wires = names["wires"]
    assert set(wires.get("weight").tolist()) == {0.25}
    assert wires.plasticity.enabled
    names["net"].run(1.0)
