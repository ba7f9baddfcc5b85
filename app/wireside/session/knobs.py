"""Knobs that a scenario offers: their value, their default, the values worth stepping through."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from wireside.catalog.sysctls import BY_NAME, format_value
from wireside.scenario.spec import KnobSpec

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from wireside.catalog.kinds import Sysctl

_NUMBER = re.compile(r"(-?\d+(?:\.\d+)?)([kKMG]?)(i?)")
_POWER = {"": 0, "k": 1, "K": 1, "M": 2, "G": 3}
_WORDS = {"1": "true", "0": "false"}


@dataclass(frozen=True, slots=True)
class KnobRow:
    """One knob as the pane shows it."""

    host: str
    """Whose knob it is; "" for every host's at once."""
    name: str
    label: str
    value: str
    default: str
    when: str
    """When a change takes effect, in one phrase."""
    doc: str
    values: tuple[str, ...]
    allowed: str = ""
    """What it can be set to, in one phrase; empty where only trying tells."""
    unit: str = ""
    """What its numbers count, as the catalog says: "bytes", "port"."""

    @property
    def changed(self) -> bool:
        """Whether the value differs from the default."""
        return self.value.split() != self.default.split()


def sysctl_of(name: str) -> Sysctl[Any] | None:
    """The declaration behind a knob's name; None for a device's or program's knob."""
    return BY_NAME.get(name)


def knob_row(spec: KnobSpec, value: str, at_start: str, kernel: str) -> KnobRow:
    """The row for `spec`, whose value is now `value` and was `at_start` when the run began."""
    sysctl = sysctl_of(spec.name)
    if sysctl is None:
        return KnobRow(spec.host, spec.name, spec.name, value, at_start, "", spec.doc, spec.values)
    default = format_value(sysctl.default_for(kernel))
    values = spec.values or tuple(format_value(step) for step in sysctl.steps)
    label = spec.name.rpartition(".")[2]
    doc = spec.doc or sysctl.doc
    effect, allowed, unit = sysctl.takes_effect, sysctl.allowed, sysctl.unit
    return KnobRow(spec.host, spec.name, label, value, default, effect, doc, values, allowed, unit)


def sysctl_row(sysctl: Sysctl[Any], value: str, kernel: str) -> KnobRow:
    """The row of a sysctl that the scenario does not offer itself: it is turned on every host."""
    return knob_row(KnobSpec("", sysctl.name), value, value, kernel)


def with_sysctls(
    own: Sequence[KnobRow], names: Iterable[str], values: Mapping[str, str], kernel: str
) -> tuple[KnobRow, ...]:
    """The rows of a scenario's `own` knobs, and below them those of the sysctls `names` that it does not offer itself.

    `values` are those of the host in focus; what it does not have gets no row.
    """
    offered = {row.name for row in own}
    others = (name for name in names if name in values and name not in offered)
    return (*own, *(sysctl_row(BY_NAME[name], values[name], kernel) for name in others))


def _size(text: str) -> tuple[float, ...]:
    """What orders values: their numbers, the last one first (the limit of a triple)."""
    found = _NUMBER.findall(text)
    return tuple(float(n) * (1024 if binary else 1000) ** _POWER[unit] for n, unit, binary in reversed(found))


def stepped(values: Sequence[str], current: str, direction: int) -> str | None:
    """The next sensible value upward (+1) or downward (-1); None when there is none."""
    plain = [" ".join(v.split()) for v in values]
    now = " ".join(current.split())
    if now not in plain and _WORDS.get(now) in plain:
        now = _WORDS[now]
    if now in plain:
        index = plain.index(now) + direction
        return values[index] if 0 <= index < len(values) else None
    if not all(_NUMBER.search(v) for v in (*plain, now)):
        return values[0] if values else None
    above = [v for v in values if _size(v) > _size(now)]
    below = [v for v in values if _size(v) < _size(now)]
    if direction > 0:
        return min(above, key=_size, default=None)
    return max(below, key=_size, default=None)
