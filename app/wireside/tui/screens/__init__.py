"""Every screen by its name: one small file each, over one base that ticks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wireside.catalog.actions import ACTIONS, Where
from wireside.catalog.together import DeclarationError, complete
from wireside.tui.screens.journey import JourneyScreen
from wireside.tui.screens.library import LibraryScreen

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from wireside.catalog.actions import Action
    from wireside.tui.screens.ticking import TickingScreen


def collected(
    screens: Iterable[type[TickingScreen]], actions: Iterable[Action] = ACTIONS
) -> dict[str, type[TickingScreen]]:
    """The screens by name; DeclarationError when the registry of actions names one that is not there, or a key without a method."""
    table = {screen.WHERE.screen: screen for screen in screens}
    complete("screen", {where.screen for where in Where}, table)
    for action in actions:
        if action.opens and action.opens not in table:
            raise DeclarationError(f"action {action.name!r} opens {action.opens!r}, which is no screen")
        for where in action.says:
            if not action.opens and not hasattr(table[where.screen], f"do_{action.name}"):
                raise DeclarationError(
                    f"{where.screen} has keys for {action.name!r}, but no do_{action.name}()"
                )
    return table


SCREENS: Mapping[str, type[TickingScreen]] = collected((JourneyScreen, LibraryScreen))
