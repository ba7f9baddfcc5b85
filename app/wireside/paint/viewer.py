"""From a player to a view: pulls what the panes need, each part as often as it is worth."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wireside.paint.scene import SLOW_DWELL_S, build, latencies, next_dwell, next_thin, window_ns
from wireside.paint.stations import LINE_OVERHEAD
from wireside.paint.view import View

if TYPE_CHECKING:
    from wireside.player.player import Player

EVENTS_KEPT = 60
FRAMES_PER_LATENCY = 8


class Viewer:
    """Makes a `View` per frame; keeps what should not flicker (latencies, how many packets a brick stands for)."""

    def __init__(self, player: Player) -> None:
        self.player = player
        self.thin = 1
        self.dwell_s = SLOW_DWELL_S
        self._frame = 0
        self._latency: tuple[int | None, ...] = (None,) * 7
        self._start = dict(player.host.counters)
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
        traces = player.world.traces(max(0, t - window_ns(player.scale, self.dwell_s)))
        self.thin = next_thin(self.thin, len(traces))
        if self._frame % FRAMES_PER_LATENCY == 0:
            fresh = latencies(traces, player.focus)
            self._latency = tuple(
                new if new is not None else old for new, old in zip(fresh, self._latency, strict=True)
            )
        self._frame += 1
        scene = build(
            traces,
            player.history.losses,
            t,
            player.focus,
            player.scale,
            self.wire_ns,
            self.thin,
            self.dwell_s,
        )
        moving = sum(not mover.parked for mover in (*scene.inbound, *scene.outbound))
        self.dwell_s = next_dwell(self.dwell_s, moving)
        return View(
            scenario=player.scenario,
            world=player.snapshot,
            focus=player.focus,
            t=t,
            scale=player.scale,
            history=player.history,
            scene=scene,
            traces=traces,
            latency=self._latency,
            events=player.world.events(max(0, player.world.event_count - EVENTS_KEPT)),
            moved=self._moved(),
            beat=player.beat,
            beats_said=player.beats_said,
            paused=player.paused,
            behind=player.behind,
            ended=player.ended,
            seed=player.seed,
        )

    def _moved(self) -> dict[str, int]:
        start = self._start
        return {
            name: n - start.get(name, 0)
            for name, n in self.player.host.counters.items()
            if n != start.get(name, 0)
        }
