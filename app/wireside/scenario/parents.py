"""Programs that others fork: who is whose child, and what a child may name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wireside.errors import ScenarioError
from wireside.outside import quoted
from wireside.scenario import nodes
from wireside.scenario.arguments import Names
from wireside.scenario.datagrams import calls_of
from wireside.scenario.units import advice

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    import yaml

    from wireside.scenario.document import Document
    from wireside.scenario.spec import ProgramSpec


class Family:
    """The programs read so far, with the variables of their scripts; `known` names everything an endpoint may name."""

    def __init__(self, known: Collection[str]) -> None:
        self.known = known
        self.programs: dict[str, ProgramSpec] = {}
        self.names: dict[str, Names] = {}

    def names_of(self, program: str, parent: str | None) -> Names:
        """What the script of a program may name: a child knows the variables of its parent."""
        known = self.names.get(parent or "")
        self.names[program] = names = Names(self.known, dict(known.variables) if known is not None else {})
        return names

    def parent_of(self, doc: Document, node: yaml.Node, values: dict[str, Any]) -> ProgramSpec | None:
        """The program that forks this one, if one does; a parent that cannot be is noted."""
        name = values["parent"]
        if name is None:
            return None
        place = nodes.given(node)["parent"]
        parent = self.programs.get(name)
        if parent is None:
            doc.complain(
                place,
                f"there is no program {quoted(name)} above this one",
                advice(name, self.programs) or "A parent stands in front of its children.",
            )
            return None
        if not parent.script:
            doc.complain(
                place, f"{parent.name} is no script, and forks nobody", "Only scripts have fork(PROGRAM)."
            )
        if parent.on != values["on"]:
            doc.complain(
                place, f"{parent.name} is a program of {parent.on}", "A child runs where its parent runs."
            )
        if "start" in nodes.given(node):
            doc.complain(
                nodes.given(node)["start"],
                "a program that is forked has no start of its own",
                f"It begins when {parent.name} calls fork().",
            )
        return parent

    def check_forks(self, doc: Document, programs: Iterable[ProgramSpec]) -> None:
        """Note every fork() of a program that is no child of the caller, and every child that nobody forks."""
        forked: set[str] = set()
        by_name = {program.name: program for program in programs}
        for parent in by_name.values():
            children = [program.name for program in by_name.values() if program.parent == parent.name]
            for call in calls_of(parent.script):
                if call.name != "fork" or not call.args:
                    continue
                name = str(call.args[0])
                forked.add(name)
                if name not in children:
                    what = f"{quoted(name)} is no program with `parent: {parent.name}`"
                    doc.note(ScenarioError(what, where=call.position, next_step=advice(name, children)))
        for program in by_name.values():
            if program.parent and by_name[program.parent].script and program.name not in forked:
                what = f"{program.name} never begins: {program.parent} does not call fork({program.name})"
                doc.note(
                    ScenarioError(
                        what,
                        where=program.position,
                        next_step=f"Write it into the script of {program.parent}.",
                    )
                )
