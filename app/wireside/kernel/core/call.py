"""One system call under way: what it was asked, how far it is, and when it gives up waiting."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from wireside.kernel.core.file import File
    from wireside.kernel.core.net import Cpu
    from wireside.kernel.core.sock import Sock


class Syscall:
    """One system call under way. `done` is what it has achieved before it had to sleep."""

    __slots__ = ("args", "closing", "done", "name", "started", "timeout_at", "wake_at")

    def __init__(self, name: str, args: tuple[Any, ...]) -> None:
        self.name = name
        self.args = args
        self.done = 0
        self.started = False
        self.closing: File | None = None
        """The file that a close() under way has taken from its descriptor."""
        self.timeout_at = 0
        """When the call ends at the latest, ns; 0 is never."""
        self.wake_at = 0
        """When it looks again at the latest though nothing woke it, ns; 0 is not before `timeout_at`."""

    @property
    def sleeps_until(self) -> int:
        """The latest end of the sleep that begins, ns; 0 is never."""
        if self.wake_at and self.timeout_at:
            return min(self.wake_at, self.timeout_at)
        return self.wake_at or self.timeout_at


def timed_out(cpu: Cpu, call: Syscall, sk: Sock, timeo_ns: int) -> bool:
    """Whether a call has waited as long as SO_RCVTIMEO or SO_SNDTIMEO lets it; 0 is for ever. Notes when it will have.

    Linux: kernel/time/sleep_timeout.c schedule_timeout(): the timer wheel makes it late.
    """
    if not timeo_ns:
        return False
    if not call.timeout_at:
        call.timeout_at = sk.net.machine.timers.wheel_time(cpu.now, cpu.now + timeo_ns)
    return cpu.now >= call.timeout_at
