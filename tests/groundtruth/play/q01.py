"""Q01: the limits of the SYN queue change during a flood."""

from __future__ import annotations

from tests.groundtruth.handshakes import SynLab

LIMIT, COOKIES = "net.ipv4.tcp_max_syn_backlog", "net.ipv4.tcp_syncookies"
STEPS = (
    ("max_syn_backlog=16", LIMIT, 16, 100),
    ("raised to 64", LIMIT, 64, 100),
    ("lowered to 8", LIMIT, 8, 20),
    ("syncookies=1", COOKIES, 1, 20),
)


def play() -> dict[str, object]:
    """Half-open requests after every step; with syncookies=2 the cookies sent, too."""
    lab = SynLab({COOKIES: "0"}, backlog=4096)
    seen: list[list[object]] = []
    for name, sysctl, value, count in STEPS:
        lab.set(sysctl, value)
        lab.flood(count)
        seen.append([name, lab.states()["SYN_RECV"]])
    lab.set(COOKIES, 2)
    lab.mark()
    lab.flood(20)
    sent = lab.counted(("SyncookiesSent",))["SyncookiesSent"]
    seen.append(["syncookies=2", lab.states()["SYN_RECV"], sent])
    return {"SYN_RECV after each step": seen}
