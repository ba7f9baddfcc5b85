"""The command line: what a user may type, and which command answers.

Nothing outside the standard library and this folder is imported here; each command imports what it needs when it is called.
"""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, Any, NoReturn

from wireside import __version__
from wireside.cli.outcome import (
    BROKEN_PIPE,
    CANNOT_WRITE,
    CRASHED,
    INTERRUPTED,
    USAGE,
    show_crash,
    show_error,
    tell,
)
from wireside.cli.streams import abandon, prepare

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Command = Callable[[argparse.Namespace], int]

COMMANDS = ("play", "list", "run", "check")

EPILOG = """\
SCENARIO is an id that `wireside list` shows, or the path of a YAML file; `play` also takes a recording (.wsr).
Without a command, wireside opens the first lesson.

exit status: 0 all expectations hold, 1 one does not, 2 a bad file or option, 3 the output cannot be written,
             70 a fault of Wireside itself, 130 interrupted, 141 nobody reads the output any more
"""
SET_HELP = (
    "set a knob from the start: a sysctl, nic.rx_ring, PROGRAM.PARAMETER; HOST:NAME=VALUE for one host only"
)


class _Parser(argparse.ArgumentParser):
    """argparse with short errors that come with the nearest right word."""

    def error(self, message: str) -> NoReturn:
        from wireside.errors import CommandError

        raise CommandError(message, next_step=f"`{self.prog} --help` shows how it is used.")

    def _print_message(self, message: str, file: Any = None) -> None:
        """Print, and let a failure be seen: argparse itself would keep it quiet."""
        (file or sys.stderr).write(message)


def _parser() -> _Parser:
    parser = _Parser(
        prog="wireside",
        description="A ringside seat in the Linux network stack: watch packets travel from the wire to read().",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"wireside {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", parser_class=_Parser)

    play = commands.add_parser(
        "play", help="watch a scenario, or a saved recording, in the terminal", allow_abbrev=False
    )
    play.add_argument("scenario", metavar="SCENARIO")
    _common(play)

    commands.add_parser("list", help="show the scenarios that come with it", allow_abbrev=False)

    run = commands.add_parser("run", help="run a scenario without a screen and report", allow_abbrev=False)
    run.add_argument("scenario", metavar="SCENARIO")
    run.add_argument("--until", metavar="T", help="stop at this simulated time, such as 250ms")
    _common(run)
    run.add_argument(
        "--at",
        metavar="T:NAME=VALUE",
        action="append",
        default=[],
        help="turn a knob at a simulated time while it runs; may be given again",
    )
    run.add_argument("--json", action="store_true", help="print one JSON document instead of tables")

    check = commands.add_parser(
        "check", help="play scenarios and check what they promise", allow_abbrev=False
    )
    check.add_argument(
        "files", metavar="FILE", nargs="*", help="scenario files; all that come with it by default"
    )
    return parser


def _common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--set", metavar="NAME=VALUE", action="append", default=[], help=SET_HELP)
    parser.add_argument(
        "--seed", type=_seed, metavar="N", help="the seed of all randomness (default: the scenario's)"
    )
    parser.add_argument("--kernel", metavar="VERSION", help="the kernel whose rules hold: 6.18 or 6.12")


def _seed(text: str) -> int:
    from wireside.scenario.units import Kind, UnitError, parse

    try:
        seed = int(parse(Kind.COUNT, text))
    except UnitError as error:
        raise argparse.ArgumentTypeError(error.what) from None
    if seed < 0:
        raise argparse.ArgumentTypeError("it must be 0 or more")
    return seed


def main(arguments: Sequence[str]) -> int:
    """Carry out a command line; the exit status."""
    prepare()
    try:
        try:
            status = _run(list(arguments))
        except SystemExit as done:  # argparse leaves this way after --help and --version
            status = int(done.code or 0)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        abandon(sys.stdout)
        return BROKEN_PIPE
    except OSError as error:
        abandon(sys.stdout)
        tell(f"wireside: cannot write: {(error.strerror or str(error)).lower()}")
        return CANNOT_WRITE
    except Exception as error:  # noqa: BLE001  (the last resort: a fault of ours gets its own status)
        from wireside.errors import WiresideError

        if not isinstance(error, WiresideError):
            show_crash(error)
            return CRASHED
        show_error(error)
        return USAGE
    return status


def _run(arguments: list[str]) -> int:
    _check_command(arguments)
    parser = _parser()
    options, unknown = parser.parse_known_args(arguments)
    if unknown:
        _refuse(unknown[0], options.command, parser)
    return _command(options.command)(options)


def _check_command(arguments: list[str]) -> None:
    """Refuse an unknown first word in our own voice, with the command or scenario it may have meant."""
    if not arguments or arguments[0].startswith("-") or arguments[0] in COMMANDS:
        return
    from difflib import get_close_matches

    from wireside.errors import CommandError

    word = arguments[0]
    near = get_close_matches(word, COMMANDS, n=1)
    advice = f"Did you mean `wireside {near[0]}`?" if near else f"Commands: {', '.join(COMMANDS)}."
    if not near and (word.endswith((".yaml", ".yml")) or "-" in word):
        advice = f"Did you mean `wireside play {word}`?"
    raise CommandError(f"unknown command {word!r}", next_step=advice)


def _refuse(word: str, command: str | None, parser: argparse.ArgumentParser) -> NoReturn:
    from difflib import get_close_matches

    from wireside.errors import CommandError

    name = f"wireside {command}" if command else "wireside"
    if not word.startswith("-"):
        raise CommandError(
            f"{word!r} is one argument too many", next_step=f"`{name} --help` shows how it is used."
        )
    known = _options(parser, command)
    near = get_close_matches(word.partition("=")[0], known, n=1)
    advice = f"Did you mean {near[0]}?" if near else f"{name} knows {', '.join(known)}."
    raise CommandError(f"unknown option {word}", next_step=advice)


def _options(parser: argparse.ArgumentParser, command: str | None) -> list[str]:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction) and command in action.choices:
            parser = action.choices[command]
    return [
        option for action in parser._actions for option in action.option_strings if option.startswith("--")
    ]


def _command(name: str | None) -> Command:
    if name == "list":
        from wireside.cli.listing import run_list

        return run_list
    if name == "run":
        from wireside.cli.run import run_run

        return run_run
    if name == "check":
        from wireside.cli.check import run_check

        return run_check
    from wireside.cli.play import run_play

    return run_play
