"""Wait queues: who sleeps for what, and who is woken."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from wireside.catalog.flags import POLLERR, POLLHUP, POLLIN, POLLOUT, POLLRDHUP

if TYPE_CHECKING:
    from collections.abc import Callable

    from wireside.kernel.core.net import Cpu
    from wireside.kernel.core.sk_buff_head import Queue
    from wireside.kernel.core.task import Task

EPOLLIN: Final = POLLIN
EPOLLOUT: Final = POLLOUT
EPOLLERR: Final = POLLERR
EPOLLHUP: Final = POLLHUP
EPOLLRDHUP: Final = POLLRDHUP


class WaitQueueEntry:
    """One sleeper on a wait queue; `func` decides whether the wake-up concerns it (True: it was woken)."""

    __slots__ = ("exclusive", "func", "key", "task")

    def __init__(
        self,
        task: Task | None,
        key: int = 0,
        *,
        exclusive: bool = False,
        func: Callable[[Cpu, WaitQueueEntry, int], bool] | None = None,
    ) -> None:
        self.task = task
        self.key = key
        """EPOLL* events the sleeper waits for; 0 means any."""
        self.exclusive = exclusive
        self.func = func or autoremove_wake_function


def autoremove_wake_function(cpu: Cpu, entry: WaitQueueEntry, key: int) -> bool:
    """Wake the entry's task if `key` is among what it waits for.

    Linux: kernel/sched/wait.c autoremove_wake_function().
    """
    if key and entry.key and not key & entry.key:
        return False
    task = entry.task
    return task is not None and cpu.machine.sched.try_to_wake_up(cpu, task)


def wake_up(cpu: Cpu, queue: Queue[WaitQueueEntry], key: int, nr_exclusive: int = 1) -> None:
    """Wake all non-exclusive sleepers and at most `nr_exclusive` exclusive ones.

    Linux: kernel/sched/wait.c __wake_up_common().
    """
    for entry in tuple(queue):
        if entry.func(cpu, entry, key) and entry.exclusive:
            nr_exclusive -= 1
            if nr_exclusive == 0:
                break
