"""Random data for a receiver with little room: what fits exactly, what goes beyond, and FINs at the edge."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.differential.peers import PORTS, Pair

if TYPE_CHECKING:
    from random import Random

MSS = 1460
SETTLE_MS = (10, 10, 50)
"""Longer than a timer tick; sometimes longer than a delayed ACK."""


def tell(random: Random) -> Pair:
    """Begin a story; `play` goes on with it."""
    sysctl = {}
    if random.random() < 0.2:
        sysctl["net.ipv4.tcp_rmem"] = "4096 8192 16384"
    return Pair(sysctl, random.choice((1000, 4294967290, 77777)))


def play(pair: Pair, random: Random) -> None:
    """Fill the window in any way, read now and then."""
    option = random.choice(
        (("SO_RCVBUF", 2304), ("SO_RCVBUF", 5000), ("SO_RCVBUF", 10000), ("TCP_WINDOW_CLAMP", 1500), None)
    )
    pair.call("bind", 0, PORTS[1])
    if option:
        pair.call("setsockopt", 0, *option)
    pair.call("listen", 0, 4)
    syn = {"mss": MSS, "sack": random.random() < 0.5, "wscale": random.choice((None, 0, 7))}
    pair.send("S", 0, 0, 65535, syn=syn)
    pair.look(10)
    pair.send(".", 1, 1, 65535)
    pair.look(10)
    pair.call("accept", 0)
    for _ in range(random.randint(6, 20)):
        if random.random() < 0.2:
            pair.call("recv", 1, random.choice((1, 500, 3000, 100000)))
        else:
            throw(pair, random)
        pair.look(random.choice(SETTLE_MS))
        pair.agree_on_sockets()
    pair.agree_on_counters()


def throw(pair: Pair, random: Random) -> None:
    """Data that begin where the host is, or nearby, and end at the edge of its window, or nearby."""
    acked, edge = pair.view.acked, pair.view.edge
    seq = acked + random.choices((0, -1, 1, 300, edge - acked, edge - acked + 1), (12, 1, 1, 1, 1, 0.5))[0]
    length = random.choices(
        (0, 1, 200, 1000, edge - seq, edge - seq + 1, edge - seq + 500), (2, 1, 3, 5, 3, 2, 1)
    )[0]
    flags = random.choices((".", "P.", "PF."), (6, 4, 1))[0]
    pair.send(flags, seq, 1, 65535, min(max(length, 0), MSS))
