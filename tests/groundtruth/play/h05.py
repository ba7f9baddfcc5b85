"""H05: TCP repairs what the backlog drops."""

from __future__ import annotations

from tests.groundtruth.pair import MS, SECOND, PairLab, client_socket, server_socket, sys

TOTAL = 1 << 20
COUNTED = ("TcpRetransSegs", "TcpExtTCPTimeouts", "TcpExtTCPLossProbes", "TcpExtTCPFastRetrans")


def reader(lab, ended):
    """Read to the end."""
    listener = yield from server_socket()
    fd = yield sys("accept", listener)
    while (yield sys("recv", fd, 1 << 16)) > 0:
        pass
    ended.append(lab.now)


def writer():
    """Write everything and close."""
    fd = yield from client_socket()
    yield sys("send", fd, TOTAL)
    yield sys("close", fd)


def transfer(limit: int) -> dict[str, object]:
    """One transfer over veth with segmentation in software."""
    lab = PairLab("veth", {"net.core.netdev_max_backlog": str(limit)})
    for net in (lab.server, lab.client):
        assert net.dev is not None
        net.dev.features_gso = False
    ended: list[int] = []
    program = lab.run(lab.server, reader(lab, ended), cpu=1)
    lab.run(lab.client, writer(), at=1 * MS)
    lab.wait(5 * SECOND)
    return {
        "bytes_received": program.bytes_read,
        "dropped": sum(row.dropped for row in lab.host("server").softnet),
        "client_counters": lab.counters("client", COUNTED),
        "seconds": (ended[0] - 1 * MS) / SECOND if ended else None,
    }


def play() -> dict[str, object]:
    """The default limit, and a small one."""
    return {
        f"netdev_max_backlog={limit} {what}": value
        for limit in (1000, 8)
        for what, value in transfer(limit).items()
    }
