"""How large a datagram may be: what does not fit the MTU of its way would be sent in fragments, which are not modelled."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from wireside.catalog.inet import ETH_DATA_LEN, LOOPBACK_MTU
from wireside.errors import ScenarioError
from wireside.scenario.spec import Call, Loop
from wireside.scenario.units import UnitError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from wireside.scenario.document import Document
    from wireside.scenario.spec import HostSpec, LinkSpec, ProgramSpec, Scenario, Statement, WirePeerSpec

HEADERS = 28
"""Bytes of IPv4 and UDP before the payload."""
UDP_MAX_PAYLOAD = 65507
"""The most that one datagram carries; send() refuses more on Linux, too."""


@dataclass(frozen=True, slots=True)
class Ways:
    """Where a scenario's hosts send, and the MTU on the way there."""

    addresses: Mapping[str, str]
    """Of hosts and wire peers, by name."""
    hosts: Mapping[str, HostSpec]
    links: tuple[LinkSpec, ...]

    def mtu(self, host: str, endpoint: str) -> int:
        """The MTU from a host to "host:port", bytes; its own addresses are reached through the loopback device."""
        name = endpoint.rpartition(":")[0]
        address = self.addresses.get(name) or name  # an address that was refused is no way either
        own = self.hosts[host]
        if address in (own.address, *own.secondary) or address.startswith(("0.", "127.")):
            return LOOPBACK_MTU
        return next((link.mtu for link in self.links if host in (link.a, link.b)), ETH_DATA_LEN)

    def check(self, host: str, endpoint: str, size: int) -> None:
        """UnitError when a datagram with `size` bytes of payload would have to be fragmented."""
        if host not in self.hosts:
            return
        mtu = self.mtu(host, endpoint)
        if HEADERS + size > mtu:
            raise UnitError(
                f"a datagram of {size} bytes does not fit the MTU of {mtu}, and fragments are not modelled",
                f"Send at most {mtu - HEADERS} bytes, or give the link `mtu: {HEADERS + size}`.",
            )

    def check_parameter(self, program: ProgramSpec, name: str, size: float | str) -> None:
        """UnitError when a program with this `size` as its parameter `name` would send datagrams that do not fit."""
        if program.run != "udp_source" or name != "size" or not isinstance(size, int):
            return
        if size > UDP_MAX_PAYLOAD:
            raise UnitError(f"a datagram carries at most {UDP_MAX_PAYLOAD} bytes, not {size}")
        self.check(program.on, str(program.params.get("to", "")), size)


def ways(hosts: Iterable[HostSpec], peers: Iterable[WirePeerSpec], links: tuple[LinkSpec, ...]) -> Ways:
    """The ways between these hosts and wire peers."""
    known = {host.name: host for host in hosts}
    addresses = {peer.name: peer.address for peer in peers}
    return Ways({**addresses, **{host.name: host.address for host in known.values()}}, known, links)


def ways_of(scenario: Scenario) -> Ways:
    """The ways of a whole scenario."""
    return ways(scenario.hosts, scenario.wire_peers, scenario.links)


def calls_of(body: Iterable[Statement]) -> Iterator[Call]:
    """A script's calls in the order in which they stand."""
    for statement in body:
        if isinstance(statement, Call):
            yield statement
        elif isinstance(statement, Loop):
            yield from calls_of(statement.body)


def segmenting(body: Iterable[Statement]) -> set[str]:
    """The descriptors on which a script turns UDP_SEGMENT on: what they send is cut to size, or refused as on Linux."""
    return {
        str(call.args[0])
        for call in calls_of(body)
        if call.name == "setsockopt" and call.args[1:2] == ("UDP_SEGMENT",)
    }


def check_script(doc: Document, script: tuple[Statement, ...], host: str, way: Ways) -> None:
    """Note every send of a script that is seen to need fragments; what is known only in the run is told there."""
    datagrams: set[str] = set()
    peers: dict[str, str] = {}
    exempt = segmenting(script)
    for call in calls_of(script):
        name, *rest = (*call.args, "", "")[:3]
        fd, size = str(name), rest[0]
        if (call.name == "socket" and "SOCK_DGRAM" in fd) or (call.name == "dup" and fd in datagrams):
            datagrams.add(call.bind)
        elif call.name == "connect":
            peers[fd] = str(size)
        if fd not in datagrams or fd in exempt or not isinstance(size, int) or size > UDP_MAX_PAYLOAD:
            continue
        peer = str(rest[1]) if call.name == "sendto" else peers.get(fd, "")
        if call.name not in ("send", "write", "sendto") or ":" not in peer:
            continue
        try:
            way.check(host, peer, size)
        except UnitError as error:
            doc.note(ScenarioError(error.what, where=call.position, next_step=error.next_step))
