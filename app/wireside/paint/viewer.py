"""From a player to a view: pulls what the panes need, each part as often as it is worth."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wireside.paint.piles import heaps, limited, subjects
from wireside.paint.scene import SLOW_DWELL_S, build, is_shown, latencies, next_dwell, next_thin, window_ns
from wireside.paint.standing import Standing
from wireside.paint.stations import LINE_OVERHEAD
from wireside.paint.view import View

if TYPE_CHECKING:
    from wireside.session.session import Player
    from wireside.snapshot import PacketTrace

EVENTS_KEPT = 60
RECENT = 200
"""How many of the newest packets the packets tab and the latencies look at."""
FRAMES_PER_LATENCY = 8


class Viewer:
    """Makes a `View` per frame; keeps what should not flicker (latencies, how many packets a brick stands for)."""

    def __init__(self, player: Player) -> None:
        self.player = player
        self.thin = 1
        self.dwell_s = SLOW_DWELL_S
        self._frame = 0
        self._t = -1
        self._seen = 0
        self._kept: dict[int, PacketTrace] = {}
        self._recent: dict[int, PacketTrace] = {}
        self._latency: tuple[int | None, ...] = (None,) * 7
        self._standing = Standing(subjects(player.scenario))
        scenario = player.scenario
        link = next((link for link in scenario.links if player.focus in {link.a, link.b}), None)
        self._delay = link.delay_ns if link else 1
        self._rate = link.rate_bps if link else 10**12

    def wire_ns(self, length: int) -> int:
        """How long a frame with `length` payload bytes is on the way, ns."""
        return self._delay + (length + LINE_OVERHEAD) * 8 * 1_000_000_000 // self._rate

    def view(self) -> View:
        """The present moment."""
        player = self.player
        t = player.now
        self._gather(t)
        recent = sorted(self._recent.values(), key=_birth)
        moved = t != self._t
        self._t = t
        if moved and (player.paused or self._frame % FRAMES_PER_LATENCY == 0):
            fresh = latencies(recent, player.focus)
            self._latency = tuple(
                new if new is not None else old for new, old in zip(fresh, self._latency, strict=True)
            )
        self._frame += moved
        shown = self._kept.values()
        scene = build(
            shown, player.history.losses, t, player.focus, player.scale, self.wire_ns, self.thin, self.dwell_s
        )
        moving = sum(not mover.parked for mover in (*scene.inbound, *scene.outbound))
        if moved and not player.paused:
            self.dwell_s = next_dwell(self.dwell_s, moving)
        view = View(
            scenario=player.scenario,
            world=player.snapshot,
            focus=player.focus,
            t=t,
            scale=player.scale,
            history=player.history,
            scene=scene,
            traces=recent,
            latency=self._latency,
            events=player.world.events(max(0, player.world.event_count - EVENTS_KEPT)),
            moved={name: n for name, n in player.host.counters.items() if n},
            beat=player.beat,
            beats_said=player.beats_said,
            paused=player.paused,
            behind=player.behind,
            ended=player.ended,
            hold_s=player.hold_s,
            quiet_ns=player.crossing.length_ns if player.crossing is not None and not player.paused else 0,
            factor=player.pace.factor,
            seed=player.seed,
            subjects=self._standing.subjects,
        )
        view.piles, view.heaps, view.telling = self._standing.look(
            t, limited(view), heaps(view), view.pointed, at_once=player.paused
        )
        view.tcp_tells = self._standing.tcp_tells
        return view

    def _gather(self, t: int) -> None:
        """Take in what has moved since the last frame, and keep what is still to be shown.

        The picture lags behind a fast run, for every packet is to be seen in every station: packets stay until
        they have left the picture, even when the world has forgotten them.
        """
        kept, recent = self._kept, self._recent
        horizon = t - window_ns(self.player.scale, self.dwell_s)
        fetched = self.player.world.traces(max(0, min(self._seen, t)))
        self._seen = t
        for trace in fetched[-RECENT:]:
            recent.pop(trace.id, None)
            recent[trace.id] = trace
        while len(recent) > RECENT:
            del recent[next(iter(recent))]
        alive = set()
        for trace in fetched:
            if is_shown(trace.id, self.thin):
                kept[trace.id] = trace
                if not trace.fate:
                    alive.add(trace.id)
        over = [n for n, p in kept.items() if (p.stamps[-1][1] < horizon if p.fate else n not in alive)]
        for number in over:
            del kept[number]
        moving = sum(packet.stamps[-1][1] >= horizon for packet in kept.values())
        thin = next_thin(self.thin, moving * self.thin)
        if thin > self.thin:
            self._kept = {n: packet for n, packet in kept.items() if is_shown(n, thin)}
        self.thin = thin


def _birth(trace: PacketTrace) -> int:
    return trace.stamps[0][1]
