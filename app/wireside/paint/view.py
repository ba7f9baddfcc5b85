"""What the panes are drawn from, and the look that they are drawn with."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from wireside.paint.piles import pointed_at
from wireside.paint.scene import Scene, highlighted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wireside.paint.glyphs import Glyphs
    from wireside.paint.palette import RGB, Palette
    from wireside.paint.piles import Pile
    from wireside.scenario.spec import Beat, Scenario
    from wireside.session.history import History
    from wireside.session.knobs import KnobRow
    from wireside.snapshot import Event, HostSnapshot, PacketTrace, SocketRow, WorldSnapshot


@dataclass(frozen=True, slots=True)
class Look:
    """Palette and characters."""

    palette: Palette
    glyphs: Glyphs

    def style(self, fg: str | RGB, bg: str | RGB = "bg", *, bold: bool = False) -> int:
        """A style id of the palette."""
        return self.palette.style(fg, bg, bold=bold)


@dataclass(slots=True)
class KnobView:
    """The state of the knobs pane: the chosen row, the value being typed, and the last answer."""

    rows: tuple[KnobRow, ...] = ()
    chosen: int = 0
    typed: str | None = None
    untouched: bool = False
    """Nothing has been typed yet: the first character replaces the old value."""
    message: str = ""
    refused: bool = False
    search: str | None = None
    """What is typed to find a sysctl; None while nobody looks for one."""
    found: tuple[KnobRow, ...] = ()
    found_at: int = 0


@dataclass(slots=True)
class View:
    """One frame's worth of facts; times are ns."""

    scenario: Scenario
    world: WorldSnapshot
    focus: str
    t: int
    scale: int
    history: History
    scene: Scene = field(default_factory=Scene)
    traces: Sequence[PacketTrace] = ()
    latency: tuple[int | None, ...] = (None,) * 7
    events: Sequence[Event] = ()
    moved: dict[str, int] = field(default_factory=dict)
    """nstat name to its increase since the run began."""
    beat: Beat | None = None
    beats_said: int = 0
    paused: bool = False
    behind: bool = False
    ended: bool = False
    hold_s: float = 0.0
    """How long the run waits until the next beat may be told."""
    quiet_ns: int = 0
    """How long the quiet stretch is that is being crossed; 0 when none is."""
    factor: float = 1.0
    """What the reader multiplies the story's pace by."""
    fps: float = 0.0
    seed: int = 0
    knobs: KnobView = field(default_factory=KnobView)
    tab: int = 1
    tool_first: int = 0
    """The first line that the tools pane shows when it has the keyboard."""
    focus_pane: str = ""
    keys: Sequence[tuple[str, str]] = ()
    subjects: frozenset[str] = frozenset()
    """The piles that the run is about, by name."""
    piles: Sequence[Pile] = ()
    """Queues and states with a limit, the fullest first."""
    heaps: Sequence[Pile] = ()
    """States without a limit, the largest first."""
    tcp_tells: str = ""
    """The name of the queue that speaks for TCP in the journey."""
    telling: Sequence[str] = ()
    """The names of both, the most telling first."""

    _main: tuple[WorldSnapshot, SocketRow | None] | None = field(default=None, repr=False)
    _peer: tuple[WorldSnapshot, tuple[str, SocketRow] | None] | None = field(default=None, repr=False)
    """Both found once a world: of thousands of sockets that is worth it."""

    @property
    def host(self) -> HostSnapshot:
        """The host in focus."""
        return self.world.host(self.focus)

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

    @property
    def main_socket(self) -> SocketRow | None:
        """The focus host's busiest socket: the fullest one, then the one with most data."""
        if self._main is None or self._main[0] is not self.world:
            rows = (s for s in self.host.sockets if s.state not in {"LISTEN", "TIME-WAIT"})
            self._main = self.world, max(rows, key=_business, default=None)
        return self._main[1]

    @property
    def peer_socket(self) -> tuple[str, SocketRow] | None:
        """(host, socket) at the other end of the main socket's connection, when it is one."""
        if self._peer is None or self._peer[0] is not self.world:
            self._peer = self.world, self._find_peer()
        return self._peer[1]

    def _find_peer(self) -> tuple[str, SocketRow] | None:
        mine = self.main_socket
        for host in self.world.hosts:
            if host.name == self.focus:
                continue
            for row in host.sockets:
                if row.state == "LISTEN":
                    continue
                if mine is None or (row.local == mine.peer and row.peer == mine.local):
                    return host.name, row
        if mine is not None and mine.netid == "udp":
            others = ((h.name, s) for h in self.world.hosts if h.name != self.focus for s in h.sockets)
            return next((pair for pair in others if pair[1].netid == "udp"), None)
        return None


def _business(row: SocketRow) -> tuple[int, int, int]:
    return row.sk_rmem_alloc, row.bytes_received, row.sk_drops
