"""The grammar of scripts: `fd = socket(SOCK_STREAM)`, `write(fd, 1000) -> 1000`, `repeat 10: [ … ]`."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import yaml

from wireside.catalog import sysctls
from wireside.catalog.errno import ERRNOS
from wireside.errors import CommandError, ScenarioError
from wireside.outside import clean, quoted, whole
from wireside.scenario import nodes
from wireside.scenario.spec import Break, Call, Loop, Statement
from wireside.scenario.syscalls import (
    ALGORITHMS,
    CONSTANTS,
    JOINED,
    MAX_VALUE,
    POLL_EVENTS,
    SYSCALLS,
    TIME_OPTIONS,
    Arg,
    Syscall,
)
from wireside.scenario.units import Kind, UnitError, advice, is_address, parse

if TYPE_CHECKING:
    from collections.abc import Collection

    from wireside.errors import Position
    from wireside.scenario.document import Document

_CALL = re.compile(
    r"(?:(?P<bind>[A-Za-z_]\w*)\s*=\s*)?(?P<name>[A-Za-z_]\w*)\s*\((?P<args>[^()]*)\)(?:\s*->\s*(?P<expected>-?\w+(?:\s*\|\s*\w+)*))?",
    re.ASCII,
)
_BREAK = re.compile(
    r"break(?:\s+if\s+(?P<variable>[A-Za-z_]\w*)\s*(?P<comparison>==|!=|<=|>=|<|>)\s*(?P<limit>-?[0-9]{1,18}|[A-Z0-9]+))?",
    re.ASCII,
)
_REPEAT = re.compile(r"repeat\s+(\d{1,9})", re.ASCII)
_WORD = re.compile(r"[A-Za-z_]\w*", re.ASCII)
MAX_STATEMENTS = 10_000
MAX_LOOPS = 8
_KIND_OF = {Arg.SIZE: Kind.SIZE, Arg.COUNT: Kind.COUNT, Arg.TIME: Kind.TIME, Arg.ENDPOINT: Kind.ENDPOINT}


@dataclass(slots=True)
class _Script:
    """What is known while a script is read: its file, the hosts it may name, the variables bound so far."""

    doc: Document
    node: yaml.Node
    hosts: Collection[str]
    variables: set[str] = field(default_factory=set)
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


def read_script(doc: Document, node: yaml.Node, hosts: Collection[str]) -> tuple[Statement, ...]:
    """The calls and loops of a `script:` list; every mistake in it is noted at its place."""
    return _body(_Script(doc, node, hosts), node, 0)


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
    for offset, statement in _split(doc.text[first + 1 : last - 1]):
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
    elif variable and variable not in script.variables:
        what = f"{quoted(variable)} has not been given a value"
        script.problem(
            position, what, advice(variable, sorted(script.variables)) or "Bind it: `n = read(fd, 100)`."
        )
    elif limit[0].isalpha() and limit not in ERRNOS:
        script.problem(
            position, f"{quoted(limit)} is neither a number nor an errno name", advice(limit, sorted(ERRNOS))
        )
    return [Break(variable, match["comparison"] or "==", limit, position)]


def _split(text: str) -> list[tuple[int, str]]:
    """(offset, statement) between the commas that stand outside parentheses."""
    parts, depth, begin = [], 0, 0
    for index, char in enumerate(text + ","):
        if char in "([":
            depth += 1
        elif char in ")]":
            depth -= 1
        elif char == "," and (depth <= 0 or index == len(text)):
            part = text[begin:index]
            if part.strip():
                parts.append((begin + len(part) - len(part.lstrip()), part.strip()))
            begin = index + 1
    return parts


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
    raw = [part.strip() for part in match["args"].split(",")] if match["args"].strip() else []
    args = _arguments(script, syscall, raw, position)
    expected = _expected(script, syscall, "".join((match["expected"] or "").split()), position)
    if match["bind"]:
        script.variables.add(match["bind"])
    return Call(syscall.name, args, match["bind"] or "", expected, position)


def _expected(script: _Script, syscall: Syscall, expected: str, position: Position) -> str:
    """What a call must return, checked: a number, an errno name, or for poll() events joined with |."""
    if not expected or expected.removeprefix("-") in ERRNOS:
        return expected
    if expected.lstrip("-").isdecimal():
        try:
            return str(whole(expected))
        except ValueError as error:
            script.problem(position, str(error), "It is the result of a call.")
            return ""
    if syscall.name != "poll":
        what = f"{quoted(expected)} is neither a number nor an errno name"
        script.problem(position, what, advice(expected, sorted(ERRNOS)))
        return ""
    for part in expected.split("|"):
        if part not in POLL_EVENTS:
            script.problem(position, f"{part!r} is no event of poll()", advice(part, POLL_EVENTS))
            return ""
    return expected


def _arguments(
    script: _Script, syscall: Syscall, raw: list[str], position: Position
) -> tuple[int | float | str, ...]:
    if syscall.name in ("setsockopt", "getsockopt") and len(raw) == len(syscall.args) + 1:
        if raw[1] not in CONSTANTS[Arg.LEVEL]:
            script.problem(position, f"unknown option level {raw[1]!r}", advice(raw[1], CONSTANTS[Arg.LEVEL]))
        raw = [raw[0], *raw[2:]]
    kinds = [*syscall.args, *(kind for kind, _ in syscall.optional)]
    if not len(syscall.args) <= len(raw) <= len(kinds):
        wanted = f"{len(syscall.args)}" if not syscall.optional else f"{len(syscall.args)} or {len(kinds)}"
        plural = "s" if wanted != "1" else ""
        script.problem(
            position,
            f"{syscall.name}() takes {wanted} argument{plural}, not {len(raw)}",
            f"Write {syscall.usage}.",
        )
        return ()
    defaults = [default for _, default in syscall.optional]
    for kind, written in zip(kinds, raw, strict=False):
        if kind is Arg.VALUE:
            _check_value(script, raw[1] if syscall.name == "setsockopt" else "", written, position)
    option = raw[1] if syscall.name == "setsockopt" else ""
    given = [_argument(script, kind, text, position, option) for kind, text in zip(kinds, raw, strict=False)]
    missing = len(kinds) - len(raw)
    return (*given, *(defaults[len(defaults) - missing :] if missing else ()))


def _argument(script: _Script, kind: Arg, text: str, position: Position, option: str) -> int | float | str:
    bare = text[1:-1] if len(text) >= 2 and text[0] == text[-1] and text[0] in "\"'" else text
    try:
        if kind is Arg.FD:
            return _descriptor(script, bare)
        if kind in CONSTANTS:
            return _constant(kind, bare)
        if kind is Arg.LOCAL:
            return _local(script, bare)
        if kind is Arg.ENDPOINT:
            return _endpoint(script, bare)
        if kind is Arg.NAME:
            return _sysctl(bare)
        if kind is Arg.TEXT:
            return bare
        if kind is Arg.VALUE:
            return _value(bare, script.variables, option)
        if bare in script.variables:
            return bare
        return parse(_KIND_OF[kind], bare)
    except UnitError as error:
        script.problem(position, error.what, error.next_step)
        return 0


def _local(script: _Script, text: str) -> int | str:
    """A port, with an address of the host before it where only that is meant; port 0 lets the kernel choose."""
    host, _, port = text.rpartition(":")
    number = 0 if port == "0" else int(parse(Kind.PORT, port))
    if not host:
        return number
    check_host(text, script.hosts)
    return f"{host}:{number}"


def _sysctl(text: str) -> str:
    """The full name of a sysctl. Its values are left to the kernel: a script may want to see one refused."""
    try:
        return sysctls.find(text).name
    except CommandError as error:
        raise UnitError(error.what, error.next_step) from None


def _value(text: str, known: Collection[str], option: str) -> int | str:
    if text in known or text in ALGORITHMS:
        return text
    if option in TIME_OPTIONS:
        return int(parse(Kind.TIME, text))
    number = -int(parse(Kind.SIZE, text[1:])) if text.startswith("-") else int(parse(Kind.SIZE, text))
    if abs(number) > MAX_VALUE:
        raise UnitError(f"{text} is too large", "A socket option is an int, at most 2147483647.")
    return number


def _check_value(script: _Script, option: str, text: str, position: Position) -> None:
    """Only the option that names an algorithm takes a word."""
    if (text.strip("\"'") in ALGORITHMS) != (option == "TCP_CONGESTION"):
        wanted = f"one of {', '.join(ALGORITHMS)}" if option == "TCP_CONGESTION" else "a number"
        script.problem(
            position, f"{quoted(text)} is no value{f' of {option}' if option else ''}", f"Write {wanted}."
        )


def _descriptor(script: _Script, text: str) -> int | str:
    if text.isdecimal():
        return int(parse(Kind.COUNT, text))
    if not _WORD.fullmatch(text):
        raise UnitError(
            f"{quoted(text)} is not a file descriptor", "Write the name a descriptor was given, such as `fd`."
        )
    if text not in script.variables:
        raise UnitError(
            f"{quoted(text)} has not been given a value",
            advice(text, sorted(script.variables)) or f"Bind it first: `{text} = socket(SOCK_STREAM)`.",
        )
    return text


def _constant(kind: Arg, text: str) -> str:
    if kind in (Arg.FLAGS, Arg.STATUS) and text == "0":
        return text
    for part in text.split("|") if kind in JOINED else [text]:
        if part.strip() not in CONSTANTS[kind]:
            raise UnitError(f"{part.strip()!r} is not {kind.value}", advice(part.strip(), CONSTANTS[kind]))
    return text.replace(" ", "")


def _endpoint(script: _Script, text: str) -> str:
    endpoint = str(parse(Kind.ENDPOINT, text))
    check_host(endpoint, script.hosts)
    return endpoint


def check_host(endpoint: str, hosts: Collection[str]) -> None:
    """UnitError when the host part of "host:port" is neither a host of the scenario nor an IPv4 address."""
    host = endpoint.rpartition(":")[0]
    if host not in hosts and not is_address(host):
        raise UnitError(f"unknown host {host!r}", advice(host, hosts))
