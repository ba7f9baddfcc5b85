"""A full-duplex link: each direction sends one frame after the other, and loses some."""

from __future__ import annotations

from collections import deque
from random import Random
from typing import TYPE_CHECKING, Any

from wireside.catalog.stages import Stage
from wireside.kernel.nic import RX_MISSED
from wireside.sim.meddler import duplicate

if TYPE_CHECKING:
    from collections.abc import Callable

    from wireside.kernel.net import Net
    from wireside.kernel.skbuff import SkBuff
    from wireside.scenario.spec import LinkRule
    from wireside.sim.env import KernelEnv
    from wireside.sim.events import EventLog
    from wireside.sim.meddler import Meddler
    from wireside.sim.tap import Tap

WIRE_OVERHEAD = 24
"""Bytes a frame occupies on the wire beside its headers and payload: preamble and SFD 8, FCS 4, gap 12 (IEEE 802.3)."""
MIN_FRAME = 60
"""Shorter frames are padded, bytes without FCS."""
MIN_FRAME_ON_WIRE = MIN_FRAME + WIRE_OVERHEAD
BYTE_NS = 8 * 1_000_000_000
"""Divided by the bits per second: the ns that a byte takes."""
WIRE = int(Stage.WIRE)
RUN_ON = 16
"""Frames delivered in a row without an event; a bound, so that the wall clock is looked at in time."""
LOST = "link loss"
"""The fate of a frame that the link lost."""


class Wire:
    """One direction of a link. A frame leaves when the one before has left, and arrives `delay_ns` after its last bit."""

    __slots__ = (
        "delay_ns",
        "deliver",
        "env",
        "frames",
        "free_at",
        "in_flight",
        "log",
        "loss",
        "meddler",
        "queue_limit",
        "rate_bps",
        "receiver",
        "rng",
        "sender",
        "tap",
    )

    def __init__(
        self,
        env: KernelEnv,
        sender: Net,
        rate_bps: int,
        delay_ns: int,
        loss: float,
        queue_limit: int,
        seed: str,
        receiver: str = "",
        log: EventLog | None = None,
    ) -> None:
        self.env = env
        self.receiver = receiver
        self.log = log
        self.sender = sender
        self.rate_bps = rate_bps
        self.delay_ns = delay_ns
        self.loss = loss
        self.queue_limit = queue_limit
        self.rng = Random(seed)
        """This direction's own stream: one draw per frame, so that draws elsewhere never move its losses."""
        self.free_at = 0
        """The ns at which the last frame handed over will have left."""
        self.in_flight = 0
        self.frames: deque[tuple[int, SkBuff]] = deque()
        """(ns of arrival, frame) of what is under way, in the order sent, which is the order of arrival."""
        self.meddler: Meddler | None = None
        """What drops, holds or doubles single frames; both directions share one."""
        self.tap: Tap | None = None
        """Where the frames are written down; both directions share one."""
        self.deliver: Callable[[int, SkBuff], None] | None = None
        """What takes a frame at the far end, with the ns of its arrival."""

    def frame_ns(self, skb: SkBuff) -> int:
        """How long the frame occupies the wire, ns."""
        return (max(skb.hdr_len + skb.len, MIN_FRAME) + WIRE_OVERHEAD) * BYTE_NS // self.rate_bps

    def transmit(self, when: int, skb: SkBuff) -> int:
        """Send a frame as soon as the wire is free at or after `when`; the ns at which its last bit has left."""
        if self.meddler is not None:
            rule = self.meddler.rule_for(when, skb)
            if rule is not None:
                return self._obey(rule, when, skb)
        # This is done for every frame: conditions are cheaper than max(), and than a call of frame_ns().
        free_at = self.free_at
        start = when if when > free_at else free_at  # noqa: FURB136
        size = skb.hdr_len + skb.len
        duration = (
            (MIN_FRAME_ON_WIRE if size < MIN_FRAME else size + WIRE_OVERHEAD) * BYTE_NS // self.rate_bps
        )
        lost = self.loss > 0 and self.rng.random() < self.loss
        overflow = start > when and start - when > self.queue_limit * duration
        if self.tap is not None:
            self.tap.note(start, skb, lost=lost or overflow)
        if overflow:
            self._lose(skb)
            return start
        self.free_at = done = start + duration
        if skb.stamps is not None:
            skb.stamps += (WIRE, start)
        if lost:
            self._lose(skb)
        else:
            self.in_flight += skb.gso_segs
            arrival = done + self.delay_ns
            frames = self.frames
            if not frames:
                self.env.at(arrival, self._arrive, None)
            frames.append((arrival, skb))
        return done

    def _obey(self, rule: LinkRule, when: int, skb: SkBuff) -> int:
        if rule.action == "hold":
            self.in_flight += skb.gso_segs
            self.env.at(when + rule.hold_ns, self._let_go, skb)
            return when + self.frame_ns(skb)
        loss = self.loss
        if rule.action == "drop":
            self.loss = 1.0
        other = duplicate(self.sender, skb) if rule.action == "duplicate" else None
        done = self._untouched(when, skb)
        self.loss = loss
        return self._untouched(done, other) if other is not None else done

    def _untouched(self, when: int, skb: SkBuff) -> int:
        """Send a frame that no rule is asked about."""
        meddler, self.meddler = self.meddler, None
        done = self.transmit(when, skb)
        self.meddler = meddler
        return done

    def _let_go(self, skb: SkBuff) -> None:
        self.in_flight -= skb.gso_segs
        self._untouched(self.env._now, skb)

    def _arrive(self, _: None) -> None:
        """Deliver the first frame under way, and those after it before which nothing else in the world happens."""
        env, frames = self.env, self.frames
        heap: list[Any] = env._queue
        assert self.deliver is not None
        for _again in range(RUN_ON):
            skb = frames[0][1]
            self.in_flight -= skb.gso_segs
            self.deliver(env._now, skb)
            if skb.fate == RX_MISSED and self.log is not None:
                self.log.on_missed(self.receiver)
            frames.popleft()
            if not frames:
                return
            when = frames[0][0]
            if when > env.until or (heap and heap[0][0] <= when):
                break
            env._now = when
        env.at(frames[0][0], self._arrive, None)

    def _lose(self, skb: SkBuff) -> None:
        self.sender.link_lost += skb.gso_segs
        skb.fate = LOST
        if self.log is not None:
            self.log.on_lost(self.sender.name, skb.gso_segs)
