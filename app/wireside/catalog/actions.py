"""Every key of the program, declared once: bindings, footer and help are derived from here."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Action:
    """One thing a user can do: the method `do_<name>` of the screen."""

    name: str
    keys: tuple[str, ...]
    """Textual's names of the keys, or the characters that they type."""
    shown: str
    """How footer and help write the keys."""
    title: str
    """One or two words for the footer; empty: only the help lists it."""
    help: str


ACTIONS = (
    Action("pause", ("space",), "space", "pause", "Pause, and go on; do not wait until I have read."),
    Action("step", (".",), ".", "step", "Run to the next thing that happens, and stay there."),
    Action("slower", ("[",), "[", "", "Slower than the story wants it."),
    Action("faster", ("]",), "[ ]", "speed", "Slower and faster than the story wants it, until r."),
    Action("restart", ("r",), "r", "restart", "Begin this scenario again."),
    Action("focus", ("tab",), "tab", "knobs", "To the knobs, to the tools, and back to the whole."),
    Action("focus_back", ("shift+tab",), "shift+tab", "", "The same the other way round."),
    Action("up", ("up", "k"), "up/down", "", "Choose a knob; in the tools: scroll."),
    Action("down", ("down", "j"), "up/down", "", "Choose a knob; in the tools: scroll."),
    Action("less", ("left",), "left", "", "The knob's next sensible value; in ss: the next state."),
    Action("more", ("right",), "left/right", "", "The knob's next sensible value; in ss: the next state."),
    Action("type", ("enter",), "enter", "", "Type a value: Enter sets it, Esc cancels."),
    Action("find", ("/",), "/", "", "Find any sysctl by name; Enter takes it into the knobs."),
    Action("back", ("escape",), "esc", "", "One step back."),
    Action("tab_1", ("1",), "1-4", "tools", "Tools: sockets (ss), counters (nstat), events, packets."),
    Action("tab_2", ("2",), "2", "", "Counters that moved."),
    Action("tab_3", ("3",), "3", "", "Events in plain sentences."),
    Action("tab_4", ("4",), "4", "", "Packets as tcpdump prints them, and how each ended."),
    Action("library", ("l",), "l", "library", "Choose a lesson from the list; the run waits meanwhile."),
    Action("next", ("n",), "n p", "scenario", "Next and previous scenario of the library."),
    Action("previous", ("p",), "p", "", "Previous scenario."),
    Action("help", ("?", "f1"), "?", "help", "This page."),
    Action("suspend", ("ctrl+z",), "ctrl+z", "", "Back to the shell for a while; `fg` goes on."),
    Action("quit", ("q", "ctrl+c", "ctrl+q"), "q", "quit", "Leave; the terminal is as before."),
)

ALWAYS = {"ctrl+c", "ctrl+q", "ctrl+z"}
"""Keys that act while a value is typed and on every page, too."""
BY_KEY = {key: action for action in ACTIONS for key in action.keys}
_LAST = {"tab_1", "library", "next"}
"""What a narrow footer leaves out first."""
FOOTER = tuple(
    (action.shown, action.title)
    for action in sorted(ACTIONS, key=lambda action: action.name in _LAST)
    if action.title
)
_FOLDED = {"slower", "focus_back", "up", "less", "tab_2", "tab_3", "tab_4", "previous"}
"""Actions that another line of the help names, too."""
HELP = tuple((action.shown, action.help) for action in ACTIONS if action.name not in _FOLDED)
_IN_LIBRARY = {"find": "filter", "up": "choose", "type": "play", "back": "back", "quit": "quit"}
LIBRARY_FOOTER = tuple(
    (next(action.shown for action in ACTIONS if action.name == name), title)
    for name, title in _IN_LIBRARY.items()
)
"""The same keys as the library names them."""
