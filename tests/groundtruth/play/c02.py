"""C02: a kernel sender against a reader that never reads: where do the bytes sit?"""

from __future__ import annotations

from tests.groundtruth.pair import MS, SECOND, US, PairLab, client_socket, server_socket, sleep, sys

BUFFERS = ((None, None), (65536, None), (65536, 65536), (8192, 8192), (None, 262144))
SYSCTL = {"net.ipv4.tcp_wmem": "4096 16384 4194304"}
CHUNK = 16384
REFUSED_NS = 600 * MS
RETRY_NS = 10 * MS
COUNTED = ("TCPToZeroWindowAdv", "TCPFromZeroWindowAdv", "TCPWantZeroWindowAdv")


def reader(rcvbuf):
    """Accept and never read."""
    listener = yield from server_socket(**({"SO_RCVBUF": rcvbuf} if rcvbuf else {}))
    yield sys("accept", listener)
    yield sleep(100 * SECOND)


def writer(sndbuf, written, lab):
    """Write until send() has refused for 0.6 s."""
    fd = yield from client_socket(**({"SO_SNDBUF": sndbuf} if sndbuf else {}))
    accepted_at = lab.now
    while lab.now - accepted_at < REFUSED_NS:
        sent = yield sys("send", fd, CHUNK, "MSG_DONTWAIT")
        if sent > 0:
            written.append(sent)
            accepted_at = lab.now
        else:
            yield sleep(RETRY_NS)
    yield sleep(100 * SECOND)


def play() -> dict[str, object]:
    """Every pair of buffers over both paths."""
    result: dict[str, object] = {}
    for way in ("wire", "veth"):
        for rcvbuf, sndbuf in BUFFERS:
            lab = PairLab(way, SYSCTL, delay_ns=100 * US)
            written: list[int] = []
            lab.run(lab.server, reader(rcvbuf))
            lab.run(lab.client, writer(sndbuf, written, lab), at=1 * MS, cpu=1)
            lab.wait(2 * SECOND)
            receiver, sender = lab.connection("server"), lab.connection("client")
            name = f"{way} SO_RCVBUF={rcvbuf} SO_SNDBUF={sndbuf}"
            result[name] = {
                "written_is_recv_q_plus_send_q": sum(written) == receiver.recv_q + sender.send_q,
                "timer": sender.timer.partition(",")[0],
            }
            result[f"{name} sizes"] = {
                "written": sum(written),
                "recv_q": receiver.recv_q,
                "send_q": sender.send_q,
                "sender_sndbuf": sender.sk_sndbuf,
                "sender_wmem_queued": sender.sk_wmem_queued,
                "receiver_rcvbuf": receiver.sk_rcvbuf,
                "receiver_rmem_alloc": receiver.sk_rmem_alloc,
            }
            result[f"{name} counters"] = lab.counters("server", COUNTED)
    return result
