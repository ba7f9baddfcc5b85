"""L02: receive buffer autotuning."""

from __future__ import annotations

from tests.groundtruth.pair import MS, SECOND, US, PairLab, client_socket, server_socket, sys

CASES = {
    "default": ({}, None),
    "moderate_rcvbuf=0": ({"net.ipv4.tcp_moderate_rcvbuf": "0"}, None),
    "SO_RCVBUF=65536": ({}, 65536),
    "tcp_rmem max 262144": ({"net.ipv4.tcp_rmem": "4096 131072 262144"}, None),
}
MIDDLEBOX_BPS = 250_000_000
"""The recordings' user-space middlebox moved about 21,000 packets per second."""
DELAY = 11_500 * US
"""10 ms as recorded, and what the middlebox's own work added: the timeouts of F05 tell of up to 2 ms each way."""
SAMPLES, EVERY = 17, 100 * MS


def reader(rcvbuf):
    """Take everything at once."""
    listener = yield from server_socket(**({"SO_RCVBUF": rcvbuf} if rcvbuf else {}))
    fd = yield sys("accept", listener)
    while (yield sys("recv", fd, 1 << 20)) > 0:
        pass


def writer():
    """Write without end."""
    fd = yield from client_socket()
    while (yield sys("send", fd, 1 << 16)) > 0:
        pass


def transfer(sysctl: dict[str, str], rcvbuf: int | None) -> dict[str, object]:
    """1.6 seconds of a bulk transfer, sampled every 100 ms."""
    settings = {"net.ipv4.tcp_rmem": "4096 131072 6291456"} | sysctl
    lab = PairLab("wire", settings, delay_ns=DELAY, rate_bps=MIDDLEBOX_BPS)
    acks = lab.tap("server")
    program = lab.run(lab.server, reader(rcvbuf))
    lab.run(lab.client, writer(), at=1 * MS)
    lab.wait(3 * DELAY + 2 * MS)  # accept() has returned
    start = lab.now
    series: list[list[float]] = []
    for number in range(SAMPLES):
        lab.world.run_until(start + number * EVERY)
        server, client = lab.connection("server"), lab.connection("client")
        series.append([(lab.now - start) / SECOND, server.sk_rcvbuf, client.cwnd])
    steps = [row[1] for row in series]
    scale = lab.connection("server").rcv_wscale
    return {
        "rcvbuf_steps": [
            value for index, value in enumerate(steps) if not index or value != steps[index - 1]
        ],
        "time,rcvbuf,cwnd": series,
        "largest_window": max(skb.window << scale for _, skb in acks.frames[1:]),
        "bytes_read_in_1.6s": program.bytes_read,
        "wscale": scale,
    }


def play() -> dict[str, object]:
    """Every setting."""
    return {
        f"{case} {what}": value
        for case, setting in CASES.items()
        for what, value in transfer(*setting).items()
    }
