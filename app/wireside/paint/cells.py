"""How many terminal cells a text takes.

Rich measures, because Textual's compositor measures with it, too: both ways to the screen must agree. It is there anyway; a
table of our own, or the wcwidth package, would be one more opinion.
"""

from __future__ import annotations

import re

_PLAIN = re.compile(r"[ -~\xa1-\xac\xae-\u02ff\u2010-\u2027\u2030-\u205e\u2190-\u2319\u2500-\u25fc]*")
"""Characters that are one cell wide everywhere, and all that the picture itself is made of."""


def plain_width(text: str) -> bool:
    """Whether every character of `text` surely takes one cell."""
    return text.isascii() or _PLAIN.fullmatch(text) is not None


def width(text: str) -> int:
    """The cells that `text` takes."""
    return len(text) if plain_width(text) else len(in_cells(text))


def in_cells(text: str) -> list[str]:
    """`text` cell by cell: a combining mark joins the cell before it, a wide character leaves the cell after it empty."""
    from rich.cells import get_character_cell_size  # noqa: PLC0415  (only texts beyond the usual signs need its tables)

    cells: list[str] = []
    for char in text:
        size = get_character_cell_size(char)
        if size:
            cells += [char, ""] if size == 2 else [char]
        elif cells:
            at = -1 if cells[-1] else -2
            cells[at] += char
    return cells


def clip(text: str, most: int) -> str:
    """The beginning of `text` that fits into `most` cells."""
    if plain_width(text):
        return text[: max(most, 0)]
    cells = in_cells(text)
    head = cells[: max(most, 0)]
    if len(head) < len(cells) and head and not cells[len(head)]:
        head.pop()  # half of a wide character
    return "".join(head)


def tail(text: str, most: int) -> str:
    """The end of `text` that fits into `most` cells."""
    cells = in_cells(text)
    return "".join(cells[-most:] if most > 0 else [])
