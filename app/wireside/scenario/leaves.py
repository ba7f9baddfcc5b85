"""What the names in a condition mean: which reader a path is for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wireside.outside import quoted
from wireside.scenario import journeys, matches, paths
from wireside.scenario.names import kernel_of
from wireside.scenario.steps import steps
from wireside.scenario.units import UnitError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wireside.scenario.names import HostNames
    from wireside.scenario.terms import Leaf

PACKETS = ("packet", "packets")
COUNTABLE = "Write count(server.sks(8080)), count(server.listeners()) or count(packets(kind=SYN))."


def resolve(text: str, names: Mapping[str, HostNames]) -> Leaf:
    """The value that a path spells; UnitError says which step of it is unknown and what is near."""
    found = steps(text)
    if found and found[0].name in PACKETS and found[0].arg is not None:
        return journeys.resolve(text, names)
    if len(found) > 1 and found[1].name in matches.LISTS:
        kernel_of(found[0].name, names)
        return matches.resolve(text, names)
    return paths.resolve(text, names)


def counted(text: str, names: Mapping[str, HostNames]) -> Leaf:
    """How many there are of what a path spells."""
    found = steps(text)
    if len(found) == 1 and found[0].name in PACKETS:
        return journeys.PacketCount(journeys.counted(found[0], names))
    if len(found) == 2 and found[1].name in matches.LISTS:
        kernel_of(found[0].name, names)
        return matches.SocketCount(matches.counted(found[0].name, found[1]))
    raise UnitError(f"{quoted(text)} cannot be counted", COUNTABLE)
