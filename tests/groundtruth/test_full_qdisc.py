"""TCP above a queueing discipline that is full: what it refuses is not sent, and what waits in it is not sent again.

Measured on Linux 6.18.44: a veth pair with a token bucket on the sender's side, TCP_NODELAY, writes of 1000 bytes.
"""

from __future__ import annotations

from tests.groundtruth.pair import MS, SECOND, PairLab, client_socket, sleep, sys
from tests.groundtruth.play.o02 import reader
from wireside.kernel.core.sch_tbf import Tbf

COUNTED = ("TcpOutSegs", "TcpRetransSegs", "TCPOrigDataSent", "TCPAutoCorking", "TCPTimeouts", "TCPLossProbes",
           "TCPSpuriousRtxHostQueues", "TCPSpuriousRTOs", "TCPLossUndo", "TCPRetransFail")  # fmt: skip
IDLE = 500 * MS


class Slow:
    """A connection that was idle for half a second and then gets `writes` writes."""

    def __init__(self, rate_bps: int, limit: int, writes: int) -> None:
        self.lab = lab = PairLab("veth")
        assert lab.client.dev is not None
        lab.client.dev.qdisc = self.qdisc = Tbf(rate_bps, 2000, limit)
        self.reader = lab.run(lab.server, reader(), cpu=1)
        lab.run(lab.client, self.writer(writes), at=1 * MS)
        lab.wait(IDLE)
        self.before = dict(lab.host("client").counters)
        self.began = lab.now + 1 * MS

    def writer(self, writes: int):
        """All writes at once."""
        fd = yield from client_socket()
        yield sleep(IDLE)
        yield sys("setsockopt", fd, "TCP_NODELAY", 1)
        for _ in range(writes):
            yield sys("send", fd, 1000)
        yield sleep(100 * SECOND)

    def at(self, ns: int) -> dict[str, int]:
        """Counters that have moved by then; zeros left out."""
        self.lab.wait(self.began + ns - self.lab.now)
        counters = self.lab.host("client").counters
        names = (name if name in counters else f"TcpExt{name}" for name in COUNTED)
        moved = {name.removeprefix("TcpExt"): counters[name] - self.before[name] for name in names}
        return {name: value for name, value in moved.items() if value}

    def sender(self) -> tuple[int, int, int, int, str]:
        """(cwnd, ssthresh, unacknowledged segments, bytes not sent, the timer's kind)."""
        row = self.lab.connection("client")
        tp = self.lab.client.sockets[row.id]
        return tp.snd_cwnd, row.ssthresh, tp.packets_out, tp.write_seq - tp.snd_nxt, row.timer.split(",")[0]


def test_what_the_qdisc_refuses_stays_unsent() -> None:
    """The first write leaves, the second waits; the others are tried with every ACK and every 0.5 s, and each time cost an OutSegs."""
    slow = Slow(8_000, 1500, 4)
    sent = {"TCPOrigDataSent": 2, "TCPAutoCorking": 1}
    for seconds, tried, sender in (
        (0.03, 4, (10, 5, 1, 2000, "on")),
        (0.25, 5, (2, 5, 0, 2000, "persist")),
        (0.6, 6, (2, 5, 0, 2000, "persist")),
        (1.5, 8, (2, 5, 0, 2000, "persist")),
        (2.5, 10, (2, 5, 0, 2000, "persist")),
    ):
        assert slow.at(int(seconds * SECOND)) == {"TcpOutSegs": 2 + tried} | sent
        assert slow.qdisc.dropped == tried
        assert slow.sender() == sender


def test_what_waits_in_the_qdisc_is_not_sent_again() -> None:
    """Neither the loss probe nor the timeout repeats a segment whose first copy has not left the host."""
    slow = Slow(80_000, 3000, 5)
    early = slow.at(30 * MS)
    assert early["TCPSpuriousRtxHostQueues"] == 1
    assert "TcpRetransSegs" not in early
    late = slow.at(2500 * MS)
    assert slow.reader.bytes_read == 5000
    repeated = {"TCPSpuriousRtxHostQueues": 2, "TCPTimeouts": 1, "TcpRetransSegs": 1, "TCPSpuriousRTOs": 1, "TCPLossUndo": 1}  # fmt: skip
    assert late == late | repeated | {"TCPOrigDataSent": 5}
    assert "TCPLossProbes" not in late
