"""The packets that conditions name, followed from their birth; all that a condition needs to know of them is kept here."""

from __future__ import annotations

from collections import deque
from heapq import heappop, heappush
from typing import TYPE_CHECKING

from wireside.catalog.inet import FIN, ip_text
from wireside.scenario.expect import conditions_of, texts_of
from wireside.scenario.journeys import PacketCount, PacketField, Packets
from wireside.scenario.terms import walk
from wireside.sim.packets import kind_of
from wireside.sim.run import NEVER
from wireside.snapshot import PacketRow

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from wireside.catalog.packet_kinds import PacketKind
    from wireside.kernel.core.net import Machine
    from wireside.kernel.core.skbuff import SkBuff
    from wireside.scenario.spec import Scenario
    from wireside.scenario.terms import Term
    from wireside.sim.env import KernelEnv

ID_STEP = 1 << 40
"""Machine m numbers its packets and sockets from m * this."""
WAITING = 64
"""Births that may wait to be put in order; the first stamp of a packet is made right after its birth is told."""
LOOPBACK = 127
"""The network of addresses by which a host speaks to itself."""


class Birth:
    """A packet as it was born: its frames, and which of them are followed."""

    __slots__ = ("flags", "followed", "frames", "length", "probe", "segs", "seq", "skb", "told", "unit")

    def __init__(self, skb: SkBuff, told: int) -> None:
        self.skb = skb
        self.told = told
        """When the model told of it, ns; a host does that up to a slice before the birth itself."""
        self.seq = skb.seq
        self.flags = skb.tcp_flags
        self.length = skb.len
        self.segs = max(1, skb.gso_segs)
        self.unit = skb.gso_size if self.segs > 1 else skb.len
        self.probe = skb.probe
        self.frames: list[SkBuff] | None = None
        """What the device cut it into."""
        self.followed: list[tuple[int, Journey]] = []

    def kind(self, place: int) -> PacketKind:
        """What its frame at `place` is; a FIN is in the last one."""
        flags = self.flags if place == self.segs - 1 else self.flags & ~FIN
        return kind_of(self.skb.protocol, flags, self.length, probe=self.probe)

    def payload(self, place: int) -> int:
        """Payload bytes of its frame at `place`."""
        return self.unit if place < self.segs - 1 else self.length - self.unit * (self.segs - 1)


class Journey:
    """One packet that is followed. When it has ended it is only what it was: it keeps no sk_buff."""

    __slots__ = ("_fate", "_stamps", "born", "destination", "kind", "length", "skb", "source")

    def __init__(self, skb: SkBuff, kind: PacketKind, length: int, ends: tuple[str, str], born: int) -> None:
        self.skb: SkBuff | None = skb
        self.kind = kind
        self.source, self.destination = ends
        self.length = length
        self.born = born
        self._stamps: tuple[int, ...] = ()
        self._fate = ""

    @property
    def stamps(self) -> Sequence[int]:
        """Stage, ns, stage, ns …, those to come included."""
        return self._stamps if self.skb is None else self.skb.stamps or ()

    @property
    def fate(self) -> str:
        """How it ends; empty when that is not known yet."""
        return self._fate if self.skb is None else self.skb.fate

    def close(self, now: int) -> bool:
        """Let go of the packet if it has ended by `now`; True when it has."""
        skb = self.skb
        if skb is not None and skb.fate:
            stamps = skb.stamps or []
            if stamps and stamps[-1] > now:
                return False
            self._stamps, self._fate, self.skb = tuple(stamps), skb.fate, None
        return self.skb is None

    def next_mark(self, now: int) -> int:
        """The next instant after `now` at which it comes to a stage, as far as is known; NEVER without one."""
        stamps = self.stamps
        found, place = NEVER, len(stamps) - 1
        while place > 0 and stamps[place] > now:
            found = stamps[place]
            place -= 2
        return found

    def row(self, now: int) -> PacketRow:
        """As it is at `now`."""
        stamps = self.stamps
        count = len(stamps)
        while count and stamps[count - 1] > now:
            count -= 2
        fate = self.fate if count == len(stamps) else ""
        return PacketRow(
            self.kind, self.source, self.destination, self.length, self.born, tuple(stamps[:count]), fate
        )


class Followed:
    """Numbers the packets of a world in the order of their births, and follows those that its conditions name.

    The model works ahead by up to a slice of a CPU, and a packet is born when its first stamp says so. So births wait here
    until their time has come; then nothing older can come any more, and no number depends on when somebody asks.
    """

    __slots__ = (
        "_fresh",
        "_heap",
        "_high",
        "_order",
        "_whole",
        "counted",
        "counts",
        "env",
        "found",
        "hosts",
        "machines",
        "named",
        "open",
        "wanted",
    )

    def __init__(self, env: KernelEnv, hosts: dict[int, str]) -> None:
        self.env = env
        self.hosts = hosts
        """Address → name."""
        self.machines: list[Machine] = []
        """Those that tell of their packets."""
        self.named: set[tuple[Packets, int]] = set()
        self.wanted: dict[Packets, list[int]] = {}
        """A heap of the places among the packets of a kind, from 0 on, that are named and not there yet."""
        self.counts: dict[Packets, int] = {}
        """How many are born of each kind that conditions speak of."""
        self.counted: set[Packets] = set()
        """Those whose number itself matters."""
        self.found: dict[tuple[Packets, int], Journey] = {}
        self.open: list[Journey] = []
        """Those that have not ended."""
        self._fresh: list[Birth] = []
        self._heap: list[tuple[int, int, Birth]] = []
        """(ns, order, birth) of those whose time has not come."""
        self._order = 0
        self._whole: dict[int, Birth] = {}
        """Super-packets that are not cut yet, by id."""

    def follow(self, leaves: Iterable[object], hosts: list[Machine], peers: list[Machine]) -> None:
        """From now on, follow the packets that `leaves` of conditions name; ValueError when the run has begun.

        The machines of hosts and wire peers that have no trace get one: without stamps, a packet has no journey.
        """
        new = [
            each for each in leaves if isinstance(each, PacketField | PacketCount) and not self._knows(each)
        ]
        if not new:
            return
        if self.env.now or any(machine.last_skb_id % ID_STEP for machine in (*hosts, *peers)):
            raise ValueError("packets are followed from the start of a run, not from a later time")
        for leaf in new:
            self.counts.setdefault(leaf.which, 0)
            if isinstance(leaf, PacketCount):
                self.counted.add(leaf.which)
            else:
                self.named.add((leaf.which, leaf.index))
                heappush(self.wanted.setdefault(leaf.which, []), leaf.index)
        self.machines = [*hosts, *peers]
        for machine in self.machines:
            if machine.trace is None:
                machine.trace = deque(maxlen=1)
            machine.on_birth = self.on_birth
            machine.on_segment = self.on_segment
        for machine in peers:
            machine.on_birth = self.on_birth_of_peer

    def _knows(self, leaf: PacketField | PacketCount) -> bool:
        if isinstance(leaf, PacketCount):
            return leaf.which in self.counted
        return (leaf.which, leaf.index) in self.named

    def on_birth(self, skb: SkBuff) -> None:
        """A packet enters the trace of a host; it gets its first stamp right after."""
        if len(self._fresh) >= WAITING:
            self.settle()
            self._let_go()
            if not self.machines:
                return
        birth = Birth(skb, self.env.now)
        if birth.segs > 1:
            self._whole[skb.id] = birth
        self._fresh.append(birth)

    def on_birth_of_peer(self, skb: SkBuff) -> None:
        """A wire peer makes a packet, here and now."""
        self.settle()
        if self.machines:
            self._order += 1
            heappush(self._heap, (self.env.now, self._order, Birth(skb, self.env.now)))

    def on_segment(self, frames: list[SkBuff]) -> None:
        """A super-packet was cut; the first of its frames is what is left of itself."""
        birth = self._whole.pop(frames[0].id, None)
        if birth is not None:
            birth.frames = frames
            for place, journey in birth.followed:
                journey.skb = frames[place]

    def settle(self) -> None:
        """Number the packets that are born by now."""
        heap, now = self._heap, self.env.now
        for birth in self._fresh:
            stamps = birth.skb.stamps
            self._order += 1
            heappush(heap, (stamps[1] if stamps else birth.told, self._order, birth))
        self._fresh.clear()
        while heap and heap[0][0] <= now:
            born, _, birth = heappop(heap)
            self._number(birth, born)

    def _let_go(self) -> None:
        """Keep no sk_buff of those that have ended."""
        now = self.env.now
        if self.open:
            self.open = [journey for journey in self.open if not journey.close(now)]

    def _number(self, birth: Birth, born: int) -> None:
        """Give its frames their numbers, and follow those that are named."""
        skb = birth.skb
        assert skb.source is not None
        source, address = skb.source.name, skb.flow[2]
        destination = source if address >> 24 == LOOPBACK else self.hosts.get(address, "") or ip_text(address)
        known = {"source": source, "destination": destination}
        for which, count in self.counts.items():
            places: Sequence[int] = range(birth.segs)
            for name, value in which.filters:
                if name == "kind":
                    places = [place for place in places if birth.kind(place) == value]
                elif known[name] != value:
                    places = ()
            self.counts[which] = top = count + len(places)
            wanted = self.wanted.get(which)
            while wanted and wanted[0] < top:
                index = heappop(wanted)
                place = places[index - count]
                journey = Journey(skb, birth.kind(place), birth.payload(place), (source, destination), born)
                if birth.frames is not None:
                    journey.skb = birth.frames[place]
                birth.followed.append((place, journey))
                self.found[which, index] = journey
                self.open.append(journey)
        if not birth.followed:
            self._whole.pop(skb.id, None)
        if not self.counted and not any(self.wanted.values()):
            self._rest()

    def _rest(self) -> None:
        """Everything named has been born: no birth has to be told any more."""
        for machine in self.machines:
            machine.on_birth = None
        self.machines = []
        self._fresh.clear()
        self._heap.clear()

    def next_mark(self) -> int:
        """The next instant at which something that is followed changes, as far as is known; NEVER without one."""
        self._let_go()
        now = self.env.now
        found = min([journey.next_mark(now) for journey in self.open], default=NEVER)
        if self._heap and self._awaits():
            found = min(found, self._heap[0][0])
        return found

    def _awaits(self) -> bool:
        """Whether one of the births that wait may be of a packet that is named or counted."""
        if self.counted:
            return True
        coming = sum(birth.segs for _, _, birth in self._heap)
        return any(
            wanted and wanted[0] < self.counts[which] + coming for which, wanted in self.wanted.items()
        )

    def rows(self) -> tuple[dict[str, PacketRow], dict[str, int]]:
        """What is named and born, as it is now, and the counts, by their spelling."""
        if not self.counts:
            return {}, {}
        self.settle()
        self._let_go()
        now = self.env.now
        rows = {f"{which}[{index}]": journey.row(now) for (which, index), journey in self.found.items()}
        return rows, {str(which): count for which, count in self.counts.items()}


def leaves_of(scenario: Scenario) -> list[Term]:
    """What the conditions of a scenario name that speak of packets."""
    texts = [text for text in texts_of(scenario) if "packet" in text]
    return [part for condition in conditions_of(scenario, texts) for part in walk(condition.term)]
