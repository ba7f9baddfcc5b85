"""A connection about to end: the host's side closes, the raw peer says what the test says."""

from __future__ import annotations

from tests.groundtruth.pair import MS, SECOND
from tests.groundtruth.raw_peer import RawConnection, RawLab
from tests.groundtruth.states import moved, states
from wireside.catalog.inet import ACK, FIN, RST, SYN


class Closing:
    """One accepted connection of the host; the raw peer says what the test says.

    `seq` counts the peer's bytes, `ack` the host's; segments sent to the peer are told as "F. 1:1 ack 1".
    """

    def __init__(self, sysctl=None, **options):
        self.lab = RawLab(sysctl)
        self.lab.wait(1 * MS)
        self.listener = self.lab.listen()
        self.connection = RawConnection(self.lab)
        self.fd = self.connection.accept(self.listener)
        self.set(**options)
        self.lab.arrivals()
        self.before = self.host

    @property
    def host(self):
        return self.lab.world.snapshot().host("host")

    @property
    def states(self):
        return states(self.host)

    @property
    def timer(self):
        return next(row.timer for row in self.host.sockets if row.state != "LISTEN")

    @property
    def resets(self):
        return sum(bool(skb.tcp_flags & RST) for _, skb in self.lab.arrivals())

    def set(self, **options):
        for option, value in options.items():
            assert self.lab.sys("setsockopt", self.fd, option, value) == 0

    def close(self):
        assert self.lab.sys("close", self.fd) == 0
        self.lab.wait(1 * MS)

    def shutdown(self, how="SHUT_WR"):
        result = self.lab.sys("shutdown", self.fd, how)
        self.lab.wait(1 * MS)
        return result

    def say(self, flags, seq=1, ack=1, length=0, **more):
        self.lab.peer.send(
            self.connection.sport,
            self.connection.port,
            flags,
            seq=seq,
            ack=ack,
            length=length,
            win=65535,
            **more,
        )
        self.lab.wait(1 * MS)

    def heard(self):
        """What the peer has received: flags with sequence and acknowledgement numbers."""
        names = ((SYN, "S"), (FIN, "F"), (RST, "R"), (ACK, "."))
        told = []
        for _, skb in self.lab.arrivals():
            seq, ack = self.lab.peer.relative(skb)
            flags = "".join(letter for bit, letter in names if skb.tcp_flags & bit)
            told.append(f"{flags} {seq}" + (f" ack {ack}" if skb.tcp_flags & ACK else ""))
        return told

    def counted(self, *names):
        return moved(self.host, self.before, names)

    def recv(self):
        return self.lab.sys("recv", self.fd, 100, "MSG_DONTWAIT")

    def until_gone(self, limit=200 * SECOND):
        began = self.lab.world.now
        while self.states and self.lab.world.now - began < limit:
            self.lab.wait(50 * MS)
        return (self.lab.world.now - began) / SECOND
