"""Run the program on a fake world: started by test_terminal in a terminal of its own."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "app"), str(ROOT)]

from tests.paint.fake_world import MS, FakeOrigin, FakeWorld, scenario  # noqa: E402
from wireside.paint.picture import pictured  # noqa: E402
from wireside.tui import terminal  # noqa: E402
from wireside.tui.app import WiresideApp  # noqa: E402


class CrashingWorld(FakeWorld):
    """Paused it looks well; the first step ends it."""

    asked = 0

    def upcoming(self):
        self.asked += 1
        if self.asked > 1:
            raise ZeroDivisionError
        return super().upcoming()


if __name__ == "__main__":
    world = CrashingWorld if "crash" in sys.argv else FakeWorld
    player = pictured(FakeOrigin(scenario(beats=(), duration_ns=10_000 * MS), world))
    if "patient" in sys.argv:  # a busy machine answers later than any terminal
        terminal.LAST_ANSWER_S = terminal.FIRST_ANSWER_S = 60.0
    if "paused" in sys.argv or "crash" in sys.argv:
        player.toggle_pause()
    app = WiresideApp(player, renderer=sys.argv[1])
    sys.exit(app.play())
