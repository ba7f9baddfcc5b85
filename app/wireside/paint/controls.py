"""The knobs pane, the queue gauges, and the timeline."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wireside.paint.glyphs import plain
from wireside.paint.search import draw_search
from wireside.paint.strokes import frame, gauge, strip
from wireside.paint.surface import Rect
from wireside.paint.words import count, fit, rounded, size, span, wrap

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wireside.paint.surface import Surface
    from wireside.paint.view import Look, View
    from wireside.player.knobs import KnobRow


def draw_knobs(surface: Surface, look: Look, view: View) -> None:
    """Each knob with its value; a mark where it is not the default; below, when a change takes effect."""
    if view.knobs.search is not None:
        draw_search(surface, look, view)
        return
    surface.clear()
    knobs, glyphs = view.knobs, look.glyphs
    focused = view.focus_pane == "knobs"
    frame(surface, look, "KNOBS", _corner(surface, look, view), lit=focused or view.highlight[1] == "knobs")
    width = surface.w - 4
    note, color = _note(view)
    rows = surface.h - 2
    lines = wrap(plain(note, glyphs), width) if note else []
    if len(lines) > rows - 1:
        lines = wrap(plain(note, glyphs).partition("; ")[2] or note, width)[: rows - 1]
    if not knobs.message:
        lines = lines[: max(1, rows - len(knobs.rows))]
    if focused and knobs.rows and (doc := knobs.rows[knobs.chosen].doc) != note:
        more = [*wrap(plain(doc, glyphs), width), ""]
        if len(knobs.rows) + len(lines) + len(more) < rows:
            lines = more + lines
    shown = max(1, rows - len(lines))
    first = max(0, min(knobs.chosen - shown // 2, len(knobs.rows) - shown))
    for y, index in enumerate(range(first, min(len(knobs.rows), first + shown)), start=1):
        typed = knobs.typed if index == knobs.chosen else None
        _knob_row(surface, look, knobs.rows[index], y, typed, chosen=index == knobs.chosen and focused)
    for i, line in enumerate(lines):
        surface.put(2, surface.h - 1 - len(lines) + i, line, look.style(color))
    if not knobs.rows:
        surface.put(2, 1, "This scenario offers no knobs.", look.style("dim"))


def _corner(surface: Surface, look: Look, view: View) -> str:
    """The keys that act here, or what the mark means."""
    if view.knobs.typed is not None:
        return "Esc cancels"
    if view.focus_pane == "knobs":
        return "/ any sysctl"
    return f"{look.glyphs.mark} not the default" if surface.w >= 48 else ""


def _note(view: View) -> tuple[str, str]:
    knobs = view.knobs
    if knobs.message:
        return knobs.message, "bad" if knobs.refused else "good"
    if not knobs.rows:
        return "", "dim"
    if view.focus_pane != "knobs":
        return "Tab, then arrows: turn a knob while it runs.", "dim"
    row = knobs.rows[min(knobs.chosen, len(knobs.rows) - 1)]
    if knobs.typed is not None and row.allowed:
        return row.allowed, "dim"
    where = "" if row.host else "on every host; "
    return f"{where}takes effect: {row.when}" if row.when else row.doc, "dim"


def _knob_row(surface: Surface, look: Look, row: KnobRow, y: int, typed: str | None, *, chosen: bool) -> None:
    ground = "select" if chosen else "bg"
    surface.put(1, y, " " * (surface.w - 2), look.style("text", ground))
    if chosen:
        surface.cell(1, y, look.glyphs.cursor, look.style("accent", ground))
    right = surface.w - 2
    if typed is not None:
        text = typed + ("▏" if look.glyphs.unicode else "_")
        left = surface.put_right(right, y, text[-(surface.w - 8) :], look.style("bright", "track", bold=True))
    else:
        mark = look.glyphs.mark if row.changed else " "
        surface.put_right(right, y, mark, look.style("warn", ground, bold=True))
        value = plain(row.value, look.glyphs)
        if len(value) + len(row.label) + 5 > surface.w:
            value = fit(" ".join(map(rounded, value.split())), surface.w - 12, look.glyphs.ellipsis)
        style = look.style("warn" if row.changed else "accent", ground, bold=row.changed)
        left = surface.put_right(right - 2, y, value, style)
    label = fit(row.label, max(4, left - 3), look.glyphs.ellipsis)
    surface.put(2, y, label, look.style("bright" if chosen else "text", ground, bold=chosen))


def gauge_rows(view: View) -> list[tuple[str, str, float, str | None]]:
    """Every queue and state as (label, text, part, colour or None for heat): receiver first, sender last."""
    host, row = view.host, view.main_socket
    rows: list[tuple[str, str, float, str | None]] = []
    for nic in host.nics[:1]:
        if nic.rx_ring_size:
            used = f"{nic.rx_ring_used}/{nic.rx_ring_size}"
            rows.append(("RX ring", used, nic.rx_ring_used / nic.rx_ring_size, None))
    qlen = sum(s.input_qlen for s in host.softnet)
    most = int(host.sysctl.get("net.core.netdev_max_backlog", "1000"))
    rows.append(("backlog", f"{qlen}/{most}", qlen / most if most else 0.0, None))
    if row is not None and row.sk_rcvbuf:
        text = f"{size(row.sk_rmem_alloc)}/{size(row.sk_rcvbuf)}"
        rows.append(("rmem", text, row.sk_rmem_alloc / row.sk_rcvbuf, None))
        if row.netid == "tcp":
            open_ = row.rcv_wnd_left / max(1, row.rcv_wnd, row.rcv_ssthresh)
            text = f"{size(row.rcv_wnd_left)} left"
            rows.append(("rcv window", text, open_, "bad" if row.rcv_wnd_left == 0 else "good"))
    peer = view.peer_socket
    if peer is not None:
        other = peer[1]
        if other.sk_sndbuf:
            text = f"{size(other.sk_wmem_queued)}/{size(other.sk_sndbuf)}"
            rows.append(("peer sndbuf", text, other.sk_wmem_queued / other.sk_sndbuf, None))
        if other.netid == "tcp":
            flight = other.in_flight / other.cwnd if other.cwnd else 0.0
            rows.append(("in flight", f"{other.in_flight}/{other.cwnd} cwnd", flight, "accent"))
    total = sum(host.states.values())
    rows += [
        (state, str(n), n / total, "DATA") for state, n in sorted(host.states.items(), key=lambda i: -i[1])
    ]
    return rows


def draw_gauges(surface: Surface, look: Look, view: View) -> None:
    """Queues and states, each with a bar and a number."""
    surface.clear()
    frame(surface, look, "QUEUES & STATES", lit=view.highlight[1] == "gauges")
    rows = gauge_rows(view)[: surface.h - 2]
    numbers = max((len(text) for _, text, _, _ in rows), default=0)
    bar = surface.w - 4 - 12 - numbers - 1
    for y, (label, text, part, color) in enumerate(rows, start=1):
        surface.put(2, y, label[:11], look.style("text"))
        gauge(surface, look, Rect(14, y, bar, 1), part, color)
        tint = look.palette.rgb(color) if color else look.palette.heat(part)
        surface.put_right(surface.w - 2, y, text, look.style(tint, bold=True))
    _programs(surface, look, view, len(rows) + 1)


def _programs(surface: Surface, look: Look, view: View, y: int) -> None:
    """What each program of the scenario does, where rows are left."""
    colors = {"running": "good", "runnable": "warn", "sleeping": "hot"}
    for host in view.world.hosts:
        for program in host.programs:
            if y >= surface.h - 1:
                return
            surface.put(2, y, program.name[:11], look.style("text"))
            words = fit(
                plain(program.doing or program.state, look.glyphs), surface.w - 16, look.glyphs.ellipsis
            )
            surface.put_right(surface.w - 2, y, words, look.style(colors.get(program.state, "dim")))
            y += 1


SERIES_COLORS = {"pps": "accent", "ring": "hot", "rmem": "FIN", "drops": "bad"}
_TITLES = {"pps": "pkt/s", "ring": "ring", "rmem": "rmem", "drops": "drops"}


def sampled(series: Sequence[float], columns: int, upto: float, *, add: bool) -> list[float]:
    """`series` squeezed or stretched into `columns` columns, the whole covering `upto` buckets."""
    out = []
    for column in range(columns):
        first, last = column * upto / columns, (column + 1) * upto / columns
        part = series[int(first) : max(int(first) + 1, int(last))]
        out.append((sum(part) if add else max(part)) if part else 0.0)
    return out


def draw_timeline(surface: Surface, look: Look, view: View) -> None:
    """Strips of the whole run, and a line with the story's marks and the moment shown."""
    surface.clear()
    history = view.history
    frame(
        surface,
        look,
        "TIMELINE",
        plain(f"of {span(view.scenario.duration_ns)}", look.glyphs),
        lit=view.highlight[1] == "timeline",
    )
    left, width = 9, surface.w - 9 - 8
    total = max(view.scenario.duration_ns, view.t, 1)
    upto = total / history.bucket_ns
    rows = surface.h - 3
    names = ("pps", "ring", "rmem", "drops") if rows >= 4 else ("pps", "rmem") if rows >= 2 else ("rmem",)
    if rows in {2, 3}:
        ring = max(history.series["ring"], default=0.0)
        if any(history.series["drops"]):
            names = ("ring" if ring > 0.4 else "rmem", "drops")
        elif ring > 0.1:
            names = ("ring", "rmem")
    height = max(1, rows // len(names))
    y = 1
    for name in names:
        series = history.series[name]
        color = look.palette.rgb(SERIES_COLORS[name])
        values = sampled(series, width, upto, add=name == "drops")
        top = max(values, default=0.0) if name in {"pps", "drops"} else 1.0
        surface.put(2, y + height - 1, _TITLES[name], look.style(color))
        strip(surface, look, Rect(left, y, width, height), values, top, color)
        last = series[-1] if series else 0.0
        text = f"{last:.0%}" if name in {"ring", "rmem"} else count(sum(series) if name == "drops" else last)
        surface.put_right(surface.w - 2, y + height - 1, text, look.style(color, bold=True))
        y += height
    _rule(surface, look, view, Rect(2, surface.h - 2, surface.w - 4, 1), left, width, total)


def _rule(surface: Surface, look: Look, view: View, at: Rect, left: int, width: int, total: int) -> None:
    glyphs = look.glyphs
    head = min(width - 1, view.t * width // total)
    surface.put(left, at.y, glyphs.rule * head, look.style("accent"))
    surface.put(left + head, at.y, glyphs.dash * (width - head), look.style("faint"))
    for moment, kind in view.history.marks:
        x = left + min(width - 1, moment * width // total)
        mark = ("◆" if glyphs.unicode else "!") if kind == "beat" else ("◇" if glyphs.unicode else "o")
        surface.cell(x, at.y, mark, look.style("warn" if kind == "beat" else "FIN", bold=True))
    surface.cell(left + head, at.y, "●" if glyphs.unicode else "O", look.style("bright", bold=True))
    surface.put(at.x, at.y, "story", look.style("dim"))
