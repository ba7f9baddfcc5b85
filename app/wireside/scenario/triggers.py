"""Segments that a wire peer sends when another one has come in.

`after Flags [S]: 1ms TCP 8080 > * Flags [S.], seq 0, ack *, win 65535, options [mss 1460]`: once, 1 ms after the first SYN
`after Flags [S] x3: …`: after the third SYN only
`each Flags [P.]: 40ms TCP 8080 > * Flags [.], seq *, ack *`: after every one
`*` is the port it came from, the number it acknowledges (seq) and the number after its last byte (ack).
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from wireside.outside import quoted
from wireside.scenario.patterns import read_pattern
from wireside.scenario.segments import SegmentError, read_segment
from wireside.scenario.spec import FramePattern

if TYPE_CHECKING:
    from wireside.errors import Position
    from wireside.scenario.spec import WireSegment

_TRIGGER = re.compile(
    r"(?P<word>after|each)\s++(?P<pattern>\S(?:.*?\S)?)(?:\s+x(?P<nth>\d{1,9}))?\s*:\s+", re.ASCII
)


def read_planned(text: str, position: Position) -> WireSegment:
    """A wire peer's segment, sent at a time or as an answer; SegmentError when `text` describes none."""
    if not re.match(r"(after|each)\b", text):
        return read_segment(text, position)
    match = _TRIGGER.match(text)
    if match is None:
        raise SegmentError(
            f"{quoted(text)} does not say what it answers",
            "Write it like `after Flags [S]: 0ms TCP 8080 > * Flags [S.], seq 0, ack *`.",
            0,
        )
    nth = int(match["nth"] or 1)
    if nth == 0 or (match["nth"] and match["word"] == "each"):
        raise SegmentError(f"{match['word']} x{nth} means nothing", "Write `after … x2` or `each …`.", 0)
    pattern = read_pattern(text[: match.end("pattern")], match.start("pattern"), FramePattern())
    segment = read_segment(text, position, match.end(), answers=True)
    return replace(segment, after=pattern, nth=0 if match["word"] == "each" else nth)
