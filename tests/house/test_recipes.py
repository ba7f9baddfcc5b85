"""The recipes of CONTRIBUTING.md, followed to the letter in a copy of the tree: what they say is enough, and true."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys

import pytest

from tests.house.tree import ROOT

UDP = "app/wireside/kernel/udp/udp.py"
SYSCTLS = "app/wireside/catalog/sysctls.py"
COUNTERS = "app/wireside/catalog/counters.py"
REASONS = "app/wireside/catalog/drop_reasons.py"
BEHAVIOURS = "app/wireside/scenario/behaviours.py"
PROGRAMS = "app/wireside/sim/programs/__init__.py"
INDEX = "scenarios/index.yaml"
GRAMMAR = "app/wireside/catalog/syscalls.py"
HANDLERS = "app/wireside/kernel/syscalls/syscall.py"
SOCKOPTS = "app/wireside/catalog/sockopts.py"
OPTIONS = "app/wireside/kernel/syscalls/sockopt.py"
DATAGRAMS = """\
format: 1
title: A toy
summary: Datagrams for a port that nobody listens on.
duration: 100ms
hosts:
  server: {address: 10.0.0.1}
  client: {address: 10.0.0.2}
links:
  - {between: [client, server], rate: 1Gbps, delay: 1ms}
programs:
  - {on: client, name: sender, run: RUN, PARAMETERS}
expect:
  - {at: 90ms, that: "client.UdpOutDatagrams > 0"}
"""
ACTIONS = "app/wireside/catalog/actions.py"
PLACES = "app/wireside/catalog/places.py"
LAYOUT = "app/wireside/paint/layout.py"
PANES = "app/wireside/paint/screen.py"
JOURNEY = "app/wireside/tui/screens/journey.py"
SCREENS = "app/wireside/tui/screens/__init__.py"
SHOW = """\
import asyncio
import sys

from wireside.scenario.load import load
from wireside.tui.app import WiresideApp, make_session


async def main(pane, *keys):
    app = WiresideApp(make_session(load("toy.yaml")), renderer="safe")
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.press(*keys)
        await pilot.pause()
        app.screen.tick()
        print(app.screen.panes[pane].new.text())


asyncio.run(main(*sys.argv[1:]))
"""
"""Prints what a pane shows after some keys."""
BY_SCRIPT = "  - on: client\n    name: sender\n    script:\n"
SENDER = DATAGRAMS.replace("RUN", "udp_source").replace("PARAMETERS", 'to: "server:9", pps: 1kpps, total: 5')


def places(recipe):
    """The files and folders that a recipe of CONTRIBUTING.md names."""
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    section = re.search(rf"^### {re.escape(recipe)}\n(.*?)(?=^##)", text, re.DOTALL | re.MULTILINE)
    assert section, f"there is no recipe for {recipe}"
    return [word for word in re.findall(r"`([^`\s]+)`", section[1]) if "/" in word or word.endswith(".md")]


class Copy:
    """A copy of the tree in which one recipe is followed."""

    def __init__(self, folder, recipe, *more):
        self.folder, self.places = folder, places(recipe)
        for name in ("app", "scenarios", *more):
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))

    def _path(self, name):
        inside = [
            place
            for place in self.places
            if name == place or (place.endswith("/") and name.startswith(place))
        ]
        assert inside, f"the recipe does not name {name}"
        return self.folder / name

    def put(self, name, before, text):
        """Write `text` into a file, in front of the only place where `before` stands."""
        path = self._path(name)
        source = path.read_text("utf-8")
        assert source.count(before) == 1, f"{before!r} in {name}"
        path.write_text(source.replace(before, text + before), "utf-8")

    def add(self, name, text):
        """Make a new file."""
        assert not self._path(name).exists()
        self._path(name).write_text(text, "utf-8")

    def wireside(self, *arguments):
        """What the program of this copy does with a command line."""
        return self.python("-m", "wireside", *arguments)

    def shown(self, pane, *keys):
        """What a pane of this copy shows after some keys; or why the program did not start."""
        ran = self.python("-c", SHOW, pane, *keys)
        return ran.stdout + ran.stderr

    def python(self, *arguments):
        """What Python does with the modules of this copy."""
        environment = {**os.environ, "PYTHONPATH": str(self.folder / "app"), "PYTHONDONTWRITEBYTECODE": "1"}
        command = [sys.executable, *arguments]
        return subprocess.run(
            command, cwd=self.folder, env=environment, capture_output=True, text=True, check=False
        )

    def server(self, *arguments, story=SENDER):
        """The server's part of the report of a run."""
        (self.folder / "toy.yaml").write_text(story, "utf-8")
        ran = self.wireside("run", "toy.yaml", "--json", *arguments)
        assert ran.returncode == 0, ran.stderr
        return json.loads(ran.stdout)["hosts"]["server"]


NO_PORT = "        net.mib[Udp.NoPorts] += 1\n"
"""Where the toys are read, counted and dropped: at a datagram without a socket."""


def test_a_sysctl(tmp_path):
    copy = Copy(tmp_path, "A sysctl")
    declaration = (
        'UDP_TOY: Final = Sysctl[int]("net.ipv4.udp_toy", 1, "toys", NS, AT_ONCE,\n'
        '    "How often a datagram without a socket is counted.", "net/ipv4/udp.c toy()", high=9, steps=(1, 2))\n'
    )
    copy.put(SYSCTLS, "# fmt: on\n\nALL_SYSCTLS", declaration)
    copy.put(SYSCTLS, '"UDP_RMEM_MIN",', '"UDP_TOY", ')
    copy.put(UDP, "WMEM_DEFAULT\n", "UDP_TOY, ")
    copy.put(UDP, NO_PORT, "        net.mib[Udp.NoPorts] += net.sysctl[UDP_TOY] - 1\n")
    assert copy.server()["counters"]["UdpNoPorts"] == 5
    turned = copy.server("--set", "net.ipv4.udp_toy=3")
    assert turned["counters"]["UdpNoPorts"] == 15
    assert turned["sysctl"]["net.ipv4.udp_toy"] == "3"
    refused = copy.wireside("run", "toy.yaml", "--set", "net.ipv4.udp_toy=10")
    assert refused.returncode == 2
    assert "at most 9 toys" in refused.stderr


def test_a_counter(tmp_path):
    copy = Copy(tmp_path, "A counter")
    declaration = '    Toys = Counter("UdpToys", "Toys counted.", f"{UDP} toy()")\n'
    copy.put(COUNTERS, '    NoPorts = Counter("UdpNoPorts"', declaration)
    copy.put(UDP, NO_PORT, "        net.mib[Udp.Toys] += 1\n")
    assert copy.server()["counters"]["UdpToys"] == 5


def test_a_drop(tmp_path):
    copy = Copy(tmp_path, "A drop")
    declaration = (ROOT / REASONS).read_text("utf-8").partition("    NO_SOCKET = ")[2].partition("\n")[0]
    toy = declaration.replace("There is no socket for it", "A toy")
    copy.put(REASONS, "    NO_SOCKET = ", f"    TOY = {toy}\n")
    copy.put(UDP, NO_PORT, "        kfree_skb_reason(net, skb, DropReason.TOY)\n        return\n")
    assert copy.server()["drops"] == {"TOY": 5}


def test_a_program(tmp_path):
    copy = Copy(tmp_path, "A program")
    copy.put(
        BEHAVIOURS,
        '        Behaviour("idle",',
        '        Behaviour("udp_toy", "Sends toys.", (_TO, Parameter("toys", Kind.COUNT, 1, "How many."))),\n',
    )
    without = copy.wireside("run", "first-packet")
    assert "program 'udp_toy' is declared, but nothing carries it out" in without.stderr
    copy.add(
        "app/wireside/sim/programs/toy.py",
        "from dataclasses import dataclass\n\nfrom wireside.catalog.flags import SOCK_DGRAM\nfrom wireside.sim.programs.steps import Steps\n\n\n"
        "@dataclass\nclass Toys:\n    to: str\n    toys: int\n\n\n"
        "class UdpToy(Steps[Toys]):\n    PARAMETERS = Toys\n\n"
        "    def open(self, now, result):\n"
        '        return self.call("send", "socket", SOCK_DGRAM)\n\n'
        "    def send(self, now, result):\n"
        "        self.fd = result if self.fd < 0 else self.fd\n"
        "        self.total += 1\n"
        "        if self.total > self.params.toys:\n"
        "            return None\n"
        '        return self.call("send", "sendto", self.fd, 100, self.address)\n',
    )
    copy.put(PROGRAMS, "from wireside.sim.programs.udp", "from wireside.sim.programs.toy import UdpToy\n")
    copy.put(PROGRAMS, '    "idle": Idle', '    "udp_toy": UdpToy,\n')
    story = DATAGRAMS.replace("RUN", "udp_toy").replace("PARAMETERS", 'to: "server:9", toys: 3')
    assert copy.server(story=story)["counters"]["UdpNoPorts"] == 3


def test_a_lesson(tmp_path):
    copy = Copy(tmp_path, "A lesson")
    copy.add("scenarios/a-toy.yaml", SENDER)
    copy.put(INDEX, "- udp-overflow\n", "- a-toy\n")
    assert "a-toy" in copy.wireside("list").stdout
    assert copy.wireside("check", "a-toy").returncode == 0


def test_a_system_call(tmp_path):
    copy = Copy(tmp_path, "A system call")
    declaration = '        SyscallInfo("toy", (Arg.FD,), "Gives a toy.", gives="toys"),\n'
    copy.put(GRAMMAR, '        SyscallInfo("listen",', declaration)
    copy.put(HANDLERS, "_HANDLERS: Final[dict", "def sys_toy(cpu, task, call):\n    return 7\n\n\n")
    copy.put(HANDLERS, '    "socket": sys_socket,', '    "toy": sys_toy,\n')
    script = '      - fd = socket(SOCK_DGRAM)\n      - toy(fd) -> 7\n      - sendto(fd, 10, "server:9")\n'
    story = DATAGRAMS.replace(
        "  - {on: client, name: sender, run: RUN, PARAMETERS}\n", f"{BY_SCRIPT}{script}"
    )
    assert copy.server(story=story)["counters"]["UdpNoPorts"] == 1
    (tmp_path / "toy.yaml").write_text(story.replace("-> 7", "-> 8"), "utf-8")
    assert copy.wireside("run", "toy.yaml").returncode == 1


def test_a_socket_option(tmp_path):
    copy = Copy(tmp_path, "A socket option")
    declaration = '        SockOpt(_SOL, "SO_TOY", 99, _COUNT, "Toys.", low=0, high=9),\n'
    copy.put(SOCKOPTS, '        SockOpt(_SOL, "SO_PROTOCOL"', declaration)
    without = copy.wireside("run", "first-packet")
    assert "socket option to set 'SO_TOY' is declared, but nothing carries it out" in without.stderr
    setter = "def set_toy(cpu, sk, value):\n    sk.sk_rcvlowat = value\n    return 0\n\n\n"
    copy.put(OPTIONS, "def set_reuseaddr(", setter)
    copy.put(OPTIONS, '    "SO_REUSEADDR": set_reuseaddr,', '    "SO_TOY": set_toy,\n')
    copy.put(OPTIONS, '    "SO_REUSEADDR": lambda', '    "SO_TOY": lambda sk: sk.sk_rcvlowat,\n')
    lines = ("fd = socket(SOCK_DGRAM)", "setsockopt(fd, SO_TOY, 3) -> 0", "getsockopt(fd, SOL_SOCKET, SO_TOY, 3) -> 0",
             "setsockopt(fd, SO_TOY, 10) -> EINVAL", 'sendto(fd, 10, "server:9")')  # fmt: skip
    script = "".join(f"      - {line}\n" for line in lines)
    story = DATAGRAMS.replace(
        "  - {on: client, name: sender, run: RUN, PARAMETERS}\n", f"{BY_SCRIPT}{script}"
    )
    assert copy.server(story=story)["counters"]["UdpNoPorts"] == 1


TOY_PANE = """\
from wireside.catalog import places
from wireside.paint.pane import PaneSpec
from wireside.paint.strokes import border


def draw_toy(surface, look, frame, ui):
    surface.clear()
    border(surface, look, SPEC.title, lit=frame.highlight[1] == "toy")
    surface.put(2, 1, f"at {frame.t} ns", look.style("text"))


SPEC = PaneSpec("toy", "TOY", draw_toy, 1, places.PANE_WORDS["toy"], frozenset(("t", "beat")))
"""


def test_a_pane(tmp_path):
    copy = Copy(tmp_path, "A pane")
    (tmp_path / "toy.yaml").write_text(f"{SENDER}beats:\n  - {{at: 0ms, say: Look., look_at: top toy}}\n")
    assert copy.wireside("check", "toy.yaml").returncode == 2
    copy.put(PLACES, '    "events": ("events",),\n', '    "toy": ("toy", "top toy"),\n')
    assert copy.wireside("check", "toy.yaml").returncode == 0
    assert "pane with words 'toy' is declared, but nothing carries it out" in copy.shown("status")
    copy.add("app/wireside/paint/toy.py", TOY_PANE)
    copy.put(PANES, "from wireside.paint.frame import", "from wireside.paint import toy\n")
    copy.put(PANES, "        library.SPEC,\n", "        toy.SPEC,\n")
    copy.put(
        LAYOUT,
        "    top = 1 + journey + narration\n",
        '    panes["toy"] = Rect(w - 30, 1 + journey, 30, narration)\n',
    )
    copy.put(JOURNEY, '"status", "journey",', '"toy", ')
    assert re.search(r"at \d+ ns", copy.shown("toy", "space"))


TOY_SCREEN = """\
from wireside.catalog.actions import Where
from wireside.paint.layout import toy_layout
from wireside.paint.ui import Ui
from wireside.tui.screens.ticking import TickingScreen


class ToyScreen(TickingScreen):
    WHERE = Where.TOY
    PANES = ("status", "gauges", "footer")
    toys = 0

    def layout_of(self, w, h):
        return toy_layout(w, h)

    def chosen(self):
        return Ui(keys=(*self.keys, (str(self.toys), "toys")))

    def do_toys(self):
        self.toys += 1
"""


def test_a_screen(tmp_path):
    copy = Copy(tmp_path, "A screen")
    (tmp_path / "toy.yaml").write_text(SENDER)
    copy.put(ACTIONS, '    LIBRARY = "library", ""\n', '    TOY = "toy", ""\n')
    assert "screen 'toy' is declared, but nothing carries it out" in copy.shown("status")
    copy.add("app/wireside/tui/screens/toy.py", TOY_SCREEN)
    copy.put(
        LAYOUT,
        "def whole(",
        'def toy_layout(w, h):\n    panes = {"status": Rect(0, 0, w, 1), "gauges": Rect(0, 1, w, h - 2)}\n'
        '    return Layout(w, h, {**panes, "footer": Rect(0, h - 1, w, 1)})\n\n\n',
    )
    copy.put(SCREENS, "\nif TYPE_CHECKING:", "from wireside.tui.screens.toy import ToyScreen\n")
    copy.put(SCREENS, "JourneyScreen, LibraryScreen))", "ToyScreen, ")
    copy.put(
        ACTIONS,
        '    Action("next", ("n",)',
        '    Action("toy", ("t",), "t", {_JOURNEY: Says("toys"), Where.TOY: _SILENT}, opens="toy"),\n'
        '    Action("toys", ("y",), "y", {Where.TOY: Says("count")}),\n',
    )
    copy.put(ACTIONS, '        _LIBRARY: Says("back", "Back to the run', '        Where.TOY: Says("back"),\n')
    assert "QUEUES & STATES" in copy.shown("gauges", "space", "t")
    footer = copy.shown("footer", "t", "y", "y")
    assert "y count" in footer
    assert "esc back" in footer
    assert "2 toys" in footer
    assert "PACKET JOURNEY" in copy.shown("journey", "t", "escape")


TOY_TOOL = """\
def render(host):
    stat = host.sockstat
    return f"TCP: orphan {stat['orphan']} tw {stat['tw']} mem {stat['mem']}\\n"
"""
TOY_TOOL_TEST = """\
from dataclasses import replace
from pathlib import Path

from tests.tools.test_tools_look import HOST
from wireside.tools import toy


def test_the_toy_prints_what_the_real_one_did():
    host = replace(HOST, sockstat={"orphan": 2, "tw": 7, "mem": 31})
    assert toy.render(host) == (Path(__file__).parent / "data/toy.txt").read_text("utf-8")
"""
TOY_TOOL_SHOWN = """\
from wireside.scenario.load import load
from wireside.sim.world import World
from wireside.tools import toy

world = World(load("toy.yaml"))
world.run_until(world.scenario.duration_ns)
print(toy.render(world.snapshot().host("server")))
"""


def test_a_tool(tmp_path):
    copy = Copy(tmp_path, "A tool", "tests")
    copy.add("app/wireside/tools/toy.py", TOY_TOOL)
    copy.add("tests/tools/test_toy.py", TOY_TOOL_TEST)
    copy.add("tests/tools/data/toy.txt", "TCP: orphan 2 tw 7 mem 31\n")
    (tmp_path / "toy.yaml").write_text(SENDER)
    assert copy.python("-m", "pytest", "-q", "tests/tools/test_toy.py").returncode == 0
    assert copy.python("-c", TOY_TOOL_SHOWN).stdout == "TCP: orphan 0 tw 0 mem 0\n\n"
    (tmp_path / "tests/tools/data/toy.txt").write_text("TCP: orphan 2 tw 7 mem 32\n")
    assert copy.python("-m", "pytest", "-q", "tests/tools/test_toy.py").returncode == 1


TOY_RECORDING = """\
id: "I99"
title: "A toy"
group: "udp"
measures: "What two datagrams without a reader cost."
kernel: "6.18.44"
machine: "x86_64, HZ=250"
runs: 3
sysctls: {}
steps: []
observations:
  "two datagrams, charged":
    kind: "fact"
    value: 1664
    stable: true
unstable: []
"""
TOY_PLAY = """\
from tests.groundtruth.raw_peer import RawLab


def play():
    lab = RawLab()
    fd = lab.sys("socket", "SOCK_DGRAM")
    lab.sys("bind", fd, (0, 9))
    for _ in range(2):
        lab.peer.send(4000, 9, protocol="udp", length=100)
    lab.wait(1_000_000)
    return {"two datagrams, charged": next(iter(lab.net.sockets.values())).sk_rmem_alloc}
"""
KNOWN = "tests/groundtruth/known_differences.yaml"


def test_a_recording(tmp_path):
    copy = Copy(tmp_path, "A recording", "tests")
    results = "tests/groundtruth/results/I99.yaml"
    copy.add(results, TOY_RECORDING)
    assert "not played: I99" in copy.python("-m", "tests.groundtruth", "I04").stdout
    copy.add("tests/groundtruth/play/i99.py", TOY_PLAY)
    played = copy.python("-m", "tests.groundtruth", "I99")
    assert "1 of 1 observations match" in played.stdout
    assert played.returncode == 0
    (tmp_path / results).write_text(TOY_RECORDING.replace("1664", "1665"), "utf-8")
    differs = copy.python("-m", "tests.groundtruth", "I99")
    assert "NOT LISTED in known_differences.yaml" in differs.stdout
    assert differs.returncode == 1
    entry = '- document: I99\n  observation: "two datagrams, charged"\n  reason: It is a toy.\n'
    copy.put(KNOWN, "- document: S03\n", entry)
    assert copy.python("-m", "tests.groundtruth", "I99").returncode == 0


@pytest.mark.parametrize(
    "recipe",
    [
        "A sysctl",
        "A counter",
        "A drop",
        "A program",
        "A lesson",
        "A system call",
        "A socket option",
        "A tool",
        "A pane",
        "A screen",
        "A recording",
    ],
)
def test_the_places_of_a_recipe_exist(recipe):
    assert places(recipe)
    assert [place for place in places(recipe) if not (ROOT / place).exists()] == []


def test_a_place_that_a_recipe_does_not_name_is_refused(tmp_path):
    with pytest.raises(AssertionError, match="does not name"):
        Copy(tmp_path, "A counter").put(REASONS, "class Drop", "# toy\n")
