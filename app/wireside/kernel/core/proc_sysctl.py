"""The values of sysctls, and writing one, from outside or by a program on the host. Linux: fs/proc/proc_sysctl.c."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar, cast

from wireside.catalog import sysctls
from wireside.catalog.errno import EINVAL, ENOENT
from wireside.catalog.kinds import Scope, Sysctl
from wireside.errors import CommandError

if TYPE_CHECKING:
    from collections.abc import ItemsView

    from wireside.kernel.core.net import Cpu, Net

T = TypeVar("T")


class SysctlTable(Protocol):
    """Values of sysctls by their declaration: a plain dict, of which the types say that each value suits its sysctl."""

    def __getitem__(self, key: Sysctl[T], /) -> T: ...

    def __setitem__(self, key: Sysctl[T], value: T, /) -> None: ...

    def items(self) -> ItemsView[Sysctl[object], object]:
        """What dict.items() gives."""

    def copy(self) -> SysctlTable:
        """Another table with the same values."""


def sysctl_table() -> SysctlTable:
    """An empty table."""
    return cast("SysctlTable", {})


def write_sysctl(net: Net, sysctl: Sysctl[T], value: T) -> None:
    """Set a sysctl of a host; one of host scope is set for the whole machine and all namespaces on it."""
    machine = net.machine
    if sysctl.scope is Scope.HOST:
        machine.sysctl[sysctl] = value
        for each in machine.nets:
            each.sysctl[sysctl] = value
    else:
        net.sysctl[sysctl] = value


def sysctl_write(cpu: Cpu, net: Net, name: str, text: str) -> int:
    """`sysctl -w name="text"` on a host: 0, -ENOENT when this kernel has no such file, -EINVAL when it refuses the value.

    Linux: proc_sys_lookup(), proc_sys_write()
    """
    sysctl = sysctls.find(name)
    if not sysctl.exists_in(net.machine.profile.version):
        return -ENOENT
    try:
        value = sysctls.parse_value(sysctl, text)
    except CommandError:
        return -EINVAL
    write_sysctl(net, sysctl, value)
    net.event(cpu, "sysctl", f"{sysctl.name} is now {sysctls.format_value(value)}", 1)
    return 0
