"""Plays a scenario as `wireside play` does, and tells the benchmark what happens inside. The terminal's other end runs it.

Arguments: scenario path, frames per second, simulated ns per second (0: the scenario's), descriptor for the marks.
Marks are lines: "key NS" when a key's handler begins, "moving N" for each frame, "now NS" of simulated time.
"""

from __future__ import annotations

import dataclasses
import gc
import os
import sys
import time

from wireside.paint.picture import Picture
from wireside.scenario.load import load
from wireside.tui.app import WiresideApp, make_session
from wireside.tui.screens.ticking import TickingScreen

LONG_NS = 3600 * 10**9


def main() -> None:
    path, fps, scale, marks = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
    tell_keys(marks)
    tell_frames(marks)
    scenario = load(path)
    if scale:
        scenario = dataclasses.replace(scenario, beats=(), scale=scale, duration_ns=LONG_NS)
    session = make_session(scenario)
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
    WiresideApp(session, fps=fps).run(mouse=False)


def tell_keys(marks: int) -> None:
    handle = TickingScreen.on_key

    def on_key(screen, event):
        os.write(marks, b"key %d\n" % time.monotonic_ns())
        handle(screen, event)

    TickingScreen.on_key = on_key


def tell_frames(marks: int) -> None:
    look = Picture.frame

    def frame(picture, session):
        seen = look(picture, session)
        movers = (*seen.scene.inbound, *seen.scene.outbound)
        moving = sum(not mover.parked for mover in movers)
        os.write(marks, b"moving %d\nnow %d\n" % (moving, session.now))
        return seen

    Picture.frame = frame


if __name__ == "__main__":
    main()
