"""The shapes of the kernel's vocabulary: what a sysctl, a counter, a stage or a drop reason is."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from functools import cache
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Scope(Enum):
    """Who shares one value of a sysctl."""

    NETNS = "network namespace"
    HOST = "host"


class Context(Enum):
    """In which context the kernel runs a stage; it decides what can interrupt what."""

    WIRE = "wire"
    HARDWARE = "NIC hardware"
    HARDIRQ = "hard interrupt"
    SOFTIRQ = "softirq"
    TASK = "process"


class Direction(Enum):
    """Which way a packet travels through a stage."""

    RX = "receive"
    TX = "transmit"


@cache
def brought_by(since: str, version: str) -> bool:
    """Whether a word that came with kernel release `since` exists in `version`; "" came before all profiles."""
    return not since or _numbers(since) <= _numbers(version)


def absent(name: str, since: str, version: str) -> str:
    """Why kernel `version` has nothing called `name`, which came with `since`; "" when it has."""
    return "" if brought_by(since, version) else f"Linux {version} has no {name}: it came with {since}"


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


class CpuMask(int):
    """A set of CPUs, one bit each; written in hex, as below /proc."""

    __slots__ = ()

    def __str__(self) -> str:
        return f"{int(self):x}"


_BY_NAME: dict[str, Any] = {}
"""Every declared word by its unique name; pickles of a world refer to declarations by name."""


def declared(name: str) -> Any:
    """Return the declaration called `name`, so that unpickled worlds share it."""
    return _BY_NAME[name]


@dataclass(frozen=True, eq=False)
class Declaration:
    """A word declared once; compared and hashed by identity, pickled by name."""

    name: str

    def __post_init__(self) -> None:
        assert self.name not in _BY_NAME, f"{self.name} is declared twice"
        _BY_NAME[self.name] = self

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return declared, (self.name,)


@dataclass(frozen=True, eq=False)
class Sysctl(Declaration, Generic[T]):
    """One kernel setting.

    `name` is the full sysctl name; `default` the value of the newest profile and `older` maps a profile
    version to a default that differs there; `low`/`high` bound every number in it (inclusive); `steps` are
    sensible values for a knob; `when` says in one phrase when a change takes effect.
    """

    default: T
    unit: str
    scope: Scope
    when: str
    doc: str
    source: str
    low: int = 0
    high: int = 2147483647
    older: tuple[tuple[str, T], ...] = ()
    steps: tuple[T, ...] = ()
    choices: tuple[str, ...] = ()
    """The names allowed, for a sysctl that holds a name."""
    since: str = ""
    """The kernel release that brought it, when the oldest profile does not have it."""
    modelled: bool = True
    """False: it can be read and set, but it changes nothing here."""

    @property
    def takes_effect(self) -> str:
        """When a change takes effect here, in one phrase."""
        return self.when if self.modelled else "never here: what it governs is not modelled"

    @property
    def allowed(self) -> str:
        """What it can be set to, in one phrase: "0…2 connections", "3 numbers, 0…2147483647 pages", "cubic or reno"."""
        if self.choices:
            return " or ".join(self.choices)
        if isinstance(self.default, str):
            return self.unit
        if isinstance(self.default, CpuMask):
            return "a mask of CPUs, in hex"
        count = f"{len(self.default)} numbers, " if isinstance(self.default, tuple) else ""
        return f"{count}{self.low}…{self.high} {self.unit}".rstrip()

    def default_for(self, version: str) -> T:
        """The default on kernel `version` ("6.18" or "6.12")."""
        return dict(self.older).get(version, self.default)

    def exists_in(self, version: str) -> bool:
        """Whether kernel `version` has it."""
        return brought_by(self.since, version)


@dataclass(frozen=True, eq=False)
class Counter(Declaration):
    """One SNMP-style counter; `name` is the nstat spelling, such as TcpExtListenOverflows."""

    doc: str
    source: str
    since: str = ""
    """The kernel release that brought it, when the oldest profile does not have it."""
    bad: bool = False
    """Whether it counts a loss or an error, or what is done to mend one."""
    modelled: bool = True
    """False: it is listed as the kernel lists it, but nothing here moves it."""

    def exists_in(self, version: str) -> bool:
        """Whether kernel `version` has it."""
        return brought_by(self.since, version)


@dataclass(frozen=True, eq=False)
class NicCounter(Declaration):
    """One `ethtool -S` counter of the simulated NIC; `name` carries the prefix `nic.`."""

    doc: str
    source: str

    @property
    def printed(self) -> str:
        """The name as ethtool prints it."""
        return self.name.removeprefix("nic.")
