"""The keys of the knobs pane: choose a knob, turn it, type a value, find one of all sysctls."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from wireside.catalog.sysctls import EVERYDAY, matching
from wireside.errors import CommandError
from wireside.paint.ui import KnobView
from wireside.session.knobs import stepped, with_sysctls

if TYPE_CHECKING:
    from textual import events

    from wireside.session.knobs import KnobRow
    from wireside.session.session import Session


class KnobKeys:
    """Turns the knobs of a session and keeps what their pane shows.

    Its rows are the scenario's own knobs, the sysctls that the user has taken in, and those that are always there.
    """

    def __init__(self, session: Session) -> None:
        self.shown = KnobView()
        self._taken: tuple[str, ...] = ()
        self.take(session)

    def take(self, session: Session) -> None:
        """Turn the knobs of `session` from now on; the chosen row stays where it can."""
        self.session = session
        self._show(typed=None, message="", search=None)
        self._extend()
        self._show(chosen=min(self.shown.chosen, max(0, len(self.rows) - 1)))

    def _show(self, **changes: Any) -> None:
        self.shown = replace(self.shown, **changes)

    def _extend(self) -> None:
        names = (*self._taken, *(sysctl.name for sysctl in EVERYDAY))
        self._show(extra=tuple(dict.fromkeys(names)))

    @property
    def rows(self) -> tuple[KnobRow, ...]:
        """The rows with the values as they are now."""
        session = self.session
        return with_sysctls(session.knobs(), self.shown.extra, session.host.sysctl, session.scenario.kernel)

    @property
    def typing(self) -> bool:
        """Whether a value is being typed."""
        return self.shown.typed is not None

    @property
    def searching(self) -> bool:
        """Whether a sysctl is looked for."""
        return self.shown.search is not None

    def say(self, message: str, *, refused: bool = False) -> None:
        """Show `message` in the pane; empty: nothing."""
        self._show(message=message, refused=refused)

    def choose(self, direction: int) -> None:
        """The next row, or sysctl found, down (+1) or up (-1); while a value is typed, its row stays."""
        shown = self.shown
        if self.searching:
            if shown.found:
                self._show(found_at=(shown.found_at + direction) % len(shown.found))
        elif not self.typing:
            self.say("")
            if self.rows:
                self._show(chosen=(shown.chosen + direction) % len(self.rows))

    def turn_by(self, direction: int) -> None:
        """Turn the chosen knob to its next sensible value, up (+1) or down (-1); not once something has been typed."""
        if self.searching or (self.typing and not self.shown.untouched):
            return
        self._show(typed=None)
        rows = self.rows
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
        row = self.rows[self.shown.chosen]
        hosts = [row.host] if row.host else [host.name for host in self.session.snapshot.hosts]
        try:
            for host in hosts:
                self.say(self.session.turn(host, row.name, value))
        except CommandError as refusal:
            self.say(f"{refusal.what.rstrip('.')}. {refusal.next_step}".strip(), refused=True)
            return False
        return True

    def enter(self) -> None:
        """Take in the sysctl found, set the value typed, or begin to type one."""
        shown = self.shown
        if shown.search is not None:
            if shown.found:
                self._take_in(shown.found[shown.found_at])
        elif shown.typed is None:
            self._begin_typing()
        else:
            self._show(untouched=False)
            if self._turn(shown.typed):
                self._show(typed=None)

    def back(self) -> bool:
        """Give up what is being typed; False when nothing is."""
        if not (self.typing or self.searching):
            return False
        if self.typing:
            self.say("")
        self._show(typed=None, search=None)
        return True

    def _begin_typing(self) -> None:
        if self.rows:
            self._show(typed=self.rows[self.shown.chosen].value, untouched=True)
            self.say("")

    def begin_search(self) -> None:
        """Begin to look for a sysctl."""
        self.say("")
        self._find("")

    def _find(self, text: str) -> None:
        values, kernel = self.session.host.sysctl, self.session.scenario.kernel
        found = (sysctl.name for sysctl in matching(text, kernel))
        self._show(search=text, found_at=0, found=tuple(name for name in found if name in values))

    def write(self, event: events.Key) -> None:
        """Take a key into the value, or the search, that is being typed."""
        shown = self.shown
        if shown.search is not None:
            self._find(typed_on(shown.search, event))
        elif shown.typed is not None:
            before = "" if shown.untouched and event.is_printable else shown.typed
            self._show(typed=typed_on(before, event), untouched=False)

    def _take_in(self, name: str) -> None:
        if name not in self._taken:
            self._taken = (*self._taken, name)
        self._extend()
        chosen = next(i for i, row in enumerate(self.rows) if row.name == name)
        self._show(search=None, chosen=chosen)
        self._begin_typing()


def typed_on(text: str, event: events.Key) -> str:
    """What a typing field holds after one more key."""
    if event.key == "backspace":
        return text[:-1]
    if event.key == "ctrl+u":
        return ""
    if event.is_printable and event.character:
        return text + event.character
    return text
