"""System calls as strace writes them: with names for numbers, and records for memory."""

from __future__ import annotations

from wireside.catalog import flags
from wireside.catalog.errno import errno_name
from wireside.catalog.inet import ip_text
from wireside.catalog.syscalls import FAMILIES, SYSCALLS, Arg
from wireside.kernel.core.uapi import MsgHdr, OptVal, SockaddrIn
from wireside.scenario.spec import Message, Place, Watch

SHOWN_FDS = 4
"""As many descriptors of a poll() are shown."""
_FIELDS = {
    "ee_origin": flags.ORIGINS,
    "ee_type": flags.ICMP_TYPES,
    "ee_code": flags.ICMP_CODES,
    "msg_flags": flags.MESSAGE_FLAGS,
    "revents": flags.REVENTS,
}


def outcome_text(name: str, result: int) -> str:
    """A call's result as strace prints it; poll()'s as the events it tells."""
    return result_text(result) if name != "poll" or result <= 0 else flags.REVENTS.text(result)


def result_text(result: int) -> str:
    """A system call's result as strace prints it, such as "1448" or "-EAGAIN"."""
    return str(result) if result >= 0 else f"-{errno_name(-result)}"


def call_text(name: str, args: tuple[object, ...]) -> str:
    """A system call as strace begins it, such as "read(3, 65536)"; a poll() with the descriptors that it asks about."""
    if name == "poll" and args and isinstance(args[0], dict):
        shown = [str(fd) for fd in args[0]][:SHOWN_FDS]
        return f"{name}([{', '.join(shown)}{', …' if len(args[0]) > SHOWN_FDS else ''}])"
    texts = [argument_text(kind, arg) for kind, arg in zip(SYSCALLS[name].kinds, args, strict=False)]
    return f"{name}({', '.join(text for text in texts if text)})"


def argument_text(kind: Arg, arg: object) -> str:
    """One argument, as a script has it or as the kernel gets it; nothing for memory that is still to be filled."""
    if isinstance(arg, int) and kind in FAMILIES:
        return FAMILIES[kind].text(arg)
    if isinstance(arg, SockaddrIn | OptVal):
        return ""
    if isinstance(arg, Place):
        return arg.keep or ("NULL" if arg.must is None else field_text(arg.field, arg.must))
    if isinstance(arg, Message):
        parts = [
            f"iov_len={arg.iov_len}",
            *(f"{each.field}={argument_text(kind, each)}" for each in arg.places),
        ]
        return f"{{{', '.join(parts)}}}"
    if isinstance(arg, tuple):
        return _tuple_text(arg)
    return str(arg)


def _tuple_text(arg: tuple[object, ...]) -> str:
    if all(isinstance(each, Watch) for each in arg):
        return f"[{', '.join(f'{{fd={each.fd}, events={each.events}}}' for each in arg if isinstance(each, Watch))}]"
    first, second = arg
    if isinstance(second, MsgHdr):
        return f"{{iov_len={first}}}"
    assert isinstance(first, int)
    assert isinstance(second, int)
    return address_text((first, second)) if first else f":{second}"


def address_text(address: tuple[int, int]) -> str:
    """An address and port as "10.0.0.1:8080"."""
    return f"{ip_text(address[0])}:{address[1]}"


def field_text(field: str, value: int | str) -> str:
    """The value of a field that the kernel fills, by name where it has one."""
    if isinstance(value, str):
        return value
    if field == "ee_errno":
        return errno_name(value)
    family = _FIELDS.get(field)
    return str(value) if family is None else family.text(value)
