"""Where a session's worlds come from: a scenario, a seed, and what the knobs are at its start."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from wireside.sim import checkpoint
from wireside.sim.world import World

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wireside.scenario.spec import Scenario

TRACE = 1024
"""Packets per host that a world remembers for the picture; a flood is shown by samples anyway."""


@dataclass(frozen=True, slots=True)
class Beginning:
    """What a run begins with; the same beginning and the same commands make the same run."""

    scenario: Scenario
    seed: int
    sysctl: Mapping[str, str] = field(default_factory=dict)
    """Knobs that start with another text than the scenario gives them, on every host that has them."""

    def begin(self) -> World:
        """A new world, in which nothing has happened. CommandError for a knob that cannot be set."""
        return World(self.scenario, seed=self.seed, sysctl=self.sysctl, trace=TRACE)

    def freeze(self, world: World) -> checkpoint.Checkpoint:
        """A checkpoint of a world, which does not change by it."""
        return checkpoint.freeze(world)

    def thaw(self, frozen: checkpoint.Checkpoint) -> World:
        """The world of a checkpoint; it goes on as the other did."""
        return checkpoint.thaw(frozen)
