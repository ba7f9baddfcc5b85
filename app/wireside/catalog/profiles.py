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
    """tcp_rcvbuf_grow() aims at 2*copied plus the out-of-order span; before, 2*copied + 16*advmss."""
    beyond_window: bool = True
    """A segment whose end exceeds the window is refused while the receive queue holds data (6.17)."""
    ofo_measures_mss: bool = True
    """Segments out of order, too, teach the receiver their size and their cost in memory (6.17)."""
    paws_old_ack: bool = True
    """A late pure ACK with an old timestamp is dropped without an answer (6.14)."""
    tsecr_check: bool = True
    """A final ACK must echo a timestamp that a SYN-ACK carried (6.15)."""


PROFILES: dict[str, KernelProfile] = {
    "6.18": KernelProfile("6.18"),
    "6.12": KernelProfile(
        "6.12",
        rack_only=False,
        drs_follows_ofo=False,
        beyond_window=False,
        ofo_measures_mss=False,
        paws_old_ack=False,
        tsecr_check=False,
    ),
}
DEFAULT_PROFILE = "6.18"
