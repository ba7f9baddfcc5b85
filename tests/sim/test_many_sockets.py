"""Sockets by the hundred: counted at every change, small while idle, and whole after a checkpoint."""

import gc
import pickle
from collections import Counter

import pytest

from tests.bench import scale
from wireside.catalog.tcp_states import SS_NAME, TcpState
from wireside.kernel.core.sk_buff_head import NO_ENTRIES
from wireside.sim import heap


def states_of(net):
    found = Counter(SS_NAME[sk.sk_state] for sk in net.sockets.values())
    found.update(SS_NAME[TcpState(tw.tw_substate)] for tw in net.timewait.values())
    return found


@pytest.fixture
def world():
    world = scale.idle(40)
    scale.connect_all(world, 40)
    return world


def test_the_counts_are_those_of_the_sockets():
    world = scale.churn(30)
    for moment in range(1, 80):
        world.run_until(moment * scale.MS)
        for net in world.nets.values():
            assert world.snapshot().host(net.name).states == states_of(net)
    assert world.snapshot().host("client").states["TIME-WAIT"] == 30
    world.run_until(90 * scale.SECOND)
    assert world.snapshot().host("client").states == {}


def test_an_idle_connection_has_no_queues_of_its_own(world):
    for net in world.nets.values():
        for sk in net.sockets.values():
            if sk.sk_state == TcpState.ESTABLISHED:
                assert sk.sk_receive_queue is sk.tcp_write_queue is sk.tcp_rtx_queue is NO_ENTRIES
                assert sk.out_of_order_queue is sk.selective_acks is NO_ENTRIES


def test_what_sockets_share_takes_nothing():
    with pytest.raises(TypeError, match="stays empty"):
        NO_ENTRIES.append(None)
    with pytest.raises(TypeError, match="stays empty"):
        NO_ENTRIES.insert(0, None)


def test_a_checkpoint_keeps_what_sockets_share(world):
    again = pickle.loads(pickle.dumps(world, 5))
    for each in (world, again):
        scale.add_busy(each)
    assert scale._read(again) == scale._read(world) > 0
    assert not NO_ENTRIES


def test_all_sockets_are_counted_and_the_ends_shown(world, monkeypatch):
    monkeypatch.setattr("wireside.sim.socket_rows.ENDS_SHOWN", 5)
    host = world.snapshot().host("client")
    ids = list(world.nets["client"].sockets)
    assert [row.id for row in host.sockets] == [*ids[:5], *ids[-5:]]
    assert host.states == {"ESTAB": 40}


def test_a_slow_collection_freezes_what_stays():
    before = gc.get_threshold()
    heap.keep_still()
    try:
        gc.disable()
        frozen = gc.get_freeze_count()
        kept = [[] for _ in range(1000)]
        heap.STILLNESS("start", {"generation": 1})
        heap.STILLNESS.began -= 1
        heap.STILLNESS("stop", {"generation": 1})
        assert gc.get_freeze_count() >= frozen + len(kept)
        assert heap.STILLNESS.longest_s > 1
        heap.settle()
        assert heap.STILLNESS.longest_s < 1
    finally:
        gc.enable()
        gc.callbacks.remove(heap.STILLNESS)
        gc.set_threshold(*before)
        gc.unfreeze()
