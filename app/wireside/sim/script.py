"""Runs a script: a list of system calls with variables, loops and expected results."""

from __future__ import annotations

from operator import eq, ge, gt, le, lt, ne
from typing import TYPE_CHECKING, Any

from wireside.catalog.errno import EAGAIN, EINPROGRESS, EINTR, EMSGSIZE, ERRNOS, errno_name
from wireside.catalog.flags import REVENTS
from wireside.catalog.sockopts import WORDS
from wireside.catalog.syscalls import FAMILIES, SYSCALLS, Arg
from wireside.kernel.core.call import Syscall
from wireside.scenario.datagrams import UDP_MAX_PAYLOAD, segmenting
from wireside.scenario.spec import Break, Call, Message, Place, Statement, Watch
from wireside.sim.memory import (
    address_memory,
    message_memory,
    option_memory,
    poll_memory,
)
from wireside.sim.run import NEVER, Sleep, Spin, Tally
from wireside.sim.spin import Rounds
from wireside.sim.strace import call_text, outcome_text, result_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from wireside.scenario.spec import Argument
    from wireside.sim.memory import Address, Filled, Value
    from wireside.sim.run import Program

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

    __slots__ = ("args", "filled", "frames", "pending", "resolve", "segmenting", "spun", "tally", "variables")

    def __init__(self, script: tuple[Statement, ...], resolve: Callable[[str], tuple[int, int]]) -> None:
        self.frames = [Frame(script, 1, 0)]
        self.variables: dict[str, Value] = {}
        self.pending: Call | None = None
        self.args: tuple[Any, ...] = ()
        """Its arguments, as the kernel has them."""
        self.filled: list[Filled] = []
        """What the pending call gives the kernel to fill."""
        self.tally = Tally()
        self.spun: tuple[int, int] | None = None
        """The innermost loop lets rounds pass that come to nothing: what one of them adds to (failed, kept)."""
        self.resolve = resolve
        self.segmenting = bool(segmenting(script))
        """It uses UDP_SEGMENT: what is refused for its size is refused on Linux, too."""

    def inherit(self, parent: Program) -> None:
        """A child has its parent's variables, as they are."""
        if isinstance(parent, Script):
            self.variables = dict(parent.variables)

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
        if self.filled:
            self.filled = []
        self.args = args = self._arguments(call)
        if call.name == "sleep":
            return Sleep(now + int(args[0]), "sleep()")
        return Syscall(call.name, args)

    def _settle(self, call: Call, result: int, now: int) -> None:
        if self.filled:
            result = self._take(call, result, now)
        if call.bind:
            self.variables[call.bind] = result
        self._count(call, result)
        if result == -EMSGSIZE:
            self._refused(call, now)
        if call.expected:
            self._judge(call, result, now)
        for frame in self.frames:
            frame.watch.note(call.name, self.args, result)

    def _take(self, call: Call, result: int, now: int) -> int:
        """Keep what the kernel has filled in, or look whether it is what must come; what the script takes for the result.

        Of a poll() of one descriptor that is the events.
        """
        for each in self.filled:
            place = each.place
            value = each.value() if result >= 0 else None
            if place.keep and value is not None:
                self.variables[place.keep] = value
            elif place.must is not None:
                if call.expected and result < 0 and _as_expected(call, result):
                    continue
                unmet = each.unmet(value, self.resolve)
                if unmet:
                    self._broken(call, f"gave {unmet}" if result >= 0 else f"gave {result_text(result)}", now)
                else:
                    self.tally.kept += 1
        if call.name == "poll" and result > 0 and not isinstance(call.args[0], tuple):
            events = self.filled[0].value()
            assert isinstance(events, int)
            return events
        return result

    def _broken(self, call: Call, how: str, now: int) -> None:
        """A promise was not kept; the first of them is told."""
        if not self.tally.unmet:
            self.tally.unmet = f"{call_text(call.name, call.args)} {how}"
            self.tally.unmet_at, self.tally.unmet_where = now, str(call.position)

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
        size = self.args[1]
        if not self.segmenting and size <= UDP_MAX_PAYLOAD:
            self._broken(call, "needs fragments, which are not modelled: it was refused", now)

    def _judge(self, call: Call, result: int, now: int) -> None:
        if _as_expected(call, result):
            self.tally.kept += 1
        else:
            gave = outcome_text("" if isinstance(call.args[0], tuple) else call.name, result)
            self._broken(call, f"gave {gave}, not {call.expected}", now)

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
            self._number(statement.variable), number
        )

    def _number(self, value: float | str) -> int:
        """A number, or what the variable of this name holds."""
        if isinstance(value, str):
            held = self.variables.get(value, UNBOUND)
            return held if isinstance(held, int) else UNBOUND
        return int(value)

    def _arguments(self, call: Call) -> tuple[Any, ...]:
        if call.name == "poll":
            return self._poll_arguments(call)
        return tuple(
            self._argument(kind, value)
            for kind, value in zip(SYSCALLS[call.name].kinds, call.args, strict=False)
        )

    def _poll_arguments(self, call: Call) -> tuple[Any, ...]:
        watched = call.args[0]
        if not isinstance(watched, tuple):
            watched = (Watch(watched, str(call.args[1])),)  # type: ignore[arg-type]
        return poll_memory(watched, self._number, self.filled), self._number(call.args[-1])  # type: ignore[arg-type]

    def _argument(self, kind: Arg, value: Argument) -> Any:
        if isinstance(value, Place):
            return (option_memory if kind is Arg.ANSWER else address_memory)(value, self.filled)
        if isinstance(value, Message):
            return self._number(value.iov_len), message_memory(value, self.filled)
        if kind in FAMILIES:
            return FAMILIES[kind].number(str(value))
        if kind is Arg.LOCAL:
            return self.resolve(value) if isinstance(value, str) else (0, value)
        if kind is Arg.ENDPOINT:
            return self._endpoint(str(value))
        if kind in (Arg.NAME, Arg.TEXT, Arg.OPTION, Arg.PROGRAM) or (kind is Arg.VALUE and value in WORDS):
            return value
        assert isinstance(value, int | float | str)
        return self._number(value)

    def _endpoint(self, text: str) -> Address:
        """The address behind "host:port", or in a variable; one that was never filled in is 0.0.0.0:0, as memory is."""
        if ":" in text:
            return self.resolve(text)
        held = self.variables.get(text)
        return held if isinstance(held, tuple) else (0, 0)


def _as_expected(call: Call, result: int) -> bool:
    expected = call.expected
    name = expected.removeprefix("-")
    if name.isdigit():
        return result == int(expected)
    if name in ERRNOS:
        number = ERRNOS[name].number
        return result in (-number, number if call.name == "getsockopt" else -number)
    return result == REVENTS.number(name)
