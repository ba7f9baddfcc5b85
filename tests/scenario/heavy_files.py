"""Files made to cost as much as a file of their size can."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wireside.scenario.document import MAX_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable

HOSTS = "format: 1\ntitle: heavy\nduration: 1s\nhosts:\n"
HEAD = f"{HOSTS}  server: {{address: 10.0.0.1}}\n  client: {{address: 10.0.0.2}}\nlinks:\n  - {{between: [client, server]}}\n"
SCRIPT = f"{HEAD}programs:\n  - on: client\n    name: w\n    script: "
WIRE = f"{HEAD}wire:\n  - name: raw\n    address: 10.0.0.9\n    segments: |\n"
ALIKE = "ab" * 28


def full(head: str, unit: str, tail: str = "") -> str:
    """`unit` as often as the largest file has room for."""
    return head + unit * ((MAX_BYTES - len(head) - len(tail)) // len(unit)) + tail


def numbered(head: str, unit: str, count: int) -> str:
    """`unit` with the numbers from 0 to `count` in the place of N."""
    return head + "".join(unit.replace("N", str(number)) for number in range(count))


def _near_words() -> str:
    bound = "".join(f"{ALIKE}{number:05d} = socket(SOCK_STREAM), " for number in range(1000))
    return full(f"{SCRIPT}[{bound}", f"close({ALIKE}abcde), ", "]\n")


HEAVY: dict[str, Callable[[], str]] = {
    "blanks in a call": lambda: full(f"{SCRIPT}\n", f'      - "f(){" " * 3900}x"\n'),
    "blanks in a trigger": lambda: full(WIRE, f"      after{' ' * 980}x\n"),
    "blanks in a rule": lambda: full(HEAD[:-2] + ", rules: [", f'"drop a{" " * 3900}", ', "]}\n"),
    "a flow body": lambda: full(f"{SCRIPT}[", "close(1), ", "]\n"),
    "a flow body of many lines": lambda: full(f"{SCRIPT}[", "close(1),\n     ", "]\n"),
    "a block body": lambda: full(f"{SCRIPT}\n", "     - close(1)\n"),
    "wrong statements": lambda: full(f"{SCRIPT}[", "x,", "]\n"),
    "words near each other": _near_words,
    "terms": lambda: full(f"{HEAD}expect:\n", f'  - {{that: "{"1+" * 230}1"}}\n'),
    "paths": lambda: full(f"{HEAD}expect:\n", f'  - {{that: "{"server.nic.rx_ring_used+" * 100}1"}}\n'),
    "wrong paths": lambda: full(f"{HEAD}expect:\n", '  - {that: "server.TcpExtListenListenDrop > 1"}\n'),
    "knobs": lambda: full(f"{HEAD}knobs:\n", '  - {host: server, name: nic.rx_ring, values: ["64"]}\n'),
    "wrong knobs": lambda: full(f"{HEAD}knobs:\n", "  - {host: server, name: net.ipv4.tcp_rnem}\n"),
    "hosts": lambda: HOSTS + "".join(f"  h{n}: {{address: 10.{n >> 8}.{n & 255}.1}}\n" for n in range(3500)),
    "wire peers": lambda: numbered(
        f"{HEAD}wire:\n", "  - {name: hN, address: 10.0.0.1, segments: []}\n", 2200
    ),
    "programs": lambda: numbered(f"{HEAD}programs:\n", "  - {on: client, name: pN, run: idle}\n", 2500),
    "segments": lambda: full(WIRE, "      0ms UDP 1 > 2 length 1\n"),
    "options": lambda: full(WIRE, f"      0ms TCP 1 > 2 Flags [S], options [{','.join(['nop'] * 200)}]\n"),
    "a transcript": lambda: full(
        f"{HEAD}expect:\n  - wire: client > server\n    segments: |\n", "      client > server: Flags [S]\n"
    ),
    "transcripts": lambda: full(
        f"{HEAD}expect:\n", '  - {wire: client > server, segments: ["client > server: UDP"]}\n'
    ),
    "unknown keys": lambda: numbered("", "keyN: value\n", 9000),
    "unknown sysctls": lambda: numbered(
        f"{HOSTS}  s:\n    address: 10.0.0.1\n    sysctl:\n", "      net.ipv4.tcp_rmemN: 1\n", 4000
    ),
    "one key again and again": lambda: full("", "k: v\n"),
    "one long text": lambda: f'a: "{"x" * (MAX_BYTES - 10)}"',
    "marks on marks": lambda: full(f"{HEAD}beats:\n", f'  - {{at: 0s, say: "{"e" + chr(0x301) * 1500}"}}\n')[
        : MAX_BYTES // 2
    ],
    "aliases of a condition": lambda: (
        f'{HEAD}expect:\n  - &b {{that: "{"1 + " * 240}1"}}\n' + "  - *b\n" * 1500
    ),
    "aliases of a script": lambda: (
        f"{HEAD}programs:\n  - &b {{on: client, name: a, script: [{'close(1), ' * 400}]}}\n"
        + "  - *b\n" * 1500
    ),
    "aliases that double": lambda: (
        "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 60))
    ),
    "aliases in a chain": lambda: (
        "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}]\n" for n in range(1, 5000))
    ),
    "an endless alias": lambda: "a: &a [*a]\n",
    "depth": lambda: "[" * 100_000,
    "more than fits": lambda: "a: b\n" * 400_000,
}
