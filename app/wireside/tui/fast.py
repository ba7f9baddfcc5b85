"""The direct way to the terminal: only the cells that changed, written past Textual's compositor.

It touches three private names of Textual's App; where one is missing, or anything lies over the panes, the caller
draws through Textual instead. Both ways show the same cells.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from textual.app import App
    from textual.screen import Screen

    from wireside.paint.palette import Ink, Palette
    from wireside.paint.surface import Surface


def _color(color: tuple[int, int, int] | int | None, base: int) -> str:
    """The SGR parameter of a colour; `base` is 30 for foreground and 40 for background."""
    if color is None:
        return str(base + 9)
    if isinstance(color, tuple):
        return f"{base + 8};2;{color[0]};{color[1]};{color[2]}"
    if color < 8:
        return str(base + color)
    return str(base + 52 + color) if color < 16 else f"{base + 8};5;{color}"


class FastWriter:
    """Collects the changes of all panes of a frame and writes them at once."""

    def __init__(self, app: App[Any], palette: Palette) -> None:
        self._app = app
        self._palette = palette
        self._codes: list[tuple[str, str, str]] = []
        self._out: list[str] = []
        self.bytes_written = 0

    def available(self, screen: Screen[Any]) -> bool:
        """Whether direct writes reach the terminal, and `screen` is what it shows."""
        app = self._app
        driver = getattr(app, "_driver", None)
        return (
            driver is not None
            and hasattr(driver, "write")
            and hasattr(app, "_begin_update")
            and hasattr(app, "_end_update")
            and not app.is_headless
            and not app.is_inline
            and app.screen_stack[-1] is screen
        )

    def _code(self, style: int) -> tuple[str, str, str]:
        """(attributes, foreground, background) of a style id."""
        while len(self._codes) <= style:
            ink: Ink = self._palette.ink(len(self._codes))
            # 22 ends bold and dim alike: without colours both occur, and one must not linger in the other
            flags = ["22"] if ink.fg is None or not ink.bold else []
            flags += ["1"] * ink.bold + ["2"] * ink.dim + ["7" if ink.reverse else "27"]
            attributes = ";".join(flags)
            self._codes.append((attributes, _color(ink.fg, 30), _color(ink.bg, 40)))
        return self._codes[style]

    def diff(self, new: Surface, old: Surface, rows: list[int], left: int, top: int) -> None:
        """Add the cells of `rows` in which `new` differs from `old`; (left, top) is the pane's place on the screen."""
        out = self._out
        attributes = fg = bg = ""
        for y in rows:
            new_ch, new_st, old_ch, old_st = new.ch[y], new.st[y], old.ch[y], old.st[y]
            cursor, style = -1, -1
            for x in range(new.w):
                char = new_ch[x]
                if (char == old_ch[x] and new_st[x] == old_st[x]) or not char:
                    continue
                if x != cursor:
                    out.append(f"\x1b[{top + y + 1};{left + x + 1}H")
                if new_st[x] != style:
                    style = new_st[x]
                    a, f, b = self._code(style)
                    change = [code for code, now in ((a, attributes), (f, fg), (b, bg)) if code != now]
                    if change:
                        out.append(f"\x1b[{';'.join(change)}m")
                        attributes, fg, bg = a, f, b
                out.append(char)
                # terminals do not agree on the cells of wide and marked characters, so none is counted on
                cursor = x + 1 if len(char) == 1 and (x + 1 == new.w or new_ch[x + 1]) else -1

    def flush(self, query: str = "") -> bool:
        """Write the frame between the marks of a synchronised update, and `query` after it; False: nothing to write."""
        if not self._out:
            return False
        self._out.append("\x1b[0m")
        text = "".join(self._out)
        self._out.clear()
        self.bytes_written += len(text)
        app: Any = self._app
        app._begin_update()
        app._driver.write(text)
        app._end_update()
        app._driver.write(query)
        app._driver.flush()
        return True
