"""What each box of the journey says: a number, a gauge, and in which context it runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from wireside.paint.words import count, size

if TYPE_CHECKING:
    from wireside.paint.frame import Frame
    from wireside.snapshot import HostSnapshot, SocketRow


LINE_OVERHEAD = 78
"""Header, checksum, preamble and gap of an Ethernet frame with TCP/IP in it, bytes."""


@dataclass(frozen=True, slots=True)
class Reading:
    """The text and the gauge of one box; `part` < 0: no gauge; `short` replaces a value that does not fit."""

    symbol: str
    value: str
    short: str
    part: float
    color: str | None = None
    title: str = ""


def readings(frame: Frame) -> tuple[Reading, ...]:
    """One reading per station, left to right."""
    host, row = frame.host, frame.main_socket
    is_udp = not frame.speaks_tcp or (row is not None and row.netid == "udp")
    return (
        _nic(frame, host),
        _ring(host),
        _softirq(host),
        _ip(host),
        _transport(frame, row, is_udp=is_udp),
        _sockbuf(row),
        _read(host),
    )


def _nic(frame: Frame, host: HostSnapshot) -> Reading:
    """Packets per second, and as a gauge how much of the link they take."""
    pps = sum(n.rx_rate_pps for n in host.nics)
    nic = host.nics[0] if host.nics else None
    if nic is None:
        return Reading("", "no device", "none", -1.0, "dim")
    lengths = [trace.length for trace in frame.traces[-50:] if trace.destination == frame.focus]
    mean = sum(lengths) / len(lengths) if lengths else 0.0
    part = pps * (mean + LINE_OVERHEAD) * 8 / nic.rate_bps if nic.rate_bps else 0.0
    return Reading(
        f"{nic.name} {_rate(nic.rate_bps)}", f"{count(pps)} pkt/s", f"{count(pps)}/s", part, "accent"
    )


def _rate(bps: int) -> str:
    for unit_size, unit in ((10**9, "G"), (10**6, "M"), (10**3, "k")):
        if bps >= unit_size:
            return f"{bps / unit_size:g}{unit}"
    return str(bps)


def _ring(host: HostSnapshot) -> Reading:
    nic = next((n for n in host.nics if n.rx_ring_size), None)
    if nic is None:
        return Reading("no ring", "", "", -1.0)
    text = f"{nic.rx_ring_used}/{nic.rx_ring_size}"
    masked = "IRQ masked" if nic.irq_masked else "IRQ on"
    return Reading(masked, text, text, nic.rx_ring_used / nic.rx_ring_size)


def _softirq(host: HostSnapshot) -> Reading:
    """The running round's use of netdev_budget, or the last poll's packets."""
    budget = int(host.sysctl.get("net.core.netdev_budget", "300"))
    nic = host.nics[0] if host.nics else None
    used = budget - nic.budget_left if nic else 0
    context = next((c.context for c in host.cpus if c.context in {"softirq", "ksoftirqd"}), "")
    symbol = "ksoftirqd/0" if context == "ksoftirqd" else "napi_poll"
    if any(row.input_qlen for row in host.softnet):
        qlen = sum(row.input_qlen for row in host.softnet)
        most = int(host.sysctl.get("net.core.netdev_max_backlog", "1000"))
        return Reading("backlog", f"{qlen}/{most}", f"{qlen}", qlen / most, None, "BACKLOG")
    return Reading(symbol, f"{used}/{budget}", f"{used}/{budget}", used / budget if budget else 0.0)


def _ip(host: HostSnapshot) -> Reading:
    received = host.counters.get("IpInReceives", 0)
    text = f"{count(received)} packet{'' if received == 1 else 's'}"
    return Reading("ip_rcv", text, f"{count(received)} in", -1.0, "good")


def _listener_queue(frame: Frame) -> Reading | None:
    """The queue of a listener that speaks for TCP now, with the kernel's off-by-one; None: the window does."""
    pile = next((pile for pile in frame.piles if pile.name == frame.tcp_tells), None)
    if pile is None or pile.name == "rcv window":
        return None
    color = "bad" if pile.at_limit else None
    return Reading(pile.name, pile.text, pile.text.partition("+")[0], pile.part, color)


def _transport(frame: Frame, row: SocketRow | None, *, is_udp: bool) -> Reading:
    """The fullest of TCP's queues: a listener's, or the window of the busiest socket; of UDP, what it lost."""
    queue = None if is_udp else _listener_queue(frame)
    if queue is not None:
        return queue
    if row is None:
        symbol, title = ("udp_rcv", "UDP") if is_udp else ("tcp_v4_rcv", "")
        return Reading(symbol, "no socket", "none", -1.0, "dim", title)
    if is_udp:
        lost = row.sk_drops
        short = f"{lost} lost" if lost < 100 else str(lost)
        return Reading("udp_rcv", f"{lost} drops", short, -1.0, "bad" if lost else "good", "UDP")
    if not row.sk_rcvbuf:
        short = row.state.replace("WAIT", "W").replace("RECV", "RCV")
        return Reading("tcp_v4_rcv", row.state, short, -1.0, "FIN")
    most = max(row.window_clamp, row.rcv_wnd, 1)
    left = row.rcv_wnd_left
    closed = 1 - min(1.0, left / max(1, min(most, row.rcv_ssthresh or most)))
    color = "bad" if left == 0 else "warn" if closed > 0.6 else "good"
    return Reading("tcp_v4_rcv", f"wnd {size(left)}", f"w {size(left)}", min(1.0, left / most), color)


def _sockbuf(row: SocketRow | None) -> Reading:
    if row is None or not row.sk_rcvbuf:
        return Reading("sk_rcvbuf", "-", "-", 0.0)
    used, most = size(row.sk_rmem_alloc), size(row.sk_rcvbuf)
    return Reading("sk_rcvbuf", f"{used}/{most}", used, row.sk_rmem_alloc / row.sk_rcvbuf)


def _read(host: HostSnapshot) -> Reading:
    program = next((p for p in host.programs if p.state != "exited"), None)
    if program is None:
        return Reading("no program", "exited", "exited", -1.0, "dim")
    color = {"running": "good", "runnable": "warn", "sleeping": "hot"}.get(program.state, "dim")
    short = {"running": "runs", "runnable": "waits", "sleeping": "sleeps", "blocked": "blocked"}.get(
        program.state, ""
    )
    return Reading(program.name, program.state, short, -1.0, color)
