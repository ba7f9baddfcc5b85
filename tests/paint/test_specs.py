"""Each pane is declared once: its words, its place, and what it is drawn from."""

from dataclasses import FrozenInstanceError, fields, is_dataclass, replace
from itertools import pairwise

import pytest

from tests.paint.fake_world import MS, US, FakeOrigin, FakeWorld, scenario
from wireside.catalog import places
from wireside.catalog.together import DeclarationError
from wireside.paint.frame import Frame
from wireside.paint.glyphs import UNICODE
from wireside.paint.layout import SEARCH, layout, whole
from wireside.paint.lessons import Lesson, library_of
from wireside.paint.look import Look
from wireside.paint.palette import Palette
from wireside.paint.pane import is_same
from wireside.paint.picture import Picture, pictured
from wireside.paint.screen import SPECS, collected
from wireside.paint.surface import Surface
from wireside.paint.ui import KnobView, Ui

LOOK = Look(Palette(), UNICODE)
UIS = (
    Ui(keys=(("q", "quit"),), library=library_of((Lesson("a.yaml", "A", "About."),))),
    *(Ui(focus_pane="tools", tab=tab, tool_first=1) for tab in (1, 2, 3, 4)),
    Ui(focus_pane="knobs", knobs=KnobView(extra=("net.core.somaxconn",), chosen=3, typed="12")),
    Ui(focus_pane="knobs", knobs=KnobView(search="max", found=("net.core.somaxconn",))),
)


def room_of(name, size, ui):
    """A surface as large as the pane's place; None where it has none."""
    focus = SEARCH if ui.knobs.search is not None else ui.focus_pane
    rect = (whole(*size, name) if name == "library" else layout(*size, focus)).panes.get(name)
    return Surface(rect.w, rect.h) if rect else None


def frames(n=30, **facts):
    """Frames of a run, one after the other."""
    player = pictured(FakeOrigin(scenario(**facts), lambda: FakeWorld(30 * US, missed_every=9)))
    picture = Picture(player.scenario)
    for _ in range(n):
        player.advance(1 / 30)
        yield picture.frame(player)


class Watched:
    """A record that notes which of its fields are read, also by its own properties."""

    def __init__(self, record, read):
        self._record, self._read = record, read

    def __getattr__(self, name):
        found = getattr(type(self._record), name)
        if isinstance(found, property):
            return found.fget(self)
        self._read.add(name)
        return getattr(self._record, name)


@pytest.mark.parametrize("name", SPECS)
@pytest.mark.parametrize("size", [(80, 24), (120, 36), (200, 55)])
def test_a_pane_is_drawn_from_what_it_needs_and_from_nothing_else(name, size):
    read = set()
    for frame in frames(14):
        for ui in UIS:
            surface = room_of(name, size, ui)
            if surface is not None:
                watched = Watched(replace(frame, hold_s=1.5, quiet_ns=3), read), Watched(ui, read)
                SPECS[name].draw(surface, LOOK, *watched)
    assert read <= SPECS[name].needs


@pytest.mark.parametrize("name", SPECS)
def test_a_pane_says_nothing_of_what_it_does_not_draw_from(name):
    """Together with the test above: all that it says it needs, some state of the program makes it read."""
    read, first = set(), next(frames(1))
    quiet = tuple(replace(host, sockets=(), states={}) for host in first.world.hosts)
    states = (
        *frames(14),
        *frames(2, beats=()),
        *(replace(first, **{flag: True}) for flag in ("behind", "paused")),
        replace(first, hold_s=1.0),
        replace(first, world=replace(first.world, hosts=quiet)),
    )
    for size in ((80, 24), (120, 36), (200, 55)):
        for ui in UIS:
            surface = room_of(name, size, ui)
            for frame in states if surface is not None else ():
                SPECS[name].draw(surface, LOOK, Watched(frame, read), Watched(ui, read))
    assert read == SPECS[name].needs


@pytest.mark.parametrize("name", SPECS)
def test_what_was_drawn_from_the_same_facts_looks_the_same(name):
    spec, ui, drawn = SPECS[name], UIS[0], []
    for frame in frames(40):
        surface = room_of(name, (200, 55), ui)
        spec.draw(surface, LOOK, frame, ui)
        drawn.append((spec.seen(frame, ui), surface.text()))
    for (before, old), (after, new) in pairwise(drawn):
        assert old == new or not is_same(before, after)


def test_every_place_has_a_pane_and_every_pane_a_place():
    placed = {name for size in ((80, 24), (120, 36), (200, 55)) for name in layout(*size).panes}
    assert {*placed, *whole(80, 24, "library").panes} == set(SPECS)
    assert places.PANE_WORDS.keys() <= SPECS.keys()


def test_halves_that_do_not_match_are_found_when_panes_are_collected():
    specs = list(SPECS.values())
    assert collected(specs) == SPECS
    with pytest.raises(DeclarationError, match="pane with words 'gauges' is declared, but nothing"):
        collected([spec for spec in specs if spec.name != "gauges"])
    with pytest.raises(
        DeclarationError, match="pane with words 'status' is carried out, but declared nowhere"
    ):
        collected([replace(spec, words=("status", "line")) for spec in specs])
    with pytest.raises(DeclarationError, match="two panes are called 'status'"):
        collected([*specs, SPECS["status"]])
    with pytest.raises(DeclarationError, match="has other words"):
        collected([replace(spec, words=spec.words and (*spec.words, "toys")) for spec in specs])
    with pytest.raises(DeclarationError, match="needs toys"):
        collected([replace(spec, needs=spec.needs | {"toys"}) for spec in specs])


def test_a_frame_and_what_the_reader_chose_cannot_be_changed():
    frame = next(frames())
    for record in (frame, frame.scene, frame.past, UIS[0], UIS[0].knobs):
        assert is_dataclass(record)
        name = fields(record)[0].name
        with pytest.raises(FrozenInstanceError):
            setattr(record, name, None)
        assert not [
            each.name for each in fields(record) if isinstance(getattr(record, each.name), list | set)
        ]


def test_a_later_frame_leaves_an_earlier_one_as_it_was():
    """Nothing in a frame goes on living: drawn again, it is the same picture."""

    def drawn(frame):
        surfaces = [Surface(rect.w, rect.h) for rect in layout(120, 36).panes.values()]
        for surface, name in zip(surfaces, layout(120, 36).panes, strict=True):
            SPECS[name].draw(surface, LOOK, frame, UIS[0])
        return [surface.text() for surface in surfaces]

    seen = [(frame, drawn(frame)) for frame in frames(40, duration_ns=4 * MS)]
    assert all(drawn(frame) == text for frame, text in seen)
    assert isinstance(seen[0][0], Frame)
