"""Random segments and system calls for one socket in any state."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.differential.peers import PORTS, Pair

if TYPE_CHECKING:
    from random import Random

FLAG_WEIGHTS = {
    ".": 8,
    "P.": 6,
    "F.": 4,
    "R": 3,
    "R.": 2,
    "S": 3,
    "S.": 2,
    "F": 0.5,
    "": 0.5,
    "FS": 0.3,
    "SR": 0.3,
}
CALLS = (
    ("send", 1), ("send", 100), ("send", 3000), ("recv", 1000), ("shutdown", "SHUT_WR"), ("shutdown", "SHUT_RDWR"),
    ("close",), ("close",), ("accept",), ("getsockopt", "SO_ERROR"), ("setsockopt", "TCP_QUICKACK", 1),
)  # fmt: skip
SETTLE_MS = 20
"""Longer than a timer tick and a delayed ACK that is due at once."""


def tell(random: Random) -> Pair:
    """Begin a story; `play` goes on with it."""
    sysctl = {}
    if random.random() < 0.15:
        sysctl["net.ipv4.tcp_syncookies"] = random.choice(("0", "2"))
    if random.random() < 0.15:
        sysctl["net.ipv4.tcp_abort_on_overflow"] = "1"
    if random.random() < 0.2:
        sysctl["net.ipv4.tcp_rfc1337"] = "1"
    return Pair(sysctl, random.choice((1000, 4294967290, 77777)))


class Clock:
    """The peer's timestamps, when it uses them."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.used = random.random() < 0.5
        self.value = 1000

    def stamp(self, step: int = 10, echo: str = "last") -> tuple[int, str] | None:
        """The next one."""
        if not self.used:
            return None
        self.value += step
        return self.value, echo

    def odd(self) -> tuple[int, str] | None:
        """One that may be old, or echo nonsense, or be missing."""
        if self.random.random() < 0.1:
            return None
        step = self.random.choice((10, 10, 10, 0, -30, -1))
        echo = self.random.choices(("last", "none", "future", "old"), (8, 1, 1, 1))[0]
        return self.stamp(step, echo)


def play(pair: Pair, random: Random) -> None:
    """Bring the socket into some state, then throw segments and calls at it."""
    clock = Clock(random)
    syn = {
        "mss": random.choice((1460, 1000, 536)),
        "sack": random.random() < 0.5,
        "wscale": random.choice((None, 0, 7)),
    }
    begin(pair, random, clock, syn)
    for _ in range(random.randint(3, 10)):
        if random.random() < 0.3:
            number = random.randrange(len(pair.real.sockets))
            name, *args = random.choice(CALLS)
            if pair.real.sockets[number].fileno() >= 0 and (name != "accept" or not number):
                pair.call(name, number, *args)
                pair.look(random.choice((SETTLE_MS, 70)))
                pair.agree_on_sockets()
            continue
        throw(pair, random, clock, syn)
        pair.look(random.choice((SETTLE_MS, SETTLE_MS, SETTLE_MS, 70, 600)))
        pair.agree_on_sockets()
    pair.agree_on_counters()


def begin(pair: Pair, random: Random, clock: Clock, syn: dict) -> None:
    """Connecting, listening, half open, or established."""
    kind = random.choices(("established", "half open", "connecting", "listening"), (6, 2, 2, 1))[0]
    if kind == "connecting":
        pair.call("bind", 0, PORTS[1])
        pair.call("connect", 0, PORTS[0])
        pair.look(SETTLE_MS)
        pair.agree_on_sockets()
        return
    pair.call("bind", 0, PORTS[1])
    pair.call("listen", 0, random.choice((0, 1, 4)))
    if kind == "listening":
        return
    pair.send("S", 0, 0, 65535, syn=syn, ts=(clock.value, "none") if clock.used else None)
    pair.look(SETTLE_MS)
    if kind == "half open":
        return
    pair.send(".", 1, 1, 65535, ts=clock.stamp())
    pair.look(SETTLE_MS)
    if random.random() < 0.9:
        pair.call("accept", 0)


def throw(pair: Pair, random: Random, clock: Clock, syn: dict) -> None:
    """One segment somewhere near, or far from, where the host is."""
    view = pair.view
    flags = random.choices(tuple(FLAG_WEIGHTS), tuple(FLAG_WEIGHTS.values()))[0]
    room = view.edge - view.acked
    seq = (view.acked or random.choice((0, 1))) + random.choices(
        (0, -1, 1, -100, 100, -5000, room, room - 1, room + 1, 200000),
        (10, 1, 1, 1, 1, 0.5, 0.5, 0.5, 0.5, 0.5),
    )[0]
    ack = view.next + random.choices((0, -1, 1, -100, 100, -200000, 5000), (10, 1, 1, 0.5, 0.5, 0.5, 0.5))[0]
    length = 0 if "S" in flags else random.choice((0, 0, 1, 100))
    window = random.choice((65535, 65535, 1000, 0))
    pair.send(flags, seq, ack, window, length, syn=syn if "S" in flags else None, ts=clock.odd())
