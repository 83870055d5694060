"""How far are spike times from the exact ones, and is a spike ever missed or invented? Writes docs/accuracy.md.

Motivation: "exact" is a promise that only a comparison with far more digits can keep. Every linear model runs in the
compiled engine, thousands of neurons at a time, and each neuron is solved again by tests/support/oracle.py in 384 bits:

    states    one neuron in a random state: does it cross within 300 ms, and when?
    trains    2,000 ms of random input, some of it at 100 kHz: every spike
    currents  trains with step, ramp and sine currents; sine currents of 1 to 1,000 Hz from random states
    grazing   a random state whose first maximum (or the higher of the first two) lies within 1e-9 of the threshold

Run: python benchmarks/accuracy.py [--models NAME ...] [--states N] [--trains N] [--dense N] [--grazing N] [--sines N]
with the test extra installed. The full numbers (the defaults) take about two hours of one core, shared by
--processes; --sections and --models run some rows only, and a number of 0 leaves its rows out. What was found is kept
in --results and the page is written from it, so that a run can be done in parts.

Exit code 1 if anything differs from the oracle by more than float64 explains.
"""

import argparse
import concurrent.futures
import datetime
import fnmatch
import json
import os
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "support"))

import exact  # noqa: E402
import oracle  # noqa: E402
from families import FAMILIES  # noqa: E402

CHUNK = 10_000  # cases of one network: what a neuron's parameters and states are held in memory for
SECTIONS = ("states", "trains", "currents", "grazing")

HEAD = """# Accuracy

How far the spike times of every linear model are from the exact ones. This page is written by
`python benchmarks/accuracy.py`, and its last section by `python benchmarks/accuracy_peers.py`; seeds are fixed, so that
the same program writes the same numbers. Last run: {date}.

The exact solution is `tests/support/oracle.py`: one neuron in 384 bits (115 digits), with crossings that are proved and
not sampled, and nothing rounded between the parameters and the spike times. The simulator runs as it always does, with
the compiled engine: neurons in frames ([semantics](semantics.md)) are integers in units of 2^-52 to 2^-53 of the
threshold, all others float64. LIFDelta is in frames, and so is LIFExp unless a synaptic time constant is within a tenth
of tau_m's or equal to it; the other models are not. A small part of this runs with every `make test`
(`tests/test_exact.py`).

The size of the potentials is max(threshold, sum of |R I_k|, |R I_e|, |V - E_L|), and an ulp is 2.2e-16 of it. The
conditioning of a crossing is how far it moves if V is off by an ulp of that size: ulp / slope, or the time in which a
maximum falls by an ulp if that is less. It is what float64 can know of a crossing; "in units of conditioning" counts an
ulp of the time as well. At most max(1e-12 ms, 4 ulp of the time) is the aim wherever a crossing is not
grazing.

In a frame V is what is left of parts, one for each current, that may be up to ten times as large as the currents alone
would make it: a_i x_i, where a_i has tau_m - tau_i in its denominator. So the rounding of their units is up to ten
times the conditioning. Of the 10,000 random states of LIFExp below none errs by more than 1.25 of a conditioning in
which an ulp of the parts is added to one of the potentials. The largest error in units of the conditioning itself, 8.5,
is 8e-15 ms: 37 mV of potentials, 355 mV of parts. The largest in ms, 3e-12, is a twentieth of its conditioning: V rises
by 0.0013 mV a ms there.
"""

TEXTS = {
    "states": """
## Random states

Each neuron has parameters and a state of its own, and no input. It crosses its threshold within 300 ms or it does not.

| model | neurons | cross | missed | invented | largest error (ms) | of conditioning | above the aim |
|---|---|---|---|---|---|---|---|
""",
    "trains": """
## Random trains

Neurons from rest for 2,000 ms under 20 sources or more with weights of their own, at 0.3 to 10 inputs a ms, {dense} of
each model at 100 (100 kHz). Delays round nothing here, so that all errors are the simulator's. An error above the aim
must be explained by what rounding does: half an ulp of the current, or half a unit, for each input that it still holds,
times the crossing's conditioning, and the rounding of the spike before, from which V starts again. Where V fires
regularly from a drive above threshold, with no input to forget by, these add up from spike to spike.

| model | trains | inputs | spikes | missed | invented | largest error (ms) | above the aim |
|---|---|---|---|---|---|---|---|
""",
    "currents": """
## External currents

Trains as above with a step, ramp or sine current besides; and LIFExp neurons in random states under sine currents of 1
to 1,000 Hz for 100 ms, half of them with a maximum of V within 1e-4 of the threshold.

| what | neurons | spikes | missed | invented | largest error (ms) | of conditioning | above the aim |
|---|---|---|---|---|---|---|---|
""",
    "grazing": """
## Maxima at the threshold

A random state, its first maximum (in some cases the higher of the first two) in 384 bits, and a threshold that differs
from it by a factor of 1 +- 1e-15 to 1e-9, with logarithmically uniform distance. Where the maximum is more than 1e-13
of the potentials away from the threshold (column "clear"), the decision must be right; nearer, rounding may decide, and
the last column says how often it decided otherwise.

| model | cases | above | clear | missed | invented | error in units of conditioning | not clear: otherwise |
|---|---|---|---|---|---|---|---|
""",
}

PEERS = re.compile(r"\n<!-- peers -->.*", re.DOTALL)


def merge(total: dict, tally: exact.Tally) -> dict:
    for key, value in vars(tally).items():
        if key in ("error", "ulps", "conditioned"):
            total[key] = max(total.get(key, 0.0), float(value))
        elif key == "wrong":
            total[key] = [*total.get(key, []), *value[:20]]
        else:
            total[key] = total.get(key, 0) + int(value)
    return total


def chunks(n: int):
    """(cases, seed): each chunk has a seed of its own."""
    for k, first in enumerate(range(0, n, CHUNK)):
        yield min(CHUNK, n - first), k + 1


def line(section: str, name: str, r: dict) -> str:
    error, unit = f"{r['error']:.1e}", f"{r['conditioned']:.2g}"
    if section == "grazing":
        cells = [r["cases"], r["over"], r["decided"], r["missed"], r["invented"], unit, r["excused"]]
    elif section == "trains":
        cells = [r["cases"], r["inputs"], r["spikes"], r["missed"], r["invented"], error, r["beyond"]]
    else:
        cells = [r["cases"], r["spikes"], r["missed"], r["invented"], error, unit, r["beyond"]]
    return "| " + " | ".join([name, *(f"{c:,}" if isinstance(c, int) else c for c in cells)]) + " |\n"


def page(results: dict, dense: int, old: str) -> str:
    date = max((r["date"] for rows in results.values() for r in rows.values()), default="never")
    text = HEAD.format(date=date)
    for section in SECTIONS:
        rows = results.get(section, {})
        order = [name for name in [*FAMILIES, *CURRENTS] if name in rows]
        if not order:
            continue
        text += TEXTS[section].format(dense=dense)
        text += "".join(line(section, name, rows[name]) for name in order)
        if len(order) > 1 and section != "currents":
            total: dict = {}
            for name in order:
                for key, value in rows[name].items():
                    if isinstance(value, float):
                        total[key] = max(total.get(key, 0.0), value)
                    elif isinstance(value, int):
                        total[key] = total.get(key, 0) + value
            text += line(section, "all", total)
        text += dates({name: rows[name]["date"] for name in order})
    wrong = [sentence for rows in results.values() for r in rows.values() for sentence in r["wrong"]]
    if wrong:
        text += "\n## Not as it should be\n\n" + "".join(f"- {sentence}\n" for sentence in wrong[:50])
    peers = PEERS.search(old)
    return text + (peers.group(0) if peers else "")


def dates(measured: dict[str, str]) -> str:
    """Which rows were not measured on the last of these days, and when they were."""
    earlier = sorted({*measured.values()} - {max(measured.values())})
    names = {date: [name for name, day in measured.items() if day == date] for date in earlier}
    return "".join(f"\nMeasured on {date}: {'; '.join(names[date])}.\n" for date in earlier)


CURRENTS = ("LIFExp under trains with step, ramp and sine currents", "LIFExp under sine currents")


def jobs(options: argparse.Namespace) -> list[tuple[str, str]]:
    """The rows of the page that are asked for, as (section, name)."""
    rows = []
    for family in FAMILIES.values():
        sections = [section for section in ("states", "trains") if family.humps == 1]
        sections += ["grazing"] if family.model != "LIFDelta" else []
        rows += [(section, family.name) for section in sections]
    rows += [("currents", name) for name in CURRENTS]
    patterns = options.models or ["*"]
    cases = {"states": options.states, "trains": options.trains, "grazing": options.grazing}
    cases |= dict(zip(CURRENTS, (options.trains, options.sines), strict=True))
    return [
        (section, name)
        for section, name in rows
        if section in options.sections
        and cases.get(section, cases.get(name))
        and any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)
    ]


def measure(section: str, name: str, options: argparse.Namespace) -> dict:
    """One row."""
    total: dict = {"date": datetime.date.today().isoformat()}
    if name == CURRENTS[0]:
        family = FAMILIES["LIFExp"]
        merge(total, exact.compare_trains(family, options.trains, 0, 2, 2_000.0, exact.random_current))
    elif name == CURRENTS[1]:
        for n, seed in chunks(options.sines):
            merge(total, exact.compare_sines(n, seed))
    elif section == "trains":
        merge(total, exact.compare_trains(FAMILIES[name], options.trains, options.dense, 1))
    elif section == "states":
        for n, seed in chunks(options.states):
            merge(total, exact.compare_states(FAMILIES[name], n, seed))
    else:
        can_graze = [family for family in FAMILIES.values() if family.model != "LIFDelta"]
        for n, seed in chunks(-(-options.grazing // len(can_graze))):
            merge(total, exact.compare_grazing(FAMILIES[name], n, seed))
    return total


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", nargs="*", metavar="NAME", help="rows, as 'GLIF*'; all unless given")
    parser.add_argument("--sections", nargs="*", choices=SECTIONS, default=SECTIONS)
    parser.add_argument("--states", type=int, default=10_000, metavar="N", help="of each row")
    parser.add_argument("--trains", type=int, default=200, metavar="N", help="of each row")
    parser.add_argument("--dense", type=int, default=3, metavar="N", help="trains of 100 kHz among them")
    parser.add_argument("--sines", type=int, default=100_000, metavar="N", help="in all")
    parser.add_argument("--grazing", type=int, default=1_000_000, metavar="N", help="in all rows together")
    parser.add_argument("--processes", type=int, default=os.cpu_count(), metavar="N")
    parser.add_argument("--results", type=Path, default=ROOT / "runs" / "accuracy.json")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "accuracy.md")
    options = parser.parse_args()
    if oracle.ARITHMETIC.name != "gmpy2":
        print("gmpy2 is not installed: mpmath alone takes several times as long")

    results = json.loads(options.results.read_text()) if options.results.exists() else {}
    failed = False
    with concurrent.futures.ProcessPoolExecutor(options.processes) as pool:
        running = {pool.submit(measure, section, name, options): (section, name) for section, name in jobs(options)}
        for done in concurrent.futures.as_completed(running):
            section, name = running[done]
            total = results.setdefault(section, {})[name] = done.result()
            print(f"{section}: {line(section, name, total)}", end="", flush=True)
            for sentence in total["wrong"]:
                print(f"  WRONG {sentence}", flush=True)
            failed = failed or bool(total["wrong"])
            options.results.parent.mkdir(parents=True, exist_ok=True)
            options.results.write_text(json.dumps(results, indent=1))
            old = options.out.read_text() if options.out.exists() else ""
            options.out.write_text(page(results, options.dense, old))
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
