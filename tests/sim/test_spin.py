"""Loops around calls that fail at once: they cost CPU time, and the run goes on."""

from __future__ import annotations

from dataclasses import replace

import pytest

import wireside.sim.spin
from tests.sim.worlds import MS, program, scenario
from wireside.kernel.core.call import Syscall
from wireside.scenario.spec import Break, Call, Loop, ProgramSpec
from wireside.sim.run import Sleep, Spin
from wireside.sim.script import Script
from wireside.sim.world import World

SECOND = 1000 * MS
FAILS = Call("read", (99, 10))
LOOPS = {
    "one call that fails": (Loop((FAILS,)),),
    "several": (Loop((FAILS, Call("poll", (99, "POLLIN", -1)), Call("close", (98,)))),),
    "a loop in a loop": (Loop((Loop((Call("read", (99, 1), "n"), Break("n", "<", "0"))),)),),
    "a counted loop": (Loop((FAILS,), 5000), Call("sleep", (MS,)), Loop((FAILS,))),
    "one that sleeps for no time": (Loop((FAILS, Call("sleep", (0,)))),),
    "one that sends": (
        Call("socket", ("SOCK_DGRAM",), "fd"),
        Loop((FAILS, Call("sendto", ("fd", 10, "server:9")))),
    ),
    "one that is never done": (
        Call("socket", ("SOCK_STREAM",), "fd"),
        Call("connect", ("fd", "server:7")),
        Loop((Call("recv", ("fd", 1000, "MSG_DONTWAIT")),)),
    ),
}


def spinning(script, *, neighbours=True):
    """A world in which a client's script spins, beside a ping that shares its CPU."""
    others = [program("server", "echo", "tcp_echo", port=7)]
    if neighbours:
        others.append(program("client", "ping", "tcp_ping", to="server:7", every=MS))
    return scenario(*others, ProgramSpec("client", "spinner", script=script))


@pytest.mark.parametrize("script", LOOPS.values(), ids=LOOPS)
def test_rounds_that_pass_at_once_change_nothing(monkeypatch, script):
    worlds = []
    for rounds in (wireside.sim.spin.spin_rounds, lambda *_: 0):
        monkeypatch.setattr(wireside.sim.spin, "spin_rounds", rounds)
        world = World(spinning(script))
        world.run_until(20 * MS)
        worlds.append(world)
    fast, slow = worlds
    for one, other in zip(fast.snapshot().hosts, slow.snapshot().hosts, strict=True):
        assert replace(one, programs=()) == replace(other, programs=())
        for run, same in zip(one.programs, other.programs, strict=True):
            # The calls of a slice count when it is over, and a turn is at most 3 ms of 100 ns each.
            assert 0 <= same.calls - run.calls <= (30_000 if run.name == "spinner" else 0)
            assert same.failed - run.failed <= same.calls - run.calls
            assert replace(run, calls=0, failed=0, doing="") == replace(same, calls=0, failed=0, doing="")
    assert fast.traces(0) == slow.traces(0)
    assert fast.env._count <= slow.env._count


@pytest.mark.parametrize("script", [LOOPS["several"], LOOPS["a loop in a loop"]], ids=["several", "nested"])
def test_a_minute_of_spinning_takes_few_events_and_all_of_the_cpu(script):
    world = World(spinning(script, neighbours=False))
    world.run_until(60 * SECOND)
    assert world.env._count < 100_000
    client = world.snapshot().host("client")
    assert client.cpus[0].task_ns > 0.99 * 60 * SECOND


def test_a_writer_that_gave_up_spins_on_epipe():
    script = (
        Call("socket", ("SOCK_STREAM",), "fd"),
        Call("setsockopt", ("fd", "TCP_USER_TIMEOUT", 3000)),
        Call("connect", ("fd", "server:80")),
        Loop((Call("write", ("fd", 4096)),)),
    )
    world = World(
        scenario(
            program("server", "stuck", "tcp_sink", port=80, read=0),
            ProgramSpec("client", "writer", script=script),
        )
    )
    world.run_until(60 * SECOND)
    assert world.snapshot().host("client").counters["TcpExtTCPAbortOnTimeout"] == 1
    assert world.programs[1].calls > 1_000_000
    assert world.env._count < 100_000


def test_a_round_is_only_skipped_when_it_went_like_the_one_before():
    asked = []
    program_ = Script((Loop((FAILS,)),), lambda text: (0, 0))
    for now in (0, 300, 600, 600, 950, 1250, 1550):
        asked.append(program_.next(now, 0 if asked and asked[-1] else -9).__class__ is Spin)
    assert asked == [False, False, True, False, False, False, True]


def test_sleeping_is_no_spinning():
    program_ = Script((Loop((FAILS, Call("sleep", (100,)))),), lambda text: (0, 0))
    steps = [program_.next(200 * number, -9 if number % 2 else 0) for number in range(20)]
    assert [step.__class__ for step in steps] == [Syscall, Sleep] * 10
