"""What a link does to single frames.

`drop client > server: Flags [P.], seq 1:101`: the first frame that looks so
`hold 20ms server > client: Flags [.], ack 101 x2`: the second one leaves 20 ms later
`duplicate each client > server: Flags [F.]`: every one is sent twice
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from wireside.errors import ScenarioError
from wireside.outside import quoted
from wireside.scenario import nodes
from wireside.scenario.patterns import read_ends, read_pattern
from wireside.scenario.segments import SegmentError
from wireside.scenario.spec import LinkRule
from wireside.scenario.units import Kind, UnitError, advice, parse

if TYPE_CHECKING:
    from collections.abc import Collection

    import yaml

    from wireside.scenario.document import Document

ACTIONS = ("drop", "hold", "duplicate")
_ACTION = re.compile(r"(?P<action>\w+)(?:\s+(?P<time>\d[\w.]*))?(?P<each>\s+each)?\s+", re.ASCII)
_NTH = re.compile(r"(?<!\s)\s+x(?P<nth>\d{1,9})$", re.ASCII)


def read_rules(doc: Document, node: yaml.Node, names: Collection[str]) -> tuple[LinkRule, ...]:
    """The `rules:` of a link between two names; every mistake is noted at its place."""
    rules = []
    for line in nodes.lines(doc, node, "rules"):
        try:
            rules.append(_rule(line.text, names))
        except SegmentError as error:
            doc.note(ScenarioError(error.what, where=line.at(error.offset), next_step=error.next_step))
    return tuple(rules)


def _rule(text: str, names: Collection[str]) -> LinkRule:
    match = _ACTION.match(text)
    action = match["action"] if match else (text.split() or [""])[0]
    if match is None or action not in ACTIONS:
        raise SegmentError(f"a link cannot {quoted(action)} a frame", advice(action, ACTIONS), 0)
    if (action == "hold") != bool(match["time"]):
        raise SegmentError(
            f"{action} {'needs a' if action == 'hold' else 'takes no'} time",
            "Write `hold 10ms client > server: …`, `drop client > server: …`.",
            match.end("action"),
        )
    written = _NTH.search(text)
    if written and (match["each"] or int(written["nth"]) == 0):
        raise SegmentError(f"x{written['nth']} means nothing here", "Leave it out.", written.start("nth") - 1)
    ends, rest = read_ends(text, match.end(), names)
    pattern = read_pattern(text[: written.start()] if written else text, rest, ends)
    nth = 0 if match["each"] else int(written["nth"]) if written else 1
    return LinkRule(action, pattern, nth, _time(match["time"], match.start("time")) if match["time"] else 0)


def _time(text: str, offset: int) -> int:
    try:
        return int(parse(Kind.TIME, text))
    except UnitError as error:
        raise SegmentError(error.what, error.next_step, offset) from None
