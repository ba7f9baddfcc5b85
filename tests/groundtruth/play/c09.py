"""C09: a slow reader, and how queues and window settle."""

from __future__ import annotations

from statistics import median

from tests.groundtruth.pair import MS, SECOND, PairLab, client_socket, server_socket, sleep, sys

CHUNK, EVERY, LASTS = 8192, 20 * MS, 4 * SECOND
COUNTED = ("TcpExtTCPToZeroWindowAdv", "TcpExtTCPFromZeroWindowAdv", "TcpExtTCPWantZeroWindowAdv")


def reader():
    """Read a little every 20 ms."""
    listener = yield from server_socket(SO_RCVBUF=65536)
    fd = yield sys("accept", listener)
    while True:
        yield sleep(EVERY)
        yield sys("recv", fd, CHUNK)


def writer():
    """Write without end."""
    fd = yield from client_socket()
    while True:
        yield sys("send", fd, 1 << 14)


def play() -> dict[str, object]:
    """Four seconds."""
    lab = PairLab("wire", delay_ns=10 * MS)
    data, acks = lab.tap("client"), lab.tap("server")
    program = lab.run(lab.server, reader())
    lab.run(lab.client, writer(), at=1 * MS)
    queued = []
    for _ in range(LASTS // EVERY):
        lab.wait(EVERY)
        rows = [row for row in lab.host("server").sockets if row.state == "ESTAB"]
        queued.append(rows[0].recv_q if rows else 0)
    segments = sum(bool(skb.len) for _, skb in data.frames)
    return {
        "bytes_read": program.bytes_read,
        "recv_q_median_second_half": median(queued[len(queued) // 2 :]),
        "counters": lab.counters("server", COUNTED),
        "acks_per_data_segment": round(sum(not skb.len for _, skb in acks.frames) / segments, 3),
    }
