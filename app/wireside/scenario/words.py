"""The catalog's words that a scenario may use: sysctls, counters, drop reasons, states, stages."""

from __future__ import annotations

from wireside.catalog import sysctls
from wireside.catalog.counters import COUNTER_BY_NAME, NIC_COUNTERS
from wireside.catalog.drop_reasons import DropReason
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


class UnknownSysctlError(UnitError):
    """There is no sysctl of this name."""


def check_sysctl(name: str, text: str) -> str:
    """The value of a sysctl (by full name) as the kernel would print it; UnitError when it cannot take it."""
    sysctl = sysctls.BY_NAME.get(name)
    if sysctl is None:
        raise UnknownSysctlError(f"unknown sysctl {name!r}", advice(name, SYSCTL_NAMES))
    try:
        return sysctls.format_value(sysctls.parse_value(sysctl, text))
    except CommandError as error:
        raise UnitError(error.what, error.next_step) from None
