"""Kernel profiles: where Linux 6.12 and 6.18 follow different rules."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class KernelProfile:
    """The version-dependent rules of one kernel release."""

    version: str
    hz: int = 250
    """Timer ticks per second (CONFIG_HZ)."""
    rack_only: bool = True
    """Loss detection is RACK alone; before 6.17 RFC 6675 dupack counting backs it up."""
    drs_follows_ofo: bool = True
    """Out-of-order segments count for rcv_mss and sk_rcvbuf: tcp_rcvbuf_grow() aims at 2*copied plus their span (6.17);
    before, 2*copied + 16*advmss."""
    beyond_window: bool = True
    """A segment whose end exceeds the window is refused while the receive queue holds data (6.17)."""
    tsecr_check: bool = True
    """A final ACK must echo a timestamp that a SYN-ACK carried (6.15)."""


PROFILES: dict[str, KernelProfile] = {
    "6.18": KernelProfile("6.18"),
    "6.12": KernelProfile(
        "6.12", rack_only=False, drs_follows_ofo=False, beyond_window=False, tsecr_check=False
    ),
}
DEFAULT_PROFILE = "6.18"
