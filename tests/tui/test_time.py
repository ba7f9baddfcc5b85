"""Time in the terminal: back and forth by keys and mouse, branches, and recordings."""

import json

import pytest
from textual import events

from tests.paint.fake_world import MS, US
from tests.tui.test_keys import in_app, playing, shown
from wireside.cli.main import main
from wireside.session import recording
from wireside.session.commands import Command


def at(screen):
    """The instant that the run is at, or at which the way that it has begun ends."""
    while screen.session.goal is not None:
        screen.session.advance(0)
    return screen.session.now


@in_app
async def test_a_step_back_undoes_a_step():
    async with playing() as (screen, pilot):
        await pilot.press("space", "home", "full_stop", "full_stop", "full_stop", "comma")
        assert (at(screen), screen.session.paused) == (10 * US, True)


@in_app
async def test_marks_and_beats_are_gone_to_from_both_sides():
    async with playing() as (screen, pilot):
        await pilot.press("pagedown")
        assert (at(screen), screen.session.beat.say) == (10 * MS, "Half way.")
        await pilot.press("home")
        assert at(screen) == 0
        await pilot.press("}")
        assert at(screen) == screen.session.marks()[1].position.time_ns
        await pilot.press("end")
        assert at(screen) == 10 * MS
        await pilot.press("pageup")
        assert (at(screen), screen.session.beats_said) == (0, 1)


@in_app
async def test_time_runs_backwards_and_stops_at_the_beginning():
    async with playing() as (screen, pilot):
        screen.session.play_to(30 * US)
        await pilot.press("backspace")
        assert "backwards" in shown(screen, "status")
        screen.session.advance(0.1)
        assert at(screen) == 20 * US
        for _ in range(3):
            screen.session.advance(0.1)
        assert (at(screen), screen.session.paused) == (0, True)


@in_app
async def test_arrows_with_shift_and_ctrl_go_by_milliseconds_and_seconds():
    async with playing() as (screen, pilot):
        found = []
        for key in ("home", "shift+right", "shift+right", "shift+left", "ctrl+right", "ctrl+left"):
            await pilot.press(key)
            found.append(at(screen))
        assert found == [0, MS, 2 * MS, MS, 1001 * MS, MS]


@in_app
async def test_the_timeline_is_scrubbed_by_arrows_when_it_has_the_keyboard():
    async with playing() as (screen, pilot):
        screen.session.play_to(9 * MS)
        await pilot.press("shift+tab", "left", "left")
        assert screen.focus_pane == "timeline"
        before = at(screen)
        assert before < 9 * MS
        await pilot.press("right")
        assert before < at(screen) < 9 * MS


@in_app
async def test_a_click_on_the_timeline_goes_there_and_drawing_goes_along():
    async with playing() as (screen, pilot):
        screen.session.play_to(9 * MS)
        screen.tick()
        place = screen.plan.panes["timeline"]
        seen = []
        for x in (30, 20, 25):
            await pilot._post_mouse_events(
                [events.MouseDown if x == 30 else events.MouseMove], None, (x, place.y + 1), button=1
            )
            seen.append(at(screen))
        assert seen[1] < seen[2] < seen[0] < 9 * MS


@in_app
async def test_the_axis_is_the_storys_time_or_real_time():
    async with playing() as (screen, pilot):
        assert "story time" in shown(screen, "timeline")
        await pilot.press("backslash")
        assert "real time" in shown(screen, "timeline")


@in_app
async def test_a_knob_turned_in_the_past_makes_another_run_and_says_so():
    async with playing() as (screen, pilot):
        screen.session.play_to(9 * MS)
        await pilot.press("tab", "down", "right")
        assert screen.session.branches == ()
        await pilot.press("shift+left")
        assert at(screen) == 8 * MS
        await pilot.press("left")
        assert "Another run from here on" in shown(screen, "narration")
        assert [branch.time_ns for branch in screen.session.branches] == [8 * MS]
        assert screen.session.known_ns == 8 * MS
        await pilot.press("space")
        assert "Another run" not in shown(screen, "narration")


@in_app
async def test_a_knob_that_a_changed_recording_cannot_turn_is_a_note():
    async with playing() as (screen, pilot):
        screen.session.machine.commands = (Command(30 * US, 1, "server", "net.core.netdev_budget", "many"),)
        await pilot.press("home", "shift+right")
        assert at(screen) == MS
        screen.tick()
        assert "netdev_budget of server could not be turned" in shown(screen, "narration")
        await pilot.press("space")
        assert "netdev_budget of server" not in shown(screen, "narration")


@in_app
async def test_what_did_not_come_from_a_file_is_not_saved_and_that_is_said():
    async with playing() as (screen, pilot):
        await pilot.press("ctrl+s")
        assert "did not come from a file" in shown(screen, "narration")


def test_a_recording_is_saved_under_a_name_that_is_free(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "zero-window.wsr").write_text("somebody's")

    @in_app
    async def save():
        async with playing() as (screen, pilot):
            screen.session.scenario = screen.session.origin.scenario
            object.__setattr__(screen.session.scenario, "text", "format: 1\n")
            await pilot.press("home", "ctrl+s")
            assert "zero-window-2.wsr" in shown(screen, "narration")
            await pilot.press("shift+right")
            assert at(screen) == MS
            await pilot.press("ctrl+s")

    save()
    assert (tmp_path / "zero-window.wsr").read_text() == "somebody's"
    found = json.loads((tmp_path / "zero-window-2.wsr").read_text())
    assert found["moment"]["time_ns"] == MS
    assert sorted(path.name for path in tmp_path.iterdir()) == ["zero-window-2.wsr", "zero-window.wsr"]


def test_a_recording_of_another_version_is_refused_by_its_name(tmp_path, capsys):
    path = tmp_path / "old.wsr"
    path.write_text('{"wireside": "0.0.9", "recording": 1}')
    assert main(["play", str(path)]) == 2
    assert "made by Wireside 0.0.9" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["", "[]", "{", '{"wireside": 1}', "\x00"])
def test_what_is_no_recording_is_refused_in_words(tmp_path, capsys, text):
    path = tmp_path / f"bad{recording.SUFFIX}"
    path.write_text(text)
    assert main(["play", str(path)]) == 2
    assert "bad.wsr" in capsys.readouterr().err
