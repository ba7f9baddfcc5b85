"""`ip -s link`: the devices of a host with what they received, sent and lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wireside.snapshot import HostSnapshot, NicRow

_LINK = {
    "lo": ("<LOOPBACK,UP,LOWER_UP>", "UNKNOWN", "loopback"),
    "tun": ("<POINTOPOINT,MULTICAST,NOARP,UP,LOWER_UP>", "UNKNOWN", "none"),
}
_ETHERNET = ("<BROADCAST,MULTICAST,UP,LOWER_UP>", "UP", "ether")
_RX = ("bytes", "packets", "errors", "dropped", "missed", "mcast")
_TX = ("bytes", "packets", "errors", "dropped", "carrier", "collsns")
_WIDTHS = (10, 7, 6, 7, 7, 7)
_ERRORS = ("rx_crc_errors", "rx_long_length_errors", "rx_errors")


def render(host: HostSnapshot) -> str:
    """Return what `ip -s link` prints.

    Differs: hardware addresses are made up from the host's IPv4 address.
    Linux: iproute2 ip/ipaddress.c print_stats64()
    """
    taken = 0 if host.nics and host.nics[0].kind == "lo" else 1
    return "".join(_device(host, index, nic) for index, nic in enumerate(host.nics, start=taken + 1))


def _device(host: HostSnapshot, index: int, nic: NicRow) -> str:
    flags, state, link = _LINK.get(nic.kind, _ETHERNET)
    qlen = nic.qdisc_limit or 1000
    hardware = f"    link/{link} "
    if link == "ether":
        hardware += f"{hardware_address(host.address)} brd ff:ff:ff:ff:ff:ff"
    elif link == "loopback":
        hardware += "00:00:00:00:00:00 brd 00:00:00:00:00:00"
    got = nic.statistics.get
    rx = (
        got("rx_bytes", 0), got("rx_packets", 0), sum(got(name, 0) for name in _ERRORS),
        got("rx_dropped", 0), got("rx_missed_errors", 0), 0,
    )  # fmt: skip
    tx = (got("tx_bytes", 0), got("tx_packets", 0), 0, got("tx_dropped", 0), 0, 0)
    widths = [max(width, *(len(str(values[i])) for values in (rx, tx))) for i, width in enumerate(_WIDTHS)]
    return (
        f"{index}: {nic.name}: {flags} mtu {nic.mtu} qdisc {nic.qdisc or 'noqueue'} state {state}"
        f" mode DEFAULT group default qlen {qlen}\n{hardware}\n"
        + _header("RX", _RX, widths, " " * 11)
        + _values(rx, widths)
        + _header("TX", _TX, widths, " " * 11)
        + _values(tx, widths)
    )


def hardware_address(address: str) -> str:
    """A locally administered address that tells the host's IPv4 address."""
    return ":".join(("02", "00", *(f"{int(part):02x}" for part in address.partition("/")[0].split("."))))


def _header(direction: str, names: tuple[str, ...], widths: list[int], tail: str) -> str:
    first, *rest = (
        name.rjust(width) for name, width in zip(names, [widths[0] - 4, *widths[1:]], strict=True)
    )
    return f"    {direction}: {' '.join((first, *rest))}{tail}\n"


def _values(values: tuple[int, ...], widths: list[int]) -> str:
    cells = (str(value).rjust(width) for value, width in zip(values, widths, strict=True))
    return f"    {' '.join(cells)} \n"
