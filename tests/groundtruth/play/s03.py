"""S03: default values of sysctls."""

from __future__ import annotations

from tests.groundtruth.observations import observations
from tests.groundtruth.raw_peer import PEER, SERVER
from wireside.scenario.spec import HostSpec, LinkSpec, Scenario, WirePeerSpec
from wireside.sim.world import World


def play() -> dict[str, object]:
    """Every sysctl of the document, asked of a host of which nothing was set."""
    world = World(
        Scenario(
            id="defaults",
            title="defaults",
            summary="",
            duration_ns=1,
            seed=1,
            kernel="6.18",
            hosts=(HostSpec("host", SERVER),),
            links=(LinkSpec("peer", "host"),),
            wire_peers=(WirePeerSpec("peer", PEER),),
        )
    )
    return {
        each.name: {sysctl: world.knob_value("host", sysctl) for sysctl in each.recorded["value"]}
        for each in observations("S03")
    }
