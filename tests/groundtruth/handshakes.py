"""Handshakes by hand: a raw peer that sends SYNs and ACKs one by one, and what host and peer see of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.groundtruth.raw_peer import LETTERS, MS, RawLab

if TYPE_CHECKING:
    from collections.abc import Iterable

    from wireside.kernel.core.skbuff import SkBuff
    from wireside.sim.world import World
    from wireside.snapshot import SocketRow

SECOND = 1_000_000_000
PORT = 8080
NAME = {"ESTAB": "ESTABLISHED"}


def states(world: World, host: str) -> dict[str, int]:
    """How many TCP sockets of a host are in each state, listeners left out."""
    found: dict[str, int] = {}
    for row in world.snapshot().host(host).sockets:
        if row.netid == "tcp" and row.state != "LISTEN":
            name = NAME.get(row.state, row.state.replace("-", "_"))
            found[name] = found.get(name, 0) + 1
    return found


def listener_row(world: World, host: str) -> SocketRow:
    """The listener of a host."""
    return next(row for row in world.snapshot().host(host).sockets if row.state == "LISTEN")


class SynLab(RawLab):
    """A raw peer whose handshakes are told apart by its source port."""

    def __init__(self, sysctl: dict[str, str] | None = None, *, backlog: int = 8, **options: int) -> None:
        super().__init__(sysctl)
        self.fd = self.listen(PORT, backlog, **options)
        self.frames: dict[int, list[tuple[int, SkBuff]]] = {}
        self.begun: dict[str, int] = {}

    def syn(self, *sports: int, **fields: object) -> None:
        """Send SYNs."""
        for sport in sports:
            self.peer.send(sport, PORT, "S", mss=1460, **fields)
        self.wait(1 * MS)

    def ack(self, *sports: int, length: int = 0) -> None:
        """Send the third segment of handshakes, with data if `length`."""
        for sport in sports:
            self.peer.send(sport, PORT, "P." if length else ".", seq=1, ack=1, length=length)
        self.wait(1 * MS)

    def connect(self, *sports: int) -> None:
        """Whole handshakes, one after the other."""
        for sport in sports:
            self.syn(sport)
            self.ack(sport)

    def flood(self, count: int) -> None:
        """SYNs from as many addresses, as fast as possible."""
        for number in range(count):
            self.peer.send(10_000 + number, PORT, "S", mss=1460, saddr="198.18.0.0/15")
        self.wait(5 * MS)

    def answers(self, sport: int) -> list[tuple[int, SkBuff]]:
        """Everything the peer has received for one source port: (ns, packet)."""
        for when, skb in self.arrivals():
            self.frames.setdefault(skb.flow[3], []).append((when, skb))
        return self.frames.get(sport, [])

    def letters(self, sport: int) -> list[str]:
        """The flags of what the peer has received for one source port."""
        return [
            "".join(letter for bit, letter in LETTERS if skb.tcp_flags & bit)
            for _, skb in self.answers(sport)
        ]

    def synack_times(self, sport: int, start: int) -> list[float]:
        """When SYN-ACKs came, s."""
        return [(when - start) / SECOND for when, skb in self.answers(sport) if skb.tcp_flags & 0x12 == 0x12]

    def mark(self) -> None:
        """Count from here."""
        self.begun = dict(self.world.snapshot().host("host").counters)

    def counted(self, names: Iterable[str]) -> dict[str, int]:
        """What the counters have moved since mark(); TcpExt may be left out."""
        now = self.world.snapshot().host("host").counters
        result = {}
        for name in names:
            full = name if name in now else f"TcpExt{name}"
            result[name] = now[full] - self.begun.get(full, 0)
        return result

    def states(self) -> dict[str, int]:
        """The host's sockets by state."""
        return states(self.world, "host")

    def row(self) -> SocketRow:
        """The listener."""
        return listener_row(self.world, "host")

    def set(self, sysctl: str, value: int | str) -> None:
        """Turn a sysctl now."""
        self.world.command("host", sysctl, str(value))

    def until(self, condition, limit: int = 200 * SECOND) -> float:  # type: ignore[no-untyped-def]
        """Wait until condition() holds; the seconds that took."""
        start = self.world.now
        while not condition():
            assert self.world.now - start < limit, "it never happened"
            self.wait(1 * MS if self.world.now - start < 20 * SECOND else 10 * MS)
        return (self.world.now - start) / SECOND
