"""What the reader has chosen: with a `Frame`, all that a picture is drawn from."""

from __future__ import annotations

from dataclasses import dataclass, field

from wireside.paint.lessons import LibraryView


@dataclass(frozen=True, slots=True)
class KnobView:
    """The state of the knobs pane: the chosen row, the value being typed, and the last answer."""

    extra: tuple[str, ...] = ()
    """Sysctls that stand below the scenario's own knobs, by name."""
    chosen: int = 0
    typed: str | None = None
    untouched: bool = False
    """Nothing has been typed yet: the first character replaces the old value."""
    message: str = ""
    refused: bool = False
    search: str | None = None
    """What is typed to find a sysctl; None while nobody looks for one."""
    found: tuple[str, ...] = ()
    """The sysctls that the search finds, by name."""
    found_at: int = 0


NO_LESSONS = LibraryView()


@dataclass(frozen=True, slots=True)
class Ui:
    """Which pane has the keyboard, and what each of them shows."""

    focus_pane: str = ""
    """The pane that has the keyboard; "": none."""
    knobs: KnobView = field(default_factory=KnobView)
    tab: int = 1
    """The tool that is shown, by its key."""
    tool_first: int = 0
    """The first line that the tools pane shows when it has the keyboard."""
    keys: tuple[tuple[str, str], ...] = ()
    """The footer: keys that act now, and what they do."""
    fps: float = 0.0
    library: LibraryView = NO_LESSONS
    real_time: bool = False
    """The timeline's axis is real time, not the story's."""
    note: str = ""
    """What has just become of the run by a key: saved, branched; until the next key."""
