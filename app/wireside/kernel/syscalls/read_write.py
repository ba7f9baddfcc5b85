"""read() and write() on any file. Linux: fs/read_write.c."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from wireside.catalog.errno import EINVAL
from wireside.catalog.stages import Stage

if TYPE_CHECKING:
    from wireside.kernel.core.call import Syscall
    from wireside.kernel.core.net import Cpu
    from wireside.kernel.core.task import Task

MAX_RW_COUNT: Final = 0x7FFFF000
"""The most that one read or write moves, bytes. Linux: include/linux/fs.h."""
SYS_WRITE: Final = int(Stage.SYS_WRITE)
SYS_READ: Final = int(Stage.SYS_READ)


def sys_read(cpu: Cpu, task: Task, call: Syscall) -> int | None:
    """read(fd, length): the bytes copied, 0 at the end."""
    cpu.now += cpu.cost[SYS_READ]
    fd, size = call.args
    file = task.files[fd]
    return file.f_op.read(cpu, task, call, file, min(size, MAX_RW_COUNT)) if size >= 0 else -EINVAL


def sys_write(cpu: Cpu, task: Task, call: Syscall) -> int | None:
    """write(fd, length): the bytes taken."""
    cpu.now += cpu.cost[SYS_WRITE]
    fd, size = call.args
    file = task.files[fd]
    return file.f_op.write(cpu, task, call, file, min(size, MAX_RW_COUNT)) if size >= 0 else -EINVAL
