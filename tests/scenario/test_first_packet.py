"""What first-packet says comes when the packet does it, whatever the stages cost."""

from __future__ import annotations

import sys
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

import pytest

from wireside.catalog import work
from wireside.catalog.stages import STAGES, Stage
from wireside.out.headless import play
from wireside.scenario import library
from wireside.scenario.load import load
from wireside.scenario.vary import settings, vary
from wireside.session.telling import Telling
from wireside.sim.world import World

if TYPE_CHECKING:
    from wireside.scenario.spec import Scenario
    from wireside.snapshot import WorldSnapshot

SCENARIO = load(library.resolve("first-packet"))
DATA, ACK = 3, 4
"""Places of the data and of its ACK among the packets of the run."""
JOURNEY = (
    (DATA, "TCP_WRITE_XMIT"),
    (DATA, "IP_OUTPUT"),
    (DATA, "QDISC"),
    (DATA, "WIRE"),
    (DATA, "RX_RING"),
    (DATA, "HARDIRQ"),
    (DATA, "NAPI_POLL"),
    (DATA, "GRO"),
    (DATA, "IP_RCV"),
    (DATA, "TCP_RCV"),
    (DATA, "RECEIVE_QUEUE"),
    (ACK, "TCP_WRITE_XMIT"),
    (DATA, "SYS_READ"),
)
"""Whose stage each beat of the slow motion is about."""
ENTIRE = ("", *(stage.name for stage in Stage))
WORK = [name for name in dir(work) if name.endswith("_NS")]


class Told(NamedTuple):
    """One beat: what it points at, and the world at its moment."""

    look_at: str
    snapshot: WorldSnapshot


def dearer(stage: str, factor: float) -> Scenario:
    """The lesson with one stage (all: "") that costs so much more on both hosts."""
    costs = {each.name: round(STAGES[each].cost_ns * factor) for each in Stage if stage in {"", each.name}}
    return replace(SCENARIO, hosts=tuple(replace(host, costs=costs) for host in SCENARIO.hosts))


def told(scenario: Scenario) -> tuple[list[Told], World]:
    """The lesson told from its beginning to its end."""
    world = World(scenario)
    telling = Telling(scenario, world)
    beats = []
    while world.now < scenario.duration_ns or telling.story.due:
        telling.run(scenario.duration_ns)
        while telling.story.due:
            beats.append(Told(telling.tell().look_at, world.snapshot()))
    return beats, world


def hold_to_the_story(beats: list[Told], world: World) -> None:
    """Each beat came, in the order of the file, in the moment it speaks of."""
    assert [beat.look_at for beat in beats] == [beat.look_at for beat in SCENARIO.beats]
    entered = [{Stage(stage).name: ns for stage, ns in reversed(trace.stamps)} for trace in world.traces(0)]
    slow = [beat for beat in beats[4:] if beat.look_at not in {"SCHEDULE", "journey", "knobs"}][
        : len(JOURNEY)
    ]
    for beat, (packet, stage) in zip(slow, JOURNEY, strict=True):
        assert (beat.look_at, beat.snapshot.time_ns) == (stage, entered[packet][stage])
    connected, calls, copied = (beat.snapshot for beat in beats[1:4])
    assert connected.host("server").states["ESTAB"] == connected.host("client").states["ESTAB"] == 1
    assert connected.host("server").programs[0].doing == "read(4, 4096)"
    assert [row.send_q for row in calls.host("client").sockets] == [0]
    assert [row.send_q for row in copied.host("client").sockets] == [100]
    assert copied.time_ns < entered[DATA]["TCP_WRITE_XMIT"]
    scheduled, read, done, closes, last = (beat.snapshot for beat in beats[-5:])
    assert scheduled.host("server").cpus[0].running == "reader"
    assert scheduled.time_ns >= entered[ACK]["TCP_WRITE_XMIT"]
    assert read.host("server").programs[0].bytes_read == done.host("server").programs[0].bytes_read == 100
    assert done.host("server").programs[0].state == "blocked"
    assert done.time_ns - calls.time_ns < 75_000
    assert closes.host("client").states == {"FIN-WAIT-1": 1}
    assert last.host("client").states == {"TIME-WAIT": 1}


@cache
def as_it_stands() -> tuple[list[Told], World]:
    return told(SCENARIO)


def test_the_story_is_told_when_it_happens() -> None:
    hold_to_the_story(*as_it_stands())


@pytest.mark.parametrize("factor", [0.8, 1.2])
@pytest.mark.parametrize("stage", ENTIRE)
def test_the_story_stays_true_when_a_stage_costs_another_fifth(stage: str, factor: float) -> None:
    hold_to_the_story(*told(dearer(stage, factor)))


@pytest.mark.parametrize("factor", [0.8, 1.2])
@pytest.mark.parametrize("name", WORK)
def test_and_when_other_work_does(name: str, factor: float, monkeypatch: pytest.MonkeyPatch) -> None:
    users = [module for module in list(sys.modules.values()) if module is not work and hasattr(module, name)]
    assert users
    for module in users:
        monkeypatch.setattr(module, name, round(getattr(work, name) * factor))
    hold_to_the_story(*told(SCENARIO))


@pytest.mark.parametrize("value", SCENARIO.knobs[0].values)
def test_every_beat_comes_at_every_value_of_its_knob(value: str) -> None:
    turned = vary(SCENARIO, settings(SCENARIO, f"{SCENARIO.knobs[0].name}={value}"))
    assert play(turned, watch_beats=True).silent_beats == ()


def test_every_stage_of_the_way_up_is_named() -> None:
    named = {beat.look_at for beat in SCENARIO.beats}
    assert {stage for _, stage in JOURNEY} | {"SYS_WRITE", "TCP_SENDMSG", "SCHEDULE"} <= named
