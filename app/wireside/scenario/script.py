"""The grammar of scripts: `fd = socket(SOCK_STREAM)`, `write(fd, 1000) -> 1000`, `repeat 10: [ … ]`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import yaml

from wireside.catalog.errno import ERRNOS
from wireside.catalog.flags import REVENTS
from wireside.catalog.sockopts import LEVELS, SOCKOPTS
from wireside.catalog.syscalls import SYSCALLS, Arg, SyscallInfo
from wireside.errors import ScenarioError
from wireside.outside import clean, quoted, whole
from wireside.scenario import nodes
from wireside.scenario.arguments import Holds, Names, argument, poll_arguments, split
from wireside.scenario.spec import Break, Call, Loop, Statement
from wireside.scenario.units import Kind, UnitError, advice

if TYPE_CHECKING:
    from wireside.errors import Position
    from wireside.scenario.document import Document
    from wireside.scenario.spec import Argument

_CALL = re.compile(
    r"(?:(?P<bind>[A-Za-z_]\w*)\s*=\s*)?(?P<name>[A-Za-z_]\w*)\s*\((?P<args>[^()]*)\)(?:\s*->\s*(?P<expected>-?\w+(?:\s*\|\s*\w+)*))?",
    re.ASCII,
)
_BREAK = re.compile(
    r"break(?:\s+if\s+(?P<variable>[A-Za-z_]\w*)\s*(?P<comparison>==|!=|<=|>=|<|>)\s*(?P<limit>-?[0-9]{1,18}|[A-Z0-9]+))?",
    re.ASCII,
)
_REPEAT = re.compile(r"repeat\s+(\d{1,9})", re.ASCII)
MAX_STATEMENTS = 10_000
MAX_LOOPS = 8


@dataclass(slots=True)
class _Script:
    """What is known while a script is read: its file, the names it may use."""

    doc: Document
    node: yaml.Node
    names: Names
    statements: int = 0

    def count(self, node: yaml.Node) -> None:
        """One statement more."""
        self.statements += 1
        if self.statements > MAX_STATEMENTS:
            raise self.doc.wrong(
                node, f"the script has more than {MAX_STATEMENTS} statements", "Use `repeat N:`."
            )

    def problem(self, position: Position, what: str, next_step: str = "") -> None:
        self.doc.note(ScenarioError(what, where=position, next_step=next_step))


def read_script(doc: Document, node: yaml.Node, names: Names) -> tuple[Statement, ...]:
    """The calls and loops of a `script:` list; every mistake in it is noted at its place. `names` learns its variables."""
    return _body(_Script(doc, node, names), node, 0)


def _body(script: _Script, node: yaml.Node, depth: int) -> tuple[Statement, ...]:
    doc = script.doc
    if depth > MAX_LOOPS:
        raise doc.wrong(
            node, f"loops are nested more than {MAX_LOOPS} deep", "Write fewer loops inside each other."
        )
    if isinstance(node, yaml.SequenceNode) and node.flow_style:
        return _flow_body(script, node, depth)
    body: list[Statement] = []
    for item in nodes.items(doc, node, "a script"):
        script.count(item)
        try:
            if isinstance(item, yaml.MappingNode):
                body.append(_loop(script, item, depth))
            else:
                body += _statement(script, nodes.text(doc, item), doc.at(item), depth)
        except ScenarioError as error:
            doc.note(error)
    return tuple(body)


def _flow_body(script: _Script, node: yaml.SequenceNode, depth: int) -> tuple[Statement, ...]:
    """`[ write(fd, 1000) -> 1000, sleep(1ms) ]`: YAML splits at every comma, so the source text is split anew."""
    doc = script.doc
    first, last = doc.text.index("[", node.start_mark.index), node.end_mark.index
    body = []
    for offset, statement in split(doc.text[first + 1 : last - 1]):
        script.count(node)
        body += _statement(script, clean(statement), doc.place(first + 1 + offset), depth)
    return tuple(body)


def _statement(script: _Script, text: str, position: Position, depth: int) -> list[Call | Break]:
    """The call or break that a line stands for; none when there is a mistake in it, which is noted."""
    if not text.startswith("break") or "(" in text:
        call = _call(script, text, position)
        return [] if call is None else [call]
    match = _BREAK.fullmatch(text.strip())
    if match is None:
        script.problem(
            position, f"{quoted(text)} is no way to leave a loop", "Write `break if n <= 0`, or `break`."
        )
        return []
    variable, limit = match["variable"] or "", match["limit"] or "0"
    if not depth:
        script.problem(position, "break stands outside every loop", "It ends the loop that it stands in.")
    elif variable and variable not in script.names.variables:
        what = f"{quoted(variable)} has not been given a value"
        script.problem(
            position,
            what,
            advice(variable, sorted(script.names.variables)) or "Bind it: `n = read(fd, 100)`.",
        )
    elif variable and script.names.variables[variable] is not Holds.NUMBER:
        script.problem(
            position, f"{quoted(variable)} is an address, not a number", "Only numbers can be compared."
        )
    elif limit[0].isalpha() and limit not in ERRNOS:
        script.problem(
            position, f"{quoted(limit)} is neither a number nor an errno name", advice(limit, sorted(ERRNOS))
        )
    return [Break(variable, match["comparison"] or "==", limit, position)]


def _loop(script: _Script, node: yaml.MappingNode, depth: int) -> Loop:
    doc = script.doc
    pairs = nodes.entries(doc, node, "a loop")
    keys = [key for key, _, _ in pairs]
    if len(pairs) == 1 and (match := _REPEAT.fullmatch(keys[0])):
        return Loop(_body(script, pairs[0][2], depth + 1), int(match[1]), doc.at(node))
    if keys == ["forever"]:
        return Loop(_body(script, pairs[0][2], depth + 1), None, doc.at(node))
    if sorted(keys) == ["do", "repeat"]:
        by_key = {key: value for key, _, value in pairs}
        times = nodes.value_of(Kind.COUNT, 0, 10**9)(doc, by_key["repeat"])
        return Loop(_body(script, by_key["do"], depth + 1), times, doc.at(node))
    found = keys[0] if keys else "{}"
    raise doc.wrong(
        node,
        f"{quoted(found)} is no statement",
        "Loops are `repeat 10: [ … ]`, `{repeat: 10, do: [ … ]}` or `forever: [ … ]`.",
    )


def _call(script: _Script, text: str, position: Position) -> Call | None:
    match = _CALL.fullmatch(text.strip())
    if match is None:
        script.problem(
            position, f"{quoted(text)} is no system call", "Write it like `n = read(fd, 4096) -> 4096`."
        )
        return None
    syscall = SYSCALLS.get(match["name"])
    if syscall is None:
        script.problem(position, f"unknown system call {match['name']!r}", advice(match["name"], SYSCALLS))
        return None
    raw = [part for _, part in split(match["args"])]
    args = _arguments(script, syscall, raw, position)
    many = bool(args) and isinstance(args[0], tuple)
    expected = _expected(
        script, "" if many else syscall.name, "".join((match["expected"] or "").split()), position
    )
    if match["bind"]:
        try:
            script.names.bind(match["bind"], Holds.NUMBER)
        except UnitError as error:
            script.problem(position, error.what, error.next_step)
    return Call(syscall.name, args, match["bind"] or "", expected, position)


def _expected(script: _Script, name: str, expected: str, position: Position) -> str:
    """What a call must return, checked: a number, an errno name, or for poll() events joined with |."""
    if not expected or expected.removeprefix("-") in ERRNOS:
        return expected
    if expected.lstrip("-").isdecimal():
        try:
            return str(whole(expected))
        except ValueError as error:
            script.problem(position, str(error), "It is the result of a call.")
            return ""
    if name != "poll":
        what = f"{quoted(expected)} is neither a number nor an errno name"
        script.problem(position, what, advice(expected, sorted(ERRNOS)))
        return ""
    for part in expected.split("|"):
        if part not in REVENTS.flags:
            script.problem(position, f"{part!r} is not {REVENTS.what}", advice(part, REVENTS.flags))
            return ""
    return expected


def _arguments(
    script: _Script, syscall: SyscallInfo, raw: list[str], position: Position
) -> tuple[Argument, ...]:
    if syscall.name in ("setsockopt", "getsockopt"):
        raw = _without_level(script, raw, position)
    kinds = syscall.kinds
    if syscall.name == "poll" and raw and raw[0].startswith("["):
        return _poll(script, raw, position)
    if not len(syscall.args) <= len(raw) <= len(kinds):
        fewest, most = len(syscall.args), len(kinds)
        wanted = f"{fewest}" if fewest == most else f"{fewest} {'to' if most > fewest + 1 else 'or'} {most}"
        plural = "s" if wanted != "1" else ""
        script.problem(
            position,
            f"{syscall.name}() takes {wanted} argument{plural}, not {len(raw)}",
            f"Write {syscall.usage}.",
        )
        return ()
    option = raw[1] if Arg.OPTION in syscall.args else ""
    given: list[Argument] = []
    for kind, text in zip(kinds, raw, strict=False):
        try:
            given.append(argument(script.names, kind, text, option))
        except UnitError as error:
            script.problem(position, error.what, error.next_step)
            given.append(0)
    missing = syscall.optional[len(raw) - len(syscall.args) :]
    return (*given, *(default for _, default in missing if default is not None))


def _poll(script: _Script, raw: list[str], position: Position) -> tuple[Argument, ...]:
    try:
        return poll_arguments(script.names, raw)
    except UnitError as error:
        script.problem(position, error.what, error.next_step)
        return ((), 0)


def _without_level(script: _Script, raw: list[str], position: Position) -> list[str]:
    """The arguments without the level that may stand before an option; it must be the option's own."""
    if len(raw) < 3 or raw[1] in SOCKOPTS or (raw[1] not in LEVELS and raw[2] not in SOCKOPTS):
        return raw
    option = SOCKOPTS.get(raw[2])
    if raw[1] not in LEVELS:
        script.problem(position, f"unknown option level {raw[1]!r}", advice(raw[1], LEVELS))
    elif option is not None and LEVELS[raw[1]] is not option.level:
        script.problem(
            position, f"{option.name} is no option of {raw[1]}", f"Its level is {option.level.name}."
        )
    return [raw[0], *raw[2:]]
