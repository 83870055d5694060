"""TsodyksMarkram: synapses that tire and recover."""

from __future__ import annotations

from typing import Any

from eventsnn.base.checks import number
from eventsnn.base.errors import InputError
from eventsnn.plasticity.base import PlasticityRule, not_negative, positive
from eventsnn.plasticity.program import Program, exp, expm1, written


class TsodyksMarkram(PlasticityRule):
    """Short-term plasticity: a spike is transmitted with the weight times u x (Tsodyks, Pawelzik & Markram 1998).

    A spike uses the share u of the resources x that have recovered. For a time D between two spikes

        u = U + u (1 - U) exp(-D / tau_fac),    x = 1 + (x - u x - 1) exp(-D / tau_rec)

    with u and x of the last spike on the right hand sides; tau_fac = 0 is u = U. With tau_psc (ms) what is used is
    first active, decays with this time constant and only then recovers (Tsodyks, Uziel & Markram 2000). The first
    spike finds x = 1 and u = U. The weights of a projection stay what they are. U in (0, 1], tau_rec and tau_fac in ms.
    Raises InputError.
    """

    def __init__(self, U: float = 0.5, tau_rec: float = 800.0, tau_fac: float = 0.0, tau_psc: float | None = None):
        what = type(self).__name__
        self.U = number(U, f"{what}: U", "a number above 0 and at most 1", above=0.0, most=1.0)
        self.tau_rec = positive(tau_rec, f"{what}: tau_rec")
        self.tau_fac = not_negative(tau_fac, f"{what}: tau_fac")
        self.tau_psc = None if tau_psc is None else positive(tau_psc, f"{what}: tau_psc")
        if self.tau_psc == self.tau_rec:
            raise InputError(f"{what}: tau_psc = {tau_psc} ms must differ from tau_rec; choose one slightly larger")
        super().__init__()

    @property
    def initial(self) -> tuple[float, ...]:
        """The variables before the first spike, after which the time since then does not matter."""
        return (1.0, 0.0) if self.tau_psc is None else (1.0, 0.0, 0.0)

    @property
    def step(self) -> Program:
        if self.tau_psc is None:
            return written(self._two, "TsodyksMarkram", ["x", "u", "D"], ["x", "u", "factor"])
        return written(self._three, "TsodyksMarkram", ["x", "y", "u", "D"], ["x", "y", "u", "factor"])

    def _use(self, u: Any, D: Any) -> Any:
        return self.U if self.tau_fac == 0.0 else self.U + u * (1.0 - self.U) * exp(D * (-1.0 / self.tau_fac))

    def _two(self, x: Any, u: Any, D: Any) -> Any:
        x = 1.0 + (x - u * x - 1.0) * exp(D * (-1.0 / self.tau_rec))
        u = self._use(u, D)
        return x, u, u * x

    def _three(self, x: Any, y: Any, u: Any, D: Any) -> Any:
        assert self.tau_psc is not None
        psc, rec = self.tau_psc, self.tau_rec
        left, recovered = exp(D * (-1.0 / psc)), expm1(D * (-1.0 / rec))
        recovering = (recovered * rec - (left - 1.0) * psc) / (psc - rec)
        x, y = x + recovering * y - recovered * (1.0 - x - y), y * left
        u = self._use(u, D)
        return x - u * x, y + u * x, u, u * x
