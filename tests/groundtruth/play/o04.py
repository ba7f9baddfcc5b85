"""O04: reordering without loss."""

from __future__ import annotations

from tests.groundtruth.pair import MS
from tests.groundtruth.play.o02 import Transfer

LATE = (4, 20, 80)
CLIENT = ("TcpRetransSegs", "TcpExtTCPFastRetrans", "TcpExtTCPSackRecovery", "TcpExtTCPDSACKRecv")
SERVER = ("TcpExtTCPOFOQueue", "TcpExtTCPDSACKOldSent")
USUAL_REORDERING = 3


def play() -> dict[str, object]:
    """Segment 12 is overtaken."""
    result: dict[str, object] = {}
    for late in LATE:
        run = Transfer({}, late * MS)
        result[f"late_by_{late}ms counters"] = {
            "client": run.counters("client", CLIENT),
            "server": run.counters("server", SERVER),
        }
        client = run.lab.connection("client")
        tp = run.lab.client.sockets[client.id]
        reordering = tp.reordering if tp.reordering != USUAL_REORDERING else None
        result[f"late_by_{late}ms cwnd,ssthresh,reordering"] = [
            client.cwnd,
            client.ssthresh or None,
            reordering,
        ]
    return result
