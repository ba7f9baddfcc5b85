"""The packets that a picture may need: what the kept list gives is what the whole trace holds."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.sim.worlds import tcp_transfer
from wireside.sim.world import World


def whole(world, since):
    """The same question answered from the whole of every trace."""
    machines = [*world.machines.values(), *(peer.net.machine for peer in world.peers.values())]
    shown = [
        (skb.stamps[1], skb.id)
        for machine in machines
        for skb in machine.trace
        if skb.stamps and (not skb.fate or skb.stamps[-1] >= since)
    ]
    return [number for _, number in sorted(shown)[-world.trace :]]


looks = st.lists(
    st.tuples(st.integers(1, 3_000_000), st.integers(-2_000_000, 2_000_000)), min_size=1, max_size=12
)


@settings(deadline=None, max_examples=60, derandomize=True)
@given(looks, st.sampled_from([16, 300, 4096]))
def test_the_kept_list_is_what_the_trace_holds(looks, size):
    world = World(tcp_transfer(), trace=size)
    for step, back in looks:
        world.run_until(world.now + step)
        since = max(0, world.now - step - back)
        assert [trace.id for trace in world.traces(since)] == whole(world, since)
