"""Rules of a link for single frames: drop, hold, duplicate."""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING

from wireside.kernel.skbuff import skb_birth
from wireside.scenario.patterns import matches
from wireside.sim.frames import frame_of
from wireside.wire.told import Teller

if TYPE_CHECKING:
    from wireside.kernel.net import Net
    from wireside.kernel.skbuff import SkBuff
    from wireside.scenario.spec import LinkRule


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


def duplicate(net: Net, skb: SkBuff) -> SkBuff:
    """A second frame like `skb`, with a life of its own."""
    other = copy(skb)
    other.id = net.machine.skb_id()
    other.sk = None
    other.destructor = None
    other.original = None
    skb_birth(net, other)
    return other
