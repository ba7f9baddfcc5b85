"""Numbers and times as people say them."""

from __future__ import annotations

from wireside.paint.cells import clip
from wireside.paint.cells import width as cells

_UNITS = ((1_000_000_000, "s"), (1_000_000, "ms"), (1_000, "µs"), (1, "ns"))


def span(ns: int) -> str:
    """A length of time in at most five characters and its unit: "57 ns", "1.5 µs", "20 ms", "2 s"."""
    for size, unit in _UNITS:
        if ns >= size:
            amount = ns / size
            digits = 0 if amount >= 100 or ns % size == 0 else 1 if amount >= 10 else 2
            text = f"{amount:.{digits}f}"
            return f"{text.rstrip('0').rstrip('.') if '.' in text else text} {unit}"
    return "0 ns"


def clock(ns: int) -> str:
    """A moment of the run: seconds, with micro- and nanoseconds set apart, "12.480 312 456 s"."""
    seconds, rest = divmod(max(0, ns), 1_000_000_000)
    return f"{seconds}.{rest // 1_000_000:03d} {rest // 1_000 % 1_000:03d} {rest % 1_000:03d} s"


def short_clock(ns: int) -> str:
    """A moment of the run in seconds, with as many of six digits as nine cells have room for: "3.800170", "112.64000"."""
    return f"{ns // 1_000_000_000}.{ns // 1_000 % 1_000_000:06d}"[:9]


def count(n: float) -> str:
    """A number in at most five characters: 999, 12.3K, 104K, 1.25M."""
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e4, "K")):
        if abs(n) >= size:
            amount = n / (1e3 if unit == "K" else size)
            return f"{amount:.0f}{unit}" if amount >= 100 else f"{amount:.3g}{unit}"
    return f"{n:.0f}"


def grouped(n: int) -> str:
    """A whole number in groups of three: 131 072."""
    return f"{n:,}".replace(",", " ")


def size(n: int) -> str:
    """Bytes in at most five characters, with binary prefixes as `ls -h` has them: 640, 12.5K, 208K, 6M."""
    for unit_size, unit in ((1 << 30, "G"), (1 << 20, "M"), (1 << 10, "K")):
        if n >= unit_size:
            amount = n / unit_size
            return f"{amount:.0f}{unit}" if amount >= 100 else f"{amount:.3g}{unit}"
    return str(n)


def rounded(text: str) -> str:
    """A number with its binary prefix where that loses nothing: 131072 is 128K."""
    if text.isdigit():
        for unit_size, unit in ((1 << 30, "G"), (1 << 20, "M"), (1 << 10, "K")):
            if int(text) >= unit_size and int(text) % unit_size == 0:
                return f"{int(text) // unit_size}{unit}"
    return text


def wrap(text: str, width: int) -> list[str]:
    """Break `text` at blanks into lines of at most `width` cells; longer words are cut."""
    lines: list[str] = []
    width = max(width, 2)  # what a wide character needs
    for paragraph in text.split("\n"):
        line = ""
        for word in paragraph.split():
            rest = word
            while cells(rest) > width:
                if line:
                    lines.append(line)
                    line = ""
                head = clip(rest, width)
                lines.append(head)
                rest = rest[len(head) :]
            if not line:
                line = rest
            elif cells(line) + 1 + cells(rest) <= width:
                line += " " + rest
            else:
                lines.append(line)
                line = rest
        lines.append(line)
    return lines


def fit(text: str, width: int, ellipsis: str = "…") -> str:
    """`text` in at most `width` cells, cut at a word's end where that loses little."""
    if cells(text) <= width:
        return text
    if width <= len(ellipsis):
        return clip(text, width)
    cut = clip(text, width - len(ellipsis))
    head = cut.rpartition(" ")[0]
    if cells(head) >= width * 2 // 3:
        cut = head
    return cut.rstrip() + ellipsis


def question_of(say: str) -> tuple[str, str]:
    """A beat's text as (narration, closing question); the question is its last sentence, when it ends so."""
    text = say.strip()
    if not text.endswith("?"):
        return text, ""
    cut = max(text.rfind(mark, 0, -1) for mark in (". ", "! ", ": ", "\n"))
    return (text[: cut + 1].strip(), text[cut + 1 :].strip()) if cut >= 0 else ("", text)
