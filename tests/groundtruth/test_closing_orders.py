"""Orders of closing and opening: exact segments, states, timers and counters, as `data/closing_orders.txt` has them."""

from __future__ import annotations

import errno
import re
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.groundtruth.pair import MS
from tests.groundtruth.raw_peer import RawLab
from tests.groundtruth.states import moved
from wireside.catalog.inet import ip_parse

DATA = Path(__file__).parent / "data" / "closing_orders.txt"
LETTERS = ((0x02, "S"), (0x01, "F"), (0x04, "R"), (0x08, "P"), (0x10, "."))
COUNTED = ("TCPAbortOnClose", "TCPAbortOnData", "TCPAbortOnLinger", "TcpEstabResets", "TcpOutRsts", "TCPTimeWaitOverflow",
           "TW", "TWKilled", "TcpAttemptFails", "TCPChallengeACK")  # fmt: skip
ACCEPTED, CONNECTING = (40000, 8080), (9000, 30001)
"""(port of the peer, port of the host)."""


class Order(NamedTuple):
    """One order: how it begins, the steps as lists of fields, the counters."""

    opened: str
    sysctl: dict[str, str]
    steps: list[list[str]]
    counters: dict[str, int]


def orders() -> dict[str, Order]:
    """What the data file says."""
    found: dict[str, Order] = {}
    for line in DATA.read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            continue
        if not line.startswith("  "):
            name, _, rest = line.partition(": ")
            opened, _, settings = rest.partition(" ")
            sysctl = dict(f"net.ipv4.{each}".split("=") for each in settings.split(",") if each)
            found[name] = order = Order(opened, sysctl, [], {})
        elif line.startswith("  ="):
            order.counters.update((each.split("=")[0], int(each.split("=")[1])) for each in line[3:].split())
        else:
            order.steps.append(line.strip().split(" > "))
    return found


ORDERS = orders()


class Play:
    """A host, a raw peer, and the connection between them."""

    def __init__(self, order: Order) -> None:
        self.lab = lab = RawLab(order.sysctl)
        lab.wait(1234 * MS)
        if order.opened == "estab":
            self.ports = ACCEPTED
            listener = lab.listen(ACCEPTED[1])
            self.put("S 0 - 0")
            self.put(". 1 1 0")
            self.fd = lab.sys("accept", listener)
        else:
            self.ports = CONNECTING
            self.fd = lab.sys("socket", "SOCK_STREAM")
        lab.sys("fcntl", self.fd, "F_SETFL", "O_NONBLOCK")
        if order.opened == "open":
            lab.sys("bind", self.fd, (0, CONNECTING[1]))
            lab.sys("connect", self.fd, (ip_parse("10.0.0.9"), CONNECTING[0]))
        lab.wait(20 * MS)
        lab.arrivals()
        self.before = lab.world.snapshot().host("host")

    def put(self, text: str) -> None:
        """A segment of the peer."""
        flags, seq, ack, length, *window = text.split()
        self.lab.peer.send(
            *self.ports,
            flags.replace(".", ""),
            seq=int(seq),
            ack=None if ack == "-" else int(ack),
            length=int(length),
            win=int(window[0]) if window else 65535,
            mss=1460 if "S" in flags else None,
        )
        self.lab.wait(30 * MS)

    def step(self, text: str) -> str:
        """Do one step; what a system call returned, if not 0."""
        what, _, rest = text.partition(" ")
        lab = self.lab
        result = 0
        if what == "put":
            self.put(rest)
        elif what == "wait":
            lab.wait(int(float(rest) * 1000) * MS)
        elif what == "opt":
            option, value = rest.split()
            result = lab.sys("setsockopt", self.fd, option, int(value))
        elif what == "shut":
            result = lab.sys("shutdown", self.fd, rest)
        elif what == "close":
            result = lab.sys("close", self.fd)
        else:
            result = lab.sys({"read": "recv", "write": "send"}[what], self.fd, int(rest))
        lab.wait(20 * MS)
        return errno.errorcode[-result] if result < 0 else str(result)

    def sent(self) -> str:
        """What the host has sent since the last call."""
        texts = []
        for _, skb in self.lab.arrivals():
            seq, ack = self.lab.peer.relative(skb)
            flags = "".join(letter for bit, letter in LETTERS if skb.tcp_flags & bit)
            length = f" len {skb.len}" if skb.len else ""
            texts.append(f"{flags} {seq} {ack if skb.tcp_flags & 0x10 else 0}{length}")
        return ", ".join(texts) or "-"

    def socket(self) -> str:
        """The connection as ss has it; seconds only of timers that are not the retransmission's."""
        for row in self.lab.world.snapshot().host("host").sockets:
            if row.state in ("LISTEN", "UNCONN"):
                continue
            kind, _, rest = row.timer.partition(",")
            seconds = re.match(r"(?:(\d+)(?:\.|sec))?", rest)
            shown = (seconds and seconds[1]) or "0"
            text = f"{row.state} {row.recv_q} {row.send_q} {kind}".strip()
            return f"{text} {shown}" if kind in ("timewait", "keepalive") else text
        return "-"


@pytest.mark.parametrize("name", ORDERS)
def test_each_step_as_measured(name: str) -> None:
    """Segments, socket and result after each step, and the counters in the end."""
    order = ORDERS[name]
    play = Play(order)
    for text, sent, socket, *result in order.steps:
        returned = play.step(text)
        assert (text, play.sent()) == (text, sent)
        found = play.socket().split()
        expected = socket.split()
        if len(expected) == 5:
            assert int(found.pop()) == pytest.approx(int(expected.pop()), abs=1)
        assert found == expected
        assert returned == (result[0] if result else returned if text.startswith("write") else "0")
    assert moved(play.lab.world.snapshot().host("host"), play.before, COUNTED) == order.counters
