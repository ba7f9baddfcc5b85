"""Recordings: each opens or is refused in words, within a second of CPU, and what opens can be watched."""

from __future__ import annotations

import json
import time
from copy import deepcopy
from typing import TYPE_CHECKING, Any

from tests.fuzz.hostile import LIFE, NUMBERS, PIECES, TEXTS, mutated
from tests.fuzz.load import LONGEST, MOST_CPU_S
from tests.fuzz.run import StuckError, watched
from wireside.errors import CommandError, RecordingError, ScenarioErrors, WiresideError
from wireside.paint.picture import Picture, pictured
from wireside.scenario import library
from wireside.scenario.load import load
from wireside.session import recording
from wireside.session.commands import Command, Position
from wireside.session.origin import Beginning

if TYPE_CHECKING:
    from pathlib import Path
    from random import Random

    from wireside.session.recording import Recording

CASES = 250
FRAMES = 5
STRANGE: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 1.5, 1e308, float("nan"), float("inf"), 10**18, 10**30, 1 << 63, "", "6.12", "server", "nic.rx_ring", [],
    [[]], {}, {"": {}}, [1] * 20_000, "x" * 5000, *TEXTS, *PIECES, *NUMBERS,
)  # fmt: skip


def case(rng: Random, folder: Path) -> str:
    """Open a damaged recording, and watch it for some frames when it opens."""
    text = _damaged(rng)
    path = folder / "damaged.wsr"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    before = time.process_time()
    try:
        found = recording.open_recording(path, "damaged.wsr")
    except (RecordingError, ScenarioErrors) as error:
        problem = _odd(error)
    else:
        problem = _odd_recording(found)
    took = time.process_time() - before
    if took > MOST_CPU_S:
        return f"it took {took:.1f} s"
    return problem or ("" if "found" not in locals() else _watch(found))


def _odd(error: WiresideError) -> str:
    shown = str(error)
    if not shown.replace("\n", "").isprintable():
        return f"{shown!r} cannot be printed"
    return f"a message of {len(shown)} characters" if len(shown) > LONGEST else ""


def _odd_recording(found: Recording) -> str:
    words = [word for each in found.commands for word in (each.host, each.name, each.value)]
    words += [*found.beginning.sysctl, *found.beginning.sysctl.values(), found.beginning.scenario.id]
    return next((f"{word!r} cannot be printed" for word in words if not word.isprintable()), "")


def _watch(found: Recording) -> str:
    try:
        with watched():
            session = pictured(found.beginning)
            session.take_up(found, time.perf_counter() + 0.1)
            session.pace.paused = False
            for _ in range(FRAMES):
                session.advance(1 / 30, time.perf_counter() + 0.01)
                Picture(session.scenario).frame(session)
            refused = session.refusal()
    except CommandError as error:
        refused = error
    except StuckError:
        return "stuck"
    return _odd(refused) if refused is not None else ""


def _damaged(rng: Random) -> str:
    tree = json.loads(_base(rng).text())
    for _ in range(rng.randint(0, 3)):
        _change(rng, tree)
    text = json.dumps(tree, indent=rng.choice((None, 1)))
    if rng.random() < 0.2:
        at = rng.randint(0, len(text))
        text = (
            text[:at]
            + rng.choice((*PIECES, '"seed": 1,', "[" * 5000, "\0"))
            + text[at + rng.choice((0, 1, 9)) :]
        )
    return text


def _base(rng: Random) -> Recording:
    """A recording of somebody's run: not all of its knobs exist."""
    scenario = load(rng.choice((*library.library(), *sorted(LIFE.glob("*.yaml")))))
    knobs = [(knob.host, knob.name, rng.choice(knob.values or ("1",))) for knob in scenario.knobs]
    knobs.append(
        (
            "server",
            rng.choice(("nic.rx_ring", "no.such", "net.core.somaxconn", "\x1b]0;x")),
            rng.choice(NUMBERS),
        )
    )
    commands = sorted(
        Command(rng.choice((0, 1_000, 2_000_000)), rng.randint(0, 3), *rng.choice(knobs))
        for _ in range(rng.randint(0, 4))
    )
    told, due = rng.choice((0, 1, 2, 1 << 30)), rng.choice((0, 1, 1 << 30))
    moment = Position(rng.choice((0, 3_000_000, recording.MAX_TIME_NS)), told, rng.random() < 0.5, due)
    return recording.Recording(Beginning(scenario, rng.randrange(9)), tuple(commands), moment)


def _change(rng: Random, tree: dict[str, Any]) -> None:
    """One thing in a decoded recording becomes another, is gone, or there is one too many."""
    place: Any = tree
    while True:
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        if not keys:
            return
        key = rng.choice(keys)
        if isinstance(place[key], dict | list) and place[key] and rng.random() < 0.7:
            place = place[key]
            continue
        break
    what = rng.random()
    if key == "text" and what < 0.7:
        place[key] = mutated(rng, 2)
    elif what < 0.1:
        del place[key]
    elif what < 0.2 and isinstance(place, dict):
        place[rng.choice(("x", "\x1b[2J", "wireside"))] = 1
    elif what < 0.3 and isinstance(place, list):
        place.append(deepcopy(place[key]))
    else:
        place[key] = deepcopy(rng.choice(STRANGE))
