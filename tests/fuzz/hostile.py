"""What a stranger may put into a scenario, and mutations that put it there."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import TYPE_CHECKING

from wireside.scenario import library

if TYPE_CHECKING:
    from random import Random

LIFE = library.scenario_dir().parent / "tests" / "life"
NUMBERS = (
    "²", "\N{FULLWIDTH DIGIT ONE}", "٣", "9" * 21, "9" * 4301, "1e400", "-1", "0", "nan", "inf", "0x10", "1_0", "+5", "00", "1.5",
    "4294967296", "99999999999", "999999999999999", "9223372036854775808", "65536", "1e-5", ".5", "5.", "0b1", "", " ",
)  # fmt: skip
TEXTS = (
    "\\e]0;PWN\\a", "\\e[2J", "\\e]52;c;eA==\\a", "\\x9b31m", "\\0", "\\u202egnp\\u202c", "\\u200b", "e" + "\\u0301" * 40, "漢字" * 30,
    "\\U0001F600", "\\uFEFF", "\\u2028", "\\x7f", "\\b\\b", "%s%n", "[bold]x[/bold]", "{0}", "$(id)", "`id`", "\\ud800", "\\u0085",
)  # fmt: skip
PIECES = (
    "[", "]", "{", "}", ": ", "- ", "\n", "  ", "&a ", "*a", "<<: ", "!!int ", "!!python/object:os.system ", "~", "''", '"', "#", "|",
    "\t", "(", ")", " -> ", "%YAML 9.9\n", "---\n", "? ", ">\n", "\r", "\x85", "\u202e", "\ufeff", "[" * 50, "*" * 5, " " * 2000,
    "x" * 5000, "&a [*a]", "not " * 30, "(" * 60, "1+" * 600 + "1",
)  # fmt: skip


PACKETS = (
    "packet(1)", "packet(4)", "packet(kind=SYN)", "packets(kind=DATA, source=client)[2]", "packets()[0]", "packet(99999999999)",
    "packets(source=raw)[7]", "packet(0)", "packets(kind=SYN)",
)  # fmt: skip
SOCKETS = (
    "server.sk(8080)", "client.sk(8080)", "server.sks(8080)[1]", "server.sks(state=ESTAB)[0]", "client.sks()[0]", "server.listeners(8080)[0]",
    "server.listener(8080)", "client.listeners()[3]", "server.sks(8080)", "raw.sks()[0]",
)  # fmt: skip
AMOUNTS = (
    "server.TcpInSegs", "server.states.CLOSE-WAIT", "server.nic.rx_ring_used", "time", "count(server.sks(8080, state=CLOSE-WAIT))",
    "count(packets(kind=RST))", "count(client.sks(peer=8080, netid=tcp))", "count(packet(1))", "count(server.listeners())", "count(", "raw",
)  # fmt: skip
OF_PACKETS = (
    ".stage",
    ".stage",
    ".at",
    ".at(TCP_RCV)",
    ".fate",
    ".host",
    ".kind",
    ".length",
    ".born",
    ".recv_q",
    "",
    "[0]",
)
OF_SOCKETS = (
    ".recv_q",
    ".state",
    ".timer",
    ".program",
    ".accept_queue",
    ".cwnd",
    ".receive_queue_bytes",
    ".stage",
    "",
    "(8080)",
    "[99]",
)
WORDS = (
    "TCP_RCV", "SYS_WRITE", "SYS_READ", "delivered", "link_loss", "SOCKET_RCVBUFF", "server", "client", "SYN-ACK", "DATA", "CLOSE-WAIT", "ESTAB",
    '""', "'x'", "0", "0", "1", "100", "1ms", "64KiB",
)  # fmt: skip
FITTING = {
    ".stage": ("TCP_RCV", "WIRE", "SYS_READ", "packet(2).stage"), ".fate": ("delivered", "consumed", '""'), ".host": ("server", "client"),
    ".kind": ("SYN", "SYN-ACK", "DATA"), ".state": ("ESTAB", "CLOSE-WAIT"),
}  # fmt: skip


def _side(rng: Random) -> tuple[str, str]:
    """Something to compare, and its field."""
    match rng.randrange(3):
        case 0:
            field = rng.choice(OF_PACKETS)
            return rng.choice(PACKETS) + field, field
        case 1:
            field = rng.choice(OF_SOCKETS)
            return rng.choice(SOCKETS) + field, field
        case _:
            return rng.choice(AMOUNTS), ""


def condition(rng: Random) -> str:
    """A condition that somebody might write, or might have wanted to."""
    text, field = _side(rng)
    for _ in range(rng.choice((0, 1, 1, 1, 2))):
        other = rng.choice(
            (rng.choice(FITTING.get(field, ("0", "1", "7"))),) * 3 + (rng.choice(WORDS), _side(rng)[0])
        )
        text += f" {rng.choice(('==', '!=', '<', '>=', '>=', '+', 'and'))} {other}"
    frame = (
        "{}",
        "{}",
        "{}",
        "not ({})",
        "({}) and packet(2).stage >= WIRE",
        "{} or count(server.sks()) > 1",
    )
    return rng.choice(frame).format(text)


@cache
def bases() -> tuple[str, ...]:
    """Every scenario of the repository, to begin with."""
    paths = [*library.library(), *sorted(LIFE.glob("*.yaml"))]
    return tuple(path.read_text(encoding="utf-8") for path in paths)


def mutated(rng: Random, most: int = 5) -> str:
    """A scenario with up to `most` things done to it."""
    text = rng.choice(bases())
    kinds = rng.choice((WILD, MILD, MILD))
    for _ in range(rng.randint(1, most)):
        text = rng.choice(kinds)(rng, text)
    return text


def _at(rng: Random, text: str) -> int:
    return rng.randint(0, len(text))


def _cut(rng: Random, text: str) -> str:
    begin = _at(rng, text)
    return text[:begin] + text[begin + rng.choice((1, 3, 10, 40, 200)) :]


def _put(rng: Random, text: str) -> str:
    begin = _at(rng, text)
    return text[:begin] + rng.choice(PIECES) + text[begin:]


def _number(rng: Random, text: str) -> str:
    places = list(re.finditer(r"\d+", text))
    if not places:
        return text
    place = rng.choice(places)
    return text[: place.start()] + rng.choice(NUMBERS) + text[place.end() :]


def _word(rng: Random, text: str) -> str:
    """A word becomes another word of some scenario."""
    places = list(re.finditer(r"[A-Za-z_]\w+", text))
    words = re.findall(r"[A-Za-z_]\w+", rng.choice(bases()))
    if not places or not words:
        return text
    place = rng.choice(places)
    return text[: place.start()] + rng.choice(words) + text[place.end() :]


def _text(rng: Random, text: str) -> str:
    """A value becomes a quoted text with something hostile in it."""
    places = list(re.finditer(r": ([^\n{\[]+)\n", text))
    if not places:
        return text
    place = rng.choice(places)
    hostile = "".join(rng.choices(TEXTS, k=rng.randint(1, 3)))
    return f'{text[: place.start(1)]}"{hostile}"{text[place.end(1) :]}'


def _condition(rng: Random, text: str) -> str:
    """A beat or an expectation speaks of something else."""
    places = list(re.finditer(r"(?:when|that): ([^\n}]+)", text))
    if not places:
        return text
    place = rng.choice(places)
    return f"{text[: place.start(1)]}{json.dumps(condition(rng))}{text[place.end(1) :]}"


def _inside(rng: Random, text: str) -> str:
    """Something happens in the middle of a statement, a segment or a condition."""
    places = list(re.finditer(r"(?<=[ (\[,])[^\s()\[\],]+(?=[ )\],])", text))
    if not places:
        return text
    place, other = rng.choice(places), rng.choice(places)
    return (
        text[: place.start()]
        + rng.choice((other[0], "*", "", ">", "->", "(", "x9", "漢", "="))
        + text[place.end() :]
    )


def _line(rng: Random, text: str) -> str:
    """A line stands there many times, or somewhere else."""
    lines = text.splitlines(keepends=True)
    if not lines:
        return text
    line = rng.choice(lines)
    at = rng.randrange(len(lines) + 1)
    lines[at:at] = [line] * rng.choice((1, 1, 2, 50, 2000))
    return "".join(lines)


def _splice(rng: Random, text: str) -> str:
    other = rng.choice(bases())
    begin, length = _at(rng, other), rng.choice((10, 100, 1000))
    at = _at(rng, text)
    return text[:at] + other[begin : begin + length] + text[at:]


MILD = (_number, _number, _number, _word, _word, _inside, _inside, _text, _condition, _condition)
"""These mostly leave YAML, so that what stands in it is read."""
WILD = (*MILD, _cut, _put, _line, _splice)
