"""A full-duplex link: each direction sends one frame after the other.

A device sends into a `Medium`. At its bottom is a `Wire`; what loses, meddles with or writes down frames stands between
the two and passes them on downward, so that a plain wire pays for none of it.
"""

from __future__ import annotations

from collections import deque
from random import Random
from typing import TYPE_CHECKING, Any, Protocol

from wireside.catalog.fates import LINK_LOSS, RX_MISSED
from wireside.catalog.stages import Stage

if TYPE_CHECKING:
    from collections.abc import Callable

    from wireside.kernel.core.net import Net
    from wireside.kernel.core.skbuff import SkBuff
    from wireside.sim.env import KernelEnv
    from wireside.sim.events import EventLog

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


class Medium(Protocol):
    """What a device sends frames into."""

    def transmit(self, when: int, skb: SkBuff, lost: bool = False) -> int:
        """Send a frame at or after `when` ns; the ns at which its last bit has left. `lost`: it will not arrive."""


class Sender(Protocol):
    """A device, or a peer without a kernel, that has a medium to send into."""

    wire: Any


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
        "queue_limit",
        "rate_bps",
        "receiver",
        "sender",
        "source",
    )

    def __init__(
        self,
        env: KernelEnv,
        sender: Net,
        rate_bps: int,
        delay_ns: int,
        queue_limit: int,
        receiver: str = "",
        log: EventLog | None = None,
    ) -> None:
        self.env = env
        self.receiver = receiver
        self.log = log
        self.sender = sender
        self.rate_bps = rate_bps
        self.delay_ns = delay_ns
        self.queue_limit = queue_limit
        self.free_at = 0
        """The ns at which the last frame handed over will have left."""
        self.in_flight = 0
        self.frames: deque[tuple[int, SkBuff]] = deque()
        """(ns of arrival, frame) of what is under way, in the order sent, which is the order of arrival."""
        self.source: Sender | None = None
        """What sends into this direction, through the media above this wire."""
        self.deliver: Callable[[int, SkBuff], None] | None = None
        """What takes a frame at the far end, with the ns of its arrival."""

    def frame_ns(self, skb: SkBuff) -> int:
        """How long the frame occupies the wire, ns."""
        return (max(skb.hdr_len + skb.len, MIN_FRAME) + WIRE_OVERHEAD) * BYTE_NS // self.rate_bps

    def transmit(self, when: int, skb: SkBuff, lost: bool = False) -> int:
        """Send a frame as soon as the wire is free at or after `when`; the ns at which its last bit has left."""
        # This is done for every frame: conditions are cheaper than max(), and than a call of frame_ns().
        free_at = self.free_at
        start = when if when > free_at else free_at  # noqa: FURB136
        size = skb.hdr_len + skb.len
        duration = (
            (MIN_FRAME_ON_WIRE if size < MIN_FRAME else size + WIRE_OVERHEAD) * BYTE_NS // self.rate_bps
        )
        if start > when and start - when > self.queue_limit * duration:
            self.lose(skb)
            return start
        self.free_at = done = start + duration
        if skb.stamps is not None:
            skb.stamps += (WIRE, start)
        if lost:
            self.lose(skb)
        else:
            self.in_flight += skb.gso_segs
            arrival = done + self.delay_ns
            frames = self.frames
            if not frames:
                self.env.at(arrival, self._arrive, None)
            frames.append((arrival, skb))
        return done

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

    def lose(self, skb: SkBuff) -> None:
        """End a frame that does not arrive; nobody but the simulation knows."""
        self.sender.link_lost += skb.gso_segs
        skb.fate = LINK_LOSS
        if self.log is not None:
            self.log.on_lost(self.sender.name, skb.gso_segs)


class Lossy:
    """Loses frames by chance, each with probability `loss`.

    One draw per frame from this direction's own stream, so that draws elsewhere never move its losses.
    """

    __slots__ = ("below", "loss", "rng")

    def __init__(self, below: Medium, loss: float, seed: str) -> None:
        self.below = below
        self.loss = loss
        self.rng = Random(seed)

    def transmit(self, when: int, skb: SkBuff, lost: bool = False) -> int:
        """Decide whether a frame arrives, and pass it on."""
        return self.below.transmit(when, skb, self.rng.random() < self.loss or lost)
