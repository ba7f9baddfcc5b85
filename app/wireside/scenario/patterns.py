"""What a frame must look like, written as tcpdump prints it, and whether a frame looks like that.

`client > server:8080: Flags [S.], seq 0, ack 1, win 65160, options [mss 1460,sackOK,TS,wscale 10], length 0, lost`
`client > server: UDP, length 100`
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from wireside.outside import quoted
from wireside.scenario.segments import MAX_16, MAX_32, MAX_LENGTH, SegmentError, field_value
from wireside.scenario.spec import FramePattern
from wireside.scenario.units import Kind, UnitError, advice, is_address, parse

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from wireside.wire.told import ToldFrame

_END = r"[A-Za-z0-9_.-]+?"
_ENDS = re.compile(
    rf"(?P<source>{_END})(?::(?P<sport>\d+))?\s*>\s*(?P<target>{_END})(?::(?P<dport>\d+))?(?P<colon>:\s+|\s*$)",
    re.ASCII,
)
_PART = re.compile(
    r"Flags\s+\[(?P<flags>[^\]]*)\]|seq\s+(?P<seq>\d+(?::\d+)?)|ack\s+(?P<ack>\d+)|win\s+(?P<win>\d+)"
    r"|options\s+\[(?P<options>[^\]]*)\]|length\s+(?P<length>\d+)|(?P<protocol>UDP|ICMP)\b|(?P<lost>lost)\b",
    re.ASCII,
)
_OPTION = re.compile(
    r"mss\s+\d+|sackOK|TS|wscale\s+\d+|sack\s+(?:\d+\s+)?(?P<blocks>(?:\{\d+:\d+\})+)|(?P<padding>nop|eol)",
    re.ASCII,
)
PARTS = ("Flags", "seq", "ack", "win", "options", "length", "UDP", "ICMP", "lost")
OPTIONS = ("mss", "sackOK", "TS", "wscale", "sack", "nop", "eol")
LETTERS = "FSRP.UEW"


def read_ends(text: str, offset: int, names: Collection[str]) -> tuple[FramePattern, int]:
    """The `SOURCE > TARGET` (with ports or without) at `offset`, and where the rest begins; SegmentError when it is none."""
    match = _ENDS.match(text, offset)
    if match is None:
        raise SegmentError(
            f"{quoted(text[offset:])} does not say who sends to whom",
            "Write it like `client > server: Flags [S]`; a port may follow a name, as in server:8080.",
            offset,
        )
    for end in ("source", "target"):
        if match[end] not in names and not is_address(match[end]):
            raise SegmentError(f"unknown host {match[end]!r}", advice(match[end], names), match.start(end))
    ports = [_port(match[end], match.start(end)) if match[end] else 0 for end in ("sport", "dport")]
    return FramePattern(match["source"], ports[0], match["target"], ports[1]), match.end()


def read_pattern(text: str, offset: int, ends: FramePattern) -> FramePattern:
    """The pattern that begins at `offset` of `text`, sent between `ends`; SegmentError when it is none."""
    found: dict[str, tuple[str, int]] = {}
    index = offset
    while index < len(text):
        match = _PART.match(text, index)
        if match is None:
            word = re.split(r"[\s,]", text[index:], maxsplit=1)[0] or text[index]
            raise SegmentError(f"cannot read {quoted(text[index:])} in a frame", advice(word, PARTS), index)
        name = str(match.lastgroup)
        if name in found:
            raise SegmentError(f"{match[0]!r} is given twice", "Keep one.", index)
        found[name] = (match[name], match.start(name))
        index = match.end()
        while index < len(text) and text[index] in ", \t":
            index += 1
    if "flags" not in found and "protocol" not in found:
        raise SegmentError(
            "a frame needs its flags", "Write `Flags [S]` (letters as tcpdump prints them), or UDP.", offset
        )
    return _pattern(found, ends)


def _pattern(found: dict[str, tuple[str, int]], ends: FramePattern) -> FramePattern:
    tcp_only = set(found) & {"flags", "seq", "ack", "win", "options"}
    if "protocol" in found and tcp_only:
        name = min(tcp_only, key=lambda each: found[each][1])
        raise SegmentError(f"only TCP has {name}", "Leave it out.", found[name][1])
    number: dict[str, int | None] = {
        name: field_value(*found[name], name, most) if name in found else None
        for name, most in (("ack", MAX_32), ("win", MAX_16), ("length", MAX_LENGTH))
    }
    seq: int | None = None
    if "seq" in found:
        text, offset = found["seq"]
        begin, _, end = text.partition(":")
        seq = field_value(begin, offset, "seq", MAX_32)
        if end:
            length = field_value(end, offset, "seq", MAX_32) - seq
            if length < 0 or number["length"] not in (None, length):
                raise SegmentError(
                    "seq and length disagree", "Length is the second number of seq minus the first.", offset
                )
            number["length"] = length
    return FramePattern(
        ends.source,
        ends.sport,
        ends.target,
        ends.dport,
        protocol=found["protocol"][0].lower() if "protocol" in found else "tcp",
        flags=_flags(*found["flags"]) if "flags" in found else None,
        seq=seq,
        ack=number["ack"],
        win=number["win"],
        options=_options(*found["options"]) if "options" in found else None,
        length=number["length"],
        lost="lost" in found,
    )


def _port(text: str, offset: int) -> int:
    try:
        return int(parse(Kind.PORT, text))
    except UnitError as error:
        raise SegmentError(error.what, error.next_step, offset) from None


def _flags(text: str, offset: int) -> str:
    for index, letter in enumerate(text):
        if letter not in LETTERS:
            raise SegmentError(
                f"unknown flag {letter!r}", "Flags are S F R P U E W and . for ACK.", offset + index
            )
    return text


def _options(text: str, offset: int) -> tuple[str, ...]:
    found = []
    index = 0
    for raw in text.split(",") if text.strip() else ():
        option = " ".join(raw.split())
        match = _OPTION.fullmatch(option)
        if match is None:
            word = (option.split() or [""])[0]
            raise SegmentError(f"unknown TCP option {option!r}", advice(word, OPTIONS), offset + index)
        if match["blocks"]:
            found.append(f"sack {match['blocks']}")
        elif not match["padding"]:
            found.append(option)
        index += len(raw) + 1
    return tuple(found)


def matches(pattern: FramePattern, frame: ToldFrame) -> bool:
    """Whether a frame looks as its pattern says."""
    return all(wanted == came for _, wanted, came in _compared(pattern, frame))


def differences(pattern: FramePattern, frame: ToldFrame) -> str:
    """What differs between a frame and its pattern, in words and in the order it is written; empty when they agree."""
    return ", ".join(
        f"{name} is {'none' if came in (None, '') else came}, not {wanted if wanted != '' else 'none'}"
        for name, wanted, came in _compared(pattern, frame)
        if wanted != came
    )


def _compared(pattern: FramePattern, frame: ToldFrame) -> Iterable[tuple[str, Any, Any]]:
    """(name, wanted, what came) of all that `pattern` says."""
    if pattern.source:
        yield (
            "direction",
            f"{pattern.source} > {pattern.target}",
            f"{frame.source} > {frame.target}",
        )
    if pattern.sport:
        yield "source port", pattern.sport, frame.sport
    if pattern.dport:
        yield "target port", pattern.dport, frame.dport
    yield "protocol", pattern.protocol, frame.protocol
    if pattern.flags is not None:
        yield "flags", _sorted(pattern.flags), _sorted(frame.flags)
    if pattern.seq is not None:
        yield "seq", pattern.seq, frame.seq
    if pattern.ack is not None:
        yield "ack", pattern.ack, frame.ack
    if pattern.win is not None:
        yield "win", pattern.win, frame.win
    if pattern.options is not None:
        yield "options", ",".join(sorted(pattern.options)), ",".join(sorted(frame.options))
    if pattern.length is not None:
        yield "length", pattern.length, frame.length
    yield "lost", "lost" if pattern.lost else "carried", "lost" if frame.lost else "carried"


def _sorted(flags: str) -> str:
    return "".join(letter for letter in "FSRP.UEW" if letter in flags)
