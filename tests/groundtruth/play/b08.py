"""B08: how many half-open requests fit."""

from __future__ import annotations

from tests.groundtruth.handshakes import MS, SynLab


def half_open(cookies: int, max_syn_backlog: int, backlog: int) -> int:
    """Requests that 150 SYNs leave behind."""
    lab = SynLab(
        {"net.ipv4.tcp_syncookies": str(cookies), "net.ipv4.tcp_max_syn_backlog": str(max_syn_backlog)},
        backlog=backlog,
    )
    lab.flood(150)
    lab.wait(100 * MS)
    return lab.states()["SYN_RECV"]


def play() -> dict[str, object]:
    """By backlog, and by tcp_max_syn_backlog."""
    by_backlog = {
        f"syncookies=1 backlog={backlog}": half_open(1, 4096, backlog)
        for backlog in (0, 1, 2, 4, 7, 8, 16, 100)
    }
    by_limit = {
        f"syncookies=0 max_syn_backlog={limit}": half_open(0, limit, 4096)
        for limit in (1, 2, 4, 8, 16, 32, 64, 128)
    }
    return {**by_backlog, **by_limit}
