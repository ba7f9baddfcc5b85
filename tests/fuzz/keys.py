"""Keys: whatever is typed, the program stays on its feet and every row of the screen stays whole."""

from __future__ import annotations

import asyncio
from contextlib import chdir
from typing import TYPE_CHECKING

from wireside.catalog.actions import ACTIONS
from wireside.paint.cells import width
from wireside.paint.glyphs import UNICODE
from wireside.paint.look import Look
from wireside.paint.palette import Depth, Palette
from wireside.scenario import library
from wireside.scenario.load import load
from wireside.tui.app import WiresideApp, make_session

if TYPE_CHECKING:
    from pathlib import Path
    from random import Random

CASES = 10
KEYS = 120
SIZES = ((80, 24), (120, 36), (60, 20), (200, 50), (79, 23), (1, 1))
LEAVES = {"quit", "suspend"}
COMMANDS = tuple(key for action in ACTIONS if action.name not in LEAVES for key in action.keys)
TYPED = (*"0123456789abckKMG.,-_ :=", "²", "漢", "é", "left_square_bracket", "backspace", "enter", "escape", "ctrl+u", "ctrl+w", "delete",
         "home", "end", "pageup", "pagedown", "f5", "ctrl+a", "up", "down", "tab")  # fmt: skip


def case(rng: Random, folder: Path) -> str:
    """Type into a lesson, at one size and then another."""
    with chdir(folder):
        return asyncio.run(_session(rng))


async def _session(rng: Random) -> str:
    app = WiresideApp(
        make_session(load(rng.choice(library.library()))),
        look=Look(Palette(Depth.TRUE), UNICODE),
        renderer="safe",
        neighbours=[str(path) for path in library.library()],
        open_path=lambda where: make_session(load(where)),
    )
    pressed: list[str] = []
    async with app.run_test(size=rng.choice(SIZES)) as pilot:
        screen = app.screen_stack[0]
        screen.ticking.pause()  # type: ignore[attr-defined]
        for _ in range(KEYS):
            key = rng.choice(COMMANDS if rng.random() < 0.6 else TYPED)
            pressed.append(key)
            await pilot.press(key)
            if rng.random() < 0.3:
                screen.tick()  # type: ignore[attr-defined]
            if rng.random() < 0.02:
                await pilot.resize_terminal(*rng.choice(SIZES))
            for name, pane in screen.panes.items():  # type: ignore[attr-defined]
                for row in pane.new.ch:
                    line = "".join(row)
                    if width(line) != pane.new.w or not line.isprintable():
                        return f"{name} is torn after {pressed}: {line!r}"
    return ""
