"""The packets that a picture may need: the kept list gives what the whole trace holds, in words that no look changes."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.property.test_books import scenarios
from tests.sim.worlds import MS, program, scenario, tcp_transfer
from wireside.catalog.packet_kinds import PacketKind
from wireside.scenario.spec import NicSpec, WireSegment
from wireside.sim.attach import attach
from wireside.sim.checkpoint import freeze, thaw
from wireside.sim.world import World
from wireside.wire.words import Conversations


def whole(world, since):
    """The same question answered from the whole of every trace."""
    machines = [*world.machines.values(), *(peer.net.machine for peer in world.peers.values())]
    shown = [
        (skb.stamps[1], skb.id)
        for machine in machines
        for skb in machine.trace
        if skb.stamps and (not skb.fate or skb.stamps[-1] >= since)
    ]
    return [number for _, number in sorted(shown)[-world.trace :]]


looks = st.lists(
    st.tuples(st.integers(1, 3_000_000), st.integers(-2_000_000, 2_000_000)), min_size=1, max_size=12
)


@settings(deadline=None, max_examples=60, derandomize=True)
@given(looks, st.sampled_from([16, 300, 4096]))
def test_the_kept_list_is_what_the_trace_holds(looks, size):
    world = World(tcp_transfer(), trace=size)
    for step, back in looks:
        world.run_until(world.now + step)
        since = max(0, world.now - step - back)
        assert [trace.id for trace in world.traces(since)] == whole(world, since)


@settings(deadline=None, max_examples=150, derandomize=True)
@given(scenarios(), st.lists(st.integers(1, 400_000), max_size=40), st.integers(1, 8 * MS), st.booleans())
def test_a_packet_is_told_the_same_however_often_it_was_looked_at(scenario, looks, end, thawed):
    watched, alone, seen = World(scenario), World(scenario), {}
    for step in looks:
        if watched.now + step >= end:
            break
        watched.run_until(watched.now + step)
        seen |= {trace.id: (trace.kind, trace.label) for trace in watched.traces(max(0, watched.now - step))}
        if thawed:
            watched = thaw(freeze(watched))
    for world in (watched, alone):
        world.run_until(end)
    late = alone.traces(0)
    if not thawed:  # what has ended before is not frozen
        assert watched.traces(0) == late
    told = {trace.id: (trace.kind, trace.label) for trace in late}
    again = {trace.id: (trace.kind, trace.label) for trace in watched.traces(0)}
    for found in (seen, again):
        assert {number: told[number] for number in found.keys() & told.keys()} == {
            number: words for number, words in found.items() if number in told
        }


def test_the_start_of_a_connection_is_remembered_when_its_packets_are_forgotten():
    often, once = (World(tcp_transfer(source={"total": 0}), trace=8) for _ in range(2))
    for moment in range(1, 200):
        often.run_until(moment * MS // 2)
        often.traces(0)
    once.run_until(often.now)
    labels = [trace.label for trace in once.traces(0)]
    assert labels == [trace.label for trace in often.traces(0)]
    assert all(int(re.search(r"(?:seq|ack) (\d+)", label)[1]) < 100_000_000 for label in labels)


@pytest.mark.parametrize(
    "more", [{"source": {"total": 30_000}}, {"source": {"total": 40_000}, "link": {"loss": 0.2}}]
)
def test_the_packets_of_a_wire_are_told_as_tcpdump_tells_what_it_saw_there(more):
    """Without TSO: the device cuts up what its host's own tcpdump sees whole."""
    world = World(tcp_transfer(nic=NicSpec(gso=False), **more))
    tap = attach(world, "client", "server")
    world.run_until(3000 * MS)
    tcpdump = Conversations()
    printed = {frame.ident: tcpdump.line(frame) for frame in tap.seen}
    told = {trace.id & 0xFFFF: trace.label for trace in world.traces(0)}
    assert len(printed) > 8
    assert {ident: told[ident] for ident in printed} == printed


def test_a_probe_is_what_the_kernel_sent_as_one():
    """Its window probes are; a hand-written ACK that stands before what was sent is none."""
    world = World(
        scenario(
            program("server", "echo", "tcp_echo", port=7),
            segments=[
                WireSegment(1 * MS, "tcp", 4000, 7, flags="S", mss=1460, win=65535),
                WireSegment(2 * MS, "tcp", 4000, 7, flags=".", seq=1, ack=1, win=0),
                WireSegment(3 * MS, "tcp", 4000, 7, flags="P.", seq=1, ack=1, win=0, length=100),
                WireSegment(4 * MS, "tcp", 4000, 7, flags=".", seq=0, ack=1, win=0),
            ],
        )
    )
    world.run_until(2000 * MS)
    told = [(trace.source, trace.kind) for trace in world.traces(0)]
    probes = world.snapshot().host("server").counters["TcpExtTCPWinProbe"]
    assert told.count(("server", PacketKind.PROBE)) == probes > 1
    assert ("client", PacketKind.PROBE) not in told
