"""The keys of the knobs pane: choose a knob, turn it, type a value, find one of all sysctls."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wireside.catalog.sysctls import BY_NAME, EVERYDAY, matching
from wireside.errors import CommandError
from wireside.paint.view import KnobView
from wireside.session.knobs import stepped, sysctl_row

if TYPE_CHECKING:
    from collections.abc import Iterable

    from textual import events

    from wireside.session.knobs import KnobRow
    from wireside.session.session import Player


class KnobKeys:
    """Turns the knobs of a player and keeps what their pane shows.

    Its rows are the scenario's own knobs, the sysctls that the user has taken in, and those that are always there.
    """

    def __init__(self, player: Player) -> None:
        self.shown = KnobView()
        self._taken: list[str] = []
        self.take(player)

    def take(self, player: Player) -> None:
        """Turn the knobs of `player` from now on; the chosen row stays where it can."""
        self.player = player
        self.shown.typed, self.shown.message, self.shown.search = None, "", None
        self.refresh()
        self.shown.chosen = min(self.shown.chosen, max(0, len(self.shown.rows) - 1))

    def refresh(self) -> KnobView:
        """The pane's state with the values as they are now."""
        own = self.player.knobs()
        offered = {row.name for row in own}
        names = dict.fromkeys((*self._taken, *(sysctl.name for sysctl in EVERYDAY)))
        self.shown.rows = (*own, *self._everywhere(name for name in names if name not in offered))
        if self.shown.search is not None:
            self.shown.found = self._everywhere(row.name for row in self.shown.found)
        return self.shown

    def _everywhere(self, names: Iterable[str]) -> tuple[KnobRow, ...]:
        """Rows of sysctls for every host; their values are those of the host in focus."""
        values, kernel = self.player.host.sysctl, self.player.scenario.kernel
        return tuple(sysctl_row(BY_NAME[name], values[name], kernel) for name in names if name in values)

    @property
    def typing(self) -> bool:
        """Whether printable keys belong to a value or a search."""
        return self.shown.typed is not None or self.searching

    @property
    def searching(self) -> bool:
        """Whether a sysctl is looked for."""
        return self.shown.search is not None

    def say(self, message: str, *, refused: bool = False) -> None:
        """Show `message` in the pane; empty: nothing."""
        self.shown.message, self.shown.refused = message, refused

    def choose(self, direction: int) -> None:
        """The next row down (+1) or up (-1)."""
        self.say("")
        if self.shown.rows:
            self.shown.chosen = (self.shown.chosen + direction) % len(self.shown.rows)

    def turn_by(self, direction: int) -> None:
        """Turn the chosen knob to its next sensible value, up (+1) or down (-1)."""
        rows = self.refresh().rows
        if not rows:
            return
        row = rows[self.shown.chosen]
        value = stepped(row.values, row.value, direction)
        if value is None:
            self.say("No further step; Enter lets you type a value.")
        else:
            self._turn(value)

    def _turn(self, value: str) -> bool:
        """Set the chosen knob; False, with the reason in the pane, when the value is refused."""
        row = self.shown.rows[self.shown.chosen]
        hosts = [row.host] if row.host else [host.name for host in self.player.snapshot.hosts]
        try:
            for host in hosts:
                self.say(self.player.turn(host, row.name, value))
        except CommandError as refusal:
            self.say(f"{refusal.what.rstrip('.')}. {refusal.next_step}".strip(), refused=True)
            return False
        return True

    def begin_typing(self) -> None:
        """Begin to type a value for the chosen knob."""
        if self.refresh().rows:
            self.shown.typed = self.shown.rows[self.shown.chosen].value
            self.shown.untouched = True
            self.say("")

    def begin_search(self) -> None:
        """Begin to look for a sysctl."""
        self.say("")
        self._find("")

    def _find(self, text: str) -> None:
        self.shown.search, self.shown.found_at = text, 0
        kernel = self.player.scenario.kernel
        self.shown.found = self._everywhere(sysctl.name for sysctl in matching(text, kernel))

    def edit(self, event: events.Key) -> None:
        """Take a key into the value, or the search, that is being typed."""
        if self.searching:
            self._edit_search(event)
        else:
            self._edit_value(event)

    def _edit_value(self, event: events.Key) -> None:
        """Enter sets the value, Esc gives up; an arrow turns the knob while nothing has been typed."""
        typed = self.shown.typed or ""
        untouched, self.shown.untouched = self.shown.untouched, False
        if event.key == "escape":
            self.shown.typed = None
            self.say("")
        elif event.key == "enter":
            if self._turn(typed):
                self.shown.typed = None
        elif event.key in {"left", "right"} and untouched:
            self.shown.typed = None
            self.turn_by(+1 if event.key == "right" else -1)
        else:
            self.shown.typed = typed_on("" if untouched and event.is_printable else typed, event)

    def _edit_search(self, event: events.Key) -> None:
        """Enter takes the chosen sysctl into the pane and opens its value, Esc goes back."""
        found = self.shown.found
        if event.key == "escape":
            self.shown.search = None
        elif event.key == "enter":
            if found:
                self._take_in(found[self.shown.found_at].name)
        elif event.key in {"up", "down"}:
            if found:
                step = 1 if event.key == "down" else -1
                self.shown.found_at = (self.shown.found_at + step) % len(found)
        else:
            self._find(typed_on(self.shown.search or "", event))

    def _take_in(self, name: str) -> None:
        self.shown.search = None
        if name not in self._taken:
            self._taken.append(name)
        rows = self.refresh().rows
        self.shown.chosen = next(i for i, row in enumerate(rows) if row.name == name)
        self.begin_typing()


def typed_on(text: str, event: events.Key) -> str:
    """What a typing field holds after one more key."""
    if event.key == "backspace":
        return text[:-1]
    if event.key == "ctrl+u":
        return ""
    if event.is_printable and event.character:
        return text + event.character
    return text
