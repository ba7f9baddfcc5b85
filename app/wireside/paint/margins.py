"""The lines under the boxes of the journey: drops by place, and the sender's side with this host's CPUs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wireside.catalog.stages import STAGES, Stage
from wireside.paint.scene import SENDING, newest_stage, sending_stage
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
    if draw_sending(surface, look, view, y):
        return
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


def draw_sending(surface: Surface, look: Look, view: View, y: int) -> bool:
    """While a packet can be followed on the sender's side: the sender's stages, the present one lit; False: none is there."""
    newest = newest_stage(view.traces, view.t)
    look_at = view.beat.look_at if view.beat else ""
    stage = sending_stage(look_at, newest)
    if (
        stage is None
        or view.scene.thin > 1
        or (newest is not None and newest[0].source == view.focus and newest[1] != Stage.SYS_READ)
    ):
        return False
    sender = next((host.name for host in view.world.hosts if host.name != view.focus), "")
    udp = any(s.netid == "udp" for s in view.host.sockets)
    stages = [s for s in SENDING if s is not (Stage.TCP_SENDMSG if udp else Stage.UDP_SENDMSG)]
    if udp:
        stages.remove(Stage.TCP_WRITE_XMIT)
    titles = [STAGES[s].title for s in stages]
    arrow = f" {look.glyphs.arrow} "
    surface.put(1, y, " " * (surface.w - 2), look.style("text"))
    x = 2
    if len(sender) + 2 + sum(map(len, titles)) + 3 * len(titles) < surface.w - 3:
        x = surface.put(x, y, f"{sender}: ", look.style("dim"))
    for each, title in zip(stages, titles, strict=True):
        here = each is stage
        x = surface.put(x, y, title, look.style("ink", "warn", bold=True) if here else look.style("text"))
        if each is not stages[-1]:
            x = surface.put(x, y, arrow, look.style("faint"))
    return True


def cpu_words(host: HostSnapshot) -> str:
    """What each of the first two CPUs does right now."""
    words = []
    for number, cpu in enumerate(host.cpus[:2]):
        doing = cpu.running if cpu.context == "task" and cpu.running else cpu.context
        words.append(f"CPU{number} {doing}")
    return "  ".join(words)
