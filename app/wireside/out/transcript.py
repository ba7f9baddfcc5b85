"""Whether a wire carried what a transcript says, and if not, which line it failed and what came instead.

A transcript is blocks of lines, parted by `...`. The first block must be what the wire carries first; each later one may come
after any number of frames, and the first place where all its lines fit is taken.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from wireside.scenario.patterns import differences

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wireside.scenario.spec import Transcript, TranscriptLine
    from wireside.wire.told import ToldFrame

MS, SECOND = 1_000_000, 1_000_000_000
EARLY_NS = 1 * MS
"""A frame may come so much before its time: transcripts round to ms."""
SLACK = ((252 * MS, 4 * MS), (2016 * MS, 32 * MS), (16_128 * MS, 256 * MS), (129_024 * MS, 2048 * MS))
"""(waits up to, how late a kernel timer may be) at HZ=250. Linux: kernel/time/timer.c, the levels of the wheel."""
MOST_SLACK = 16_384 * MS
AROUND = 2
"""Frames shown before and after the one that does not fit."""


class Verdict(NamedTuple):
    """`ran_out`: the wire carried nothing more, so a longer run may yet give what is missing."""

    holds: bool
    ran_out: bool
    text: str


class _Miss(NamedTuple):
    """A line that did not fit, and the number of the frame that stood there."""

    line: int
    frame: int
    why: str


class _Fit(NamedTuple):
    """Where the matching stands: the next frame, the time of the last one that fitted, and the zero of the clock."""

    frame: int
    last_ns: int
    zero_ns: int


def judge(transcript: Transcript, frames: Sequence[ToldFrame], missed: int = 0) -> Verdict:
    """Match a transcript against the frames of its link; `missed` frames came after the tap was full."""
    frames = [frame for frame in frames if _concerns(transcript, frame)]
    lines = transcript.lines
    fit: _Fit | None = None
    begin = 0
    while begin < len(lines):
        end = begin + 1
        while end < len(lines) and not lines[end].after_gap:
            end += 1
        found = _place_block(lines, begin, end, frames, fit)
        if isinstance(found, _Miss):
            return _failed(lines, frames, found, fit, missed)
        fit = found
        begin = end
    return Verdict(True, False, f"{sum(line.pattern is not None for line in lines)} frames as written")


def _concerns(transcript: Transcript, frame: ToldFrame) -> bool:
    if frame.time_ns < transcript.from_ns:
        return False
    port = {transcript.a: transcript.a_port, transcript.b: transcript.b_port}
    return port.get(frame.source, 0) in (0, frame.sport) and port.get(frame.target, 0) in (0, frame.dport)


def _place_block(
    lines: Sequence[TranscriptLine], begin: int, end: int, frames: Sequence[ToldFrame], fit: _Fit | None
) -> _Fit | _Miss:
    """Fit lines[begin:end] to consecutive frames; after a gap, at the first place where they all fit."""
    start = 0 if fit is None else fit.frame
    best: _Miss | None = None
    for first in range(start, len(frames) + 1 if lines[begin].after_gap else start + 1):
        found = _fit_block(lines, begin, end, frames, fit, first)
        if not isinstance(found, _Miss):
            return found
        if best is None or found.line > best.line or _nearer(lines, frames, found, best):
            best = found
    assert best is not None
    return best


def _nearer(lines: Sequence[TranscriptLine], frames: Sequence[ToldFrame], found: _Miss, best: _Miss) -> bool:
    """Of two misses at one line, whether the new one differs only in time and the other in more."""
    if found.line != best.line or found.frame >= len(frames):
        return False
    return found.why.startswith("time") and not best.why.startswith("time")


def _fit_block(
    lines: Sequence[TranscriptLine],
    begin: int,
    end: int,
    frames: Sequence[ToldFrame],
    fit: _Fit | None,
    first: int,
) -> _Fit | _Miss:
    frame = first
    for number in range(begin, end):
        line = lines[number]
        if line.pattern is None:
            if line.after_gap or frame >= len(frames):
                continue
            return _Miss(number, frame, "no frame was to follow")
        if frame >= len(frames):
            return _Miss(number, frame, "nothing more came")
        came = frames[frame]
        different = differences(line.pattern, came)
        if different:
            return _Miss(number, frame, different)
        if fit is None:
            fit = _Fit(frame, came.time_ns, came.time_ns - (line.time_ns or 0))
        wrong = _wrong_time(lines, number, came, fit)
        if wrong:
            return _Miss(number, frame, wrong)
        frame += 1
        fit = _Fit(frame, came.time_ns, fit.zero_ns)
    return fit if fit is not None else _Fit(frame, 0, 0)


def _wrong_time(lines: Sequence[TranscriptLine], number: int, came: ToldFrame, fit: _Fit) -> str:
    """What is wrong with the time at which a frame came; empty when nothing is."""
    line = lines[number]
    if line.time_ns is None:
        return ""
    at = came.time_ns - (fit.last_ns if line.since_last else fit.zero_ns)
    if line.tolerance_ns is not None:
        low, high = line.time_ns - line.tolerance_ns, line.time_ns + line.tolerance_ns
    else:
        low, high = line.time_ns - EARLY_NS, line.time_ns + late_ns(lines, number)
    if low <= at <= high:
        return ""
    return f"time {seconds(at)} is not {seconds(max(low, 0))} to {seconds(high)}"


def late_ns(lines: Sequence[TranscriptLine], number: int) -> int:
    """How late a frame may come: what timers allow for each wait since the time it is counted from, and 1 ms."""
    if lines[number].since_last:
        return slack(lines[number].time_ns or 0) + EARLY_NS
    late, before = EARLY_NS, 0
    for line in lines[: number + 1]:
        if line.time_ns is None:
            continue
        wait = line.time_ns if line.since_last else max(line.time_ns - before, 0)
        late += slack(wait)
        before = before + wait if line.since_last else line.time_ns
    return late


def slack(wait_ns: int) -> int:
    """How late a timer of so many ns may fire."""
    if wait_ns == 0:
        return 0
    for limit, late in SLACK:
        if wait_ns < limit:
            return late
    return MOST_SLACK


def seconds(ns: int) -> str:
    """A time as tcpdump writes it."""
    return f"{ns / SECOND:.6f}"


def _failed(
    lines: Sequence[TranscriptLine], frames: Sequence[ToldFrame], miss: _Miss, fit: _Fit | None, missed: int
) -> Verdict:
    line = lines[miss.line]
    zero = fit.zero_ns if fit is not None else (frames[0].time_ns if frames else 0)
    parts = [f"{line.position}: {miss.why}", f"  expected  {line.text}"]
    for number in range(max(miss.frame - AROUND, 0), min(miss.frame + AROUND + 1, len(frames))):
        word = "came    >" if number == miss.frame else "         "
        parts.append(f"  {word} {seconds(frames[number].time_ns - zero)} {frames[number].label}")
    if miss.frame >= len(frames):
        parts.append(
            "  came    > nothing more" if not missed else f"  the tap was full; {missed} frames more came"
        )
    return Verdict(False, miss.frame >= len(frames), "\n".join(parts))
