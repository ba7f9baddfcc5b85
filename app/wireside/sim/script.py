"""Runs a script: a list of system calls with variables, loops and expected results."""

from __future__ import annotations

from operator import eq, ge, gt, le, lt, ne
from typing import TYPE_CHECKING, Any

from wireside.catalog.errno import EAGAIN, EINPROGRESS, EINTR, EMSGSIZE, ERRNOS, errno_name
from wireside.kernel.syscalls.call import Syscall
from wireside.scenario.datagrams import UDP_MAX_PAYLOAD, segmenting
from wireside.scenario.spec import Break, Call, Statement
from wireside.scenario.syscalls import ALGORITHMS, CONSTANTS, POLL_EVENTS, SYSCALLS, Arg
from wireside.sim.run import NEVER, Sleep, Spin, Tally
from wireside.sim.spin import Rounds

if TYPE_CHECKING:
    from collections.abc import Callable


SHOWN_FDS = 4
"""As many descriptors of a poll() are shown."""
UNBOUND = -1
"""Stands for a variable that no call has given a value yet."""
NOT_YET = (-EAGAIN, -EINPROGRESS, -EINTR)
"""Results that are no failure: the call is to be made again, or goes on by itself."""


COMPARISONS: dict[str, Callable[[int, int], bool]] = {
    "==": eq, "!=": ne, "<": lt, "<=": le, ">": gt, ">=": ge,
}  # fmt: skip
"""What `break if` may ask."""


class Frame:
    """A body of statements being run: where it is, and how many more rounds it makes (None: until a break)."""

    __slots__ = ("body", "busy", "counted", "index", "rounds", "watch")

    def __init__(self, body: tuple[Statement, ...], rounds: int | None, now: int) -> None:
        self.busy = False
        """The present round has made a call; a loop whose round makes none is over."""
        self.body = body
        self.index = 0
        self.rounds = rounds
        self.watch = Rounds(now)
        self.counted = (0, 0)
        """What the tally said of (failed, kept) when the present round began."""


class Script:
    """A script under way. Its variables hold the results that calls were bound to."""

    __slots__ = ("frames", "pending", "resolve", "segmenting", "spun", "tally", "variables")

    def __init__(self, script: tuple[Statement, ...], resolve: Callable[[str], tuple[int, int]]) -> None:
        self.frames = [Frame(script, 1, 0)]
        self.variables: dict[str, int] = {}
        self.pending: Call | None = None
        self.tally = Tally()
        self.spun: tuple[int, int] | None = None
        """The innermost loop lets rounds pass that come to nothing: what one of them adds to (failed, kept)."""
        self.resolve = resolve
        self.segmenting = bool(segmenting(script))
        """It uses UDP_SEGMENT: what is refused for its size is refused on Linux, too."""

    def next(self, now: int, result: int) -> Syscall | Sleep | Spin | None:
        """Settle the call before, then name the next."""
        call = self.pending
        if call is not None:
            self.pending = None
            self._settle(call, result, now)
        elif self.spun is not None:
            self._go_on(now, result, *self.spun)
        step = self._advance(now)
        if step is None or isinstance(step, Spin):
            return step
        self.pending = call = step
        args = self._arguments(call)
        if call.name == "sleep":
            return Sleep(now + int(args[0]), "sleep()")
        return Syscall(call.name, args)

    def _settle(self, call: Call, result: int, now: int) -> None:
        if call.bind:
            self.variables[call.bind] = result
        self._count(call, result)
        if result == -EMSGSIZE:
            self._refused(call, now)
        if call.expected:
            self._judge(call, result, now)
        for frame in self.frames:
            frame.watch.note(call.name, call.args, result)

    def _go_on(self, now: int, passed: int, failed: int, kept: int) -> None:
        """Rounds have passed that came to nothing."""
        self.spun = None
        self.tally.failed += passed * failed
        self.tally.kept += passed * kept
        frame = self.frames[-1]
        frame.watch.restart(now)
        frame.counted = self.tally.failed, self.tally.kept
        if frame.rounds is not None:
            frame.rounds -= passed

    def _count(self, call: Call, result: int) -> None:
        if result < 0:
            if result not in NOT_YET:
                self.tally.fail(errno_name(-result))
        elif call.name == "connect":
            self.tally.connected += 1
        elif call.name == "accept":
            self.tally.accepted += 1

    def _refused(self, call: Call, now: int) -> None:
        """A send was too large: Linux takes it and sends fragments, so that is told as a promise not kept."""
        size = self._arguments(call)[1]
        if not self.tally.unmet and not self.segmenting and size <= UDP_MAX_PAYLOAD:
            text = call_text(call.name, call.args)
            self.tally.unmet = f"{text} needs fragments, which are not modelled: it was refused"
            self.tally.unmet_at, self.tally.unmet_where = now, str(call.position)

    def _judge(self, call: Call, result: int, now: int) -> None:
        tally = self.tally
        if _as_expected(call, result):
            tally.kept += 1
        elif not tally.unmet:
            gave = outcome_text(call.name, result)
            tally.unmet = f"{call_text(call.name, call.args)} gave {gave}, not {call.expected}"
            tally.unmet_at, tally.unmet_where = now, str(call.position)

    def _advance(self, now: int) -> Call | Spin | None:
        frames = self.frames
        while frames:
            frame = frames[-1]
            if frame.index >= len(frame.body):
                spin = self._round_over(frame, now)
                if spin is not None:
                    return spin
                continue
            statement = frame.body[frame.index]
            frame.index += 1
            if isinstance(statement, Call):
                for each in frames:
                    each.busy = True
                return statement
            if isinstance(statement, Break):
                if self._breaks(statement):
                    frames.pop()
            elif statement.times != 0:
                frames.append(Frame(statement.body, statement.times, now))
        return None

    def _round_over(self, frame: Frame, now: int) -> Spin | None:
        """Begin the loop's next round or leave it; rounds that only repeat what came to nothing may pass at once."""
        round_ns, calls = frame.watch.over(now)
        failed, kept = frame.counted
        frame.counted = self.tally.failed, self.tally.kept
        if frame.rounds is not None:
            frame.rounds -= 1
        if frame.rounds == 0 or not frame.busy:
            self.frames.pop()
            return None
        frame.index = 0
        frame.busy = False
        if not round_ns:
            return None
        self.spun = self.tally.failed - failed, self.tally.kept - kept
        return Spin(round_ns, calls, NEVER if frame.rounds is None else frame.rounds - 1)

    def _breaks(self, statement: Break) -> bool:
        limit = statement.limit
        number = -ERRNOS[limit].number if limit in ERRNOS else int(limit)
        return not statement.variable or COMPARISONS[statement.comparison](
            self.variables.get(statement.variable, UNBOUND), number
        )

    def _arguments(self, call: Call) -> tuple[Any, ...]:
        declared = SYSCALLS[call.name]
        kinds = (*declared.args, *(kind for kind, _ in declared.optional))
        return tuple(self._argument(kind, value) for kind, value in zip(kinds, call.args, strict=False))

    def _argument(self, kind: Arg, value: float | str) -> Any:
        if kind is Arg.LOCAL:
            return self.resolve(value) if isinstance(value, str) else (0, int(value))
        if kind is Arg.ENDPOINT:
            return self.resolve(str(value))
        if kind in (Arg.NAME, Arg.TEXT):
            return str(value)
        if isinstance(value, str):
            if value in self.variables:
                return self.variables[value]
            return value if kind in CONSTANTS or value in ALGORITHMS else UNBOUND
        return int(value)


def _as_expected(call: Call, result: int) -> bool:
    expected = call.expected
    name = expected.removeprefix("-")
    if name.isdigit():
        return result == int(expected)
    if name in ERRNOS:
        number = ERRNOS[name].number
        return result in (-number, number if call.name == "getsockopt" else -number)
    return result == sum({POLL_EVENTS[part] for part in name.split("|")})


def outcome_text(name: str, result: int) -> str:
    """A call's result as strace prints it; poll()'s as the events it tells."""
    if name != "poll" or result <= 0:
        return result_text(result)
    return "|".join(event for event, bit in POLL_EVENTS.items() if result & bit)


def result_text(result: int) -> str:
    """A system call's result as strace prints it, such as "1448" or "-EAGAIN"."""
    return str(result) if result >= 0 else f"-{errno_name(-result)}"


def call_text(name: str, args: tuple[object, ...]) -> str:
    """A system call as strace begins it, such as "read(3, 65536)"; a poll() with the descriptors that it asks about."""
    if args and isinstance(args[0], dict):
        shown = [str(fd) for fd in args[0]][:SHOWN_FDS]
        return f"{name}([{', '.join(shown)}{', …' if len(args[0]) > SHOWN_FDS else ''}])"
    return f"{name}({', '.join(_argument_text(arg) for arg in args)})"


def _argument_text(arg: object) -> str:
    if isinstance(arg, tuple) and len(arg) == 2 and isinstance(arg[0], int):
        address, port = arg
        if not address:
            return f":{port}"
        return f"{address >> 24}.{address >> 16 & 255}.{address >> 8 & 255}.{address & 255}:{port}"
    return str(arg)
