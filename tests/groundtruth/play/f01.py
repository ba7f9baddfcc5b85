"""F01: keepalive with idle 2 s, interval 1 s, 3 probes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.groundtruth.pair import MS, SECOND
from tests.groundtruth.silent_peer import SilentPeer
from wireside.catalog.inet import RST

if TYPE_CHECKING:
    from collections.abc import Callable

OPTIONS = {"TCP_KEEPIDLE": 2, "TCP_KEEPINTVL": 1, "TCP_KEEPCNT": 3}
SYSCTLS = {
    "net.ipv4.tcp_keepalive_time": "2",
    "net.ipv4.tcp_keepalive_intvl": "1",
    "net.ipv4.tcp_keepalive_probes": "3",
}
WATCHED = 9 * SECOND
COUNTED = ("TCPKeepAlive", "TCPAbortOnTimeout", "TcpEstabResets", "TcpOutRsts")


def watch(
    peer: SilentPeer,
    answer: Callable[[SilentPeer], None] | None = None,
    options: dict[str, int] | None = None,
) -> dict[str, object]:
    """Nine seconds of an idle connection."""
    lab = peer.lab
    for option, value in (options or {}).items():
        assert lab.sys("setsockopt", peer.fd, option, value) == 0
    lab.sys("setsockopt", peer.fd, "SO_KEEPALIVE", 1)
    peer.mark()
    if answer is not None:
        peer.on_segment(lambda _peer, _now, _skb: answer(peer))
    gone = peer.until_gone(WATCHED, 10 * MS)
    arrivals = lab.arrivals()
    probes = [(when, skb) for when, skb in arrivals if not skb.tcp_flags & RST]
    return {
        "probes_s": [peer.seconds(when) for when, _ in probes],
        "probe_shape": sorted(
            {f"seq=snd_nxt{lab.peer.relative(skb)[0] - 1:+d} len={skb.len} flags=." for _, skb in probes}
        ),
        "gone_after_s": gone,
        "errno": peer.error(),
        "counters": peer.moved(COUNTED),
        "rst_sent": len(arrivals) - len(probes),
    }


def alive(peer: SilentPeer) -> None:
    """Answer a probe."""
    peer.say(".", 1, 1)


def rebooted(peer: SilentPeer) -> None:
    """Answer a probe as one who knows nothing of the connection."""
    peer.say("R", 1, 1)


def play() -> dict[str, object]:
    """Silent, answering and resetting peers."""
    cases = {
        "silent peer, socket options": watch(SilentPeer(), options=OPTIONS),
        "silent peer, sysctls": watch(SilentPeer(SYSCTLS)),
        "answering peer": watch(SilentPeer(), alive, OPTIONS),
        "resetting peer": watch(SilentPeer(), rebooted, OPTIONS),
    }
    shown = SilentPeer(SYSCTLS)
    shown.lab.sys("setsockopt", shown.fd, "SO_KEEPALIVE", 1)
    result: dict[str, object] = {"timer_shown_by_ss": shown.row.timer.partition(",")[0]}
    for case, observed in cases.items():
        result |= {f"{case} {what}": value for what, value in observed.items()}
    return result
