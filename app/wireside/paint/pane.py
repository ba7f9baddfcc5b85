"""What a pane declares about itself, once, beside its draw function."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from wireside.paint.frame import Frame
    from wireside.paint.look import Look
    from wireside.paint.surface import Surface
    from wireside.paint.ui import Ui

    Draw = Callable[[Surface, Look, Frame, Ui], None]

PLAIN = (int, float, str, tuple, frozenset)
"""Kinds of facts that are compared by value; larger ones are another fact when they are another object."""


@dataclass(frozen=True, slots=True)
class PaneSpec:
    """One pane: it is drawn every `every` frames at most, and only when something that it `needs` has changed."""

    name: str
    title: str
    """What stands in its frame; "" where that changes, or where there is no frame."""
    draw: Draw
    every: int
    words: tuple[str, ...]
    """The words by which a beat's `look_at` points at it."""
    needs: frozenset[str]
    """The fields of `Frame` and `Ui` from which it is drawn; it reads no others."""

    def seen(self, frame: Frame, ui: Ui) -> tuple[object, ...]:
        """All that it is drawn from."""
        return tuple(getattr(ui if name in ui.__slots__ else frame, name) for name in self.needs)


def is_same(before: tuple[object, ...], after: tuple[object, ...]) -> bool:
    """Whether a pane that was drawn from `before` looks the same from `after`."""
    return len(before) == len(after) and all(
        old is new or (isinstance(new, PLAIN) and old == new) for old, new in zip(before, after, strict=True)
    )
