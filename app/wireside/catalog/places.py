"""What a beat of a story may point at: the words for the boxes of the journey and for the panes."""

from __future__ import annotations

from wireside.catalog.stages import Stage

STATIONS = ("nic", "ring", "softirq", "ip", "tcp", "sockbuf", "read")
"""The boxes of the journey, from the wire to the program."""

_STATION_WORDS: dict[str, tuple[str, ...]] = {
    "nic": ("nic", "wire", "link"),
    "ring": ("ring", "rx ring", "hardirq"),
    "softirq": ("softirq", "napi", "ksoftirqd", "backlog", "gro"),
    "ip": ("ip",),
    "tcp": ("tcp", "udp", "window"),
    "sockbuf": ("sockbuf", "socket buffer", "rcvbuf", "receive queue"),
    "read": ("read", "reader", "program", "app", "application", "schedule"),
}
PANE_WORDS: dict[str, tuple[str, ...]] = {
    "journey": ("journey",),
    "narration": ("narration",),
    "tools": ("tools", "sockets", "counters", "packets"),
    "knobs": ("knobs", "sysctl", "sysctls"),
    "gauges": (
        "gauges", "queues", "states", "SYN requests", "accept queue", "TIME-WAIT", "CLOSE-WAIT", "FIN-WAIT-2", "orphans",
        "tcp_mem",
    ),
    "events": ("events",),
    "timeline": ("timeline",),
}  # fmt: skip
TOOLS = ("sockets", "counters", "events", "packets")
"""The words for the tools that take turns in their pane, in the order of their keys, from 1 on."""
WORDS = (
    *(stage.name for stage in Stage),
    *(word for words in (*PANE_WORDS.values(), *_STATION_WORDS.values()) for word in words),
)
"""Every word, as the reference spells it; `squeezed` makes the spellings of one word equal."""


def squeezed(word: str) -> str:
    """`word` without case, blanks, hyphens, underscores and a final "()"."""
    plain = word.strip().lower().removesuffix("()")
    return plain.replace("_", "").replace(" ", "").replace("-", "")


STATION_OF_WORD = {squeezed(word): key for key, words in _STATION_WORDS.items() for word in words}
"""Squeezed word to box; the stages that a box stands for are words for it as well."""
PANE_OF_WORD = {squeezed(word): pane for pane, words in PANE_WORDS.items() for word in words}
STAGE_OF_WORD = {squeezed(stage.name): stage for stage in Stage}


def tool_of(word: str) -> int:
    """The key of the tool that `word` names; 0 when it names none."""
    plain = squeezed(word)
    return TOOLS.index(plain) + 1 if plain in TOOLS else 0


def is_place(word: str) -> bool:
    """Whether `word` names something on the screen."""
    plain = squeezed(word)
    return plain in STATION_OF_WORD or plain in PANE_OF_WORD or plain in STAGE_OF_WORD
