"""The scenarios that come with Wireside: where they are, in which order, and how a user names one."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

import wireside
from wireside.errors import CommandError, Position, ScenarioError, ScenarioErrors
from wireside.outside import clean, clipped, quoted
from wireside.scenario import nodes
from wireside.scenario.document import open_document
from wireside.scenario.units import advice

INDEX = "index.yaml"
LONGEST_PATH = 200
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
    missing = _missing(path)
    if path.suffix in SUFFIXES or len(path.parts) > 1:
        if not missing:
            return path
        where = Position(clipped(clean(text)), 1, 1)
        advise = "`wireside list` shows the scenarios that come with it."
        raise ScenarioErrors((ScenarioError(missing, where=where, next_step=advise),))
    known = index()
    if text in known:
        return scenario_dir() / f"{text}.yaml"
    if text and not missing and path.is_dir():
        return path  # reading it says what it is
    raise CommandError(f"there is no scenario {quoted(text)}", next_step=advice(text, known))


def _missing(path: Path) -> str:
    """Why there is nothing at a path; empty when there is something, even if it is no regular file."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return "there is no such file"
    except (OSError, ValueError) as error:
        return f"cannot read the file: {(getattr(error, 'strerror', '') or str(error)).lower()}"
    return ""


def shown_path(path: Path) -> str:
    """How messages name a file: relative to the working directory when it is below it."""
    try:
        return clipped(clean(str(path.resolve().relative_to(Path.cwd()))), LONGEST_PATH)
    except (
        OSError,
        RuntimeError,
        ValueError,
    ):  # elsewhere, a circle of links, or a working directory that is gone
        return clipped(clean(str(path)), LONGEST_PATH)
