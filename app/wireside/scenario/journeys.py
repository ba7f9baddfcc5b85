"""Packets in conditions: `packet(4).stage >= TCP_RCV`, `packet(kind=SYN).fate`, `count(packets(kind=RST)) > 0`.

Packets are wire frames, numbered from 1 on in the order in which hosts and wire peers make them, each retransmission anew;
of those of one ns, in the order in which the model makes them. A super-packet takes as many numbers as it will be frames,
and until the device cuts it they all mean the super-packet.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from wireside.catalog.drop_reasons import DropReason
from wireside.catalog.fates import FATES
from wireside.catalog.kinds import Direction
from wireside.catalog.packet_kinds import PacketKind
from wireside.catalog.stages import STAGES, WITHOUT_PACKET, Stage
from wireside.outside import quoted, whole
from wireside.scenario import words
from wireside.scenario.steps import Step, arguments, index_of, steps, word_of
from wireside.scenario.terms import Leaf
from wireside.scenario.units import UnitError, advice

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from wireside.scenario.names import HostNames
    from wireside.scenario.terms import Value
    from wireside.snapshot import WorldSnapshot

FILTERS = ("kind", "source", "destination")
"""What packets can be chosen by: what they are from birth on."""
STAGES_OF_PACKETS = {stage.name: stage.name for stage in Stage if stage not in WITHOUT_PACKET}
KINDS = {kind.value: kind.value for kind in PacketKind}
FATES_OF_PACKETS = {
    "": "",
    **{fate.replace(" ", "_"): fate for fate in FATES},
    **{fate: fate for fate in FATES},
    **{name: name for name in words.DROP_NAMES},
}


class PacketLike(Protocol):
    """A packet as conditions see it."""

    @property
    def kind(self) -> str:
        """A PacketKind."""

    @property
    def source(self) -> str:
        """Who sent it."""

    @property
    def destination(self) -> str:
        """Whom it is for."""

    @property
    def length(self) -> int:
        """Payload bytes."""

    @property
    def born(self) -> int:
        """When it was made, ns."""

    @property
    def stamps(self) -> Sequence[int]:
        """Stage, ns, stage, ns …, those to come included."""

    @property
    def fate(self) -> str:
        """How it ends, which stands from its last stamp on; empty when that is not known yet."""


def _so_far(packet: PacketLike, now: int) -> int:
    """How many numbers of its stamps are of `now` or before."""
    stamps = packet.stamps
    count = len(stamps)
    while count and stamps[count - 1] > now:
        count -= 2
    return count


def _stage(packet: PacketLike, now: int) -> Value:
    count = _so_far(packet, now)
    return Stage(packet.stamps[count - 2]).name if count else ""


def _progress(packet: PacketLike, now: int) -> Value:
    """The number of the last stage of the way that it has come to."""
    return max(packet.stamps[: _so_far(packet, now) : 2], default=-1)


def _at(packet: PacketLike, now: int) -> Value:
    count = _so_far(packet, now)
    return packet.stamps[count - 1] if count else packet.born


def _fate(packet: PacketLike, now: int) -> Value:
    stamps = packet.stamps
    return packet.fate if not stamps or stamps[-1] <= now else ""


def _host(packet: PacketLike, now: int) -> Value:
    """Where it is; nowhere while it is on the wire."""
    count = _so_far(packet, now)
    stage = packet.stamps[count - 2] if count else Stage.TX_RING
    if stage == Stage.WIRE:
        return ""
    return packet.source if STAGES[stage].direction is Direction.TX else packet.destination


FIELDS: dict[str, Callable[[PacketLike, int], Value]] = {
    "stage": _stage,
    "at": _at,
    "fate": _fate,
    "host": _host,
    "kind": lambda packet, _: packet.kind,
    "source": lambda packet, _: packet.source,
    "destination": lambda packet, _: packet.destination,
    "length": lambda packet, _: packet.length,
    "born": lambda packet, _: packet.born,
}
"""Field → what reads it of a packet at a time."""
PROGRESS = "progress"
"""The field that takes the place of `stage` where stages are compared by `<` and `>=`."""


@dataclass(frozen=True, slots=True)
class Packets:
    """The packets of a run that are, from birth on, what `filters` say (name, value); without filters, all."""

    filters: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        return f"packets({', '.join(f'{name}={value}' for name, value in self.filters)})"


@dataclass(frozen=True, slots=True)
class PacketField(Leaf):
    """A field of one packet: the one at `index`, from 0 on, of `which`. `stage` is the argument of `at`."""

    which: Packets
    index: int
    field: str
    stage: str = ""

    def words(self, names: Mapping[str, HostNames]) -> Mapping[str, str]:
        """See Leaf."""
        match self.field:
            case "stage":
                return STAGES_OF_PACKETS
            case "fate":
                return FATES_OF_PACKETS
            case "kind":
                return KINDS
            case "host":
                return {"": "", **{name: name for name in names}}
            case "source" | "destination":
                return {name: name for name in names}
        return {}

    def of(self, packet: PacketLike, now: int) -> Value:
        """Its value of a packet at `now` ns."""
        if self.field == PROGRESS:
            return _progress(packet, now)
        if self.stage:
            stamps = packet.stamps
            number = Stage[self.stage]
            for place in range(0, _so_far(packet, now), 2):
                if stamps[place] == number:
                    return stamps[place + 1]
            return None
        return FIELDS[self.field](packet, now)

    def evaluate(self, snapshot: WorldSnapshot) -> Value:
        """See Leaf."""
        packet = snapshot.packets.get(f"{self.which}[{self.index}]")
        return None if packet is None else self.of(packet, snapshot.time_ns)

    def absence(self, snapshot: WorldSnapshot) -> str:
        """See Leaf."""
        if f"{self.which}[{self.index}]" in snapshot.packets:
            return f"it has not come to {self.stage}"
        return f"there are {snapshot.packet_counts.get(str(self.which), 0)} of {self.which}"


@dataclass(frozen=True, slots=True)
class PacketCount(Leaf):
    """How many packets have been born so far."""

    which: Packets

    def evaluate(self, snapshot: WorldSnapshot) -> Value:
        """See Leaf."""
        return snapshot.packet_counts.get(str(self.which), 0)


def resolve(text: str, names: Mapping[str, HostNames]) -> Leaf:
    """The field of a packet that `text` spells; UnitError says which part of it is unknown."""
    found = steps(text)
    which, index = _which(found[0], names)
    if len(found) == 1:
        raise UnitError(
            f"{text} alone is no value", f"Write {text}.stage, or .fate, .host, .kind, .length, .at."
        )
    field = found[1]
    if len(found) > 2 or field.place is not None or field.name not in FIELDS:
        shown = ".".join(step.name for step in found[1:])
        raise UnitError(f"a packet has no {quoted(shown)}", advice(field.name, FIELDS))
    if field.arg is None:
        return PacketField(which, index, field.name)
    if field.name != "at":
        raise UnitError(f"{field.name} takes no argument", f"Write {found[0].name}(…).{field.name}.")
    return PacketField(which, index, "at", stage_of(field.arg.strip()))


def counted(step: Step, names: Mapping[str, HostNames]) -> Packets:
    """What `count(packets(…))` counts."""
    if step.name != "packets" or step.place is not None:
        raise UnitError("only packets(…) can be counted", "Write count(packets(kind=SYN)).")
    return _which(step._replace(place="0"), names)[0]


def stage_of(name: str) -> str:
    """`name`, when it is a stage that packets are marked in."""
    if name in Stage.__members__ and name not in STAGES_OF_PACKETS:
        raise UnitError(
            f"no packet is marked in {name}",
            "Its marks begin with TCP_WRITE_XMIT or UDP_SENDMSG and end with SYS_READ.",
        )
    if name not in STAGES_OF_PACKETS:
        raise UnitError(f"no stage is called {quoted(name)}", advice(name, STAGES_OF_PACKETS))
    return name


def _which(step: Step, names: Mapping[str, HostNames]) -> tuple[Packets, int]:
    """The packets that a step means, and the place among them."""
    alone, named = arguments(step, FILTERS)
    values: dict[str, Mapping[str, str]] = {"kind": KINDS}
    hosts = {name: name for name in names}
    filters = tuple(
        (name, values.get(name, hosts)[word_of(f"a packet's {name}", value, values.get(name, hosts))])
        for name, value in named
    )
    which = Packets(filters)
    if step.name == "packets":
        if alone:
            raise UnitError(
                "packets(…) takes no number", f"Write packet({quoted(alone[0])[1:-1]}), or packets()[0]."
            )
        if step.place is None:
            raise UnitError(
                f"{which} means several packets",
                f"Write {which}[0].FIELD for the first one, or count({which}).",
            )
        return which, index_of(step, f"{which}[0]")
    if step.place is not None:
        raise UnitError("packet(…) is one packet", "Write packets(…)[0] for one of several.")
    if filters and not alone:
        return which, 0
    return which, _number(alone, filters=bool(filters)) - 1


def _number(alone: tuple[str, ...], *, filters: bool) -> int:
    """The number of a packet among all."""
    example = "Write packet(4), or packet(kind=SYN) for the first one of a kind."
    if len(alone) != 1 or filters:
        raise UnitError("packet(…) needs a number, or what the packet is", example)
    try:
        number = whole(alone[0])
    except ValueError:
        raise UnitError(f"{quoted(alone[0])} is not the number of a packet", example) from None
    if number < 1:
        raise UnitError(f"there is no packet {number}", "They count from 1.")
    return number


def check_release(fate: str, kernel: str) -> None:
    """UnitError when `fate` is a drop reason that came after this kernel."""
    if fate in words.DROP_NAMES:
        words.check_release(fate, DropReason[fate].since, kernel)
