"""Packets that conditions name: their numbers, what is known of them, and what following them costs a world."""

from __future__ import annotations

from itertools import islice

import pytest

from tests.sim.worlds import MS, program, scenario, tcp_transfer, udp_flood
from wireside.catalog.stages import WITHOUT_PACKET, Stage
from wireside.scenario import library
from wireside.scenario.expect import conditions_of
from wireside.scenario.load import load
from wireside.scenario.spec import NicSpec
from wireside.scenario.terms import walk
from wireside.sim.checkpoint import freeze, thaw
from wireside.sim.world import World

END = 40 * MS
SCENARIOS = {
    "tcp": tcp_transfer(sink={"rate": 2_000_000}, source={"total": 300_000}),
    "one by one": tcp_transfer(nic=NicSpec(tso=False, gro=False), source={"total": 60_000}),
    "lossy": tcp_transfer(nic=NicSpec(tso=False, gro=False), source={"total": 100_000}, link={"loss": 0.05}),
    "udp": udp_flood(pps=200_000, server={"nic": NicSpec(rx_ring=16)}),
    "stopped": tcp_transfer(sink={"stop_after": 20_000}, source={"total": 3_000_000}),
    "refused": scenario(program("client", "source", "tcp_source", to="server:8080")),
}


def followed(played, *texts, trace=4096):
    """A world that follows what conditions name."""
    world = World(played, trace=trace)
    world.follow(part for each in conditions_of(played, list(texts)) for part in walk(each.term))
    return world


def by_number(world, count):
    """The traces of the first packets of a world, by birth."""
    return list(islice(world.traces(0), count))


@pytest.mark.parametrize("name", ["one by one", "lossy", "udp", "refused"])
def test_packets_without_super_packets_have_the_numbers_of_their_traces(name):
    world = followed(SCENARIOS[name], *(f"packet({number}).length" for number in range(1, 41)))
    world.run_until(8 * MS)
    rows = world.snapshot().packets
    assert len(rows) > 1
    for number, trace in enumerate(by_number(world, 40)):
        row = rows[f"packets()[{number}]"]
        assert (row.source, row.destination) == (trace.source, trace.destination)
        if name in {"udp", "refused"}:
            assert (row.kind, row.length) == (trace.kind, trace.length)
        assert row.fate == trace.fate
        assert row.born == trace.stamps[0][1]
        assert list(zip(row.stamps[::2], row.stamps[1::2], strict=True)) == list(trace.stamps)


def test_a_super_packet_takes_as_many_numbers_as_it_becomes_frames():
    world = followed(SCENARIOS["tcp"], *(f"packet({number}).length > 0" for number in range(1, 30)))
    world.run_until(END)
    rows = [world.snapshot().packets[f"packets()[{number}]"] for number in range(29)]
    burst = [row for row in rows if row.kind == "DATA" and row.born == rows[3].born]
    assert len(burst) > 3
    assert {row.length for row in burst} == {1448}
    assert rows[3 : 3 + len(burst)] == burst
    wires = [row.stamps[row.stamps[::2].index(Stage.WIRE) * 2 + 1] for row in burst]
    assert wires == sorted(set(wires)), "each goes its own way once it is cut"
    assert {row.fate for row in burst} <= {"delivered", "merged"}


@pytest.mark.parametrize("name", SCENARIOS)
def test_kinds_and_counts_are_those_of_the_traces(name):
    kinds = ("SYN", "SYN-ACK", "ACK", "DATA", "FIN", "RST", "PROBE", "UDP", "ICMP")
    world = followed(SCENARIOS[name], "count(packets())", *(f"count(packets(kind={kind}))" for kind in kinds))
    world.run_until(END)
    counts = world.snapshot().packet_counts
    assert counts["packets()"] == sum(counts.values()) / 2 == sum(net.born for net in world.nets.values())
    shown = [trace.kind for trace in world.traces(0)]
    if len(shown) < world.trace:
        for kind in ("SYN", "SYN-ACK", "RST", "PROBE", "ICMP"):
            assert counts[f"packets(kind={kind})"] == shown.count(kind)


def test_window_probes_are_counted():
    world = followed(SCENARIOS["stopped"], "count(packets(kind=PROBE))", "packet(kind=PROBE).host")
    world.run_until(2000 * MS)
    probes = world.snapshot().host("client").counters["TcpExtTCPWinProbe"]
    assert world.snapshot().packet_counts["packets(kind=PROBE)"] == probes > 2
    assert world.snapshot().packets["packets(kind=PROBE)[0]"].source == "client"


def test_packets_of_wire_peers_are_numbered_where_they_come():
    played = load(library.resolve("syn-flood"))
    peer = played.wire_peers[0].name
    world = followed(played, f"count(packets(source={peer}))", f"packet(source={peer}).kind == SYN")
    world.run_until(300 * MS)
    assert world.snapshot().packet_counts[f"packets(source={peer})"] == world.peers[peer].sent > 10


def test_a_world_without_traces_marks_the_packets_that_its_conditions_name():
    text = "packet(4).stage >= RECEIVE_QUEUE"
    moments = []
    for trace in (0, 4096):
        world = World(SCENARIOS["tcp"], trace=trace)
        watch = world.watch({1: conditions_of(world.scenario, [text])[0]})
        assert not watch.run(END)
        moments.append(world.now)
        if not trace:
            assert world.traces(0) == ()
    assert moments[0] == moments[1] > 0


def test_a_world_that_follows_nothing_tells_nobody():
    world = World(SCENARIOS["tcp"], trace=0)
    world.run_until(END)
    assert all(machine.on_birth is None and machine.trace is None for machine in world.machines.values())


def test_when_all_are_born_nobody_is_told_any_more():
    world = followed(SCENARIOS["tcp"], "packet(4).stage == WIRE")
    world.run_until(END)
    world.snapshot()
    assert all(machine.on_birth is None for machine in world.machines.values())


def test_a_packet_that_has_ended_is_kept_without_its_sk_buff():
    world = followed(SCENARIOS["tcp"], "packet(1).fate == consumed", "packet(500).length")
    world.run_until(END)
    before = world.snapshot().packets["packets()[0]"]
    (journey,) = (each for key, each in world.followed.found.items() if key[1] == 0)
    assert journey.skb is None
    assert before.fate == "consumed"
    thawed = thaw(freeze(world))
    assert thawed.snapshot().packets["packets()[0]"] == before


def test_what_was_not_named_at_the_start_cannot_be_followed_later():
    world = World(SCENARIOS["tcp"])
    world.run_until(2 * MS)
    with pytest.raises(ValueError, match="from the start of a run"):
        world.watch({1: conditions_of(world.scenario, ["packet(4).stage == WIRE"])[0]})


def test_what_the_scenario_names_may_be_watched_at_any_time():
    played = load(library.resolve("first-packet"))
    world = World(played)
    world.run_until(2 * MS)
    watch = world.watch({1: conditions_of(played, ["packet(4).fate == delivered"])[0]})
    assert watch.look()


def test_stages_without_packets_are_those_that_no_packet_is_marked_in():
    marked = set()
    for played in (
        *SCENARIOS.values(),
        tcp_transfer(nic=NicSpec(kind="veth"), source={"total": 60_000}),
        tcp_transfer(server={"cpus": 2, "nic": NicSpec(rps_cpus=(1,))}, source={"total": 500_000}),
    ):
        world = World(played)
        world.run_until(END)
        marked |= {stage for trace in world.traces(0) for stage, _ in trace.stamps}
    assert {Stage(stage) for stage in marked} <= set(Stage) - WITHOUT_PACKET
    assert set(Stage) - WITHOUT_PACKET - {Stage(stage) for stage in marked} <= {Stage.SK_BACKLOG}


@pytest.mark.parametrize(
    "text", ["packet(4).stage >= SYS_READ", "packet(4).fate == delivered", "packet(7).fate == consumed"]
)
@pytest.mark.parametrize("moment", [0, 1_213_000, 1_267_777, 1_268_600, 1_272_000])
def test_a_thawed_lesson_comes_to_the_same_moment(text, moment):
    played = load(library.resolve("first-packet"))
    conditions = {1: conditions_of(played, [text])[0]}
    world = World(played)
    watch = world.watch(conditions)
    watch.run(moment)
    other = thaw(freeze(world))
    resumed = other.watch(conditions, watch.looked)
    assert watch.run(played.duration_ns) is resumed.run(played.duration_ns) is False
    assert other.now == world.now > moment
