"""`nstat`: the counters of a host, in nstat's format."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wireside.catalog.counters import ALL_COUNTERS, GAUGES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wireside.snapshot import HostSnapshot


def render(host: HostSnapshot, *, zeros: bool = False, since: Mapping[str, int] | None = None) -> str:
    """Return what `nstat -a` prints (`-az` with `zeros`), or what plain `nstat` prints against the counters `since`.

    Differs: counters of protocols the model does not speak are not listed.
    Linux: iproute2 misc/nstat.c dump_incr_db()
    """
    lines = [
        f"{name:<32}{value:<16}{0.0:6.1f}\n"
        for name, value in counters(host, zeros=zeros, since=since).items()
    ]
    return "#kernel\n" + "".join(lines)


def counters(
    host: HostSnapshot, *, zeros: bool = False, since: Mapping[str, int] | None = None
) -> dict[str, int]:
    """The names and numbers that `render` prints, in its order; what only says how things stand is left out, as nstat does."""
    before = since or {}
    found = {
        counter.name: host.counters[counter.name] - before.get(counter.name, 0)
        for counter in ALL_COUNTERS
        if counter not in GAUGES and counter.name in host.counters
    }
    return found if zeros else {name: value for name, value in found.items() if value}
