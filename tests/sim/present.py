"""The law of the present: nothing is stamped, and nothing is put on a wire, before now."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Iterable

    from wireside.kernel.core.hrtimer import HrTimer
    from wireside.kernel.core.net import Machine
    from wireside.sim.env import KernelEnv
    from wireside.sim.world import World


class Stamps(list[int]):
    """A packet's stamps that take no moment before the present."""

    def __init__(self, env: KernelEnv, stamps: Iterable[int]) -> None:
        super().__init__(stamps)
        self.env = env

    def __iadd__(self, entry: Any) -> Self:  # type: ignore[override, misc]
        stamps = tuple(entry)
        for stage, when in zip(stamps[::2], stamps[1::2], strict=True):
            assert when >= self.env.now, f"stage {stage} stamped {self.env.now - when} ns before the present"
        self.extend(stamps)
        return self


class Trace(deque[Any]):
    """A machine's trace: every packet that enters it gets such stamps."""

    env: KernelEnv

    def append(self, skb: Any) -> None:
        skb.stamps = Stamps(self.env, skb.stamps)
        super().append(skb)


def hold_to_the_present(world: World) -> list[int]:
    """Make the world fail as soon as it works in the past; the list returned gets the ns at which hrtimers run."""
    fired: list[int] = []
    for machine in world.machines.values():
        assert machine.trace is not None, "stamps are only written when tracing is on"
        trace = Trace(maxlen=machine.trace.maxlen)
        trace.env = world.env
        machine.trace = trace
        _watch_hrtimers(world, machine, fired)
    for wire in world.wires:
        _watch_wire(world, wire)
    return fired


def _watch_wire(world: World, wire: Any) -> None:
    class Watched(type(wire)):  # type: ignore[misc]
        __slots__ = ()

        def transmit(self, when: int, skb: Any, *lost: bool) -> int:
            assert when >= world.env.now, f"on the wire {world.env.now - when} ns before the present"
            return int(super().transmit(when, skb, *lost))

    wire.__class__ = Watched


def _watch_hrtimers(world: World, machine: Machine, fired: list[int]) -> None:
    engine = world.engines[machine.name]
    arm = engine.raise_hrtimer

    def raise_hrtimer(cpu_id: int, when: int, timer: HrTimer) -> Any:
        function = timer.function

        def checked(cpu: Any, arg: Any) -> None:
            assert cpu.now >= when, f"a timer ran {when - cpu.now} ns early"
            assert cpu.id == cpu_id
            fired.append(cpu.now)
            function(cpu, arg)

        timer.function = checked
        return arm(cpu_id, when, timer)

    engine.raise_hrtimer = raise_hrtimer  # type: ignore[method-assign]
