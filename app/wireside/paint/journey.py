"""The journey pane: the receive path as boxes, packets moving through them, what waits and what falls out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from wireside.catalog import places
from wireside.catalog.packet_kinds import PacketKind
from wireside.catalog.stages import STAGES
from wireside.paint.margins import draw_drops, draw_peer, draw_sending, station_of_own_sending
from wireside.paint.palette import mix
from wireside.paint.pane import PaneSpec
from wireside.paint.scene import (
    FEW_MOVERS,
    RING,
    SOCKBUF,
    STATIONS,
    Mover,
    N,
    newest_stage,
    stage_within,
)
from wireside.paint.stations import Reading, readings
from wireside.paint.strokes import border, brick, gauge, trail
from wireside.paint.surface import Rect, Surface
from wireside.paint.words import fit, span

if TYPE_CHECKING:
    from wireside.paint.frame import Frame
    from wireside.paint.look import Look
    from wireside.paint.ui import Ui

INSIDE_PART = 0.8
PARKED_BRICKS = 4
"""Up to this many waiting packets are shown as bricks; more are told by ring and buffer themselves."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Where things stand inside the pane."""

    boxes: tuple[Rect, ...]
    lanes: range
    symbol_row: int
    """Row of the kernel function; 0: not shown."""
    value_row: int
    gauge_row: int
    latency_row: int
    ack_row: int
    drops_row: int
    peer_row: int


def plan(w: int, h: int) -> Plan:
    """The inside of a journey pane of `w` by `h` cells."""
    inner = w - 4
    pitch = inner / N
    gap = 2 if pitch < 14 else 3
    edges = [2 + round(k * (inner + gap) / N) for k in range(N + 1)]
    height = h - 4 if h < 13 else h - 5
    boxes = tuple(Rect(edges[k], 1, edges[k + 1] - edges[k] - gap, height) for k in range(N))
    rows = height - 2
    symbol = gauge_row = latency = 0
    bottom = height
    if rows >= 7:
        latency, bottom = bottom - 1, bottom - 1
    if rows >= 6:
        gauge_row, bottom = bottom - 1, bottom - 1
        symbol = 2
    value = bottom - 1
    first = 3 if symbol else 2
    ack = height + 1
    return Plan(
        boxes, range(first, value), symbol, value, gauge_row, latency, ack, ack + 1, ack + 2 if h >= 13 else 0
    )


def column(plan_: Plan, u: float) -> float:
    """The column of a packet at `u` (see scene), as a float."""
    k = min(N - 1, max(0, int(u)))
    box = plan_.boxes[k]
    left, right = box.x + 1, box.right - 1
    part = u - k
    if part <= INSIDE_PART:
        return left + (right - left - 1) * part / INSIDE_PART
    following = plan_.boxes[k + 1].x + 1 if k + 1 < N else right + 3
    return right - 1 + (following - right + 1) * (part - INSIDE_PART) / (1 - INSIDE_PART)


def draw_journey(surface: Surface, look: Look, frame: Frame, ui: Ui) -> None:
    """Draw the whole pane."""
    surface.clear()
    where = plan(surface.w, surface.h)
    station, pane = frame.highlight
    if station < 0:
        station = station_of_own_sending(frame)
    few = len(frame.scene.inbound) + len(frame.scene.outbound) <= FEW_MOVERS
    note = _current(frame) if few else f"1 brick = {frame.scene.thin} packets" if frame.scene.thin > 1 else ""
    symbols = _symbols(frame, where) if few else {}
    border(
        surface,
        look,
        f"{SPEC.title} {look.glyphs.to} {frame.focus}",
        note,
        lit=pane == "journey" and station < 0,
    )
    said = readings(frame)
    for k in range(N):
        reading = replace(said[k], symbol=symbols[k]) if k in symbols else said[k]
        _box(surface, look, frame, where, k, reading, lit=k == station)
    _gaps(surface, look, frame, where)
    _ring(surface, look, frame, where)
    _buffer(surface, look, frame, where)
    _outbound(surface, look, frame, where)
    _inbound(surface, look, frame, where)
    _falling(surface, look, frame, where)
    draw_drops(surface, look, frame, where.drops_row)
    if where.peer_row:
        draw_peer(surface, look, frame, where.peer_row)
    else:
        draw_sending(surface, look, frame, where.drops_row)


def _symbols(frame: Frame, where: Plan) -> dict[int, str]:
    """While packets can be followed one by one: a kernel function that each is in and that its box can name, by station."""
    traces = {trace.id: trace for trace in frame.traces}
    found = {}
    for mover in frame.scene.inbound:
        k = int(mover.u)
        if mover.parked or mover.id not in traces:
            continue
        trace = traces[mover.id]
        other = "tcp_" if trace.kind == PacketKind.UDP else "udp_"
        stage = STAGES[stage_within(trace, k, frame.t)]
        symbols = [name for name in stage.symbols if not name.startswith(other)]
        if symbols:
            found[k] = next((name for name in symbols if len(name) <= where.boxes[k].w - 2), symbols[0])
    return found


def _current(frame: Frame) -> str:
    """The newest thing that happened to a packet, such as "client DATA in tcp_write_xmit"."""
    newest = newest_stage(frame.traces, frame.t)
    if newest is None:
        return ""
    trace, stage = newest
    return f"{trace.kind} from {trace.source}: {STAGES[stage].title}"


def _box(
    surface: Surface, look: Look, frame: Frame, where: Plan, k: int, said: Reading, *, lit: bool
) -> None:
    box, station = where.boxes[k], STATIONS[k]
    surface.fill(box, " ", look.style("text", "panel"))
    if lit:
        surface.box(box, look.glyphs.heavy, look.style("warn", "panel", bold=True))
    else:
        surface.box(box, look.glyphs.borders, look.style("border", "panel"))
    title = f" {said.title or station.title} "
    at = box.x + (1 if len(title) + 2 <= box.w else 0)
    surface.put(at, box.y, title[: box.w], look.style("warn" if lit else "bright", "panel", bold=True))
    x, w = box.x + 1, box.w - 2
    wide = w >= 11
    if wide:
        x, w = x + 1, w - 2
    if where.symbol_row:
        short = len(said.symbol) <= w
        symbol = fit(said.symbol, w if short else box.w - 2, look.glyphs.ellipsis)
        surface.put(x if short else box.x + 1, where.symbol_row, symbol, look.style("dim", "panel"))
    color = look.palette.rgb(said.color) if said.color else look.palette.heat(said.part)
    value = said.value if len(said.value) <= w else said.short
    surface.put(x, where.value_row, value[:w], look.style(color, "panel"))
    if where.gauge_row and said.part >= 0:
        gauge(surface, look, Rect(x, where.gauge_row, w, 1), said.part, said.color)
    if where.latency_row and frame.latency[k] is not None:
        text = span(frame.latency[k] or 0).replace("µ", look.glyphs.micro)
        text = f"{text} mean" if len(text) + 5 <= w else text
        surface.put(x, where.latency_row, text[:w], look.style("dim", "panel"))


def _gaps(surface: Surface, look: Look, frame: Frame, where: Plan) -> None:
    glyphs = look.glyphs
    crowded = frame.scene.thin > 1
    style = look.style("accent" if crowded else "faint")
    for k in range(N - 1):
        left, right = where.boxes[k].right, where.boxes[k + 1].x
        for y in where.lanes:
            line = glyphs.gap * (right - left - 1) + glyphs.arrow
            surface.put(left, y, line, style)


def perimeter(rect: Rect) -> list[tuple[int, int]]:
    """The cells around the inside of `rect`, clockwise from the top left."""
    top = [(x, rect.y) for x in range(rect.x, rect.right)]
    if rect.h == 1:
        return top
    right = [(rect.right - 1, y) for y in range(rect.y + 1, rect.bottom - 1)]
    bottom = [(x, rect.bottom - 1) for x in range(rect.right - 1, rect.x - 1, -1)]
    left = [(rect.x, y) for y in range(rect.bottom - 2, rect.y, -1)]
    return top + right + bottom + left


def _ring(surface: Surface, look: Look, frame: Frame, where: Plan) -> None:
    """The descriptor ring as a loop: filled slots wait for the driver, dark ones are not yet given back."""
    nic = next((n for n in frame.host.nics if n.rx_ring_size), None)
    if nic is None:
        return
    box, lanes = where.boxes[RING], where.lanes
    cells = perimeter(Rect(box.x + 1, lanes.start, box.w - 2, len(lanes)))
    total, size = len(cells), nic.rx_ring_size
    filled = -(-nic.rx_ring_used * total // size)
    unfilled = nic.rx_ring_unfilled * total // size
    head = nic.statistics.get("rx_packets", 0) % size * total // size
    glyphs, part = look.glyphs, nic.rx_ring_used / size
    full = look.style(look.palette.heat(part), "panel")
    taken, free = look.style("border", "panel"), look.style("faint", "panel")
    for i in range(total):
        x, y = cells[(head + i) % total]
        if i < filled:
            surface.cell(x, y, glyphs.slot, full)
        elif i >= total - unfilled:
            surface.cell(x, y, glyphs.slot, taken)
        else:
            surface.cell(x, y, glyphs.free, free)


def _buffer(surface: Surface, look: Look, frame: Frame, where: Plan) -> None:
    """The socket's receive buffer as a tank: how much memory its queue is charged."""
    row = frame.main_socket
    box, lanes = where.boxes[SOCKBUF], where.lanes
    tank = Rect(box.x + 1, lanes.start, box.w - 2, len(lanes))
    part = row.sk_rmem_alloc / row.sk_rcvbuf if row and row.sk_rcvbuf else 0.0
    gauge(surface, look, tank, part)


def _lane(where: Plan, packet: int) -> int:
    lanes = where.lanes
    return lanes.start + packet % len(lanes)


def _inbound(surface: Surface, look: Look, frame: Frame, where: Plan) -> None:
    palette, scene = look.palette, frame.scene
    grounds = frozenset((palette.rgb("bg"), palette.rgb("panel"), palette.rgb("track")))
    shown = []
    row = frame.main_socket
    tank_told = row is not None and row.sk_rmem_alloc * 4 > row.sk_rcvbuf
    for mover in scene.inbound:
        if mover.parked and (
            scene.parked[int(mover.u)] > PARKED_BRICKS or (tank_told and int(mover.u) == SOCKBUF)
        ):
            continue
        x, y = column(where, mover.u), _lane(where, mover.id // scene.thin)
        if mover.depth:
            _fall(surface, look, where, mover, x)
            continue
        color = palette.rgb(mover.kind if mover.kind in palette.roles else PacketKind.DATA)
        if mover.id // (scene.thin * len(where.lanes)) % 2:
            color = mix(color, palette.roles["bg"], 0.25)
        shown.append((x, y, color))
        if not mover.parked:
            trail(surface, look, x, y, color, 1, grounds)
    for x, y, color in shown:
        brick(surface, look, x, y, color)


def _fall(surface: Surface, look: Look, where: Plan, mover: Mover, x: float) -> None:
    bottom = where.boxes[0].bottom
    y = where.lanes.stop - 1 + round(mover.depth * (bottom - where.lanes.stop + 1))
    _cross(surface, look, where, int(x), y)


def _cross(surface: Surface, look: Look, where: Plan, x: int, y: int) -> None:
    """Mark a lost packet, but never over a word, a number, a gauge or the bottom of its box."""
    if y in {where.value_row, where.gauge_row, where.latency_row, where.boxes[0].bottom - 1}:
        return
    under = look.palette.bg_of(surface.style_at(x, y))
    glyphs = look.glyphs
    free = (" ", glyphs.lane, glyphs.free, glyphs.slot)
    grounds = (look.palette.roles["panel"], look.palette.roles["bg"])
    if 0 <= y < surface.h and surface.ch[y][x] in free and under in grounds:
        surface.cell(x, y, look.glyphs.lost, look.style("bad", under, bold=True))


def _falling(surface: Surface, look: Look, frame: Frame, where: Plan) -> None:
    for station, depth, packets in frame.scene.falling:
        box = where.boxes[station]
        y = where.lanes.stop - 1 + round(depth * (box.bottom - where.lanes.stop + 1))
        n = min(6, packets.bit_length() + 1, box.w - 2)
        for i in range(n):
            _cross(
                surface,
                look,
                where,
                box.x + 1 + (i * (box.w - 2) // n + packets * 7 + i * 3) % (box.w - 2),
                y,
            )


def _outbound(surface: Surface, look: Look, frame: Frame, where: Plan) -> None:
    """The lane back: what the host sends, ACKs above all."""
    if not frame.speaks_tcp and not frame.scene.outbound:
        return
    y = where.ack_row
    glyphs, palette = look.glyphs, look.palette
    first, last = where.boxes[0].x, where.boxes[-1].right
    surface.put(first, y, glyphs.lane * (last - first), look.style("faint"))
    for k in range(N):
        surface.cell(where.boxes[k].x + where.boxes[k].w // 2, y, glyphs.lane, look.style("faint"))
    for mover in frame.scene.outbound:
        x = int(column(where, mover.u))
        color = palette.rgb(mover.kind if mover.kind in palette.roles else PacketKind.ACK)
        if mover.depth:
            surface.cell(x, y, glyphs.lost, look.style("bad", bold=True))
        elif mover.kind == PacketKind.DATA:
            brick(surface, look, column(where, mover.u), y, color)
        else:
            surface.cell(x, y, glyphs.ack, look.style(color, bold=True))
    label = f" {'ACKs' if frame.speaks_tcp else 'answers'} back {glyphs.ack} "
    surface.put_right(last, y, label, look.style("dim"))


SPEC = PaneSpec(
    "journey",
    "PACKET JOURNEY",
    draw_journey,
    every=1,
    words=places.PANE_WORDS["journey"],
    needs=frozenset(
        (
            "scenario",
            "world",
            "focus",
            "t",
            "scene",
            "traces",
            "latency",
            "main_socket",
            "peer_socket",
            "beat",
            "piles",
            "tcp_tells",
        )
    ),
)
