"""States of a host's connections under the names of the recordings, and results of system calls in their words."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from wireside.snapshot import HostSnapshot

RECORDED = {
    "ESTAB": "ESTABLISHED", "SYN-SENT": "SYN_SENT", "SYN-RECV": "SYN_RECV", "FIN-WAIT-1": "FIN_WAIT1",
    "FIN-WAIT-2": "FIN_WAIT2", "TIME-WAIT": "TIME_WAIT", "CLOSE-WAIT": "CLOSE_WAIT", "LAST-ACK": "LAST_ACK",
    "CLOSING": "CLOSING",
}  # fmt: skip
"""ss's spelling → the recordings'; listeners and sockets without a connection do not count."""


def states(host: HostSnapshot) -> dict[str, int]:
    """How many connections are in each state."""
    count: dict[str, int] = {}
    for row in host.sockets:
        if row.netid == "tcp" and row.state in RECORDED:
            name = RECORDED[row.state]
            count[name] = count.get(name, 0) + 1
    return count


def timers(host: HostSnapshot) -> list[str]:
    """The kind of timer that ss shows of each connection, "" for none."""
    return [
        row.timer.partition(",")[0] for row in host.sockets if row.netid == "tcp" and row.state in RECORDED
    ]


def moved(host: HostSnapshot, before: HostSnapshot, wanted: Iterable[str]) -> dict[str, int]:
    """What counters have moved by, those that have not left out; TcpExt may be left out of a name."""
    result = {}
    for name in wanted:
        known = name if name in host.counters else f"TcpExt{name}"
        delta = host.counters[known] - before.counters[known]
        if delta:
            result[name] = delta
    return result


def sent(result: int) -> str:
    """What send() did: the number of bytes, or the name of the error."""
    return str(result) if result >= 0 else errno.errorcode[-result]


def received(result: int, text: str = "") -> str:
    """What recv() did: the text it got, b'' at the end, or the name of the error."""
    if result < 0:
        return errno.errorcode[-result]
    return repr(text[:result].encode())
