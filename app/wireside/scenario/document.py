"""A scenario file as YAML nodes that know their place, with bounds on all that a file can ask for.

A file comes from a stranger: reading any file takes less than a second and 100 MB. Its size, its nodes and its depth are bounded
(each alias counts as if it were written out), so is the length of a text, and reading stops after MAX_PROBLEMS mistakes. The texts
of all nodes are clean.
"""

from __future__ import annotations

import json
import re
import stat
from bisect import bisect_right
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import yaml

from wireside.errors import Position, ScenarioError, ScenarioErrors
from wireside.outside import clean, clean_lines

if TYPE_CHECKING:
    from pathlib import Path

LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
MAX_BYTES = 128 << 10
MAX_NODES = 20_000
MAX_DEPTH = 32
MAX_TEXT = 4_000
"""Characters of one value; a block of lines (`|`) may be as long as the file."""
MAX_LINE = 1_000
MAX_PROBLEMS = 20


MOST_MENDED = 20
_PROSE = re.compile(r"([ ]*(?:-[ ]+)?(?:title|summary|say|doc):[ ]+)([^\s'\"|>&*!%@`{\[#?-].*: .*?)\s*")
"""A title, summary, caption or doc on one line, with a colon that is not YAML's."""


@dataclass(slots=True)
class Document:
    """One file being read: its text, its name in messages, and the problems found so far."""

    file: str
    text: str
    problems: list[ScenarioError] = field(default_factory=list)
    _seen: set[str] = field(default_factory=set)
    _line_starts: list[int] = field(default_factory=list)

    def at(self, node: yaml.Node, offset: int = 0) -> Position:
        """Where a node begins; `offset` counts characters into a scalar's text."""
        mark = node.start_mark
        quoted = isinstance(node, yaml.ScalarNode) and node.style in ("'", '"')
        if isinstance(node, yaml.ScalarNode) and node.style in ("|", ">"):
            return Position(self.file, mark.line + 2, 1)
        return Position(self.file, mark.line + 1, mark.column + 1 + offset + (1 if quoted and offset else 0))

    def place(self, index: int) -> Position:
        """Where the character `index` of the text stands."""
        if not self._line_starts:
            self._line_starts = [0, *(match.end() for match in re.finditer("\n", self.text))]
        line = bisect_right(self._line_starts, index)
        return Position(self.file, line, index - self._line_starts[line - 1] + 1)

    def wrong(self, node: yaml.Node, what: str, next_step: str = "", offset: int = 0) -> ScenarioError:
        """The error to raise for a node."""
        return ScenarioError(what, where=self.at(node, offset), next_step=next_step)

    def note(self, error: ScenarioError) -> None:
        """Remember a problem and go on reading; ScenarioErrors when there are too many already."""
        shown = str(error)
        if shown in self._seen:
            return
        self._seen.add(shown)
        self.problems.append(error)
        if len(self.problems) == MAX_PROBLEMS:
            more = ScenarioError(
                f"reading stopped after {MAX_PROBLEMS} problems",
                where=error.where,
                next_step="Mend those above first.",
            )
            raise ScenarioErrors((*sorted(self.problems, key=_line_order), more))

    def complain(self, node: yaml.Node, what: str, next_step: str = "", offset: int = 0) -> None:
        """Remember a problem at a node and go on reading."""
        self.note(self.wrong(node, what, next_step, offset))

    def raise_problems(self) -> None:
        """Raise all that was found, in the order of the file; nothing when all is well."""
        if self.problems:
            raise ScenarioErrors(tuple(sorted(self.problems, key=_line_order)))


def _line_order(error: ScenarioError) -> tuple[int, int]:
    where = error.where
    return (where.line, where.column) if isinstance(where, Position) else (0, 0)


def open_document(path: Path, shown: str) -> tuple[Document, yaml.Node]:
    """Read and compose a file; ScenarioErrors when it is no readable, non-empty, reasonably small YAML text."""
    shown = clean(shown)
    return read_text(_read(path, shown), shown)


def read_text(text: str, shown: str) -> tuple[Document, yaml.Node]:
    """A YAML text that did not come from a file, under the same rules."""
    return Document(shown, text), _compose(text, shown)


def _read(path: Path, shown: str) -> str:
    start = Position(shown, 1, 1)
    try:
        _check_kind(path.stat().st_mode, start)
        with path.open("rb") as stream:
            raw = stream.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = (getattr(error, "strerror", "") or str(error)).lower()
        raise _only(
            f"cannot read the file: {reason}", start, "`wireside list` shows the scenarios that are there."
        ) from None
    if len(raw) > MAX_BYTES:
        raise _only(
            f"the file is larger than {MAX_BYTES >> 10} KiB",
            start,
            "A scenario is a short text; is this the right file?",
        )
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        column = error.start - raw.rfind(b"\n", 0, error.start)
        raise _only(
            "the file is not UTF-8 text", Position(shown, line, column), "Is this the right file?"
        ) from None


def _check_kind(mode: int, start: Position) -> None:
    """A pipe may never end and cannot be read again; only a regular file will do."""
    if stat.S_ISDIR(mode):
        raise _only("this is a directory", start, "Name one of the YAML files in it.")
    if not stat.S_ISREG(mode):
        raise _only("this is no regular file", start, "Save the scenario as a file and name that.")


def _only(what: str, where: Position, next_step: str) -> ScenarioErrors:
    return ScenarioErrors((ScenarioError(what, where=where, next_step=next_step),))


def _compose(text: str, shown: str) -> yaml.Node:
    try:
        text, look_again = _limited(text, shown)
        node = yaml.compose(text, Loader=LOADER)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = _place(mark, shown)
        what = error.problem or error.context or ""
        if what.startswith("but "):
            what = f"{error.context} {what}"
        raise _only(f"not valid YAML: {what}", where, _syntax_advice(text, where)) from None
    except yaml.YAMLError as error:
        what = str(getattr(error, "reason", "") or error).split("\n", 1)[0]
        where = _char_place(text, int(getattr(error, "position", 0) or 0), shown)
        raise _only(f"not valid YAML: {what}", where, "Is this the right file?") from None
    if node is None:
        raise _only(
            "the file is empty",
            Position(shown, 1, 1),
            "Begin with `format: 1`; scenarios/README.md shows a whole example.",
        )
    if look_again:
        _Bounds(shown).check(node)
    return node


def _limited(text: str, shown: str) -> tuple[str, bool]:
    """The text with quotes around prose at whose colon YAML would stop, checked by _limit_events(), and its answer."""
    for _ in range(MOST_MENDED):
        try:
            return text, _limit_events(text, shown)
        except yaml.MarkedYAMLError as error:
            lines = text.split("\n")
            number = error.problem_mark.line if error.problem_mark else len(lines)
            prose = _PROSE.fullmatch(lines[number]) if number < len(lines) else None
            if prose is None:
                raise
            lines[number] = prose[1] + json.dumps(prose[2], ensure_ascii=False)
            text = "\n".join(lines)
    return text, _limit_events(text, shown)


def _char_place(text: str, index: int, shown: str) -> Position:
    """The position of the character `index` of a text."""
    line = text.count("\n", 0, index)
    return Position(shown, line + 1, index - text.rfind("\n", 0, index))


def _place(mark: Any, shown: str) -> Position:
    return Position(shown, mark.line + 1, mark.column + 1) if mark else Position(shown, 1, 1)


def _syntax_advice(text: str, where: Position) -> str:
    lines = text.splitlines()
    line = lines[where.line - 1] if where.line <= len(lines) else ""
    if "\t" in line[: where.column]:
        return "YAML indents with spaces; replace the tab."
    if ": " in line:
        return "Text that contains `: `, `#` or quotes must stand in quotes as a whole."
    return "Check the indentation and the brackets of this line and the one before it."


def _limit_events(text: str, shown: str) -> bool:
    """Check every event before nodes are composed, which recurses and keeps them all; whether a second look is needed.

    That is where a text must be cleaned, or where aliases repeat what stands elsewhere.
    """
    depth = nodes = 0
    look_again = False
    for event in yaml.parse(text, Loader=LOADER):
        if isinstance(event, yaml.ScalarEvent):
            nodes += 1
            look_again |= _limit_text(event, shown)
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        elif isinstance(event, yaml.CollectionStartEvent):
            nodes, depth = nodes + 1, depth + 1
            if depth > MAX_DEPTH:
                raise _too_deep(_place(event.start_mark, shown))
        elif isinstance(event, yaml.AliasEvent):
            nodes, look_again = nodes + 1, True
        if nodes > MAX_NODES:
            raise _too_many(_place(event.start_mark, shown))
    return look_again


def _limit_text(event: yaml.ScalarEvent, shown: str) -> bool:
    """Check the length of a scalar; whether it must be cleaned."""
    text, block = str(event.value), event.style == "|"
    if len(text) <= MAX_LINE:
        return clean_lines(text) != text
    longest, most = (max(map(len, text.split("\n"))), MAX_LINE) if block else (len(text), MAX_TEXT)
    if longest > most:
        raise _only(
            f"a {'line' if block else 'text'} of {longest:,} characters is too long",
            _place(event.start_mark, shown),
            f"The longest may have {most:,}.",
        )
    return clean_lines(text) != text


def _too_deep(where: Position) -> ScenarioErrors:
    return _only(f"nested more than {MAX_DEPTH} levels deep", where, "A scenario needs about six.")


def _too_many(where: Position) -> ScenarioErrors:
    return _only(
        f"the file has more than {MAX_NODES:,} values",
        where,
        "Use `repeat` in a script, `x10 every 1ms` in segments, or fewer aliases.",
    )


class _Size(NamedTuple):
    """What a node comes to with all its aliases written out."""

    depth: int
    nodes: int
    characters: int


class _Bounds:
    """Cleans the text of every node, once, and adds up what the file comes to."""

    def __init__(self, shown: str) -> None:
        self.shown = shown
        self.known: dict[int, _Size | None] = {}
        """By the id of a node; None while its own parts are being looked at."""

    def check(self, node: yaml.Node) -> _Size:
        """ScenarioErrors when `node`, its aliases written out, is too large or endless."""
        if id(node) in self.known:
            size = self.known[id(node)]
            if size is None:
                raise _only("an anchor contains itself", self._at(node), "Write it out.")
            return size
        self.known[id(node)] = None
        if isinstance(node, yaml.ScalarNode):
            node.value = clean_lines(node.value)
            size = _Size(0, 1, len(node.value))
        else:
            size = self._collection(node)
        self.known[id(node)] = size
        return size

    def _at(self, node: yaml.Node) -> Position:
        return _place(node.start_mark, self.shown)

    def _collection(self, node: yaml.Node) -> _Size:
        parts = list(node.value)
        if isinstance(node, yaml.MappingNode):
            parts = [part for pair in parts for part in pair]
        depth, nodes, characters = 0, 1, 0
        for part in parts:
            size = self.check(part)
            depth, nodes = max(depth, size.depth), nodes + size.nodes
            characters += size.characters
            if depth >= MAX_DEPTH:
                raise _too_deep(self._at(node))
            if nodes > MAX_NODES:
                raise _too_many(self._at(part))
        if characters > MAX_BYTES:
            raise _only(
                f"with its aliases written out the file is larger than {MAX_BYTES >> 10} KiB",
                self._at(node),
                "Use fewer aliases.",
            )
        # The statements of a flow list are read from its source, blanks and all.
        return _Size(depth + 1, nodes, max(characters, node.end_mark.index - node.start_mark.index))
