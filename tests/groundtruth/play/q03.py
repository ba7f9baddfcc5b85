"""Q03: retry limits change during retransmission."""

from __future__ import annotations

from tests.groundtruth.handshakes import MS, SECOND, SynLab
from wireside.catalog.inet import ip_parse


def connecting() -> float:
    """tcp_syn_retries is lowered while connect() is under way."""
    lab = SynLab()
    fd = lab.sys("socket", "SOCK_STREAM|SOCK_NONBLOCK")
    lab.sys("connect", fd, (ip_parse("10.0.0.9"), 9000))
    start = lab.world.now
    lab.wait(1500 * MS)
    lab.set("net.ipv4.tcp_syn_retries", 1)
    lab.until(lambda: lab.sys("getsockopt", fd, "SO_ERROR") != 0)
    return (lab.world.now - start) / SECOND


def half_open() -> float:
    """tcp_synack_retries is lowered while a request waits."""
    lab = SynLab()
    start = lab.world.now
    lab.syn(40000)
    lab.wait(1500 * MS)
    lab.set("net.ipv4.tcp_synack_retries", 1)
    lab.until(lambda: not lab.states())
    return (lab.world.now - start) / SECOND


def established() -> float:
    """tcp_retries2 is lowered while data is sent again and again."""
    lab = SynLab()
    lab.connect(40000)
    fd = lab.sys("accept", lab.fd)
    start = lab.world.now
    lab.sys("send", fd, 100)
    lab.wait(2 * SECOND)
    lab.set("net.ipv4.tcp_retries2", 3)
    lab.until(lambda: lab.sys("getsockopt", fd, "SO_ERROR") != 0)
    return (lab.world.now - start) / SECOND


def play() -> dict[str, object]:
    """Every observation of the document."""
    return {
        "tcp_syn_retries 6 -> 1 at 1.5 s: connect() ends at": connecting(),
        "tcp_synack_retries 5 -> 1 at 1.5 s: SYN_RECV ends at": half_open(),
        "tcp_retries2 15 -> 3 at 2.0 s: connection dies at": established(),
    }
