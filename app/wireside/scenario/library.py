"""The scenarios that come with Wireside: where they are, in which order, and how a user names one."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

import wireside
from wireside.errors import CommandError, Position, ScenarioError, ScenarioErrors
from wireside.scenario import nodes
from wireside.scenario.document import open_document
from wireside.scenario.units import advice

INDEX = "index.yaml"
SUFFIXES = (".yaml", ".yml")


def scenario_dir() -> Path:
    """The folder of shipped scenarios: inside the installed package, or in the checkout of an editable install."""
    inside = resources.files(wireside) / "_scenarios"
    if inside.is_dir():
        return Path(str(inside))
    return Path(wireside.__file__).resolve().parents[2] / "scenarios"


def index(folder: Path | None = None) -> tuple[str, ...]:
    """The ids of the shipped scenarios in the order to learn them; ScenarioErrors when the index is damaged."""
    folder = folder or scenario_dir()
    doc, root = open_document(folder / INDEX, INDEX)
    ids: list[str] = []
    try:
        for item in nodes.items(doc, root, "the index"):
            name = nodes.words(doc, item)
            if name in ids:
                doc.complain(item, f"{name!r} is listed twice", "Keep one.")
            elif not (folder / f"{name}.yaml").is_file():
                doc.complain(
                    item, f"there is no {name}.yaml beside the index", "Remove the line or add the file."
                )
            ids.append(name)
    except ScenarioError as error:
        doc.note(error)
    doc.raise_problems()
    return tuple(ids)


def library() -> tuple[Path, ...]:
    """The files of the shipped scenarios in the order to learn them."""
    return tuple(scenario_dir() / f"{name}.yaml" for name in index())


def unlisted(folder: Path | None = None) -> tuple[str, ...]:
    """Ids of scenario files in the folder that the index does not name."""
    folder = folder or scenario_dir()
    listed = {*index(folder), Path(INDEX).stem}
    return tuple(sorted(path.stem for path in folder.glob("*.yaml") if path.stem not in listed))


def resolve(text: str) -> Path:
    """The file a user means by an id or a path; CommandError with the nearest id when there is none."""
    path = Path(text)
    if path.suffix in SUFFIXES or len(path.parts) > 1:
        if path.is_file():
            return path
        raise ScenarioErrors(
            (
                ScenarioError(
                    "there is no such file",
                    where=Position(text, 1, 1),
                    next_step="`wireside list` shows the scenarios that come with it.",
                ),
            )
        )
    known = index()
    if text in known:
        return scenario_dir() / f"{text}.yaml"
    raise CommandError(f"there is no scenario {text!r}", next_step=advice(text, known))


def shown_path(path: Path) -> str:
    """How messages name a file: relative to the working directory when it is below it."""
    try:
        return str(path.resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(path)
