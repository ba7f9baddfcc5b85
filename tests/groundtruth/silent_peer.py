"""A simulated client against a raw peer that completes the handshake and then does as it is told."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Any

from tests.groundtruth.pair import MS, SECOND
from tests.groundtruth.raw_peer import PEER, RawLab
from tests.groundtruth.states import moved
from wireside.catalog.inet import ip_parse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from wireside.kernel.core.skbuff import SkBuff

PORT = 9000
UPTIME = 1_234 * MS
"""The machine has been up for some time, so that timers do not begin where the wheel's levels do."""
EINPROGRESS = -115


class SilentPeer:
    """`fd` is connected to a peer that answers nothing any more.

    `sack` and `timestamps` are what the peer's SYN-ACK agrees to. Times are counted from `began`, the last `mark()`.
    """

    def __init__(
        self,
        sysctl: dict[str, str] | None = None,
        *,
        sack: bool = False,
        timestamps: bool = False,
        uptime_ns: int = UPTIME,
    ) -> None:
        self.lab = lab = RawLab(sysctl)
        lab.wait(uptime_ns)
        self.fd, self.sport = self.connect(sack=sack, timestamps=timestamps)
        self.mark()

    def connect(self, *, sack: bool = False, timestamps: bool = False) -> tuple[int, int]:
        """Open a connection: (descriptor, the host's port)."""
        lab = self.lab
        fd = lab.sys("socket", "SOCK_STREAM")
        lab.sys("fcntl", fd, "F_SETFL", "O_NONBLOCK")
        assert lab.sys("connect", fd, (ip_parse(PEER), PORT)) == EINPROGRESS
        lab.wait(60_000)
        (_, syn), *_ = lab.arrivals()
        extra: dict[str, Any] = {"ts": (1000, syn.tsval)} if timestamps else {}
        lab.peer.send(PORT, syn.flow[1], "S.", ack=1, win=65535, mss=1460, sack_ok=sack, **extra)
        lab.wait(1 * MS)
        lab.arrivals()
        return fd, syn.flow[1]

    def mark(self) -> None:
        """Count times and counters from here on."""
        self.began = self.lab.world.now
        self.before = self.lab.world.snapshot().host("host")

    def say(self, flags: str, seq: int, ack: int) -> None:
        """Send a segment to the host."""
        self.lab.peer.send(PORT, self.sport, flags, seq=seq, ack=ack, win=65535)

    def seconds(self, when: int) -> float:
        """A time since `began`."""
        return round((when - self.began) / SECOND, 4)

    @property
    def row(self) -> Any:
        """The connection as ss shows it, None when it is gone."""
        rows = [row for row in self.lab.world.snapshot().host("host").sockets if row.state != "UNCONN"]
        return rows[0] if rows else None

    def until_gone(self, limit_ns: int, step_ns: int = 20 * MS) -> float | None:
        """Let time pass until the connection is gone: when; None when it outlives `limit_ns`."""
        net = self.lab.net
        end = self.began + limit_ns
        while any(sk.sk_state != 7 for sk in net.sockets.values()):
            if self.lab.world.now >= end:
                return None
            self.lab.wait(step_ns)
        return self.seconds(self.lab.world.now)

    def error(self) -> str | None:
        """What recv() says now; None when it would wait."""
        result = self.lab.sys("recv", self.fd, 1)
        return None if result == -errno.EAGAIN else errno.errorcode[-result] if result < 0 else ""

    def moved(self, wanted: Iterable[str]) -> dict[str, int]:
        """What counters have moved by since `mark()`."""
        return moved(self.lab.world.snapshot().host("host"), self.before, wanted)

    def on_segment(self, answer: Callable[[Any, int, SkBuff], None]) -> None:
        """Let the peer react to what comes."""
        self.lab.peer.on_receive = answer
