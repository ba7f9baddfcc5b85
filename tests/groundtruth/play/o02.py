"""O02: one lost segment."""

from __future__ import annotations

from tests.groundtruth.pair import MS, SECOND, PairLab, client_socket, server_socket, sleep, sys

SEGMENTS, SIZE = 40, 1448
LOST = 12
DELAY = 25 * MS
SENDER = ("TcpRetransSegs", "TcpExtTCPFastRetrans", "TcpExtTCPSackRecovery", "TcpExtTCPRenoRecovery")
RECEIVER = ("TcpExtTCPOFOQueue",)


class Fate:
    """Decides what becomes of the first copy of segment `number`: late by `late` ns, or lost."""

    def __init__(self, number: int, late: int | None) -> None:
        self.number, self.late = number, late
        self.first = -1
        self.done = False

    def __call__(self, count: int, skb) -> int | None:
        """How late a frame is."""
        if not skb.len:
            return 0
        if self.first < 0:
            self.first = skb.seq
        if self.done or skb.seq != self.first + self.number * SIZE:
            return 0
        self.done = True
        return self.late


def reader():
    """Take everything at once."""
    listener = yield from server_socket()
    fd = yield sys("accept", listener)
    while (yield sys("recv", fd, 1 << 20)) > 0:
        pass


def writer(segments):
    """Write all segments at once, some time after the handshake."""
    fd = yield from client_socket()
    yield sleep(200 * MS)
    yield sys("send", fd, segments * SIZE)
    yield sleep(100 * SECOND)


class Transfer:
    """40 segments through a middlebox that loses or delays one of them."""

    def __init__(self, sysctl: dict[str, str], late: int | None) -> None:
        self.lab = lab = PairLab("wire", sysctl, delay_ns=DELAY)
        self.data = lab.tap("client", Fate(LOST, late))
        self.reader = lab.run(lab.server, reader())
        lab.run(lab.client, writer(SEGMENTS), at=1 * MS)
        lab.wait(3 * SECOND)

    def again(self) -> list[tuple[int, float]]:
        """(segment, seconds since it first left) of everything sent twice."""
        first: dict[int, int] = {}
        twice = []
        start = min(skb.seq for _, skb in self.data.frames if skb.len)
        for when, skb in self.data.frames:
            if skb.len and skb.seq in first:
                twice.append(((skb.seq - start) // SIZE, (when - first[skb.seq]) / SECOND))
            elif skb.len:
                first[skb.seq] = when
        return twice

    def counters(self, host: str, names: tuple[str, ...]) -> dict[str, int]:
        """Counters by the name without their group, zeros left out."""
        found = self.lab.counters(host, names)
        return {
            name.removeprefix("TcpExt").removeprefix("Tcp") if name.startswith("TcpExt") else name[3:]: value
            for name, value in found.items()
            if value
        }


def one_loss(congestion_control: str, sack: int) -> dict[str, object]:
    """One case."""
    run = Transfer(
        {"net.ipv4.tcp_congestion_control": congestion_control, "net.ipv4.tcp_sack": str(sack)}, None
    )
    client = run.lab.connection("client")
    again = run.again()
    return {
        "retransmitted_segments": [number for number, _ in again],
        "retransmitted_after_s": [seconds for _, seconds in again],
        "cwnd,ssthresh_after": [client.cwnd, client.ssthresh],
        "sender_counters": run.counters("client", SENDER),
        "receiver_counters": run.counters("server", RECEIVER),
        "bytes_received": run.reader.bytes_read,
    }


def play() -> dict[str, object]:
    """Reno with and without SACK, and CUBIC."""
    return {
        f"{name} sack={sack} {what}": value
        for name, sack in (("reno", 1), ("reno", 0), ("cubic", 1))
        for what, value in one_loss(name, sack).items()
    }
