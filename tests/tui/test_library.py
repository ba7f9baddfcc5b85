import asyncio
from contextlib import asynccontextmanager

import pytest

from tests.paint.fake_world import FakeOrigin, scenario
from wireside.errors import ScenarioError
from wireside.paint.glyphs import UNICODE
from wireside.paint.look import Look
from wireside.paint.palette import Depth, Palette
from wireside.paint.picture import pictured
from wireside.scenario.library import library
from wireside.tui.app import WiresideApp
from wireside.tui.screens.journey import JourneyScreen
from wireside.tui.screens.library import LibraryScreen

PATHS = [str(path) for path in library()]


def player(path=PATHS[1]):
    return pictured(FakeOrigin(scenario(path=path, beats=())))


def broken(path):
    raise ScenarioError("it has gone")


@asynccontextmanager
async def playing(size=(120, 36), open_path=player):
    app = WiresideApp(
        player(),
        look=Look(Palette(Depth.TRUE), UNICODE),
        renderer="safe",
        neighbours=PATHS,
        open_path=open_path,
    )
    async with app.run_test(size=size) as pilot:
        app.screen.ticking.pause()
        yield app, pilot


@pytest.mark.parametrize("size", [(80, 24), (120, 36)])
def test_l_lists_the_lessons_and_esc_brings_the_run_back_as_it_was(size):
    async def visit():
        async with playing(size) as (app, pilot):
            journey = app.screen
            await pilot.press("space", ".", "tab", "2")
            before = journey.session.now, journey.session.paused, journey.focus_pane, journey.tools.tab
            await pilot.press("l")
            await pilot.pause()
            assert isinstance(app.screen, LibraryScreen)
            assert "LIBRARY" in app.screen.panes["library"].new.text()
            assert app.screen.shown.lesson.path == PATHS[1]
            await pilot.press("down", "up", "up")
            assert app.screen.shown.lesson.path == PATHS[0]
            await pilot.press("escape")
            await pilot.pause()
            assert app.screen is journey
            assert before == (
                journey.session.now,
                journey.session.paused,
                journey.focus_pane,
                journey.tools.tab,
            )

    asyncio.run(visit())


def test_the_run_waits_underneath():
    async def wait():
        async with playing() as (app, pilot):
            journey = app.screen
            await pilot.press("l")
            await pilot.pause()
            now = journey.session.now
            journey.tick()
            assert journey.session.now == now
            await pilot.press("l")
            await pilot.pause()
            journey._last -= 0.05
            journey.tick()
            assert journey.session.now > now

    asyncio.run(wait())


def test_enter_plays_what_the_filter_found():
    async def choose():
        async with playing() as (app, pilot):
            await pilot.press("l", "/", *"udp does", "enter")
            await pilot.pause()
            assert isinstance(app.screen, JourneyScreen)
            assert app.screen.session.scenario.path == next(path for path in PATHS if "udp-overflow" in path)

    asyncio.run(choose())


def test_esc_ends_the_filter_first_and_letters_are_no_commands_in_it():
    async def step_back():
        async with playing() as (app, pilot):
            await pilot.press("l", "/", "q", "x")
            assert app.screen.shown.filter == "qx"
            await pilot.press("escape")
            assert len(app.screen.shown.found) == len(PATHS)
            await pilot.press("escape")
            await pilot.pause()
            assert isinstance(app.screen, JourneyScreen)

    asyncio.run(step_back())


@pytest.mark.parametrize("key", ["q", "ctrl+c", "ctrl+q"])
def test_the_library_can_be_left_for_good(key):
    async def leave():
        async with playing() as (app, pilot):
            await pilot.press("l", key)
            await pilot.pause()
            assert app.return_code == 0

    asyncio.run(leave())


def test_a_lesson_that_has_gone_ends_with_the_reason():
    async def choose():
        async with playing(open_path=broken) as (app, pilot):
            await pilot.press("l", "enter")
            await pilot.pause()
            assert app.return_value == 2
            assert "it has gone" in str(app.fault)

    asyncio.run(choose())


def test_a_damaged_lesson_is_listed_and_not_played(tmp_path):
    damaged = tmp_path / "mine.yaml"
    damaged.write_text("format: 1\ntitel: x\n")

    async def choose():
        async with playing() as (app, pilot):
            app._neighbours = [str(damaged)]
            await pilot.press("l")
            await pilot.pause()
            assert "damaged" in app.screen.panes["library"].new.text()
            await pilot.press("enter")
            assert isinstance(app.screen, LibraryScreen)

    asyncio.run(choose())


def test_a_terminal_too_small_says_so_and_comes_back():
    async def shrink():
        async with playing() as (app, pilot):
            await pilot.press("l")
            await pilot.resize_terminal(60, 20)
            await pilot.pause()
            assert "at least 80 by 24" in app.screen.over.new.text()
            await pilot.resize_terminal(80, 24)
            await pilot.pause()
            assert "LIBRARY" in app.screen.panes["library"].new.text()

    asyncio.run(shrink())
