"""What comes from outside: texts that are safe to print, and numbers that are what they look like."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wireside.errors import CommandError
from wireside.outside import _HARMLESS, LONGEST_MESSAGE, _cleaned, clean, clean_lines, clipped, quoted, whole


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("plain ASCII text", "plain ASCII text"),
        ("naïve 漢字 →", "naïve 漢字 →"),
        ("\x1b]0;title\x07", "\ufffd]0;title\ufffd"),
        ("\x9b2J", "\ufffd2J"),
        ("a\x00b\x7fc", "a\ufffdb\ufffdc"),
        ("\u202egnp.exe\u202c", "\ufffdgnp.exe\ufffd"),
        ("soft\u00adhyphen, zero\u200bwidth, joined\u200d, byte order\ufeff", "softhyphen, zerowidth, joined, byte order"),
        ("tab\tline\nreturn\rno\u00a0break\u2028", "tab line return no break "),
        ("e" + "\u0301" * 9, "e" + "\u0301" * 2),
        ("\u0301a \u0301b", "a b"),
        ("❤\ufe0f", "❤"),
        ("\udc1b[2J", "\ufffd[2J"),
    ],
)  # fmt: skip
def test_clean(text: str, safe: str) -> None:
    assert clean(text) == safe


def test_what_is_taken_for_harmless_is() -> None:
    harmless = [chr(code) for code in range(0x10000) if _HARMLESS.fullmatch(chr(code))]
    assert len(harmless) > 1000
    assert [char for char in harmless if _cleaned(f"a{char}") != f"a{char}"] == []


@given(st.text())
def test_whatever_comes_can_be_printed_and_stays_as_it_is(text: str) -> None:
    once = clean(text)
    assert once.isprintable()
    assert clean(once) == once
    assert clean_lines(text).replace("\n", "").isprintable()


@given(st.text(), st.integers(8, 200))
def test_a_clipped_text_keeps_both_ends(text: str, most: int) -> None:
    short = clipped(text, most)
    assert len(short) <= most
    assert text[:3] == short[:3]


def test_a_quotation_is_short() -> None:
    assert quoted("x" * 100_000) == f"'{'x' * 57}...{'x' * 20}'"


@given(st.text(alphabet="0123456789+-²٣١ xXabeE._"))
def test_a_number_is_its_ascii_digits_or_refused(text: str) -> None:
    try:
        number = whole(text)
    except ValueError as error:
        reason = str(error)
        assert repr(text[:20])[:-1] in reason
    else:
        assert text.isascii()
        assert f"{number}" == f"{text.lstrip('+-').lstrip('0') or '0'}" or text[0] in "+-"


@pytest.mark.parametrize(
    "text", ["²", "\N{FULLWIDTH DIGIT ONE}", "1" * 21, "1" * 5000, "1e400", "", " 1", "1_0", "0x10"]
)
def test_what_is_no_number(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not a whole number|has too many digits"):
        whole(text)


def test_other_bases_where_they_are_wanted() -> None:
    assert (whole("0x1F", any_base=True), whole("-12", any_base=True)) == (31, -12)


def test_an_error_is_safe_and_short_whatever_it_repeats() -> None:
    error = CommandError("\x1b[2J" * 5000, where="\x07" * 5000, next_step="\u202e" * 5000)
    assert len(str(error)) < 3 * LONGEST_MESSAGE + 10
    assert str(error).replace("\n", "").isprintable()
