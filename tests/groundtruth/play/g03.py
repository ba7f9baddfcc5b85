"""G03: when the kernel acknowledges."""

from __future__ import annotations

from tests.groundtruth.raw_peer import MS, RawConnection, RawLab

SECOND = 1_000_000_000


class Session:
    """A connection whose program reads what comes, at once or not at all."""

    def __init__(self) -> None:
        self.lab = RawLab()
        listener = self.lab.listen()
        self.peer = RawConnection(self.lab)
        self.fd = self.peer.accept(listener)

    def delay(self, lengths: tuple[int, ...], *, read: bool = True, quickack: bool = False) -> float:
        """Send segments back to back; seconds until all of them are acknowledged."""
        self.lab.arrivals()
        start = self.lab.world.now
        for length in lengths:
            self.peer.segment(length)
        pending = read
        while self.lab.world.now < start + SECOND:
            self.lab.wait(100_000)
            if pending:
                self.lab.sys("recv", self.fd, 65536)
                if quickack:
                    self.lab.sys("setsockopt", self.fd, "TCP_QUICKACK", 1)
                pending = False
            for when, skb in self.lab.arrivals():
                if self.lab.peer.relative(skb)[1] - 1 >= self.peer.sent:
                    return (when - start) / SECOND
        raise AssertionError("never acknowledged")


def play() -> dict[str, object]:
    """Every case of the document."""
    session = Session()
    delays = [session.delay((100,)) for _ in range(30)]
    immediate = next(index for index, delay in enumerate(delays) if delay > 0.01)
    later = delays[immediate]
    answered: list[float] = []
    session = Session()
    for answers in range(1, 5):
        session.delay((100,))
        session.lab.sys("send", session.fd, 100)
        session.lab.wait(1 * MS)
        session.lab.peer.send(
            session.peer.sport,
            session.peer.port,
            ".",
            seq=1 + session.peer.sent,
            ack=1 + 100 * answers,
            win=65535,
        )
        answered.append(session.delay((100,)))
    return {
        "one_way_stream immediate_acks_at_start": immediate,
        "one_way_stream later_ack_delay_s": later,
        "after_the_server_answered ack_delay_s": answered,
        "two_full_segments ack_delay_s": two_full(),
        "full_segments_not_read ack_delay_s": not_read(),
        "with_TCP_QUICKACK ack_delay_s": quickack(),
    }


def two_full() -> float:
    """Two full segments at once, when the quick ACKs are used up."""
    session = Session()
    for _ in range(20):
        session.delay((100,))
    return session.delay((1460, 1460))


def not_read() -> float:
    """Two full segments that the program does not read."""
    session = Session()
    for _ in range(20):
        session.delay((100,))
    return session.delay((1460, 1460), read=False)


def quickack() -> float:
    """TCP_QUICKACK set after the read."""
    session = Session()
    for _ in range(20):
        session.delay((100,))
    return session.delay((100,), quickack=True)
