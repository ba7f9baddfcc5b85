"""A condition stops the run at the very event that made it true, and being watched changes nothing."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.property.stories import AMOUNTS, WORDS_OF, conditions, stories
from tests.property.test_books import scenarios
from wireside.scenario.expect import compile_condition
from wireside.scenario.names import names_of
from wireside.scenario.terms import Leaf, walk
from wireside.sim.checkpoint import freeze, thaw
from wireside.sim.live import Live
from wireside.sim.world import World

MS = 1_000_000
END = 4 * MS
SLOW = settings(
    max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)


def understood(scenario, text):
    return compile_condition(text, names_of(scenario.hosts, scenario.programs, scenario.kernel))


def first_true(scenario, condition):
    """The instant of the first event after which a snapshot shows the condition; None before END."""
    world, found = World(scenario), []

    def look(_function):
        if condition.holds(world.snapshot()):
            found.append(world.now)
        return bool(found)

    world.follow(walk(condition.term))
    if condition.holds(world.snapshot()):
        return 0
    world.env.run_watched(END, look)
    return found[0] if found else None


def by_the_clock(text):
    """Whether mere time can make it true: such conditions are looked at between the events, too."""
    return any(word in text for word in ("time", "cpu(", "rx_rate_pps", "packet"))


@SLOW
@given(scenarios(), conditions)
def test_the_run_stops_at_the_first_event_after_which_the_condition_holds(scenario, text):
    condition = understood(scenario, text)
    world = World(scenario)
    watch = world.watch({7: condition})
    reached = not watch.look() and watch.run(END)
    expected = first_true(scenario, condition)
    if reached:
        assert expected is None
        return
    assert watch.fired == (7,)
    assert condition.holds(world.snapshot())
    if by_the_clock(text):
        assert expected is None or world.now <= expected
    else:
        assert world.now == expected


@SLOW
@given(scenarios(), st.lists(conditions, max_size=4), st.lists(st.integers(0, END), max_size=8))
def test_a_watched_run_in_pieces_is_the_same_run(scenario, texts, stops):
    alone, watched = World(scenario), World(scenario)
    watch = watched.watch({n: understood(scenario, text) for n, text in enumerate(texts)})
    alone.follow(part for text in texts for part in walk(understood(scenario, text).term))
    alone.run_until(END)
    for stop in [*sorted(stops), END]:
        while not watch.run(stop):
            watch.keep([n for n in range(len(texts)) if n not in watch.fired and n in watch._waiting])
    assert watched.snapshot() == alone.snapshot()
    assert watched.events(0) == alone.events(0)


@SLOW
@given(stories(), st.lists(st.integers(0, END), min_size=1, max_size=4))
def test_a_living_world_has_the_values_of_its_snapshot(scenario, moments):
    world = World(scenario)
    live = Live(world)
    leaves = [understood(scenario, path).term for path in (*AMOUNTS, *WORDS_OF) if path != "time"]
    readers = [(leaf, leaf.compile(live)) for leaf in leaves if isinstance(leaf, Leaf)]
    assert len(readers) == len(leaves)
    for moment in sorted(moments):
        world.run_until(moment)
        snapshot = world.snapshot()
        for leaf, read in readers:
            assert read(world) == leaf.evaluate(snapshot), leaf


@SLOW
@given(scenarios(), conditions, st.integers(0, END))
def test_a_world_thawed_on_the_way_comes_to_the_same_moment(scenario, text, moment):
    condition = understood(scenario, text)
    whole = World(scenario)
    watch = whole.watch({1: condition})
    if watch.look() or not watch.run(moment):
        return
    other = thaw(freeze(whole))
    resumed = other.watch({1: condition}, watch.looked)
    assert watch.run(END) == resumed.run(END)
    assert (other.now, resumed.fired) == (whole.now, watch.fired)
    assert other.snapshot() == whole.snapshot()


@SLOW
@given(scenarios(), st.lists(st.integers(0, END), max_size=6))
def test_packets_are_numbered_alike_however_often_they_are_looked_at(scenario, stops):
    texts = ["packet(2).stage", "packet(7).at", "packets(kind=ACK)[3].born", "count(packets()) > 3"]
    leaves = [part for text in texts for part in walk(understood(scenario, text).term)]
    often, once = World(scenario), World(scenario)
    for world in (often, once):
        world.follow(leaves)
    for stop in [*sorted(stops), END]:
        often.run_until(stop)
        often.snapshot()
    once.run_until(END)
    assert often.snapshot().packets == once.snapshot().packets
    assert often.snapshot().packet_counts == once.snapshot().packet_counts
