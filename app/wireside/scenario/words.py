"""The catalog's words that a scenario may use: sysctls, counters, drop reasons, states, stages."""

from __future__ import annotations

from wireside.catalog import sysctls
from wireside.catalog.counters import COUNTER_BY_NAME, NIC_COUNTERS
from wireside.catalog.drop_reasons import DropReason
from wireside.catalog.kinds import absent
from wireside.catalog.profiles import DEFAULT_PROFILE
from wireside.catalog.stages import Stage
from wireside.catalog.tcp_states import SS_NAME
from wireside.errors import CommandError
from wireside.scenario.units import UnitError, advice

BOOKS = ("born", "delivered", "consumed", "dropped", "queued")
WIRE_DROPS = ("rx_missed_errors", "link_loss")
COUNTER_NAMES = tuple(COUNTER_BY_NAME)
NIC_COUNTER_NAMES = tuple(counter.name.removeprefix("nic.") for counter in NIC_COUNTERS)
SYSCTL_NAMES = tuple(sysctls.BY_NAME)
DROP_NAMES = tuple(reason.name for reason in DropReason)
STATE_NAMES = tuple(dict.fromkeys(SS_NAME.values()))
STAGE_NAMES = tuple(stage.name for stage in Stage)


class UnknownWordError(UnitError):
    """The scenario's kernel has nothing of this name."""


def sysctl_names(kernel: str) -> tuple[str, ...]:
    """The full names of the sysctls of a kernel."""
    return tuple(sysctl.name for sysctl in sysctls.ALL_SYSCTLS if sysctl.exists_in(kernel))


def check_release(name: str, since: str, kernel: str) -> None:
    """UnknownWordError when the scenario's kernel is older than the release that brought `name`."""
    why = absent(name, since, kernel)
    if why:
        raise UnknownWordError(why, f"Play it on kernel {DEFAULT_PROFILE}, or do without it.")


def check_sysctl(name: str, text: str, kernel: str) -> str:
    """The value of a sysctl (by full name) as this kernel would print it; UnitError when it cannot take it."""
    sysctl = sysctls.BY_NAME.get(name)
    if sysctl is None:
        raise UnknownWordError(f"unknown sysctl {name!r}", advice(name, sysctl_names(kernel)))
    check_release(name, sysctl.since, kernel)
    try:
        return sysctls.format_value(sysctls.parse_value(sysctl, text))
    except CommandError as error:
        raise UnitError(error.what, error.next_step) from None
