"""D05: the ways to make a RST, and what programs and counters show."""

from __future__ import annotations

from tests.groundtruth.pair import MS, SECOND, PairLab, client_socket, server_socket, sleep, sys
from tests.groundtruth.states import moved, received, sent, states

COUNTED = ("TCPAbortOnClose", "TCPAbortOnData", "TcpEstabResets", "TcpOutRsts", "TW")
NOTHING = (sleep(0),)


def role(opening, steps, got: list[int]):
    """Open a connection, then do the steps; results of all but naps go to `got`."""
    fd = yield from opening
    for step in steps:
        if isinstance(step, tuple) and isinstance(step[0], str):
            name, *args = step
            got.append((yield sys(name, fd, *args)))
        else:
            yield step
    yield sleep(1000 * SECOND)


def accepting():
    """Listen, accept; the connection."""
    listener = yield from server_socket()
    return (yield sys("accept", listener))


def scene(server_steps=NOTHING, client_steps=NOTHING):
    """Play both sides for a second: (lab, hosts before, the server's results, the client's)."""
    lab = PairLab()
    ours: list[int] = []
    theirs: list[int] = []
    lab.run(lab.server, role(accepting(), server_steps, ours))
    lab.run(lab.client, role(client_socket(), client_steps, theirs), at=10 * MS)
    before = {name: lab.host(name) for name in ("client", "server")}
    lab.wait(1 * SECOND)
    return lab, before, ours, theirs


def both(lab: PairLab) -> dict[str, dict[str, int]]:
    """The states of both hosts."""
    return {name: states(lab.host(name)) for name in ("client", "server")}


def close_with_unread_data() -> dict[str, object]:
    """The server closes without having read."""
    lab, before, _, got = scene(
        (sleep(200 * MS), ("close",)),
        (("send", 10), sleep(400 * MS), ("recv", 10), ("recv", 10), ("send", 1)),
    )
    return {
        "server_counters": moved(lab.host("server"), before["server"], COUNTED),
        **both(lab),
        "client_recv": received(got[1]),
        "client_recv_again": received(got[2]),
        "client_send": sent(got[3]),
    }


def linger_0() -> dict[str, object]:
    """The client aborts."""
    lab, before, got, _ = scene(
        (sleep(300 * MS), ("recv", 10)),
        (sleep(100 * MS), ("setsockopt", "SO_LINGER", 0), ("close",)),
    )
    return {
        "client_counters": moved(lab.host("client"), before["client"], COUNTED),
        **both(lab),
        "server_recv": received(got[0]),
    }


def write_to_closed_peer() -> dict[str, object]:
    """The server goes on writing to a client that has closed."""
    lab, before, got, _ = scene(
        (
            sleep(300 * MS),
            ("send", 1),
            sleep(100 * MS),
            ("send", 1),
            ("recv", 10),
            ("send", 1),
        ),
        (sleep(100 * MS), ("close",)),
    )
    return {
        "first_send": sent(got[0]),
        "client_counters": moved(lab.host("client"), before["client"], COUNTED),
        "states": both(lab),
        "second_send": sent(got[1]),
        "recv": received(got[2]),
        "third_send": sent(got[3]),
    }


def shutdown_read_only() -> dict[str, object]:
    """shutdown(SHUT_RD) tells nobody, and what comes can still be read."""
    lab, _, got, peer = scene(
        (sleep(100 * MS), ("shutdown", "SHUT_RD"), sleep(200 * MS), ("recv", 10)),
        (sleep(200 * MS), ("send", 5), sleep(200 * MS), ("send", 1)),
    )
    return {"states": both(lab), "recv": received(got[1], "after"), "peer_second_send": sent(peer[1])}


def half_close() -> dict[str, object]:
    """shutdown(SHUT_WR), and the other direction goes on."""
    text = "half-close still works"
    lab, _, got, mine = scene(
        (("recv", 10), ("send", len(text))),
        (sleep(100 * MS), ("shutdown", "SHUT_WR"), sleep(200 * MS), ("recv", 100), ("send", 1)),
    )
    return {
        "states": both(lab),
        "client_recv": received(mine[1], text),
        "client_send": sent(mine[2]),
        "server_recv": received(got[0]),
    }


def play() -> dict[str, object]:
    """All five."""
    return {
        scenario.__name__: scenario()
        for scenario in (
            close_with_unread_data,
            linger_0,
            write_to_closed_peer,
            shutdown_read_only,
            half_close,
        )
    }
