"""What a session needs from outside: worlds, where they come from, and what a picture wants remembered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from wireside.session.telling import Watched

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wireside.scenario.spec import Scenario
    from wireside.session.film import Past
    from wireside.session.rolls import Rolls
    from wireside.snapshot import Event, PacketTrace, WorldSnapshot


class WorldLike(Watched, Protocol):
    """What a session needs of a world."""

    @property
    def event_count(self) -> int:
        """How many events there have been."""

    @property
    def work(self) -> int:
        """Calls that the model has planned so far: how much there was to do."""

    def upcoming(self) -> int:
        """The next instant at which something happens, ns; -1 when nothing ever will."""

    def snapshot(self, *, screen: bool = False) -> WorldSnapshot:
        """The present instant; with `screen`, what a picture may show of it."""

    def traces(self, since_ns: int) -> tuple[PacketTrace, ...]:
        """Packets that moved since then, or still live."""

    def events(self, since: int) -> tuple[Event, ...]:
        """Events from a running number on."""

    def command(self, host: str, name: str, value: str) -> str:
        """Turn a knob."""

    def knob_value(self, host: str, name: str) -> str:
        """A knob's value."""


class Frozen(Protocol):
    """A world's checkpoint."""

    @property
    def data(self) -> bytes:
        """What it takes."""


class Origin(Protocol):
    """Where a run's worlds come from."""

    @property
    def scenario(self) -> Scenario:
        """What is played."""

    @property
    def seed(self) -> int:
        """What chance begins with."""

    @property
    def sysctl(self) -> Mapping[str, str]:
        """Knobs that start with another text than the scenario gives them."""

    def begin(self) -> WorldLike:
        """A new world, in which nothing has happened."""

    def freeze(self, world: Any) -> Frozen:
        """A checkpoint of a world, which does not change by it."""

    def thaw(self, frozen: Any) -> WorldLike:
        """The world of a checkpoint; it goes on as the other did."""


class Remember(Protocol):
    """What the picture wants to remember of a run: asked at every sample."""

    def __call__(self, memory: Any, world: WorldSnapshot, past: Past, rolls: Rolls, scale: int) -> Any:
        """What is to be remembered now, after `memory` (None at first); the story shows `scale` ns a second."""
