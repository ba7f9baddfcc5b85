"""The facts of one picture, frozen; every pane is drawn from them and from what the reader chose (`Ui`)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from wireside.paint.piles import pointed_at
from wireside.paint.scene import NOTHING_MOVES, Scene, highlighted
from wireside.tools import nstat

if TYPE_CHECKING:
    from wireside.paint.piles import Pile
    from wireside.scenario.spec import Beat, Scenario
    from wireside.session.film import Mark, Past
    from wireside.session.knobs import KnobRow
    from wireside.snapshot import Event, HostSnapshot, PacketTrace, SocketRow, WorldSnapshot


@dataclass(frozen=True, slots=True)
class Frame:
    """One instant of a run and of its story; times are ns."""

    scenario: Scenario
    world: WorldSnapshot
    focus: str
    t: int
    scale: int
    past: Past
    scene: Scene = NOTHING_MOVES
    traces: tuple[PacketTrace, ...] = ()
    """The newest packets, in the order of their birth."""
    latency: tuple[int | None, ...] = (None,) * 7
    """Mean ns that packets spend in each station."""
    events: tuple[Event, ...] = ()
    main_socket: SocketRow | None = None
    """The focus host's busiest socket."""
    peer_socket: tuple[str, SocketRow] | None = None
    """(host, socket) at the other end of its connection."""
    beat: Beat | None = None
    beats_said: int = 0
    paused: bool = False
    behind: bool = False
    ended: bool = False
    backwards: bool = False
    going_to: int | None = None
    """The instant that the run is being taken to, when it is not there yet."""
    hold_s: float = 0.0
    """How long the run waits until the next beat may be told."""
    quiet_ns: int = 0
    """How long the quiet stretch is that is being crossed; 0 when none is."""
    factor: float = 1.0
    """What the reader multiplies the story's pace by."""
    seed: int = 0
    knob_rows: tuple[KnobRow, ...] = ()
    """The scenario's own knobs as they stand."""
    marks: tuple[Mark, ...] = ()
    """What is known of the run that deserves a mark, by time."""
    branches: tuple[int, ...] = ()
    """Where runs were left because a knob was turned in their past."""
    subjects: frozenset[str] = frozenset()
    """The piles that the run is about, by name."""
    piles: tuple[Pile, ...] = ()
    """Queues and states with a limit, the fullest first."""
    heaps: tuple[Pile, ...] = ()
    """States without a limit, the largest first."""
    telling: tuple[str, ...] = ()
    """The names of both, the most telling first."""
    tcp_tells: str = ""
    """The name of the queue that speaks for TCP in the journey."""

    @property
    def host(self) -> HostSnapshot:
        """The host in focus."""
        return self.world.host(self.focus)

    @property
    def moved(self) -> dict[str, int]:
        """What `nstat` lists of the host in focus: the counters that moved, and how far."""
        return nstat.counters(self.host)

    @property
    def speaks_tcp(self) -> bool:
        """Whether there is TCP in this run; before there are sockets, whether a program will want it."""
        hosts = self.world.hosts
        if any(host.states or host.counters.get("TcpOutSegs", 0) for host in hosts):
            return True
        if any(host.sockets for host in hosts):
            return False
        programs = self.scenario.programs
        return not programs or any(not program.run.startswith("udp_") for program in programs)

    @property
    def pointed(self) -> str:
        """The pile that the story points at by name, or ""."""
        return pointed_at(self.beat.look_at) if self.beat else ""

    @property
    def highlight(self) -> tuple[int, str]:
        """(station or -1, pane or "") that the story points at."""
        return highlighted(self.beat.look_at) if self.beat else (-1, "")


def main_socket(host: HostSnapshot) -> SocketRow | None:
    """A host's busiest socket: the fullest one, then the one with most data."""
    rows = (row for row in host.sockets if row.state not in {"LISTEN", "TIME-WAIT"})
    return max(rows, key=_business, default=None)


def _business(row: SocketRow) -> tuple[int, int, int]:
    return row.sk_rmem_alloc, row.bytes_received, row.sk_drops


def peer_socket(world: WorldSnapshot, focus: str, mine: SocketRow | None) -> tuple[str, SocketRow] | None:
    """(host, socket) at the other end of the connection of `mine`, a socket of host `focus`, when it is one."""
    others = [host for host in world.hosts if host.name != focus]
    for host in others:
        for row in host.sockets:
            if row.state == "LISTEN":
                continue
            if mine is None or (row.local == mine.peer and row.peer == mine.local):
                return host.name, row
    if mine is not None and mine.netid == "udp":
        rows = ((host.name, row) for host in others for row in host.sockets)
        return next((pair for pair in rows if pair[1].netid == "udp"), None)
    return None
