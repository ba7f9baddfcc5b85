"""B01: a SYN flood against syncookies, tcp_max_syn_backlog and backlog."""

from __future__ import annotations

from tests.groundtruth.handshakes import MS, SynLab

COUNT = 200
COUNTED = ("ListenDrops", "TCPReqQFullDrop", "SyncookiesSent", "TCPReqQFullDoCookies")


def flood(cookies: int, max_syn_backlog: int, backlog: int) -> dict[str, int]:
    """What 200 SYNs leave behind."""
    lab = SynLab(
        {"net.ipv4.tcp_syncookies": str(cookies), "net.ipv4.tcp_max_syn_backlog": str(max_syn_backlog)},
        backlog=backlog,
    )
    lab.mark()
    lab.flood(COUNT)
    lab.wait(300 * MS)
    counted = {name: value for name, value in lab.counted(COUNTED).items() if value}
    return {
        "SYN_RECV": lab.states().get("SYN_RECV", 0),
        "synacks_sent": len(lab.arrivals()),
        **counted,
    }


def play() -> dict[str, object]:
    """Every combination."""
    return {
        f"syncookies={cookies} max_syn_backlog={limit} backlog={backlog}": flood(cookies, limit, backlog)
        for cookies in (0, 1, 2)
        for limit in (16, 64, 1024)
        for backlog in (8, 128)
    }
