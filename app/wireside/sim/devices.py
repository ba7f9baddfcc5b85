"""Puts devices into hosts and links between them, shows them, and turns their knobs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wireside.errors import CommandError, ScenarioError
from wireside.kernel.core.dev_tx import qdisc_len
from wireside.kernel.core.sch_tbf import Tbf
from wireside.kernel.drivers.nic import (
    Nic,
    ethtool_stats,
    register_nic,
    rx_rate_pps,
    rx_ring_used,
    set_ring,
)
from wireside.kernel.drivers.veth import Tun, Veth, register_tun, register_veth, veth_pair
from wireside.kernel.rx.dev_rx import budget_left
from wireside.scenario.spec import MAX_RING, MAX_RX_USECS_NS, MIN_RING
from wireside.sim.link import Lossy, Wire
from wireside.sim.meddler import Meddled, Meddler
from wireside.snapshot import NicRow

if TYPE_CHECKING:
    from wireside.kernel.core.net import Net
    from wireside.scenario.spec import LinkSpec, NicSpec
    from wireside.sim.fleet import Fleet
    from wireside.sim.wire_peer import WirePeer


def make_device(net: Net, spec: NicSpec) -> None:
    """Give a host its network device."""
    if spec.kind == "veth":
        register_veth(net, name="eth0", rps_cpus=spec.rps_cpus)
    elif spec.kind == "tun":
        register_tun(net, name="tun0", rps_cpus=spec.rps_cpus, txqueuelen=spec.txqueuelen)
    else:
        register_nic(
            net,
            name="eth0",
            rx_ring=spec.rx_ring,
            tx_ring=spec.tx_ring,
            rx_refill_batch=spec.rx_refill_batch,
            rx_usecs_ns=spec.rx_usecs_ns,
            rx_frames=spec.rx_frames,
            queues=spec.queues,
            gro=spec.gro,
            tso=spec.tso,
            rps_cpus=spec.rps_cpus,
            qdisc=spec.qdisc,
            txqueuelen=spec.txqueuelen,
            copybreak=spec.copybreak,
        )
    assert net.dev is not None
    net.dev.features_gso = net.dev.features_gso and spec.tso and spec.gso
    if not spec.gso:
        net.dev.gso_max_segs = 1
    if spec.tbf is not None:
        net.dev.qdisc = Tbf(spec.tbf.rate_bps, spec.tbf.burst, spec.tbf.limit)


def connect(fleet: Fleet, link: LinkSpec) -> None:
    """Join two devices, or a device and a wire peer.

    Differs: a veth pair has neither rate nor delay nor loss, as in Linux; those of its link are not used.
    """
    one, other = _end(fleet, link, link.a), _end(fleet, link, link.b)
    drivers = [end.dev.driver if end.dev is not None else None for end in (_net(one), _net(other))]
    for net in (_net(one), _net(other)):
        if net.dev is not None:
            net.dev.mtu = link.mtu
    first, second = drivers
    if isinstance(first, Veth) or isinstance(second, Veth):
        if not (isinstance(first, Veth) and isinstance(second, Veth)):
            raise ScenarioError(
                f"the link {link.a} - {link.b} joins a veth device with another kind",
                where=link.position,
                next_step="Give both hosts `nic: {kind: veth}`, or neither.",
            )
        veth_pair(first, second)
        return
    _send_to(fleet, link, one, other)
    _send_to(fleet, link, other, one)
    if link.rules:
        meddler = Meddler(link.rules, fleet.names())
        for wire in fleet.wires[-2:]:
            assert wire.source is not None
            wire.source.wire = Meddled(wire.source.wire, wire, meddler)


def _end(fleet: Fleet, link: LinkSpec, name: str) -> Net | WirePeer:
    net, peer = fleet.nets.get(name), fleet.peers.get(name)
    end = net or peer
    if end is None:
        raise ScenarioError(f"the link names {name!r}, which is no host", where=link.position)
    if (net is not None and _wire_of(net) is not None) or (peer is not None and peer.wire is not None):
        raise ScenarioError(f"{name} has more than one link", where=link.position)
    return end


def _wire_of(net: Net) -> Any:
    driver = net.dev.driver if net.dev is not None else None
    return driver.peer if isinstance(driver, Veth) else getattr(driver, "wire", None)


def _net(end: Any) -> Net:
    net: Net = end if hasattr(end, "dev") else end.net
    return net


def _send_to(fleet: Fleet, link: LinkSpec, source: Any, target: Any) -> None:
    """Make the direction source → target of a link."""
    sender, receiver = _net(source), _net(target)
    wire = Wire(
        fleet.env,
        sender,
        link.rate_bps,
        link.delay_ns,
        link.queue_limit,
        receiver.name,
        fleet.log,
    )
    fleet.wires.append(wire)
    if sender.dev is None:
        source.target = receiver.address
    wire.source = source if sender.dev is None else sender.dev.driver
    seed = f"{fleet.seed}/link/{sender.name}>{receiver.name}"
    wire.source.wire = Lossy(wire, link.loss, seed) if link.loss > 0 else wire
    wire.deliver = target.deliver if receiver.dev is None else receiver.dev.driver.frame_arrives


def rx_missed(net: Net) -> int:
    """Frames that a host's device lost for want of a descriptor."""
    driver = net.dev.driver if net.dev is not None else None
    return driver.rx_missed if isinstance(driver, Nic) else 0


def rate_of(fleet: Fleet, net: Net) -> int:
    """The rate of a host's link, bit/s; 0 when it has none."""
    for wire in fleet.wires:
        if wire.sender is net:
            return wire.rate_bps
    return 0


def nic_row(fleet: Fleet, net: Net) -> NicRow:
    """A host's device as it is now."""
    dev = net.dev
    assert dev is not None
    qdisc = dev.qdisc
    name, limit = ("noqueue", 0) if qdisc is None else ("pfifo_fast", qdisc.limit)
    if isinstance(qdisc, Tbf):
        name, limit = "tbf", 0
    driver = dev.driver
    cpu = net.machine.cpus[0]
    if not isinstance(driver, Nic):
        stats = {
            "rx_packets": dev.rx_packets,
            "rx_bytes": dev.rx_bytes,
            "rx_dropped": dev.rx_dropped,
            "tx_packets": dev.tx_packets,
            "tx_bytes": dev.tx_bytes,
            "tx_dropped": dev.tx_dropped,
        }
        polls, work = (driver.napi.polls, driver.napi.last_work) if isinstance(driver, Tun) else (0, 0)
        return NicRow(
            dev.name, dev.kind, dev.mtu, rate_of(fleet, net), 0, 0, 0, 0, 0, name, qdisc_len(dev), limit,
            False, 0, polls, work, budget_left(cpu), 0, stats,
        )  # fmt: skip
    queues = driver.queues
    busiest = max(queues, key=_backlog)
    return NicRow(
        dev.name,
        dev.kind,
        dev.mtu,
        rate_of(fleet, net),
        queues[0].size,
        rx_ring_used(driver),
        sum(q.unfilled for q in queues),
        driver.tx.size,
        driver.tx.used,
        name,
        qdisc_len(dev),
        limit,
        busiest.irq_raised or busiest.napi.scheduled,
        sum(q.irqs for q in queues),
        sum(q.napi.polls for q in queues),
        busiest.napi.last_work,
        budget_left(net.machine.cpus[busiest.cpu_id]),
        rx_rate_pps(driver, fleet.now),
        ethtool_stats(driver),
    )


def _backlog(q: Any) -> int:
    return len(q.frames)


def nic_knob(net: Net, name: str) -> int:
    """A NIC knob's present value: descriptors, or µs."""
    nic = _nic(net, name)
    return nic.queues[0].size if name == "nic.rx_ring" else nic.rx_usecs_ns // 1000


def turn_nic_knob(net: Net, name: str, value: int) -> str:
    """Set "nic.rx_ring" (descriptors) or "nic.rx_usecs" (ns) and say what happens."""
    nic = _nic(net, name)
    if name == "nic.rx_usecs":
        if not 0 <= value <= MAX_RX_USECS_NS:
            raise CommandError(
                f"rx-usecs must be 0 to {MAX_RX_USECS_NS // 1000} µs", next_step="20 is a usual value."
            )
        nic.rx_usecs_ns = value
        return f"rx-usecs of {nic.dev.name} is now {value // 1000} µs; it takes effect at the next interrupt."
    if not MIN_RING <= value <= MAX_RING:
        raise CommandError(
            f"the receive ring must have {MIN_RING} to {MAX_RING} descriptors, not {value}",
            next_step="256, 512, 1024 and 4096 are usual.",
        )
    set_ring(nic, value)
    return f"The receive ring of {nic.dev.name} now has {value} descriptors; it takes effect at once."


def _nic(net: Net, name: str) -> Nic:
    driver = net.dev.driver if net.dev is not None else None
    if not isinstance(driver, Nic):
        kind = net.dev.kind if net.dev is not None else "missing"
        raise CommandError(
            f"{net.name} has no {name}: its device is {kind}", next_step="Only `kind: nic` has a ring."
        )
    return driver
