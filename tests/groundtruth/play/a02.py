"""A02: a client knocks on a full accept queue."""

from __future__ import annotations

from tests.groundtruth.handshakes import SECOND, states
from tests.groundtruth.pair import MS, SERVER, PairLab, sleep, sys

COUNTED = (
    "TcpExtListenOverflows",
    "TcpExtListenDrops",
    "TcpExtTCPReqQFullDrop",
    "TcpPassiveOpens",
)
KNOCK = 100 * MS


def server():
    """Listen with backlog 1 and never accept."""
    fd = yield sys("socket", "SOCK_STREAM")
    yield sys("bind", fd, (0, 8080))
    yield sys("listen", fd, 1)
    yield sleep(20_000 * MS)


def client():
    """Two connections fill the queue; the third knocks."""
    for pause in (10 * MS, KNOCK - 10 * MS, 0):
        fd = yield sys("socket", "SOCK_STREAM|SOCK_NONBLOCK")
        yield sys("connect", fd, (SERVER, 8080))
        yield sleep(pause)
    yield sleep(20_000 * MS)


def play() -> dict[str, object]:
    """Every observation of the document."""
    lab = PairLab("wire")
    out, back = lab.tap("client"), lab.tap("server")
    lab.run(lab.server, server())
    lab.run(lab.client, client(), at=1 * MS)
    lab.wait(KNOCK)
    before = lab.counters("server", COUNTED)
    sent, answered = len(out.frames), len(back.frames)
    lab.wait(9 * SECOND)
    times = [when for when, _ in out.frames[sent:]]
    moved = {name: value - before[name] for name, value in lab.counters("server", COUNTED).items()}
    return {
        "syn_times_s": [(when - times[0]) / SECOND for when in times],
        "syns_sent": len(times),
        "answers_from_server": len(back.frames) - answered,
        "counters": moved,
        "per_syn": {name: moved[name] / len(times) for name in COUNTED[:2]},
        "client_state": states(lab.world, "client"),
    }
