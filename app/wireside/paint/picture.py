"""From a session to frames: a frame is a function of the run, the instant and the pace, and of nothing else.

What should not flicker is remembered from sample to sample of the run, not from frame to frame of somebody's screen.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from wireside.paint.following import dwell, thinned
from wireside.paint.frame import Frame, main_socket, peer_socket
from wireside.paint.piles import heaps, limited, pointed_at, subjects
from wireside.paint.scene import N, build, latencies, window_ns
from wireside.paint.standing import Rows, Standing, rows
from wireside.paint.stations import LINE_OVERHEAD
from wireside.session.session import Session, focus_host

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from wireside.paint.scene import Scene
    from wireside.scenario.spec import Beat, Scenario
    from wireside.session.film import Past
    from wireside.session.needs import Origin
    from wireside.session.rolls import Rolls
    from wireside.snapshot import PacketTrace, WorldSnapshot

EVENTS_KEPT = 60
RECENT = 200
"""How many of the newest packets the packets tab and the latencies look at."""
Latency = tuple[int | None, ...]


@dataclass(frozen=True, slots=True)
class Memory:
    """What the picture remembers of the run up to a sample."""

    latency: Latency = (None,) * N
    """Mean times in the stations, renewed so seldom that they can be read."""
    standing: Standing = field(default_factory=Standing)


NOTHING = Memory()


def wire_time(scenario: Scenario, focus: str) -> Callable[[int], int]:
    """How long a frame with so many payload bytes is on its way to or from host `focus`, ns."""
    link = next((link for link in scenario.links if focus in {link.a, link.b}), None)
    delay, rate = (link.delay_ns, link.rate_bps) if link else (1, 10**12)
    return lambda length: delay + (length + LINE_OVERHEAD) * 8 * 1_000_000_000 // rate


class Picture:
    """Makes the frames of one scenario; it keeps nothing from one frame to the next."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario, self.focus = scenario, focus_host(scenario)
        focus = self.focus
        self._subjects = subjects(scenario)
        self._wire_ns = wire_time(scenario, focus)

    def remember(
        self, memory: Memory | None, world: WorldSnapshot, past: Past, rolls: Rolls, scale: int
    ) -> Memory:
        """What to remember at a sample of the run, at which the story shows `scale` ns a second."""
        before = memory or NOTHING
        fresh = latencies(rolls.newest(0)[-RECENT:], self.focus)
        standing = self._rows(before, world, past, scale, None, at_once=False).standing
        return Memory(_renewed(before.latency, fresh), standing)

    def frame(self, session: Session) -> Frame:
        """The session's present moment."""
        machine, world, t, focus = session.machine, session.snapshot, session.now, self.focus
        past, scale, story_scale = machine.past(world), session.scale, session.pace.story_scale
        memory: Memory = past.tail.memory or NOTHING
        packets = machine.packets()
        recent = tuple(packets.newest(0)[-RECENT:])
        latency = memory.latency
        if session.paused:
            latency = _renewed(latency, latencies(recent, focus))
        shown = self._rows(memory, world, past, story_scale, session.beat, at_once=session.paused)
        main = main_socket(session.host)
        crossing = session.crossing
        return Frame(
            scenario=self.scenario,
            world=world,
            focus=focus,
            t=t,
            scale=scale,
            past=past,
            scene=self._scene(packets.newest, past, t, scale),
            traces=recent,
            latency=latency,
            events=machine.events(EVENTS_KEPT),
            main_socket=main,
            peer_socket=peer_socket(world, focus, main),
            beat=session.beat,
            beats_said=session.beats_said,
            paused=session.paused,
            behind=session.behind,
            ended=session.ended,
            backwards=session.backwards and not session.paused,
            going_to=session.goal.time_ns if session.goal is not None else None,
            hold_s=session.hold_s,
            quiet_ns=crossing.length_ns if crossing is not None and not session.paused else 0,
            factor=session.pace.factor,
            seed=session.seed,
            knob_rows=session.knobs(),
            branches=tuple(branch.time_ns for branch in session.branches),
            marks=tuple(session.marks()),
            subjects=self._subjects,
            piles=shown.limited,
            heaps=shown.heaps,
            telling=shown.telling,
            tcp_tells=shown.standing.tcp_tells,
        )

    def _scene(self, level: Callable[[int], Sequence[PacketTrace]], past: Past, t: int, scale: int) -> Scene:
        thin, packets = thinned(level, t, scale)
        dwell_s = dwell(level(0), self.focus, t, scale)
        horizon = t - window_ns(scale, dwell_s)
        packets = [packet for packet in packets if not packet.fate or packet.stamps[-1][1] >= horizon]
        return build(packets, past.losses, t, self.focus, scale, self._wire_ns, thin, dwell_s)

    def _rows(
        self,
        memory: Memory,
        world: WorldSnapshot,
        past: Past,
        scale: int,
        beat: Beat | None,
        *,
        at_once: bool,
    ) -> Rows:
        host = world.host(self.focus)
        main = main_socket(host)
        peer = peer_socket(world, self.focus, main)
        grown = past.grown()
        return rows(
            memory.standing,
            world.time_ns,
            limited(host, main, peer[1] if peer else None, grown),
            heaps(host, grown),
            scale,
            subjects=self._subjects,
            pointed=pointed_at(beat.look_at) if beat else "",
            at_once=at_once,
        )


def _renewed(before: Latency, fresh: Latency) -> Latency:
    return tuple(new if new is not None else old for new, old in zip(fresh, before, strict=True))


def pictured(origin: Origin) -> Session:
    """A session that remembers what its pictures need."""
    return Session(origin, Picture(origin.scenario).remember)
