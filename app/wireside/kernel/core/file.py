"""struct file and struct file_operations: what a descriptor stands for, whatever is behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from wireside.kernel.core.call import Syscall
    from wireside.kernel.core.net import Cpu
    from wireside.kernel.core.sk_buff_head import Queue
    from wireside.kernel.core.task import Task
    from wireside.kernel.core.wait import WaitQueueEntry


class FileOps:
    """What can be done with one kind of file; one object for all files of the kind.

    `read` and `write` return the bytes moved or -errno, and None while the caller must sleep: they have then joined a wait
    queue, and are called again with the same `call`. Linux: include/linux/fs.h struct file_operations.
    """

    __slots__ = ()

    def poll(self, file: File) -> int:
        """The POLL* bits that hold now."""
        raise NotImplementedError

    def poll_wait(self, file: File) -> Queue[WaitQueueEntry]:
        """The wait queue on which somebody sleeps until that changes."""
        raise NotImplementedError

    def read(self, cpu: Cpu, task: Task, call: Syscall, file: File, size: int) -> int | None:
        """Read up to `size` bytes."""
        raise NotImplementedError

    def write(self, cpu: Cpu, task: Task, call: Syscall, file: File, size: int) -> int | None:
        """Write `size` bytes."""
        raise NotImplementedError

    def held_by(self, file: File, comm: str, fd: int) -> None:
        """Who shows as its owner, of all that share it, is from now on this program with this descriptor."""

    def release(self, cpu: Cpu, task: Task, call: Syscall, file: File) -> int | None:
        """The last descriptor is closed: 0, or None while close() waits; `call.started` says that it comes back."""
        raise NotImplementedError


class File:
    """One open file; descriptors of several programs may share it. Linux: include/linux/fs.h struct file."""

    __slots__ = ("f_count", "f_op", "holders", "nonblock", "private_data")

    def __init__(self, f_op: FileOps, private_data: Any, *, nonblock: bool = False) -> None:
        self.f_op = f_op
        self.private_data = private_data
        """What the operations work on; of a socket its struct sock."""
        self.nonblock = nonblock
        """O_NONBLOCK of f_flags."""
        self.f_count = 1
        """How many descriptors, of whichever program, stand for it."""
        self.holders: list[tuple[str, int]] | None = None
        """(program, descriptor) of each, oldest first; None while there has been only one."""


def get_file(file: File, holder: tuple[str, int], another: tuple[str, int]) -> None:
    """One descriptor more stands for a file that `holder` has: `another`. Linux: include/linux/fs.h get_file()."""
    file.f_count += 1
    if file.holders is None:
        file.holders = [holder]
    file.holders.append(another)


def put_file(file: File, holder: tuple[str, int]) -> bool:
    """A descriptor is given back; True when it was the last that stood for the file. Linux: fs/file_table.c fput()."""
    file.f_count -= 1
    if file.holders is not None:
        file.holders.remove(holder)
        if file.f_count:
            file.f_op.held_by(file, *file.holders[0])
    return not file.f_count
