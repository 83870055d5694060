"""Random updates of a PlasticityRule, as a user could write them: most make little sense, and some no numbers."""

from __future__ import annotations

import math

import numpy as np

import eventsnn as esn
from eventsnn.plasticity import exp, maximum, minimum

PARTS = {
    "({a} + {b})": 5, "({a} - {b})": 4, "{a} * {b}": 4, "{a} / {b}": 2, "({a}) ** {b}": 1, "({a}) ** 2": 1,
    "({a}) ** 0.5": 1, "abs({a})": 1, "minimum({a}, {b})": 1, "maximum({a}, {b})": 1, "exp({a})": 1, "(-({a}))": 1,
}  # fmt: skip
NUMBERS = ["0.5", "2.0", "-1.0", "0.0", "3", "1e-3", "0.1", "10.0", "1e300"]


def expression(rng: np.random.Generator, names: list[str], depth: int) -> str:
    if depth == 0 or rng.random() < 0.2:
        return str(rng.choice(names if rng.random() < 0.75 else NUMBERS))
    part = str(rng.choice(list(PARTS), p=np.array(list(PARTS.values())) / sum(PARTS.values())))
    return part.format(a=expression(rng, names, depth - 1), b=expression(rng, names, depth - 1))


def random_rule(seed: int) -> tuple[esn.PlasticityRule, str]:
    """A rule and its updates. Where constants alone already give no number, others are taken."""
    rng = np.random.default_rng(seed)
    own = ["c", "d"][: int(rng.integers(0, 3))]
    names = ["w", "x", "z", "y", "q", *own]
    while True:
        texts = []
        for _ in range(2):
            results = [expression(rng, names, 3), *(expression(rng, names, 2) for _ in own)]
            texts.append(f"lambda {', '.join(names)}: ({', '.join(results)})")
        functions = [eval(text, {"minimum": minimum, "maximum": maximum, "exp": exp}) for text in texts]
        try:
            rule = esn.PlasticityRule(
                pre={"x": 20.0, "z": esn.Trace(5.0, nearest=True)},
                post={"y": 30.0, "q": math.inf},
                synapse=dict(zip(own, [40.0, math.inf], strict=False)),
                on_pre=functions[0],
                on_post=functions[1],
                w_min=float(rng.choice([0.0, 0.1])),
                w_max=float(rng.choice([1.0, 4.0])),
            )
        except esn.InputError:
            continue
        return rule, " and ".join(texts)
