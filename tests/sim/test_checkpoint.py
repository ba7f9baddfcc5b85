"""Checkpoints of the worlds at hand: every lesson, every script, and what a checkpoint shares."""

from __future__ import annotations

import os
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import pytest

from tests.bench import workloads
from tests.property.test_checkpoints import facts
from tests.sim.worlds import MS, scenario, tcp_transfer, udp_flood
from wireside.scenario.library import scenario_dir
from wireside.scenario.load import load
from wireside.scenario.spec import NicSpec, WireSegment
from wireside.sim.attach import attach
from wireside.sim.checkpoint import freeze, thaw
from wireside.sim.run import NEVER
from wireside.sim.world import World

TESTS = Path(__file__).parents[1]
LESSONS = [path for path in sorted(scenario_dir().glob("*.yaml")) if path.stem != "index"]
SCRIPTS = sorted([*(TESTS / "life").glob("*.yaml"), *(TESTS / "calls").glob("*.yaml")])
STOPS = 20
ALL = 1_000_000
"""Packets remembered: more than any of these worlds sends."""
WORK = 150_000
"""Events after which a world has shown enough."""


@pytest.mark.parametrize("path", [*LESSONS, *SCRIPTS], ids=lambda path: path.stem)
def test_a_run_in_twenty_worlds_is_one_run(path):
    """Each world is thawed from the last, so that whatever one forgets is missing in the next."""
    played = load(path)
    one, other = World(played, trace=ALL), World(played, trace=ALL)
    gone: set[int] = set()
    for stop in range(STOPS):
        moment = played.duration_ns * stop // STOPS
        one.run_until(moment)
        other.run_until(moment)
        gone |= {trace.id for trace in other.traces(moment + 1) if trace.fate}
        gone |= {skb.id for machine in other.all_machines() for skb in machine.trace if skb.fate}
        other = thaw(freeze(other))
        if one.env._count > WORK:
            break
    moment += played.duration_ns // STOPS
    one.run_until(moment)
    other.run_until(moment)
    assert facts(one, gone) == facts(other, gone)


def digest():
    """What can be seen of runs that were frozen and thawed on their way."""
    found = sha256()
    for path in (*LESSONS, *SCRIPTS[::4]):
        world = World(load(path))
        for stop in range(1, STOPS + 1):
            world.run_until(world.scenario.duration_ns * stop // STOPS)
            if stop % 5 == 0:
                world = thaw(freeze(world))
                found.update(repr(facts(world)).encode())
            if world.env._count > WORK // 5:
                break
    return found.hexdigest()


def test_a_thawed_run_does_not_depend_on_the_hash_seed():
    program = "from tests.sim.test_checkpoint import digest; print(digest())"
    paths = os.pathsep.join((str(TESTS.parent), str(TESTS.parent / "app")))
    digests = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": paths},
            capture_output=True,
            check=True,
            text=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(digests) == 1


def test_what_has_gone_by_takes_no_room():
    early, late = World(udp_flood()), World(udp_flood())
    early.run_until(4 * MS)
    late.run_until(400 * MS)
    assert len(late.traces(0)) > 4000
    assert len(freeze(late).data) < len(freeze(early).data) * 1.2


def test_a_checkpoint_of_one_flow_is_small():
    world = workloads.tcp(1)
    world.run_until(workloads.tcp_warm_up_ns(1))
    world.traces(0)
    assert len(freeze(world).data) <= 40_000


def test_events_are_shared_up_to_the_checkpoint():
    world = World(udp_flood(nic=NicSpec(rx_ring=16, rx_usecs_ns=10 * MS)))
    world.run_until(30 * MS)
    checkpoint, before = freeze(world), world.events(0)
    world.run_until(300 * MS)
    assert 0 < len(before) < world.event_count
    assert thaw(checkpoint).events(0) == before
    again = thaw(checkpoint)
    again.run_until(300 * MS)
    assert again.events(0) == world.events(0)
    assert again.scenario is world.scenario


def test_a_tap_goes_on_writing():
    world = World(tcp_transfer(link={"loss": 0.1}))
    tap = attach(world, "client", "server")
    world.run_until(3 * MS)
    checkpoint, seen = freeze(world), len(tap.seen)
    twin = thaw(checkpoint)
    world.run_until(9 * MS)
    assert len(twin.taps[frozenset(("client", "server"))].seen) == seen > 10
    twin.run_until(9 * MS)
    assert twin.taps[frozenset(("client", "server"))].frames() == tap.frames()


def test_a_peer_that_complains_remembers_about_what():
    segments = (
        WireSegment(1 * MS, sport=80, dport=9000, protocol="icmp", unreachable="port"),
        WireSegment(5 * MS, sport=80, dport=9000, protocol="icmp", unreachable="port"),
    )
    world = World(scenario(segments=segments))
    assert world.peers["client"].complains
    world.run_until(2 * MS)
    world.peers["client"].received.append((2 * MS, None))
    assert thaw(freeze(world)).peers["client"].received == world.peers["client"].received


def test_a_trail_begins_again_with_what_lives():
    world = World(tcp_transfer())
    world.run_until(5 * MS)
    world.traces(0)
    for trail in thaw(freeze(world)).book.trails.values():
        assert trail.reaches == NEVER
        assert trail.alive == trail.ended == []
        assert trail.seen
