"""The receive half of net/core/dev.c: net_rx_action, packets going up the stack."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from wireside.catalog.sysctls import GRO_NORMAL_BATCH, NETDEV_BUDGET, NETDEV_BUDGET_USECS
from wireside.kernel.core.dev_tx import net_tx_action
from wireside.kernel.core.gro import napi_gro_flush
from wireside.kernel.core.net import NET_RX_SOFTIRQ, NET_TX_SOFTIRQ
from wireside.kernel.core.softirq import open_softirq, softirq_init, softirq_run
from wireside.kernel.rx.backlog import enqueue_to_backlog, get_rps_cpu, net_rps_send_ipi
from wireside.kernel.rx.netif_receive import netif_receive_skb_list

if TYPE_CHECKING:
    from wireside.kernel.core.napi import Napi
    from wireside.kernel.core.net import Cpu, Machine
    from wireside.kernel.core.softirq import SoftirqRun

SLICE: Final = 8
"""Packets per slice: the default of gro_normal_batch."""


def net_dev_init(machine: Machine) -> None:
    """Make a machine ready to send and receive. Linux: net/core/dev.c net_dev_init()."""
    softirq_init(machine)
    open_softirq(machine, NET_TX_SOFTIRQ, net_tx_action)
    open_softirq(machine, NET_RX_SOFTIRQ, net_rx_action)


def net_rx_action(cpu: Cpu) -> bool:
    """Do one slice of a NET_RX round; True when the round goes on.

    A round polls each scheduled NAPI once. It is squeezed when netdev_budget packets or netdev_budget_usecs (in
    whole jiffies) are used up; that is only looked at between two polls. Linux: net/core/dev.c net_rx_action().
    """
    run = softirq_run(cpu)
    if not run.rx_active:
        _begin_round(cpu, run)
    napi = run.napi
    if napi is None:
        if not run.polling:
            if run.repoll or not cpu.softnet.poll_list:
                return _end_round(cpu, run)
            run.polling.extend(cpu.softnet.poll_list)
            cpu.softnet.poll_list.clear()
        napi = run.napi = run.polling.popleft()
        napi.polls += 1
        run.weight = napi.weight
        run.work = 0
    limit = min(SLICE, run.weight - run.work)
    done = napi.poll(cpu, napi, limit)
    run.work += done
    if napi.rx_count >= cpu.machine.sysctl[GRO_NORMAL_BATCH]:
        gro_normal_list(cpu, napi)
    if done and run.work < run.weight and (done == limit or _more_may_come(cpu, napi)):
        return True
    return _end_poll(cpu, run, napi)


def _more_may_come(cpu: Cpu, napi: Napi) -> bool:
    """Packets may have come while the slice ran: from outside, or into the backlog by what the slice itself did."""
    return napi.dev is None or 0 <= cpu.machine.clock.peek() <= cpu.now


def _begin_round(cpu: Cpu, run: SoftirqRun) -> None:
    sysctl = cpu.machine.sysctl
    tick = cpu.machine.timers.tick_ns
    run.rx_active = True
    run.budget = sysctl[NETDEV_BUDGET]
    run.time_limit = (cpu.now // tick + -(-sysctl[NETDEV_BUDGET_USECS] * 1000 // tick)) * tick
    run.polling.extend(cpu.softnet.poll_list)
    cpu.softnet.poll_list.clear()


def _end_poll(cpu: Cpu, run: SoftirqRun, napi: Napi) -> bool:
    """A NAPI used up its weight, or has nothing left; True when the round goes on with another.

    Linux: net/core/dev.c __napi_poll(), napi_complete_done(): either way held packets go up (at HZ below 1000).
    """
    if napi.gro_held:
        napi_gro_flush(napi)
    if napi.rx_list:
        gro_normal_list(cpu, napi)
    run.napi = None
    napi.last_work = run.work
    run.budget -= run.work
    if run.work >= run.weight:
        run.repoll.append(napi)
    else:
        napi.scheduled = False
        napi.complete(cpu, napi)
    if run.budget <= 0 or cpu.now >= run.time_limit:
        cpu.softnet.time_squeeze += 1
        return _end_round(cpu, run)
    if run.polling or (cpu.softnet.poll_list and not run.repoll):
        return True
    return _end_round(cpu, run)


def _end_round(cpu: Cpu, run: SoftirqRun) -> bool:
    """Put unfinished NAPIs back on the poll list, those not polled yet first; always False."""
    sd = cpu.softnet
    left = [*run.polling, *sd.poll_list, *run.repoll]
    run.polling.clear()
    run.repoll.clear()
    run.rx_active = False
    if left:
        sd.poll_list.clear()
        sd.poll_list.extend(left)
        cpu.softirq_pending |= NET_RX_SOFTIRQ
    if sd.rps_ipi_list:
        net_rps_send_ipi(cpu)
    return False


def gro_normal_list(cpu: Cpu, napi: Napi) -> None:
    """Pass the collected packets up the stack. Linux: include/net/gro.h gro_normal_list()."""
    skbs = napi.rx_list
    napi.rx_list = []
    napi.rx_count = 0
    dev = napi.dev
    if dev is not None and dev.rps_cpus:
        for skb in skbs:
            enqueue_to_backlog(cpu, skb, get_rps_cpu(cpu, dev, skb))
    else:
        netif_receive_skb_list(cpu, skbs)


def budget_left(cpu: Cpu) -> int:
    """Packets that the running round may still take, or netdev_budget when none runs."""
    run = softirq_run(cpu)
    if not run.rx_active:
        return int(cpu.machine.sysctl[NETDEV_BUDGET])
    return run.budget - (run.work if run.napi is not None else 0)
