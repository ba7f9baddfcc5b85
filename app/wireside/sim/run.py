"""One program under way on a CPU: its task, the call it is in, and what it has done so far."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from wireside.catalog.errno import EINTR
from wireside.catalog.flags import MSG_PEEK

if TYPE_CHECKING:
    from wireside.kernel.core.call import Syscall
    from wireside.kernel.core.net import Cpu
    from wireside.kernel.core.task import Task

NEVER = 1 << 62
"""A time that does not come; a program that sleeps until then waits for a knob."""
READS = frozenset({"read", "recv", "recvfrom", "recvmsg"})
WRITES = frozenset({"write", "send", "sendto"})
SLEEPING, RUNNABLE, RUNNING, BLOCKED, EXITED = "sleeping", "runnable", "running", "blocked", "exited"


def looks_only(args: tuple[Any, ...]) -> bool:
    """A call of READS leaves in the queue what it reads."""
    return len(args) > 2 and bool(args[2] & MSG_PEEK)


class Sleep(NamedTuple):
    """What a program answers when it wants nothing until `until` ns; `why` says what it waits for."""

    until: int
    why: str = ""


class Tally:
    """What became of a program's connections, and of what its script promised."""

    __slots__ = (
        "accepted",
        "answered",
        "connected",
        "error",
        "failed",
        "kept",
        "slowest_ns",
        "told",
        "unmet",
        "unmet_at",
        "unmet_where",
    )

    def __init__(self) -> None:
        self.connected = 0
        """Connections that it opened."""
        self.accepted = 0
        """Connections that accept() gave it."""
        self.answered = 0
        """Requests answered: by a server, or to a client."""
        self.slowest_ns = 0
        """The longest time from a request to the end of its answer, as the client saw it."""
        self.failed = 0
        """Calls (of a client population: visits) that failed."""
        self.told = 0
        """How many of those have been told as events."""
        self.error = ""
        """The last of their errors, such as "EADDRNOTAVAIL"."""
        self.kept = 0
        """Calls of a script that returned what stands after their arrow."""
        self.unmet = ""
        """The first call that did not, in words."""
        self.unmet_at = 0
        """When it returned, ns."""
        self.unmet_where = ""
        """Where it stands, FILE:LINE:COLUMN."""

    def fail(self, error: str) -> None:
        """Count a failure."""
        self.failed += 1
        self.error = error


class Spin(NamedTuple):
    """What a program answers when it only repeats `calls` calls that come to nothing and take `round_ns` together.

    Its next result is how many such rounds have passed, at most `most`.
    """

    round_ns: int
    calls: int
    most: int = NEVER


class Program(Protocol):
    """A program's logic: told the time and its last result, it names the next call; None ends it."""

    tally: Tally

    def inherit(self, parent: Program) -> None:
        """It begins by a fork() of `parent`: take over what it knows."""

    def next(self, now: int, result: int) -> Syscall | Sleep | Spin | None:
        """The next thing to do at `now` ns; `result` is the last system call's, negative errno on failure."""


class ProgramRun:
    """A program as the scheduler sees it.

    `ready_at` is the ns from which it may run (-1 before it has begun), `used_ns` what it used of its present turn.
    """

    __slots__ = (
        "bytes_read",
        "bytes_written",
        "call",
        "calls",
        "name",
        "outcome",
        "program",
        "ready_at",
        "result",
        "sleep",
        "spin_mark",
        "spinning",
        "state",
        "task",
        "timer",
        "used_ns",
        "woken",
    )

    def __init__(self, name: str, task: Task, program: Program | None) -> None:
        self.name = name
        self.task = task
        self.program = program
        self.state = SLEEPING
        self.call: Syscall | None = None
        self.result = 0
        self.outcome: int | None = None
        """The result that becomes known at the end of the running slice; None while it blocks."""
        self.sleep: Sleep | None = None
        self.spinning = 0
        """Calls that the running slice makes to no effect."""
        self.spin_mark = (0, 0, 0)
        """What the host had counted when the program last spun."""
        self.timer: Any = None
        self.woken = False
        self.ready_at = -1
        self.used_ns = 0
        self.calls = 0
        self.bytes_read = 0
        self.bytes_written = 0

    def begin_as_child_of(self, parent: ProgramRun) -> None:
        """It begins by fork(): a script has the variables of its parent, as memory is copied."""
        if self.program is not None and parent.program is not None:
            self.program.inherit(parent.program)

    def spin(self, cpu: Cpu, step: Spin, rounds: int) -> None:
        """Let so many rounds that come to nothing pass on `cpu`; their calls count when the slice is over."""
        cpu.now += rounds * step.round_ns
        self.spinning = rounds * step.calls
        self.result = self.outcome = rounds

    def interrupt(self) -> None:
        """A signal ends the call that it sleeps in."""
        self.task.finish_wait()
        self.call, self.result = None, -EINTR

    def finish_call(self) -> None:
        """Take the running call's outcome as its result."""
        call, outcome = self.call, self.outcome
        if call is None or outcome is None:
            self.calls += self.spinning
            self.spinning = 0
            return
        self.calls += 1
        self.result = outcome
        if outcome > 0:
            if call.name in READS:
                self.bytes_read += 0 if looks_only(call.args) else outcome
            elif call.name == "recvmmsg":
                self.bytes_read += call.done
            elif call.name in WRITES:
                self.bytes_written += outcome
        self.call = None
