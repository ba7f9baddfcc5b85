"""`ethtool -S` and `ethtool -g`: a device's own counters, and the sizes of its rings."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wireside.snapshot import NicRow

MAX_RING = 4096
"""The largest ring of the simulated NIC, as of an Intel igb.

Linux: drivers/net/ethernet/intel/igb/igb.h IGB_MAX_RXD
"""
UNSUPPORTED = "netlink error: Operation not supported\n"


def statistics(nic: NicRow) -> str:
    """Return what `ethtool -S DEVICE` prints."""
    if not nic.statistics:
        return "no stats available\n"
    return "NIC statistics:\n" + "".join(f"     {name}: {value}\n" for name, value in nic.statistics.items())


def rings(nic: NicRow) -> str:
    """Return what `ethtool -g DEVICE` prints; only a real NIC has rings."""
    if nic.kind != "nic":
        return UNSUPPORTED
    largest = max(MAX_RING, nic.rx_ring_size), max(MAX_RING, nic.tx_ring_size)
    current = nic.rx_ring_size, nic.tx_ring_size
    return (
        f"Ring parameters for {nic.name}:\n"
        f"Pre-set maximums:\n{_block(*largest)}Current hardware settings:\n{_block(*current)}"
    )


def _block(rx: int, tx: int) -> str:
    return f"RX:\t\t{rx}\nRX Mini:\tn/a\nRX Jumbo:\tn/a\nTX:\t\t{tx}\n"
