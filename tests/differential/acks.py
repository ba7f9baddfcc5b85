"""Random acknowledgements, SACK blocks and losses for a host that sends."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.differential.peers import PORTS, Pair

if TYPE_CHECKING:
    from random import Random

SIZE = 1000
"""Payload of a segment, bytes."""


def tell(random: Random) -> Pair:
    """Begin a story; `play` goes on with it."""
    sysctl = {}
    cubic = random.random() < 0.3
    if random.random() < 0.15:
        sysctl["net.ipv4.tcp_early_retrans"] = "0"
    if random.random() < 0.15:
        sysctl["net.ipv4.tcp_frto"] = "0"
    pair = Pair(sysctl)
    if cubic:
        # By socket: as the default of a namespace only what tcp_allowed_congestion_control has can be chosen.
        pair.call("setsockopt", 0, "TCP_CONGESTION", "cubic")
    return pair


class Receiver:
    """Which segments have arrived; one in four is lost at first, and some come late."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.seen = 0
        self.have: set[int] = set()

    def take(self, sent: int) -> None:
        """So many segments have been sent by now."""
        for number in range(self.seen, sent):
            if self.random.random() >= 0.25:
                self.have.add(number)
        self.seen = max(self.seen, sent)
        missing = [number for number in range(self.seen) if number not in self.have]
        if missing and self.random.random() < 0.25:
            self.have.add(self.random.choice(missing))

    def answer(self) -> tuple[int, list[tuple[int, int]]]:
        """The acknowledgement and up to two SACK blocks, in any order."""
        acked = 0
        while acked in self.have:
            acked += 1
        blocks: list[list[int]] = []
        for number in sorted(number for number in self.have if number > acked):
            if blocks and blocks[-1][1] == number:
                blocks[-1][1] += 1
            else:
                blocks.append([number, number + 1])
        self.random.shuffle(blocks)
        return 1 + acked * SIZE, [(1 + left * SIZE, 1 + right * SIZE) for left, right in blocks[:2]]


def play(pair: Pair, random: Random) -> None:
    """Let the host send, and acknowledge as the receiver has it."""
    stamps, sack = random.random() < 0.5, random.random() < 0.7
    tsval = 1000
    pair.call("bind", 0, PORTS[1])
    pair.call("listen", 0, 4)
    pair.call("setsockopt", 0, "SO_SNDBUF", 1_000_000)
    syn = {"mss": SIZE + 12 if stamps else SIZE, "sack": sack, "wscale": 7}
    pair.send("S", 0, 0, 65535, syn=syn, ts=(tsval, "none") if stamps else None)
    pair.look(20)
    pair.send(".", 1, 1, 65535, ts=(tsval, "last") if stamps else None)
    pair.look(20)
    pair.call("accept", 0)
    pair.call("send", 1, random.choice((5, 10, 12, 20, 40)) * SIZE)
    pair.look(20)
    receiver = Receiver(random)
    for _ in range(random.randint(4, 14)):
        receiver.take((pair.view.next - 1) // SIZE)
        ack, blocks = receiver.answer()
        tsval += 10
        pair.send(".", 1, ack, 65535, ts=(tsval, "last") if stamps else None, sack=blocks if sack else ())
        pair.look(random.choice((5, 30, 30, 100)))
        pair.agree_on_sockets()
    pair.agree_on_counters()
