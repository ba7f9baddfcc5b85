"""The world: a scenario's hosts, links and programs, set in motion."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wireside.sim.build import build
from wireside.sim.fleet import Fleet
from wireside.sim.followed import Followed, leaves_of
from wireside.sim.knobs import knob_value, turn_knob
from wireside.sim.packets import PacketBook
from wireside.sim.view import Views
from wireside.sim.watch import Watch

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wireside.scenario.expect import Condition
    from wireside.scenario.spec import Scenario
    from wireside.snapshot import Event, PacketTrace, WorldSnapshot


class World(Fleet):
    """A running scenario. The same scenario, seed and commands give the same bytes; pickles go on identically.

    Times are ns since the start. `sysctl` maps knob names (a sysctl's full or short
    name, "nic.rx_ring", "PROGRAM.param") to the text they start with, on every host that has them. `trace` packets are
    remembered per machine; 0 turns tracing off, unless conditions of the scenario are about packets. Raises CommandError for what cannot be set.
    """

    def __init__(
        self,
        scenario: Scenario,
        *,
        seed: int | None = None,
        sysctl: Mapping[str, str] | None = None,
        trace: int = 4096,
        ideal_timers: bool = False,
    ) -> None:
        super().__init__(scenario, scenario.seed if seed is None else seed, trace, ideal_timers=ideal_timers)
        build(self, dict(sysctl or {}))
        hosts = self.names()
        self.book = PacketBook(hosts)
        others = {address: net.name for net in self.nets.values() for address in net.secondary}
        self.followed = Followed(self.env, hosts | others)
        self.follow(leaves_of(scenario))
        self.views = Views()

    def __getstate__(self) -> dict[str, object]:
        state = dict(self.__dict__)
        del state["views"]
        return state

    def __setstate__(self, state: dict[str, object]) -> None:
        self.__dict__.update(state)
        self.views = Views()

    @property
    def event_count(self) -> int:
        """The running number that the next event will have."""
        return self.log.count

    @property
    def work(self) -> int:
        """Calls that the model has planned so far: how much there was to do."""
        return self.env.planned

    def run_until(self, t_ns: int, wall_deadline: float | None = None) -> bool:
        """Let time pass until `t_ns`; False when the wall clock (time.perf_counter()) reached `wall_deadline` first."""
        return self.env.run_until(t_ns, wall_deadline)

    def watch(self, conditions: Mapping[int, Condition], looked: int = -1) -> Watch:
        """A way to run that stops at the very event in which one of `conditions` (by a number of the caller's) holds.

        `looked` is what the watch of an earlier run had in its attribute of that name when this world was frozen.
        """
        return Watch(self, conditions, looked)

    def upcoming(self) -> int:
        """The next instant at which anything happens, ns; -1 when nothing ever will."""
        return self.env.peek()

    def snapshot(self, *, screen: bool = False) -> WorldSnapshot:
        """Freeze the present instant; parts that did not change are the same objects as in the snapshot before.

        With `screen` only as many sockets have rows as a picture may show; all are counted in any case.
        """
        return self.views.snapshot(self, screen=screen)

    def traces(self, since_ns: int) -> tuple[PacketTrace, ...]:
        """Packets whose last stamp is at or after `since_ns`, or which still live, by birth; the newest `trace` of them."""
        return self.book.traces(self.all_machines(), since_ns, self.trace)

    def events(self, since: int) -> tuple[Event, ...]:
        """Events with running number >= `since`, oldest first."""
        return self.log.since(since)

    def command(self, host: str, name: str, value: str) -> str:
        """Turn a knob of a host now; returns one sentence that says what it is and when it takes effect.

        `name` is a sysctl, "nic.rx_ring", "nic.rx_usecs", or "PROGRAM.param". Raises CommandError with the reason.
        """
        return turn_knob(self, host, name, value)

    def knob_value(self, host: str, name: str) -> str:
        """The text of a knob's present value; CommandError when there is no such knob."""
        return knob_value(self, host, name)

    def books_balance(self) -> tuple[int, int]:
        """(packets born, packets accounted for: delivered, consumed, dropped, lost or queued); equal unless we cheat."""
        return self.views.books(self)
