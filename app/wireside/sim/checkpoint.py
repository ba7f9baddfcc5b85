"""Checkpoints: a world frozen at an instant, from which any number of worlds can be thawed that go on as it does.

A checkpoint stays in memory and is never written to a file: it is a pickle, and shares what does not change with the world
that it was taken from. What is left out is what has gone by: packets that have ended, their texts, and the frames that a
wire peer only remembers. So `World.traces()` of a thawed world shows what lived when it was frozen, and what was born since.
"""

from __future__ import annotations

import pickle
from collections import deque
from copyreg import __newobj__  # type: ignore[attr-defined]
from io import BytesIO
from operator import attrgetter, methodcaller
from random import Random
from struct import Struct
from typing import TYPE_CHECKING, Any, NamedTuple

from wireside.catalog.counters import ALL_COUNTERS
from wireside.catalog.kinds import Scope
from wireside.catalog.sysctls import ALL_SYSCTLS
from wireside.kernel.core.net import Machine, Net
from wireside.sim.events import EventLog
from wireside.sim.heap import uncollected
from wireside.sim.packets import PacketBook, Trail
from wireside.sim.run import NEVER
from wireside.sim.tap import Tap
from wireside.sim.wire_peer import WirePeer
from wireside.sim.world import World

if TYPE_CHECKING:
    from collections.abc import Callable

    from wireside.scenario.spec import Scenario
    from wireside.snapshot import Event
    from wireside.wire.frame import Frame

    Reduced = tuple[Any, ...]
    """What `__reduce__` answers."""

RNG_STATE = Struct("<625I")
"""The words of a Mersenne Twister and its position, as random.Random keeps them."""


class Checkpoint(NamedTuple):
    """A world as it was at `time_ns`. `data` is what changes; the rest is shared with the world it was taken from."""

    time_ns: int
    data: bytes
    scenario: Scenario
    events: tuple[list[Event], int]
    """The list that the world appends its events to, and how many of them there were."""
    taps: tuple[tuple[list[Frame], int], ...]
    """The same of the frames of each tap."""


def freeze(world: World) -> Checkpoint:
    """Take a checkpoint of a world at rest, which runs on as if nothing had been."""
    stream = BytesIO()
    pickler = pickle.Pickler(stream, 5)
    pickler.dispatch_table = _REDUCERS
    with uncollected():
        pickler.dump(world)
    kept = world.log.kept
    taps = tuple((tap.seen, len(tap.seen)) for tap in world.taps.values())
    return Checkpoint(world.now, stream.getvalue(), world.scenario, (kept, len(kept)), taps)


def thaw(checkpoint: Checkpoint) -> World:
    """Make a world that goes on from a checkpoint: the same numbers, the same chance, the same events."""
    with uncollected():
        world: World = pickle.loads(checkpoint.data)  # noqa: S301  # made by freeze(), and never out of memory
    world.scenario = checkpoint.scenario
    events, count = checkpoint.events
    world.log.kept = events[:count]
    for tap, (frames, seen) in zip(world.taps.values(), checkpoint.taps, strict=True):
        tap.seen = frames[:seen]
    return world


def _fill(target: Any, values: tuple[Any, ...]) -> None:
    """Give an object of a class with slots their values."""
    for name, value in zip(_slots(target.__class__), values, strict=True):
        setattr(target, name, value)


_SLOTS: dict[type, tuple[str, ...]] = {}


def _slots(cls: type) -> tuple[str, ...]:
    """The names of all slots of a class and of those that it is built on."""
    found = _SLOTS.get(cls)
    if found is None:
        found = _SLOTS[cls] = tuple(name for each in cls.__mro__ for name in vars(each).get("__slots__", ()))
    return found


_OWN_WAYS = frozenset(
    {"__reduce__", "__reduce_ex__", "__getstate__", "__setstate__", "__getnewargs__", "__iter__"}
)


def _plain(cls: type) -> bool:
    """Objects of a class are nothing but their slots, and say nothing of their own about how they are pickled."""
    parts = [vars(each) for each in cls.__mro__ if each is not object]
    return all("__slots__" in part and not _OWN_WAYS & part.keys() for part in parts)


def _by_slots(cls: type) -> Callable[[Any], Reduced]:
    """How to take apart an object of a class with slots: a tuple is quicker than names and values, and half as large."""
    if not _slots(cls):
        return lambda target: (__newobj__, (cls,))
    get = attrgetter(*_slots(cls))
    single = len(_slots(cls)) == 1

    def reduce(target: Any) -> Reduced:
        try:
            values = get(target)
        except AttributeError:
            found: Reduced = target.__reduce_ex__(5)
            return found
        return __newobj__, (cls,), (values,) if single else values, None, None, _fill

    return reduce


def _with(target: Any, **changed: Any) -> Reduced:
    """Take an object apart, with other values for some of its attributes."""
    state = {name: getattr(target, name) for name in _slots(target.__class__) or vars(target)} | changed
    if _slots(target.__class__):
        return __newobj__, (target.__class__,), tuple(state.values()), None, None, _fill
    return __newobj__, (target.__class__,), state


def _world(world: World) -> Reduced:
    return __newobj__, (World,), world.__getstate__() | {"scenario": None}


def _log(log: EventLog) -> Reduced:
    return _with(log, kept=[])


def _tap(tap: Tap) -> Reduced:
    return _with(tap, seen=[])


_KEYS: tuple[tuple[Any, ...], ...] = (
    tuple(ALL_COUNTERS),
    tuple(ALL_SYSCTLS),
    tuple(sysctl for sysctl in ALL_SYSCTLS if sysctl.scope is Scope.HOST),
)
"""The keys of tables that hold them all, in their order."""


class _Values:
    """The values of a table whose keys are those of `_KEYS[keys]`."""

    __slots__ = ("keys", "values")

    def __init__(self, keys: int, values: tuple[Any, ...]) -> None:
        self.keys = keys
        self.values = values


def _values(table: _Values) -> Reduced:
    return _filled, (table.keys, table.values)


def _filled(keys: int, values: tuple[Any, ...]) -> dict[Any, Any]:
    return dict(zip(_KEYS[keys], values, strict=True))


def _table(table: Any) -> Any:
    """What to freeze of a table: only its values, unless it has other keys than usual."""
    for number, keys in enumerate(_KEYS):
        if tuple(table) == keys:
            return _Values(number, tuple(table.values()))
    return table


def _machine(machine: Machine) -> Reduced:
    trace, sysctl = machine.trace, _table(machine.sysctl)
    if trace is None:
        return _with(machine, sysctl=sysctl)
    alive = deque([skb for skb in trace if not skb.fate], trace.maxlen)
    return _with(machine, sysctl=sysctl, trace=alive)


def _net(net: Net) -> Reduced:
    return _with(net, mib=_table(net.mib), sysctl=_table(net.sysctl))


def _peer(peer: WirePeer) -> Reduced:
    return _with(peer) if peer.complains else _with(peer, received=deque(maxlen=peer.received.maxlen))


def _book(book: PacketBook) -> Reduced:
    return _with(book, done={}, words={})


def _trail(trail: Trail) -> Reduced:
    return _with(trail, alive=[], ended=[], reaches=NEVER)


def _deque(queue: deque[Any]) -> Reduced:
    return deque, () if queue.maxlen is None else ((), queue.maxlen), None, iter(queue)


def _rng(rng: Random) -> Reduced:
    _, words, pending = rng.getstate()
    return _random, (RNG_STATE.pack(*words), pending)


def _random(words: bytes, pending: float | None) -> Random:
    rng = Random.__new__(Random)
    rng.setstate((Random.VERSION, RNG_STATE.unpack(words), pending))
    return rng


_ordinary: Callable[[Any], Reduced] = methodcaller("__reduce_ex__", 5)
"""How an object is taken apart that says so itself."""


class _Reducers(dict[type, "Callable[[Any], Reduced]"]):
    """Class → how its objects are taken apart; classes with slots are worked out when first met."""

    def __missing__(self, cls: type) -> Callable[[Any], Reduced]:
        if issubclass(cls, type):
            raise KeyError(cls)
        found = self[cls] = _by_slots(cls) if _plain(cls) else _ordinary
        return found


_REDUCERS = _Reducers(
    {
        World: _world,
        EventLog: _log,
        Tap: _tap,
        Machine: _machine,
        Net: _net,
        _Values: _values,
        WirePeer: _peer,
        PacketBook: _book,
        Trail: _trail,
        Random: _rng,
        deque: _deque,
    }
)
