"""What the catalog declares is what the kernel does: over the syntax trees, and in the stories of tests/life and tests/calls."""

from __future__ import annotations

import ast
from collections import defaultdict
from pathlib import Path

import pytest

import wireside
from wireside.catalog import sysctls
from wireside.catalog.counters import ALL_COUNTERS, COUNTER_BY_NAME, GROUPS
from wireside.catalog.drop_reasons import TCPDUMP, DropReason
from wireside.catalog.kinds import Direction, Sysctl
from wireside.catalog.stages import STAGES, Stage
from wireside.paint.scene import STATIONS, station_of_reason
from wireside.scenario.load import load
from wireside.sim.world import World

PACKAGE = Path(wireside.__file__).parent
TESTS = Path(__file__).parents[1]
LESSONS = TESTS.parent / "scenarios"
STORIES = (
    *sorted(path for folder in ("life", "calls") for path in (TESTS / folder).glob("*.yaml")),
    LESSONS / "udp-overflow.yaml",
    LESSONS / "slow-accept.yaml",
)
LONGEST_NS = 10_000_000_000


def mentioned(*rooms):
    """Every name that code in these packages uses (an import alone is no use): "NAME", and "Group.Name" of attributes."""
    found = set()
    for room in rooms:
        for path in (PACKAGE / room).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Name):
                    found.add(node.id)
                elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                    found.add(f"{node.value.id}.{node.attr}")
    return found


KERNEL = mentioned("kernel")


def test_a_sysctl_is_read_by_the_model_or_says_that_nothing_goes_by_it():
    used = KERNEL | mentioned("sim")
    declared = {name: value for name, value in vars(sysctls).items() if isinstance(value, Sysctl)}
    read = {value.name for name, value in declared.items() if name in used}
    acts = {
        value.name for value in declared.values() if value.modelled and not value.when.startswith("never")
    }
    assert read == acts


def test_a_counter_is_moved_by_the_kernel_or_says_that_nothing_moves_it():
    moved = {
        word for group in GROUPS for name, word in vars(group).items() if f"{group.__name__}.{name}" in KERNEL
    }
    assert moved == {counter for counter in ALL_COUNTERS if counter.modelled}


def test_a_drop_reason_is_given_by_the_kernel_or_says_that_nobody_gives_it():
    given = {reason for reason in DropReason if f"DropReason.{reason.name}" in KERNEL}
    assert given == {reason for reason in DropReason if reason.modelled}


@pytest.mark.parametrize("reason", DropReason, ids=lambda reason: reason.name)
def test_who_sees_a_drop_follows_from_where_it_happens_and_what_it_moves(reason):
    counted = any(twin in COUNTER_BY_NAME for twin in reason.twins)
    assert ("nstat" in reason.visible_to) == counted
    received = STAGES[reason.stage].direction is Direction.RX and reason.stage >= Stage.NETIF_RECEIVE
    assert (TCPDUMP in reason.visible_to) == received


def test_what_is_no_loss_moves_no_counter_of_losses():
    for reason in DropReason:
        if not reason.is_loss:
            assert not any(COUNTER_BY_NAME[twin].bad for twin in reason.twins), reason.name


@pytest.fixture(scope="module")
def drops():
    """Reason → where the packets dropped for it in the stories had come to, and which counters of the hosts moved."""
    found = defaultdict(list)
    for path in STORIES:
        world = World(load(path))
        seen = []
        for net in world.nets.values():
            net.on_drop = lambda net, skb, reason, seen=seen: seen.append(
                (net, tuple(skb.stamps or ()), reason)
            )
        world.run_until(min(world.scenario.duration_ns, LONGEST_NS))
        for net, stamps, reason in seen:
            moved = {counter.name for counter, n in net.mib.items() if n}
            found[reason].append((path.stem, stamps[::2], moved))
    return found


def test_the_stories_drop_for_many_reasons(drops):
    assert len(drops) >= 12


def test_one_of_the_counters_that_move_with_a_reason_has_moved(drops):
    silent = {
        (reason.name, story)
        for reason, seen in drops.items()
        for story, _, moved in seen
        if any(twin in COUNTER_BY_NAME for twin in reason.twins) and not moved & set(reason.twins)
    }
    assert silent == set()


def test_a_packet_is_dropped_where_its_reason_is_declared_to_happen(drops):
    astray = {
        (reason.name, story, Stage(stages[-1]).name)
        for reason, seen in drops.items()
        for story, stages, _ in seen
        if stages and not near(reason, Stage(stages[-1]))
    }
    assert astray == set()


def near(reason, last):
    """Whether a packet falls out of the box that it was in, or of the one that it was about to enter."""
    if STAGES[reason.stage].direction is Direction.TX:
        return last == reason.stage
    return station_of_reason(reason.name) - latest_station(last) in (0, 1)


def latest_station(last):
    return next(k for k, station in enumerate(STATIONS) if last in station.stages)


def test_the_reference_lists_what_nothing_here_moves():
    text = (
        (LESSONS / "README.md")
        .read_text(encoding="utf-8")
        .split("## What nothing here moves")[1]
        .split("\n## ")[0]
    )
    listed = {word for word in text.replace("`", " ").replace(",", " ").split() if word[0].isupper()}
    names = {each.name for each in (*ALL_COUNTERS, *DropReason) if not each.modelled}
    assert names <= listed
    assert not {each.name for each in (*ALL_COUNTERS, *DropReason) if each.modelled} & listed
