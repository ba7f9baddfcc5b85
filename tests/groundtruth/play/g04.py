"""G04: TCP_CORK and MSG_MORE."""

from __future__ import annotations

from tests.groundtruth.pair import MS, SECOND
from tests.groundtruth.play.g02 import Observer

LONG = 500 * MS


class Acknowledging(Observer):
    """A connection whose peer acknowledges everything at once."""

    def __init__(self, **options: int) -> None:
        super().__init__(**options)
        self.lab.peer.on_receive = self.received

    def received(self, peer, now: int, skb) -> None:
        """Answer a segment with data."""
        if skb.len:
            seq, _ = peer.relative(skb)
            peer.send(self.connection.sport, self.connection.port, ".", seq=1, ack=seq + skb.len)


def corked(size: int, pull_after: int = 0) -> tuple[list[int], list[float]]:
    """Write to a corked socket; (sizes, times since the write)."""
    seen = Acknowledging(TCP_CORK=1)
    began = seen.lab.world.now
    seen.lab.sys("send", seen.fd, size)
    early = seen.timed(pull_after)
    if pull_after:
        seen.lab.sys("setsockopt", seen.fd, "TCP_CORK", 0)
    frames = early + seen.timed(LONG)
    return [skb.len for _, skb in frames], [(when - began) / SECOND for when, _ in frames]


def more(*writes: tuple[int, str]) -> tuple[list[int], list[float]]:
    """Writes with flags; (sizes, times since the first)."""
    seen = Acknowledging()
    began = seen.lab.world.now
    for size, flags in writes:
        seen.lab.sys("send", seen.fd, size, flags)
    frames = seen.timed(LONG)
    return [skb.len for _, skb in frames], [(when - began) / SECOND for when, _ in frames]


def play() -> dict[str, object]:
    """Every way to hold back and to let go."""
    small, full = corked(100), corked(1500)
    return {
        "corked_100_bytes sizes": small[0],
        "corked_100_bytes leaves_after_s": small[1],
        "corked_1500_bytes sizes (MSS 1000)": full[0],
        "corked_1500_bytes leaves_after_s": full[1],
        "cork_pulled_after_50ms leaves_after_s": corked(100, 50 * MS)[1],
        "MSG_MORE leaves_after_s": more((100, "MSG_MORE"))[1],
        "MSG_MORE_then_plain sizes": more((100, "MSG_MORE"), (200, "0"))[0],
    }
