"""The lines under the boxes of the journey: drops by place, and the sender's side with this host's CPUs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wireside.paint.words import count, size

if TYPE_CHECKING:
    from wireside.paint.surface import Surface
    from wireside.paint.view import Look, View
    from wireside.snapshot import HostSnapshot


def drop_places(host: HostSnapshot) -> list[tuple[str, int]]:
    """Every place where packets are lost, in the order of the journey: always the usual ones, then what happened."""
    shown = {
        "rx_missed": host.wire_drops.get("rx_missed_errors", 0),
        "softnet dropped": sum(row.dropped for row in host.softnet),
    }
    reasons = dict(host.drops)
    reasons.pop("CPU_BACKLOG", None)
    is_udp = any(s.netid == "udp" for s in host.sockets)
    for usual in ("SOCKET_RCVBUFF", "PROTO_MEM") if is_udp else ("TCP_ZEROWINDOW", "PROTO_MEM"):
        shown[usual] = reasons.pop(usual, 0)
    extra = {"link loss": host.wire_drops.get("link loss", 0), **reasons}
    happened = [(name, n) for name, n in extra.items() if n]
    return (
        sorted(happened, key=lambda item: -item[1]) + list(shown.items()) if happened else list(shown.items())
    )


def draw_drops(surface: Surface, look: Look, view: View, y: int) -> None:
    """The drops line; what is above zero is red."""
    x = surface.put(2, y, "drops ", look.style("dim"))
    places = drop_places(view.host)
    places.sort(key=lambda item: item[1] == 0)
    for name, n in places:
        number = count(n) if n >= 100_000 else str(n)
        if x + len(name) + len(number) + 4 > surface.w - 2:
            break
        lost = n > 0
        x = surface.put(x + 1, y, name, look.style("text" if lost else "dim"))
        x = surface.put(x + 1, y, number, look.style("bad" if lost else "faint", bold=lost)) + 1


def draw_peer(surface: Surface, look: Look, view: View, y: int) -> None:
    """Left the sender: what it has queued and what holds it back; right what this host's CPUs do."""
    peer = view.peer_socket
    words = cpu_words(view.host)
    right = surface.put_right(surface.w - 2, y, words, look.style("dim"))
    if peer is None:
        return
    name, row = peer
    if row.netid == "udp":
        sent = view.world.host(name).counters.get("UdpOutDatagrams", 0)
        facts = [
            ("datagrams sent", str(sent)),
            ("Send-Q", size(row.send_q)),
            ("window", "none"),
            ("answers", "none"),
        ]
    else:
        facts = [
            ("Send-Q", size(row.send_q)),
            ("cwnd", str(row.cwnd)),
            ("in flight", str(row.in_flight)),
            ("peer window", size(row.snd_wnd)),
        ]
        if row.timer:
            facts.append(("timer", row.timer.partition(",")[0]))
    x = surface.put(2, y, f"peer {name} ", look.style("dim"))
    for label, text in facts:
        if x + len(label) + len(text) + 3 > right - 2:
            return
        x = surface.put(x + 1, y, label, look.style("dim"))
        x = surface.put(x + 1, y, text, look.style("text", bold=True)) + 1
    if row.nonblocking_reason and x + 12 + len(row.nonblocking_reason) < right - 1:
        surface.put(x + 1, y, f"held by {row.nonblocking_reason}", look.style("warn", bold=True))


def cpu_words(host: HostSnapshot) -> str:
    """What each of the first two CPUs does right now."""
    words = []
    for number, cpu in enumerate(host.cpus[:2]):
        doing = cpu.running if cpu.context == "task" and cpu.running else cpu.context
        words.append(f"CPU{number} {doing}")
    return "  ".join(words)
