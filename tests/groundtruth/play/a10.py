"""A10: TCP_DEFER_ACCEPT."""

from __future__ import annotations

from tests.groundtruth.handshakes import MS, SECOND, SynLab

TALKER, SILENT = 40000, 40001
COUNTED = ("TcpExtTCPDeferAcceptDrop", "TcpExtListenOverflows", "TcpExtListenDrops")


def play() -> dict[str, object]:
    """Every observation of the document."""
    lab = SynLab(TCP_DEFER_ACCEPT=3)
    result: dict[str, object] = {"getsockopt_rounded": lab.sys("getsockopt", lab.fd, "TCP_DEFER_ACCEPT")}
    lab.mark()
    lab.connect(TALKER)
    result["after_bare_ack"] = lab.states()
    lab.ack(TALKER, length=5)
    result["after_data"] = lab.states()
    start = lab.world.now
    lab.connect(SILENT)
    known = len(lab.answers(SILENT))
    lab.until(lambda: len(lab.answers(SILENT)) > known)
    lab.wait(10 * MS)
    lab.ack(SILENT)
    assert lab.states() == {"ESTABLISHED": 2}
    result["silent_peer_established_after_s"] = (lab.world.now - start) / SECOND
    result["silent_peer_synacks_s"] = lab.synack_times(SILENT, start)
    result["counters"] = lab.counted(COUNTED)
    return result
