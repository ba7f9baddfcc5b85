"""What a run consists of: its hosts and machines, what joins them, and what runs on them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wireside.sim.env import KernelEnv
from wireside.sim.events import EventLog
from wireside.sim.followed import Followed
from wireside.wire.words import Conversations

if TYPE_CHECKING:
    from collections.abc import Iterable

    from wireside.kernel.core.net import Machine, Net
    from wireside.scenario.spec import Scenario
    from wireside.sim.cpu import Engine
    from wireside.sim.link import Wire
    from wireside.sim.run import ProgramRun
    from wireside.sim.tap import Tap
    from wireside.sim.wire_peer import WirePeer


class Fleet:
    """The parts of a running scenario, by name: a record that builders fill, and that knobs, taps, watches and views read.

    It sets nothing in motion; `World` does. `trace` is how many packets each machine remembers, 0 for none.
    """

    def __init__(self, scenario: Scenario, seed: int, trace: int, *, ideal_timers: bool) -> None:
        self.scenario = scenario
        self.seed = seed
        self.kernel = scenario.kernel
        self.trace = trace
        self.ideal_timers = ideal_timers
        self.conversations = Conversations()
        """From where the numbers of each connection count in the texts of its packets."""
        self.env = KernelEnv()
        self.log = EventLog(self.env)
        self.engines: dict[str, Engine] = {}
        """Machine name → what runs it."""
        self.machines: dict[str, Machine] = {}
        self.nets: dict[str, Net] = {}
        """Host name → its network namespace, in the scenario's order."""
        self.peers: dict[str, WirePeer] = {}
        self.wires: list[Wire] = []
        self.taps: dict[frozenset[str], Tap] = {}
        """The two ends of a link (one of a loopback) → what writes its frames down."""
        self.programs: list[ProgramRun] = []
        self.followed = Followed(self.env, {})
        """The packets that conditions speak of."""

    @property
    def now(self) -> int:
        """The current instant, ns."""
        return self.env.now

    def peer_nets(self) -> list[Net]:
        """The network namespaces that stand for wire peers, in order."""
        return [peer.net for peer in self.peers.values()]

    def names(self) -> dict[int, str]:
        """Address → name of every host and wire peer."""
        return {net.address: net.name for net in (*self.nets.values(), *self.peer_nets())}

    def all_machines(self) -> list[Machine]:
        """The machines of all hosts, and those that stand for wire peers."""
        return [*self.machines.values(), *(peer.net.machine for peer in self.peers.values())]

    def follow(self, leaves: Iterable[object]) -> None:
        """Follow the packets that these leaves of conditions name; ValueError when the run has begun without."""
        self.followed.follow(
            leaves, list(self.machines.values()), [peer.net.machine for peer in self.peers.values()]
        )
