import asyncio
from contextlib import asynccontextmanager

import pytest

from tests.paint.fake_world import US, FakeOrigin, scenario
from wireside.catalog.actions import ACTIONS, BY_KEY, Where, help_of
from wireside.catalog.sysctls import EVERYDAY
from wireside.paint.glyphs import UNICODE
from wireside.paint.look import Look
from wireside.paint.palette import Depth, Palette
from wireside.paint.picture import pictured
from wireside.tui.app import WiresideApp


@asynccontextmanager
async def playing(w=120, h=36):
    """The screen with its clock stopped: a test ticks itself, so no result depends on the machine's pace."""
    app = WiresideApp(
        pictured(FakeOrigin(scenario())), look=Look(Palette(Depth.TRUE), UNICODE), renderer="safe"
    )
    async with app.run_test(size=(w, h)) as pilot:
        app.screen.ticking.pause()
        yield app.screen, pilot


def in_app(test):
    """Run a coroutine test without a plug-in."""

    def run():
        asyncio.run(test())

    run.__name__ = test.__name__
    return run


def shown(screen, name):
    """What a pane shows of the present state; drawn here, for a tick may leave it to the next frame."""
    screen._drawn.pop(name, None)
    screen.draw([name])
    return screen.panes[name].new.text()


def test_every_key_has_one_action():
    keys = [key for action in ACTIONS for key in action.keys]
    assert len(keys) == len(set(keys)) == len(BY_KEY)


@in_app
async def test_space_pauses_and_goes_on():
    async with playing() as (screen, pilot):
        await pilot.press("space")
        assert screen.session.paused
        screen.tick()
        assert "paused" in shown(screen, "status")
        await pilot.press("space")
        assert not screen.session.paused


@in_app
async def test_a_step_moves_to_the_next_thing_and_stays():
    async with playing() as (screen, pilot):
        await pilot.press("space")
        before = screen.session.now
        await pilot.press(".")
        assert screen.session.now == before - before % (5 * US) + 5 * US
        assert screen.session.paused


@in_app
async def test_brackets_change_the_pace():
    async with playing() as (screen, pilot):
        await pilot.press("right_square_bracket")
        assert screen.session.scale == 200 * US
        await pilot.press("[", "[")
        assert screen.session.scale == 50 * US
        screen.tick()
        assert "1 s = 50 µs" in shown(screen, "status")


@in_app
async def test_arrows_turn_a_knob_and_the_pane_says_when_it_bites():
    async with playing() as (screen, pilot):
        await pilot.press("tab", "down", "right")
        assert screen.session.knobs()[1].value == "1024"
        screen.tick()
        assert "1024 *" in shown(screen, "knobs")
        assert "takes effect at the" in " ".join(shown(screen, "knobs").replace("│", " ").split())
        await pilot.press("left", "left")
        assert screen.session.knobs()[1].value == "64"


@in_app
async def test_a_typed_value_is_refused_with_the_reason_and_not_lost():
    async with playing() as (screen, pilot):
        await pilot.press("tab", "down", "down", "enter", "m", "a", "n", "y", "enter")
        screen.tick()
        assert screen.knobs.shown.typed == "many"
        assert "cannot be many" in " ".join(shown(screen, "knobs").replace("│", " ").split())
        assert screen.session.knobs()[2].value == "300"
        await pilot.press("ctrl+u", "6", "0", "0", "enter")
        assert screen.knobs.shown.typed is None
        assert screen.session.knobs()[2].value == "600"


@in_app
async def test_a_knob_that_the_program_turned_itself_is_stepped_from_where_it_stands():
    async with playing() as (screen, pilot):
        await pilot.press("tab", "down")
        screen.session.world.values["nic.rx_ring"] = "64"
        assert "rx_ring" in shown(screen, "knobs")
        assert "64 *" in shown(screen, "knobs")
        await pilot.press("right")
        assert screen.session.knobs()[1].value == "256"


@in_app
async def test_escape_leaves_the_value_as_it_was():
    async with playing() as (screen, pilot):
        await pilot.press("tab", "down", "enter", "9", "escape")
        assert screen.knobs.shown.typed is None
        assert screen.session.knobs()[1].value == "256"


@in_app
async def test_while_a_value_is_typed_letters_are_no_commands():
    async with playing() as (screen, pilot):
        await pilot.press("tab", "enter", "q", "r", "space")
        assert screen.knobs.shown.typed == "qr "
        assert not screen.session.paused


@in_app
async def test_digits_choose_the_tool():
    async with playing() as (screen, pilot):
        for key, words in (
            ("2", "TCPZeroWindow|IpInReceives"),
            ("3", "stops calling"),
            ("4", "Flags"),
            ("1", "Recv-Q"),
        ):
            await pilot.press(key)
            screen.tick()
            assert any(word in shown(screen, "tools") for word in words.split("|"))


@in_app
async def test_restart_begins_again():
    async with playing() as (screen, pilot):
        for _ in range(5):
            screen.session.advance(0.1)
        assert screen.session.now >= 50 * US
        await pilot.press("space", "r")
        assert screen.session.now == 0
        assert not screen.session.paused


@in_app
async def test_help_lists_the_keys_and_the_run_waits_for_it():
    async with playing() as (screen, pilot):
        await pilot.press("?")
        await pilot.pause()
        now = screen.session.now
        assert screen.over.display
        assert all(text in screen.over.new.text() for _, text in help_of(Where.JOURNEY, screen.idle))
        screen.tick()
        assert screen.session.now == now
        await pilot.press("x")
        assert not screen.over.display


@pytest.mark.parametrize(("w", "h"), [(80, 24), (200, 55)])
def test_panes_follow_the_size_of_the_terminal(w, h):
    async def resize():
        async with playing() as (screen, pilot):
            await pilot.resize_terminal(w, h)
            await pilot.pause()
            screen.tick()
            await pilot.pause()
            assert screen.panes["journey"].new.w == w
            assert screen.panes["footer"].region.y == h - 1
            assert "PACKET JOURNEY" in shown(screen, "journey")

    asyncio.run(resize())


@in_app
async def test_a_terminal_too_small_says_so_and_comes_back():
    async with playing() as (screen, pilot):
        await pilot.resize_terminal(60, 20)
        await pilot.pause()
        assert "at least 80 by 24" in screen.over.new.text()
        await pilot.resize_terminal(80, 24)
        await pilot.pause()
        assert not screen.over.display


@in_app
async def test_q_leaves():
    async with playing() as (screen, pilot):
        await pilot.press("q")
        await pilot.pause()
        assert screen.app.return_code == 0


@in_app
async def test_tab_goes_to_the_knobs_to_the_tools_to_the_timeline_and_back():
    async with playing() as (screen, pilot):
        seen = []
        for key in ("tab", "tab", "tab", "tab", "shift+tab", "shift+tab"):
            await pilot.press(key)
            seen.append(screen.focus_pane)
        assert seen == ["knobs", "tools", "timeline", "", "timeline", "tools"]


@in_app
async def test_the_tools_scroll_while_they_have_the_keyboard():
    async with playing(80, 24) as (screen, pilot):
        await pilot.press("3", "tab", "tab")
        top = shown(screen, "tools")
        await pilot.press("down")
        below = shown(screen, "tools")
        assert "TCP_ZEROWINDOW" in top
        assert "TCP_ZEROWINDOW" not in below
        assert "window closes" in below
        await pilot.press("up", "up")
        assert shown(screen, "tools") == top
        await pilot.press("down", "down", "down", "shift+tab")
        assert shown(screen, "tools").splitlines()[1:-1] == top.splitlines()[1:-1]


@in_app
async def test_the_everyday_sysctls_are_always_there_after_the_scenarios_own_knobs():
    async with playing() as (screen, pilot):
        await pilot.press("tab", *["down"] * 3)
        names = [row.name for row in screen.knobs.rows]
        own = [knob.name for knob in screen.session.scenario.knobs]
        assert names[:3] == own
        assert names[3:] == [sysctl.name for sysctl in EVERYDAY if sysctl.name not in own]
        assert "somaxconn" in shown(screen, "knobs")


@in_app
async def test_an_everyday_sysctl_is_turned_on_every_host():
    async with playing() as (screen, pilot):
        await pilot.press("tab", *["down"] * 3, "left")
        assert [turned.host for turned in screen.session.machine.commands] == ["client", "server"]
        assert {turned.name for turned in screen.session.machine.commands} == {"net.core.somaxconn"}
        screen.tick()
        assert "1024 *" in shown(screen, "knobs")


@pytest.mark.parametrize(("w", "h"), [(80, 24), (120, 36)])
def test_slash_finds_any_sysctl_and_enter_takes_it_in(w, h):
    async def search():
        async with playing(w, h) as (screen, pilot):
            await pilot.press("/", *"orphans")
            text = shown(screen, "knobs")
            assert "net.ipv4.tcp_max_orphans" in text
            assert "0…2147483647 sockets" in text
            assert "takes effect" in text
            assert "net.core.somaxconn" not in text
            assert screen.panes["knobs"].new.w == w
            await pilot.press("enter")
            assert screen.knobs.rows[3].name == "net.ipv4.tcp_max_orphans"
            assert "Esc cancels" in shown(screen, "knobs")
            await pilot.press(*"12", "enter")
            assert screen.session.machine.commands[-1].value == "12"
            assert "12 *" in shown(screen, "knobs")

    asyncio.run(search())


@in_app
async def test_a_search_can_be_left_and_corrected():
    async with playing() as (screen, pilot):
        await pilot.press("/", *"somaxx")
        assert "no sysctl matches" in shown(screen, "knobs")
        await pilot.press("enter")
        assert screen.knobs.searching
        await pilot.press("backspace")
        assert "1 sysctl" in shown(screen, "knobs")
        await pilot.press("ctrl+u", "up", "escape")
        assert not screen.knobs.searching
        assert "Recv-Q" in shown(screen, "tools")
        assert screen.focus_pane == "knobs"
        await pilot.press("escape")
        assert screen.focus_pane == ""


@in_app
async def test_an_arrow_turns_a_sysctl_that_was_just_taken_in():
    async with playing() as (screen, pilot):
        await pilot.press("/", *"somaxconn", "enter", "left")
        assert screen.session.machine.commands[-1].value == "1024"
        assert not screen.knobs.typing


@in_app
async def test_an_odd_digit_is_refused_in_the_field():
    async with playing() as (screen, pilot):
        await pilot.press("tab", "down", "enter", "²", "enter")
        assert screen.knobs.typing
        assert "cannot be" in " ".join(shown(screen, "knobs").replace("│", " ").split())
