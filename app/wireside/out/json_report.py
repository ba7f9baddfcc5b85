"""The outcome of a run as one JSON document; the same seed gives the same bytes."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from wireside.out.headless import Outcome
    from wireside.snapshot import HostSnapshot


def json_text(outcome: Outcome, *, ascii_only: bool = False) -> str:
    """The document: what was run, what was expected, and every host at the end."""
    return json.dumps(document(outcome), indent=2, ensure_ascii=ascii_only)


def document(outcome: Outcome) -> dict[str, Any]:
    """The document as plain dicts and lists."""
    return {
        "scenario": outcome.scenario.id,
        "seed": outcome.seed,
        "kernel": outcome.kernel,
        "time_ns": outcome.end.time_ns,
        "expectations": [asdict(result) for result in outcome.results],
        "hosts": {host.name: _host(host) for host in outcome.end.hosts},
    }


def _host(host: HostSnapshot) -> dict[str, Any]:
    nic = next((row for row in host.nics if row.kind != "lo"), None)
    return {
        "sysctl": dict(sorted(host.sysctl.items())),
        "counters": dict(host.counters),
        "softnet": [asdict(row) for row in host.softnet],
        "nic": dict(nic.statistics) if nic else {},
        "drops": dict(sorted(host.drops.items())),
        "states": dict(sorted(host.states.items())),
        "sockets": [row._asdict() for row in host.sockets],
        "programs": [asdict(row) for row in host.programs],
    }
