"""The grammar of a wire peer's segments, close to what tcpdump prints.

`5ms TCP 40000 > 8080 Flags [P.], seq 1:101, ack 1, win 502, options [nop,nop,TS val 7 ecr 9], length 100 x10 every 1ms`
`0ms UDP 4000 > 53 length 100 x1000 every 1us`
`9ms TCP 40000 > 8080 Flags [P.], seq 101:201, ack 1, cksum incorrect, to 10.0.0.77`
`3ms ICMP 80 > 40000 unreachable host`: the host's last segment from port 40000 to port 80 could not be delivered
`after Flags [S]: 0ms TCP 80 > * Flags [S.], seq 0, ack *`: an answer (see triggers)
`1ms TCP 1024 > 8080 Flags [S], options [mss 1460], from 198.18.0.0/15 x100000 every 10us`
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from wireside.outside import quoted, whole
from wireside.scenario.spec import ECHO, WireSegment
from wireside.scenario.units import Kind, UnitError, advice, is_address, parse

if TYPE_CHECKING:
    from wireside.errors import Position

_HEAD = re.compile(r"(?P<at>\S+)\s+(?P<protocol>\w+)\s+(?P<sport>\d+)\s*>\s*(?P<dport>\d+|\*):?\s*", re.ASCII)
_PART = re.compile(
    r"(?P<flags>Flags\s+\[(?P<letters>[^\]]*)\])"
    r"|(?P<seq>seq\s+(?P<begin>\d+|\*)(?::(?P<end>\d+))?)"
    r"|ack\s+(?P<ack>\d+|\*)|win\s+(?P<win>\d+)|options\s+\[(?P<options>[^\]]*)\]|length\s+(?P<length>\d+)"
    r"|cksum\s+(?P<cksum>incorrect)|to\s+(?P<to>\d+\.\d+\.\d+\.\d+)"
    r"|from\s+(?P<from>\d+\.\d+\.\d+\.\d+(?:/\d+)?)"
    r"|unreachable\s+(?P<unreachable>\w+)"
    r"|x(?P<repeat>\d+)|every\s+(?P<every>\S+)",
    re.ASCII,
)
_OPTION = re.compile(
    r"mss\s+(?P<mss>\d+)|wscale\s+(?P<wscale>\d+)|(?P<sack_ok>sackOK)|TS\s+val\s+(?P<tsval>\d+)\s+ecr\s+(?P<tsecr>\d+|\*)"
    r"|sack\s+\d+\s+(?P<sack>(?:\{\d+:\d+\})+)|nop|eol",
    re.ASCII,
)
_BLOCK = re.compile(r"\{(\d+):(\d+)\}", re.ASCII)
PROTOCOLS = ("TCP", "UDP", "ICMP")
PARTS = ("Flags", "seq", "ack", "win", "options", "length", "every", "cksum", "to", "from", "unreachable")
UNREACHABLE = ("net", "host", "protocol", "port", "filtered")
OPTIONS = ("mss", "wscale", "sackOK", "TS", "sack", "nop", "eol")
MAX_LENGTH = 65_495
MAX_REPEAT = 10_000_000
MAX_16, MAX_32 = 0xFFFF, 0xFFFFFFFF
MAX_WSCALE, MAX_BLOCKS = 14, 4
LARGEST = {
    "begin": MAX_32,
    "end": MAX_32,
    "ack": MAX_32,
    "win": MAX_16,
    "length": MAX_LENGTH,
    "repeat": MAX_REPEAT,
}
"""What the number of a part may be at most."""
NUMBER_NAMES = {"begin": "seq", "end": "seq", "repeat": "x"}


@dataclass(frozen=True, slots=True)
class SegmentError(Exception):
    """What is wrong with a segment's text, and at which character."""

    what: str
    next_step: str
    offset: int


def read_segment(text: str, position: Position, begin: int = 0, *, answers: bool = False) -> WireSegment:
    """The segment that `text` describes from `begin` on; SegmentError when it describes none.

    `answers`: it is sent when another one has come, so `*` may stand for its numbers and its port.
    """
    head = _HEAD.match(text, begin)
    if head is None:
        raise SegmentError(
            f"{quoted(text)} is no segment",
            "Begin with `TIME TCP SPORT > DPORT` or `TIME UDP SPORT > DPORT`.",
            begin,
        )
    protocol = head["protocol"]
    if protocol not in PROTOCOLS:
        raise SegmentError(
            f"unknown protocol {protocol!r}", advice(protocol, PROTOCOLS), head.start("protocol")
        )
    found = _parts(text, head.end(), protocol)
    segment = WireSegment(
        at_ns=_value(Kind.TIME, head["at"], begin),
        protocol=protocol.lower(),
        sport=_value(Kind.PORT, head["sport"], head.start("sport")),
        dport=0 if head["dport"] == "*" else _value(Kind.PORT, head["dport"], head.start("dport")),
        position=position,
    )
    segment = _with_numbers(segment, found)
    if "options" in found:
        segment = _with_options(segment, *found["options"])
    if not answers:
        _check_stars(segment, found, head.start("dport"))
    _check(segment, found)
    return segment


def _check_stars(segment: WireSegment, found: dict[str, tuple[str, int]], offset: int) -> None:
    for name in ("begin", "ack"):
        if name in found and found[name][0] == "*":
            raise _nothing_to_answer(found[name][1])
    if not segment.dport:
        raise _nothing_to_answer(offset)


def _nothing_to_answer(offset: int) -> SegmentError:
    advice = "Begin with what it answers, such as `after Flags [S]: 0ms TCP 8080 > * …`."
    return SegmentError("`*` without a segment to answer", advice, offset)


def _value(kind: Kind, text: str, offset: int) -> int:
    try:
        return int(parse(kind, text))
    except UnitError as error:
        raise SegmentError(error.what, error.next_step, offset) from None


def _parts(text: str, index: int, protocol: str) -> dict[str, tuple[str, int]]:
    """Part name to (its text, its offset), each at most once."""
    found: dict[str, tuple[str, int]] = {}
    while index < len(text):
        match = _PART.match(text, index)
        if match is None:
            word = re.split(r"[\s,]", text[index:], maxsplit=1)[0] or text[index]
            near = advice(word, PARTS)
            raise SegmentError(f"cannot read {quoted(text[index:])} in a {protocol} segment", near, index)
        for name in (
            "letters",
            "begin",
            "end",
            "ack",
            "win",
            "options",
            "length",
            "repeat",
            "every",
            "cksum",
            "to",
            "from",
            "unreachable",
        ):
            if match[name] is not None:
                if name in found:
                    raise SegmentError(f"{match[0]!r} is given twice", "Keep one.", index)
                found[name] = (match[name], match.start(name))
        index = match.end()
        while index < len(text) and text[index] in ", \t":
            index += 1
    return found


def _with_numbers(segment: WireSegment, found: dict[str, tuple[str, int]]) -> WireSegment:
    number = {
        name: field_value(*found[name], NUMBER_NAMES.get(name, name), most)
        for name, most in LARGEST.items()
        if name in found and found[name][0] != "*"
    }
    begin = number.get("begin", 0)
    length = number.get("length", number.get("end", begin) - begin)
    return replace(
        segment,
        flags=found.get("letters", ("", 0))[0],
        seq=begin,
        ack=0 if found.get("ack", ("", 0))[0] == "*" else number.get("ack"),
        seq_answers=found.get("begin", ("", 0))[0] == "*",
        ack_answers=found.get("ack", ("", 0))[0] == "*",
        win=number.get("win", segment.win),
        length=length,
        repeat=number.get("repeat", 1),
        csum_bad="cksum" in found,
        daddr=_address(*found["to"]) if "to" in found else "",
        unreachable=found.get("unreachable", ("", 0))[0],
        saddr=_source(*found["from"]) if "from" in found else "",
        every_ns=_value(Kind.TIME, *found["every"]) if "every" in found else 0,
    )


def field_value(text: str, offset: int, name: str, most: int) -> int:
    """The value of a header's field, written in digits; SegmentError when the field cannot hold it."""
    try:
        number = whole(text)
    except ValueError as error:
        raise SegmentError(f"{name}: {error}", f"Write 0 to {most}.", offset) from None
    if number > most:
        raise SegmentError(f"{name} {text} is out of range", f"Write 0 to {most}.", offset)
    return number


def _address(text: str, offset: int) -> str:
    if not is_address(text):
        raise SegmentError(f"{text!r} is no IPv4 address", "Write four numbers such as 10.0.0.1.", offset)
    return text


def _source(text: str, offset: int) -> str:
    address, _, bits = text.partition("/")
    _address(address, offset)
    if bits and not field_value(bits, offset, "a prefix length", 32) >= 1:
        raise SegmentError(f"{text!r} is no network", "Write a prefix length of 1 to 32.", offset)
    return text


def _with_options(segment: WireSegment, text: str, offset: int) -> WireSegment:
    index = 0
    for raw in text.split(","):
        option = raw.strip()
        match = _OPTION.fullmatch(option)
        if match is None:
            word = (option.split() or [""])[0]
            raise SegmentError(f"unknown TCP option {quoted(option)}", advice(word, OPTIONS), offset + index)
        if match["mss"]:
            segment = replace(segment, mss=field_value(match["mss"], offset + index, "mss", MAX_16))
        elif match["wscale"]:
            segment = replace(
                segment, wscale=field_value(match["wscale"], offset + index, "wscale", MAX_WSCALE)
            )
        elif match["sack_ok"]:
            segment = replace(segment, sack_ok=True)
        elif match["tsval"]:
            val = field_value(match["tsval"], offset + index, "TS val", MAX_32)
            echoes = match["tsecr"] == "*"
            ecr = ECHO if echoes else field_value(match["tsecr"], offset + index, "TS ecr", MAX_32)
            segment = replace(segment, ts=(val, ecr))
        elif match["sack"]:
            segment = replace(segment, sack=_blocks(match["sack"], offset + index))
        index += len(raw) + 1
    return segment


def _blocks(text: str, offset: int) -> tuple[tuple[int, int], ...]:
    blocks = tuple(
        (field_value(left, offset, "a SACK edge", MAX_32), field_value(right, offset, "a SACK edge", MAX_32))
        for left, right in _BLOCK.findall(text)
    )
    if len(blocks) > MAX_BLOCKS:
        raise SegmentError(f"{len(blocks)} SACK blocks are too many", f"A header holds {MAX_BLOCKS}.", offset)
    return blocks


def _check_icmp(segment: WireSegment, found: dict[str, tuple[str, int]]) -> None:
    if segment.protocol != "icmp":
        if "unreachable" in found:
            raise SegmentError(
                "only ICMP says unreachable", "Write ICMP for the protocol.", found["unreachable"][1]
            )
        return
    if set(found) - {"unreachable", "repeat", "every", "from"} or "unreachable" not in found:
        raise SegmentError("an ICMP error only says what is unreachable", "Write `unreachable host`.", 0)
    if segment.unreachable not in UNREACHABLE:
        raise SegmentError(
            f"unknown {segment.unreachable!r}",
            advice(segment.unreachable, UNREACHABLE),
            found["unreachable"][1],
        )


def _check(segment: WireSegment, found: dict[str, tuple[str, int]]) -> None:
    _check_icmp(segment, found)
    if segment.protocol == "tcp" and not segment.flags:
        raise SegmentError(
            "a TCP segment needs its flags", "Add `Flags [S]` (letters as tcpdump prints them: S . P F R).", 0
        )
    if segment.protocol == "udp" and set(found) - {"length", "repeat", "every", "cksum", "to", "from"}:
        raise SegmentError(
            "a UDP datagram has only a length, checksum and addresses",
            "Leave out flags, numbers, window and options.",
            0,
        )
    offset = found.get("letters", ("", 0))[1]
    for letter in segment.flags:
        if letter not in "SFRP.UEW":
            raise SegmentError(f"unknown flag {letter!r}", "Flags are S F R P U E W and . for ACK.", offset)
    if not 0 <= segment.length <= MAX_LENGTH:
        raise SegmentError(f"length {segment.length} is out of range", f"Write 0 to {MAX_LENGTH}.", 0)
    if "end" in found and "length" in found and segment.length != whole(found["end"][0]) - segment.seq:
        raise SegmentError(
            "seq and length disagree",
            "Length is the second number of seq minus the first.",
            found["length"][1],
        )
    if segment.repeat == 0:
        raise SegmentError("x0 is out of range", f"Repeat 1 to {MAX_REPEAT} times.", found["repeat"][1] - 1)
