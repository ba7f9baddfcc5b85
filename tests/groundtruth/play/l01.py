"""L01: initial window and window scale."""

from __future__ import annotations

from tests.groundtruth.raw_peer import MS, PEER, RawConnection, RawLab
from wireside.catalog.inet import ip_parse
from wireside.kernel.core.call import Syscall
from wireside.kernel.syscalls.syscall import do_syscall, do_syscall_end

CASES = (
    ("4096 131072 33554432", None),
    ("4096 131072 6291456", None),
    ("4096 131072 6291456", 4096),
    ("4096 131072 6291456", 65536),
    ("4096 131072 6291456", 1048576),
    ("4096 87380 6291456", None),
    ("4096 16384 65536", None),
    ("4096 1048576 4194304", None),
    ("4096 4096 4096", None),
)


def as_client(lab: RawLab, mtu: int, rcvbuf: int | None) -> dict[str, object]:
    """The host connects to the raw peer."""
    fd = lab.sys("socket", "SOCK_STREAM")
    if rcvbuf:
        lab.sys("setsockopt", fd, "SO_RCVBUF", rcvbuf)
    lab.cpu.now = max(lab.cpu.now, lab.world.now)
    assert do_syscall(lab.cpu, lab.task, Syscall("connect", (fd, (ip_parse(PEER), 9000)))) is None
    do_syscall_end(lab.cpu, lab.task)
    lab.task.finish_wait()
    lab.wait(1 * MS)
    (_, syn), *_ = lab.arrivals()
    assert syn.opt is not None
    lab.peer.send(9000, syn.flow[1], "S.", ack=1, win=65535, mss=mtu - 40, wscale=7)
    lab.wait(1 * MS)
    (_, third), *_ = lab.arrivals()
    rcvbuf_now = lab.sys("getsockopt", fd, "SO_RCVBUF")
    return {
        "syn_window": syn.window,
        "syn_wscale": syn.opt.wscale,
        "syn_mss": syn.opt.mss,
        "client_third_ack_window": third.window << (syn.opt.wscale or 0),
        "client_rcvbuf": rcvbuf_now,
    }


def as_server(lab: RawLab, mtu: int, rcvbuf: int | None) -> dict[str, object]:
    """The raw peer connects to the host and sends 100 bytes."""
    listener = lab.listen(**({"SO_RCVBUF": rcvbuf} if rcvbuf else {}))
    connection = RawConnection(lab, mss=mtu - 40)
    connection.accept(listener)
    connection.segment(100)
    lab.wait(1 * MS)
    connection.read_acks()
    return {
        "synack_window": connection.syn_window,
        "synack_wscale": connection.wscale,
        "server_ack_after_100_bytes": connection.window,
    }


def play() -> dict[str, object]:
    """Every case of the document."""
    result: dict[str, object] = {}
    for mtu in (1500, 9000):
        for rmem, rcvbuf in CASES:
            client = as_client(RawLab({"net.ipv4.tcp_rmem": rmem}, mtu=mtu), mtu, rcvbuf)
            server = as_server(RawLab({"net.ipv4.tcp_rmem": rmem}, mtu=mtu), mtu, rcvbuf)
            result[f"mtu={mtu} tcp_rmem='{rmem}' SO_RCVBUF={rcvbuf}"] = client | server
    return result
