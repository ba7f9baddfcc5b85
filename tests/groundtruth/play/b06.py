"""B06: a client's SYNs towards a black hole."""

from __future__ import annotations

import errno

from tests.groundtruth.handshakes import SECOND, SynLab
from wireside.catalog.inet import ip_parse

CASES = ((1, 0), (1, 1), (1, 4), (2, 2), (2, 4), (3, 0), (3, 4), (6, 0), (6, 4))
COUNTED = ("TcpActiveOpens", "TcpAttemptFails", "TcpRetransSegs", "TcpExtTCPSynRetrans", "TcpExtTCPTimeouts")


def attempt(retries: int, linear: int) -> dict[str, object]:
    """Connect to the raw peer, which keeps silent."""
    lab = SynLab({"net.ipv4.tcp_syn_retries": str(retries), "net.ipv4.tcp_syn_linear_timeouts": str(linear)})
    lab.mark()
    start = lab.world.now
    fd = lab.sys("socket", "SOCK_STREAM|SOCK_NONBLOCK")
    assert lab.sys("connect", fd, (ip_parse("10.0.0.9"), 9000)) == -errno.EINPROGRESS
    errors = []

    def ended() -> bool:
        errors.append(lab.sys("getsockopt", fd, "SO_ERROR"))
        return errors[-1] != 0

    took = lab.until(ended)
    name = f"retries={retries} linear={linear}"
    return {
        f"{name} syns_s": [(when - start) / SECOND for when, _ in lab.answers(9000)],
        f"{name} gives_up_after_s": took,
        f"{name} errno": errno.errorcode[abs(errors[-1])],
        f"{name} counters": lab.counted(COUNTED),
    }


def play() -> dict[str, object]:
    """Every pair of retries and linear timeouts."""
    result: dict[str, object] = {}
    for retries, linear in CASES:
        result |= attempt(retries, linear)
    return result
