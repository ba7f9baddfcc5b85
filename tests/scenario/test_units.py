"""Numbers with units."""

from __future__ import annotations

import pytest

from wireside.scenario.units import Kind, UnitError, parse, text_of, time_text


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (Kind.TIME, "10ms", 10_000_000),
        (Kind.TIME, "1.5us", 1_500),
        (Kind.TIME, "2min", 120_000_000_000),
        (Kind.TIME, "0", 0),
        (Kind.SIZE, "64KiB", 65_536),
        (Kind.SIZE, "64KB", 64_000),
        (Kind.SIZE, "1000", 1_000),
        (Kind.SIZE, "2 MiB", 2_097_152),
        (Kind.BIT_RATE, "2.5Gbps", 2_500_000_000),
        (Kind.BYTE_RATE, "100KB/s", 100_000),
        (Kind.PACKET_RATE, "20kpps", 20_000),
        (Kind.PACKET_RATE, "5000", 5_000),
        (Kind.SCALE, "50us/s", 50_000),
        (Kind.SHARE, "1%", 0.01),
        (Kind.SHARE, "0.5", 0.5),
        (Kind.BOOL, "true", True),
        (Kind.COUNT, "1_000", 1000),
        (Kind.COUNT, "0x10", 16),
        (Kind.PORT, "8080", 8080),
        (Kind.ENDPOINT, "server:8080", "server:8080"),
    ],
)
def test_a_value_with_its_unit(kind: Kind, text: str, value: object) -> None:
    assert parse(kind, text) == value


@pytest.mark.parametrize(
    ("kind", "text", "what", "next_step"),
    [
        (Kind.TIME, "10mss", "'mss' is not a unit of time", "Did you mean 'ms'?"),
        (Kind.TIME, "10", "'10' needs a unit", "Write a time like 250us, 10ms, 2s."),
        (Kind.TIME, "-3ms", "'-3ms' is negative", "Write a time like 250us, 10ms, 2s."),
        (Kind.TIME, "0.5ns", "'0.5ns' is finer than 1ns", "Write a time like 250us, 10ms, 2s."),
        (Kind.TIME, "soon", "'soon' is not a time", "Write a time like 250us, 10ms, 2s."),
        (
            Kind.TIME,
            "9" * 40 + "s",
            "'" + "9" * 40 + "s' is not a time",
            "Write a time like 250us, 10ms, 2s.",
        ),
        (Kind.SIZE, "64KIB", "'KIB' is not a unit of size", "Did you mean 'KiB'?"),
        (Kind.BIT_RATE, "1gbps", "'gbps' is not a unit of bit rate", "Did you mean 'Gbps'?"),
        (Kind.SHARE, "101%", "'101%' is not between 0% and 100%", "Write a percentage like 1%."),
        (Kind.BOOL, "yes", "'yes' is neither true nor false", "Write true or false."),
        (Kind.PORT, "0", "port 0 is out of range", "Ports run from 1 to 65535."),
        (Kind.ENDPOINT, "server", "'server' is not an endpoint", 'Write HOST:PORT, such as "server:8080".'),
        (Kind.COUNT, "1.5", "'1.5' is not a whole number", "Write digits only, such as 256."),
    ],
)
def test_a_wrong_value_is_refused_with_advice(kind: Kind, text: str, what: str, next_step: str) -> None:
    with pytest.raises(UnitError) as caught:
        parse(kind, text)
    assert (caught.value.what, caught.value.next_step) == (what, next_step)


@pytest.mark.parametrize(
    "text", ["1e400", "nan", "inf", "1%%", "\N{FULLWIDTH DIGIT ONE}%", "0." + "1" * 5000, "-0.1", ""]
)
def test_what_is_no_share(text: str) -> None:
    with pytest.raises(UnitError, match="is not a share"):
        parse(Kind.SHARE, text)


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind is not Kind.TEXT])
@pytest.mark.parametrize(
    "text", ["²", "\N{FULLWIDTH DIGIT ONE}s", "9" * 5000, "9" * 5000 + "s", "1e400", "\x1b[2J"]
)
def test_odd_numbers_are_refused_in_a_few_words(kind: Kind, text: str) -> None:
    with pytest.raises(UnitError) as caught:
        parse(kind, text)
    assert len(caught.value.what) < 150


@pytest.mark.parametrize(
    ("ns", "text"),
    [(0, "0s"), (1, "1ns"), (1_500, "1.5us"), (1_234_567, "1234.567us"), (20_000_000_000, "20s")],
)
def test_a_time_is_shown_short_and_exact(ns: int, text: str) -> None:
    assert time_text(ns) == text


@pytest.mark.parametrize(
    ("kind", "value", "text"),
    [
        (Kind.BYTE_RATE, 100_000, "100KB/s"),
        (Kind.BYTE_RATE, 0, "0"),
        (Kind.SIZE, 65_536, "64KiB"),
        (Kind.PACKET_RATE, 1_500, "1500pps"),
        (Kind.TIME, 1_500_000, "1500us"),
        (Kind.BOOL, 1, "true"),
        (Kind.COUNT, 128, "128"),
    ],
)
def test_a_value_is_shown_so_that_it_reads_back(kind: Kind, value: int, text: str) -> None:
    assert text_of(kind, value) == text
    assert parse(kind, text) == value
