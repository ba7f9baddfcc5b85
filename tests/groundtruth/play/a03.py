"""A03: handshakes that finish while the accept queue is full."""

from __future__ import annotations

from tests.groundtruth.handshakes import MS, SECOND, SynLab

WAITING, LATE = range(40000, 40005), range(41000, 41004)
FULL = ("TcpExtListenOverflows", "TcpExtListenDrops")
COUNTED = (*FULL, "TcpAttemptFails", "TcpExtTCPTimeouts", "TcpRetransSegs")


def play() -> dict[str, object]:
    """Every observation of the document."""
    lab = SynLab(backlog=5)
    lab.connect(*WAITING)
    start = lab.world.now
    lab.syn(*LATE)
    result: dict[str, object] = {"after_4_syns": lab.states()}
    lab.mark()
    lab.ack(*LATE)
    result["after_4_acks"] = lab.states()
    result["accept_queue_after_4_acks"] = lab.row().recv_q
    rows = lab.world.snapshot().host("host").sockets
    result["ss_state_shown"] = sorted({row.state for row in rows})
    result["counters_after_4_acks"] = lab.counted(FULL)
    result["stranded_requests"] = lab.states()["SYN_RECV"]
    lab.wait(100 * MS)
    stranded = LATE[3]
    lab.ack(stranded, length=5)
    result["counters_after_one_data_segment_to_SYN_RECV"] = lab.counted(FULL)
    lab.until(lambda: "SYN_RECV" not in lab.states())
    result["syn_recv_lifetime_s"] = (lab.world.now - start) / SECOND
    result["synack_times_s"] = lab.synack_times(stranded, start)
    result["rst_sent_when_request_dies"] = sum("R" in lab.letters(sport) for sport in LATE)
    result["counters_at_end"] = lab.counted(COUNTED)
    result["state_at_end"] = lab.states()
    return result
