"""The per-CPU backlog of net/core/dev.c: veth and loopback, and receive packet steering (RPS)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from wireside.catalog.drop_reasons import DropReason
from wireside.catalog.stages import Stage
from wireside.catalog.sysctls import DEV_WEIGHT, DEV_WEIGHT_RX_BIAS, NETDEV_MAX_BACKLOG
from wireside.kernel.core.napi import Napi, flow_hash
from wireside.kernel.core.net import NET_RX_SOFTIRQ
from wireside.kernel.core.skbuff import kfree_skb_reason
from wireside.kernel.core.softirq import raise_softirq
from wireside.kernel.rx.netif_receive import netif_receive_skb_list

if TYPE_CHECKING:
    from wireside.kernel.core.net import Cpu, NetDevice
    from wireside.kernel.core.skbuff import SkBuff

BACKLOG: Final = int(Stage.BACKLOG)
HARDIRQ: Final = int(Stage.HARDIRQ)


def netif_rx(cpu: Cpu, skb: SkBuff) -> bool:
    """Take a packet from a device without NAPI into a CPU's backlog; False when it was dropped.

    Linux: net/core/dev.c netif_rx_internal().
    """
    dev = skb.dev
    assert dev is not None
    skb.arrival = cpu.now
    return enqueue_to_backlog(cpu, skb, get_rps_cpu(cpu, dev, skb) if dev.rps_cpus else cpu.id)


def get_rps_cpu(cpu: Cpu, dev: NetDevice, skb: SkBuff) -> int:
    """The CPU that receive packet steering chooses for the packet's flow. Linux: net/core/dev.c get_rps_cpu()."""
    cpus = dev.rps_cpus
    return cpus[flow_hash(skb.flow) * len(cpus) >> 32]


def enqueue_to_backlog(cpu: Cpu, skb: SkBuff, target_id: int) -> bool:
    """Queue a packet for CPU `target_id`; False when more than netdev_max_backlog wait there already.

    Linux: net/core/dev.c enqueue_to_backlog(). Differs: flow_limit is not modelled (off by default in Linux).
    """
    dev = skb.dev
    assert dev is not None
    target = cpu.machine.cpus[target_id]
    sd = target.softnet
    queue = sd.input_pkt_queue
    cpu.charge(BACKLOG, skb)
    if len(queue) > cpu.machine.sysctl[NETDEV_MAX_BACKLOG]:
        sd.dropped += 1
        dev.rx_dropped += 1
        if skb.destructor is not None:
            skb.destructor(cpu, skb)
            skb.destructor = None
        kfree_skb_reason(dev.net, skb, DropReason.CPU_BACKLOG)
        return False
    if not sd.backlog_scheduled:
        sd.backlog_scheduled = True
        if target is cpu:
            sd.poll_list.append(backlog_napi(target))
        else:
            cpu.softnet.rps_ipi_list.append(target_id)
        cpu.softirq_pending |= NET_RX_SOFTIRQ
    queue.append(skb)
    return True


def backlog_napi(cpu: Cpu) -> Napi:
    """The pseudo NAPI of this CPU's backlog; its weight is dev_weight and is read again at each poll."""
    napi = cpu.softnet.backlog
    if napi is None:
        napi = cpu.softnet.backlog = Napi(process_backlog, backlog_complete, None, None)
    sysctl = cpu.machine.sysctl
    napi.weight = sysctl[DEV_WEIGHT] * sysctl[DEV_WEIGHT_RX_BIAS]
    return napi


def process_backlog(cpu: Cpu, napi: Napi, limit: int) -> int:
    """Deliver up to `limit` packets of this CPU's backlog; returns how many. Linux: net/core/dev.c process_backlog()."""
    sd = cpu.softnet
    if not sd.process_queue:
        if not sd.input_pkt_queue:
            return 0
        sd.process_queue, sd.input_pkt_queue = sd.input_pkt_queue, sd.process_queue
    queue = sd.process_queue
    batch = [queue.popleft() for _ in range(min(limit, len(queue)))]
    netif_receive_skb_list(cpu, batch)
    return len(batch)


def backlog_complete(cpu: Cpu, napi: Napi) -> None:
    """The backlog is empty: the next packet must schedule it anew."""
    cpu.softnet.backlog_scheduled = False
    backlog_napi(cpu)


def net_rps_send_ipi(cpu: Cpu) -> None:
    """Interrupt the CPUs that packets were steered to. Linux: net/core/dev.c net_rps_send_ipi()."""
    sched = cpu.machine.sched
    for target_id in cpu.softnet.rps_ipi_list:
        sched.raise_hardirq(target_id, cpu.now, rps_trigger_softirq, None)
    cpu.softnet.rps_ipi_list.clear()


def rps_trigger_softirq(cpu: Cpu, _: None) -> None:
    """The inter-processor interrupt: poll this CPU's backlog. Linux: net/core/dev.c rps_trigger_softirq()."""
    cpu.charge(HARDIRQ)
    cpu.softnet.received_rps += 1
    cpu.softnet.poll_list.append(backlog_napi(cpu))
    raise_softirq(cpu, NET_RX_SOFTIRQ)
