"""Declarations that belong together: what one file declares, another has to know, or nothing starts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from wireside.catalog.kinds import Sysctl

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

T = TypeVar("T")


class DeclarationError(Exception):
    """Halves of a declaration do not match: this program's own fault, met when it starts."""


def complete(what: str, declared: Collection[str], table: Mapping[str, T]) -> Mapping[str, T]:
    """`table`, once it is sure that it has each name that is declared, and no other; DeclarationError names them."""
    for name in declared:
        if name not in table:
            raise DeclarationError(f"{what} {name!r} is declared, but nothing carries it out")
    for name in table:
        if name not in declared:
            raise DeclarationError(f"{what} {name!r} is carried out, but declared nowhere")
    return table


def declared_sysctls(names: Mapping[str, object]) -> tuple[Sysctl[Any], ...]:
    """The sysctls among a module's names; DeclarationError when one stands under another name than its own."""
    found = {constant: word for constant, word in names.items() if isinstance(word, Sysctl)}
    for constant, sysctl in found.items():
        if constant != sysctl.name.rpartition(".")[2].upper():
            raise DeclarationError(f"sysctl {sysctl.name!r} is declared as {constant}")
    return tuple(found.values())


def all_sysctls(names: Mapping[str, object], parts: Collection[Sysctl[Any]]) -> tuple[Sysctl[Any], ...]:
    """The sysctls among the names of the module that speaks for all; DeclarationError when one of `parts` is not there."""
    found = declared_sysctls(names)
    for sysctl in parts:
        if sysctl not in found:
            raise DeclarationError(
                f"sysctl {sysctl.name!r} is declared, but catalog.sysctls does not import it"
            )
    return found


def numbered(
    what: str, prefix: str | tuple[str, ...], declared: Collection[str], names: Mapping[str, object]
) -> list[tuple[str, int]]:
    """(name, number) of a module's constants that begin with a prefix, once it is sure that each is declared and no other."""
    table = {
        name: value for name, value in names.items() if name.startswith(prefix) and isinstance(value, int)
    }
    return list(complete(what, declared, table).items())
