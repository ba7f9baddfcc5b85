"""Conditions over many sockets: exact while there are few, looked at now and then when there are many."""

from __future__ import annotations

import pytest

from tests.sim.worlds import MS, program, scenario
from wireside.scenario.expect import conditions_of
from wireside.scenario.terms import walk
from wireside.scenario.units import RATE
from wireside.sim.checkpoint import freeze, thaw
from wireside.sim.live import Live, population
from wireside.sim.watch import LOOKS, MANY
from wireside.sim.world import World

CROWD = scenario(
    program("server", "web", "tcp_leaker", port=8080),
    program("client", "crowd", "tcp_visitors", to="server:8080", rate=20_000 * RATE["/s"], total=200),
)
END = 100 * MS
GRAIN = CROWD.duration_ns // LOOKS


def moment_of(text, world=None, looked=-1):
    """When a condition first holds, by the watch."""
    world = world or World(CROWD)
    watch = world.watch({1: conditions_of(CROWD, [text])[0]}, looked)
    assert not watch.run(END)
    assert watch.fired == (1,)
    return world.now


def event_of(text):
    """After which event a condition first holds, by snapshots."""
    world, (condition,) = World(CROWD), conditions_of(CROWD, [text])
    assert not world.env.run_watched(END, lambda _: condition.holds(world.snapshot()))
    return world.now


@pytest.mark.parametrize("text", ["count(server.sks(8080)) >= 20", "server.sks(8080)[20].recv_q >= 0"])
def test_few_sockets_are_looked_at_after_every_event(text):
    assert moment_of(text) == event_of(text)


@pytest.mark.parametrize(
    "text",
    [
        "count(server.sks(8080)) >= 100",
        "server.sks(8080)[100].recv_q >= 0",
        "not count(server.sks(8080)) < 100",
        "server.sk(9).recv_q == 0 and server.states.CLOSE-WAIT >= 100",
    ],
)
def test_many_are_looked_at_a_thousand_times_a_run(text):
    event, moment = event_of(text), moment_of(text)
    assert moment == -(-event // GRAIN) * GRAIN


@pytest.mark.parametrize(
    "text",
    [
        "count(server.sks(state=CLOSE-WAIT)) >= 100",
        "server.sks(8080)[3].recv_q >= 0 and server.states.CLOSE-WAIT >= 100",
    ],
)
def test_what_is_counted_or_found_at_once_stays_exact(text):
    assert moment_of(text) == event_of(text)


def test_a_thawed_world_of_many_comes_to_the_same_moment():
    text = "count(server.sks(8080)) >= 100"
    world = World(CROWD)
    watch = world.watch({1: conditions_of(CROWD, [text])[0]})
    assert watch.run(event_of(text))
    assert moment_of(text, thaw(freeze(world)), watch.looked) == moment_of(text)


def test_no_more_are_looked_through_than_many():
    world = World(CROWD)
    world.run_until(END)
    net = world.nets["server"]
    assert population(net) > 2 * MANY
    live = Live(world)
    (condition,) = conditions_of(CROWD, ["count(server.sks(8080)) == 0"])
    read = next(part for part in walk(condition.term)).compile(live)
    live.most = MANY
    assert read(world) is False
    assert live.cut
    assert len(list(live._looked_at(net))) <= MANY
