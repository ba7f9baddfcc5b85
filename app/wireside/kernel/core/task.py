"""struct task_struct and its files, as far as system calls need them."""

from __future__ import annotations

from heapq import heappop, heappush
from typing import TYPE_CHECKING, Any

from wireside.catalog.errno import EMFILE
from wireside.catalog.rlimits import INR_OPEN_CUR, STDIO
from wireside.kernel.core.file import get_file
from wireside.kernel.core.sock import sk_sleep
from wireside.kernel.core.wait import WaitQueueEntry

if TYPE_CHECKING:
    from wireside.kernel.core.file import File
    from wireside.kernel.core.net import Net
    from wireside.kernel.core.sk_buff_head import Queue
    from wireside.kernel.core.sock import Sock


class Task:
    """One program's task. `waiting` lists the wait-queue entries to take back when it is woken."""

    __slots__ = (
        "comm",
        "cpu_id",
        "files",
        "locked_sk",
        "net",
        "next_fd",
        "pid",
        "private",
        "rlimit_nofile",
        "unborn",
        "unused_fds",
        "waiting",
    )

    def __init__(self, pid: int, comm: str, net: Net, cpu_id: int) -> None:
        self.pid = pid
        self.comm = comm
        self.net = net
        self.cpu_id = cpu_id
        self.files: dict[int, File] = {}
        self.next_fd = STDIO
        """This number and all above have never been used."""
        self.unused_fds: list[int] = []
        """A heap of the numbers below that are free again."""
        self.rlimit_nofile = INR_OPEN_CUR
        """RLIMIT_NOFILE, the soft limit: every descriptor's number is below it."""
        self.unborn: dict[str, Task] = {}
        """The programs that its fork() lets begin, by name."""
        self.waiting: list[tuple[Queue[WaitQueueEntry], WaitQueueEntry]] = []
        self.locked_sk: Sock | None = None
        """The socket whose lock the running system call holds until its slice of CPU time ends."""
        self.private: Any = None
        """The scheduler's own record of this task."""

    @property
    def open_fds(self) -> int:
        """How many descriptors it has open, as /proc/PID/fd lists them."""
        return len(self.files) + STDIO

    def finish_wait(self) -> None:
        """Leave every wait queue this task sleeps on. Linux: kernel/sched/wait.c finish_wait()."""
        for queue, entry in self.waiting:
            if entry in queue:
                queue.remove(entry)
        self.waiting.clear()

    def prepare_to_wait(self, queue: Queue[WaitQueueEntry], entry: WaitQueueEntry) -> None:
        """Join a wait queue; exclusive sleepers go to its tail, others to its head."""
        if entry.exclusive:
            queue.append(entry)
        else:
            queue.insert(0, entry)
        self.waiting.append((queue, entry))


def get_unused_fd(task: Task) -> int:
    """The lowest free descriptor, or -EMFILE when the limit allows no more. Linux: fs/file.c alloc_fd()."""
    fd = task.unused_fds[0] if task.unused_fds else task.next_fd
    return fd if fd < task.rlimit_nofile else -EMFILE


def fd_install(task: Task, fd: int, file: File) -> None:
    """Give a file the descriptor that get_unused_fd() has just found. Linux: fs/file.c fd_install()."""
    if fd == task.next_fd:
        task.next_fd += 1
    else:
        heappop(task.unused_fds)
    task.files[fd] = file


def put_unused_fd(task: Task, fd: int) -> File:
    """Take a descriptor back; the file it stood for. Linux: fs/file.c file_close_fd()."""
    heappush(task.unused_fds, fd)
    return task.files.pop(fd)


def copy_files(parent: Task, child: Task) -> None:
    """A child has its parent's descriptors, for the same open files. Linux: kernel/fork.c copy_files(), fs/file.c dup_fd()."""
    child.next_fd = parent.next_fd
    child.unused_fds = parent.unused_fds.copy()
    child.files = parent.files.copy()
    for fd, file in child.files.items():
        get_file(file, (parent.comm, fd), (child.comm, fd))


def wait_on(task: Task, sk: Sock, key: int, *, exclusive: bool = False) -> None:
    """Sleep on a socket until one of the events in `key`."""
    task.prepare_to_wait(sk_sleep(sk), WaitQueueEntry(task, key, exclusive=exclusive))
