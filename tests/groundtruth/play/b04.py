"""B04: the SYN-ACK schedule."""

from __future__ import annotations

from tests.groundtruth.handshakes import SynLab

COUNTED = (
    "TcpRetransSegs",
    "TcpExtTCPSynRetrans",
    "TcpExtTCPTimeouts",
    "TcpAttemptFails",
    "TcpExtListenDrops",
)


def play() -> dict[str, object]:
    """Every number of retries."""
    result: dict[str, object] = {}
    for retries in (0, 1, 2, 5):
        lab = SynLab({"net.ipv4.tcp_synack_retries": str(retries)})
        lab.mark()
        start = lab.world.now
        lab.syn(40000)
        lifetime = lab.until(lambda lab=lab: not lab.states())
        result[f"retries={retries} synacks_s"] = lab.synack_times(40000, start)
        result[f"retries={retries} lifetime_s"] = lifetime
        result[f"retries={retries} counters"] = lab.counted(COUNTED)
    return result
