"""A YAML file as nodes that know their place, and readers that collect every mistake instead of stopping at the first."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import yaml

from wireside.errors import Position, ScenarioError, ScenarioErrors
from wireside.scenario.units import Kind, UnitError, advice, parse

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    Reader = Callable[["Document", yaml.Node], Any]

LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
MAX_BYTES = 1 << 20
MAX_DEPTH = 32


@dataclass(slots=True)
class Document:
    """One file being read: its text, its name in messages, and the problems found so far."""

    file: str
    text: str
    problems: list[ScenarioError] = field(default_factory=list)

    def at(self, node: yaml.Node, offset: int = 0) -> Position:
        """Where a node begins; `offset` counts characters into a scalar's text."""
        mark = node.start_mark
        quoted = isinstance(node, yaml.ScalarNode) and node.style in ("'", '"')
        if isinstance(node, yaml.ScalarNode) and node.style in ("|", ">"):
            return Position(self.file, mark.line + 2, 1)
        return Position(self.file, mark.line + 1, mark.column + 1 + offset + (1 if quoted and offset else 0))

    def wrong(self, node: yaml.Node, what: str, next_step: str = "", offset: int = 0) -> ScenarioError:
        """The error to raise for a node."""
        return ScenarioError(what, where=self.at(node, offset), next_step=next_step)

    def note(self, error: ScenarioError) -> None:
        """Remember a problem and go on reading."""
        self.problems.append(error)

    def complain(self, node: yaml.Node, what: str, next_step: str = "", offset: int = 0) -> None:
        """Remember a problem at a node and go on reading."""
        self.note(self.wrong(node, what, next_step, offset))

    def raise_problems(self) -> None:
        """Raise all that was found, in the order of the file; nothing when all is well."""
        if self.problems:
            unique = {str(error): error for error in self.problems}
            raise ScenarioErrors(tuple(sorted(unique.values(), key=_line_order)))


def _line_order(error: ScenarioError) -> tuple[int, int]:
    where = error.where
    return (where.line, where.column) if isinstance(where, Position) else (0, 0)


def open_document(path: Path, shown: str) -> tuple[Document, yaml.Node]:
    """Read and compose a file; ScenarioErrors when it is no readable, non-empty, reasonably small YAML text."""
    start = Position(shown, 1, 1)
    try:
        with path.open("rb") as stream:
            raw = stream.read(MAX_BYTES + 1)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise _only(
            f"cannot read the file: {reason}", start, "`wireside list` shows the scenarios that are there."
        ) from None
    if len(raw) > MAX_BYTES:
        raise _only(
            "the file is larger than 1 MiB", start, "A scenario is a short text; is this the right file?"
        )
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        column = error.start - raw.rfind(b"\n", 0, error.start)
        raise _only(
            "the file is not UTF-8 text", Position(shown, line, column), "Is this the right file?"
        ) from None
    return Document(shown, text), _compose(text, shown)


def _only(what: str, where: Position, next_step: str) -> ScenarioErrors:
    return ScenarioErrors((ScenarioError(what, where=where, next_step=next_step),))


def _compose(text: str, shown: str) -> yaml.Node:
    try:
        _limit_depth(text, shown)
        node = yaml.compose(text, Loader=LOADER)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = Position(shown, mark.line + 1, mark.column + 1) if mark else Position(shown, 1, 1)
        what = error.problem or error.context or ""
        if what.startswith("but "):
            what = f"{error.context} {what}"
        raise _only(f"not valid YAML: {what}", where, _syntax_advice(text, where)) from None
    except yaml.YAMLError as error:
        what = str(getattr(error, "reason", "") or error).split("\n", 1)[0]
        where = place(text, int(getattr(error, "position", 0) or 0), shown)
        raise _only(f"not valid YAML: {what}", where, "Is this the right file?") from None
    if node is None:
        raise _only(
            "the file is empty",
            Position(shown, 1, 1),
            "Begin with `format: 1`; scenarios/README.md shows a whole example.",
        )
    return node


def place(text: str, index: int, shown: str) -> Position:
    """The position of the character `index` of a text."""
    before = text[:index]
    return Position(shown, before.count("\n") + 1, index - (before.rfind("\n") + 1) + 1)


def _syntax_advice(text: str, where: Position) -> str:
    lines = text.splitlines()
    line = lines[where.line - 1] if where.line <= len(lines) else ""
    if "\t" in line[: where.column]:
        return "YAML indents with spaces; replace the tab."
    if ": " in line:
        return "Text that contains `: `, `#` or quotes must stand in quotes as a whole."
    return "Check the indentation and the brackets of this line and the one before it."


def _limit_depth(text: str, shown: str) -> None:
    """Composing recurses, so nesting is counted first, event by event."""
    depth = 0
    for event in yaml.parse(text, Loader=LOADER):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > MAX_DEPTH:
                mark: Any = event.start_mark
                where = Position(shown, mark.line + 1, mark.column + 1)
                raise _only(f"nested more than {MAX_DEPTH} levels deep", where, "A scenario needs about six.")
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


@dataclass(frozen=True, slots=True)
class Field:
    """One key of a section: how its value is read, and what stands for it when it is absent."""

    read: Reader
    default: Any = None
    required: bool = False


def section(doc: Document, node: yaml.Node, what: str, fields: Mapping[str, Field]) -> dict[str, Any]:
    """The values of a mapping by key, defaults filled in; every unknown, doubled, missing or wrong entry is noted."""
    values = {key: each.default for key, each in fields.items()}
    seen: set[str] = set()
    for key, key_node, value_node in entries(doc, node, what):
        seen.add(key)
        if key not in fields:
            doc.complain(key_node, f"unknown key {key!r} in {what}", advice(key, fields))
            continue
        try:
            values[key] = fields[key].read(doc, value_node)
        except ScenarioError as error:
            doc.note(error)
    for key, each in fields.items():
        if each.required and key not in seen:
            doc.complain(node, f"{what} needs the key {key!r}", f"Add `{key}: …`.")
    return values


def entries(doc: Document, node: yaml.Node, what: str) -> list[tuple[str, yaml.Node, yaml.Node]]:
    """(key, key node, value node) of a mapping in the order of the file; doubled keys are noted and left out."""
    if not isinstance(node, yaml.MappingNode):
        raise doc.wrong(
            node,
            f"{what} must be a mapping of keys to values, not {shape(node)}",
            "Write it as `key: value` lines.",
        )
    found: dict[str, tuple[str, yaml.Node, yaml.Node]] = {}
    for key_node, value_node in node.value:
        if not isinstance(key_node, yaml.ScalarNode):
            doc.complain(
                key_node, f"a key of {what} must be a word, not {shape(key_node)}", "Write `key: value`."
            )
        elif key_node.value in found:
            first = found[key_node.value][1].start_mark.line + 1
            doc.complain(
                key_node,
                f"duplicate key {key_node.value!r} in {what}",
                f"It is already set on line {first}; keep one.",
            )
        else:
            found[key_node.value] = (key_node.value, key_node, value_node)
    return list(found.values())


def given(node: yaml.Node) -> dict[str, yaml.Node]:
    """Key to value of whatever is a mapping; nothing of anything else."""
    if not isinstance(node, yaml.MappingNode):
        return {}
    return {key.value: value for key, value in node.value if isinstance(key, yaml.ScalarNode)}


def items(doc: Document, node: yaml.Node, what: str) -> list[yaml.Node]:
    """The items of a sequence."""
    if not isinstance(node, yaml.SequenceNode):
        raise doc.wrong(
            node,
            f"{what} must be a list, not {shape(node)}",
            "Begin each item with `- ` on a line of its own.",
        )
    return list(node.value)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of text and where it begins."""

    text: str
    where: Position
    quoted: bool = False

    def at(self, offset: int = 0) -> Position:
        """The place of a character; of the first one in quotes, the quote's."""
        where = self.where
        return Position(where.file, where.line, where.column + offset + (self.quoted and offset > 0))


def lines(doc: Document, node: yaml.Node, what: str) -> list[Line]:
    """The items of a sequence, or the lines of a block of text without blank ones and `#` comments."""
    if isinstance(node, yaml.ScalarNode) and node.style == "|":
        return _block_lines(doc, node)
    found = []
    for item in items(doc, node, what):
        if isinstance(item, yaml.MappingNode) and len(item.value) == 1:
            # Unquoted, `server: Flags [S]` is a mapping to YAML.
            key, value = item.value[0]
            found.append(Line(f"{text(doc, key)}: {text(doc, value)}", doc.at(item)))
            continue
        written = text(doc, item)
        found.append(Line(written, doc.at(item), getattr(item, "style", None) in ("'", '"')))
    return found


def _block_lines(doc: Document, node: yaml.ScalarNode) -> list[Line]:
    source = doc.text.splitlines()
    found = []
    for number, written in enumerate(str(node.value).splitlines(), node.start_mark.line + 1):
        stripped = written.strip()
        if stripped and not stripped.startswith("#"):
            column = source[number].find(stripped) if number < len(source) else 0
            found.append(Line(stripped, Position(doc.file, number + 1, max(column, 0) + 1)))
    return found


def each(doc: Document, node: yaml.Node, what: str, read: Reader) -> tuple[Any, ...]:
    """Every item of a sequence read with `read`; the wrong ones are noted and left out."""
    values = []
    for item in items(doc, node, what):
        try:
            values.append(read(doc, item))
        except ScenarioError as error:
            doc.note(error)
    return tuple(values)


def shape(node: yaml.Node) -> str:
    """What a node is, in words."""
    if isinstance(node, yaml.MappingNode):
        return "a mapping"
    if isinstance(node, yaml.SequenceNode):
        return "a list"
    return f"{node.value!r}" if node.value else "nothing"


def text(doc: Document, node: yaml.Node) -> str:
    """The raw text of a scalar; YAML's own ideas of numbers, dates and booleans play no part."""
    if not isinstance(node, yaml.ScalarNode):
        raise doc.wrong(node, f"expected a single value, found {shape(node)}", "")
    return str(node.value)


def words(doc: Document, node: yaml.Node) -> str:
    """Text that must not be empty."""
    value = " ".join(text(doc, node).split())
    if not value:
        raise doc.wrong(node, "expected text, found nothing", "Write a few words.")
    return value


def value_of(kind: Kind, low: int | None = None, high: int | None = None) -> Reader:
    """A reader for scalars of a kind, bounded (inclusive) when `low` or `high` is given."""

    def read(doc: Document, node: yaml.Node) -> Any:
        shown = text(doc, node)
        try:
            value = parse(kind, shown)
        except UnitError as error:
            raise doc.wrong(node, error.what, error.next_step) from None
        if isinstance(value, int) and (
            (low is not None and value < low) or (high is not None and value > high)
        ):
            bounds = f"from {low} to {high}" if high is not None else f"{low} or more"
            raise doc.wrong(node, f"{shown} is out of range", f"Write {kind.value} {bounds}.")
        return value

    return read


def choice(*known: str) -> Reader:
    """A reader for one of a few words."""

    def read(doc: Document, node: yaml.Node) -> str:
        word = text(doc, node)
        if word not in known:
            raise doc.wrong(node, f"{word!r} is not one of {', '.join(known)}", advice(word, known))
        return word

    return read


def list_of(read: Reader, what: str) -> Reader:
    """A reader for sequences of values."""

    def read_all(doc: Document, node: yaml.Node) -> tuple[Any, ...]:
        return each(doc, node, what, read)

    return read_all
