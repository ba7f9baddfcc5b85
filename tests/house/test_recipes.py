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
GRAMMAR = "app/wireside/scenario/syscalls.py"
HANDLERS = "app/wireside/kernel/syscalls/syscall.py"
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

    def __init__(self, folder, recipe):
        self.folder, self.places = folder, places(recipe)
        for name in ("app", "scenarios"):
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
        environment = {**os.environ, "PYTHONPATH": str(self.folder / "app"), "PYTHONDONTWRITEBYTECODE": "1"}
        command = [sys.executable, "-m", "wireside", *arguments]
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
    toy = declaration.replace("Nobody has a socket for it", "A toy")
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
        "from wireside.sim.programs.steps import Steps\n\n\n"
        "class UdpToy(Steps):\n"
        "    def open(self, now, result):\n"
        '        return self.call("send", "socket", "SOCK_DGRAM")\n\n'
        "    def send(self, now, result):\n"
        "        self.fd = result if self.fd < 0 else self.fd\n"
        "        self.total += 1\n"
        '        if self.total > self.params["toys"]:\n'
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
    declaration = '        Syscall("toy", (Arg.FD,), "Gives a toy.", gives="toys"),\n'
    copy.put(GRAMMAR, '        Syscall("listen",', declaration)
    copy.put(HANDLERS, "HANDLERS: dict", "def sys_toy(cpu, task, call):\n    return 7\n\n\n")
    copy.put(HANDLERS, '    "socket": sys_socket,', '    "toy": sys_toy,\n')
    script = '      - fd = socket(SOCK_DGRAM)\n      - toy(fd) -> 7\n      - sendto(fd, 10, "server:9")\n'
    story = DATAGRAMS.replace(
        "  - {on: client, name: sender, run: RUN, PARAMETERS}\n", f"{BY_SCRIPT}{script}"
    )
    assert copy.server(story=story)["counters"]["UdpNoPorts"] == 1
    (tmp_path / "toy.yaml").write_text(story.replace("-> 7", "-> 8"), "utf-8")
    assert copy.wireside("run", "toy.yaml").returncode == 1


@pytest.mark.parametrize(
    "recipe",
    [
        "A sysctl",
        "A counter",
        "A drop",
        "A program",
        "A lesson",
        "A system call",
        "A tool",
        "A pane",
        "A recording",
    ],
)
def test_the_places_of_a_recipe_exist(recipe):
    assert places(recipe)
    assert [place for place in places(recipe) if not (ROOT / place).exists()] == []


def test_a_place_that_a_recipe_does_not_name_is_refused(tmp_path):
    with pytest.raises(AssertionError, match="does not name"):
        Copy(tmp_path, "A counter").put(REASONS, "class Drop", "# toy\n")
