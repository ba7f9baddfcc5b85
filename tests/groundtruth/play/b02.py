"""B02: an honest client during a flood."""

from __future__ import annotations

from tests.groundtruth.handshakes import SynLab

HONEST = 40000
COUNTED = (
    "TcpExtListenDrops",
    "TcpExtListenOverflows",
    "TcpExtSyncookiesSent",
    "TcpExtSyncookiesRecv",
    "TcpExtSyncookiesFailed",
    "TcpExtTCPReqQFullDoCookies",
    "TcpExtTCPReqQFullDrop",
)


def options(lab: SynLab) -> list[str]:
    """What `ss -ti` would say of the connection's options and MSS."""
    (child,) = lab.net.sockets[lab.task.files[lab.fd].private_data.id].icsk_accept_queue.accept
    found = [name for name, on in (("ts", child.tstamp_ok), ("sack", child.sack_ok)) if on]
    if child.wscale_ok:
        found.append(f"wscale:{child.snd_wscale},{child.rcv_wscale}")
    return [*found, f"mss:{child.mss_cache}"]


def honest(cookies: int) -> dict[str, object]:
    """Flood, then one handshake with all options but timestamps."""
    sysctl = {"net.ipv4.tcp_syncookies": str(cookies), "net.ipv4.tcp_max_syn_backlog": "1024"}
    lab = SynLab(sysctl, backlog=8)
    lab.flood(60)
    lab.mark()
    lab.syn(HONEST, wscale=7, sack_ok=True)
    answers = lab.answers(HONEST)
    if not answers:
        return {"synack": False, "counters": lab.counted(COUNTED)}
    opt = answers[0][1].opt
    assert opt is not None
    lab.ack(HONEST)
    return {
        "synack": True,
        "synack_options": {"mss": opt.mss, "wscale": opt.wscale, "sack_ok": opt.sack_ok},
        "accept_queue": lab.row().recv_q,
        "counters": lab.counted(COUNTED),
        "ss_options": options(lab),
    }


def play() -> dict[str, object]:
    """With cookies off, on demand, and always."""
    return {f"syncookies={cookies}": honest(cookies) for cookies in (0, 1, 2)}
