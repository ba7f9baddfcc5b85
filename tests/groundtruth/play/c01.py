"""C01: bytes accepted before the window closes, by receive buffer and segment size."""

from __future__ import annotations

from itertools import islice

from tests.groundtruth.raw_peer import RawConnection, RawLab

COUNTED = (
    "TCPWantZeroWindowAdv",
    "TCPToZeroWindowAdv",
    "TCPRcvCoalesce",
    "TCPRcvCollapsed",
    "PruneCalled",
    "RcvPruned",
    "TCPRcvQDrop",
)
CASES = (
    (None, "4096 131072 6291456", 1, (1460, 536)),
    (None, "4096 131072 131072", 1, (1460, 536, 100)),
    (None, "4096 131072 6291456", 0, (1460, 536)),
    (None, "4096 16384 16384", 1, (1460, 536)),
    (8192, "4096 131072 6291456", 1, (1460, 536)),
    (65536, "4096 131072 6291456", 1, (1460, 536, 100)),
    (1048576, "4096 131072 6291456", 1, (1460, 536)),
)
WINDOWS_RECORDED = 24


def stall(
    rcvbuf: int | None, rmem: str, moderate: int, length: int
) -> tuple[dict[str, object], list[object], dict[str, int]]:
    """Fill one connection; (sizes at the stall, windows on the way, counters)."""
    lab = RawLab({"net.ipv4.tcp_rmem": rmem, "net.ipv4.tcp_moderate_rcvbuf": str(moderate)})
    listener = lab.listen(**({"SO_RCVBUF": rcvbuf} if rcvbuf else {}))
    connection = RawConnection(lab)
    connection.accept(listener)
    before = lab.counters()
    connection.fill(length)
    row = next(row for row in lab.world.snapshot().host("host").sockets if row.state == "ESTAB")
    sizes: dict[str, object] = {
        "wscale": connection.wscale,
        "syn_window": connection.syn_window,
        "sent": connection.sent,
        "recv_q": row.recv_q,
        "last_window": connection.window,
        "rmem_alloc": row.sk_rmem_alloc,
        "rcvbuf_at_stall": row.sk_rcvbuf,
        "mem_per_segment": round(row.sk_rmem_alloc / (connection.sent / length), 1),
    }
    windows: list[object] = list(islice(connection.windows, WINDOWS_RECORDED))
    if len(connection.windows) > WINDOWS_RECORDED:
        windows.append("...")
    moved = {name: value - before.get(name, 0) for name, value in lab.counters().items() if name in COUNTED}
    return sizes, windows, {name: value for name, value in moved.items() if value}


def play() -> dict[str, object]:
    """Every case of the document."""
    result: dict[str, object] = {}
    for rcvbuf, rmem, moderate, lengths in CASES:
        name = f"SO_RCVBUF={rcvbuf} tcp_rmem='{rmem}' moderate={moderate}"
        for length in lengths:
            sizes, windows, counters = stall(rcvbuf, rmem, moderate, length)
            result[f"{name} segment={length}"] = sizes
            result[f"{name} segment={length} counters"] = counters
            if length == 1460:
                result[f"{name} windows"] = windows
    return result
