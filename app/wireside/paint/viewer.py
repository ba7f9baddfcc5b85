"""From a player to frames: pulls what the panes need, each part as often as it is worth."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wireside.paint.frame import Frame, main_socket, peer_socket
from wireside.paint.piles import heaps, limited, pointed_at, subjects
from wireside.paint.scene import SLOW_DWELL_S, build, is_shown, latencies, next_dwell, next_thin, window_ns
from wireside.paint.standing import Standing
from wireside.paint.stations import LINE_OVERHEAD

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from wireside.paint.scene import Scene
    from wireside.scenario.spec import Scenario
    from wireside.session.session import Player
    from wireside.snapshot import PacketTrace

EVENTS_KEPT = 60
RECENT = 200
"""How many of the newest packets the packets tab and the latencies look at."""
FRAMES_PER_LATENCY = 8


def wire_time(scenario: Scenario, focus: str) -> Callable[[int], int]:
    """How long a frame with so many payload bytes is on its way to or from host `focus`, ns."""
    link = next((link for link in scenario.links if focus in {link.a, link.b}), None)
    delay, rate = (link.delay_ns, link.rate_bps) if link else (1, 10**12)
    return lambda length: delay + (length + LINE_OVERHEAD) * 8 * 1_000_000_000 // rate


class Followed:
    """The packets that can be seen, from frame to frame; so many of them that eyes can follow."""

    def __init__(self) -> None:
        self.thin = 1
        self.dwell_s = SLOW_DWELL_S
        self.shown: dict[int, PacketTrace] = {}
        self._recent: dict[int, PacketTrace] = {}

    @property
    def recent(self) -> tuple[PacketTrace, ...]:
        """The newest packets, in the order of their birth."""
        return tuple(sorted(self._recent.values(), key=_birth))

    def take_in(self, fetched: Sequence[PacketTrace], t: int, scale: int) -> None:
        """Take in what has moved since the last frame, and keep what is still to be shown at `t`.

        The picture lags behind a fast run, for every packet is to be seen in every station: packets stay until
        they have left the picture, even when the world has forgotten them.
        """
        shown, recent = self.shown, self._recent
        horizon = t - window_ns(scale, self.dwell_s)
        for trace in fetched[-RECENT:]:
            recent.pop(trace.id, None)
            recent[trace.id] = trace
        while len(recent) > RECENT:
            del recent[next(iter(recent))]
        alive = set()
        for trace in fetched:
            if is_shown(trace.id, self.thin):
                shown[trace.id] = trace
                if not trace.fate:
                    alive.add(trace.id)
        over = [n for n, p in shown.items() if (p.stamps[-1][1] < horizon if p.fate else n not in alive)]
        for number in over:
            del shown[number]
        moving = sum(packet.stamps[-1][1] >= horizon for packet in shown.values())
        thin = next_thin(self.thin, moving * self.thin)
        if thin > self.thin:
            self.shown = {n: packet for n, packet in shown.items() if is_shown(n, thin)}
        self.thin = thin

    def settle(self, scene: Scene) -> None:
        """Time has moved on: how crowded the picture was decides how long packets are shown in a station."""
        moving = sum(not mover.parked for mover in (*scene.inbound, *scene.outbound))
        self.dwell_s = next_dwell(self.dwell_s, moving)


class Latency:
    """Mean times in the stations, renewed so seldom that they can be read."""

    def __init__(self) -> None:
        self.shown: tuple[int | None, ...] = (None,) * 7
        self._frame = 0

    def take_in(self, recent: Iterable[PacketTrace], focus: str, *, at_once: bool) -> None:
        """Time has moved on; `at_once`: renew them now."""
        if at_once or self._frame % FRAMES_PER_LATENCY == 0:
            fresh = latencies(tuple(recent), focus)
            self.shown = tuple(
                new if new is not None else old for new, old in zip(fresh, self.shown, strict=True)
            )
        self._frame += 1


class Viewer:
    """Makes a `Frame` of the present moment; what should not flicker is kept by `Followed`, `Latency` and `Standing`."""

    def __init__(self, player: Player) -> None:
        self.player = player
        self._t = -1
        self._seen = 0
        self._followed = Followed()
        self._latency = Latency()
        self._standing = Standing(subjects(player.scenario))
        self._wire_ns = wire_time(player.scenario, player.focus)

    def frame(self) -> Frame:
        """The present moment."""
        player, followed = self.player, self._followed
        t, focus = player.now, player.focus
        moved, self._t = t != self._t, t
        fetched = player.world.traces(max(0, min(self._seen, t)))
        self._seen = t
        followed.take_in(fetched, t, player.scale)
        recent = followed.recent
        if moved:
            self._latency.take_in(recent, focus, at_once=player.paused)
        scene = build(
            followed.shown.values(),
            player.history.losses,
            t,
            focus,
            player.scale,
            self._wire_ns,
            followed.thin,
            followed.dwell_s,
        )
        if moved and not player.paused:
            followed.settle(scene)
        return self._with_piles(scene, recent)

    def _with_piles(self, scene: Scene, recent: tuple[PacketTrace, ...]) -> Frame:
        player, focus = self.player, self.player.focus
        world, host, crossing = player.snapshot, player.host, player.crossing
        strips = player.history.strips(host)
        main = main_socket(host)
        peer = peer_socket(world, focus, main)
        piles, below, telling = self._standing.look(
            player.now,
            limited(host, main, peer[1] if peer else None, strips.grown),
            heaps(host, strips.grown),
            pointed_at(player.beat.look_at) if player.beat else "",
            at_once=player.paused,
        )
        return Frame(
            scenario=player.scenario,
            world=world,
            focus=focus,
            t=player.now,
            scale=player.scale,
            strips=strips,
            scene=scene,
            traces=recent,
            latency=self._latency.shown,
            events=player.world.events(max(0, player.world.event_count - EVENTS_KEPT)),
            main_socket=main,
            peer_socket=peer,
            beat=player.beat,
            beats_said=player.beats_said,
            paused=player.paused,
            behind=player.behind,
            ended=player.ended,
            hold_s=player.hold_s,
            quiet_ns=crossing.length_ns if crossing is not None and not player.paused else 0,
            factor=player.pace.factor,
            seed=player.seed,
            knob_rows=player.knobs(),
            subjects=self._standing.subjects,
            piles=tuple(piles),
            heaps=tuple(below),
            telling=tuple(telling),
            tcp_tells=self._standing.tcp_tells,
        )


def _birth(trace: PacketTrace) -> int:
    return trace.stamps[0][1]
