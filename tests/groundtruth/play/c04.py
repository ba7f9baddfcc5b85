"""C04: probes of a closed window that nobody answers."""

from __future__ import annotations

import errno

from tests.groundtruth.pair import MS, SECOND
from tests.groundtruth.play.c03 import PORT, ClosingPeer

COUNTED = ("TcpExtTCPWinProbe", "TcpExtTCPAbortOnTimeout", "TcpOutRsts")
CASES = {
    "tcp_retries2=5": ("5", {}),
    "tcp_retries2=15 TCP_USER_TIMEOUT=5000": ("15", {"TCP_USER_TIMEOUT": 5000}),
}
STEP = 20 * MS


def silence(retries: str, options: dict[str, int]) -> dict[str, object]:
    """The peer disappears with a closed window."""
    peer = ClosingPeer({"net.ipv4.tcp_retries2": retries}, answers=False, **options)
    lab = peer.lab
    while any(sk.sk_num == PORT and sk.sk_state == 1 for sk in lab.net.sockets.values()):
        lab.wait(STEP)
    aborted = (lab.world.now - peer.closed_at) / SECOND
    return {
        "probes_s": peer.times(lab.arrivals()),
        "aborted_after_s": aborted,
        "errno": errno.errorcode[-lab.sys("recv", peer.fd, 1)],
        "counters": peer.counted(COUNTED),
    }


def play() -> dict[str, object]:
    """Limited by tries, and by time."""
    return {
        f"{case} {what}": value
        for case, setting in CASES.items()
        for what, value in silence(*setting).items()
    }
