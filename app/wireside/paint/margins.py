"""The lines under the boxes of the journey: drops by place, and the sender's side with this host's CPUs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wireside.catalog.drop_reasons import NO_LOSS, DropReason
from wireside.catalog.stages import STAGES, Stage
from wireside.paint.scene import SENDING, newest_stage, sending_stage, sending_station
from wireside.paint.words import count, grouped, size
from wireside.tools import softnet

if TYPE_CHECKING:
    from wireside.paint.frame import Frame
    from wireside.paint.look import Look
    from wireside.paint.surface import Surface
    from wireside.snapshot import HostSnapshot


ROOMY = 100
"""Columns from which on the drops line names who sees what."""


def drop_places(host: HostSnapshot) -> list[tuple[str, int]]:
    """Every place where packets are lost, in the order of the journey: always the usual ones, then what happened.

    What listeners turn away is told by `listener_words`, and what is no loss by nobody.
    """
    shown = {
        "rx_missed": host.wire_drops.get("rx_missed_errors", 0),
        "softnet dropped": sum(cpu["dropped"] for cpu in softnet.columns(host)),
    }
    told = NO_LOSS | {DropReason.CPU_BACKLOG.name, DropReason.TCP_LISTEN_OVERFLOW.name}
    reasons = {reason: n for reason, n in host.drops.items() if reason not in told}
    has_udp = host.counters.get("UdpInDatagrams", 0) or "SOCKET_RCVBUFF" in reasons or not host.states
    for usual in ("SOCKET_RCVBUFF", "PROTO_MEM") if has_udp else ("TCP_ZEROWINDOW", "PROTO_MEM"):
        shown[usual] = reasons.pop(usual, 0)
    extra = {"link loss": host.wire_drops.get("link loss", 0), **reasons}
    happened = [(name, n) for name, n in extra.items() if n]
    return (
        sorted(happened, key=lambda item: -item[1]) + list(shown.items()) if happened else list(shown.items())
    )


Words = list[tuple[str, str]]
"""(text, role) of the pieces of a line; the role "bad" is bold."""


def listener_words(host: HostSnapshot, *, room: int) -> Words:
    """What was lost at a listener, split into what the tools tell apart: ACKs, SYNs, and a full request queue.

    `room`: columns; without it, the names of the drop reason and of who sees nothing are left out.
    """
    counters, away = host.counters, host.turned_away
    overflows = counters.get("TcpExtListenOverflows", 0)
    full, cookies = counters.get("TcpExtTCPReqQFullDrop", 0), counters.get("TcpExtTCPReqQFullDoCookies", 0)
    words: Words = []
    if overflows:
        acks = away.get("ACK", 0)
        wide = room >= ROOMY
        overflow = DropReason.TCP_LISTEN_OVERFLOW.shown_on(host.kernel).name
        words += [("ListenOverflows ", "text"), (grouped(overflows), "bad")]
        join = " = " if wide else ": "
        for name, n, seen in (
            ("ACKs ", acks, f" {overflow}"),
            ("SYNs ", overflows - acks, " unseen by dropwatch"),
        ):
            if n:
                words += [(join + name, "text"), (grouped(n), "bad")]
                words += [(seen, "dim")] if wide else []
                join = " + " if wide else ", "
        words.append(("  ", "dim"))
    other = counters.get("TcpExtListenDrops", 0) - overflows
    if full:
        words += [("TCPReqQFullDrop ", "text"), (grouped(full), "bad"), ("  ", "dim")]
    if other > full:
        words += [("ListenDrops, other ", "text"), (grouped(other - full), "bad"), ("  ", "dim")]
    if cookies:
        words += [("TCPReqQFullDoCookies ", "text"), (grouped(cookies), "warn"), ("  ", "dim")]
    return words


def draw_drops(surface: Surface, look: Look, frame: Frame, y: int) -> None:
    """The drops line; what is above zero is red."""
    x, end = 2, surface.w - 2
    x = surface.put(x, y, "drops  ", look.style("dim"))
    for text, role in listener_words(frame.host, room=end - x):
        if x + len(text) > end:
            break
        x = surface.put(x, y, text, look.style(role, bold=role == "bad"))
    places = drop_places(frame.host)
    places.sort(key=lambda item: item[1] == 0)
    for name, n in places:
        number = count(n) if n >= 100_000 else str(n)
        if x + len(name) + len(number) + 1 > end:
            break
        lost = n > 0
        x = surface.put(x, y, name, look.style("text" if lost else "dim"))
        x = surface.put(x + 1, y, number, look.style("bad" if lost else "faint", bold=lost)) + 2


def waiting_peer(frame: Frame) -> Words:
    """What clients see of a listener that turns them away: who still knocks, and who takes itself for connected."""
    host = frame.host
    ghosts = sum(row.acked for row in host.listeners)
    if not ghosts and not any(host.turned_away.values()):
        return []
    others = [other for other in frame.world.hosts if other.name != frame.focus]
    if not others:
        return []
    knocking = max(others, key=lambda other: other.states.get("SYN-SENT", 0))
    again = knocking.counters.get("TcpExtTCPSynRetrans", 0)
    words = [
        (f"peer {knocking.name}", "dim"),
        ("  SYN-SENT ", "dim"),
        (grouped(knocking.states.get("SYN-SENT", 0)), "text"),
    ]
    words += [("  SYNs sent again ", "dim"), (grouped(again), "text")]
    if ghosts:
        words += [
            (f"  {ghosts} ghost{'' if ghosts == 1 else 's'}", "warn"),
            (": ESTAB for the peer, SYN-RECV here", "dim"),
        ]
    return words


def draw_peer(surface: Surface, look: Look, frame: Frame, y: int) -> None:
    """Left the sender: what it has queued and what holds it back; right what this host's CPUs do."""
    if draw_sending(surface, look, frame, y):
        return
    peer = frame.peer_socket
    right = surface.put_right(surface.w - 2, y, cpu_words(frame.host), look.style("dim"))
    words = waiting_peer(frame)
    if words:
        x = 2
        for text, role in words:
            if x + len(text) > right - 2:
                return
            x = surface.put(x, y, text, look.style(role, bold=role in {"text", "warn"}))
        return
    if peer is None:
        return
    name, row = peer
    if row.netid == "udp":
        sent = frame.world.host(name).counters.get("UdpOutDatagrams", 0)
        facts = [
            ("datagrams sent", str(sent)),
            ("Send-Q", size(row.send_q)),
            ("window", "none"),
            ("answers", "none"),
        ]
    elif not row.cwnd:
        facts = [("state", row.state)]
    else:
        facts = [
            ("Send-Q", size(row.send_q)),
            ("cwnd", str(row.cwnd)),
            ("in flight", str(row.in_flight)),
            ("peer window", size(row.snd_wnd)),
        ]
    if row.timer:
        facts.append(("timer", row.timer.partition(",")[0] if row.cwnd else row.timer.rpartition(",")[0]))
    x = surface.put(2, y, f"peer {name} ", look.style("dim"))
    for label, text in facts:
        if x + len(label) + len(text) + 3 > right - 2:
            return
        x = surface.put(x + 1, y, label, look.style("dim"))
        x = surface.put(x + 1, y, text, look.style("text", bold=True)) + 1
    if row.nonblocking_reason and x + 12 + len(row.nonblocking_reason) < right - 1:
        surface.put(x + 1, y, f"held by {row.nonblocking_reason}", look.style("warn", bold=True))


def station_of_own_sending(frame: Frame) -> int:
    """The box under which the host in focus sends its newest packet, when the story points at that stage; -1: it does not."""
    stage = sending_stage(frame.beat.look_at, None) if frame.beat else None
    newest = newest_stage(frame.traces, frame.t) if stage is not None else None
    if stage is None or newest is None or newest[0].source != frame.focus or newest[1] == Stage.SYS_READ:
        return -1
    return sending_station(stage)


def draw_sending(surface: Surface, look: Look, frame: Frame, y: int) -> bool:
    """While a packet can be followed on the sender's side: the sender's stages, the present one lit; False: none is there."""
    newest = newest_stage(frame.traces, frame.t)
    look_at = frame.beat.look_at if frame.beat else ""
    stage = sending_stage(look_at, newest)
    if (
        stage is None
        or frame.scene.thin > 1
        or (newest is not None and newest[0].source == frame.focus and newest[1] != Stage.SYS_READ)
    ):
        return False
    sender = next((host.name for host in frame.world.hosts if host.name != frame.focus), "")
    udp = any(s.netid == "udp" for s in frame.host.sockets)
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
