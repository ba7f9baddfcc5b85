"""A snapshot is the same whether parts of it were kept from the last look or not, and however few rows it has."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.bench import scale
from tests.property.test_books import scenarios, turns
from wireside.scenario.library import scenario_dir
from wireside.scenario.load import load
from wireside.sim.books import queued_in_sockets
from wireside.sim.view import Views
from wireside.sim.world import World

TESTS = Path(__file__).parents[1]
PLAYED = [path for path in sorted(scenario_dir().glob("*.yaml")) if path.stem != "index"]
PLAYED += sorted([*(TESTS / "life").glob("*.yaml"), *(TESTS / "calls").glob("*.yaml")])
LOOKS = 60
WORK = 100_000
"""Events after which a world has shown enough."""
SLOW = settings(
    max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)


def wait_in_sockets(net):
    """Wire frames in all queues of all sockets."""
    queues = ("sk_receive_queue", "sk_backlog", "out_of_order_queue")
    waiting = [getattr(sk, queue, None) or () for sk in net.sockets.values() for queue in queues]
    return sum(skb.gso_segs for queue in waiting for skb in queue)


def look(world):
    """Hold what was kept against a fresh look."""
    for screen in (False, True):
        assert world.snapshot(screen=screen) == Views().snapshot(world, screen=screen)
    for net in world.nets.values():
        assert queued_in_sockets(net) == wait_in_sockets(net)


@SLOW
@given(scenarios(), turns, st.lists(st.integers(1, 700_000), min_size=10, max_size=30))
def test_what_was_kept_is_what_a_fresh_look_shows(scenario, knobs, waits):
    world = World(scenario)
    for number, wait in enumerate(waits):
        world.run_until(world.now + wait)
        look(world)
        if number < len(knobs) and (
            scenario.hosts[0].nic.kind == "nic" or not knobs[number][0].startswith("nic.")
        ):
            world.command("server", *knobs[number])
            look(world)


@pytest.mark.parametrize("path", PLAYED, ids=lambda path: path.stem)
def test_nothing_of_a_lesson_is_kept_too_long(path):
    world = World(load(path), trace=0)
    step = max(1, world.scenario.duration_ns // LOOKS)
    for number in range(LOOKS):
        coarse = world.now + step
        world.run_until(coarse if number % 3 == 0 else min(coarse, max(world.now, world.upcoming()) + 1))
        look(world)
        if world.env._count > WORK:
            break


@pytest.fixture
def many(monkeypatch):
    """Forty connections, of which a screen shows three at each end, and one more that is busy."""
    monkeypatch.setattr("wireside.sim.socket_rows.SCREEN_SHOWN", 3)
    world = scale.idle(40)
    scale.connect_all(world, 40)
    return world


def numbers(world, host):
    return [row.id for row in world.snapshot(screen=True).host(host).sockets]


def test_a_screen_shows_both_ends(many):
    for host, net in many.nets.items():
        ids = list(net.sockets)
        assert numbers(many, host) == [*ids[:3], *ids[-3:]]
        assert many.snapshot(screen=True).host(host).states["ESTAB"] == 40


def test_a_screen_shows_who_holds_data_and_who_sent_it(many):
    server, client = many.nets["server"], many.nets["client"]
    sender = list(client.sockets.values())[20]
    receiver = server.ehash[sender.flow_out]
    receiver.sk_rmem_alloc = 2304
    server.holding[receiver.id] = receiver
    assert receiver.id in numbers(many, "server")
    assert sender.id in numbers(many, "client")
    assert numbers(many, "client") == sorted(numbers(many, "client"))
    assert len(numbers(many, "client")) == 7
    receiver.sk_rmem_alloc = 0
    many.views.books(many)
    assert receiver.id not in numbers(many, "server")
