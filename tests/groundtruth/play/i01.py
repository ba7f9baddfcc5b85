"""I01: datagrams that fit into a receive buffer nobody reads."""

from __future__ import annotations

from tests.groundtruth.pair import MS, SERVER, US, PairLab, sleep, sys
from tests.groundtruth.raw_peer import RawLab

BUFFERS = (None, 2048, 8192, 65536)
PAYLOADS = (1, 100, 500, 1000, 1472)
COUNT, PORT = 2000, 9000
COUNTED = ("UdpInErrors", "UdpRcvbufErrors")


def receiver(rcvbuf):
    """Bind and never read."""
    fd = yield sys("socket", "SOCK_DGRAM")
    if rcvbuf:
        yield sys("setsockopt", fd, "SO_RCVBUF", rcvbuf)
    yield sys("bind", fd, (0, PORT))
    yield sleep(1000 * MS)


def sender(payload):
    """Send all datagrams."""
    fd = yield sys("socket", "SOCK_DGRAM")
    yield sys("connect", fd, (SERVER, PORT))
    for _ in range(COUNT):
        yield sys("send", fd, payload)


def measured(world, host: str) -> dict[str, object]:
    """The one UDP socket of a host, and its drops."""
    seen = world.snapshot().host(host)
    row = next(row for row in seen.sockets if row.local.endswith(str(PORT)))
    return {
        "rcvbuf": row.sk_rcvbuf,
        "kept": row.receive_queue_skbs,
        "payload_bytes": row.receive_queue_bytes,
        "recv_q_shown": row.recv_q,
        "memory_per_datagram": row.recv_q / row.receive_queue_skbs,
        "drops_in_proc": row.sk_drops,
        "counters": {name: seen.counters[name] for name in COUNTED},
    }


def from_tun(rcvbuf: int | None, payload: int) -> dict[str, object]:
    """A raw peer sends to a device that builds one sk_buff per packet."""
    lab = RawLab()
    fd = lab.sys("socket", "SOCK_DGRAM")
    if rcvbuf:
        lab.sys("setsockopt", fd, "SO_RCVBUF", rcvbuf)
    lab.sys("bind", fd, (0, PORT))
    for _ in range(COUNT):
        lab.peer.send(4000, PORT, protocol="udp", length=payload)
    lab.wait(50 * MS)
    return measured(lab.world, "host")


def over_veth(rcvbuf: int | None, payload: int) -> dict[str, object]:
    """A program sends over a veth pair."""
    lab = PairLab("veth")
    lab.run(lab.server, receiver(rcvbuf))
    lab.run(lab.client, sender(payload), at=100 * US)
    lab.wait(100 * MS)
    return measured(lab.world, "server")


def play() -> dict[str, object]:
    """Every buffer and payload, both ways."""
    return {
        f"{way} SO_RCVBUF={rcvbuf} payload={payload}": experiment(rcvbuf, payload)
        for way, experiment in (("tun", from_tun), ("veth", over_veth))
        for rcvbuf in BUFFERS
        for payload in PAYLOADS
    }
