"""System calls of tests, written with Linux's names: sys("socket", "SOCK_STREAM") instead of numbers."""

from __future__ import annotations

from typing import Any

from wireside.catalog.flags import EVENTS
from wireside.catalog.syscalls import FAMILIES, SYSCALLS
from wireside.kernel.core.call import Syscall
from wireside.kernel.core.uapi import PollFd


def syscall(name: str, *args: Any) -> Syscall:
    """A system call whose names are made numbers; a poll() may ask about one descriptor."""
    if name == "poll" and not isinstance(args[0], dict):
        fd, events, timeout = args
        return Syscall(name, ({fd: PollFd(EVENTS.number(events))}, timeout))
    kinds = SYSCALLS[name].kinds
    numbers = [
        FAMILIES[kind].number(arg or "0") if isinstance(arg, str) and kind in FAMILIES else arg
        for kind, arg in zip(kinds, args, strict=False)
    ]
    if name == "send" and len(numbers) == 2:
        numbers.append(0)
    return Syscall(name, tuple(numbers))


def outcome(call: Syscall, result: int) -> int:
    """The result of such a call: of a poll() of one descriptor the events that it tells."""
    if call.name == "poll" and result > 0 and len(call.args[0]) == 1:
        (each,) = call.args[0].values()
        return int(each.revents)
    return result
