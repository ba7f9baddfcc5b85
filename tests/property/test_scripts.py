"""Nothing a script or a wire peer can say crashes the simulator, and every packet stays in the books."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from wireside.catalog.sockopts import SOCKOPTS, Takes
from wireside.catalog.syscalls import FAMILIES, SYSCALLS, Arg
from wireside.catalog.sysctls import ALL_SYSCTLS, format_value, parse_value
from wireside.errors import CommandError
from wireside.scenario.load import load
from wireside.sim.world import World

if TYPE_CHECKING:
    from pathlib import Path

    from wireside.catalog.kinds import Sysctl
    from wireside.catalog.syscalls import SyscallInfo

HEAD = """\
format: 1
title: Anything
duration: 3s
hosts:
  one: {address: 10.0.0.1, nic: {kind: KIND}, sysctl: {SYSCTL}}
  two: {address: 10.0.0.2, nic: {kind: KIND}}
  three: {address: 10.0.0.3}
links:
  - {between: [one, two], loss: LOSS}
  - between: [three, raw]
    rules: |
      drop each raw > three: Flags [P.], length 1
      hold 30ms three > raw: Flags [S.]
      duplicate each raw > three: Flags [S]
      duplicate three > raw: Flags [.] x2
"""
FDS = ("f0", "f1", "f2", "f3", "0", "99")
SIZES = ("0", "1", "100", "1461", "70000", "1MiB", "4GiB", "4611686018427387904", "n", "f0")
COUNTS = ("0", "1", "5", "-1", "4096", "4611686018427387904", "n")
TIMES = ("0ms", "1us", "3ms", "700ms", "3600s", "n")
ENDPOINTS = (
    "one:80",
    "two:80",
    "two:81",
    "three:80",
    "raw:80",
    "127.0.0.1:80",
    "0.0.0.0:80",
    "9.9.9.9:80",
    "255.255.255.255:1",
)
VALUES = ("0", "1", "-1", "2", "127", "128", "65536", "2147483647", "-2147483647")
POOLS = {
    Arg.FD: FDS, Arg.SIZE: SIZES, Arg.COUNT: COUNTS, Arg.TIME: TIMES, Arg.ENDPOINT: ENDPOINTS, Arg.LOCAL: ("80", "81", "0", "65535", "one:80", "10.0.0.3:0"),
    Arg.VALUE: VALUES, Arg.STATUS: ("O_NONBLOCK", "0"), Arg.NAME: ("net.core.somaxconn", "net.ipv4.tcp_rmem", "net.ipv4.tcp_fin_timeout"),
    Arg.TEXT: ("0", "5", "-1", "4096 8192 16384", "much"), Arg.OPTION: tuple(SOCKOPTS),
    Arg.ADDRESS: ("peer", "NULL", "one:*", "*:80", "10.0.0.2:0"), Arg.ANSWER: ("n", "0"),
    Arg.MESSAGE: (
        "{iov_len=100}", "{iov_len=n, msg_name=peer, msg_flags=n}", "{iov_len=0, ee_errno=ECONNREFUSED, ee_origin=n, ee_code=3}",
        "{iov_len=9000, offender=two, ee_type=ICMP_DEST_UNREACH, ee_info=n, msg_flags=MSG_TRUNC|MSG_ERRQUEUE}",
    ),
}  # fmt: skip
RESULTS = st.sampled_from(("f0 = ", "f1 = ", "f2 = ", "f3 = ", "n = ", "", "", ""))
LETTERS = ("S", "S.", ".", "P.", "F.", "R", "R.", "", "SF", "FSRP.UEW", "PU")
STREAM = ("f0 = socket(SOCK_STREAM)", "bind(f0, 80)", "listen(f0, 2)", "f1 = accept(f0)")
DATAGRAM = ("f0 = socket(SOCK_DGRAM)", "bind(f0, 80)", 'connect(f0, "two:80")')
CLIENT = ("f0 = socket(SOCK_STREAM)", 'connect(f0, "one:80")', "f1 = dup(f0)")


@st.composite
def argument(draw: st.DrawFn, kind: Arg) -> str:
    if kind in POOLS:
        return draw(st.sampled_from(POOLS[kind]))
    known = tuple(FAMILIES[kind].flags)
    if FAMILIES[kind].joined:
        return "|".join(draw(st.lists(st.sampled_from(known), min_size=1, max_size=3)))
    return draw(st.sampled_from(known))


@st.composite
def statement(draw: st.DrawFn) -> str:
    call: SyscallInfo = draw(st.sampled_from([call for call in SYSCALLS.values() if call.name != "fork"]))
    kinds = call.kinds[: draw(st.integers(len(call.args), len(call.kinds)))]
    args = [draw(argument(kind)) for kind in kinds]
    if Arg.OPTION in call.args and len(args) > 2:
        takes = SOCKOPTS[args[1]].takes
        pool = (
            ("cubic", "reno")
            if takes is Takes.WORD
            else TIMES[:-1]
            if takes is Takes.TIME
            else POOLS[kinds[2]]
        )
        args[2] = draw(st.sampled_from(pool))
    result = draw(RESULTS) if call.name not in ("sleep", "close") else ""
    return f"{result}{call.name}({', '.join(args)})"


@st.composite
def program(draw: st.DrawFn, host: str, *begins: tuple[str, ...]) -> str:
    begin = draw(st.sampled_from(begins))
    bound = [f"{name} = socket(SOCK_STREAM)" for name in ("f1", "f2", "f3", "n")]
    calls = [*begin, *draw(st.lists(statement(), max_size=12))]
    loop = draw(st.sampled_from(("", "repeat 3", "forever", "repeat 0")))
    lines = [
        f"  - on: {host}",
        "    script:",
        "      - {repeat: 0, do: [ " + ", ".join(bound) + ", f0 = socket(SOCK_STREAM) ]}",
    ]
    lines += [f"      - {call}" for call in (calls if not loop else calls[: len(begin)])]
    if loop:
        lines += [
            f"      - {loop}:",
            *(f"          - {call}" for call in [*calls[len(begin) :], "sleep(1ms)"]),
        ]
    return "\n".join(lines)


@st.composite
def segment(draw: st.DrawFn) -> str:
    flags = draw(st.sampled_from(LETTERS))
    number = st.sampled_from(("0", "1", "2", "100", "4294967295", "2147483648"))
    trigger = draw(st.sampled_from(("", "after Flags [S.]: ", "each Flags [.]: ", "after Flags [S] x2: ")))
    star = ("*",) if trigger else ()
    seq, ack = (draw(st.one_of(number, st.sampled_from(star))) if star else draw(number) for _ in range(2))
    options = draw(
        st.sampled_from(
            (
                "",
                ", options [mss 1460,sackOK,nop,wscale 14]",
                ", options [mss 0]",
                ", options [TS val 0 ecr 5]",
            )
        )
    )
    if not flags:
        return f"{trigger}1ms UDP 9 > 80 length {draw(st.sampled_from((0, 1, 1472, 65495)))}"
    length = draw(st.sampled_from((0, 1, 1460, 9000)))
    win = draw(st.sampled_from((0, 1, 65535)))
    port = draw(st.sampled_from(("80", "40000", *star)))
    at = draw(st.sampled_from(("1ms", "2ms", "40ms", "1s")))
    return f"{trigger}{at} TCP 80 > {port} Flags [{flags}], seq {seq}, ack {ack}, win {win}{options}, length {length}"


@st.composite
def sysctl(draw: st.DrawFn) -> str:
    """A sysctl with the least, the largest or a usual value that it takes."""
    chosen: Sysctl[Any] = draw(st.sampled_from(ALL_SYSCTLS))
    if type(chosen.default) is not int:
        return f"{chosen.name}: {format_value(draw(st.sampled_from((chosen.default, *chosen.steps))))}"
    extremes = [chosen.low, chosen.low + 1, chosen.high, chosen.default, *chosen.steps]
    value = draw(st.sampled_from([each for each in extremes if takes(chosen, each)]))
    return f"{chosen.name}: {format_value(value)}"


def takes(chosen: Sysctl[Any], value: int) -> bool:
    """Whether a sysctl accepts a value; some want a power of two."""
    try:
        parse_value(chosen, format_value(value))
    except CommandError:
        return False
    return True


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(
    programs=st.tuples(
        program("one", STREAM),
        program("one", DATAGRAM, CLIENT, ()),
        program("two", CLIENT),
        program("two", DATAGRAM, CLIENT, STREAM),
        program("three", STREAM, CLIENT),
    ),
    segments=st.lists(segment(), max_size=6),
    loss=st.sampled_from(("0%", "10%")),
    kind=st.sampled_from(("nic", "veth", "tun")),
    sysctls=st.lists(sysctl(), max_size=5, unique_by=lambda each: each.split(":")[0]),
)
def test_random_scripts_and_segments(
    tmp_path: Path, programs: tuple[str, ...], segments: list[str], loss: str, kind: str, sysctls: list[str]
) -> None:
    text = (
        HEAD.replace("LOSS", loss)
        .replace("KIND", kind)
        .replace("SYSCTL", ", ".join(f'"{each}"'.replace(": ", '": "') for each in sysctls))
        + "wire:\n  - name: raw\n    address: 10.0.0.9\n"
    )
    text += (
        "    segments: |\n" + "".join(f"      {each}\n" for each in segments)
        if segments
        else "    segments: []\n"
    )
    text += "programs:\n" + "\n".join(programs) + "\n"
    path = tmp_path / "anything.yaml"
    path.write_text(text, encoding="utf-8")
    world = World(load(path), trace=0)
    world.run_until(3_000_000_000)
    world.snapshot()
    born, accounted = world.books_balance()
    assert born == accounted
