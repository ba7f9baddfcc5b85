"""The door of the stack: where taps look and the EtherType decides."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from wireside.catalog.stages import Stage
from wireside.kernel.rx.ip_input import ip_rcv

if TYPE_CHECKING:
    from wireside.kernel.core.net import Cpu
    from wireside.kernel.core.skbuff import SkBuff

NETIF_RECEIVE: Final = int(Stage.NETIF_RECEIVE)


def netif_receive_skb_list(cpu: Cpu, skbs: list[SkBuff]) -> None:
    """Hand packets to the protocol, each to completion; taps see a packet here.

    Linux: net/core/dev.c netif_receive_skb_list_internal(), __netif_receive_skb_core().
    """
    cpu.softnet.processed += len(skbs)
    cost = cpu.cost[NETIF_RECEIVE]
    for skb in skbs:
        if skb.stamps is not None:
            skb.stamps += (NETIF_RECEIVE, cpu.now)
        cpu.now += cost
        ip_rcv(cpu, skb.dev.net, skb)  # type: ignore[union-attr]
