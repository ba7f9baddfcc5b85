"""A link: one frame after the other, the delay, and losses from a stream of its own."""

from __future__ import annotations

from wireside.catalog.fates import LINK_LOSS
from wireside.catalog.inet import IPPROTO_UDP
from wireside.catalog.profiles import PROFILES
from wireside.kernel.core.net import Machine, Net
from wireside.kernel.core.skbuff import SkBuff
from wireside.sim.cpu import Engine
from wireside.sim.env import KernelEnv
from wireside.sim.link import WIRE_OVERHEAD, Lossy, Wire

GIGABIT = 1_000_000_000


class Far:
    """The far end; writes down what arrives when."""

    def __init__(self, env):
        self.env = env
        self.arrived = []

    def take(self, when, skb):
        assert when == self.env.now
        self.arrived.append((when, skb.id))


def make(limit=1000, rate=GIGABIT):
    env = KernelEnv()
    net = Net("a", Machine("a", PROFILES["6.18"], env, Engine(env), 1), 1)
    wire = Wire(env, net, rate, 50_000, limit)
    far = Far(env)
    wire.deliver = far.take
    return env, net, wire, far


def frame(number, length=1458):
    skb = SkBuff(number, (1, 1, 2, 2), IPPROTO_UDP, length, 0, 0)
    skb.hdr_len = 42
    return skb


def test_frames_leave_one_after_the_other_and_arrive_after_the_delay():
    env, _, wire, far = make()
    one = (1500 + WIRE_OVERHEAD) * 8
    assert wire.transmit(0, frame(1)) == one
    assert wire.transmit(0, frame(2)) == 2 * one
    assert wire.in_flight == 2
    env.run_until(1_000_000)
    assert far.arrived == [(one + 50_000, 1), (2 * one + 50_000, 2)]
    assert wire.in_flight == 0


def test_a_short_frame_is_padded():
    _, _, wire, _ = make()
    assert wire.transmit(0, frame(1, length=1)) == (60 + WIRE_OVERHEAD) * 8


def test_the_wire_rests_between_distant_frames():
    env, _, wire, far = make()
    wire.transmit(0, frame(1))
    wire.transmit(1_000_000, frame(2))
    env.run_until(2_000_000)
    assert far.arrived[1][0] == 1_000_000 + 1524 * 8 + 50_000


def test_losses_are_counted_and_depend_only_on_the_links_own_seed():
    lost = {}
    for seed in ("one", "one", "two"):
        env, net, wire, far = make()
        lossy = Lossy(wire, 0.2, seed)
        frames = [frame(number) for number in range(1000)]
        for each in frames:
            lossy.transmit(0, each)
        env.run_until(10**9)
        missing = [each.id for each in frames if each.fate == LINK_LOSS]
        assert net.link_lost == len(missing) == 1000 - len(far.arrived)
        assert 150 < len(missing) < 250
        lost.setdefault(seed, []).append(missing)
    assert lost["one"][0] == lost["one"][1] != lost["two"][0]


def test_a_sender_that_is_far_too_fast_loses_what_its_queue_cannot_hold():
    env, net, wire, far = make(limit=10, rate=1_000_000)
    for number in range(100):
        wire.transmit(0, frame(number))
    env.run_until(10**10)
    assert len(far.arrived) == 11
    assert net.link_lost == 89
