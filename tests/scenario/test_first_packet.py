"""What first-packet says at a time is what the packet does at that time."""

from __future__ import annotations

import pytest

from wireside.catalog.stages import Stage
from wireside.scenario import library
from wireside.scenario.load import load
from wireside.sim.world import World

SCENARIO = load(library.resolve("first-packet"))
UNSEEN = {"SYS_WRITE", "TCP_SENDMSG", "SCHEDULE", "journey"}
"""What leaves no stamp of its own: the packet does not exist yet, or the reader is what moves."""
TOLERANCE_NS = 60
SLOW_MOTION = [
    beat
    for beat in SCENARIO.beats
    if beat.at_ns is not None and 1_200_000 < beat.at_ns < 1_300_000 and beat.look_at not in UNSEEN
]


@pytest.fixture(scope="module")
def stamps() -> list[tuple[str, int]]:
    world = World(SCENARIO)
    world.run_until(SCENARIO.duration_ns)
    data = next(index for index, trace in enumerate(world.traces(0)) if trace.kind == "DATA")
    journey = world.traces(0)[data : data + 2]
    return [(Stage(stage).name, ns) for trace in journey for stage, ns in trace.stamps]


@pytest.mark.parametrize("beat", SLOW_MOTION, ids=lambda beat: beat.look_at)
def test_each_stage_is_told_when_the_packet_enters_it(beat, stamps: list[tuple[str, int]]) -> None:
    entered = [ns for stage, ns in stamps if stage == beat.look_at]
    assert min(abs(ns - beat.at_ns) for ns in entered) <= TOLERANCE_NS


def test_every_stage_of_the_way_up_is_named() -> None:
    named = {beat.look_at for beat in SCENARIO.beats}
    assert {
        "WIRE",
        "RX_RING",
        "HARDIRQ",
        "NAPI_POLL",
        "GRO",
        "IP_RCV",
        "TCP_RCV",
        "RECEIVE_QUEUE",
        "SYS_READ",
    } <= named
