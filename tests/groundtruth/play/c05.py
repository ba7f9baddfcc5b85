"""C05: how much must be read before the window reopens."""

from __future__ import annotations

from tests.groundtruth.raw_peer import MS, RawConnection, RawLab

CASES = ((65536, 1460, 100), (65536, 1460, 1460), (8192, 1460, 100), (65536, 536, 100), (262144, 1460, 1460))


def reopen(rcvbuf: int, length: int, step: int) -> tuple[dict[str, object], int]:
    """Fill, then read in steps; the bytes read at each announcement of a larger window."""
    lab = RawLab()
    listener = lab.listen(SO_RCVBUF=rcvbuf)
    connection = RawConnection(lab)
    fd = connection.accept(listener)
    connection.fill(length)
    stalled = connection.window
    queued = connection.acked
    updates: list[list[int]] = []
    read = 0
    while read < queued:
        read += lab.sys("recv", fd, step)
        known = connection.window
        lab.wait(1 * MS)
        if connection.read_acks() and connection.window > known:
            updates.append([read, connection.window])
    reopened = lab.counters().get("TCPFromZeroWindowAdv", 0)
    return {"queued": queued, "bytes_read_and_new_window": updates, "FromZeroWindowAdv": reopened}, stalled


def play() -> dict[str, object]:
    """Every case of the document."""
    result: dict[str, object] = {}
    for rcvbuf, length, step in CASES:
        name = f"SO_RCVBUF={rcvbuf} segment={length} read_step={step}"
        result[name], result[f"{name} window_at_stall"] = reopen(rcvbuf, length, step)
    return result
