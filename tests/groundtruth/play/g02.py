"""G02: Nagle on the wire."""

from __future__ import annotations

from tests.groundtruth.pair import MS
from tests.groundtruth.raw_peer import RawConnection, RawLab

MSS = 1000


class Observer:
    """A connection whose peer acknowledges only when told."""

    def __init__(self, **options: int) -> None:
        self.lab = RawLab()
        listener = self.lab.listen()
        self.connection = RawConnection(self.lab, mss=MSS)
        self.fd = self.connection.accept(listener)
        for option, value in options.items():
            self.lab.sys("setsockopt", self.fd, option, value)
        self.lab.arrivals()
        self.began = self.lab.world.now
        self.got = 0

    def write(self, size: int, flags: str = "0") -> list[int]:
        """Write, and the sizes of the segments that left at once."""
        self.lab.sys("send", self.fd, size, flags)
        return self.left(1 * MS)

    def left(self, ns: int) -> list[int]:
        """The sizes of the segments that leave within `ns`."""
        return [skb.len for _, skb in self.timed(ns)]

    def timed(self, ns: int):
        """(ns, packet) of the segments that leave within `ns`."""
        self.lab.wait(ns)
        fresh = [(when, skb) for when, skb in self.lab.arrivals() if skb.len]
        self.got += sum(skb.len for _, skb in fresh)
        return fresh

    def acknowledge(self) -> list[int]:
        """Acknowledge everything, and the sizes of the segments that this lets go."""
        self.lab.peer.send(self.connection.sport, self.connection.port, ".", seq=1, ack=1 + self.got)
        return self.left(1 * MS)


def steps(nodelay: bool) -> list[list[object]]:
    """What leaves after each step."""
    seen = Observer(TCP_NODELAY=1) if nodelay else Observer()
    return [
        ["write 100, nothing in flight", seen.write(100)],
        ["write 100, 100 in flight", seen.write(100)],
        ["write 100, again", seen.write(100)],
        ["write 1000 (one MSS)", seen.write(1000)],
        ["everything acknowledged", seen.acknowledge()],
        ["everything acknowledged again", seen.acknowledge()],
    ]


def play() -> dict[str, object]:
    """With and without TCP_NODELAY."""
    return {f"nodelay={nodelay}": steps(nodelay) for nodelay in (False, True)}
