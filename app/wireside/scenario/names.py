"""What conditions may name: the hosts of a scenario, and what is on each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from wireside.catalog.profiles import DEFAULT_PROFILE
from wireside.scenario.units import UnitError, advice

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from wireside.scenario.spec import HostSpec, ProgramSpec


@dataclass(frozen=True, slots=True)
class HostNames:
    """What a condition may name on one host; on a wire peer, which has no kernel, nothing."""

    cpus: int
    programs: tuple[str, ...]
    kernel: str = DEFAULT_PROFILE


def names_of(
    hosts: Iterable[HostSpec], programs: Iterable[ProgramSpec], kernel: str, peers: Iterable[str] = ()
) -> dict[str, HostNames]:
    """The names of a scenario that conditions are checked against: hosts, programs and wire peers; and the kernel."""
    by_host: dict[str, list[str]] = {host.name: [] for host in hosts}
    for program in programs:
        by_host.setdefault(program.on, []).append(program.name)
    names = {host.name: HostNames(host.cpus, tuple(by_host[host.name]), kernel) for host in hosts}
    return names | {peer: HostNames(0, (), kernel) for peer in peers}


def kernel_of(host: str, names: Mapping[str, HostNames]) -> str:
    """The kernel of a host; UnitError when there is no such host, or when it is a wire peer."""
    if host not in names:
        raise UnitError(
            f"unknown host {host!r}", advice(host, [each for each, it in names.items() if it.cpus])
        )
    if not names[host].cpus:
        raise UnitError(f"{host} is a wire peer and has no kernel", f"Write packets(source={host})[0].stage.")
    return names[host].kernel
