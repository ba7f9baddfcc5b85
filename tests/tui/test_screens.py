"""Keys and screens: one meaning for a key, one file for a screen, and nothing shown that does nothing."""

import asyncio
from dataclasses import replace

import pytest

from tests.paint.fake_world import FakeOrigin, scenario
from wireside.catalog.actions import ACTIONS, BY_KEY, Says, Where, acting, footer, help_of
from wireside.catalog.together import DeclarationError
from wireside.paint.glyphs import UNICODE
from wireside.paint.look import Look
from wireside.paint.palette import Palette
from wireside.paint.picture import pictured
from wireside.paint.screen import SPECS
from wireside.tui.app import WiresideApp
from wireside.tui.screens import SCREENS, collected

CLASSES = tuple(SCREENS.values())
FIELDS = [where for where in Where if where.field]


def app(**options):
    player = pictured(FakeOrigin(scenario()))
    return WiresideApp(player, look=Look(Palette(), UNICODE), renderer="safe", **options)


def on_screen(test):
    """Run a test with the app and its pilot."""

    def run():
        async def play():
            program = app()
            async with program.run_test(size=(120, 36)) as pilot:
                program.screen.ticking.pause()
                await test(program, pilot)

        asyncio.run(play())

    run.__name__ = test.__name__
    return run


def test_a_key_has_one_meaning_on_all_screens():
    keys = [key for action in ACTIONS for key in action.keys]
    assert len(keys) == len(set(keys))
    for where in Where:
        for key in keys:
            assert acting(where, key, None) in (None, BY_KEY[key])


@pytest.mark.parametrize("where", FIELDS)
def test_in_a_field_what_can_be_printed_is_text(where):
    for action in ACTIONS:
        for key in action.keys:
            if len(key) == 1:
                assert acting(where, key, key) is None
    assert acting(where, "space", " ") is None
    assert acting(where, "ctrl+c", "\x03").name == "quit"
    assert acting(where, "enter", "\r").name == "type"
    assert acting(where, "tab", "\t") is None


@pytest.mark.parametrize("where", Where)
def test_whatever_footer_and_help_show_acts_there(where):
    shown = {action.name for action in ACTIONS if where in action.says}
    for action in ACTIONS:
        if action.name in shown or action.always:
            assert any(acting(where, key, None) is action for key in action.keys)
        else:
            assert not any(acting(where, key, None) for key in action.keys)
    assert {title for _, title in footer(where)} == {
        action.says[where].footer for action in ACTIONS if action.name in shown
    } - {""}
    assert not help_of(where) if where.field else len(help_of(where)) > 4


def test_what_can_do_nothing_now_is_not_shown():
    idle = frozenset(("next", "previous"))
    assert "scenario" in dict(footer(Where.JOURNEY)).values()
    assert "scenario" not in dict(footer(Where.JOURNEY, idle)).values()
    assert "n p" not in dict(help_of(Where.JOURNEY, idle))


def test_halves_that_do_not_match_are_found_when_screens_are_collected():
    assert collected(CLASSES) == SCREENS
    with pytest.raises(DeclarationError, match="screen 'library' is declared, but nothing"):
        collected([SCREENS["journey"]])
    toy = replace(ACTIONS[0], name="toy", says={Where.LIBRARY: Says("toy")})
    with pytest.raises(DeclarationError, match="library has keys for 'toy', but no do_toy"):
        collected(CLASSES, [toy])
    with pytest.raises(DeclarationError, match="action 'toy' opens 'toys', which is no screen"):
        collected(CLASSES, [replace(toy, opens="toys")])


@pytest.mark.parametrize("screen", CLASSES)
def test_what_a_screen_can_do_some_key_does(screen):
    deeds = {name.removeprefix("do_") for name in dir(screen) if name.startswith("do_")}
    acts = {action.name for action in ACTIONS if any(w.screen == screen.WHERE.screen for w in action.says)}
    assert deeds <= acts


def test_every_pane_is_on_some_screen():
    assert {pane for screen in CLASSES for pane in screen.PANES} == set(SPECS)


@on_screen
async def test_whatever_has_a_place_on_a_screen_is_one_of_its_panes(program, pilot):
    for screen in (program.screen, SCREENS["library"](program.seat)):
        for size in ((80, 24), (100, 30), (120, 36), (200, 55)):
            assert set(screen.layout_of(*size).panes) <= set(screen.PANES)


@on_screen
async def test_the_footer_shows_the_keys_of_the_field_that_is_typed_in(program, pilot):
    def last_row():
        program.screen.tick()
        return program.screen.panes["footer"].new.text()

    await pilot.press("space")
    assert "space pause" in last_row()
    assert "n p scenario" not in last_row()
    await pilot.press("enter")
    assert last_row().split() == ["enter", "set", "esc", "cancel", "ctrl+c", "quit"]
    await pilot.press("escape", "/")
    assert last_row().startswith(" up/down choose  enter take  esc back")
    await pilot.press("escape")
    assert "space pause" in last_row()


@on_screen
async def test_a_screen_is_left_by_the_key_that_opened_it(program, pilot):
    journey = program.screen
    await pilot.press("l")
    await pilot.pause()
    assert isinstance(program.screen, SCREENS["library"])
    await pilot.press("l")
    await pilot.pause()
    assert program.screen is journey


@on_screen
async def test_help_tells_the_keys_of_the_screen_at_hand(program, pilot):
    await pilot.press("l")
    await pilot.pause()
    await pilot.press("?")
    page = program.screen.over.new.text()
    assert "Play the chosen lesson." in page
    assert "Start this scenario again." not in page
    await pilot.press("x")
    assert not program.screen.over.display


@on_screen
async def test_the_timeline_is_lit_while_it_has_the_keyboard(program, pilot):
    screen = program.screen
    await pilot.press("space", "tab", "tab", "tab")
    assert screen.focus_pane == "timeline"
    screen.tick()
    pane = screen.panes["timeline"].new
    assert pane.st[0][0] == screen.look.style("accent")
    await pilot.press("escape")
    screen.tick()
    assert screen.panes["timeline"].new.st[0][0] == screen.look.style("border")


@on_screen
async def test_a_pane_is_drawn_only_when_what_it_shows_has_changed(program, pilot):
    screen = program.screen
    drawn = []
    for pane in screen.panes.values():
        pane.frame = lambda draw, writer, name=pane.pane_name: drawn.append(name)
    screen.place_panes()
    assert set(drawn) == {name for name in screen.PANES if name in screen.plan.panes}
    await pilot.press("space")
    screen.tick()
    drawn.clear()
    await pilot.press("2")
    screen.tick()
    assert "tools" in drawn
    assert not {"narration", "knobs", "events", "footer"} & set(drawn)
