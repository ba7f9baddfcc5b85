"""The library's pane: every lesson with what it is about, and the chosen one in full."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wireside.paint.glyphs import plain
from wireside.paint.pane import PaneSpec
from wireside.paint.panes import draw_keys
from wireside.paint.strokes import border
from wireside.paint.surface import Rect, Surface
from wireside.paint.words import fit, span, wrap

if TYPE_CHECKING:
    from wireside.paint.frame import Frame
    from wireside.paint.lessons import Lesson, LibraryView
    from wireside.paint.look import Look
    from wireside.paint.ui import Ui

WIDE = 110
"""From this width on a lesson has two lines, and the chosen one a pane beside the list."""
SIDE = 42
BELOW = 6
"""Columns and rows of the chosen lesson's pane, beside and below the list."""
TOP = 4


def draw_library(surface: Surface, look: Look, frame: Frame, ui: Ui) -> None:
    """Draw the whole screen."""
    surface.clear()
    view = ui.library
    glyphs, bar = look.glyphs, look.style("text", "bar")
    surface.fill(Rect(0, 0, surface.w, 1), " ", bar)
    x = surface.put(1, 0, glyphs.logo, look.style("accent", "bar", bold=True))
    x = surface.put(x + 1, 0, "wireside", look.style("accent", "bar", bold=True))
    surface.put(x + 2, 0, SPEC.title, look.style("bright", "bar"))
    count = len(view.lessons)
    surface.put_right(surface.w - 1, 0, f"{count} lesson{'s' * (count != 1)}", look.style("dim", "bar"))
    wide = surface.w >= WIDE
    _filter(surface, look, view, surface.w - 3 - SIDE if wide else surface.w - 2)
    if wide:
        _list(surface, look, view, Rect(2, TOP, surface.w - SIDE - 5, surface.h - TOP - 1), each=2)
        _chosen(surface, look, view, Rect(surface.w - SIDE - 1, 2, SIDE, surface.h - 4))
    else:
        below = surface.h - 1 - BELOW
        _list(surface, look, view, Rect(2, TOP, surface.w - 4, below - TOP), each=1)
        _chosen(surface, look, view, Rect(0, below, surface.w, BELOW))
    foot = Surface(surface.w, 1, bar)
    draw_keys(foot, look, ui.keys)
    surface.blit(foot, 0, surface.h - 1)


def _filter(surface: Surface, look: Look, view: LibraryView, right: int) -> None:
    surface.put(2, 2, " " * (right - 2), look.style("text", "bar"))
    x = surface.put(3, 2, "/ ", look.style("warn", "bar", bold=True))
    if view.filter is None:
        surface.put(x, 2, "finds a word in title, text, teaching or knob", look.style("dim", "bar"))
        return
    mark = "▏" if look.glyphs.unicode else "_"
    surface.put(x, 2, (view.filter + mark)[-(right - 28) :], look.style("bright", "bar", bold=True))
    count = f"{len(view.found)} of {len(view.lessons)} match"
    surface.put_right(right - 1, 2, count, look.style("dim", "bar"))


def _list(surface: Surface, look: Look, view: LibraryView, at: Rect, each: int) -> None:
    """The lessons, `each` lines for one; the chosen one is always in sight."""
    room = at.h // each
    first = max(0, min(view.chosen - room // 2, len(view.found) - room))
    if not view.found:
        surface.put(at.x + 2, at.y, "No lesson has these words; esc shows all.", look.style("dim"))
    for line, index in enumerate(range(first, min(len(view.found), first + room))):
        lesson = view.found[index]
        _lesson(surface, look, lesson, Rect(at.x, at.y + line * each, at.w, each), view, index == view.chosen)


def _lesson(surface: Surface, look: Look, lesson: Lesson, at: Rect, view: LibraryView, chosen: bool) -> None:
    glyphs = look.glyphs
    ground = "select" if chosen else "bg"
    for y in range(at.y, at.bottom):
        surface.put(at.x, y, " " * at.w, look.style("text", ground))
        if chosen:
            surface.cell(at.x, y, glyphs.cursor, look.style("accent", ground))
    color = "bad" if lesson.fault else "good" if lesson.path == view.playing else "dim"
    surface.put(at.x + 2, at.y, glyphs.bullet, look.style(color, ground))
    fact = (
        "damaged"
        if lesson.fault
        else "waits here"
        if lesson.path == view.playing
        else f"{lesson.beats} beats"
    )
    right = surface.put_right(at.right - 1, at.y, fact, look.style("text" if chosen else "dim", ground)) - 2
    title = fit(plain(lesson.title, glyphs), right - at.x - 4, glyphs.ellipsis)
    _hits(surface, look, view, at.x + 4, at.y, title, ("bright" if chosen else "text", ground, chosen))
    if at.h > 1:
        text = fit(plain(lesson.fault or lesson.summary, glyphs), at.w - 6, glyphs.ellipsis)
        _hits(surface, look, view, at.x + 4, at.y + 1, text, ("text" if chosen else "dim", ground, False))


def _hits(
    surface: Surface, look: Look, view: LibraryView, x: int, y: int, text: str, ink: tuple[str, str, bool]
) -> None:
    """Write `text`, and light what has been looked for."""
    color, ground, bold = ink
    surface.put(x, y, text, look.style(color, ground, bold=bold))
    low = text.lower()
    for word in (view.filter or "").lower().split():
        at = low.find(word)
        while at >= 0:
            surface.restyle(Rect(x + at, y, len(word), 1), look.style("warn", ground, bold=True))
            at = low.find(word, at + len(word))


def _chosen(surface: Surface, look: Look, view: LibraryView, at: Rect) -> None:
    """The chosen lesson: its situation, its question, what one turns and what it teaches."""
    lesson = view.lesson
    if lesson is None:
        return
    pane = Surface(at.w, at.h, surface.fill_style)
    glyphs, width = look.glyphs, at.w - 4
    right = f"{lesson.beats} beats, {span(lesson.duration_ns)}" if not lesson.fault else "damaged"
    title = fit(plain(lesson.title, glyphs), at.w - len(right) - 10, glyphs.ellipsis)
    border(pane, look, title, plain(right, glyphs), lit=True)
    lines = _roomy(lesson, look, width) if at.h > BELOW else _brief(lesson, look, width)
    for y, (line, color) in enumerate(lines[: at.h - 2], start=1):
        pane.put(2, y, line, look.style(color, bold=color == "bright"))
    surface.blit(pane, at.x, at.y)


def _roomy(lesson: Lesson, look: Look, width: int) -> list[tuple[str, str]]:
    glyphs = look.glyphs
    lines = [(line, "text") for line in wrap(plain(lesson.fault or lesson.summary, glyphs), width)]
    parts = (
        ("You will be asked", lesson.question, "warn"),
        ("You will turn", "  ".join(lesson.knobs), "accent"),
        ("It teaches", ", ".join(lesson.teaches), "text"),
    )
    for head, text, color in parts:
        if text:
            lines += [("", "text"), (head, "bright")]
            lines += [(line, color) for line in wrap(plain(text, glyphs), width)]
    return lines


def _brief(lesson: Lesson, look: Look, width: int) -> list[tuple[str, str]]:
    """At most three lines of text, the last one cut at a word, and one of what it teaches."""
    glyphs = look.glyphs
    lines = wrap(plain(lesson.fault or lesson.summary, glyphs), width)
    if len(lines) > BELOW - 3:
        lines = lines[: BELOW - 3]
        lines[-1] = fit(f"{lines[-1]} {glyphs.ellipsis}", width, glyphs.ellipsis)
    teaches = fit(plain(f"teaches {', '.join(lesson.teaches)}", glyphs), width, glyphs.ellipsis)
    return (
        [*((line, "text") for line in lines), (teaches, "accent")]
        if lesson.teaches
        else [(line, "text") for line in lines]
    )


SPEC = PaneSpec("library", "LIBRARY", draw_library, every=1, words=(), needs=frozenset(("library", "keys")))
