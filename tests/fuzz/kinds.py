"""The kinds of hostile input, and one case of each."""

from __future__ import annotations

import traceback
from importlib import import_module
from random import Random
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

KINDS = {
    name: f"tests.fuzz.{name}"
    for name in ("load", "conditions", "run", "worlds", "command", "knobs", "keys", "recordings", "travel")
}


def module(name: str) -> Any:
    """The module of a kind."""
    return import_module(KINDS[name])


def play(name: str, number: int, folder: Path) -> str:
    """Case `number` of a kind: what went wrong, or ""; an exception nobody has caught is what must never be."""
    try:
        if name == "worlds":  # these know by themselves what is legal, and raise what is not
            module(name).one(number, folder)
            return ""
        return str(module(name).case(Random(f"{name} {number}"), folder))
    except Exception:  # noqa: BLE001  (whatever it is, it is what the fuzzer looks for)
        return traceback.format_exc(limit=-6)
