"""The keys of the knobs pane: choose a knob, turn it, type a value."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wireside.errors import CommandError
from wireside.paint.view import KnobView
from wireside.player.knobs import stepped

if TYPE_CHECKING:
    from textual import events

    from wireside.player.player import Player


class KnobKeys:
    """Turns the knobs of a player and keeps what their pane shows."""

    def __init__(self, player: Player) -> None:
        self.shown = KnobView()
        self.take(player)

    def take(self, player: Player) -> None:
        """Turn the knobs of `player` from now on; the chosen row stays where it can."""
        self.player = player
        self.shown.typed, self.shown.message = None, ""
        self.refresh()
        self.shown.chosen = min(self.shown.chosen, max(0, len(self.shown.rows) - 1))

    def refresh(self) -> KnobView:
        """The pane's state with the values as they are now."""
        self.shown.rows = self.player.knobs()
        return self.shown

    @property
    def typing(self) -> bool:
        """Whether printable keys belong to the value being typed."""
        return self.shown.typed is not None

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
        try:
            self.say(self.player.turn(row.host, row.name, value))
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

    def edit(self, event: events.Key) -> None:
        """Take a key into the value being typed: Enter sets it, Esc gives up."""
        typed = self.shown.typed or ""
        untouched, self.shown.untouched = self.shown.untouched, False
        if event.key == "escape":
            self.shown.typed = None
            self.say("")
        elif event.key == "enter":
            if self._turn(typed):
                self.shown.typed = None
        elif event.key == "backspace":
            self.shown.typed = typed[:-1]
        elif event.key == "ctrl+u":
            self.shown.typed = ""
        elif event.character and event.character.isprintable():
            self.shown.typed = event.character if untouched else typed + event.character
