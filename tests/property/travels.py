"""Ways through a run: what a reader may do with a session, and all that can be seen of it at an instant."""

from __future__ import annotations

from dataclasses import fields
from functools import cache
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from wireside.errors import CommandError
from wireside.paint.glyphs import UNICODE
from wireside.paint.look import Look
from wireside.paint.palette import Depth, Palette
from wireside.paint.picture import Picture, pictured
from wireside.paint.screen import draw_screen
from wireside.session.commands import Position
from wireside.session.origin import Beginning

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wireside.paint.frame import Frame
    from wireside.paint.ui import Ui
    from wireside.scenario.spec import Scenario
    from wireside.session.commands import Command
    from wireside.session.film import Film
    from wireside.session.session import Session

    Turn = tuple[str, str, str]
    """Host, knob, value."""
    Move = tuple[Any, ...]
    """What the reader does, and how."""

LONG_AGO = 0.0
"""A wall deadline that is always past: the run stops at the first look at the clock."""
SIZES = ((80, 24), (120, 36))
FUTURE = frozenset({"past", "marks", "branches"})
"""Fields of a frame in which there is something of what is known of the future."""
SERIES = ("pps", "ring", "rmem", "drops", "ESTAB", "accept q")
PLAYED = 400
"""Frames that are played at most until a run has come to its instant by itself."""


def opened(scenario: Scenario, commands: Sequence[Command] = ()) -> Session:
    """A session with its picture, in which these knobs will be turned."""
    session = pictured(Beginning(scenario, scenario.seed))
    session.machine.commands = tuple(commands)
    return session


def moves(end_ns: int, turns: Sequence[Turn]) -> st.SearchStrategy[list[Move]]:
    """What a reader may do in a run that is looked at up to `end_ns`, with these knobs."""
    instants = st.integers(0, end_ns)
    few = st.integers(1, 5)
    rates = st.sampled_from((1 / 60, 1 / 30, 1 / 11, 0.0071, 0.1))
    ways = [
        st.tuples(st.just("go"), instants),
        st.tuples(st.just("part"), instants),
        st.tuples(st.just("step"), few),
        st.tuples(st.just("step_back"), st.just(1)),
        st.tuples(st.just("mark"), st.sampled_from((-1, 1))),
        st.tuples(st.just("beat"), st.sampled_from((-1, 1))),
        st.tuples(st.just("play"), rates, st.integers(1, 40)),
        st.tuples(st.just("late"), rates, st.integers(1, 10)),
        st.tuples(st.just("backwards"), rates, st.integers(1, 6)),
        st.tuples(st.just("pause")),
        st.tuples(st.just("pace"), st.sampled_from((-1, 1))),
        st.tuples(st.sampled_from(("home", "end"))),
    ]
    if turns:
        ways += [st.tuples(st.just("turn"), st.sampled_from(turns))] * 2
    return st.lists(st.one_of(ways), max_size=12)


def do(session: Session, move: Move, end_ns: int) -> None:
    """Do one thing; nothing goes on far beyond `end_ns`."""
    name, *how = move
    if name == "go":
        session.go(Position(how[0]))
    elif name == "part":
        session.go(Position(how[0]), LONG_AGO)
    elif name == "step":
        for _ in range(how[0]):
            session.step()
    elif name == "step_back":
        session.step_back()
    elif name in {"mark", "beat"}:
        session.go_to_mark(how[0], kinds=("beat", "knob", "loss") if name == "mark" else ("beat",))
    elif name in {"play", "late", "backwards"}:
        _run(session, name, how[0], how[1], end_ns)
    elif name == "pause":
        session.toggle_pause()
    elif name == "pace":
        session.change_pace(how[0])
    elif name == "home":
        session.go_home()
    elif name == "end":
        session.go(Position(session.known_ns))
    elif name == "turn":
        _turn(session, how[0])


def _run(session: Session, name: str, dt: float, frames: int, end_ns: int) -> None:
    session.pace.paused = False
    if name == "backwards" and not session.backwards:
        session.play_backwards()
    for _ in range(frames):
        if session.now < end_ns:
            session.advance(dt, LONG_AGO if name == "late" else None)


def _turn(session: Session, turn: Turn) -> None:
    try:
        session.turn(*turn)
    except CommandError:
        return


def play_forward(session: Session, t_ns: int, dt: float = 1 / 30, frames: int = PLAYED) -> Session:
    """Play to `t_ns`: at the reader's pace as long as that takes no more than so many frames, never going back.

    The session that has come there is another one when a quiet stretch led beyond: that is seen only when it was crossed.
    """
    for frame in range(frames):
        if session.now + session.scale * 0.2 >= t_ns:
            break
        session.pace.paused = False
        session.advance(dt)
        if session.now > t_ns:
            return play_forward(opened(session.scenario, session.machine.commands), t_ns, dt, frame)
    machine = session.machine
    while machine.position < Position(t_ns, len(session.story.told)) or session.story.due:
        machine.obey()
        if session.story.due:
            machine.tell()
        else:
            machine.leg(t_ns)
    machine.obey()
    while session.story.due:
        machine.tell()
    session.pace.paused = True
    session._arrived()
    return session


@cache
def look() -> Look:
    """How screens are painted here."""
    return Look(Palette(Depth.TRUE), UNICODE)


def cells(frame: Frame, ui: Ui) -> list[tuple[list[list[str]], list[bytes]]]:
    """The drawn picture, cell for cell, at every size."""
    surfaces = [draw_screen(w, h, look(), frame, ui) for w, h in SIZES]
    return [(surface.ch, [row.tobytes() for row in surface.st]) for surface in surfaces]


def frame_of(session: Session) -> Frame:
    """The present frame, made by nobody's screen."""
    return Picture(session.scenario).frame(session)


def seen(session: Session) -> dict[str, Any]:
    """All that is known of the instant and of what came before it, and nothing of what comes after it."""
    machine = session.machine
    world, now = machine.world, session.now
    past = machine.past(world.snapshot())
    packets = machine.packets()
    frame = frame_of(session)
    edges = [now * k // 7 for k in range(8)]
    states = sorted(past.now.states)
    return {
        "position": machine.position,
        "snapshot": world.snapshot(),
        "story": machine.story,
        "tail": machine.tail,
        "now": past.now,
        "samples": machine.film.samples[: machine.tail.count],
        "losses": past.losses,
        "most": past.most,
        "rates": [past.rate(state) for state in states],
        "grown": past.grown(),
        "columns": [past.columns(name, edges, past.bounds(edges), future=False) for name in SERIES],
        "packets": [packets.newest(level) for level in range(13)],
        "events": world.events(0),
        "last events": machine.events(60),
        "pace": (session.scale, session.ended),
        "told": [
            (n, t) for n, t in machine.film.told.items() if n in {told.number for told in session.story.told}
        ],
        "knobs": session.knobs(),
        **{field.name: getattr(frame, field.name) for field in fields(frame) if field.name not in FUTURE},
    }


def known(film: Film) -> tuple[Any, ...]:
    """All that a film knows."""
    return film.samples, film.times, film.losses, film.told, film.known_ns, film.events(1 << 40, 1 << 40)


def difference(one: dict[str, Any], other: dict[str, Any]) -> list[str]:
    """Where two instants differ."""
    return [name for name, value in one.items() if value != other[name]]


def took_turns(scenario: Scenario, turn: Turn) -> bool:
    """Whether the scenario has this knob."""
    return scenario.hosts[0].nic.kind == "nic" or not turn[1].startswith("nic.")
