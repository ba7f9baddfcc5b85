"""Command lines: each ends with a status that says why, a few words, and no traceback."""

from __future__ import annotations

import io
import os
from contextlib import chdir, redirect_stderr, redirect_stdout
from typing import TYPE_CHECKING

from tests.fuzz.hostile import NUMBERS, bases, mutated
from wireside.cli.main import main
from wireside.scenario import library

if TYPE_CHECKING:
    from pathlib import Path
    from random import Random

CASES = 1200
LONGEST = 4_000
WORDS = ("play", "run", "check", "list", "--help", "--version", "rnu", "", "-", "--", "-h", "--json", "--until", "--set", "--at", "--seed",
         "--kernel", "6.18", "6.12", "7", "--nope", "\x1b[2J", "\udcff", "漢字", "x" * 5000, "=", ":", "..", "/", ".", "/dev/null", "%s")  # fmt: skip
NAMES = ("nic.rx_ring", "nic.rx_usecs", "nic.kind", "nic.tbf", "nic.rps_cpus", "net.ipv4.tcp_rmem", "somaxconn", "reader.read", "reader.rate",
         "server:nic.gro", "nobody:x", "tcp_congestion_control", "ip_local_reserved_ports", "nic.", ".", "reader.")  # fmt: skip
VALUES = (
    *NUMBERS,
    "true",
    "[",
    "[" * 3000,
    "{a: b}",
    "&a [*a]",
    "4096 65536 65536",
    "50us",
    "1s",
    "\x1b]0;x\x07",
    "[0, 1]",
    "cubic",
    "80-20",
)


def case(rng: Random, folder: Path) -> str:
    """Carry out a random line, in a folder with a damaged file, a directory and a pipe."""
    for name, text in (("good.yaml", rng.choice(bases())), ("bad.yaml", mutated(rng))):
        (folder / name).write_text(text, encoding="utf-8", errors="surrogatepass")
    (folder / "folder.yaml").mkdir(exist_ok=True)
    if not (folder / "pipe.yaml").exists():
        os.mkfifo(folder / "pipe.yaml")
    arguments = _line(rng)
    out, err = io.StringIO(), io.StringIO()
    with chdir(folder), redirect_stdout(out), redirect_stderr(err):
        status = main(arguments)
    return _judged(status, out.getvalue(), err.getvalue(), arguments)


def _line(rng: Random) -> list[str]:
    if rng.random() < 0.3:
        words = rng.choices(WORDS, k=rng.randint(0, 5))
        return words if words[:1] != ["check"] or len(words) > 1 else ["check", "bad.yaml"]
    scenario = rng.choice(
        (*library.index(), "good.yaml", "bad.yaml", "folder.yaml", "pipe.yaml", "./nowhere", *WORDS[-9:])
    )
    line = ["run", scenario, "--until", rng.choice(("1us", "1ms", "100us") * 8 + VALUES[:12])]
    for _ in range(rng.randint(0, 3)):
        setting = f"{rng.choice(NAMES)}={rng.choice(VALUES)}"
        line += rng.choice(
            (
                ["--set", setting],
                ["--at", f"{rng.choice(('0s', '1us', *NUMBERS))}:{setting}"],
                ["--seed", rng.choice(NUMBERS)],
            )
        )
    return [*line, *(["--json"] if rng.random() < 0.3 else [])]


def _judged(status: int, out: str, err: str, arguments: list[str]) -> str:
    problem = ""
    if status not in (0, 1, 2):
        problem = f"status {status}"
    elif status == 1 and "FAIL" not in out and '"holds": false' not in out and "is now" not in out:
        problem = "status 1 without an expectation that failed"
    elif status == 2 and not err:
        problem = "status 2 without a word"
    elif "Traceback" in err:
        problem = "a traceback"
    elif not (out + err).replace("\n", "").isprintable():
        problem = "what is printed cannot be printed"
    elif len(err) > LONGEST * 10:
        problem = f"{len(err)} characters of error"
    return f"{problem}: {[word[:80] for word in arguments]}\n{err[-3000:]}" if problem else ""
