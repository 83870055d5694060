"""Brian2, as the request says: with C++ standalone, whose program this process only waits for, or here with Cython."""

import os
from pathlib import Path
from typing import Any

import numpy as np

from peers import wiring, worker

EQUATIONS = {
    # Potentials as 1 for 1 mV, currents as 1 for 1 pA.
    "delta": "dv/dt = (E_L - v)/tau_m + drive/ms : 1 (unless refractory)",
    "exp": """
        dv/dt = (E_L - v)/tau_m + drive/ms + (I_ex + I_in)/C_m/ms : 1 (unless refractory)
        dI_ex/dt = -I_ex/tau_syn_ex : 1
        dI_in/dt = -I_in/tau_syn_in : 1""",
    "cond": """
        dv/dt = (g_L*(E_L - v) + g_ex*(E_ex - v) + g_in*(E_in - v))/C_m/ms : 1 (unless refractory)
        dg_ex/dt = -g_ex/tau_syn_ex : 1
        dg_in/dt = -g_in/tau_syn_in : 1""",
}
# Written by the program itself, since the process around it has other memory and spends other time.
MARK = """
{
    std::ofstream out("marks.txt", std::ios::app);
    std::ifstream status("/proc/self/status");
    struct timespec cpu, wall;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu);
    clock_gettime(CLOCK_MONOTONIC, &wall);
    long resident = 0, peak = 0;
    std::string line;
    while (std::getline(status, line)) {
        if (line.compare(0, 6, "VmRSS:") == 0) resident = std::stol(line.substr(6));
        if (line.compare(0, 6, "VmHWM:") == 0) peak = std::stol(line.substr(6));
    }
    out.precision(17);
    out << cpu.tv_sec + 1e-9 * cpu.tv_nsec << " " << wall.tv_sec + 1e-9 * wall.tv_nsec << " "
        << 1024 * resident << " " << 1024 * peak << std::endl;
}
"""


def version() -> str:
    import brian2

    return brian2.__version__


def expression(v: Any) -> str:
    if not isinstance(v, dict):
        return repr(v)
    name, a, b = worker.unlimited(v)
    return {"uniform": f"({a} + {b - a}*rand())", "normal": f"({a} + {b}*randn())"}[name]


def neuron_group(network: dict[str, Any]) -> Any:
    import brian2 as b

    equations, names, drawn = EQUATIONS[network["model"]], {}, {}
    for name, v in network["parameters"].items():
        unit = "second" if name.startswith(("t", "tau")) else "1"
        if isinstance(v, dict):
            equations += f"\n{name} : {unit} (constant)"
            drawn[name] = expression(v) + ("*ms" if unit == "second" else "")
        else:
            names[name] = v * b.ms if unit == "second" else v
    drive = network["drive"]
    names["drive"] = drive["amplitude"] / names["C_m"] if drive["kind"] == "current" else 0.0
    neurons = b.NeuronGroup(
        sum(network["populations"].values()), equations, threshold="v >= V_th", reset="v = V_reset",
        refractory=names["t_ref"], namespace=names,
        method="exponential_euler" if network["model"] == "cond" else "exact",
    )  # fmt: skip
    for name, text in drawn.items():
        setattr(neurons, name, text)
    neurons.v = expression(network["V_m"])
    return neurons


def port(network: dict[str, Any], weight: Any) -> str:
    if network["model"] == "delta":
        return "v"
    return ("g" if network["model"] == "cond" else "I") + ("_ex" if worker.mean(weight) >= 0 else "_in")


def projections(network: dict[str, Any], neurons: Any) -> list[Any]:
    import brian2 as b

    first, parts = 0, {}
    for name, n in network["populations"].items():
        parts[name] = (first, first + n)
        first += n
    made = []
    for p in network["projections"]:
        if p["rule"][0] == "wiring":
            made += wired(network, neurons, p)
            continue
        start, stop = parts[p["pre"]]
        to, constant = port(network, p["weight"]), not isinstance(p["delay"], dict)
        weight = abs(p["weight"]) if network["model"] == "cond" else p["weight"]
        synapses = b.Synapses(
            neurons[start:stop], neurons, "w : 1" if network["stored"] else "",
            on_pre=f"{to}_post += " + ("w" if network["stored"] else repr(weight)),
            delay=p["delay"] * b.ms if constant else None,
        )  # fmt: skip
        rule, number = p["rule"]
        if rule == "indegree":
            synapses.connect(i=f"k for k in sample(N_pre, size={number})")
        elif rule == "outdegree":
            synapses.connect(j=f"k for k in sample(N_post, size={number})")
        else:
            synapses.connect(condition=f"i + {start} != j", p=number)
        if network["stored"]:
            synapses.w = expression(p["weight"])
        if not constant:
            synapses.delay = expression(p["delay"]) + "*ms"
        made.append(synapses)
    return made


def wired(network: dict[str, Any], neurons: Any, p: dict[str, Any]) -> list[Any]:
    """Those of excitatory and those of inhibitory sources."""
    import brian2 as b

    made, parts = wiring.synapses(p["rule"][1], len(neurons)), []
    for to, mine in (("I_ex", made.weight > 0.0), ("I_in", made.weight < 0.0)):
        parts.append(b.Synapses(neurons, neurons, "w : 1", on_pre=f"{to}_post += w", delay=p["delay"] * b.ms))
        parts[-1].connect(i=made.pre[mine], j=made.post[mine])
        parts[-1].w = made.weight[mine]
    return parts


def drive_with(network: dict[str, Any], neurons: Any) -> list[Any]:
    import brian2 as b

    drive = network["drive"]
    if drive["kind"] == "poisson":
        to, sources, first, inputs = port(network, drive["weight"]), 1000, 0, []
        for k, n in enumerate(network["populations"].values()):
            if rate := worker.of(drive["rate"], k):
                hz = rate / sources * b.Hz
                part = neurons[first : first + n]
                inputs.append(b.PoissonInput(part, to, N=sources, rate=hz, weight=repr(drive["weight"])))
            first += n
        return inputs
    if drive["kind"] == "kicks":
        ids, trains = worker.kicks(drive, len(neurons), network["duration"])
        source = np.repeat(np.arange(len(ids)), [len(train) for train in trains])
        generator = b.SpikeGeneratorGroup(len(ids), source, np.concatenate(trains) * b.ms)
        delay = drive["delay"] * b.ms
        on_pre = f"{port(network, drive['weight'])}_post += {drive['weight']!r}"
        synapses = b.Synapses(generator, neurons, on_pre=on_pre, delay=delay)
        synapses.connect(i=np.arange(len(ids)), j=ids)
        return [generator, synapses]
    return []


def objects(network: dict[str, Any]) -> tuple[Any, list[Any], Any, list[Any]]:
    """Neurons, synapses, spike monitor and drive."""
    import brian2 as b

    b.defaultclock.dt = worker.STEP * b.ms  # the device's own
    neurons = neuron_group(network)
    return neurons, projections(network, neurons), b.SpikeMonitor(neurons), drive_with(network, neurons)


def standalone(network: dict[str, Any], folder: Path, request: dict[str, Any]) -> tuple[list[worker.Mark], Any, Any]:
    """Marks before building, before and after the simulated part; the synapses and the monitor."""
    import brian2 as b

    b.set_device("cpp_standalone", build_on_run=False, directory=str(folder))
    b.prefs.devices.cpp_standalone.extra_make_args_unix = [f"-j{os.cpu_count()}"]  # its default has no bound
    b.seed(request["seed"])
    for slot in ("before_start", "before_network_run", "after_network_run"):
        b.device.insert_code(slot, MARK)
    neurons, synapses, monitor, drive = objects(network)
    b.Network(neurons, monitor, synapses, drive).run(network["duration"] * b.ms)
    b.device.build(directory=str(folder), run=False, with_output=False)

    written = folder / "marks.txt"
    if written.exists():
        os.remove(written)
    worker.pin(request)
    b.device.run(with_output=False)
    rows = [line.split() for line in written.read_text().splitlines()]
    return [worker.Mark(float(a), float(b), int(c), int(d)) for a, b, c, d in rows], synapses, monitor


def cython(network: dict[str, Any], folder: Path, request: dict[str, Any]) -> tuple[list[worker.Mark], Any, Any]:
    """The same. In the first of several repeats, building contains the translation to C."""
    import brian2 as b

    b.prefs.codegen.target = "cython"
    b.prefs.codegen.runtime.cython.cache_dir = str(folder)
    b.seed(request["seed"])
    marks = []

    class Marked(b.Network):
        def before_run(self, namespace: Any) -> None:
            super().before_run(namespace)
            marks.append(worker.mark())

    worker.pin(request)
    marks.append(worker.mark())
    neurons, synapses, monitor, drive = objects(network)
    # Its namespace is said, because it would be looked for where this is called.
    Marked(neurons, monitor, synapses, drive).run(network["duration"] * b.ms, namespace={})
    marks.append(worker.mark())
    return marks, synapses, monitor


def simulate(request: dict[str, Any]) -> dict[str, Any]:
    import brian2 as b

    network, target = request["network"], request["target"]
    # Kept from one repeat to the next, so that the same program is compiled once.
    folder = Path(request["folder"]) / f"brian2_{target}"
    run = {"cpp_standalone": standalone, "cython": cython}[target]
    marks, synapses, monitor = run(network, folder, request)
    times, n = np.asarray(monitor.t / b.ms), sum(network["populations"].values())
    made = sum(len(s) for s in synapses)
    return worker.answer(
        *marks, neurons=n, synapses=made, spikes=len(times), rate=worker.rate(times, n, network),
        **wiring.counts(network, np.asarray(monitor.i)),
    )  # fmt: skip


if __name__ == "__main__":
    worker.serve(version, simulate)
