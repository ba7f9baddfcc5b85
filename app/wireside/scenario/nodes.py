"""Readers of YAML nodes, which collect every mistake instead of stopping at the first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import yaml

from wireside.errors import Position, ScenarioError
from wireside.outside import quoted
from wireside.scenario.units import Kind, UnitError, advice, parse

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from wireside.scenario.document import Document

    Reader = Callable[[Document, yaml.Node], Any]


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
            doc.complain(key_node, f"unknown key {quoted(key)} in {what}", advice(key, fields))
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
                f"duplicate key {quoted(key_node.value)} in {what}",
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
    return quoted(node.value) if node.value else "nothing"


def text(doc: Document, node: yaml.Node) -> str:
    """The raw text of a scalar, on one line; YAML's own ideas of numbers, dates and booleans play no part."""
    if not isinstance(node, yaml.ScalarNode):
        raise doc.wrong(node, f"expected a single value, found {shape(node)}", "")
    return str(node.value).replace("\n", " ")


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
            raise doc.wrong(node, f"{shown.strip()} is out of range", f"Write {kind.value} {bounds}.")
        return value

    return read


def choice(*known: str) -> Reader:
    """A reader for one of a few words."""

    def read(doc: Document, node: yaml.Node) -> str:
        word = text(doc, node)
        if word not in known:
            raise doc.wrong(node, f"{quoted(word)} is not one of {', '.join(known)}", advice(word, known))
        return word

    return read


def list_of(read: Reader, what: str) -> Reader:
    """A reader for sequences of values."""

    def read_all(doc: Document, node: yaml.Node) -> tuple[Any, ...]:
        return each(doc, node, what, read)

    return read_all
