"""Rules of a link for single frames: drop, hold, duplicate."""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING

from wireside.kernel.core.skbuff import skb_birth
from wireside.scenario.patterns import matches
from wireside.sim.frames import frame_of
from wireside.wire.told import Teller

if TYPE_CHECKING:
    from wireside.kernel.core.net import Net
    from wireside.kernel.core.skbuff import SkBuff
    from wireside.scenario.spec import LinkRule
    from wireside.sim.link import Medium, Wire


class Meddler:
    """Counts what both directions of a link carry, and finds the rule for a frame."""

    __slots__ = ("came", "rules", "teller")

    def __init__(self, rules: tuple[LinkRule, ...], names: dict[int, str]) -> None:
        self.rules = rules
        self.came = [0] * len(rules)
        """Per rule, how many frames looked like its pattern."""
        self.teller = Teller(names)

    def rule_for(self, when: int, skb: SkBuff) -> LinkRule | None:
        """The rule that decides what happens to a frame, if any."""
        frame = self.teller.tell(frame_of(when, skb))
        found = None
        for number, rule in enumerate(self.rules):
            if matches(rule.pattern, frame):
                self.came[number] += 1
                if found is None and rule.nth in (0, self.came[number]):
                    found = rule
        return found


class Meddled:
    """One direction of a link whose frames a meddler looks at before they are sent on."""

    __slots__ = ("below", "meddler", "wire")

    def __init__(self, below: Medium, wire: Wire, meddler: Meddler) -> None:
        self.below = below
        self.wire = wire
        self.meddler = meddler

    def transmit(self, when: int, skb: SkBuff, lost: bool = False) -> int:
        """Do with a frame what the rule for it says."""
        rule = self.meddler.rule_for(when, skb)
        if rule is None:
            return self.below.transmit(when, skb, lost)
        if rule.action == "drop":
            return self.below.transmit(when, skb, True)
        if rule.action == "hold":
            self.wire.in_flight += skb.gso_segs
            self.wire.env.at(when + rule.hold_ns, self._let_go, skb)
            return when + self.wire.frame_ns(skb)
        other = duplicate(self.wire.sender, skb)
        return self.below.transmit(self.below.transmit(when, skb, lost), other)

    def _let_go(self, skb: SkBuff) -> None:
        self.wire.in_flight -= skb.gso_segs
        self.below.transmit(self.wire.env.now, skb)


def duplicate(net: Net, skb: SkBuff) -> SkBuff:
    """A second frame like `skb`, with a life of its own."""
    other = copy(skb)
    other.id = net.machine.skb_id()
    other.sk = None
    other.destructor = None
    other.original = None
    skb_birth(net, other)
    return other
