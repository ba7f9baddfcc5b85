"""Q06: negotiated options and congestion control changed later."""

from __future__ import annotations

from tests.groundtruth.pair import MS, PairLab, client_socket, server_socket, sleep, sys
from wireside.kernel.tcp.sock.tcp_sock import TcpSock

LATER = (
    ("client", "net.ipv4.tcp_timestamps", "0"),
    ("client", "net.ipv4.tcp_sack", "0"),
    ("client", "net.ipv4.tcp_window_scaling", "0"),
    ("client", "net.ipv4.tcp_congestion_control", "cubic"),
    ("server", "net.ipv4.tcp_congestion_control", "cubic"),
)
"""The recording chose bbr, which is not modelled."""


def acceptor():
    """Accept whoever comes."""
    listener = yield from server_socket()
    while True:
        yield sys("accept", listener)


def connector():
    """Connect and stay."""
    yield from client_socket()
    yield sleep(10_000 * MS)


def words(lab: PairLab, name: str) -> list[list[str]]:
    """What `ss -i` says first of each established connection of a host, oldest first."""
    found = []
    for tp in lab.world.nets[name].sockets.values():
        if isinstance(tp, TcpSock) and tp.sk_state.name == "ESTABLISHED":
            scale = f"wscale:{tp.snd_wscale},{tp.rcv_wscale}" if tp.wscale_ok else ""
            options = ("sack" if tp.sack_ok else "", "ts" if tp.tstamp_ok else "", scale)
            found.append([tp.ca_ops.name, *(word for word in options if word)])
    return found


def play() -> dict[str, object]:
    """One connection before the change and one after it."""
    lab = PairLab("veth")
    lab.run(lab.server, acceptor())
    lab.run(lab.client, connector(), at=5 * MS)
    lab.wait(50 * MS)
    before = words(lab, "client")[0]
    for host, name, value in LATER:
        lab.world.command(host, name, value)
    lab.run(lab.client, connector(), at=lab.now)
    lab.wait(50 * MS)
    return {
        "before": before,
        "running connection": words(lab, "client")[0],
        "new connection, client side": words(lab, "client")[1],
        "new connection, accepted side": words(lab, "server")[1],
    }
