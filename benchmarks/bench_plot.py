"""The figure of bench.py: times of all networks, and how they grow with neurons, synapses, rate and threads."""

from typing import Any

from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import LogFormatterMathtext, LogLocator, MaxNLocator, NullFormatter, StrMethodFormatter

LOOKS = {
    "eventsnn": ("C3", "o", "-"),
    "nest": ("C0", "s", "-"),
    "nest_ps": ("C9", "D", "-"),
    "brian2": ("C2", "^", "-"),
    "brian2_cython": ("C8", "<", "-"),
    "annarchy": ("C1", "v", "-"),
    "genn": ("C4", ">", "-"),
    "scatter": ("0.6", ".", ":"),
    "scatter_two": ("0.3", ".", ":"),
}
AXES = {"neurons": "neurons", "synapses": "synapses", "rate": "rate (Hz)"}


def draw(session: dict[str, Any], titles: dict[str, str]) -> Figure:
    """titles: the names of the simulators. A hollow marker is a time at another rate than the expected one."""
    figure = Figure(figsize=(15, 9), layout="constrained")
    panels = figure.subplots(2, 3)
    records = session["workloads"]
    whole = {name: r for name, r in records.items() if not r["axes"] and r["threads"] == 1}
    networks(panels[0, 0], whole, titles, "cpu_s", "CPU time (s)")
    for panel, axis in zip((panels[0, 1], panels[0, 2], panels[1, 0]), AXES, strict=True):
        growth(panel, [r for r in records.values() if axis in r["axes"]], axis)
    threads(panels[1, 1], records, titles)
    alone = {name: r for name, r in records.items() if r["threads"] == 1}
    networks(panels[1, 2], alone, titles, "bytes_per_synapse", "memory (B a synapse)")
    handles, labels = panels[0, 0].get_legend_handles_labels()
    if not handles:
        handles, labels = panels[1, 2].get_legend_handles_labels()
    if handles:
        figure.legend(handles, labels, loc="outside lower center", ncols=len(labels))
    scale = "" if session["scale"] == 1.0 else f", at {session['scale']:g} of the size: times mean nothing"
    figure.suptitle(f"{session['machine']['processor']}, {session['date'][:10]}{scale}")
    return figure


def logarithmic(axis: Axis) -> None:
    """Ticks with plain numbers; between powers of ten only where there are few of these."""
    low, high = sorted(axis.get_view_interval())
    axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0) if high < 100.0 * low else (1.0,)))
    axis.set_major_formatter(StrMethodFormatter("{x:g}") if high < 2e4 else LogFormatterMathtext())
    axis.set_minor_formatter(NullFormatter())


def networks(panel: Axes, records: dict[str, Any], titles: dict[str, str], key: str, label: str) -> None:
    """One column for each network."""
    looks = {name: look for name, look in LOOKS.items() if key == "cpu_s" or not name.startswith("scatter")}
    names = [name for name, r in records.items() if any(key in r["results"].get(s, {}) for s in looks)]
    if not names:
        panel.set_axis_off()
        return
    for simulator, (color, marker, _) in looks.items():
        text: str | None = titles[simulator]
        for k, name in enumerate(names):
            result = records[name]["results"].get(simulator, {})
            if result.get(key, 0) > 0:
                inside = "none" if result.get("off_rate") else color
                panel.semilogy([k], [result[key]], marker, color=color, markerfacecolor=inside, label=text)
                text = None
    panel.set_xticks(range(len(names)), names, rotation=50, ha="right", rotation_mode="anchor", fontsize="small")
    panel.set_ylabel(label)
    panel.set_xlim(-0.6, len(names) - 0.4)
    logarithmic(panel.yaxis)
    panel.grid(alpha=0.3)


def growth(panel: Axes, records: list[dict[str, Any]], axis: str) -> None:
    """The sparse networks, against one of their measures: eventsnn's, so that all simulators stand at one place."""
    records = [r for r in records if axis in r["results"].get("eventsnn", {})]
    if not records:
        panel.set_axis_off()
        return
    records.sort(key=lambda record: record["results"]["eventsnn"][axis])
    for simulator, (color, marker, line) in LOOKS.items():
        found = [(r["results"]["eventsnn"][axis], r["results"].get(simulator, {})) for r in records]
        points = [(x, result["cpu_s"], result.get("off_rate")) for x, result in found if result.get("cpu_s", 0) > 0]
        panel.loglog([x for x, _, _ in points], [y for _, y, _ in points], line, color=color)
        for x, y, off in points:
            panel.loglog([x], [y], marker, color=color, markerfacecolor="none" if off else color)
    panel.set_xlabel(f"{AXES[axis]}, of the sparse networks")
    panel.set_ylabel("CPU time (s)")
    logarithmic(panel.xaxis)
    logarithmic(panel.yaxis)
    panel.grid(alpha=0.3)


def threads(panel: Axes, records: dict[str, Any], titles: dict[str, str]) -> None:
    """How many times as fast several cores are as one, by wall time, of each network that ran on several."""
    lines: dict[tuple[str, str], list[tuple[int, float]]] = {}
    for record in records.values():
        for simulator, result in record["results"].items():
            if "gain" in result:
                lines.setdefault((record["alone"], simulator), [(1, 1.0)]).append((record["threads"], result["gain"]))
    if not lines:
        panel.set_axis_off()
        return
    styles = dict(zip(dict.fromkeys(network for network, _ in lines), ("-", "--", ":"), strict=False))
    for (network, simulator), points in lines.items():
        color, marker, _ = LOOKS[simulator]
        x, y = zip(*sorted(points), strict=True)
        panel.plot(x, y, marker + styles[network], color=color, label=f"{titles[simulator]}, {network}")
    most = max(n for points in lines.values() for n, _ in points)
    panel.plot([1, most], [1, most], color="0.7", linewidth=1.0, zorder=0, label="as many times as threads")
    panel.set_xlabel("threads")
    panel.set_ylabel("speed, of that on one thread")
    panel.set_xlim(0.9, most + 0.1)
    panel.set_ylim(0.0, 1.05 * max(most, *(y for points in lines.values() for _, y in points)))
    panel.xaxis.set_major_locator(MaxNLocator(integer=True))
    panel.legend(fontsize="small", loc="lower right")
    panel.grid(alpha=0.3)
