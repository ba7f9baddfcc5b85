"""How a packet can end, other than by a drop reason."""

from __future__ import annotations

from typing import Final

DELIVERED: Final = "delivered"
"""A program has read its bytes."""
CONSUMED: Final = "consumed"
"""It has done its work (an ACK, a SYN), and the kernel freed it."""
MERGED: Final = "merged"
"""Its bytes went into another packet: GRO, coalescing, collapsing."""
LINK_LOSS: Final = "link loss"
"""The link lost it."""
RX_MISSED: Final = "rx_missed_errors"
"""It found no free descriptor in the RX ring."""

FATES: Final = (DELIVERED, CONSUMED, MERGED, LINK_LOSS, RX_MISSED)
