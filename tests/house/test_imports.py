"""Importing a file names things; it does nothing else, so that no behaviour depends on who imported what."""

from __future__ import annotations

import ast
import tomllib

import pytest

from tests.house.tree import (
    APP,
    FILES,
    ROOT,
    declared,
    module_name,
    parsed,
    readers,
    short,
    work_at_import,
)

KEPT_UNREAD = {
    "tools/": "what real commands print, compared with what they printed on a real host",
    "wire/": "frames as bytes and as tcpdump's lines, compared with two other programs",
    "catalog/glossary.py": "one sentence for each word a reader may ask for",
    "catalog/tcp_states.py": "one sentence for each state a reader may ask for",
}
"""Folders and files that hold public names without a reader in the application, and why they are kept."""
CHAPTERS = sorted((APP / "kernel").rglob("__init__.py"))


@pytest.mark.parametrize("path", FILES, ids=short)
def test_importing_a_file_only_names_things(path):
    assert work_at_import(parsed(path)) == []


def test_every_public_declaration_is_read_by_something():
    trees = {module_name(path): parsed(path) for path in FILES}
    used = readers(trees)
    unread = {
        f"{short(path)}: {name}"
        for path in FILES
        for name, value in declared(trees[module_name(path)])
        if (module_name(path), name) not in used and not collected(value)
    }
    assert not {each for each in unread if not each.startswith(tuple(KEPT_UNREAD))}
    assert not {place for place in KEPT_UNREAD if not any(each.startswith(place) for each in unread)}, (
        "has readers now"
    )
    assert len(KEPT_UNREAD) <= 5


def collected(value):
    """A sysctl is read through the table that collects all; names that count places, `A, B = range(2)`, stand together."""
    return isinstance(value, ast.Call) and ast.unparse(value.func).startswith(("Sysctl[", "range"))


@pytest.mark.parametrize("path", CHAPTERS, ids=short)
def test_every_room_of_the_kernel_opens_with_a_chapter(path):
    chapter = ast.get_docstring(parsed(path)) or ""
    assert len(chapter.split()) >= 15


def test_no_import_is_let_through_upward():
    """Not even for a type's sake: what a room must know of those above it is a Protocol."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
    layers = [each for each in contracts if each["type"] == "layers"]
    assert len(layers) == 2
    assert not any("ignore_imports" in each for each in layers)


def test_there_are_rooms():
    assert len(CHAPTERS) > 10


@pytest.mark.parametrize(
    "text",
    [
        "register('udp', udp_rcv)",
        "for each in ALL:\n    TABLE[each.name] = each",
        "TABLE['udp'] = udp_rcv",
        "if True:\n    TABLE.update(udp=1)",
        "@protocol('udp')\ndef udp_rcv(): ...",
        "try:\n    fast()\nexcept ImportError:\n    pass",
        "TABLE |= {1: 2}",
    ],
)
def test_what_registers_when_it_is_imported_is_found(text):
    assert work_at_import(ast.parse(text))


@pytest.mark.parametrize(
    "text",
    [
        '"""Purpose."""\nfrom a import b\nX = 1\n"""ns."""\nY: int = f(X)\nA, B = 1, 2\nassert A',
        "if __name__ == '__main__':\n    main()",
        "if TYPE_CHECKING:\n    from a import b",
        "@dataclass(frozen=True)\nclass A: ...",
        "@functools.lru_cache(8)\ndef f(): ...",
    ],
)
def test_what_only_names_things_is_lawful(text):
    assert not work_at_import(ast.parse(text))


def test_a_declaration_that_is_only_imported_has_no_reader():
    texts = {
        "house.m": "X = 1\n_Y = 2\ndef f(): return X\nclass A: ...\nB, C, D = 1, 2, 3",
        "house.room": "from house.m import C, D\nD = 4",
        "house.n": "from house import m\nfrom house.m import f, A as a\nfrom house.room import C\n__all__ = ['f']\nm.B\na\nC",
    }
    trees = {module: ast.parse(text) for module, text in texts.items()}
    public = {name for name, _ in declared(trees["house.m"])}
    assert public == {"X", "f", "A", "B", "C", "D"}
    assert {name for name in public if ("house.m", name) not in readers(trees)} == {"f", "D"}
