"""One loss, or one detour, among 40 segments: what is left depends on the pace of the box in the middle.

Every value was measured on Linux 6.18.44: two network namespaces, a user-space middlebox between two TUN devices with
25 ms each way that handles one packet per `pace`. When recovery ends, what its last ACKs deliver counts for Reno's next
increment: 11 segments if the last two of the flight had their SACK held back (TCPAckCompressed), 9 if it had left.
"""

from __future__ import annotations

import pytest

from tests.groundtruth.pair import MS, US
from tests.groundtruth.play.o02 import RECEIVER, SENDER, Transfer

LOSS = {"TcpRetransSegs": 1, "TcpExtTCPFastRetrans": 1}


@pytest.mark.parametrize(
    ("congestion_control", "sack", "pace", "cwnd", "ssthresh", "out_of_order"),
    [
        ("reno", 1, 20 * US, 12, 11, 23),
        ("reno", 1, 160 * US, 12, 11, 23),
        ("reno", 1, 220 * US, 11, 11, 23),
        ("reno", 1, 300 * US, 11, 11, 23),
        ("reno", 0, 20 * US, 11, 11, 23),
        ("reno", 0, 300 * US, 11, 11, 23),
        ("cubic", 1, 300 * US, 15, 15, 23),
    ],
)
def test_what_one_loss_leaves(
    congestion_control: str, sack: int, pace: int, cwnd: int, ssthresh: int, out_of_order: int
) -> None:
    """cwnd, ssthresh and the counters of both ends after one loss."""
    run = Transfer(
        {"net.ipv4.tcp_congestion_control": congestion_control, "net.ipv4.tcp_sack": str(sack)}, None, pace
    )
    client = run.lab.connection("client")
    assert (client.cwnd, client.ssthresh) == (cwnd, ssthresh)
    recovery = "TcpExtTCPSackRecovery" if sack else "TcpExtTCPRenoRecovery"
    assert run.lab.counters("client", SENDER) == dict.fromkeys(SENDER, 0) | LOSS | {recovery: 1}
    assert run.lab.counters("server", RECEIVER) == {"TcpExtTCPOFOQueue": out_of_order}


@pytest.mark.parametrize(
    ("late", "pace", "cwnd", "undo", "out_of_order"),
    [
        (4 * MS, 20 * US, 33, "PartialUndo", 17),
        (4 * MS, 300 * US, 37, "PartialUndo", 13),
        (4 * MS, 600 * US, 44, "PartialUndo", 6),
        (20 * MS, 300 * US, 33, "PartialUndo", 17),
        (80 * MS, 300 * US, 22, "DSACKUndo", 23),
    ],
)
def test_a_needless_retransmission_is_undone(
    late: int, pace: int, cwnd: int, undo: str, out_of_order: int
) -> None:
    """By timestamps when the late segment comes first, by the D-SACK when the second copy does."""
    run = Transfer({}, late, pace)
    client = run.lab.connection("client")
    assert (client.cwnd, client.ssthresh) == (cwnd, 0)
    moved = run.lab.counters("client", ["TcpRetransSegs", "TCPDSACKRecv", f"TCP{undo}"])
    assert moved == {"TcpRetransSegs": 1, "TCPDSACKRecv": 1, f"TCP{undo}": 1}
    assert run.lab.counters("server", RECEIVER) == {"TcpExtTCPOFOQueue": out_of_order}
