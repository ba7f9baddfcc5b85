from tests.paint.fake_world import MS, US, FakeOrigin, FakeWorld, scenario
from wireside.paint.picture import Picture, pictured
from wireside.paint.scene import MAX_MOVERS


class ForgetfulWorld(FakeWorld):
    """Remembers only the newest 400 packets, as a world under flood does."""

    def traces(self, since_ns):
        return super().traces(max(since_ns, self.now - 200 * self.every_ns))[-400:]


def frames(every_ns, n, world=FakeWorld, scale=100 * US):
    player = pictured(
        FakeOrigin(scenario(beats=(), duration_ns=1000 * MS, scale=scale), lambda: world(every_ns))
    )
    picture = Picture(player.scenario)
    for _ in range(n):
        player.advance(1 / 30)
        frame = picture.frame(player)
    return frame


def test_a_flood_is_thinned_to_what_eyes_can_follow():
    frame = frames(500, 60)
    assert frame.scene.thin > 1
    assert 10 <= len(frame.scene.inbound) <= MAX_MOVERS * 1.3


def test_in_a_flood_bricks_travel_the_whole_way_though_the_world_forgets_them():
    frame = frames(500, 90, ForgetfulWorld, scale=5 * MS)
    assert {int(mover.u) for mover in frame.scene.inbound} == set(range(7))


def test_a_trickle_is_shown_packet_by_packet():
    frame = frames(100 * US, 60)
    assert frame.scene.thin == 1
    assert list(frame.traces) == sorted(frame.traces, key=lambda trace: trace.stamps[0][1])
