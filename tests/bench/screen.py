"""The program in a real terminal of 120x36: CPU per frame, frame rate, answers to keys, start, memory."""

from __future__ import annotations

import itertools
import statistics
import subprocess
import sys
import time
from pathlib import Path

import pyte

from tests.bench.measure import Row
from tests.bench.terminal import COLUMNS, ROWS, SYNC_QUERY, Terminal
from wireside.scenario.library import scenario_dir

HERE = Path(__file__).parent
BUSY, FLOOD = HERE / "busy.yaml", HERE / "flood.yaml"
ZERO_WINDOW = scenario_dir() / "zero-window.yaml"
PROGRAM = Path(sys.executable).with_name("wireside")
FRAME_GOAL_MS, FPS_GOAL, KEY_GOAL_MS, PAUSED_GOAL, START_GOAL_S = 8, 55, 30, 0.03, 0.8
HELP_GOAL_MS, RSS_GOAL_MB, MOVING_GOAL = 100, 150, 60
SETTLE_S, BUSY_SETTLE_S, WATCH_S, KEYS = 3, 12, 8, 60
TEN_MINUTES_NS = 600 * 10**9
MEMORY_SCALE = 20 * 10**9


def rows(runs: int) -> list[Row]:
    """Every measurement of the screen; starts are medians of `runs`, the rest medians within one session."""
    return [*start(runs), *frames(), frame_rate(), *keys(), memory()]


def play(scenario: Path, fps: int = 30, scale: int = 0) -> Terminal:
    return Terminal("-m", "tests.bench.play", str(scenario), str(fps), str(scale), "{marks}")


def frames() -> list[Row]:
    """CPU per frame while many packets move, and CPU while it is paused."""
    terminal = play(BUSY)
    terminal.watch(BUSY_SETTLE_S)
    first, told = len(terminal.frames), len(terminal.told("moving"))
    terminal.watch(WATCH_S)
    used = [cpu for _, cpu in terminal.frames[first:]]
    each = sorted((after - before) / 1e6 for before, after in itertools.pairwise(used))
    moving = statistics.median(terminal.told("moving")[told:])
    fps = len(each) / WATCH_S
    terminal.press(b" ")
    terminal.watch(1)
    before, since = terminal.cpu_ns(), time.monotonic_ns()
    terminal.watch(3)
    share = (terminal.cpu_ns() - before) / (time.monotonic_ns() - since)
    terminal.close()
    cost = statistics.median(each)
    return [
        Row("screen: packets that move (median)", f"{moving:.0f}", f"≥ {MOVING_GOAL}", moving >= MOVING_GOAL),
        Row(
            f"screen: CPU per frame at {fps:.0f} fps, median (p95)",
            f"{cost:.1f} ms ({each[int(len(each) * 0.95)]:.1f} ms)",
            f"≤ {FRAME_GOAL_MS} ms",
            cost <= FRAME_GOAL_MS,
        ),
        Row(
            "screen: CPU while paused",
            f"{share * 100:.1f} % of a core",
            f"≤ {PAUSED_GOAL * 100:.0f} %",
            share <= PAUSED_GOAL,
        ),
    ]


def frame_rate() -> Row:
    """Frames that reach the terminal each second when 60 are asked for."""
    terminal = play(BUSY, fps=60)
    terminal.watch(BUSY_SETTLE_S)
    first = len(terminal.frames)
    terminal.watch(WATCH_S)
    fps = (len(terminal.frames) - first) / WATCH_S
    terminal.close()
    return Row("screen: frames per second, 60 asked for", f"{fps:.1f}", f"≥ {FPS_GOAL}", fps >= FPS_GOAL)


def keys() -> list[Row]:
    """From a key typed to its handler, and to the end of the next frame, while the simulator is always behind."""
    terminal = play(FLOOD, scale=10**9)
    terminal.watch(SETTLE_S)
    handler, shown = [], []
    for number in range(KEYS):
        told = len(terminal.told("key"))
        typed = terminal.press(b"1234"[number % 4 : number % 4 + 1])
        if not terminal.watch(1, lambda told=told: len(terminal.told("key")) > told):
            continue
        handled = terminal.told("key")[-1]
        handler.append((handled - typed) / 1e6)
        drawn = len(terminal.frames)
        terminal.watch(1, lambda drawn=drawn: len(terminal.frames) > drawn)
        shown.append((terminal.started + terminal.frames[-1][0]) * 1e3 - typed / 1e6)
        terminal.watch(0.05 + 0.0137 * (number % 5))
    terminal.close()
    late = _p95(handler)
    return [
        Row(
            "screen: key to handler in a flood, p95 (median)",
            f"{late:.1f} ms ({statistics.median(handler):.1f} ms)",
            f"≤ {KEY_GOAL_MS} ms",
            late <= KEY_GOAL_MS and len(handler) == KEYS,
        ),
        Row("screen: key to next frame in a flood, p95", f"{_p95(shown):.1f} ms"),
    ]


def _p95(values: list[float]) -> float:
    return sorted(values)[int(len(values) * 0.95)]


def start(runs: int) -> list[Row]:
    """Cold start to a complete first frame, and the time of `wireside --help`."""
    screen = statistics.median(_first_frame_s() for _ in range(runs))
    usage = statistics.median(_wall_ms([str(PROGRAM), "--help"]) for _ in range(4 * runs))
    bare = statistics.median(_wall_ms([sys.executable, "-c", "pass"]) for _ in range(4 * runs))
    return [
        Row(
            "screen: start to first complete frame",
            f"{screen:.2f} s",
            f"≤ {START_GOAL_S} s",
            screen <= START_GOAL_S,
        ),
        Row("wireside --help", f"{usage:.0f} ms", f"≤ {HELP_GOAL_MS} ms", usage <= HELP_GOAL_MS),
        Row("wireside --help : python -c pass", f"{usage / bare:.1f} x"),
    ]


def _wall_ms(command: list[str]) -> float:
    begin = time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    return (time.perf_counter() - begin) * 1000


def _first_frame_s() -> float:
    terminal = Terminal("-m", "wireside", "play", str(ZERO_WINDOW))
    terminal.watch(SETTLE_S)
    terminal.close()
    screen = pyte.Screen(COLUMNS, ROWS)
    stream = pyte.ByteStream(screen)
    for when, data in terminal.chunks:
        # pyte does not know the private modes with an intermediate character
        stream.feed(data.replace(SYNC_QUERY, b""))
        text = "\n".join(screen.display)
        if "PACKET JOURNEY" in text and "quit" in text:
            return when
    raise AssertionError("no complete frame came")


def memory() -> Row:
    """Ten simulated minutes of zero-window, watched at twenty times real time."""
    terminal = play(ZERO_WINDOW, scale=MEMORY_SCALE)
    terminal.watch(180, lambda: terminal.told("now")[-1:] >= [TEN_MINUTES_NS])
    minutes = terminal.told("now")[-1] / 60e9
    mb = terminal.rss_mb()
    terminal.close()
    return Row(
        f"zero-window, {minutes:.0f} simulated minutes watched",
        f"{mb:.0f} MB",
        f"< {RSS_GOAL_MB} MB",
        mb < RSS_GOAL_MB and minutes >= 10,
    )
