"""What comes from outside (a file, the command line, the keyboard) is made safe here, at the border, and nowhere else."""

from __future__ import annotations

import re

MAX_DIGITS = 20
"""Digits of the longest number that is read; everything counted here ends far below it."""
LONGEST_QUOTE, LONGEST_MESSAGE = 80, 400
STRANGE = "\N{REPLACEMENT CHARACTER}"
"""Stands for a character that a terminal might obey, or show as something else than it is."""
_INVISIBLE = frozenset("\u00ad\u034f\u180e\u200b\u200c\u200d\u2060\ufeff")
_MARKS_KEPT = 2
_HARMLESS = re.compile(r"[ -~\xa1-\xac\xae-\u02ff\u2010-\u2027\u2030-\u205e\u2190-\u23ff\u2500-\u27bf]*")
"""Latin letters, punctuation, arrows, signs and boxes: what most texts are made of, and nothing to clean."""
_WHOLE = re.compile(r"[+-]?[0-9]+")
_ANY_BASE = re.compile(r"[+-]?(?:0[xX][0-9a-fA-F]+|0[oO][0-7]+|0[bB][01]+|[0-9]+)")


def clean(text: str) -> str:
    """`text` as one line that is safe to print: no control characters, no changes of direction, no endless stacks of marks.

    White space of any kind is a blank, what cannot be seen is left out, and anything else that is not printable is STRANGE.
    """
    return text if _HARMLESS.fullmatch(text) else _cleaned(text)


def clean_lines(text: str) -> str:
    """`text` with its line feeds, every line safe to print."""
    return "\n".join(map(clean, text.split("\n"))) if "\n" in text else clean(text)


def _cleaned(text: str) -> str:
    from unicodedata import category  # noqa: PLC0415  (a large table, which plain text does without)

    kept: list[str] = []
    marks = _MARKS_KEPT
    for char in text:
        kind = category(char)
        if kind in ("Mn", "Me"):
            # A variation selector changes the width of a character in some terminals and not in others.
            if marks < _MARKS_KEPT and not ("\ufe00" <= char <= "\ufe0f" or char >= "\U000e0100"):
                marks += 1
                kept.append(char)
        elif char in _INVISIBLE:
            continue
        else:
            shown = char if char.isprintable() else " " if char.isspace() else STRANGE
            marks = _MARKS_KEPT if shown == " " else 0  # a mark needs a letter
            kept.append(shown)
    return "".join(kept)


def clipped(text: str, most: int = LONGEST_QUOTE) -> str:
    """`text` in at most `most` characters: its beginning and its end."""
    if len(text) <= most:
        return text
    tail = most // 4
    return f"{text[: most - tail - 3]}...{text[-tail:]}"


def quoted(text: str) -> str:
    """`text` in quotes, clipped: how messages repeat what somebody wrote."""
    return repr(clipped(text))


def whole(text: str, *, any_base: bool = False) -> int:
    """The number that `text` spells in plain digits (with `any_base` also 0x1f, 0o17, 0b11).

    ValueError, in words, when it spells none or has more than MAX_DIGITS digits.
    """
    if not (_ANY_BASE if any_base else _WHOLE).fullmatch(text):
        raise ValueError(f"{quoted(text)} is not a whole number")
    if len(text.lstrip("+-")) > MAX_DIGITS:
        raise ValueError(f"{quoted(text)} has too many digits")
    return int(text, 0 if any_base else 10)
