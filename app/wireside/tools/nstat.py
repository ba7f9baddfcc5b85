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
    lines = ["#kernel\n"]
    for counter in ALL_COUNTERS:
        if counter in GAUGES or counter.name not in host.counters:
            continue
        value = host.counters[counter.name] - (since or {}).get(counter.name, 0)
        if value or zeros:
            lines.append(f"{counter.name:<32}{value:<16}{0.0:6.1f}\n")
    return "".join(lines)
