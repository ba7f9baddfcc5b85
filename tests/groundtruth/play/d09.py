"""D09: SO_LINGER with a timeout blocks close()."""

from __future__ import annotations

from tests.groundtruth.pair import MS, SECOND, PairLab, client_socket, server_socket, sleep, sys
from tests.groundtruth.states import states


def server():
    """Accept and keep."""
    listener = yield from server_socket()
    yield sys("accept", listener)
    yield sleep(1000 * SECOND)


def lingerer(lab: PairLab, seen: list[int]):
    """Send, and close with SO_LINGER 2 s."""
    fd = yield from client_socket(SO_LINGER=2)
    yield sleep(100 * MS)
    yield sys("send", fd, 100)
    seen.append(lab.client.machine.cpus[0].now)
    yield sys("close", fd)
    seen.append(lab.client.machine.cpus[0].now)
    yield sleep(1000 * SECOND)


def linger(*, acknowledges: bool) -> dict[str, object]:
    """Close while the peer answers, or not."""
    lab = PairLab("wire", delay_ns=0)
    lab.tap("server", lambda _, skb: 0 if acknowledges or lab.now < 100 * MS else None)
    seen: list[int] = []
    lab.run(lab.server, server())
    lab.run(lab.client, lingerer(lab, seen), at=10 * MS)
    lab.wait(3 * SECOND)
    began, ended = seen
    return {
        "close_blocks_s": (ended - began) / SECOND,
        "state_after": states(lab.host("client")),
    }


def play() -> dict[str, object]:
    """A silent peer and one that answers."""
    return {
        f"peer_acknowledges={acknowledges} {what}": value
        for acknowledges in (False, True)
        for what, value in linger(acknowledges=acknowledges).items()
    }
