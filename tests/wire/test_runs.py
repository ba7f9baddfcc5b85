"""Every frame that a run puts on a wire: its bytes are as many as the model charges for, and read back as what it was."""

from __future__ import annotations

from pathlib import Path

import pytest

from wireside.scenario.load import load
from wireside.sim import tap
from wireside.sim.attach import attach
from wireside.sim.frames import frame_of
from wireside.sim.world import World
from wireside.wire.decode import decode_frame
from wireside.wire.encode import encode_frame

LIFE = sorted((Path(__file__).parents[1] / "life").glob("*.yaml"))
LESSONS = [
    Path(__file__).parents[2] / "scenarios" / f"{name}.yaml" for name in ("zero-window", "first-packet")
]
MOST = 2000


@pytest.mark.parametrize("path", LIFE + LESSONS, ids=lambda path: path.stem)
def test_frames_of_a_run(path, monkeypatch):
    seen = []

    def noted(when, skb, *, lost=False):
        frame = frame_of(when, skb, lost=lost)
        if len(seen) < MOST:
            seen.append((frame, skb.hdr_len + skb.len))
        return frame

    monkeypatch.setattr(tap, "frame_of", noted)
    scenario = load(str(path))
    world = World(scenario)
    for link in scenario.links:
        attach(world, link.a, link.b)
    for host in scenario.hosts:
        attach(world, host.name, host.name)
    world.run_until(min(scenario.duration_ns, 3_000_000_000))
    assert seen
    for frame, size in seen:
        data = encode_frame(frame)
        assert len(data) == size
        assert decode_frame(data, frame.time_ns) == frame._replace(lost=False)
