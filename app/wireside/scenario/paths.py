"""What a path in a condition names: `server.sk(8080).recv_q`, `server.TcpExtListenOverflows`, `server.nic.rx_ring_used`."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from wireside.catalog.counters import COUNTER_BY_NAME
from wireside.catalog.drop_reasons import DropReason
from wireside.catalog.sysctls import BY_NAME
from wireside.outside import whole
from wireside.scenario import words
from wireside.scenario.matches import FIELDS, LISTS, MAX_PORT, SOCKET_FIELDS, STATES, field_of
from wireside.scenario.names import HostNames, kernel_of
from wireside.scenario.terms import Leaf
from wireside.scenario.units import UnitError, advice, cpus_text
from wireside.snapshot import CpuRow, NicRow, ProgramRow, SoftnetRow

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from wireside.scenario.terms import Value
    from wireside.snapshot import HostSnapshot, WorldSnapshot

_STEP = re.compile(r"(?P<name>[A-Za-z_]\w*)(?:\((?P<arg>[^()]*)\))?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Path(Leaf):
    """A checked path: which part of a host's snapshot (`part`, with `arg`), and which field of it."""

    host: str
    part: str
    arg: int | str
    field: str

    def words(self, names: Mapping[str, HostNames]) -> Mapping[str, str]:
        """See Leaf."""
        return STATES if self.part == "sk" and self.field == "state" else {}

    def evaluate(self, snapshot: WorldSnapshot) -> Value:
        """The value in `snapshot`; 0 for a socket, program or entry that is not there."""
        return _PARTS[self.part](snapshot.host(self.host), self.arg, self.field)


def _counter(host: HostSnapshot, _arg: int | str, field: str) -> Value:
    return host.counters.get(field, 0)


def _socket(host: HostSnapshot, port: int | str, field: str) -> Value:
    tail = f":{port}"
    for row in host.sockets:
        if row.state != "LISTEN" and (row.local.endswith(tail) or row.peer.endswith(tail)):
            return getattr(row, field)  # type: ignore[no-any-return]
    return 0


def _listener(host: HostSnapshot, port: int | str, field: str) -> Value:
    for row in host.sockets:
        if row.state == "LISTEN" and row.local.endswith(f":{port}"):
            return field_of(host, row, field)
    return 0


def _nic(host: HostSnapshot, _arg: int | str, field: str) -> Value:
    nic = next((row for row in host.nics if row.kind != "lo"), None)
    if nic is None:
        return 0
    if field in NIC_FIELDS:
        return getattr(nic, field)  # type: ignore[no-any-return]
    return nic.statistics.get(field, 0)


def _softnet(host: HostSnapshot, cpu: int | str, field: str) -> Value:
    return getattr(host.softnet[int(cpu)], field)  # type: ignore[no-any-return]


def _cpu(host: HostSnapshot, cpu: int | str, field: str) -> Value:
    return getattr(host.cpus[int(cpu)], field)  # type: ignore[no-any-return]


def _program(host: HostSnapshot, name: int | str, field: str) -> Value:
    for row in host.programs:
        if row.name == name:
            return getattr(row, field)  # type: ignore[no-any-return]
    return 0


def _drops(host: HostSnapshot, _arg: int | str, field: str) -> Value:
    return host.drops.get(field, 0)


def _wire_drops(host: HostSnapshot, _arg: int | str, field: str) -> Value:
    return host.wire_drops.get(field, host.wire_drops.get(field.replace("_", " "), 0))


def _states(host: HostSnapshot, _arg: int | str, field: str) -> Value:
    return host.states.get(field, 0)


def _books(host: HostSnapshot, _arg: int | str, field: str) -> Value:
    return host.books.get(field, 0)


def _sysctl(host: HostSnapshot, _arg: int | str, field: str) -> Value:
    text = host.sysctl.get(field, "0")
    return int(text) if text.lstrip("-").isdigit() else text


_PARTS: dict[str, Callable[[HostSnapshot, int | str, str], Value]] = {
    "counter": _counter,
    "sk": _socket,
    "listener": _listener,
    "nic": _nic,
    "softnet": _softnet,
    "cpu": _cpu,
    "program": _program,
    "drops": _drops,
    "wire_drops": _wire_drops,
    "states": _states,
    "books": _books,
    "sysctl": _sysctl,
}
NIC_FIELDS = tuple(each.name for each in fields(NicRow) if each.name != "statistics")
_ROWS: dict[str, tuple[str, ...]] = {
    "sk": SOCKET_FIELDS,
    "listener": FIELDS["listeners"],
    "softnet": tuple(each.name for each in fields(SoftnetRow)),
    "cpu": tuple(each.name for each in fields(CpuRow)),
    "program": tuple(each.name for each in fields(ProgramRow)),
}


def _entries(part: str) -> tuple[str, ...]:
    """The names allowed as the last step of a part that has no argument."""
    match part:
        case "nic":
            return (*NIC_FIELDS, *words.NIC_COUNTER_NAMES)
        case "drops":
            return words.DROP_NAMES
        case "wire_drops":
            return words.WIRE_DROPS
        case "states":
            return words.STATE_NAMES
        case "books":
            return words.BOOKS
        case _:
            return words.SYSCTL_NAMES


_SINCE: dict[str, Callable[[str], str]] = {
    "drops": lambda name: DropReason[name].since,
    "sysctl": lambda name: BY_NAME[name].since,
}
"""Part → the release that brought one of its entries, where not all kernels have all of them."""


def resolve(text: str, names: Mapping[str, HostNames]) -> Path:
    """The path that `text` spells; UnitError says which step of it is unknown and what is near."""
    host, _, rest = text.partition(".")
    kernel = kernel_of(host, names)
    step, _, field = rest.partition(".")
    match = _STEP.fullmatch(step)
    part = match["name"] if match else step
    if not field and match and match["arg"] is None and part not in _PARTS:
        if part not in words.COUNTER_NAMES:
            raise UnitError(f"unknown counter {part!r}", advice(part, (*words.COUNTER_NAMES, *_PARTS)))
        words.check_release(part, COUNTER_BY_NAME[part].since, kernel)
        return Path(host, "counter", "", part)
    if match is None and step.endswith("]"):
        raise UnitError(
            f"{host}.{step.partition('[')[0]} is not one of several", "Write sks(…)[0] or listeners(…)[0]."
        )
    if part not in _PARTS or part == "counter" or match is None:
        raise UnitError(
            f"a host has no {part!r}", advice(part, [*LISTS, *(each for each in _PARTS if each != "counter")])
        )
    if part in _ROWS:
        return _row(host, part, match["arg"], field, names[host])
    if match["arg"] is not None:
        raise UnitError(f"{part} takes no argument", f"Write {host}.{part}.NAME.")
    if field not in _entries(part):
        raise UnitError(f"{host}.{part} has no {field!r}", advice(field, _entries(part)))
    if part in _SINCE:
        words.check_release(field, _SINCE[part](field), kernel)
    return Path(host, part, "", field)


def _row(host: str, part: str, arg: str | None, field: str, names: HostNames) -> Path:
    example = {"sk": "8080", "listener": "8080", "program": "reader"}.get(part, "0")
    if not arg:
        raise UnitError(f"{part} needs an argument", f"Write {host}.{part}({example}).FIELD.")
    if field not in _ROWS[part]:
        raise UnitError(f"{part}({arg}) has no field {field!r}", advice(field, _ROWS[part]))
    if part == "program":
        name = arg.strip("\"'")
        if name not in names.programs:
            raise UnitError(f"{host} runs no program {name!r}", advice(name, names.programs))
        return Path(host, part, name, field)
    try:
        number = whole(arg)
    except ValueError as error:
        raise UnitError(str(error), f"Write {host}.{part}({example}).{field}.") from None
    if part in ("sk", "listener") and not 0 <= number <= MAX_PORT:
        raise UnitError(f"port {number} is out of range", f"Ports run from 1 to {MAX_PORT}.")
    if part in ("softnet", "cpu") and not 0 <= number < names.cpus:
        raise UnitError(f"{host} has no CPU {number}", cpus_text(names.cpus))
    return Path(host, part, number, field)
