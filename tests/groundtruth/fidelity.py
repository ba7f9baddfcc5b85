"""The README's section on fidelity: what was played, what matches, and each difference with its reason."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.groundtruth.conformance import HERE, known_differences, not_played

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.groundtruth.conformance import Played

README = HERE.parents[1] / "README.md"
BEGIN, END = (
    "<!-- conformance: written by python -m tests.groundtruth --readme -->",
    "<!-- end of conformance -->",
)
GROUPS = {
    "A": "listener, accept queue",
    "B": "SYN queue, cookies, SYN schedule",
    "C": "receive memory, windows, probes",
    "D": "close, TIME-WAIT, orphans",
    "E": "ports",
    "F": "timers, keepalive, give-up",
    "G": "Nagle, delayed ACK, cork",
    "H": "softirq, backlog, queues",
    "I": "UDP, truesize",
    "L": "windows at start, autotuning",
    "O": "recovery, slow start",
    "P": "odd segments",
    "Q": "turning sysctls live",
    "S": "states and defaults",
}


def section(played: Sequence[Played]) -> str:
    """The table by group, the line with the total, and the known differences."""
    lines = ["| recordings | about | observations | match |", "| --- | --- | --: | --: |"]
    for group, about in GROUPS.items():
        members = [each for each in played if each.document.startswith(group)]
        if members:
            names = " ".join(each.document for each in members)
            total, matching = (
                sum(len(each.comparisons) for each in members),
                sum(each.matching for each in members),
            )
            lines.append(f"| {names} | {about} | {total} | {matching} |")
    total, matching = sum(len(each.comparisons) for each in played), sum(each.matching for each in played)
    lines += ["", f"**{matching} of {total} observations match ({100 * matching / total:.1f} %).**"]
    missing = not_played()
    if missing:
        lines[-1] += f" Not played: {' '.join(missing)}."
    lines += ["", "What differs, and why:", ""]
    reasons: dict[str, list[str]] = {}
    for (document, name), why in known_differences().items():
        reasons.setdefault(" ".join(why.split()), []).append(f"{document} `{name}`")
    lines += [f"- {'; '.join(names)}: {why}" for why, names in reasons.items()]
    return "\n".join(lines)


def readme_section() -> str:
    """The section as it stands in the README."""
    text = README.read_text(encoding="utf-8")
    return text[text.index(BEGIN) + len(BEGIN) : text.index(END)].strip()


def write_readme(played: Sequence[Played]) -> None:
    """Put the section into the README."""
    text = README.read_text(encoding="utf-8")
    begin, end = text.index(BEGIN) + len(BEGIN), text.index(END)
    README.write_text(f"{text[:begin]}\n\n{section(played)}\n\n{text[end:]}", encoding="utf-8")
