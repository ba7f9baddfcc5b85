"""F03: retransmission of data to a black hole, short limits."""

from __future__ import annotations

from tests.groundtruth.pair import MS, SECOND
from tests.groundtruth.silent_peer import SilentPeer

WRITTEN = 100
COUNTED = ("TcpRetransSegs", "TCPTimeouts", "TCPLossProbes", "TCPAbortOnTimeout")
LONGEST = 2000 * SECOND


def give_up(
    retries2: int, *, sack: bool = False, timestamps: bool = False, user_timeout_ms: int = 0
) -> dict[str, object]:
    """Write, and count what is sent until the connection is given up."""
    peer = SilentPeer({"net.ipv4.tcp_retries2": str(retries2)}, sack=sack, timestamps=timestamps)
    lab = peer.lab
    if user_timeout_ms:
        lab.sys("setsockopt", peer.fd, "TCP_USER_TIMEOUT", user_timeout_ms)
    peer.mark()
    lab.sys("send", peer.fd, WRITTEN)
    lab.wait(500 * MS)
    row = peer.row
    gone = peer.until_gone(LONGEST)
    return {
        "sent_at_s": [peer.seconds(when) for when, _ in lab.arrivals()],
        "dies_after_s": gone,
        "errno": peer.error(),
        "counters": peer.moved(COUNTED),
        "send_q": row.send_q,
        "timer": row.timer.partition(",")[0],
    }


def play() -> dict[str, object]:
    """Limits by tcp_retries2 and by TCP_USER_TIMEOUT."""
    cases = {
        "retries2=3": give_up(3),
        "retries2=5": give_up(5),
        "retries2=8": give_up(8),
        "retries2=8 sack": give_up(8, sack=True),
        "retries2=8 sack timestamps": give_up(8, sack=True, timestamps=True),
        "TCP_USER_TIMEOUT=3000": give_up(15, user_timeout_ms=3000),
        "TCP_USER_TIMEOUT=10000": give_up(15, user_timeout_ms=10000),
    }
    result: dict[str, object] = {
        "send_q": sorted({observed["send_q"] for observed in cases.values()}, key=str),
        "timer_shown_by_ss": cases["retries2=3"]["timer"],
    }
    for case, observed in cases.items():
        result |= {f"{case} {what}": value for what, value in observed.items()}
    return result
