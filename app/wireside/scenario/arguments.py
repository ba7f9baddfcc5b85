"""The arguments of a script's calls: what is written, checked against what the system calls declare."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

from wireside.catalog import flags, sysctls
from wireside.catalog.errno import ERRNOS
from wireside.catalog.limits import INT_MAX
from wireside.catalog.sockopts import SOCKOPTS, WORDS, Takes
from wireside.catalog.syscalls import FAMILIES, Arg
from wireside.errors import CommandError
from wireside.outside import quoted
from wireside.scenario.spec import Message, Place, Watch
from wireside.scenario.units import Kind, UnitError, advice, is_address, parse

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from wireside.catalog.flags import Family
    from wireside.scenario.spec import Argument

_WORD = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_KIND_OF = {Arg.SIZE: Kind.SIZE, Arg.COUNT: Kind.COUNT, Arg.TIME: Kind.TIME}
NULL = "NULL"
"""Written where the kernel need not fill anything."""
OPENING, CLOSING = "([{", ")]}"


class Holds(Enum):
    """What a variable holds, from where it is first given a value to the end of its script."""

    NUMBER = "a number"
    ADDRESS = "an address"


@dataclass(slots=True)
class Names:
    """The hosts that a script may name, and its variables so far."""

    hosts: Collection[str]
    variables: dict[str, Holds] = field(default_factory=dict)

    def bind(self, name: str, holds: Holds) -> None:
        """A variable is given a value; UnitError when it held something else before."""
        before = self.variables.setdefault(name, holds)
        if before is not holds:
            raise UnitError(f"{name!r} holds {before.value} already, not {holds.value}", "Take another name.")

    def use(self, name: str, holds: Holds) -> str:
        """The name of a variable whose value is wanted; UnitError when it holds something else."""
        if self.variables[name] is not holds:
            raise UnitError(f"{name!r} is {self.variables[name].value}, not {holds.value}")
        return name


def split(text: str) -> list[tuple[int, str]]:
    """(offset, part) between the commas that stand outside all brackets."""
    parts, depth, begin = [], 0, 0
    for index, char in enumerate(text + ","):
        if char in OPENING:
            depth += 1
        elif char in CLOSING:
            depth -= 1
        elif char == "," and (depth <= 0 or index == len(text)):
            part = text[begin:index]
            if part.strip():
                parts.append((begin + len(part) - len(part.lstrip()), part.strip()))
            begin = index + 1
    return parts


def argument(names: Names, kind: Arg, text: str, option: str = "") -> Argument:
    """The value of an argument; UnitError when it is none. `option` is the socket option that the call is about."""
    bare = unquoted(text)
    if kind in FAMILIES:
        return _constant(FAMILIES[kind], bare)
    reader = _READERS.get(kind)
    if reader is not None:
        return reader(names, bare)
    if kind is Arg.VALUE:
        return _value(names, bare, option)
    if kind is Arg.ANSWER:
        return _answer(names, bare, option)
    if bare in names.variables:
        return names.use(bare, Holds.NUMBER)
    return parse(_KIND_OF[kind], bare)


def unquoted(text: str) -> str:
    """`text` without the quotes around it."""
    return text[1:-1] if len(text) >= 2 and text[0] == text[-1] and text[0] in "\"'" else text


def poll_arguments(names: Names, raw: list[str]) -> tuple[Argument, ...]:
    """`poll([{fd=a, events=POLLIN, revents=POLLIN}, …], 1s)`: as strace prints it."""
    usage = "Write poll([{fd=a, events=POLLIN}, {fd=b, events=POLLIN|POLLOUT, revents=POLLOUT}], 1s)."
    if len(raw) > 2 or not raw[0].endswith("]"):
        raise UnitError("poll() takes a list of descriptors and a time", usage)
    watches = []
    for _, text in split(raw[0][1:-1]):
        fields = _record(text, ("fd", "events", "revents"), usage)
        if "fd" not in fields or "events" not in fields:
            raise UnitError(f"{quoted(text)} needs fd and events", usage)
        place = Place("revents")
        if "revents" in fields:
            place = _number(names, "revents", fields["revents"], flags.REVENTS)
        watches.append(
            Watch(_descriptor(names, fields["fd"]), _constant(flags.EVENTS, fields["events"]), place)
        )
    timeout = int(parse(Kind.TIME, unquoted(raw[1]))) if len(raw) > 1 else -1
    return tuple(watches), timeout


def _record(text: str, known: Collection[str], usage: str) -> dict[str, str]:
    """The fields of `{name=value, …}`; UnitError when it is none, or has a field that is not known."""
    if not (text.startswith("{") and text.endswith("}")):
        raise UnitError(f"{quoted(text)} is no record", usage)
    fields: dict[str, str] = {}
    for _, part in split(text[1:-1]):
        name, equals, value = (each.strip() for each in part.partition("="))
        if not equals or not value:
            raise UnitError(f"{quoted(part)} is no field", usage)
        if name not in known:
            raise UnitError(f"{quoted(name)} is no field of this record", advice(name, known))
        fields[name] = unquoted(value)
    return fields


# What the kernel fills


def _address(names: Names, text: str, name: str = "") -> Place:
    """A place for an address: NULL, a variable, or "host:port" as it must come, with * for any host or port."""
    if text == NULL:
        return Place(name)
    if _WORD.fullmatch(text):
        if text in names.hosts:
            raise UnitError(
                f"{quoted(text)} is a host", f'Write "{text}:*" for any port of it, or another variable.'
            )
        names.bind(text, Holds.ADDRESS)
        return Place(name, keep=text)
    host, colon, port = text.rpartition(":")
    if not colon:
        raise UnitError(f"{quoted(text)} is no address", 'Write "client:40000", or "client:*" for any port.')
    if host != "*":
        check_host(text, names.hosts)
    number = port if port in ("*", "0") else str(parse(Kind.PORT, port))
    return Place(name, must=f"{host}:{number}")


def _offender(names: Names, text: str) -> Place:
    """The host that sent an ICMP error: without a port."""
    if text == NULL or (_WORD.fullmatch(text) and text not in names.hosts):
        return _address(names, text, "offender")
    check_host(f"{text}:0", names.hosts)
    return Place("offender", must=f"{text}:*")


def _number(names: Names, name: str, text: str, family: Family | None) -> Place:
    """A place for a number, which may have a name: as it must come, or a variable."""
    known = family.flags if family is not None else {}
    try:
        if family is not None:
            return Place(name, must=family.number(text))
    except KeyError:
        pass
    if text.isdecimal():
        return Place(name, must=int(parse(Kind.COUNT, text)))
    if not _WORD.fullmatch(text) or text.isupper():
        raise UnitError(f"{quoted(text)} is no value of {name}", advice(text, known))
    names.bind(text, Holds.NUMBER)
    return Place(name, keep=text)


_ERRNO_FAMILY = flags.Family(
    "an errno", {name: flags.Flag(each.number, each.doc) for name, each in ERRNOS.items()}
)
_HEADER: dict[str, Family | None] = {
    "ee_errno": _ERRNO_FAMILY,
    "ee_origin": flags.ORIGINS,
    "ee_type": flags.ICMP_TYPES,
    "ee_code": flags.ICMP_CODES,
    "ee_info": None,
    "msg_flags": flags.MESSAGE_FLAGS,
}
MESSAGE_FIELDS = ("iov_len", "msg_name", *_HEADER, "offender")
"""What a message header of recvmsg() may say."""
_MESSAGE_USAGE = (
    "Write recvmsg(fd, {iov_len=100, msg_name=peer}, 0), or ee_errno=ECONNREFUSED and such with MSG_ERRQUEUE."
)


def _message(names: Names, text: str) -> Message:
    """`{iov_len=100, msg_name=peer, ee_errno=ECONNREFUSED, offender=server}`: the parts of a message header that matter."""
    fields = _record(text, MESSAGE_FIELDS, _MESSAGE_USAGE)
    if "iov_len" not in fields:
        raise UnitError("a message header needs iov_len, the room for the data", _MESSAGE_USAGE)
    places = []
    for name, value in fields.items():
        if name == "msg_name":
            places.append(_address(names, value, name))
        elif name == "offender":
            places.append(_offender(names, value))
        elif name != "iov_len":
            places.append(_number(names, name, value, _HEADER[name]))
    room = argument(names, Arg.SIZE, fields["iov_len"])
    assert isinstance(room, int | str)
    return Message(room, tuple(places))


def _answer(names: Names, text: str, option: str) -> Place:
    """A place for an option's value: as it must come, or a variable."""
    takes = SOCKOPTS[option].takes if option in SOCKOPTS else Takes.COUNT
    if takes is Takes.WORD:
        if text not in WORDS:
            raise UnitError(f"{quoted(text)} is no value of {option}", f"Write one of {', '.join(WORDS)}.")
        return Place(must=text)
    if option == "SO_ERROR" and text in ERRNOS:
        return Place(must=ERRNOS[text].number)
    if _WORD.fullmatch(text):
        names.bind(text, Holds.NUMBER)
        return Place(keep=text)
    return Place(must=_value(names, text, option))


# What the program says


def _local(names: Names, text: str) -> int | str:
    """A port, with an address of the host before it where only that is meant; port 0 lets the kernel choose."""
    host, _, port = text.rpartition(":")
    number = 0 if port == "0" else int(parse(Kind.PORT, port))
    if not host:
        return number
    check_host(text, names.hosts)
    return f"{host}:{number}"


def _sysctl(names: Names, text: str) -> str:
    """The full name of a sysctl. Its values are left to the kernel: a script may want to see one refused."""
    try:
        return sysctls.find(text).name
    except CommandError as error:
        raise UnitError(error.what, error.next_step) from None


def _option(names: Names, text: str) -> str:
    if text not in SOCKOPTS:
        raise UnitError(f"{text!r} is not {Arg.OPTION.value}", advice(text, SOCKOPTS))
    return text


def _value(names: Names, text: str, option: str) -> int | str:
    """The value of a socket option; only the one that names an algorithm takes a word."""
    takes = SOCKOPTS[option].takes if option in SOCKOPTS else Takes.COUNT
    if (text in WORDS) != (takes is Takes.WORD):
        wanted = f"one of {', '.join(WORDS)}" if takes is Takes.WORD else "a number"
        raise UnitError(f"{quoted(text)} is no value of {option}", f"Write {wanted}.")
    if text in WORDS:
        return text
    if text in names.variables:
        return names.use(text, Holds.NUMBER)
    if takes is Takes.TIME:
        return int(parse(Kind.TIME, text))
    number = -int(parse(Kind.SIZE, text[1:])) if text.startswith("-") else int(parse(Kind.SIZE, text))
    if abs(number) > INT_MAX:
        raise UnitError(f"{text} is too large", f"A socket option is an int, at most {INT_MAX}.")
    return number


def _descriptor(names: Names, text: str) -> int | str:
    if text.isdecimal():
        return int(parse(Kind.COUNT, text))
    if not _WORD.fullmatch(text):
        raise UnitError(
            f"{quoted(text)} is not a file descriptor", "Write the name a descriptor was given, such as `fd`."
        )
    if text not in names.variables:
        raise UnitError(
            f"{quoted(text)} has not been given a value",
            advice(text, sorted(names.variables)) or f"Bind it first: `{text} = socket(SOCK_STREAM)`.",
        )
    return names.use(text, Holds.NUMBER)


def _constant(family: Family, text: str) -> str:
    for part in text.split("|") if family.joined else [text]:
        if part.strip() not in family.flags and not (family.joined and text == "0"):
            raise UnitError(f"{part.strip()!r} is not {family.what}", advice(part.strip(), family.flags))
    return text.replace(" ", "")


def _endpoint(names: Names, text: str) -> str:
    """Where to send: "host:port", or a variable that holds an address."""
    if text in names.variables:
        return names.use(text, Holds.ADDRESS)
    if _WORD.fullmatch(text):
        addresses = [name for name, holds in names.variables.items() if holds is Holds.ADDRESS]
        raise UnitError(
            f"{quoted(text)} is neither HOST:PORT nor a variable with an address",
            advice(text, addresses) or 'Write it like "server:8080".',
        )
    endpoint = str(parse(Kind.ENDPOINT, text))
    check_host(endpoint, names.hosts)
    return endpoint


def check_host(endpoint: str, hosts: Collection[str]) -> None:
    """UnitError when the host part of "host:port" is neither a host of the scenario nor an IPv4 address."""
    host = endpoint.rpartition(":")[0]
    if host not in hosts and not is_address(host):
        raise UnitError(f"unknown host {host!r}", advice(host, hosts))


_READERS: dict[Arg, Callable[[Names, str], Argument]] = {
    Arg.FD: _descriptor,
    Arg.LOCAL: _local,
    Arg.ENDPOINT: _endpoint,
    Arg.NAME: _sysctl,
    Arg.TEXT: lambda _, text: text,
    Arg.PROGRAM: lambda _, text: text,
    Arg.OPTION: _option,
    Arg.ADDRESS: _address,
    Arg.MESSAGE: _message,
}
