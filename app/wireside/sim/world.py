"""The world: a scenario's hosts, links and programs, set in motion."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wireside.sim.build import build
from wireside.sim.env import KernelEnv
from wireside.sim.events import EventLog
from wireside.sim.followed import Followed, leaves_of
from wireside.sim.knobs import knob_value, turn_knob
from wireside.sim.packets import PacketBook
from wireside.sim.view import Views
from wireside.sim.watch import Watch
from wireside.wire.words import Conversations

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from wireside.kernel.core.net import Machine, Net
    from wireside.scenario.expect import Condition
    from wireside.scenario.spec import Scenario
    from wireside.sim.cpu import Engine
    from wireside.sim.link import Wire
    from wireside.sim.run import ProgramRun
    from wireside.sim.tap import Tap
    from wireside.sim.wire_peer import WirePeer
    from wireside.snapshot import Event, PacketTrace, WorldSnapshot


class World:
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
        self.scenario = scenario
        self.seed = scenario.seed if seed is None else seed
        self.kernel = scenario.kernel
        self.trace = trace
        self.ideal_timers = ideal_timers
        self.conversations = Conversations()
        """From where the numbers of each connection count in the texts of its packets."""
        self.env = KernelEnv()
        self.log = EventLog(self.env)
        self.engines: dict[str, Engine] = {}
        """Machine name → what runs it."""
        self.machines: dict[str, Machine] = {}
        self.nets: dict[str, Net] = {}
        """Host name → its network namespace, in the scenario's order."""
        self.peers: dict[str, WirePeer] = {}
        self.wires: list[Wire] = []
        self.taps: dict[frozenset[str], Tap] = {}
        """The two ends of a link (one of a loopback) → what writes its frames down."""
        self.programs: list[ProgramRun] = []
        build(self, dict(sysctl or {}))
        hosts = {net.address: net.name for net in (*self.nets.values(), *self.peer_nets())}
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

    def peer_nets(self) -> list[Net]:
        """The network namespaces that stand for wire peers, in order."""
        return [peer.net for peer in self.peers.values()]

    def all_machines(self) -> list[Machine]:
        """The machines of all hosts, and those that stand for wire peers."""
        return [*self.machines.values(), *(peer.net.machine for peer in self.peers.values())]

    def follow(self, leaves: Iterable[object]) -> None:
        """Follow the packets that these leaves of conditions name; ValueError when the run has begun without."""
        self.followed.follow(
            leaves, list(self.machines.values()), [peer.net.machine for peer in self.peers.values()]
        )

    @property
    def now(self) -> int:
        """The current instant, ns."""
        return self.env.now

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
