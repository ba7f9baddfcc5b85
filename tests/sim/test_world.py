"""The world as a whole: determinism, checkpoints, books, knobs, events."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from pathlib import Path
from time import perf_counter

import pytest

from tests.sim.worlds import MS, program, scenario, tcp_transfer, udp_flood
from wireside.errors import CommandError
from wireside.scenario.spec import Call, NicSpec, ProgramSpec, WireSegment
from wireside.sim.world import World

SCENARIOS = {
    "udp": udp_flood(),
    "udp with losses": udp_flood(link={"loss": 0.1}),
    "tcp": tcp_transfer(),
    "tcp with losses": tcp_transfer(link={"loss": 0.02}),
    "tcp, slow reader": tcp_transfer(sink={"rate": 500_000}),
    "veth": tcp_transfer(nic=NicSpec(kind="veth")),
}


def facts(world):
    """All that can be seen of a world."""
    return world.snapshot(), world.traces(0), world.events(0)


@pytest.fixture(params=SCENARIOS)
def played(request):
    return SCENARIOS[request.param]


def test_two_runs_are_equal(played):
    one, other = World(played), World(played)
    one.run_until(20 * MS)
    other.run_until(20 * MS)
    assert facts(one) == facts(other)


def test_a_run_does_not_depend_on_the_hash_seed():
    program = (
        "from test_world import SCENARIOS, World, facts\n"
        "world = World(SCENARIOS['tcp with losses'])\n"
        "world.run_until(20_000_000)\n"
        "print(hash_of(repr(facts(world))))"
    )
    program = (
        "from hashlib import sha256\ndef hash_of(text): return sha256(text.encode()).hexdigest()\n" + program
    )
    here = Path(__file__).parent
    digests = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={
                "PYTHONHASHSEED": seed,
                "PYTHONPATH": os.pathsep.join((str(here), str(here.parents[1] / "app"))),
            },
            capture_output=True,
            check=True,
            text=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(digests) == 1


def test_another_seed_is_another_run():
    one, other = World(SCENARIOS["udp with losses"]), World(SCENARIOS["udp with losses"], seed=2)
    one.run_until(20 * MS)
    other.run_until(20 * MS)
    assert facts(one) != facts(other)


def test_a_run_in_slices_is_the_same_run(played):
    one, other = World(played), World(played)
    one.run_until(20 * MS)
    for at in range(0, 20 * MS + 1, 77_777):
        other.run_until(at)
        other.snapshot()
    other.run_until(20 * MS)
    assert facts(one) == facts(other)


def test_steps_lead_to_the_same_place():
    one, other = World(SCENARIOS["tcp"]), World(SCENARIOS["tcp"])
    one.run_until(3 * MS)
    before = -1
    while other.upcoming() <= 3 * MS:
        other.run_until(other.upcoming())
        assert other.now > before
        before = other.now
    other.run_until(3 * MS)
    assert facts(one) == facts(other)


def test_a_checkpoint_goes_on_identically(played):
    world = World(played)
    world.run_until(7 * MS)
    copy = pickle.loads(pickle.dumps(world))
    world.run_until(25 * MS)
    copy.run_until(25 * MS)
    assert facts(world) == facts(copy)


def test_the_books_balance_at_every_moment(played):
    world = World(played)
    for at in range(0, 30 * MS, 313_131):
        world.run_until(at)
        born, accounted = world.books_balance()
        assert born == accounted, f"at {at} ns"
    assert born > 50


def test_time_never_runs_backwards_along_a_packets_way(played):
    world = World(played)
    world.run_until(20 * MS)
    for trace in world.traces(0):
        times = [at for _, at in trace.stamps]
        assert times == sorted(times), trace


def test_the_wall_clock_stops_a_run():
    world = World(SCENARIOS["tcp"])
    assert not world.run_until(10**12, wall_deadline=perf_counter())
    assert world.now < 10**12


def test_unchanged_parts_of_a_snapshot_are_the_same_objects():
    world = World(SCENARIOS["udp"])
    world.run_until(5 * MS)
    one, other = world.snapshot(), world.snapshot()
    for before, after in zip(one.hosts, other.hosts, strict=True):
        for part in ("sysctl", "counters", "sockets", "nics", "programs", "softnet", "drops", "states"):
            assert getattr(before, part) is getattr(after, part), part


def test_all_of_a_finite_transfer_arrives():
    world = World(tcp_transfer(source={"total": 300_000}))
    world.run_until(2_000 * MS)
    server, client = world.snapshot().hosts
    assert server.programs[0].bytes_read == client.programs[0].bytes_written == 300_000
    assert client.programs[0].state == "exited"
    assert server.states == {"LISTEN": 1}
    assert client.states == {"TIME-WAIT": 1}


class TestKnobs:
    def test_a_sysctl_changes_and_says_when_it_takes_effect(self):
        world = World(SCENARIOS["tcp"])
        sentence = world.command("server", "somaxconn", "64")
        assert sentence.startswith("net.core.somaxconn is now 64; it takes effect at listen()")
        assert world.knob_value("server", "net.core.somaxconn") == "64"
        assert world.knob_value("client", "net.core.somaxconn") == "4096"
        assert world.snapshot().host("server").sysctl["net.core.somaxconn"] == "64"
        assert world.events(0)[-1].text == sentence

    def test_a_sysctl_of_host_scope_belongs_to_the_machine(self):
        world = World(SCENARIOS["veth"])
        world.command("server", "net.core.netdev_max_backlog", "5")
        assert world.knob_value("client", "net.core.netdev_max_backlog") == "5"

    def test_settings_given_at_the_start_reach_all_hosts(self):
        world = World(
            SCENARIOS["udp"], sysctl={"rmem_default": "4096", "source.pps": "7", "nic.rx_ring": "512"}
        )
        assert world.knob_value("server", "net.core.rmem_default") == "4096"
        assert world.knob_value("client", "net.core.rmem_default") == "4096"
        assert world.knob_value("client", "source.pps") == "7pps"
        assert world.knob_value("server", "nic.rx_ring") == "512"

    @pytest.mark.parametrize(
        ("host", "name", "value", "what"),
        [
            ("nobody", "somaxconn", "1", "no host"),
            ("server", "somaxcon", "1", "no sysctl"),
            ("server", "somaxconn", "many", "not a whole number"),
            ("server", "nic.rx_ring", "1", "8 to 32768"),
            ("server", "nic.rx_usecs", "²", "not a time"),
            ("server", "nic.rx_usecs", "9" * 5000, "not a time"),
            ("server", "nic.rx_ring", "²", "not a whole number"),
            ("server", "somaxconn", "\N{FULLWIDTH DIGIT ONE}", "not a whole number"),
            ("server", "sink.color", "red", "no parameter"),
            ("server", "sink.port", "9", "only once"),
            ("client", "source.pps", "fast", "packet rate"),
        ],
    )
    def test_what_cannot_be_set_is_refused_with_the_reason(self, host, name, value, what):
        world = World(SCENARIOS["udp"])
        with pytest.raises(CommandError, match=what):
            world.command(host, name, value)

    def test_a_program_that_does_not_read_begins_to_when_told(self):
        world = World(
            scenario(
                program("server", "sink", "udp_sink", port=9000, read=0),
                program("client", "source", "udp_source", to="server:9000", pps=10_000),
            )
        )
        world.run_until(10 * MS)
        assert world.snapshot().host("server").programs[0].bytes_read == 0
        assert world.knob_value("server", "sink.read") == "false"
        world.command("server", "sink.read", "true")
        world.run_until(20 * MS)
        assert world.snapshot().host("server").programs[0].bytes_read > 0

    def test_a_faster_rate_takes_effect_at_once(self):
        world = World(udp_flood(pps=100))
        world.run_until(100 * MS)
        few = world.snapshot().host("client").programs[0].calls
        world.command("client", "source.pps", "10kpps")
        world.run_until(200 * MS)
        assert world.snapshot().host("client").programs[0].calls - few == pytest.approx(1000, abs=12)

    def test_a_larger_ring_ends_the_misses(self):
        world = World(
            scenario(
                program("server", "sink", "udp_sink", port=9000, rcvbuf=2_000_000, cpu=1),
                program("client", "source", "udp_source", to="server:9000", pps=100_000, burst=500),
                server={"cpus": 2, "nic": NicSpec(rx_ring=64)},
                client={
                    "nic": NicSpec(tx_ring=2048),
                    "costs": {"SYS_WRITE": 10, "UDP_SENDMSG": 10, "IP_OUTPUT": 10},
                },
                link={"rate_bps": 10_000_000_000},
            )
        )
        world.run_until(20 * MS)
        missed = world.snapshot().host("server").wire_drops["rx_missed_errors"]
        assert missed > 100
        assert any(event.topic == "nic" and "rx_missed" in event.text for event in world.events(0))
        world.command("server", "nic.rx_ring", "4096")
        world.run_until(60 * MS)
        assert world.snapshot().host("server").wire_drops["rx_missed_errors"] == missed


def test_a_script_runs_and_its_failed_expectation_is_told():
    script = (
        Call("socket", ("SOCK_DGRAM",), "fd"),
        Call("bind", ("fd", 53), "", "0"),
        Call("recv", ("fd", 100, "MSG_DONTWAIT"), "", "EAGAIN"),
        Call("recv", ("fd", 100, "MSG_DONTWAIT"), "", "5"),
    )
    world = World(scenario(ProgramSpec("server", "script", script=script)))
    world.run_until(MS)
    row = world.snapshot().host("server").programs[0]
    assert row.state == "exited"
    assert row.calls == 4
    assert row.unmet.endswith("gave -EAGAIN, not 5")
    assert [event.text for event in world.events(0)] == [f"script has ended; {row.unmet}."]


def test_events_are_numbered():
    world = World(SCENARIOS["tcp"])
    world.run_until(20 * MS)
    everything = world.events(0)
    assert len(everything) == world.event_count > 2
    assert world.events(2) == everything[2:]
    assert world.events(world.event_count) == ()


def test_losses_of_one_kind_are_told_at_powers_of_ten():
    world = World(scenario(program("client", "source", "udp_source", to="server:9", pps=50_000)))
    world.run_until(30 * MS)
    told = [event.text.split(",")[0] for event in world.events(0) if event.topic == "drop"]
    assert told[:4] == [
        "First packet dropped",
        "10 packets dropped so far",
        "100 packets dropped so far",
        "1000 packets dropped so far",
    ]


def test_a_nonblocking_socket_does_not_wait():
    script = (
        Call("socket", ("SOCK_DGRAM|SOCK_NONBLOCK",), "fd"),
        Call("bind", ("fd", 53)),
        Call("read", ("fd", 100), "", "EAGAIN"),
    )
    world = World(scenario(ProgramSpec("server", "script", script=script)))
    world.run_until(MS)
    row = world.snapshot().host("server").programs[0]
    assert (row.state, row.unmet) == ("exited", "")


def test_a_flood_on_one_cpu_starves_the_reader():
    def played(cpus):
        flood = WireSegment(0, "udp", 4000, 53, length=100, repeat=10**6, every_ns=300)
        world = World(
            scenario(
                program("server", "reader", "udp_sink", port=53, cpu=1),
                server={"cpus": cpus},
                link={"rate_bps": 10_000_000_000},
                segments=[flood],
            )
        )
        world.run_until(60 * MS)
        told.extend(event.text for event in world.events(0))
        return world.snapshot().host("server")

    told = []
    alone, apart = played(1), played(2)
    assert alone.cpus[0].ksoftirqd_ns > 20 * MS
    assert alone.cpus[0].idle_ns < 2 * MS
    assert alone.programs[0].bytes_read < apart.programs[0].bytes_read / 2
    assert apart.cpus[0].ksoftirqd_ns > 50 * MS
    assert any("hands its packets over to ksoftirqd/0" in text for text in told)
