"""What is known of a run: samples, events, losses and beats by their times, and all that a picture needs of the past.

Samples are taken at instants that depend on the run alone (not on frames, pauses or the pace), so that going to an
instant and playing to it find the same past. The film only grows; what comes after the instant shown is the known
future. A command given in the past cuts it there.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field
from itertools import pairwise
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from wireside.catalog.drop_reasons import NO_LOSS
from wireside.session.rolls import Rolls

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from wireside.session.commands import Position
    from wireside.session.story import Story
    from wireside.snapshot import Event, HostSnapshot

SECOND = 1_000_000_000
BY_CHANCE = 2
"""So many sockets more or less in a state are no growth."""
PARTS = ("pps", "ring", "rmem", "drops")
"""Series that every run has; one for each state and for a listener's queues follow when there is something in them."""
UNTOLD = frozenset({"LISTEN", "UNCONN", "SYN-RECV"})
"""States without a series: no pile, or (SYN-RECV) told by the requests."""
MOST_EVENTS = 50_000
LOSS = 2
"""The severity of an event that tells of a loss."""
NOTHING: Mapping[Any, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Loss:
    """Packets lost for one reason between two samples."""

    time_ns: int
    """The first instant at which they can have been lost."""
    reason: str
    packets: int
    unseen: bool
    """Whether no packet is seen to fall for it: lost before any sk_buff (and trace) existed, or a SYN that a listener
    took and threw away."""


class Mark(NamedTuple):
    """A moment worth a mark on the timeline: a "beat", a "knob", or the first "loss" of some."""

    position: Position
    kind: str
    number: int = 0
    """Of a beat: its number in the scenario."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One look at the host in focus."""

    time_ns: int
    values: Mapping[str, float]
    """Series → value. pps: packets per second; ring: part of the RX ring in use; rmem: the fullest socket's
    sk_rmem_alloc over its sk_rcvbuf; drops: packets lost since the sample before; "accept q" and "SYN reqs":
    connections in the fullest listener's queues; a state's name: its sockets."""
    full: Mapping[str, float]
    """Of queues with a limit: how full they are (1: full); of states: their sockets."""
    lost: Mapping[tuple[str, bool], int]
    """Every loss so far by (reason, unseen)."""
    states: Mapping[str, int]
    entered: Mapping[str, int]
    apart_ns: int = 0
    """The next sample is taken at the first thing that happens when so much time has passed."""


def losses_of(host: HostSnapshot) -> dict[tuple[str, bool], int]:
    """Every loss so far by (reason, unseen); "SYN" stands for those that a listener turned away."""
    found = {(reason, True): n for reason, n in host.wire_drops.items()}
    found.update({(reason, False): n for reason, n in host.drops.items() if reason not in NO_LOSS})
    if syns := host.turned_away.get("SYN", 0):
        found["SYN", True] = syns
    return found


def sample(host: HostSnapshot, before: Mapping[tuple[str, bool], int], apart_ns: int = 0) -> Sample:
    """Look at a host, of which the losses `before` are known; the next look follows in `apart_ns` or later."""
    lost = losses_of(host)
    fresh = sum(max(0, n - before.get(key, 0)) for key, n in lost.items()) if lost != before else 0
    nics = host.nics
    ring = max((n.rx_ring_used / n.rx_ring_size for n in nics if n.rx_ring_size), default=0.0)
    rmem = max((s.sk_rmem_alloc / s.sk_rcvbuf for s in host.sockets if s.sk_rcvbuf), default=0.0)
    values = {
        "pps": float(sum(n.rx_rate_pps for n in nics if n.kind != "lo")),
        "ring": min(1.0, ring),
        "rmem": min(1.0, rmem),
        "drops": float(fresh),
    }
    full: dict[str, float] = {"ring": ring, "rmem": rmem}
    for row in host.listeners:
        for name, used in (("accept q", row.accept_queue), ("SYN reqs", row.requests)):
            if used:
                values[name] = max(values.get(name, 0.0), used)
                full[name] = max(full.get(name, 0.0), used / (row.backlog + 1))
    for state, n in host.states.items():
        if state not in UNTOLD:
            values[state] = full[state] = float(n)
    return Sample(host.time_ns, values, full, lost, host.states, host.entered, apart_ns)


@dataclass(frozen=True, slots=True)
class Tail:
    """What a run has left behind at its last sample: kept with a checkpoint, so that the run goes on from there alike."""

    count: int = 0
    """Samples so far."""
    since_ns: int = 0
    """Since when the story goes at its present scale."""
    still_ns: int = 0
    """Nothing has happened after the last sample before this instant."""
    most: Mapping[str, float] = field(default_factory=lambda: NOTHING)
    """Series → the largest value so far; of queues with a limit, how full they were at most (1: full)."""
    rolls: Rolls = field(default_factory=Rolls)
    """The packets of late."""
    memory: Any = None
    """What the picture wants to remember from sample to sample."""


class Film:
    """All that is known of a run, up to the furthest instant that was reached."""

    def __init__(self) -> None:
        self.samples: list[Sample] = []
        self.times: list[int] = []
        self.losses: list[Loss] = []
        self.told: dict[int, int] = {}
        """Beat → when it was told, ns."""
        self.known_ns = 0
        """The furthest instant that was reached."""
        self._events: list[Event] = []
        self._forgotten = 0
        """Events that are kept no longer, from the first on."""

    def add(self, index: int, new: Sample) -> None:
        """Take in the run's sample number `index`; one that is known already says nothing new."""
        if index < len(self.samples):
            return
        lost = self.samples[-1].lost if self.samples else NOTHING
        self.losses += lost_between(self.times[-1] if self.times else -1, lost, new.lost)
        self.samples.append(new)
        self.times.append(new.time_ns)

    def come_to(self, now_ns: int, count: int, fresh: Iterable[Event]) -> None:
        """The run has come to `now_ns`; up to there it has had `count` events, the last of which are `fresh`."""
        self.known_ns = max(self.known_ns, now_ns)
        if count > self.events_known:
            fresh = list(fresh)
            self._forgotten = count - len(fresh) - len(self._events)
            self._events += fresh
        if len(self._events) > 2 * MOST_EVENTS:
            self._forgotten += MOST_EVENTS
            del self._events[:MOST_EVENTS]

    @property
    def events_known(self) -> int:
        """The running number that the next event not known yet will have."""
        return self._forgotten + len(self._events)

    def events(self, count: int, most: int) -> tuple[Event, ...]:
        """The last `most` of the run's first `count` events."""
        last = max(0, count - self._forgotten)
        return tuple(self._events[max(0, last - most) : last])

    def losses_told(self) -> list[Event]:
        """The events that tell of a loss or an error."""
        return [event for event in self._events if event.severity >= LOSS]

    def cut(self, now_ns: int, samples: int, events: int, story: Story) -> None:
        """What is known beyond this moment, which has had so many samples and events and this story, will not happen."""
        del self.samples[samples:], self.times[samples:]
        del self._events[max(0, events - self._forgotten) :]
        self.losses = [loss for loss in self.losses if loss.time_ns <= (self.times or [-1])[-1]]
        self.told = dict(story.told)
        self.known_ns = now_ns


def lost_between(
    then_ns: int, before: Mapping[tuple[str, bool], int], after: Mapping[tuple[str, bool], int]
) -> list[Loss]:
    """What was lost since a look at `then_ns`."""
    if before == after:
        return []
    grown = ((key, n - before.get(key, 0)) for key, n in after.items())
    return [Loss(then_ns + 1, reason, more, unseen) for (reason, unseen), more in grown if more > 0]


@dataclass(frozen=True, slots=True)
class Past:
    """A run up to one instant, and what is known of what comes after it."""

    film: Film
    tail: Tail
    now: Sample
    """The instant itself."""

    @property
    def known_ns(self) -> int:
        """How far the run is known."""
        return self.film.known_ns

    @property
    def losses(self) -> list[Loss]:
        """Everything lost so far that is known one by one, oldest first."""
        film, count = self.film, self.tail.count
        last = film.times[count - 1] if count else -1
        before = film.samples[count - 1].lost if count else NOTHING
        return [
            *film.losses[: bisect_right(film.losses, last, key=_time)],
            *lost_between(last, before, self.now.lost),
        ]

    @property
    def most(self) -> dict[str, float]:
        """Series → the largest value so far; of queues with a limit, how full they were at most (1: full)."""
        return grown(self.tail.most, self.now)

    def names(self) -> list[str]:
        """The series that there are something in, so far."""
        return [*PARTS, *(name for name in self.most if name not in PARTS)]

    def last(self, name: str) -> float:
        """A series' present value; of losses, their sum so far."""
        if name == "drops":
            return float(sum(self.now.lost.values()))
        return self.now.values.get(name, 0.0)

    def bounds(self, edges: Sequence[int]) -> list[int]:
        """For each of `edges` (ns, ascending) the number of the first known sample at or after it."""
        return [bisect_left(self.film.times, edge) for edge in edges]

    def columns(self, name: str, edges: Sequence[int], bounds: Sequence[int], *, future: bool) -> list[float]:
        """A series between each two of `edges`, whose `bounds` are known: the largest value there; of losses, their sum.

        Samples after the instant itself count only with `future`.
        """
        samples, times, add = self.film.samples, self.film.times, name == "drops"
        end = len(samples) if future else self.tail.count
        found: list[float] = []
        before = 0.0
        for i, (first, last) in enumerate(pairwise(bounds)):
            if first >= last or first >= end:
                # nothing was sampled in a column: it is as it was before
                if first and first <= end:
                    before = 0.0 if add else samples[first - 1].values.get(name, 0.0)
                found.append(before if not add else 0.0)
                continue
            part = [each.values.get(name, 0.0) for each in samples[first : min(last, end)]]
            if add:
                found.append(sum(part))
                continue
            if first and times[first] > edges[i]:
                part.append(samples[first - 1].values.get(name, 0.0))
            before = part[-1]
            found.append(max(part))
        return found

    def rate(self, state: str) -> tuple[float, float] | None:
        """Connections per second that came into a state and left it in the last second; None before there was one."""
        now = self.now
        if now.time_ns < SECOND:
            return None
        then = self._second_ago()
        came = now.entered.get(state, 0) - then.entered.get(state, 0)
        left = came - (now.states.get(state, 0) - then.states.get(state, 0))
        elapsed = min(now.time_ns - then.time_ns, SECOND + then.apart_ns)
        return came * SECOND / elapsed, left * SECOND / elapsed

    def grown(self) -> frozenset[str]:
        """States with more sockets than about a second ago, and more than pass through them by chance."""
        then = self._second_ago().states
        return frozenset(
            state for state, n in self.now.states.items() if n > max(then.get(state, 0), BY_CHANCE)
        )

    def _second_ago(self) -> Sample:
        index = bisect_right(self.film.times, self.now.time_ns - SECOND, hi=self.tail.count)
        return self.film.samples[max(0, index - 1)] if self.tail.count else self.now


def grown(most: Mapping[str, float], new: Sample) -> dict[str, float]:
    """The largest values so far, a new sample's among them."""
    found = dict(most)
    for name, value in new.full.items():
        if value > found.get(name, 0.0):
            found[name] = value
    return found


def _time(loss: Loss) -> int:
    return loss.time_ns
