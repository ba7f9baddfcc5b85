"""A thawed world goes on as the one it was taken from, which is not disturbed."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.property.stories import conditions
from tests.property.test_books import MS, scenarios, turns
from tests.property.test_moments import understood
from wireside.sim.checkpoint import freeze, thaw
from wireside.sim.world import World

END = 8 * MS
moments = st.integers(0, END)
sizes = st.sampled_from((40, 400, 100_000))
SLOW = settings(
    max_examples=80, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)


def facts(world, gone=frozenset()):
    """All that can be seen of a world, but for the packets numbered in `gone`."""
    traces = [trace for trace in world.traces(0) if trace.id not in gone]
    counts = [(machine.last_skb_id, machine.last_sock_id) for machine in world.all_machines()]
    return world.now, world.upcoming(), world.snapshot(), traces, world.events(0), world.event_count, counts


def ended(world):
    """Packets that a checkpoint taken now need not know."""
    return {skb.id for machine in world.all_machines() for skb in machine.trace if skb.fate}


def go_on(world, knobs):
    """Run to the end, and turn knobs on the way."""
    step = max(1, (END - world.now) // 7)
    for name, value in knobs:
        if world.scenario.hosts[0].nic.kind == "nic" or not name.startswith("nic."):
            world.command("server", name, value)
        world.run_until(min(END, world.now + step))
    world.run_until(END)


@SLOW
@given(scenarios(), sizes, moments, turns, st.booleans())
def test_a_thawed_world_goes_on_as_the_other_does(scenario, size, moment, knobs, shown):
    world = World(scenario, trace=size)
    world.run_until(moment)
    if shown:
        world.traces(max(0, moment - MS))
    checkpoint, gone = freeze(world), ended(world)
    twins = thaw(checkpoint), thaw(checkpoint)
    assert facts(twins[0]) == facts(world, gone)
    for each in (world, *twins):
        go_on(each, knobs)
    late = thaw(checkpoint)
    go_on(late, knobs)
    for each in (*twins, late):
        assert facts(each) == facts(world, gone)
        assert each.books_balance() == world.books_balance()


@SLOW
@given(scenarios(), st.lists(moments, max_size=5), sizes)
def test_a_world_that_is_frozen_on_its_way_is_the_same_world(scenario, stops, size):
    one, other = World(scenario, trace=size), World(scenario, trace=size)
    for moment in sorted(stops):
        one.run_until(moment)
        freeze(one)
    one.run_until(END)
    for moment in sorted(stops):
        other.run_until(moment)
    other.run_until(END)
    assert facts(one) == facts(other)


@SLOW
@given(scenarios(), conditions, moments)
def test_a_condition_stops_a_thawed_world_where_it_stops_the_other(scenario, text, moment):
    world = World(scenario)
    watch = world.watch({0: understood(scenario, text)})
    if watch.look() or not watch.run(moment):
        return
    twin = thaw(freeze(world))
    again = twin.watch({0: understood(scenario, text)}, watch.looked)
    assert watch.run(END) == again.run(END)
    assert (world.now, watch.fired) == (twin.now, again.fired)
