"""S01: connections in every state at once."""

from __future__ import annotations

from tests.groundtruth.pair import MS
from tests.groundtruth.raw_peer import PEER, RawConnection, RawLab
from tests.groundtruth.states import states
from wireside.catalog.inet import ip_parse

ROOM_IN_QUEUE = 2
SYNACK_WAIT = 5 * MS


class EveryState:
    """Two listeners, and one connection driven into each state; 9090 has a full accept queue."""

    def __init__(self) -> None:
        self.lab = RawLab({"net.ipv4.tcp_syncookies": "0"})
        self.listener = self.lab.listen(8080, 128)
        self.lab.listen(9090, ROOM_IN_QUEUE)
        self.sport = 50000

    def connection(self, port: int = 8080) -> RawConnection:
        """One more connection that the peer opens."""
        self.sport += 1
        self.lab.wait(50 * MS)
        self.lab.arrivals()
        return RawConnection(self.lab, sport=self.sport, port=port)

    def accepted(self) -> tuple[RawConnection, int]:
        """One more connection that the program has accepted."""
        connection = self.connection()
        return connection, connection.accept(self.listener)

    def say(self, connection: RawConnection, flags: str, seq: int, ack: int) -> None:
        """The peer sends a segment."""
        self.lab.peer.send(connection.sport, connection.port, flags, seq=seq, ack=ack, win=65535)
        self.lab.wait(1 * MS)

    def drive(self) -> None:
        """Bring one connection into each state."""
        lab = self.lab
        self.accepted()
        reading, _ = self.accepted()
        reading.segment(1234, "P.")
        _, writing = self.accepted()
        lab.sys("send", writing, 36864)
        self.accepted()
        for _ in range(ROOM_IN_QUEUE + 1):
            self.connection(9090)
        close_wait, _ = self.accepted()
        self.say(close_wait, "F.", 1, 1)
        last_ack, fd = self.accepted()
        self.say(last_ack, "F.", 1, 1)
        lab.sys("close", fd)
        for answer in (None, ".", "both", "crossing"):
            connection, fd = self.accepted()
            lab.sys("close", fd)
            lab.wait(1 * MS)
            if answer == "crossing":
                self.say(connection, "F.", 1, 1)
            elif answer is not None:
                self.say(connection, ".", 1, 2)
            if answer == "both":
                self.say(connection, "F.", 1, 2)
        lab.peer.send(50100, 8080, "S", win=65535, mss=1460)
        fd = lab.sys("socket", "SOCK_STREAM|SOCK_NONBLOCK")
        lab.sys("connect", fd, (ip_parse(PEER), 443))
        lab.wait(SYNACK_WAIT)


def play() -> dict[str, object]:
    """Count them."""
    every = EveryState()
    every.drive()
    return {"states": states(every.lab.world.snapshot().host("host"))}
