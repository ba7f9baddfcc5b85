"""D03: CLOSE_WAIT stays until the program closes."""

from __future__ import annotations

from tests.groundtruth.pair import MS, SECOND, PairLab, client_socket, server_socket, sleep, sys
from tests.groundtruth.states import received, sent, states, timers

CONNECTIONS = 10
CLOSED_AT = 200 * MS
PROC_TIMER = {"": "00", "on": "01", "keepalive": "02", "timewait": "03", "persist": "04"}
"""ss's timers → the codes of /proc/net/tcp."""


def leaker(got: list[int]):
    """Accept ten connections, and look at two of them after 80 s."""
    listener = yield from server_socket()
    fds = [0] * CONNECTIONS
    for number in range(CONNECTIONS):
        fds[number] = yield sys("accept", listener)
    yield sleep(81 * SECOND)
    for call in ("recv", "send", None, "send", "recv"):
        if call is None:
            yield sleep(100 * MS)
        else:
            got.append((yield sys(call, fds[0], 1)))
    yield sys("close", fds[1])
    yield sleep(1000 * SECOND)


def leaver():
    """Open ten connections and close them."""
    fds = []
    for _ in range(CONNECTIONS):
        fds.append((yield from client_socket()))
        yield sleep(1 * MS)
    yield sleep(80 * MS)
    for fd in fds:
        yield sys("close", fd)
    yield sleep(1000 * SECOND)


def play() -> dict[str, object]:
    """Leak, look, write and close."""
    lab = PairLab()
    got: list[int] = []

    def both() -> dict[str, dict[str, int]]:
        return {"client": states(lab.host("client")), "server": states(lab.host("server"))}

    lab.run(lab.server, leaker(got))
    lab.run(lab.client, leaver(), at=10 * MS)
    lab.wait(CLOSED_AT)
    at_start = both()
    while states(lab.host("client")):
        lab.wait(50 * MS)
    gone = (lab.now - CLOSED_AT) / SECOND
    lab.wait(80 * SECOND - lab.now)
    at_80s = both()
    shown = sorted({PROC_TIMER[timer] for timer in timers(lab.host("server"))})
    lab.wait(2 * SECOND)
    end, first, second, again = got
    return {
        "at_0.1s": at_start,
        "client_fin_wait_2_gone_after_s": gone,
        "at_80s": at_80s,
        "timer_on_close_wait": shown,
        "server_recv": received(end),
        "server_first_send": sent(first),
        "server_second_send": sent(second),
        "server_recv_again": received(again),
        "after_one_write_and_one_close": both(),
    }
