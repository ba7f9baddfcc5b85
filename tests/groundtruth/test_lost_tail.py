"""What a sender does when the end of its flight, its beginning, or all of it is lost.

Every case was measured on Linux 6.18.44: two network namespaces, a user-space middlebox between two TUN devices with
25 ms each way that loses the first copies of the segments told; ten segments of 1448 bytes, Reno unless told. Times are
what was measured; the timer wheel and the box make them vary by up to 36 ms.

Whether RACK or the RTO repairs what a tail loss probe finds is decided by the probe's own round trip: a SACK of
something sent again counts for nothing when it comes sooner than the fastest round trip so far. So `early` tells how
much faster the second copies go than everything before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import pytest

from tests.groundtruth.pair import MS, SECOND, US, PairLab, client_socket, sleep, sys
from tests.groundtruth.play.o02 import DELAY, SIZE, reader

if TYPE_CHECKING:
    from collections.abc import Iterator

PACE = 20 * US
SLACK = 0.036
WATCHED = ("TcpRetransSegs", "TCPLossProbes", "TCPFastRetrans", "TCPSlowStartRetrans", "TCPSackRecovery", "TCPRenoRecovery",
           "TCPTimeouts", "TCPSackFailures", "TCPLossUndo", "TCPLossProbeRecovery", "TCPLostRetransmit", "TCPLossFailures")  # fmt: skip


class Case(NamedTuple):
    """A flight, what is lost of it, and what was measured: rounds as "time: segments", cwnd, ssthresh, counters of the sender."""

    lost: str
    rounds: str
    cwnd: int
    ssthresh: int
    counters: dict[str, int]
    early: int = -2 * MS
    received: tuple[int, int] = (1, 0)
    """TCPOFOQueue and TCPAckCompressed of the receiver."""
    flight: int = 10
    sack: int = 1
    sysctl: tuple[str, str] = ("net.ipv4.tcp_reordering", "3")


PROBED = {"TCPLossProbes": 1}
RACK = PROBED | {"TCPSackRecovery": 1}
TIMEOUT = {"TCPTimeouts": 1}
TOO_SOON = PROBED | TIMEOUT | {"TCPSackFailures": 1}
CUBIC = ("net.ipv4.tcp_congestion_control", "cubic")

CASES = {
    "last": Case("9", "0.313: 9", 20, 0, PROBED | {"TcpRetransSegs": 1}, received=(0, 0)),
    "last, no probes": Case("9", "0.304: 9", 2, 9, TIMEOUT | {"TcpRetransSegs": 1}, sysctl=("net.ipv4.tcp_early_retrans", "0"), received=(0, 0)),
    "last two": Case("8 9", "0.156: 9, 0.208: 8", 9, 9, RACK | {"TcpRetransSegs": 2, "TCPFastRetrans": 1}),
    "last three": Case("7 8 9", "0.157: 9, 0.209: 7, 0.262: 8", 8, 8, RACK | {"TcpRetransSegs": 3, "TCPFastRetrans": 2}),
    "last three, CUBIC": Case("7 8 9", "0.162: 9, 0.215: 7, 0.267: 8", 11, 11, RACK | {"TcpRetransSegs": 3, "TCPFastRetrans": 2}, sysctl=CUBIC),
    "last five": Case("5 6 7 8 9", "0.155: 9, 0.211: 5, 0.264: 6 7, 0.316: 8", 7, 7, RACK | {"TcpRetransSegs": 5, "TCPFastRetrans": 4}),
    "all": Case("0 1 2 3 4 5 6 7 8 9", "0.106: 9, 0.158: 0, 0.210: 1 2, 0.263: 3 4 5 6, 0.315: 7 8", 5, 5, RACK | {"TcpRetransSegs": 10, "TCPFastRetrans": 9}),
    "last two, probe faster": Case("8 9", "0.164: 9, 0.443: 8", 2, 9, TOO_SOON | {"TcpRetransSegs": 2}, 2 * MS),
    "last three, probe faster": Case("7 8 9", "0.164: 9, 0.424: 7, 0.474: 8", 3, 8, TOO_SOON | {"TcpRetransSegs": 3, "TCPSlowStartRetrans": 1}, 2 * MS),
    "last five, probe faster": Case("5 6 7 8 9", "0.162: 9, 0.442: 5, 0.493: 6 7, 0.543: 8", 5, 7, TOO_SOON | {"TcpRetransSegs": 5, "TCPSlowStartRetrans": 3}, 2 * MS),
    "all, probe faster": Case("0 1 2 3 4 5 6 7 8 9", "0.110: 9, 0.386: 0, 0.437: 1 2, 0.487: 3 4 5 6, 0.537: 7 8", 6, 5, TOO_SOON | {"TcpRetransSegs": 10, "TCPSlowStartRetrans": 8}, 2 * MS),
    "first": Case("0", "0.050: 0", 5, 5, {"TcpRetransSegs": 1, "TCPSackRecovery": 1, "TCPFastRetrans": 1}, received=(9, 1)),
    "first three": Case("0 1 2", "0.050: 0 1 2", 5, 5, {"TcpRetransSegs": 3, "TCPSackRecovery": 1, "TCPFastRetrans": 3}, received=(7, 0)),
    "every other": Case("1 3 5 7 9", "0.050: 1 3, 0.101: 5 7 9", 5, 5, {"TcpRetransSegs": 5, "TCPSackRecovery": 1, "TCPFastRetrans": 5}, early=0, received=(4, 0)),
    "one out": Case("0", "0.278: 0", 10, 0, PROBED | {"TcpRetransSegs": 1}, flight=1, received=(0, 0)),
    "two out, both": Case("0 1", "0.104: 1, 0.158: 0", 5, 5, RACK | {"TcpRetransSegs": 2, "TCPFastRetrans": 1}, flight=2),
    "no SACK, last": Case("9", "0.330: 9", 2, 9, TIMEOUT | {"TcpRetransSegs": 1}, sack=0, received=(0, 0)),
    "no SACK, last three": Case("7 8 9", "0.303: 7, 0.354: 8 9", 4, 8, TIMEOUT | {"TcpRetransSegs": 3, "TCPSlowStartRetrans": 2}, sack=0, early=0, received=(0, 0)),
    "no SACK, all": Case("0 1 2 3 4 5 6 7 8 9", "0.261: 0, 0.312: 1 2, 0.362: 3 4 5 6, 0.412: 7 8 9", 6, 5, TIMEOUT | {"TcpRetransSegs": 10, "TCPSlowStartRetrans": 9}, sack=0, early=0, received=(0, 0)),
    "no SACK, first three": Case("0 1 2", "0.050: 0, 0.101: 1, 0.151: 2", 5, 5, {"TcpRetransSegs": 3, "TCPRenoRecovery": 1, "TCPFastRetrans": 3}, sack=0, early=0, received=(7, 0)),
    "no SACK, every other": Case("1 3 5 7 9", "0.050: 1, 0.101: 3, 0.151: 5, 0.201: 7, 0.252: 9", 3, 5, {"TcpRetransSegs": 5, "TCPRenoRecovery": 1, "TCPFastRetrans": 5}, sack=0, early=0, received=(4, 0)),
}  # fmt: skip


class Flight:
    """A flight through the box; `sent` has (ns, segment) of every copy."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self.lost = [int(number) for number in case.lost.split()]
        self.sent: list[tuple[int, int]] = []
        self.free = 0
        sysctl = {"net.ipv4.tcp_sack": str(case.sack), case.sysctl[0]: case.sysctl[1]}
        self.lab = lab = PairLab("wire", sysctl, delay_ns=DELAY)
        lab.tap("client", self.verdict)
        lab.run(lab.server, reader())
        lab.wait(1234 * MS)
        lab.run(lab.client, self.writer(), at=lab.now)
        lab.wait(3 * SECOND)

    def writer(self):
        """Write the flight some time after the handshake."""
        fd = yield from client_socket()
        yield sleep(200 * MS)
        yield sys("send", fd, self.case.flight * SIZE)
        yield sleep(100 * SECOND)

    def verdict(self, _count: int, skb) -> int | None:
        """How late a frame is: first copies by `early`, second ones by what it lacks to nothing."""
        again = False
        if skb.len:
            number = (skb.seq - self.first(skb.seq)) // SIZE
            again = any(number == other for _, other in self.sent)
            self.sent.append((self.lab.now, number))
            if not again and number in self.lost:
                return None
        early = self.case.early
        late = -min(early, 0) if again else max(early, 0)
        self.free = max(self.free + PACE, self.lab.now + late)
        return self.free - self.lab.now

    def first(self, seq: int) -> int:
        """Sequence number of the first byte."""
        if not self.sent:
            self.start = seq
        return self.start

    def rounds(self) -> Iterator[tuple[float, list[int]]]:
        """(seconds since the flight, segments) of what was sent again, together."""
        began = self.sent[0][0]
        again = self.sent[self.case.flight :]
        while again:
            when = again[0][0]
            together = [number for at, number in again if at < when + 2 * MS]
            yield (when - began) / SECOND, together
            again = again[len(together) :]


@pytest.mark.parametrize("name", CASES)
def test_what_is_sent_again_and_when(name: str) -> None:
    """Segments of each round, their times, and what the sender is left with."""
    case = CASES[name]
    flight = Flight(case)
    measured = [entry.split(":") for entry in case.rounds.split(", ")]
    rounds = list(flight.rounds())
    assert [numbers for _, numbers in rounds] == [
        [int(n) for n in numbers.split()] for _, numbers in measured
    ]
    assert [when for when, _ in rounds] == pytest.approx([float(when) for when, _ in measured], abs=SLACK)
    client = flight.lab.connection("client")
    assert (client.cwnd, client.ssthresh) == (case.cwnd, case.ssthresh)
    assert flight.lab.counters("client", WATCHED) == dict.fromkeys(WATCHED, 0) | case.counters
    received = flight.lab.counters("server", ("TCPOFOQueue", "TCPAckCompressed"))
    assert tuple(received.values()) == case.received
