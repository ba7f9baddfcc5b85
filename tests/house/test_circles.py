"""No file leads back to itself by what it imports, imports for the types alone included."""

from __future__ import annotations

import ast

from tests.house.tree import FILES, circles, module_name, modules_used, parsed

ALLOWED = {
    "wireside.kernel.core": "the kernel's own headers: packet, socket, device, CPU and timer are made of each other",
    "wireside.kernel.drivers": "one NIC driver in three files: the device, its receiving half, its sending half",
}
"""Rooms within which files may know each other, and why."""


def test_only_what_is_one_thing_in_several_files_goes_round():
    trees = {module_name(path): parsed(path) for path in FILES}
    graph = {module: modules_used(tree, set(trees) - {module}) for module, tree in trees.items()}
    found = circles(graph)
    rooms = [{module.rpartition(".")[0] for module in each} for each in found]
    assert [
        each for each, room in zip(found, rooms, strict=True) if not room <= set(ALLOWED) or len(room) > 1
    ] == []
    assert set().union(*rooms) == set(ALLOWED), "a room without a circle needs no leave to have one"
    assert sum(len(each) for each in found) <= 18


def test_a_circle_is_found_and_what_leads_into_it_is_none():
    graph = {"a": {"b"}, "b": {"c"}, "c": {"b", "d"}, "d": set(), "e": {"f"}, "f": {"e"}}
    assert circles(graph) == [["b", "c"], ["e", "f"]]


def test_an_import_for_the_types_alone_counts():
    tree = ast.parse(
        "if TYPE_CHECKING:\n    from house.room import door\nfrom house import yard\nfrom re import match"
    )
    assert modules_used(tree, {"house.room", "house.yard", "house.room.door"}) == {
        "house.room.door",
        "house.yard",
    }
