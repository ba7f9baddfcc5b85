"""Judging what a wire carried against a transcript."""

from __future__ import annotations

import pytest

from wireside.out.transcript import judge, late_ns, slack
from wireside.scenario.spec import FramePattern, Transcript, TranscriptLine
from wireside.wire.told import ToldFrame

MS = 1_000_000


def frame(at_ms: int, length: int, *, lost: bool = False, sport: int = 1) -> ToldFrame:
    return ToldFrame(at_ms * MS, "a", sport, "b", 80, "tcp", ".", 1, 1, 100, (), length, lost)


def line(length: int, at_ms: int | None = None, **more: object) -> TranscriptLine:
    time_ns = None if at_ms is None else at_ms * MS
    return TranscriptLine(f"line {length}", FramePattern(protocol="tcp", length=length), time_ns, **more)


def verdict(lines: list[TranscriptLine], frames: list[ToldFrame], **more: int) -> str:
    found = judge(Transcript("a", more.pop("port", 0), "b", 0, tuple(lines), **more), frames)
    return "" if found.holds else found.text


END = TranscriptLine("end", None)


def test_lines_stand_for_consecutive_frames() -> None:
    frames = [frame(0, 10), frame(1, 20), frame(2, 30)]
    assert not verdict([line(10), line(20)], frames)
    assert "length is 20, not 30" in verdict([line(10), line(30)], frames)
    assert "length is 10, not 20" in verdict([line(20)], frames)


def test_after_a_gap_the_first_place_where_the_whole_block_fits_counts() -> None:
    frames = [frame(0, 10), frame(1, 20), frame(2, 30), frame(3, 20), frame(4, 40)]
    assert not verdict([line(10), line(20, after_gap=True), line(40)], frames)
    assert "length is 30, not 50" in verdict([line(10), line(20, after_gap=True), line(50)], frames)


def test_end_wants_silence() -> None:
    frames = [frame(0, 10), frame(1, 20)]
    assert not verdict([line(10), line(20), END], frames)
    assert "no frame was to follow" in verdict([line(10), END], frames)


def test_a_line_too_many_says_that_nothing_more_came() -> None:
    found = judge(Transcript("a", 0, "b", 0, (line(10), line(20))), [frame(0, 10)])
    assert found.ran_out
    assert "nothing more" in found.text


def test_a_lost_frame_is_not_one_that_is_carried() -> None:
    assert "lost" in verdict([line(10)], [frame(0, 10, lost=True)])


def test_ports_and_a_beginning_choose_the_frames() -> None:
    frames = [frame(0, 10, sport=2), frame(1, 20), frame(9, 30)]
    assert not verdict([line(20), line(30)], frames, port=1)
    assert not verdict([line(30), END], frames, from_ns=5 * MS)


@pytest.mark.parametrize(("at_ms", "fits"), [(98, False), (99, True), (105, True), (106, False)])
def test_a_time_allows_what_the_timer_wheel_does(at_ms: int, *, fits: bool) -> None:
    text = verdict([line(10, 0), line(20, 100)], [frame(7, 10), frame(7 + at_ms, 20)])
    assert bool(text) is not fits


@pytest.mark.parametrize(("at_ms", "fits"), [(97, False), (98, True), (102, True), (103, False)])
def test_a_tolerance_holds_either_way(at_ms: int, *, fits: bool) -> None:
    lines = [line(10, 0), line(20, 100, since_last=True, tolerance_ns=2 * MS)]
    assert bool(verdict(lines, [frame(7, 10), frame(7 + at_ms, 20)])) is not fits


def test_lateness_adds_up_from_the_first_frame_but_not_from_the_line_before() -> None:
    lines = [line(10, 0), line(20, 1000), line(30, 2000)]
    assert late_ns(lines, 2) == (1 + 32 + 32) * MS
    assert late_ns([lines[0], line(20, 1000, since_last=True), line(30, 1000, since_last=True)], 2) == 33 * MS


def test_slack_is_that_of_the_levels_of_the_wheel() -> None:
    waits = (0, 100, 1000, 10_000, 100_000, 1_000_000)
    assert [slack(wait * MS) // MS for wait in waits] == [0, 4, 32, 256, 2048, 16_384]
