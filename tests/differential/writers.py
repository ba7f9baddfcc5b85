"""Random writes of a program that finds its send buffer full, and a peer whose window opens and closes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.differential.peers import PORTS, Pair

if TYPE_CHECKING:
    from random import Random

SIZES = (1, 100, 1000, 5000, 30_000, 100_000, 400_000)
SYSCTL = {"net.ipv4.tcp_min_tso_segs": "255", "net.ipv4.tcp_early_retrans": "0"}
"""Without these the size of a super-packet and the loss probe follow the measured round trip, never the same on both sides."""
WINDOWS = (65535, 500, 20, 2000, 0, 1608)
"""The last lets one large segment out at a time, or three small ones, when it is not scaled."""
PATIENCE = 8
"""After so many looks of 10 ms all is acknowledged and nothing held back, before a retransmission or a probe becomes due."""


def tell(random: Random) -> Pair:
    """Begin a story; `play` goes on with it."""
    sysctl = dict(SYSCTL)
    if random.random() < 0.2:
        sysctl["net.ipv4.tcp_wmem"] = "4096 8192 100000"
    if random.random() < 0.1:
        sysctl["net.ipv4.tcp_slow_start_after_idle"] = "0"
    return Pair(sysctl)


def play(pair: Pair, random: Random) -> None:
    """Write, and acknowledge all of it, or half a segment, or nothing with another window."""
    syn = {
        "mss": random.choice((1460, 536)),
        "sack": random.random() < 0.5,
        "wscale": random.choice((None, 7)),
    }
    pair.call("bind", 0, PORTS[1])
    if random.random() < 0.2:
        pair.call("setsockopt", 0, "SO_SNDBUF", random.choice((2000, 20_000)))
    pair.call("listen", 0, 4)
    pair.send("S", 0, 0, random.choice((65535, 12_000, 3000)), syn=syn)
    pair.look(10)
    pair.send(".", 1, 1, 65535)
    pair.look(10)
    pair.call("accept", 0)
    acked, patience = 1, PATIENCE
    for _ in range(random.randint(6, 20)):
        sent = pair.view.next
        if patience <= 0:
            acked, patience = sent, PATIENCE
            pair.call("send", 1, 1)
            pair.send(".", 1, acked, 65535)
        elif random.random() < 0.45:
            pair.call("send", 1, random.choice(SIZES), random.choice(("", "", "MSG_MORE")))
        else:
            acked = max(
                acked, random.choices((sent, sent - 300, (acked + sent) // 2, acked), (8, 1, 2, 2))[0]
            )
            pair.send(".", 1, acked, random.choices(WINDOWS, (8, 2, 2, 1, 1, 6))[0])
        pair.look(10)
        pair.agree_on_sockets()
        idle = acked == pair.view.next and not pair.real.info(1)["notsent_bytes"]
        patience = PATIENCE if idle else patience - 1
        if idle and random.random() < 0.3:
            pair.look(500)
    pair.agree_on_counters()
