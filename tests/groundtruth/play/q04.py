"""Q04: keepalive intervals changed while waiting."""

from __future__ import annotations

from tests.groundtruth.pair import MS, SECOND
from tests.groundtruth.silent_peer import SilentPeer
from wireside.catalog.inet import RST


def play() -> dict[str, object]:
    """time=2 at first; half a second later time=6, intvl=1, probes=2."""
    peer = SilentPeer({"net.ipv4.tcp_keepalive_time": "2"})
    lab = peer.lab
    peer.mark()
    lab.sys("setsockopt", peer.fd, "SO_KEEPALIVE", 1)
    lab.wait(500 * MS)
    for name, value in (("time", "6"), ("intvl", "1"), ("probes", "2")):
        lab.world.command("host", f"net.ipv4.tcp_keepalive_{name}", value)
    dies = peer.until_gone(20 * SECOND)
    return {
        "probes_s": [peer.seconds(when) for when, skb in lab.arrivals() if not skb.tcp_flags & RST],
        "dies_at_s": dies,
    }
