"""A bench for the model: machines with a tiny clock and scheduler, no event loop beneath.

`Lab` is both Clock and Scheduler. CPUs run one thing at a time; what is planned waits in a heap until `run_until`.
"""

from __future__ import annotations

from collections import deque
from heapq import heappop, heappush

from wireside.catalog.counters import ALL_COUNTERS
from wireside.catalog.inet import IPPROTO_TCP, IPPROTO_UDP, ip_parse
from wireside.catalog.profiles import PROFILES
from wireside.catalog.stages import Stage, default_costs
from wireside.catalog.sysctls import ALL_SYSCTLS
from wireside.kernel.core.net import HRTIMER_SOFTIRQ, Cpu, Machine, Net
from wireside.kernel.core.skbuff import SkBuff, skb_birth
from wireside.kernel.core.softirq import SOFTIRQS, raise_softirq, softirq_step
from wireside.kernel.drivers.nic import register_nic
from wireside.kernel.drivers.veth import register_tun, register_veth, veth_pair
from wireside.kernel.rx.dev_rx import net_dev_init

US = 1_000
MS = 1_000_000
SEC = 1_000_000_000


class Lab:
    """Clock, scheduler and all machines of one test."""

    def __init__(self, kernel="6.18", trace=True):
        self.now = 0
        self.profile = PROFILES[kernel]
        self.trace = trace
        self.heap = []
        self.order = 0
        self.machines = []
        self.woken = []
        self.raised = set()

    def at(self, when, function, arg):
        self.order += 1
        entry = [max(when, self.now), self.order, function, (arg,)]
        heappush(self.heap, entry)
        return entry

    def cancel(self, handle):
        handle[2] = None

    def peek(self):
        return self.heap[0][0] if self.heap else -1

    def try_to_wake_up(self, cpu, task):
        if task in self.woken:
            return False
        self.woken.append(task)
        return True

    def raise_softirq(self, cpu):
        key = (cpu.machine.name, cpu.id)
        if key not in self.raised:
            self.raised.add(key)
            self.at(max(self.now, cpu.now if cpu.in_softirq else self.now), self._softirq, cpu)

    def raise_hardirq(self, cpu_id, when, handler, arg):
        # The lab has one Scheduler for all machines; the handler's argument knows its device.
        machine = machine_of(arg) or self.machines[0]
        self.at(when, self._hardirq, (machine.cpus[cpu_id], handler, arg))

    def raise_hrtimer(self, cpu_id, when, timer):
        machine = timer.arg.net.machine
        return self.at(when, self._hrtimer, (machine.cpus[cpu_id], timer))

    def _hrtimer(self, due):
        cpu, timer = due
        cpu.hrtimers.append(timer)
        raise_softirq(cpu, HRTIMER_SOFTIRQ)

    def _hardirq(self, due):
        cpu, handler, arg = due
        if cpu.now > self.now:
            self.at(cpu.now, self._hardirq, due)
            return
        cpu.now = self.now
        handler(cpu, arg)

    def _softirq(self, cpu):
        if cpu.now > self.now:
            self.at(cpu.now, self._softirq, cpu)
            return
        self.raised.discard((cpu.machine.name, cpu.id))
        cpu.now = self.now
        if softirq_step(cpu) or cpu.softirq_pending & SOFTIRQS:
            cpu.ksoftirqd = False
            self.raised.add((cpu.machine.name, cpu.id))
            self.at(cpu.now, self._softirq, cpu)

    def machine(self, name="m", cpus=1, trace=4096):
        machine = Machine(name, self.profile, self, self, 1)
        costs = default_costs()
        machine.cpus = [Cpu(number, machine, costs) for number in range(cpus)]
        net_dev_init(machine)
        machine.last_skb_id = machine.last_sock_id = (len(self.machines) + 1) << 40
        if self.trace:
            machine.trace = deque(maxlen=trace)
        for sysctl in ALL_SYSCTLS:
            machine.sysctl[sysctl] = sysctl.default_for(self.profile.version)
        self.machines.append(machine)
        return machine

    def net(self, name, address, machine=None, cpus=1):
        machine = machine or self.machine(name, cpus)
        net = Net(name, machine, ip_parse(address))
        net.mib = dict.fromkeys(ALL_COUNTERS, 0)
        net.sysctl.update(machine.sysctl)
        machine.nets.append(net)
        return net

    def set(self, net, sysctl, value):
        net.sysctl[sysctl] = value
        net.machine.sysctl[sysctl] = value

    def run_until(self, when):
        """Let everything happen that is planned up to `when` ns, kernel timers included."""
        while True:
            wheel_at, wheel = min(
                ((m.timers.next_expiry(), m) for m in self.machines if m.timers.next_expiry() >= 0),
                key=lambda pair: pair[0],
                default=(when + 1, None),
            )
            heap_at = self.heap[0][0] if self.heap else when + 1
            if min(wheel_at, heap_at) > when:
                break
            if wheel is not None and wheel_at <= heap_at:
                self.now = max(self.now, wheel_at)
                self._timers(wheel)
                continue
            self.now, _, function, args = heappop(self.heap)
            if function is not None:
                function(*args)
        self.now = when

    def _timers(self, machine):
        cpu = machine.cpus[0]
        cpu.now = max(cpu.now, self.now)
        cpu.in_softirq = True
        machine.timers.expire_timers(cpu, self.now)
        cpu.in_softirq = False
        if cpu.softirq_pending & SOFTIRQS:
            self.raise_softirq(cpu)

    def cpu(self, net, number=0):
        """A CPU of the host, ready for a system call now."""
        cpu = net.machine.cpus[number]
        cpu.now = max(cpu.now, self.now)
        return cpu

    def drain(self, limit=10 * SEC):
        """Run until nothing is planned any more (timers beyond `limit` stay)."""
        self.run_until(self.now + limit)


def machine_of(arg):
    """The machine an interrupt handler's argument belongs to."""
    for attribute in ("nic", "dev"):
        owner = getattr(arg, attribute, None)
        if owner is not None:
            dev = getattr(owner, "dev", owner)
            return dev.net.machine
    return None


class Cable:
    """A wire with a rate and a delay that hands frames to whatever device is at its far end."""

    def __init__(self, lab, far_end, rate_bps=1_000_000_000, delay=50 * US):
        self.lab = lab
        self.far_end = far_end
        self.rate_bps = rate_bps
        self.delay = delay
        self.free_at = 0
        self.sent = []
        self.lose = set()
        """Numbers of the frames to lose, counted from 0."""

    def transmit(self, when, skb):
        start = max(when, self.free_at)
        self.free_at = start + (skb.hdr_len + skb.len + 24) * 8 * SEC // self.rate_bps
        number = len(self.sent)
        if skb.stamps is not None:
            skb.stamps += (Stage.WIRE, start)
        self.sent.append((start, skb))
        if self.far_end is not None and number not in self.lose:
            self.lab.at(self.free_at + self.delay, self._arrive, skb)
        return self.free_at

    def _arrive(self, skb):
        self.far_end.frame_arrives(self.lab.now, skb)


def two_hosts(lab, rate_bps=1_000_000_000, delay=50 * US, cpus=1, **nic):
    """Two machines with a NIC each and a cable in between: (client, server)."""
    client = lab.net("client", "10.0.0.1", cpus=cpus)
    server = lab.net("server", "10.0.0.2", cpus=cpus)
    one, other = register_nic(client, **nic), register_nic(server, **nic)
    one.wire = Cable(lab, other, rate_bps, delay)
    other.wire = Cable(lab, one, rate_bps, delay)
    return client, server


def veth_hosts(lab, cpus=1):
    """Two namespaces on one machine, joined by a veth pair: (client, server)."""
    machine = lab.machine("m", cpus)
    client = lab.net("client", "10.0.0.1", machine)
    server = lab.net("server", "10.0.0.2", machine)
    veth_pair(register_veth(client), register_veth(server))
    return client, server


def host(lab, cpus=1, **nic):
    """One host with a NIC that nothing is plugged into: frames come from `udp_frame` and `tcp_frame`."""
    net = lab.net("host", "10.0.0.2", cpus=cpus)
    return net, register_nic(net, **nic)


def tun_host(lab):
    """One host with a tun device."""
    net = lab.net("host", "10.0.0.2")
    return net, register_tun(net)


def udp_frame(net, length=100, sport=1000, dport=9, source="10.0.0.1"):
    """A datagram on its way to `net`, as a wire peer would send it."""
    flow = (ip_parse(source), sport, net.address, dport)
    skb = SkBuff(net.machine.skb_id(), flow, IPPROTO_UDP, length, 0, 0)
    skb.hdr_len = 42
    skb_birth(net, skb)
    return skb


def tcp_frame(net, flow, seq, length, flags=0x10, ack=1, window=500, ts=(1, 1)):
    """A TCP segment on its way to `net`; pass the same `flow` object for one connection."""
    skb = SkBuff(net.machine.skb_id(), flow, IPPROTO_TCP, length, seq, flags)
    skb.end_seq = seq + length
    skb.ack_seq = ack
    skb.window = window
    skb.hdr_len = 54
    if ts is not None:
        skb.tsval, skb.tsecr = ts
        skb.hdr_len = 66
    skb_birth(net, skb)
    return skb
