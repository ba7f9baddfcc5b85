"""The grammar of a transcript: lines as tcpdump prints them, each for one frame.

line  := [TIME] [~TOLERANCE] SOURCE > TARGET: frame | "..." | "end" | "# comment"
TIME  := 1.005 (seconds from the first frame), +0.2 (from the line before); with a unit (+40ms) where that reads better
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from wireside.errors import ScenarioError
from wireside.outside import quoted
from wireside.scenario import nodes
from wireside.scenario.patterns import read_ends, read_pattern
from wireside.scenario.segments import SegmentError
from wireside.scenario.spec import Transcript, TranscriptLine
from wireside.scenario.units import Kind, UnitError, parse

if TYPE_CHECKING:
    from collections.abc import Collection

    import yaml

    from wireside.errors import Position
    from wireside.scenario.document import Document
    from wireside.scenario.nodes import Line

_TIMES = re.compile(r"(?P<time>\+?\d+(?:\.\d+)?[a-z]*(?=\s))?\s*(?:~\s*(?P<tolerance>\S+)\s)?\s*", re.ASCII)
MAX_LINES = 1000


def read_lines(doc: Document, node: yaml.Node, names: Collection[str]) -> tuple[TranscriptLine, ...]:
    """The lines of `segments:`, a block of text or a list; every mistake is noted at its place."""
    lines: list[TranscriptLine] = []
    gap = False
    first = True
    for line in nodes.lines(doc, node, "segments"):
        try:
            if line.text == "...":
                _check_gap(after_gap=gap)
                gap = True
                continue
            _check_end(line.text, lines, after_gap=gap)
            lines.append(_line(line.text, names, line.where, after_gap=gap, first=first))
        except SegmentError as error:
            _note(doc, line, error)
        gap = first = False
        if len(lines) > MAX_LINES:
            raise doc.wrong(node, f"the transcript has more than {MAX_LINES} lines", "Use `...`.")
    if (gap or not any(line.pattern for line in lines)) and not doc.problems:
        raise doc.wrong(node, "the transcript ends without a frame", "Write a line for a frame.")
    return tuple(lines)


def _check_gap(*, after_gap: bool) -> None:
    if after_gap:
        raise SegmentError("`...` stands twice", "One skips any number of frames.", 0)


def _check_end(text: str, lines: list[TranscriptLine], *, after_gap: bool) -> None:
    if lines and lines[-1].pattern is None:
        raise SegmentError("nothing can come after `end`", "Let `end` be the last line.", 0)
    if after_gap and text == "end":
        raise SegmentError("`...` before `end` says nothing", "Leave out one of them.", 0)


def _note(doc: Document, line: Line, error: SegmentError) -> None:
    doc.note(ScenarioError(error.what, where=line.at(error.offset), next_step=error.next_step))


def _line(
    text: str, names: Collection[str], place: Position, *, after_gap: bool, first: bool
) -> TranscriptLine:
    if text == "end":
        return TranscriptLine(text, None, after_gap=after_gap, position=place)
    match = _TIMES.match(text)
    assert match is not None
    since_last = (match["time"] or "").startswith("+")
    time_ns = _seconds(match["time"].removeprefix("+"), 0) if match["time"] else None
    if since_last and first:
        raise SegmentError("the first line has none before it", "Begin with a time such as 0.000.", 0)
    tolerance = _seconds(match["tolerance"], match.start("tolerance")) if match["tolerance"] else None
    if tolerance is not None and time_ns is None:
        raise SegmentError(
            "a tolerance without a time", "Write the time before it.", match.start("tolerance")
        )
    ends, rest = read_ends(text, match.end(), names)
    pattern = read_pattern(text, rest, ends)
    return TranscriptLine(text, pattern, time_ns, since_last, tolerance, after_gap, place)


def _seconds(text: str, offset: int) -> int:
    try:
        return int(parse(Kind.TIME, f"{text}s" if text[-1].isdigit() else text))
    except UnitError as error:
        raise SegmentError(error.what, error.next_step, offset) from None


def read_wire(text: str, names: Collection[str], pairs: Collection[frozenset[str]]) -> Transcript:
    """The link that `client > server:8080` names, or the loopback of `server > server`; SegmentError when there is none."""
    ends, rest = read_ends(text, 0, names)
    if rest != len(text):
        raise SegmentError(f"cannot read {quoted(text[rest:])}", "Name only the two ends of a link.", rest)
    if frozenset((ends.source, ends.target)) not in pairs:
        raise SegmentError(
            f"no wire joins {ends.source} and {ends.target}",
            "Name the two ends of one link, or one host twice for its loopback.",
            0,
        )
    return Transcript(ends.source, ends.sport, ends.target, ends.dport, ())
