"""O02: one lost segment."""

from __future__ import annotations

from tests.groundtruth.pair import MS, SECOND, US, PairLab, client_socket, server_socket, sleep, sys

SEGMENTS, SIZE = 40, 1448
LOST = 12
DELAY = 25 * MS
PACE = 200 * US
"""Time per packet of the middlebox. cwnd 11 after the loss, and 33 after a detour of 4 ms (O04), leave 170 to 210 us."""
SENDER = ("TcpRetransSegs", "TcpExtTCPFastRetrans", "TcpExtTCPSackRecovery", "TcpExtTCPRenoRecovery")
RECEIVER = ("TcpExtTCPOFOQueue",)


class Box:
    """One way through the recordings' middlebox, which handles a packet in `pace` ns and then the next.

    The first copy of segment `number` is late by `late` ns, or lost.
    """

    def __init__(self, lab: PairLab, pace: int, number: int = -1, late: int | None = None) -> None:
        self.lab, self.pace = lab, pace
        self.number, self.late = number, late
        self.first = -1
        self.free = 0

    def __call__(self, count: int, skb) -> int | None:
        """How late a frame is."""
        if skb.len and self.first < 0:
            self.first = skb.seq
        if skb.len and skb.seq == self.first + self.number * SIZE:
            self.number = -1
            return self.late
        self.free = max(self.free + self.pace, self.lab.now)
        return self.free - self.lab.now


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

    def __init__(self, sysctl: dict[str, str], late: int | None, pace: int = PACE) -> None:
        self.lab = lab = PairLab("wire", sysctl, delay_ns=DELAY)
        self.data = lab.tap("client", Box(lab, pace, LOST, late))
        lab.tap("server", Box(lab, pace))
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
