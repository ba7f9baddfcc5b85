"""Random addresses, ports and orders of calls: which error comes first, and what a refused call leaves behind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.differential.calls import HOSTS, OTHER, Hosts

if TYPE_CHECKING:
    from random import Random

FOREIGN = "10.0.0.77"
PORTS = (7000, 7000, 7001, 7002)
SETTLE_MS = 9
"""Sums of it keep away from the 40 ms to 44 ms after which a delayed ACK leaves."""
SOCKETS = 3
WEIGHTS = {
    "socket": 3, "datagram": 3, "bind": 4, "listen": 3, "connect": 5, "accept": 2, "send": 3, "sendto": 4, "recv": 3,
    "shutdown": 3, "close": 1.5, "setsockopt": 2, "getsockopt": 1.5,
}  # fmt: skip
SET = (
    ("IP_RECVERR", 1), ("IP_RECVERR", 0), ("SO_REUSEADDR", 1), ("SO_REUSEPORT", 1), ("SO_LINGER", 0),
    ("IP_BIND_ADDRESS_NO_PORT", 1), ("SO_SNDBUF", 4096), ("SO_KEEPALIVE", 1),
    ("TCP_NODELAY", 1), ("UDP_SEGMENT", 500), ("UDP_SEGMENT", 0), ("UDP_SEGMENT", 65536),
)  # fmt: skip
GOT = (
    "SO_ERROR", "SO_ERROR", "SO_ERROR", "IP_RECVERR", "IP_BIND_ADDRESS_NO_PORT", "SO_KEEPALIVE", "SO_REUSEADDR", "TCP_NODELAY",
    "UDP_SEGMENT",
)  # fmt: skip


def tell(random: Random) -> Hosts:
    """Begin a story; `play` goes on with it."""
    return Hosts()


def play(hosts: Hosts, random: Random) -> None:
    """Make sockets and ask for things that often cannot be had."""
    count = dict.fromkeys(HOSTS, 0)
    if random.random() < 0.5:
        begin(hosts, random)
        count = dict.fromkeys(HOSTS, 1)
    for _ in range(random.randint(10, 40)):
        host = random.choice(tuple(HOSTS))
        name = random.choices(tuple(WEIGHTS), tuple(WEIGHTS.values()))[0]
        if name in ("socket", "datagram") or not count[host]:
            if count[host] < SOCKETS:
                kind = "SOCK_STREAM" if name == "socket" else "SOCK_DGRAM"
                hosts.call(SETTLE_MS, host, "socket", kind)
                count[host] += 1
            continue
        result = hosts.call(
            SETTLE_MS, host, name, random.randrange(count[host]), *arguments(random, host, name)
        )
        count[host] += name == "accept" and result == 0
    hosts.agree_on_counters()


def begin(hosts: Hosts, random: Random) -> None:
    """A listener and a client, either of them perhaps shut down before, or refused once before."""
    for host in HOSTS:
        hosts.call(SETTLE_MS, host, "socket", "SOCK_STREAM")
        if random.random() < 0.3:
            hosts.call(SETTLE_MS, host, "connect", 0, HOSTS[OTHER[host]], PORTS[-1])
        if random.random() < 0.3:
            hosts.call(SETTLE_MS, host, "bind", 0, "0.0.0.0", random.choice((0, PORTS[0])))
        if random.random() < 0.3:
            hosts.call(SETTLE_MS, host, "shutdown", 0, random.choice(("SHUT_RD", "SHUT_WR", "SHUT_RDWR")))
    hosts.call(SETTLE_MS, "server", "bind", 0, "0.0.0.0", PORTS[0])
    hosts.call(SETTLE_MS, "server", "listen", 0, 3)
    hosts.call(SETTLE_MS, "client", "connect", 0, HOSTS["server"], PORTS[0])
    hosts.call(SETTLE_MS, "client", "connect", 0, HOSTS["server"], PORTS[0])


def arguments(random: Random, host: str, name: str) -> tuple:
    """What comes after the socket."""
    own, other, port = HOSTS[host], HOSTS[OTHER[host]], random.choice(PORTS)
    peer = random.choice((other, other, own, "127.0.0.1", "127.0.0.2"))
    # A datagram that would have to be fragmented is not modelled.
    sizes = (0, 1, 100, 1000, 65508, 65536) if peer == other else (0, 1, 100, 1000, 65507, 65508, 65536)
    choices = {
        "bind": lambda: (
            random.choice((own, "0.0.0.0", "127.0.0.1", FOREIGN, other)),
            random.choice((port, port, 0)),
        ),
        "listen": lambda: (random.choice((0, 1, 3)),),
        "connect": lambda: (peer, port),
        "send": lambda: (random.choice((0, 1, 100, 1000)), ""),
        "sendto": lambda: (random.choice(sizes), peer, random.choice((port, port, 0))),
        "recv": lambda: (random.choice((0, 1, 1000)), random.choice(("", "", "", "MSG_PEEK", "MSG_ERRQUEUE"))),
        "shutdown": lambda: (random.choice(("SHUT_RD", "SHUT_WR", "SHUT_RDWR")),),
        "setsockopt": lambda: random.choice(SET),
        "getsockopt": lambda: (random.choice(GOT),),
    }  # fmt: skip
    return choices[name]() if name in choices else ()
