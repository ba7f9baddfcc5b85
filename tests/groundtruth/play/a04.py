"""A04: tcp_abort_on_overflow."""

from __future__ import annotations

from tests.groundtruth.handshakes import SynLab

WAITING, LATE, LAST = range(40000, 40005), range(41000, 41004), 42000
COUNTED = ("TcpExtListenOverflows", "TcpExtListenDrops", "TcpOutRsts", "TcpEstabResets", "TcpAttemptFails")


def play() -> dict[str, object]:
    """Every observation of the document."""
    lab = SynLab({"net.ipv4.tcp_abort_on_overflow": "1"}, backlog=5)
    lab.connect(*WAITING)
    lab.syn(*LATE)
    lab.mark()
    lab.ack(*LATE)
    result: dict[str, object] = {
        "states": lab.states(),
        "accept_queue": lab.row().recv_q,
        "rst_per_connection": [lab.letters(sport).count("R") for sport in LATE],
        "counters": lab.counted(COUNTED),
    }
    lab.mark()
    lab.syn(LAST)
    result["answers_to_syn_when_full"] = len(lab.answers(LAST))
    result["counters_for_that_syn"] = lab.counted(COUNTED[:3])
    return result
