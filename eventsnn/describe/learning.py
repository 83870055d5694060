"""Learning: the plasticity of a projection, which can be frozen."""

from __future__ import annotations

from typing import Any

from eventsnn.base.checks import flag
from eventsnn.base.errors import InputError, suggest
from eventsnn.plasticity.base import PlasticityRule


class Learning:
    """The plasticity of a projection: its rule, and whether it is enabled."""

    projection: Any  # the Projection
    rule: PlasticityRule

    def __init__(self, projection: Any, rule: PlasticityRule):
        self.__dict__.update(projection=projection, rule=rule, _enabled=True)

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "enabled":
            object.__setattr__(self, name, value)
            return
        remedy = "connect anew with another rule" if name == "rule" else suggest(name, ["enabled"])
        raise InputError(f"{self.projection.name}: plasticity has no attribute {name!r} to be set; {remedy}")

    def __repr__(self) -> str:
        return f"<Plasticity of {self.projection.name}: {self.rule!r}, {'enabled' if self.enabled else 'frozen'}>"

    @property
    def enabled(self) -> bool:
        """Whether weights change. False freezes them from `net.time` on: spikes leave traces, and nothing else."""
        return bool(self.__dict__["_enabled"])

    @enabled.setter
    def enabled(self, value: bool) -> None:
        flag(value, f"{self.projection.name}: plasticity.enabled")
        self.projection.network.set_learning(self.projection, value)
        self.__dict__["_enabled"] = value
