"""Random worlds: every device, every sysctl at its edges, any program, any knob. Nothing but WiresideError may come out.

`python -m tests.fuzz.worlds --seconds 600 --seed 1` goes on for longer and writes down the world that failed.
"""

from __future__ import annotations

import argparse
import sys
import traceback
from pathlib import Path
from random import Random
from time import perf_counter
from typing import TYPE_CHECKING, Any

from tests.sim.present import hold_to_the_present
from wireside.catalog.sockopts import SOCKOPTS, Takes
from wireside.catalog.syscalls import FAMILIES, SYSCALLS, Arg
from wireside.catalog.sysctls import ALL_SYSCTLS, format_value
from wireside.errors import CommandError, WiresideError
from wireside.scenario.behaviours import BEHAVIOURS
from wireside.scenario.load import load
from wireside.scenario.units import Kind
from wireside.sim.checkpoint import freeze, thaw
from wireside.sim.world import World
from wireside.tools import ss

if TYPE_CHECKING:
    from wireside.catalog.kinds import Sysctl
    from wireside.scenario.behaviours import Parameter

KINDS = ("nic", "nic", "veth", "tun")
HOSTS = ("one", "two")
ENDPOINTS = ("one:80", "two:80", "one:81", "two:81", "127.0.0.1:80", "10.0.0.77:80", "9.9.9.9:80")
STAGES = ("IP_RCV", "TCP_RCV", "TX_RING", "SYS_READ", "SYS_WRITE", "WAKEUP", "NAPI_POLL", "HARDIRQ")
NIC = {
    "rx_ring": (16, 64, 8192), "tx_ring": (16, 64, 8192), "rx_refill_batch": (1, 16, 512), "rx_usecs": ("0us", "50us", "10ms"),
    "rx_frames": (1, 2, 512), "queues": (1, 2, 8), "gro": ("true", "false"), "tso": ("true", "false"), "rps_cpus": ("[]", "[0]"),
    "txqueuelen": (0, 1, 1000), "copybreak": (0, 256, 2048), "qdisc": ("pfifo_fast", "noqueue"),
    "tbf": ("{rate: 1Mbps, burst: 2KB, limit: 3KB}", "{rate: 10Gbps, burst: 1MB, limit: 1B}"),
}  # fmt: skip
LINK = {
    "rate": ("9600bps", "10Mbps", "1Gbps", "100Gbps"), "delay": ("0us", "50us", "10ms", "1s"), "loss": ("0%", "2%", "50%"),
    "mtu": (68, 576, 1500, 9000, 65535), "queue_limit": (1, 10, 10_000),
}  # fmt: skip
VALUES: dict[Kind, tuple[str, ...]] = {
    Kind.COUNT: ("0", "1", "5", "1000000"), Kind.SIZE: ("0", "1", "1448", "64KiB", "10MiB"), Kind.TIME: ("0ns", "1us", "5ms", "10s"),
    Kind.BYTE_RATE: ("0B/s", "1B/s", "1MB/s", "10GB/s"), Kind.PACKET_RATE: ("0pps", "1pps", "2kpps", "1Mpps"),
    Kind.RATE: ("0/s", "1/min", "50/s", "20000/s"), Kind.BOOL: ("true", "false"), Kind.PORT: ("80", "81"), Kind.ENDPOINT: ENDPOINTS,
}  # fmt: skip
FDS = ("f0", "f1", "f2", "n", "0", "99")
ARGUMENTS: dict[Arg, tuple[str, ...]] = {
    Arg.FD: FDS, Arg.SIZE: ("0", "1", "1448", "70000", "10MiB", "n"), Arg.COUNT: ("0", "1", "64", "n"), Arg.TIME: ("0ms", "1us", "3ms"),
    Arg.ENDPOINT: ENDPOINTS, Arg.LOCAL: ("80", "81", "0", "one:80", "10.0.0.77:0"), Arg.STATUS: ("O_NONBLOCK", "0"),
    Arg.VALUE: ("0", "1", "-1", "2", "127", "4096", "65536", "2147483647", "-2147483647"),
    Arg.NAME: ("net.core.somaxconn", "net.ipv4.tcp_rmem", "net.ipv4.tcp_limit_output_bytes", "net.ipv4.tcp_wmem"),
    Arg.TEXT: ("0", "1", "4096", "1 2 3", "4096 8192 16384", "2147483647"), Arg.OPTION: tuple(SOCKOPTS),
    Arg.ADDRESS: ("peer", "NULL", "one:*", "*:80", "10.0.0.2:0"), Arg.ANSWER: ("n", "0"),
    Arg.MESSAGE: (
        "{iov_len=100}", "{iov_len=n, msg_name=peer, msg_flags=n}", "{iov_len=0, ee_errno=ECONNREFUSED, ee_origin=n, ee_code=3}",
        "{iov_len=9000, offender=two, ee_type=ICMP_DEST_UNREACH, ee_info=n, msg_flags=MSG_TRUNC|MSG_ERRQUEUE}",
    ),
}  # fmt: skip
BEGINNINGS = (
    ("f0 = socket(SOCK_STREAM)", "bind(f0, 80)", "listen(f0, 2)", "f1 = accept(f0)"),
    ("f0 = socket(SOCK_STREAM)", "bind(f0, 81)", "listen(f0, 0)", "f1 = accept(f0)"),
    ("f0 = socket(SOCK_STREAM)", 'connect(f0, "one:80")', "write(f0, 100000)"),
    ("f0 = socket(SOCK_STREAM)", 'connect(f0, "127.0.0.1:80")', "write(f0, 100000)"),
    ("f0 = socket(SOCK_STREAM|SOCK_NONBLOCK)", 'connect(f0, "two:80")', "poll(f0, POLLOUT, 5ms)", "write(f0, 1MiB)"),
    ("f0 = socket(SOCK_DGRAM)", "bind(f0, 81)", 'connect(f0, "two:80")', "write(f0, 1000)"),
    ("f0 = socket(SOCK_DGRAM)", 'sendto(f0, 100, "one:80")', 'sendto(f0, 1400, "127.0.0.1:81")'),
)  # fmt: skip
SYSCTLS_AT_MOST = 12
WORK = 8_000
"""Events and packets, taken together, after which a world has run for long enough."""
SPAN_NS = 3_000_000_000
"""Simulated time after which it has, too."""
STEP_NS = 20_000
ATTEMPTS = 5
"""Files drawn until one is legal; about one in twenty is not."""


def edges(sysctl: Sysctl[Any]) -> list[str]:
    """The least and the largest that a sysctl takes, and its usual values, as text."""
    usual = [format_value(each) for each in (sysctl.default, *sysctl.steps)]
    if isinstance(sysctl.default, str):
        return [each for each in usual if each]
    low, high = str(sysctl.low), str(sysctl.high)
    if not isinstance(sysctl.default, tuple):
        return [low, str(sysctl.low + 1), high, *usual]
    width = len(sysctl.default)
    mixed = " ".join([low] * (width - 1) + [high])
    return [" ".join([low] * width), " ".join([high] * width), mixed, *usual]


def setting(rng: Random) -> tuple[str, str]:
    """A sysctl and a value of it; the kernel may still refuse it, as when it wants a power of two."""
    sysctl = rng.choice(ALL_SYSCTLS)
    return sysctl.name, rng.choice(edges(sysctl) or [format_value(sysctl.default)])


def taken(settings: dict[str, str]) -> dict[str, str]:
    """Those of the settings that the loader would take."""
    from wireside.catalog.profiles import DEFAULT_PROFILE
    from wireside.scenario.words import check_sysctl

    good = {}
    for name, text in settings.items():
        try:
            good[name] = check_sysctl(name, text, DEFAULT_PROFILE)
        except (WiresideError, ValueError):
            continue
    return good


def some(rng: Random, fields: dict[str, tuple[Any, ...]], most: int) -> list[str]:
    """Some of the fields, each with one of its values, as YAML."""
    names = rng.sample(list(fields), rng.randint(0, min(most, len(fields))))
    return [f"{name}: {rng.choice(fields[name])}" for name in names]


def host(rng: Random, name: str, number: int, kind: str) -> list[str]:
    """The lines of a host."""
    nic = [f"kind: {kind}", *some(rng, NIC, 4)]
    settings = taken(dict(setting(rng) for _ in range(rng.randint(0, SYSCTLS_AT_MOST))))
    costs = [
        f"{stage}: {rng.choice(('0ns', '1us', '1ms'))}" for stage in rng.sample(STAGES, rng.choice((0, 0, 2)))
    ]
    return [
        f"  {name}:",
        f"    address: 10.0.0.{number}",
        f"    cpus: {rng.choice((1, 1, 2, 4))}",
        f"    nic: {{{', '.join(nic)}}}",
        "    sysctl:" if settings else "    sysctl: {}",
        *(f'      {sysctl}: "{text}"' for sysctl, text in settings.items()),
        f"    costs: {{{', '.join(costs)}}}",
    ]  # fmt: skip


def parameters(rng: Random, run: str) -> list[str]:
    """A behaviour's parameters: those that must be given, and some others."""
    return [
        f"{each.name}: {quoted(value(rng, each))}"
        for each in BEHAVIOURS[run].parameters
        if each.default is None or rng.random() < 0.4
    ]


def value(rng: Random, parameter: Parameter) -> str:
    """A value of a parameter's kind."""
    return rng.choice(VALUES[parameter.kind])


def quoted(text: str) -> str:
    """The text as a YAML scalar."""
    return f'"{text}"' if ":" in text else text


def statement(rng: Random) -> str:
    """One system call with arguments that may make no sense."""
    call = rng.choice([call for call in SYSCALLS.values() if call.name != "fork"])
    kinds = call.kinds[: rng.randint(len(call.args), len(call.kinds))]
    args = [argument(rng, kind) for kind in kinds]
    if Arg.OPTION in kinds and len(args) > 2:
        takes = SOCKOPTS[args[1]].takes
        if takes is Takes.WORD:
            args[2] = rng.choice(("cubic", "reno"))
        elif takes is Takes.TIME:
            args[2] = rng.choice(ARGUMENTS[Arg.TIME])
    bind = (
        rng.choice(("f0 = ", "f1 = ", "f2 = ", "n = ", "", "")) if call.name not in ("sleep", "close") else ""
    )
    return f"{bind}{call.name}({', '.join(args)})"


def argument(rng: Random, kind: Arg) -> str:
    """An argument of a kind."""
    if kind in ARGUMENTS:
        return rng.choice(ARGUMENTS[kind])
    known = tuple(FAMILIES[kind].flags)
    most = min(2, len(known)) if FAMILIES[kind].joined else 1
    return "|".join(rng.sample(known, rng.randint(1, most)))


def script(rng: Random) -> list[str]:
    """The lines of a script: a sensible beginning, then anything, perhaps in a loop."""
    calls = [statement(rng) for _ in range(rng.randint(0, 8))]
    lines = ["      - repeat 0: [ f0 = socket(SOCK_STREAM), f1 = dup(f0), f2 = dup(f0), n = dup(f0) ]"]
    lines += [f"      - {call}" for call in rng.choice(BEGINNINGS)]
    loop = rng.choice(("", "forever", "repeat 1000", "repeat 3"))
    if loop and calls:
        leave = rng.choice(([], ["break if n < 0"], ["break if n == EAGAIN"]))
        return [*lines, f"      - {loop}:", *(f"          - {each}" for each in [*calls, *leave])]
    return lines + [f"      - {call}" for call in calls]


def program(rng: Random, number: int) -> list[str]:
    """The lines of a program."""
    on, start = rng.choice(HOSTS), rng.choice(("0ms", "1us", "1ms", "5ms"))
    if rng.random() < 0.4:
        return [f"  - on: {on}", f"    name: p{number}", f"    start: {start}", "    script:", *script(rng)]
    run = rng.choice(list(BEHAVIOURS))
    fields = [f"on: {on}", f"name: p{number}", f"run: {run}", f"start: {start}", *parameters(rng, run)]
    return [f"  - {{{', '.join(fields)}}}"]


def world_text(rng: Random) -> str:
    """A scenario."""
    kind = rng.choice(KINDS)
    other = kind if kind == "veth" else rng.choice([each for each in KINDS if each != "veth"])
    lines = ["format: 1", "title: Anything", "duration: 3s", f"seed: {rng.randint(0, 999)}"]
    lines += [f'kernel: "{rng.choice(("6.18", "6.12"))}"', "hosts:"]
    lines += host(rng, "one", 1, kind) + host(rng, "two", 2, other)
    link = ["between: [one, two]", *some(rng, LINK, 4)]
    lines += ["links:", f"  - {{{', '.join(link)}}}", "programs:"]
    sure = (
        "{on: one, name: sink, run: tcp_sink, port: 80}",
        '{on: two, name: source, run: tcp_source, to: "one:80"}',
    )
    lines += [f"  - {each}" for each in sure]
    for number in range(rng.randint(0, 5)):
        lines += program(rng, number)
    return "\n".join(lines) + "\n"


def turn(rng: Random, world: World) -> None:
    """Turn some knob of some host, as somebody who plays would; it may be refused in words."""
    name, text = setting(rng)
    runs = [spec for spec in world.scenario.programs if spec.run]
    choice = rng.random()
    if choice < 0.2:
        name, text = rng.choice(
            (("nic.rx_ring", "16"), ("nic.rx_ring", "8192"), ("nic.rx_usecs", "0"), ("nic.rx_usecs", "10000"))
        )
    elif choice < 0.5 and runs:
        spec = rng.choice(runs)
        chosen = rng.choice(BEHAVIOURS[spec.run].parameters or BEHAVIOURS["tcp_sink"].parameters)
        name, text = f"{spec.name}.{chosen.name}", value(rng, chosen)
    try:
        world.command(rng.choice(HOSTS), name, text)
    except CommandError:
        return


def work(world: World) -> int:
    """How much has happened so far."""
    return world.env._count + sum(net.born for net in world.nets.values())


def play(path: Path, rng: Random) -> World:
    """Load a world, and run it with its knobs turned on the way, until enough has happened."""
    world = World(load(path), trace=32)
    saved = rng.random() < 0.3
    if not saved:
        hold_to_the_present(world)
    step = STEP_NS
    done = 0
    while world.now < SPAN_NS and done < WORK:
        before = done
        world.run_until(world.now + step)
        done = work(world)
        if done - before < WORK // 20:
            step *= 2
        else:
            step = max(STEP_NS, step // 2)
        if rng.random() < 0.3:
            turn(rng, world)
    if saved:
        goes_on_alike(world)
    snapshot = world.snapshot()
    world.traces(0)
    for each in snapshot.hosts:
        ss.render(each, "-tuanmoip")
    born, accounted = world.books_balance()
    assert born == accounted, f"{born} packets born, {accounted} accounted for"
    return world


def goes_on_alike(world: World) -> None:
    """A world that was frozen and thawed goes on like the one that was not."""
    other = thaw(freeze(world))
    end = world.now + STEP_NS
    for each in (world, other):
        each.run_until(end)
    assert world.snapshot() == other.snapshot()


def one(seed: int, folder: Path) -> str:
    """Play one world; "refused" when no file drawn for it was legal. Anything else than WiresideError comes out."""
    rng = Random(seed)
    path = folder / f"world-{seed}.yaml"
    for _ in range(ATTEMPTS):
        path.write_text(world_text(rng), encoding="utf-8")
        try:
            play(path, rng)
        except WiresideError:
            continue
        path.unlink()
        return "played"
    return "refused"


def main() -> int:
    """Play worlds for some time; 1 when one failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path, default=Path("/tmp"))
    options = parser.parse_args()
    end = perf_counter() + options.seconds
    outcomes = {"played": 0, "refused": 0, "failed": 0}
    seed = options.seed
    while perf_counter() < end:
        try:
            outcomes[one(seed, options.folder)] += 1
        except Exception:  # noqa: BLE001  # what comes out here is what the fuzzer looks for
            outcomes["failed"] += 1
            print(f"seed {seed}:\n{traceback.format_exc()}", file=sys.stderr)
        seed += 1
    print(outcomes)
    return 1 if outcomes["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
