"""The clock: order, cancelling, stopping by the wall clock, SimPy processes beside plain calls, pickling."""

from __future__ import annotations

import pickle
from time import perf_counter

from wireside.sim.env import KernelEnv


class Diary:
    """Writes down when it was called and with what."""

    def __init__(self, env):
        self.env = env
        self.lines = []

    def write(self, word):
        self.lines.append((self.env.now, word))

    def again(self, every):
        self.write("tick")
        self.env.at(self.env.now + every, self.again, every)


def test_calls_happen_by_time_then_in_the_order_they_were_planned():
    env = KernelEnv()
    diary = Diary(env)
    env.at(20, diary.write, "late")
    env.at(10, diary.write, "first")
    env.at(10, diary.write, "second")
    assert env.run_until(30)
    assert diary.lines == [(10, "first"), (10, "second"), (20, "late")]
    assert env.now == 30


def test_a_call_planned_for_the_past_happens_now():
    env = KernelEnv()
    env.run_until(100)
    diary = Diary(env)
    env.at(5, diary.write, "overdue")
    env.run_until(100)
    assert diary.lines == [(100, "overdue")]


def test_a_cancelled_call_does_not_happen_and_is_not_the_next_thing():
    env = KernelEnv()
    diary = Diary(env)
    env.cancel(env.at(10, diary.write, "never"))
    env.at(20, diary.write, "yes")
    assert env.peek() == 20
    env.run_until(50)
    assert diary.lines == [(20, "yes")]
    assert env.peek() == -1


def test_simpy_processes_share_the_order_with_plain_calls():
    env = KernelEnv()
    diary = Diary(env)

    def process():
        yield env.timeout(10)
        diary.write("process")
        yield env.timeout(10)
        diary.write("process")

    env.process(process())
    env.at(10, diary.write, "call")
    env.at(15, diary.write, "call")
    env.run_until(100)
    assert diary.lines == [(10, "call"), (10, "process"), (15, "call"), (20, "process")]


def test_the_wall_clock_stops_a_run_that_takes_too_long_and_it_can_go_on():
    env = KernelEnv()
    diary = Diary(env)
    env.at(0, diary.again, 1)
    assert not env.run_until(1_000_000_000, wall_deadline=perf_counter())
    stopped_at = env.now
    assert 0 < stopped_at < 1_000_000_000
    assert env.run_until(stopped_at + 10)
    assert [at for at, _ in diary.lines] == list(range(stopped_at + 11))


def test_a_pickled_clock_goes_on_where_it_was():
    env = KernelEnv()
    diary = Diary(env)
    env.at(0, diary.again, 7)
    env.run_until(20)
    env2, diary2 = pickle.loads(pickle.dumps((env, diary)))
    env.run_until(100)
    env2.run_until(100)
    assert diary2.lines == diary.lines
    assert len(diary.lines) > 10
