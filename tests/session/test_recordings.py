"""Recordings: a run is found again from its file, anywhere; a file that is damaged, or cannot be written, is said in words."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from random import Random
from typing import TYPE_CHECKING

import pytest

from wireside import __version__
from wireside.errors import CommandError, RecordingError, ScenarioErrors
from wireside.paint.glyphs import UNICODE
from wireside.paint.look import Look
from wireside.paint.palette import Depth, Palette
from wireside.paint.picture import Picture, pictured
from wireside.paint.screen import draw_screen
from wireside.paint.ui import Ui
from wireside.scenario.library import index, resolve
from wireside.scenario.load import load
from wireside.session import recording
from wireside.session.commands import Command, Position
from wireside.session.origin import Beginning

if TYPE_CHECKING:
    from pathlib import Path

MS, S = 1_000_000, 1_000_000_000
REACHED_NS = {"close-wait-leak": 3 * S, "time-wait-pile": 300 * MS, "ports-exhausted": 3 * S}
"""How far the long lessons are played here; the others for a fifth of a second of their traffic."""


def played(name: str) -> recording.Recording:
    """A lesson with some of its knobs turned on the way, one of them in its past, shown at some moment."""
    scenario = load(resolve(name))
    rng = Random(name)
    session = pictured(Beginning(scenario, rng.randrange(1000)))
    end = REACHED_NS.get(name, min(scenario.duration_ns, 200 * MS))
    session.go(Position(rng.randrange(end)))
    for _ in range(3):
        knob = rng.choice(scenario.knobs)
        if knob.values:
            session.turn(knob.host, knob.name, rng.choice(knob.values))
        session.go(Position(rng.randrange(end)))
    for _ in range(rng.randrange(4)):
        session.step()
    return session.recording()


def text_of_picture(found: recording.Recording) -> str:
    """The picture at a recording's moment, and the moment."""
    session = pictured(found.beginning)
    session.take_up(found)
    frame = Picture(session.scenario).frame(session)
    look = Look(Palette(Depth.TRUE), UNICODE)
    rows = ["".join(row) for w, h in ((80, 24), (120, 36)) for row in draw_screen(w, h, look, frame, Ui()).ch]
    return "\n".join([repr(session.machine.position), repr(session.story), repr(frame.world), *rows])


@pytest.mark.parametrize("name", index())
def test_a_saved_run_is_found_again_in_another_process(name: str, tmp_path: Path) -> None:
    before = played(name)
    path = tmp_path / "run.wsr"
    recording.save(before, path)
    found = recording.open_recording(path, "run.wsr")
    assert (found.commands, found.moment) == (before.commands, before.moment)
    assert found.text() == before.text()
    program = (
        "import sys, pathlib; from tests.session.test_recordings import recording, text_of_picture; "
        "sys.stdout.buffer.write(text_of_picture("
        "recording.open_recording(pathlib.Path(sys.argv[1]), 'run.wsr')).encode())"
    )
    other = subprocess.run(
        [sys.executable, "-c", program, str(path)],
        capture_output=True,
        check=True,
        env={**os.environ, "PYTHONHASHSEED": "4711", "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert other.stdout.decode() == text_of_picture(found)


def zero_window() -> recording.Recording:
    scenario = load(resolve("zero-window"))
    return recording.Recording(Beginning(scenario, 1), (), Position(3 * MS))


def test_a_knob_that_cannot_be_turned_is_said_when_the_file_is_opened() -> None:
    found = replace(zero_window(), commands=(Command(2 * MS, 1, "server", "net.core.nonsense", "1"),))
    session = pictured(found.beginning)
    with pytest.raises(
        CommandError, match=r"at 2000000 ns net\.core\.nonsense of server could not be turned"
    ):
        session.take_up(found)


def test_a_knob_that_cannot_be_turned_later_is_told_there_and_the_run_goes_on() -> None:
    found = replace(zero_window(), commands=(Command(4 * MS, 1, "nobody", "nic.rx_ring", "64"),))
    session = pictured(found.beginning)
    session.take_up(found)
    session.go(Position(5 * MS))
    assert session.now == 5 * MS
    assert "nic.rx_ring of nobody" in str(session.refusal())
    assert session.refusal() is None


def test_a_moment_that_is_far_off_is_on_its_way_when_the_clock_says_so() -> None:
    scenario = load(resolve("idle-dead-peer"))
    found = recording.Recording(Beginning(scenario, 1), (), Position(recording.MAX_TIME_NS))
    session = pictured(found.beginning)
    session.take_up(found, deadline=0.0)
    assert session.goal == found.moment
    assert session.now < scenario.duration_ns
    session.toggle_pause()
    assert (session.goal, session.paused) == (None, True)


def disk_full(*_: object) -> None:
    raise OSError(28, "No space left on device")


@pytest.mark.parametrize("broken", ["os.fsync", "pathlib.Path.replace"])
@pytest.mark.parametrize("stands", [True, False])
def test_what_stands_there_stays_whole_when_writing_fails(broken, stands, tmp_path, monkeypatch) -> None:
    path = tmp_path / "run.wsr"
    if stands:
        recording.save(zero_window(), path)
    before = path.read_bytes() if stands else None
    monkeypatch.setattr(broken, disk_full)
    with pytest.raises(RecordingError, match=r"cannot save 'run\.wsr': no space left on device"):
        recording.save(replace(zero_window(), moment=Position(9 * MS)), path)
    assert [each.name for each in tmp_path.iterdir()] == (["run.wsr"] if stands else [])
    assert before is None or path.read_bytes() == before


def interrupted(*_: object) -> None:
    raise KeyboardInterrupt


def test_nothing_is_left_lying_about_when_writing_is_interrupted(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("os.fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        recording.save(zero_window(), tmp_path / "run.wsr")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("path", ["nowhere/run.wsr", "x" * 300 + ".wsr"])
def test_a_file_that_cannot_be_written_is_said_in_words(path, tmp_path) -> None:
    with pytest.raises(RecordingError, match="cannot save"):
        recording.save(zero_window(), tmp_path / path)


def test_a_scenario_whose_file_has_a_name_of_any_bytes_can_be_saved(tmp_path) -> None:
    scenario = replace(load(resolve("zero-window")), id="odd\udcff\x1b[2J")
    path = tmp_path / "run.wsr"
    recording.save(recording.Recording(Beginning(scenario, 1), (), Position(0)), path)
    assert "\x1b" not in recording.open_recording(path, "run.wsr").beginning.scenario.id


def changed(**fields: object) -> str:
    return json.dumps({**json.loads(zero_window().text()), **fields})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (changed(wireside="9.1\x1b[2J"), r"made by Wireside 9\.1.*, and this is Wireside " + __version__),
        (changed(recording=2), "made by Wireside"),
        (changed(kernel="5.4"), "no kernel profile '5.4'"),
        (changed(seed=-1), "seed is no whole number"),
        (changed(seed=1e3), "seed is no whole number"),
        (changed(seed=True), "seed is no whole number"),
        (
            changed(moment={"time_ns": 10**30, "told": 1, "whole": True, "due": 0}),
            "a time is no whole number",
        ),
        (changed(moment={"time_ns": 1, "told": 1, "whole": 1, "due": 0}), "neither whole nor not"),
        (changed(moment={"time_ns": 1}), "moment has no 'due'"),
        (changed(extra=1), "unknown field 'extra'"),
        (changed(commands=[{"time_ns": 1}]), "a command has no"),
        (changed(commands="x"), "its commands are no list"),
        ("[" * 100_000, "nested too deep"),
        ('{"wireside": ' + "9" * 5000 + "}", "too long a number"),
    ],
)
def test_a_damaged_recording_says_what_is_wrong_with_it(text: str, said: str) -> None:
    with pytest.raises(RecordingError, match=said) as raised:
        recording.read(text, "run.wsr")
    assert str(raised.value).replace("\n", "").isprintable()


def test_commands_out_of_order_are_refused() -> None:
    late, early = (
        {"time_ns": t, "told": 1, "host": "server", "name": "nic.rx_ring", "value": "64"} for t in (2, 1)
    )
    with pytest.raises(RecordingError, match="order of their times"):
        recording.read(changed(commands=[late, early]), "run.wsr")


def test_a_damaged_scenario_inside_is_refused_at_its_line() -> None:
    with pytest.raises(ScenarioErrors, match=r"run\.wsr: zero-window:2:1"):
        recording.read(
            changed(scenario={"name": "zero-window", "text": "format: 1\nnonsense: 2\n"}), "run.wsr"
        )
