"""Numbers with units as people write them: "10ms", "64KiB", "100Mbps" to ns, bytes, bits per second."""

from __future__ import annotations

import re
from decimal import Decimal
from difflib import get_close_matches
from enum import Enum
from typing import TYPE_CHECKING

from wireside.outside import quoted, whole

if TYPE_CHECKING:
    from collections.abc import Iterable

TIME = {"ns": 1, "us": 1_000, "ms": 1_000_000, "s": 1_000_000_000, "min": 60_000_000_000}
SIZE = {"B": 1, "KB": 10**3, "KiB": 2**10, "MB": 10**6, "MiB": 2**20, "GB": 10**9, "GiB": 2**30}
BIT_RATE = {"bps": 1, "kbps": 10**3, "Mbps": 10**6, "Gbps": 10**9}
BYTE_RATE = {f"{unit}/s": factor for unit, factor in SIZE.items()}
PACKET_RATE = {"pps": 1, "kpps": 10**3, "Mpps": 10**6}
RATE = {"/min": 1, "/s": 60}
SCALE = {f"{unit}/s": factor for unit, factor in TIME.items()}

_NUMBER = re.compile(r"(-?[0-9][0-9_]*(?:\.[0-9]+)?)\s*(.*)", re.DOTALL)
_OCTET = re.compile(r"[0-9]{1,3}")
_SHARE = re.compile(r"([0-9]*\.?[0-9]+(?:[eE]-?[0-9]{1,2})?)(%?)")


class Kind(Enum):
    """What a value in a scenario is; `value` names it in messages."""

    COUNT = "a whole number"
    PORT = "a port number"
    SIZE = "a size"
    TIME = "a time"
    SCALE = "a time scale"
    BIT_RATE = "a bit rate"
    BYTE_RATE = "a byte rate"
    PACKET_RATE = "a packet rate"
    RATE = "a rate"
    SHARE = "a share"
    BOOL = "true or false"
    ENDPOINT = "an endpoint"
    TEXT = "text"


UNITS: dict[Kind, dict[str, int]] = {
    Kind.SIZE: SIZE,
    Kind.TIME: TIME,
    Kind.SCALE: SCALE,
    Kind.BIT_RATE: BIT_RATE,
    Kind.BYTE_RATE: BYTE_RATE,
    Kind.PACKET_RATE: PACKET_RATE,
    Kind.RATE: RATE,
}
UNIT_REQUIRED = {Kind.TIME, Kind.SCALE, Kind.BIT_RATE, Kind.RATE}
EXAMPLE = {
    Kind.SIZE: "65536, 64KiB",
    Kind.TIME: "250us, 10ms, 2s",
    Kind.SCALE: "50us/s, 2ms/s, 1s/s",
    Kind.BIT_RATE: "100Mbps, 1Gbps",
    Kind.BYTE_RATE: "100KB/s, 2MiB/s",
    Kind.PACKET_RATE: "5000, 20kpps",
    Kind.RATE: "100/s, 10000/min",
}
MAX_NUMBER = 2**62
LONGEST_NAME, MOST_COMPARED = 64, 300_000
"""Comparing a misspelt word with the known ones costs the product of their lengths."""


class UnitError(ValueError):
    """A text that is not the value it should be: what is wrong, and what would be right."""

    def __init__(self, what: str, next_step: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.next_step = next_step


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """The question "Did you mean X?" with the known word nearest to `word`; empty when none is near."""
    if not 0 < len(word) <= LONGEST_NAME:
        return ""
    by_lower: dict[str, str] = {}
    left = MOST_COMPARED // len(word)
    for name in known:
        left -= len(name)
        if left < 0:
            break
        by_lower[name.lower()] = name
    near = get_close_matches(word.lower(), list(by_lower), n=1, cutoff=0.6)
    return f"Did you mean {by_lower[near[0]]!r}?" if near else ""


def advice(word: str, known: Iterable[str]) -> str:
    """The next step for an unknown word: the nearest known one, or the list of all when it is short."""
    words = list(known)
    near = did_you_mean(word, words)
    if near or not words:
        return near
    shown = ", ".join(words[:12])
    return f"Known here: {shown}{', …' if len(words) > 12 else ''}."


def cpus_text(count: int) -> str:
    """Which CPUs a host with `count` of them has, as a next step."""
    return "It has only CPU 0." if count == 1 else f"Its CPUs are 0 to {count - 1}."


def parse(kind: Kind, text: str) -> int | float | str:
    """The value of `text` as `kind`: ns, bytes, bits per second, a probability …; UnitError when it is none."""
    if kind in UNITS:
        return _with_unit(kind, text)
    if kind is Kind.SHARE:
        return _share(text)
    if kind is Kind.BOOL:
        return _flag(text)
    if kind is Kind.ENDPOINT:
        return _endpoint(text)
    if kind is Kind.TEXT:
        return text
    number = _whole(text)
    if kind is Kind.PORT and not 1 <= number <= 65535:
        raise UnitError(f"port {number} is out of range", "Ports run from 1 to 65535.")
    return number


def _whole(text: str) -> int:
    try:
        number = whole(text.replace("_", ""), any_base=True)
    except ValueError as error:
        raise UnitError(str(error), "Write digits only, such as 256.") from None
    if abs(number) > MAX_NUMBER:
        raise UnitError(f"{text} is too large", "")
    return number


def _with_unit(kind: Kind, text: str) -> int:
    units = UNITS[kind]
    example = f"Write {kind.value} like {EXAMPLE[kind]}."
    match = _NUMBER.fullmatch(text)
    if match is None or len(match[1]) > 30:
        raise UnitError(f"{quoted(text)} is not {kind.value}", example)
    number, unit = Decimal(match[1].replace("_", "")), match[2]
    if number < 0:
        raise UnitError(f"{text!r} is negative", example)
    if not unit:
        if kind in UNIT_REQUIRED and number != 0:
            raise UnitError(f"{text!r} needs a unit", example)
        unit = next(iter(units))
    if unit not in units:
        near = did_you_mean(unit, units)
        known = ", ".join(units)
        raise UnitError(
            f"{quoted(unit)} is not a unit of {kind.value.split(' ', 1)[1]}", near or f"Known units: {known}."
        )
    value = number * units[unit]
    if value != int(value):
        raise UnitError(f"{text!r} is finer than {_finest(kind)}", example)
    if value > MAX_NUMBER:
        raise UnitError(f"{text!r} is too large", example)
    return int(value)


def _finest(kind: Kind) -> str:
    return f"1{next(iter(UNITS[kind]))}"


def _share(text: str) -> float:
    match = _SHARE.fullmatch(text)
    if match is None or len(text) > 30:
        raise UnitError(
            f"{quoted(text)} is not a share", "Write a percentage like 1% or a number from 0 to 1."
        )
    share = float(match[1]) / (100 if match[2] else 1)
    if not 0 <= share <= 1:
        raise UnitError(f"{text!r} is not between 0% and 100%", "Write a percentage like 1%.")
    return share


def _flag(text: str) -> bool:
    if text not in ("true", "false"):
        raise UnitError(f"{quoted(text)} is neither true nor false", "Write true or false.")
    return text == "true"


def _endpoint(text: str) -> str:
    host, colon, port = text.rpartition(":")
    if not colon or not host:
        raise UnitError(f"{quoted(text)} is not an endpoint", 'Write HOST:PORT, such as "server:8080".')
    return f"{host}:{parse(Kind.PORT, port)}"


def text_of(kind: Kind, value: float | str) -> str:
    """A value as text that `parse` reads back: with the largest unit that keeps it a whole number."""
    if kind is Kind.BOOL:
        return "true" if value else "false"
    if kind not in UNITS or not value:
        return str(value)
    number = int(value)
    fitting = [(factor, unit) for unit, factor in UNITS[kind].items() if number % factor == 0]
    factor, unit = max(fitting)
    return f"{number // factor}{unit}"


def time_text(ns: int) -> str:
    """`ns` with the largest unit that keeps it short and exact: 1500000 is "1.5ms"."""
    for unit in ("s", "ms", "us"):
        if ns and ns % (TIME[unit] // 1000) == 0 and ns >= TIME[unit]:
            return f"{Decimal(ns) / TIME[unit]:f}{unit}"
    return f"{ns}ns" if ns else "0s"


def is_address(text: str) -> bool:
    """Whether `text` is a dotted-quad IPv4 address."""
    parts = text.split(".")
    return len(parts) == 4 and all(_OCTET.fullmatch(part) and int(part) <= 255 for part in parts)
