"""The timer wheel: never early, late by a granule, and what becomes of disarmed timers."""

from __future__ import annotations

import pytest

from tests.kernel.lab import Lab
from wireside.kernel.core.timer import SWEEP_FROM, TimerList, TimerWheel

TICK = 4_000_000
SECOND = 1_000_000_000


@pytest.fixture
def cpu():
    """A CPU for the timers to run on."""
    return Lab().machine().cpus[0]


def fired(cpu, arg):
    """Note that a timer has fired."""
    arg[0].append(arg[1])


def armed(wheel, log, name, delay, now=0):
    """A timer that writes its name into `log`."""
    timer = TimerList(fired, (log, name))
    wheel.mod_timer(timer, now, now + delay)
    return timer


@pytest.mark.parametrize(
    ("delay", "granule"),
    [
        (TICK, TICK),
        (SECOND // 5, TICK),
        (SECOND, 8 * TICK),
        (4 * SECOND, 64 * TICK),
        (60 * SECOND, 512 * TICK),
    ],
)
@pytest.mark.parametrize("now", [0, 1, 123_456_789, 7 * SECOND + 3])
def test_never_early_and_late_by_at_most_a_granule_and_a_tick(delay, granule, now):
    due = TimerWheel(250).wheel_time(now, now + delay)
    assert now + delay <= due <= now + delay + granule + TICK


def test_ideal_timers_are_exact():
    assert TimerWheel(250, ideal=True).wheel_time(5, 12_345) == 12_345


def test_a_timer_that_another_one_disarms_does_not_fire(cpu):
    wheel, log = TimerWheel(250), []
    later = TimerList(fired, (log, "later"))
    first = TimerList(lambda _cpu, _arg: wheel.timer_delete(later), None)
    for timer in (later, first):
        wheel.mod_timer(timer, 0, SECOND)
    assert wheel.expire_timers(cpu, 2 * SECOND) == 1
    assert log == []
    assert wheel.pending == 0


def test_of_one_bucket_the_timer_armed_last_fires_first(cpu):
    # Measured on 6.18.44: two connections that write one after the other retransmit in the opposite order.
    wheel, log = TimerWheel(250), []
    timers = [armed(wheel, log, name, SECOND) for name in "abc"]
    wheel.mod_timer(timers[0], 0, SECOND)
    assert wheel.expire_timers(cpu, 2 * SECOND) == 3
    assert log == ["c", "b", "a"]


def test_rearmed_timers_fire_once_and_at_the_new_time(cpu):
    wheel, log = TimerWheel(250), []
    timer = armed(wheel, log, "it", SECOND)
    wheel.mod_timer(timer, 0, 3 * SECOND)
    wheel.mod_timer(timer, 0, SECOND)
    wheel.mod_timer(timer, 0, 3 * SECOND)
    assert wheel.expire_timers(cpu, 2 * SECOND) == 0
    assert wheel.expire_timers(cpu, 4 * SECOND) == 1
    assert log == ["it"]


def test_disarmed_timers_are_swept_out(cpu):
    wheel, log = TimerWheel(250), []
    timers = [armed(wheel, log, number, 60 * SECOND) for number in range(10 * SWEEP_FROM)]
    for timer in timers[1:]:
        wheel.timer_delete(timer)
    (bucket,) = wheel.buckets.values()
    assert len(bucket) <= 2 * SWEEP_FROM
    wheel.expire_timers(cpu, 100 * SECOND)
    assert log == [0]
    assert wheel.stale == {}
