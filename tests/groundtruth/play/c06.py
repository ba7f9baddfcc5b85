"""C06: how small segments use up the receive buffer."""

from __future__ import annotations

from tests.groundtruth.raw_peer import MS, RawConnection, RawLab

SIZES = (1, 10, 100, 300, 700, 1000, 1460)
COUNTED = (
    "TCPWantZeroWindowAdv",
    "TCPToZeroWindowAdv",
    "TCPRcvCoalesce",
    "TCPRcvCollapsed",
    "PruneCalled",
    "RcvPruned",
    "TCPRcvQDrop",
)
SEGMENTS = 4000


def small(length: int) -> dict[str, object]:
    """Send up to 4000 segments of one size to a socket that nobody reads."""
    lab = RawLab()
    listener = lab.listen(SO_RCVBUF=32768)
    connection = RawConnection(lab)
    connection.accept(listener)
    connection.segment(length, "P.")
    lab.wait(1_000_000)
    first = next(
        row for row in lab.world.snapshot().host("host").sockets if row.state == "ESTAB"
    ).sk_rmem_alloc
    connection.fill(length, limit=(SEGMENTS + 1) * length)
    lab.wait(300 * MS)
    connection.read_acks()
    row = next(row for row in lab.world.snapshot().host("host").sockets if row.state == "ESTAB")
    counters = {name: value for name, value in lab.counters().items() if name in COUNTED}
    return {
        "truesize_of_first": first,
        "segments": connection.sent // length,
        "bytes": connection.sent,
        "rmem_alloc": row.sk_rmem_alloc,
        "recv_q": row.recv_q,
        "rcvbuf": row.sk_rcvbuf,
        "last_window": connection.window,
        "counters": counters,
    }


def play() -> dict[str, object]:
    """Every size of the document."""
    return {f"payload={length}": small(length) for length in SIZES}
