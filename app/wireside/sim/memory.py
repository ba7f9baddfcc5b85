"""The memory that a script hands to a system call, and what it makes of what the kernel has filled in."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from wireside.catalog import flags
from wireside.catalog.inet import ip_text
from wireside.kernel.core.uapi import MsgHdr, OptVal, PollFd, SockaddrIn
from wireside.sim.strace import address_text, field_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from wireside.kernel.core.uapi import SockExtendedErr
    from wireside.scenario.spec import Message, Place, Watch

Address = tuple[int, int]
Value = int | str | Address
"""What a variable may hold, and the kernel may have filled in."""


class Filled(NamedTuple):
    """One place, and the memory in which it lies."""

    place: Place
    memory: SockaddrIn | OptVal | MsgHdr | PollFd

    def value(self) -> Value | None:
        """What the kernel has put there; None when it has put nothing."""
        memory, field = self.memory, self.place.field
        if isinstance(memory, PollFd):
            return memory.revents
        if isinstance(memory, OptVal):
            return memory.value
        if isinstance(memory, MsgHdr):
            if field == "msg_flags":
                return memory.msg_flags
            if field != "msg_name":
                return _control(memory.msg_control, field)
            memory = memory.msg_name
        return (memory.sin_addr, memory.sin_port) if memory.filled else None

    def unmet(self, value: Value | None, resolve: Callable[[str], Address]) -> str:
        """What came instead of what must come, in words; empty when all is well."""
        must, field = self.place.must, self.place.field
        what = f"{field}=" if field else ""
        if must is None or value == must:
            return ""
        if value is None:
            return f"nothing, not {what}{must}"
        if isinstance(value, tuple):
            wanted = str(must)
            if _same(value, wanted, resolve):
                return ""
            shown = ip_text(value[0]) if field == "offender" else address_text(value)
            return f"{what}{shown}, not {wanted.removesuffix(':*') if field == 'offender' else wanted}"
        return f"{what}{field_text(field, value)}, not {field_text(field, must)}"


def _same(value: Address, wanted: str, resolve: Callable[[str], Address]) -> bool:
    host, _, port = wanted.rpartition(":")
    return (host == "*" or resolve(f"{host}:0")[0] == value[0]) and port in ("*", str(value[1]))


def address_memory(place: Place, filled: list[Filled]) -> SockaddrIn:
    """Memory for an address."""
    name = SockaddrIn()
    filled.append(Filled(place, name))
    return name


def option_memory(place: Place, filled: list[Filled]) -> OptVal:
    """Memory for the value of a socket option."""
    optval = OptVal()
    filled.append(Filled(place, optval))
    return optval


def message_memory(message: Message, filled: list[Filled]) -> MsgHdr:
    """Memory for a message header."""
    msg = MsgHdr()
    filled += [Filled(place, msg) for place in message.places]
    return msg


def poll_memory(
    watches: tuple[Watch, ...], number: Callable[[int | str], int], filled: list[Filled]
) -> dict[int, PollFd]:
    """Memory for poll(): the descriptors with the events asked for; `number` reads variables."""
    fds: dict[int, PollFd] = {}
    for watch in watches:
        each = fds[number(watch.fd)] = PollFd(flags.EVENTS.number(watch.events))
        filled.append(Filled(watch.revents, each))
    return fds


def _control(ee: SockExtendedErr | None, field: str) -> Value | None:
    if ee is None:
        return None
    value: int = getattr(ee, field)
    return (value, 0) if field == "offender" else value
