"""The characters of the picture, in Unicode and in plain ASCII."""
# ruff: noqa: RUF001

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Glyphs:
    """One set of characters; every one is exactly one cell wide."""

    unicode: bool
    borders: str
    """Top-left, edge, top-right, side, bottom-left, bottom-right."""
    heavy: str
    """The same for a highlighted box."""
    eighths: str
    """Left one-eighth … seven-eighths of a cell; empty where there are none."""
    levels: str
    """From nothing to a full cell, for sparklines."""
    gap: str
    arrow: str
    ack: str
    lost: str
    lane: str
    slot: str
    free: str
    bullet: str
    mark: str
    ellipsis: str
    logo: str
    play: str
    pause: str
    ask: str
    cursor: str
    rule: str
    dot: str
    times: str
    micro: str
    to: str
    dash: str


UNICODE = Glyphs(
    unicode=True,
    borders="╭─╮│╰╯",
    heavy="┏━┓┃┗┛",
    eighths="▏▎▍▌▋▊▉",
    levels=" ▁▂▃▄▅▆▇█",
    gap="╌",
    arrow="▸",
    ack="◂",
    lost="×",
    lane="┄",
    slot="■",
    free="·",
    bullet="●",
    mark="*",
    ellipsis="…",
    logo="▞▚",
    play="▶",
    pause="▮▮",
    ask="◇",
    cursor="▌",
    rule="━",
    dot="·",
    times="×",
    micro="µ",
    to="→",
    dash="─",
)
ASCII = Glyphs(
    unicode=False,
    borders="+-+|++",
    heavy="#=#H##",
    eighths="",
    levels=" .:-=+*#%",
    gap="-",
    arrow=">",
    ack="<",
    lost="x",
    lane=".",
    slot="#",
    free=".",
    bullet="*",
    mark="*",
    ellipsis="~",
    logo=">>",
    play=">",
    pause="||",
    ask="?",
    cursor=">",
    rule="=",
    dot="-",
    times="x",
    micro="u",
    to="->",
    dash="-",
)

_PLAIN = str.maketrans(
    {"µ": "u", "×": "x", "→": "->", "…": "...", "–": "-", "—": "-", "’": "'", "“": '"', "”": '"', "≥": ">=",
     "≤": "<=", "·": "-", "•": "*", "⁄": "/", "½": "1/2", "←": "<-", "≈": "~"}
)  # fmt: skip


def plain(text: str, glyphs: Glyphs) -> str:
    """`text` in characters that `glyphs` can show."""
    if glyphs.unicode or text.isascii():
        return text
    return text.translate(_PLAIN).encode("ascii", "replace").decode()


def glyphs_from_environment(environ: Mapping[str, str], encoding: str) -> Glyphs:
    """ASCII when WIRESIDE_ASCII asks for it or the terminal's encoding is not UTF-8."""
    if environ.get("WIRESIDE_ASCII", "") not in {"", "0"}:
        return ASCII
    return UNICODE if encoding.lower().replace("-", "") in {"utf8", "utf8sig"} else ASCII
