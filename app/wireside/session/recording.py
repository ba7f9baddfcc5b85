"""A recording: a run as data, to be saved, sent to somebody, and gone on with.

It holds what the run begins with, the commands, and the moment that was shown; what happened follows from these. A file comes
from a stranger: it is read as data, nothing in it is run, and its scenario and its texts are checked as those of any scenario.
"""

from __future__ import annotations

import json
import os
import stat
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wireside import __version__
from wireside.catalog.profiles import PROFILES
from wireside.errors import Position as Place
from wireside.errors import RecordingError
from wireside.outside import clean, quoted
from wireside.scenario.load import MAX_DURATION_NS, load_text
from wireside.session.commands import START, Command, Position
from wireside.session.origin import Beginning

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wireside.session.needs import Origin

SUFFIX = ".wsr"
FORMAT = 1
MAX_BYTES = 1 << 20
MOST_COMMANDS = 10_000
MAX_WORD = 200
"""Characters of a host's, a knob's or a scenario's name, or of a value."""
MAX_SEED = (1 << 63) - 1
MAX_TIME_NS = 24 * MAX_DURATION_NS
"""A run may be watched far beyond its scenario's end."""
MAX_TOLD = 1 << 30
_WRONG_FILE = "Is this the right file? ctrl+s saves a recording while a scenario is shown."


@dataclass(frozen=True, slots=True)
class Recording:
    """A run, and a moment of it."""

    beginning: Origin
    commands: tuple[Command, ...] = ()
    moment: Position = START

    def text(self) -> str:
        """The recording as the text of a file."""
        scenario = self.beginning.scenario
        return json.dumps(
            {
                "wireside": __version__,
                "recording": FORMAT,
                "scenario": {"name": clean(scenario.id), "text": scenario.text},
                "kernel": scenario.kernel,
                "seed": self.beginning.seed,
                "knobs": dict(self.beginning.sysctl),
                "commands": [each._asdict() for each in self.commands],
                "moment": self.moment._asdict(),
            },
            indent=1,
            ensure_ascii=False,
        )


def save(recording: Recording, path: Path) -> None:
    """Write a recording, whole or not at all: what stands there is replaced when the new file is complete.

    RecordingError when it cannot be written.
    """
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with unfinished.open("x", encoding="utf-8") as stream:
            stream.write(recording.text() + "\n")
            stream.flush()
            os.fsync(stream.fileno())
        unfinished.replace(path)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise RecordingError(
            f"cannot save {quoted(path.name)}: {reason}",
            next_step="Start wireside in a directory that you may write to.",
        ) from None
    finally:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)


def free_name(folder: Path, stem: str) -> Path:
    """A file in `folder` that is not there yet."""
    names = (f"{stem}{'' if n == 1 else f'-{n}'}{SUFFIX}" for n in range(1, 1 << 20))
    return next(folder / name for name in names if not (folder / name).exists())


def open_recording(path: Path, shown: str) -> Recording:
    """The recording in a file, which messages call `shown`.

    RecordingError says what is wrong with the file; ScenarioErrors, what is wrong with the scenario in it.
    """
    return read(_contents(path, shown), shown)


def read(text: str, shown: str) -> Recording:
    """The recording in the text of a file."""
    try:
        found = json.loads(text)
    except json.JSONDecodeError as error:
        where = Place(shown, error.lineno, error.colno)
        raise RecordingError(f"not a recording: {error.msg}", where=where, next_step=_WRONG_FILE) from None
    except (RecursionError, ValueError):
        raise RecordingError(
            "not a recording: nested too deep, or too long a number", where=shown, next_step=_WRONG_FILE
        ) from None
    return _Reader(shown).recording(found)


def _contents(path: Path, shown: str) -> str:
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise RecordingError("this is no regular file", where=shown, next_step=_WRONG_FILE)
        with path.open("rb") as stream:
            raw = stream.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = (getattr(error, "strerror", "") or str(error)).lower()
        raise RecordingError(f"cannot read the file: {reason}", where=shown) from None
    if len(raw) > MAX_BYTES:
        raise RecordingError(
            f"the file is larger than {MAX_BYTES >> 10} KiB", where=shown, next_step=_WRONG_FILE
        )
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise RecordingError("the file is not UTF-8 text", where=shown, next_step=_WRONG_FILE) from None


class _Reader:
    """Takes a decoded file apart; everything in it may be anything."""

    def __init__(self, shown: str) -> None:
        self.shown = shown

    def recording(self, found: Any) -> Recording:
        """The recording in a decoded file."""
        top = self._fields(found, "the recording", {"wireside", "recording"}, others=True)
        version = self._word(top["wireside"], "wireside")
        if version != __version__ or repr(top["recording"]) != repr(FORMAT):
            raise self._wrong(
                f"this recording was made by Wireside {version}, and this is Wireside {__version__}, "
                "in which the same commands may lead elsewhere",
                f"Play it with Wireside {version}, or the scenario itself with this one.",
            )
        names = {"wireside", "recording", "scenario", "kernel", "seed", "knobs", "commands", "moment"}
        top = self._fields(found, "the recording", names)
        kernel = self._word(top["kernel"], "kernel")
        if kernel not in PROFILES:
            raise self._wrong(f"there is no kernel profile {quoted(kernel)}", _WRONG_FILE)
        scenario = self._fields(top["scenario"], "scenario", {"name", "text"})
        text = scenario["text"]
        if not isinstance(text, str):
            raise self._wrong("the text of its scenario is no text", _WRONG_FILE)
        name = Path(self._word(scenario["name"], "the scenario's name")).name or "recording"
        beginning = Beginning(
            load_text(text, f"{name}.yaml", shown=f"{self.shown}: {name}", kernel=kernel),
            self._number(top["seed"], "seed", MAX_SEED),
            self._knobs(top["knobs"]),
        )
        return Recording(beginning, self._commands(top["commands"]), self._moment(top["moment"]))

    def _moment(self, found: Any) -> Position:
        fields = self._fields(found, "moment", set(Position._fields))
        whole = fields["whole"]
        if not isinstance(whole, bool):
            raise self._wrong("its moment is neither whole nor not", _WRONG_FILE)
        due = self._number(fields["due"], "a number of beats", MAX_TOLD)
        return Position(*self._time(fields), whole, due)

    def _commands(self, found: Any) -> tuple[Command, ...]:
        if not isinstance(found, list) or len(found) > MOST_COMMANDS:
            raise self._wrong(f"its commands are no list of at most {MOST_COMMANDS:,}", _WRONG_FILE)
        commands = []
        for each in found:
            fields = self._fields(each, "a command", set(Command._fields))
            words = (self._word(fields[name], f"a command's {name}") for name in ("host", "name", "value"))
            commands.append(Command(*self._time(fields), *words))
        if any(one[:2] > other[:2] for one, other in pairwise(commands)):
            raise self._wrong("its commands are not in the order of their times", _WRONG_FILE)
        return tuple(commands)

    def _knobs(self, found: Any) -> Mapping[str, str]:
        if not isinstance(found, dict) or len(found) > MOST_COMMANDS:
            raise self._wrong("its knobs are no table", _WRONG_FILE)
        return {
            self._word(name, "a knob"): self._word(value, "a knob's value") for name, value in found.items()
        }

    def _time(self, fields: Mapping[str, Any]) -> tuple[int, int]:
        return (
            self._number(fields["time_ns"], "a time", MAX_TIME_NS),
            self._number(fields["told"], "a number of beats", MAX_TOLD),
        )

    def _fields(self, found: Any, what: str, names: set[str], *, others: bool = False) -> Mapping[str, Any]:
        if not isinstance(found, dict):
            raise self._wrong(f"{what} is no table of names and values", _WRONG_FILE)
        if missing := names - found.keys():
            raise self._wrong(f"{what} has no {quoted(min(missing))}", _WRONG_FILE)
        if not others and (strange := found.keys() - names):
            raise self._wrong(f"{what} has an unknown field {quoted(min(strange))}", _WRONG_FILE)
        return found

    def _word(self, found: Any, what: str) -> str:
        if not isinstance(found, str) or len(found) > MAX_WORD:
            raise self._wrong(f"{what} is no text of at most {MAX_WORD} characters", _WRONG_FILE)
        return clean(found)

    def _number(self, found: Any, what: str, most: int) -> int:
        if isinstance(found, bool) or not isinstance(found, int) or not 0 <= found <= most:
            raise self._wrong(f"{what} is no whole number from 0 to {most:,}", _WRONG_FILE)
        return found

    def _wrong(self, what: str, next_step: str) -> RecordingError:
        return RecordingError(what, where=self.shown, next_step=next_step)
