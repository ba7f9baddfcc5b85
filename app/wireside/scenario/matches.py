"""Sockets in conditions, one of several or how many: `server.sks(8080)[1].recv_q`, `count(server.sks(state=CLOSE-WAIT))`."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from wireside.outside import quoted, whole
from wireside.scenario import words
from wireside.scenario.steps import Step, arguments, index_of, steps, word_of
from wireside.scenario.terms import Leaf
from wireside.scenario.units import UnitError, advice
from wireside.snapshot import ListenerRow, SocketRow

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from wireside.scenario.names import HostNames
    from wireside.scenario.terms import Value
    from wireside.snapshot import HostSnapshot, WorldSnapshot

MAX_PORT = 65_535
LISTS = ("sks", "listeners")
FILTERS = {"sks": ("state", "local", "peer", "program", "netid"), "listeners": ("program",)}
"""What sockets can be chosen by, besides a port."""
SOCKET_FIELDS = SocketRow._fields
QUEUE_FIELDS = tuple(each.name for each in fields(ListenerRow) if each.name not in ("port", "program", "id"))
"""What a listener has besides: its two queues."""
FIELDS = {"sks": SOCKET_FIELDS, "listeners": (*SOCKET_FIELDS, *QUEUE_FIELDS)}
STATES = {name: name for name in words.STATE_NAMES if name != "LISTEN"}
"""The states that a socket other than a listener can be in."""


@dataclass(frozen=True, slots=True)
class Sockets:
    """The listeners of a host (`part` "listeners") or its other sockets ("sks") with a port on either end; 0: any.

    `filters` are (name, value); those by a port have it as a number.
    """

    host: str
    part: str
    port: int
    filters: tuple[tuple[str, str | int], ...] = ()

    def __str__(self) -> str:
        chosen = [str(self.port)] if self.port else []
        chosen += [f"{name}={value}" for name, value in self.filters]
        return f"{self.host}.{self.part}({', '.join(chosen)})"

    @property
    def state(self) -> str:
        """The only state it chooses by, when it chooses by nothing else."""
        one = len(self.filters) == 1 and not self.port and self.filters[0][0] == "state"
        return str(self.filters[0][1]) if one else ""

    def rows(self, host: HostSnapshot) -> Iterator[SocketRow]:
        """Its rows in a snapshot, in the order of `ss`."""
        listening = self.part == "listeners"
        for row in host.sockets:
            if (row.state == "LISTEN") is listening and self._matches(row):
                yield row

    def _matches(self, row: SocketRow) -> bool:
        local, peer = _port(row.local), _port(row.peer)
        if self.port and self.port not in {local, peer}:
            return False
        ends = {"local": local, "peer": peer}
        return all(
            (ends[name] if name in ends else getattr(row, name)) == value for name, value in self.filters
        )


def _port(end: str) -> int:
    port = end.rpartition(":")[2]
    return int(port) if port != "*" else 0


@dataclass(frozen=True, slots=True)
class SocketField(Leaf):
    """A field of the socket at `index`, from 0 on."""

    which: Sockets
    index: int
    field: str

    def words(self, names: Mapping[str, HostNames]) -> Mapping[str, str]:
        """See Leaf."""
        return STATES if self.field == "state" and self.which.part == "sks" else {}

    def evaluate(self, snapshot: WorldSnapshot) -> Value:
        """See Leaf."""
        host = snapshot.host(self.which.host)
        rows = list(self.which.rows(host))
        if self.index >= len(rows):
            return None
        return field_of(host, rows[self.index], self.field)

    def absence(self, snapshot: WorldSnapshot) -> str:
        """See Leaf."""
        return f"there are {count_of(self.which, snapshot)} of {self.which}"


@dataclass(frozen=True, slots=True)
class SocketCount(Leaf):
    """How many sockets there are."""

    which: Sockets

    def evaluate(self, snapshot: WorldSnapshot) -> Value:
        """See Leaf."""
        return count_of(self.which, snapshot)


def count_of(which: Sockets, snapshot: WorldSnapshot) -> int:
    """How many sockets there are in a snapshot; by state alone, those that got no row are counted, too."""
    host = snapshot.host(which.host)
    if which.state:
        tcp = host.states.get(which.state, 0) if which.state != "UNCONN" else 0
        return tcp + sum(row.netid == "udp" for row in which.rows(host))
    return sum(1 for _ in which.rows(host))


def field_of(host: HostSnapshot, row: SocketRow, name: str) -> Value:
    """A field of a socket, or of a listener's queues."""
    if name not in QUEUE_FIELDS:
        return getattr(row, name)  # type: ignore[no-any-return]
    return next((getattr(queues, name) for queues in host.listeners if queues.id == row.id), 0)


def resolve(text: str, names: Mapping[str, HostNames]) -> SocketField:
    """The field of a socket that `text` spells; UnitError says which part of it is unknown."""
    host, step, *rest = steps(text)
    which = _sockets(host.name, step)
    if step.place is None:
        raise UnitError(
            f"{which} means several sockets", f"Write {which}[0].recv_q for the first one, or count({which})."
        )
    index = index_of(step, f"{which}[0].recv_q")
    if not rest:
        raise UnitError(f"{which}[{index}] alone is no value", f"Write {which}[{index}].recv_q.")
    shown = ".".join(each.name for each in rest)
    if len(rest) > 1 or rest[0].arg is not None or shown not in FIELDS[step.name]:
        raise UnitError(f"{step.name}(…) have no field {quoted(shown)}", advice(shown, FIELDS[step.name]))
    return SocketField(which, index, shown)


def counted(host: str, step: Step) -> Sockets:
    """What `count(HOST.sks(…))` counts."""
    if step.place is not None:
        raise UnitError("one socket cannot be counted", f"Write count({host}.{step.name}({step.arg or ''})).")
    return _sockets(host, step)


def _sockets(host: str, step: Step) -> Sockets:
    if step.arg is None:
        raise UnitError(
            f"{step.name} needs parentheses", f"Write {host}.{step.name}(8080), or {step.name}() for all."
        )
    alone, named = arguments(step, FILTERS[step.name])
    if len(alone) > 1:
        raise UnitError(f"{step.name}(…) takes one port", f"Write {host}.{step.name}({alone[0]}).")
    port = port_of(alone[0]) if alone else 0
    filters: list[tuple[str, str | int]] = []
    for name, value in named:
        if name in ("local", "peer"):
            filters.append((name, port_of(value)))
        elif name == "state":
            if value == "LISTEN":
                raise UnitError("listeners are not among sks(…)", f"Write {host}.listeners().")
            filters.append((name, word_of("the state of a socket", value, STATES)))
        elif name == "netid":
            filters.append((name, word_of("netid", value, ("tcp", "udp"))))
        else:
            filters.append((name, value))
    return Sockets(host, step.name, port, tuple(filters))


def port_of(text: str) -> int:
    """A port number; UnitError when it is none."""
    try:
        number = whole(text)
    except ValueError as error:
        raise UnitError(str(error), "Write a port, such as 8080.") from None
    if not 1 <= number <= MAX_PORT:
        raise UnitError(f"port {number} is out of range", f"Ports run from 1 to {MAX_PORT}.")
    return number
