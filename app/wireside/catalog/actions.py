"""Every key of the program, declared once: what it does, where, and what footer and help say of it there.

A key has one meaning on all screens. Bindings, footers and help pages are derived from here.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


class Where(Enum):
    """Who takes the keys: a screen, or a field on it in which one types."""

    JOURNEY = "journey", ""
    KNOB_VALUE = "journey", "value"
    SYSCTL_SEARCH = "journey", "search"
    LIBRARY = "library", ""
    LESSON_FILTER = "library", "filter"

    def __init__(self, screen: str, field: str) -> None:
        self.screen = screen
        self.field = field
        """"" for the screen itself; in a field every printable key is text."""


@dataclass(frozen=True, slots=True)
class Says:
    """How footer and help speak of an action in one place; nothing said: it acts, and another line names it, too."""

    footer: str = ""
    """One or two words."""
    help: str = ""
    """A sentence."""
    shown: str = ""
    """How the keys are written here, where that differs."""
    place: int = 0
    """In the footer: below 0 stands first, above 0 is left out first where there is little room."""


@dataclass(frozen=True, slots=True)
class Action:
    """One thing a user can do: the method `do_<name>` of the screens where it acts, or the screen that it opens."""

    name: str
    keys: tuple[str, ...]
    """Textual's names of the keys, or the characters that they type."""
    shown: str
    """How footer and help write the keys."""
    says: Mapping[Where, Says]
    always: bool = False
    """Whether it acts on help pages and, by keys that are no text, in every field."""
    opens: str = ""
    """The screen that it opens, and leaves again."""


_JOURNEY, _VALUE, _SEARCH = Where.JOURNEY, Where.KNOB_VALUE, Where.SYSCTL_SEARCH
_LIBRARY, _FILTER = Where.LIBRARY, Where.LESSON_FILTER
_SILENT = Says()
_SUSPEND = Says("", "Back to the shell for a while; `fg` goes on.")
_QUIT = Says("quit", "Leave; the terminal is left as it was.")
_QUIT_FIELD = Says("quit", shown="ctrl+c")
_HELP = Says("help", "This page.")

# fmt: off
ACTIONS = (
    Action("pause", ("space",), "space", {_JOURNEY: Says("pause", "Pause or go on; or skip the wait for reading.")}),
    Action("step", (".",), ". ,", {_JOURNEY: Says("step", "To the next thing that happens, or to the one before.")}),
    Action("step_back", (",",), ",", {_JOURNEY: _SILENT}),
    Action("backwards", ("backspace",), "backspace", {_JOURNEY: Says("", "Play backwards; again: forward.")}),
    Action("mark_before", ("{",), "{", {_JOURNEY: _SILENT}),
    Action("mark_after", ("}",), "{ }", {_JOURNEY: Says("", "To the mark before or after: a beat, a loss, a knob.")}),
    Action("beat_before", ("pageup",), "pgup", {_JOURNEY: _SILENT}),
    Action("beat_after", ("pagedown",), "pgup pgdn", {_JOURNEY: Says("", "To the beat before or after.")}),
    Action("home", ("home",), "home", {_JOURNEY: _SILENT}),
    Action("end", ("end",), "home end", {_JOURNEY: Says("", "To the start, or to the furthest instant reached.")}),
    Action("back_1ms", ("shift+left",), "shift+left", {_JOURNEY: _SILENT}),
    Action("on_1ms", ("shift+right",), "shift+arrows", {_JOURNEY: Says("", "A millisecond back or on; with ctrl a second.")}),
    Action("back_1s", ("ctrl+left",), "ctrl+left", {_JOURNEY: _SILENT}),
    Action("on_1s", ("ctrl+right",), "ctrl+right", {_JOURNEY: _SILENT}),
    Action("real_time", ("backslash", "\\"), "\\", {_JOURNEY: Says("", "The timeline in real time, or in the story's.")}),
    Action("save", ("ctrl+s",), "ctrl+s", {_JOURNEY: Says("", "Save the run and this moment in a file.")}),
    Action("slower", ("[",), "[", {_JOURNEY: _SILENT}),
    Action("faster", ("]",), "[ ]", {_JOURNEY: Says("speed", "Slower or faster than the story's own pace, until r.")}),
    Action("restart", ("r",), "r", {_JOURNEY: Says("restart", "Start this scenario again.")}),
    Action("focus", ("tab",), "tab", {
        _JOURNEY: Says("knobs", "Move to knobs, tools, timeline, and back again."),
    }),
    Action("focus_back", ("shift+tab",), "shift+tab", {_JOURNEY: _SILENT}),
    Action("up", ("up", "k"), "up/down", dict.fromkeys((_JOURNEY, _SEARCH, _LIBRARY, _FILTER), _SILENT)),
    Action("down", ("down", "j"), "up/down", {
        _JOURNEY: Says("", "Choose a knob; in the tools: scroll."),
        _SEARCH: Says("choose"),
        _LIBRARY: Says("choose", "Choose a lesson."),
        _FILTER: Says("choose"),
    }),
    Action("less", ("left",), "left", {_JOURNEY: _SILENT, _VALUE: _SILENT}),
    Action("more", ("right",), "left/right", {
        _JOURNEY: Says("", "The knob's next sensible value; in ss: the next state."),
        _VALUE: _SILENT,
    }),
    Action("type", ("enter",), "enter", {
        _JOURNEY: Says("", "Type a value: Enter sets it, Esc cancels.", shown="enter esc"),
        _VALUE: Says("set"),
        _SEARCH: Says("take"),
        _LIBRARY: Says("play", "Play the chosen lesson."),
        _FILTER: Says("play"),
    }),
    Action("find", ("/",), "/", {
        _JOURNEY: Says("", "Find any sysctl by name; Enter takes it into the knobs."),
        _LIBRARY: Says("filter", "Find a word in title, text, teaching or knob.", place=-1),
    }),
    Action("back", ("escape",), "esc", {
        _JOURNEY: _SILENT,
        _VALUE: Says("cancel"),
        _SEARCH: Says("back"),
        _LIBRARY: Says("back", "Back to the run, which waits."),
        _FILTER: Says("all"),
    }),
    Action("tab_1", ("1",), "1-4", {
        _JOURNEY: Says("tools", "Tools: sockets (ss), counters (nstat), events, packets.", place=1),
    }),
    Action("tab_2", ("2",), "2", {_JOURNEY: _SILENT}),
    Action("tab_3", ("3",), "3", {_JOURNEY: _SILENT}),
    Action("tab_4", ("4",), "4", {_JOURNEY: _SILENT}),
    Action("library", ("l",), "l", {
        _JOURNEY: Says("library", "Choose a lesson from the list; the run waits meanwhile.", place=1),
        _LIBRARY: _SILENT,
    }, opens="library"),
    Action("next", ("n",), "n p", {
        _JOURNEY: Says("scenario", "Next or previous scenario of the library.", place=1),
    }),
    Action("previous", ("p",), "p", {_JOURNEY: _SILENT}),
    Action("help", ("?", "f1"), "?", {_JOURNEY: _HELP, _LIBRARY: _HELP}),
    Action("suspend", ("ctrl+z",), "ctrl+z", {_JOURNEY: _SUSPEND, _LIBRARY: _SUSPEND}, always=True),
    Action("quit", ("q", "ctrl+c", "ctrl+q"), "q", {
        _JOURNEY: _QUIT, _LIBRARY: _QUIT, _VALUE: _QUIT_FIELD, _SEARCH: _QUIT_FIELD, _FILTER: _QUIT_FIELD,
    }, always=True),
)
# fmt: on
BY_KEY = {key: action for action in ACTIONS for key in action.keys}
assert len(BY_KEY) == sum(len(action.keys) for action in ACTIONS), "a key has one meaning"

Keys = tuple[tuple[str, str], ...]
"""(keys, what they do)."""


def acting(where: Where, key: str, character: str | None) -> Action | None:
    """What a key does in a place; None: nothing, or it is text."""
    if where.field and character is not None and character.isprintable():
        return None
    action = BY_KEY.get(key) or BY_KEY.get(character or "")
    return action if action is not None and (action.always or where in action.says) else None


def footer(where: Where, idle: frozenset[str] = frozenset()) -> Keys:
    """The keys that act in a place, in the words of its footer; `idle` names actions that can do nothing now."""
    told = [(action, says) for action, says in _told(where, idle) if says.footer]
    told.sort(key=lambda pair: pair[1].place)
    return tuple((says.shown or action.shown, says.footer) for action, says in told)


def help_of(where: Where, idle: frozenset[str] = frozenset()) -> Keys:
    """The keys that act in a place, with a sentence each."""
    return tuple((says.shown or action.shown, says.help) for action, says in _told(where, idle) if says.help)


def _told(where: Where, idle: frozenset[str]) -> list[tuple[Action, Says]]:
    return [
        (action, action.says[where]) for action in ACTIONS if where in action.says and action.name not in idle
    ]
