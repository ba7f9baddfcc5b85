"""The events of a world: what is worth a plain sentence, numbered, the oldest forgotten."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wireside.snapshot import Event

if TYPE_CHECKING:
    from wireside.catalog.drop_reasons import DropReason
    from wireside.kernel.core.net import Cpu, Net
    from wireside.kernel.core.skbuff import SkBuff
    from wireside.sim.env import KernelEnv
    from wireside.sim.run import ProgramRun

KEPT = 10_000
"""Events that can be asked for; up to as many more may lie around."""
LOSS = 2


class EventLog:
    """Collects events; `count` numbers them from 0 on. Losses of one kind speak up at the 1st, 10th, 100th."""

    __slots__ = ("count", "env", "kept", "losses")

    def __init__(self, env: KernelEnv) -> None:
        self.env = env
        self.kept: list[Event] = []
        """Only ever appended to, so that a checkpoint may share it; what is too old goes when a new list begins."""
        self.count = 0
        self.losses: dict[tuple[str, str], list[int]] = {}
        """(host, reason) → [losses so far, number at which it is told next]."""

    def since(self, number: int) -> tuple[Event, ...]:
        """Events with running number >= `number` that are still kept, oldest first."""
        kept = self.kept
        return tuple(kept[max(0, len(kept) - KEPT, number - self.count + len(kept)) :])

    def add(self, time_ns: int, host: str, topic: str, text: str, severity: int = 0) -> None:
        """Note an event."""
        if len(self.kept) >= 2 * KEPT:
            self.kept = self.kept[-KEPT:]
        self.kept.append(Event(time_ns, host, topic, text, severity))
        self.count += 1

    def on_event(self, net: Net, time_ns: int, topic: str, text: str, severity: int) -> None:
        """The kernel has something to say."""
        self.add(time_ns, net.name, topic, text, severity)

    def on_drop(self, net: Net, skb: SkBuff, reason: DropReason) -> None:
        """A packet of `net` was dropped; a kernel that has no name for the reason does not keep us from telling it."""
        shown = reason.shown_on(net.machine.profile.version).name
        total = self._counted(net.name, reason.name, skb.gso_segs)
        if not total:
            return
        amount = "First packet dropped" if total == 1 else f"{total} packets dropped so far"
        if reason.is_loss:
            self.add(self.env.now, net.name, "drop", f"{amount}, {shown}: {reason.doc}", LOSS)
        else:
            self.add(self.env.now, net.name, "tcp", f"{amount}, nothing lost, {shown}: {reason.doc}")

    def on_missed(self, host: str) -> None:
        """A frame found no free descriptor in the ring of `host`."""
        total = self._counted(host, "rx_missed_errors", 1)
        if total:
            amount = "First frame missed" if total == 1 else f"{total} frames missed so far"
            self.add(
                self.env.now,
                host,
                "nic",
                f"{amount}, rx_missed_errors: the receive ring has no free descriptor.",
                LOSS,
            )

    def on_lost(self, host: str, frames: int) -> None:
        """A link lost what `host` sent."""
        total = self._counted(host, "link loss", frames)
        if total:
            amount = "First frame lost" if total == 1 else f"{total} frames lost so far"
            self.add(self.env.now, host, "nic", f"{amount} on the link from {host}; no host counts it.", LOSS)

    def on_ksoftirqd(self, cpu: Cpu) -> None:
        """Softirq work of a CPU was handed over to its thread."""
        host = cpu.machine.name
        total = self._counted(host, f"ksoftirqd/{cpu.id}", 1)
        if total:
            times = "" if total == 1 else f" ({total} times so far)"
            text = f"CPU {cpu.id} hands its packets over to ksoftirqd/{cpu.id}, which takes turns with the programs{times}."
            self.add(cpu.now, host, "softirq", text, 1)

    def on_exit(self, cpu: Cpu, run: ProgramRun) -> None:
        """A program has ended, perhaps with an expectation that did not hold."""
        failed = run.program.tally.unmet if run.program is not None else ""
        text = f"{run.name} has ended; {failed}." if failed else f"{run.name} has ended."
        self.add(cpu.now, run.task.net.name, "program", text, LOSS if failed else 0)

    def on_failure(self, now: int, run: ProgramRun) -> None:
        """Calls of a program failed."""
        assert run.program is not None
        tally = run.program.tally
        host, amount = run.task.net.name, tally.failed - tally.told
        tally.told = tally.failed
        total = self._counted(host, f"calls of {run.name}", amount)
        if total:
            so_far = "" if total == 1 else f", failure {total}"
            self.add(now, host, "program", f"A call of {run.name} failed: {tally.error}{so_far}.", 1)

    def _counted(self, host: str, what: str, amount: int) -> int:
        """Count losses; the total when it is time to speak of them, else 0."""
        state = self.losses.get((host, what))
        if state is None:
            state = self.losses[host, what] = [0, 1]
        state[0] += amount
        if state[0] < state[1]:
            return 0
        while state[1] <= state[0]:
            state[1] *= 10
        return state[0]
