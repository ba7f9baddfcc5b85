"""The quiet panes: status line, narration, events, footer, help, and the apology for a small terminal."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from wireside.catalog import places
from wireside.paint.glyphs import plain
from wireside.paint.layout import MIN_HEIGHT, MIN_WIDTH
from wireside.paint.pane import PaneSpec
from wireside.paint.strokes import border
from wireside.paint.words import clock, fit, question_of, short_clock, span, wrap

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wireside.paint.frame import Frame
    from wireside.paint.look import Look
    from wireside.paint.surface import Surface
    from wireside.paint.ui import Ui
    from wireside.snapshot import Event

TOPIC_COLORS = {
    "nic": "accent",
    "softirq": "warn",
    "ip": "UDP",
    "tcp": "DATA",
    "udp": "UDP",
    "sock": "hot",
    "program": "dim",
    "sysctl": "FIN",
    "timer": "PROBE",
    "drop": "bad",
}


def draw_status(surface: Surface, look: Look, frame: Frame, ui: Ui) -> None:
    """One line: what plays, whether it plays, how fast, when."""
    glyphs = look.glyphs
    surface.fill_style = look.style("text", "bar")
    surface.clear()
    x = surface.put(1, 0, glyphs.logo, look.style("accent", "bar", bold=True))
    x = surface.put(x + 1, 0, "wireside", look.style("accent", "bar", bold=True))
    factor = f" {glyphs.times}{frame.factor:g}" if frame.factor != 1 else ""
    speed = f"1 s = {span(frame.scale)}{factor}"
    time = f"t={clock(frame.t)}"
    parts = [(time, "text"), (f"seed {frame.seed}", "dim"), (f"{ui.fps:2.0f} fps", "dim")]
    right = surface.w - 1
    if surface.w < 110:
        parts = parts[:1]
    for text, color in reversed(parts):
        right = surface.put_right(right, 0, plain(text, glyphs), look.style(color, "bar")) - 2
    if frame.behind and not frame.paused:
        right = surface.put_right(right, 0, "behind", look.style("hot", "bar", bold=True)) - 2
    if not frame.quiet_ns or frame.paused:
        right = surface.put_right(right, 0, plain(speed, glyphs), look.style("text", "bar", bold=True)) - 1
    state, color = _running(look, frame)
    right = surface.put_right(right, 0, state, look.style(color, "bar", bold=True)) - 2
    title = plain(frame.scenario.title, glyphs)
    if right - x - 2 > 8:
        surface.put(x + 2, 0, fit(title, right - x - 2, glyphs.ellipsis), look.style("bright", "bar"))


def _running(look: Look, frame: Frame) -> tuple[str, str]:
    """Whether the run goes on and, if not, why; with its colour."""
    glyphs = look.glyphs
    if frame.going_to is not None:
        return plain(f"{glyphs.play}{glyphs.play} going to {span(frame.going_to)}", glyphs), "accent"
    if frame.backwards:
        return f"{glyphs.ack} backwards", "FIN"
    if frame.paused:
        return f"{glyphs.pause} {'end' if frame.ended else 'paused'}", "warn"
    if frame.hold_s > 0:
        return f"{glyphs.pause} {_seconds(frame.hold_s)} to read ", "warn"
    if frame.quiet_ns:
        return plain(f"{glyphs.play}{glyphs.play} nothing for {span(frame.quiet_ns)}", glyphs), "accent"
    return glyphs.play, "good"


def _seconds(s: float) -> str:
    return f"{math.ceil(s)} s"


def draw_footer(surface: Surface, look: Look, frame: Frame, ui: Ui) -> None:
    """The keys, as many as fit; where a beat points at the knobs, their key stands out, for their pane may be hidden."""
    draw_keys(surface, look, ui.keys, lit="knobs" if frame.highlight[1] == "knobs" else "")


def draw_keys(surface: Surface, look: Look, keys: Sequence[tuple[str, str]], lit: str = "") -> None:
    """One line of keys and what they do; the one with the title `lit` stands out."""
    surface.fill_style = look.style("text", "bar")
    surface.clear()
    x = 1
    for key, title in keys:
        if x + len(key) + len(title) + 2 > surface.w:
            break
        x = surface.put(x, 0, key, look.style("warn", "bar", bold=True))
        style = look.style("accent", "bar", bold=True) if title == lit else look.style("dim", "bar")
        x = surface.put(x + 1, 0, title, style) + 2


def draw_narration(surface: Surface, look: Look, frame: Frame, ui: Ui) -> None:
    """What happens, in words; the question stands apart."""
    surface.clear()
    glyphs = look.glyphs
    total = len(frame.scenario.beats)
    right = f"{frame.beats_said}/{total}" if total else ""
    if frame.hold_s > 0:
        right = f"space: next (in {_seconds(frame.hold_s)})  {right}"
    border(surface, look, plain(frame.scenario.title, glyphs), right)
    if ui.note:
        note = fit(plain(ui.note, glyphs), surface.w - 6, glyphs.ellipsis)
        surface.put(2, surface.h - 1, f" {note} ", look.style("FIN", bold=True))
    say = frame.beat.say if frame.beat else frame.scenario.summary
    text, question = question_of(plain(say, glyphs))
    width, rows = surface.w - 4, surface.h - 2
    asked = wrap(question, width - 2) if question else []
    lines = wrap(text, width) if text else []
    if len(lines) + len(asked) > rows:
        lines, asked = wrap(f"{text} {question}".strip(), width), []
    if len(lines) > rows:
        lines = lines[:rows]
        lines[-1] = fit(lines[-1] + " " + glyphs.ellipsis, width, glyphs.ellipsis)
    for y, line in enumerate(lines, start=1):
        surface.put(2, y, line, look.style("text"))
    for y, line in enumerate(asked, start=1 + len(lines)):
        mark = glyphs.ask if y == 1 + len(lines) else " "
        surface.put(2, y, f"{mark} {line}", look.style("warn", bold=True))


def draw_events(surface: Surface, look: Look, frame: Frame, ui: Ui) -> None:
    """The newest events as a pane of their own."""
    surface.clear()
    border(surface, look, EVENTS.title, lit=frame.highlight[1] == "events")
    event_lines(surface, look, frame.events, surface.h - 2, 1)


def event_lines(surface: Surface, look: Look, events: Sequence[Event], rows: int, y: int) -> None:
    """`rows` lines of events, newest first."""
    glyphs, bottom = look.glyphs, y + rows
    narrow = surface.w < 70
    for event in reversed(events[-rows:]):
        color = ("text", "warn", "bad")[min(2, event.severity)]
        topic = look.style(TOPIC_COLORS.get(event.topic, "dim"), bold=True)
        surface.put(2, y, short_clock(event.time_ns), look.style("dim"))
        text = plain(event.text, glyphs)
        left = 12 if narrow else 20
        if not narrow:
            surface.put(12, y, event.topic[:7], topic)
        lines = (
            wrap(text, surface.w - left - 2) if narrow else [fit(text, surface.w - left - 2, glyphs.ellipsis)]
        )
        for line in lines:
            if y < bottom:
                surface.put(left, y, line, look.style(color, bold=event.severity > 1))
            y += 1
        if y >= bottom:
            return


def draw_too_small(surface: Surface, look: Look) -> None:
    """Ask for a larger terminal."""
    surface.clear()
    lines = (
        "Wireside needs a little more room.",
        f"This terminal is {surface.w} by {surface.h}; at least {MIN_WIDTH} by {MIN_HEIGHT}, please.",
        "q quits",
    )
    top = max(0, surface.h // 2 - 1)
    for i, line in enumerate(lines):
        text = line[: surface.w]
        surface.put(
            (surface.w - len(text)) // 2, top + i, text, look.style("text" if i else "bright", bold=i == 0)
        )


def draw_help(surface: Surface, look: Look, rows: Sequence[tuple[str, str]], kinds: Sequence[str]) -> None:
    """All keys with a sentence each, and what the colours mean."""
    surface.clear()
    border(surface, look, "KEYS", "any key closes", lit=True)
    tight = surface.h < len(rows) + 6
    y = 1 if tight else 2
    for key, text in rows:
        if y >= surface.h - 1:
            break
        surface.put_right(14, y, plain(key, look.glyphs), look.style("warn", bold=True))
        surface.put(16, y, fit(text, surface.w - 18, look.glyphs.ellipsis), look.style("text"))
        y += 1
    if y > surface.h - 3:
        return
    x, y = 3, surface.h - 2
    for kind in kinds:
        if x + len(kind) + 4 > surface.w - 2:
            break
        if look.glyphs.unicode:
            surface.put(x, y, "  ", look.style("ink", kind))
        else:
            surface.put(x, y, "o", look.style(kind, bold=True))
        x = surface.put(x + 3, y, kind, look.style("dim")) + 1


STATUS = PaneSpec(
    "status",
    "",
    draw_status,
    every=1,
    words=(),
    needs=frozenset(
        (
            "scenario",
            "t",
            "scale",
            "factor",
            "seed",
            "paused",
            "behind",
            "ended",
            "backwards",
            "going_to",
            "hold_s",
            "quiet_ns",
            "fps",
        )
    ),
)


NARRATION = PaneSpec(
    "narration",
    "",
    draw_narration,
    every=4,
    words=places.PANE_WORDS["narration"],
    needs=frozenset(("scenario", "beat", "beats_said", "hold_s", "note")),
)


EVENTS = PaneSpec(
    "events",
    "EVENTS",
    draw_events,
    every=6,
    words=places.PANE_WORDS["events"],
    needs=frozenset(("events", "beat")),
)


FOOTER = PaneSpec("footer", "", draw_footer, every=15, words=(), needs=frozenset(("keys", "beat")))
