"""Scripts: system calls as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from wireside.errors import Position, ScenarioErrors
from wireside.scenario.spec import Break, Call, Loop

if TYPE_CHECKING:
    from collections.abc import Callable

    from wireside.scenario.spec import Scenario

    Load = Callable[[str], Scenario]


def script(load_text: Load, *lines: str) -> list[Call | Loop]:
    text = "".join(f"      {line}\n" for line in lines)
    (program,) = load_text(f"programs:\n  - on: client\n    script:\n{text}").programs
    return list(program.script)


def test_a_client_from_socket_to_close(load_text: Load) -> None:
    calls = script(
        load_text,
        "- fd = socket(SOCK_STREAM|SOCK_NONBLOCK)",
        "- setsockopt(fd, SOL_SOCKET, SO_SNDBUF, 64KiB) -> 0",
        '- connect(fd, "server:8080") -> EINPROGRESS',
        "- n = write(fd, 1000) -> 1000",
        "- sleep(1.5ms)",
        "- recv(fd, 100)",
        "- shutdown(fd, SHUT_WR) -> 0",
        "- close(fd) -> 0",
    )
    assert [(call.bind, call.name, call.args, call.expected) for call in calls] == [
        ("fd", "socket", ("SOCK_STREAM|SOCK_NONBLOCK",), ""),
        ("", "setsockopt", ("fd", "SO_SNDBUF", 65536), "0"),
        ("", "connect", ("fd", "server:8080"), "EINPROGRESS"),
        ("n", "write", ("fd", 1000), "1000"),
        ("", "sleep", (1_500_000,), ""),
        ("", "recv", ("fd", 100, "0"), ""),
        ("", "shutdown", ("fd", "SHUT_WR"), "0"),
        ("", "close", ("fd",), "0"),
    ]


@pytest.mark.parametrize(
    ("local", "meant"),
    [
        ("8080", 8080),
        (":8080", 8080),
        ("0", 0),
        ("0.0.0.0:8080", "0.0.0.0:8080"),
        ('"server:8080"', "server:8080"),
        ("server:0", "server:0"),
    ],
)
def test_bind_takes_a_port_or_an_address_and_a_port(load_text: Load, local: str, meant: int | str) -> None:
    calls = script(load_text, "- fd = socket(SOCK_DGRAM)", f"- bind(fd, {local})")
    assert calls[1].args == ("fd", meant)


def test_a_call_knows_its_line_and_column(load_text: Load) -> None:
    (call,) = script(load_text, "- sleep(1ms)")
    assert isinstance(call.position, Position)
    assert (call.position.line, call.position.column) == (12, 9)


@pytest.mark.parametrize(
    "lines",
    [
        ["- repeat 10: [ sleep(1ms), fd = socket(SOCK_STREAM) ]"],
        ["- {repeat: 10, do: [ sleep(1ms), fd = socket(SOCK_STREAM) ]}"],
        ["- repeat 10:", "    - sleep(1ms)", "    - fd = socket(SOCK_STREAM)"],
        ["- repeat: 10", "  do:", "    - sleep(1ms)", "    - fd = socket(SOCK_STREAM)"],
    ],
)
def test_a_loop_can_be_written_in_four_ways(load_text: Load, lines: list[str]) -> None:
    (loop,) = script(load_text, *lines)
    assert isinstance(loop, Loop)
    assert loop.times == 10
    assert [call.name for call in loop.body] == ["sleep", "socket"]


def test_commas_inside_a_flow_loop_belong_to_the_calls(load_text: Load) -> None:
    calls = script(
        load_text, "- fd = socket(SOCK_STREAM)", "- forever: [ write(fd, 1000) -> 1000, sleep(1ms) ]"
    )
    loop = calls[1]
    assert loop.times is None
    assert [(call.name, call.args, call.expected) for call in loop.body] == [
        ("write", ("fd", 1000), "1000"),
        ("sleep", (1_000_000,), ""),
    ]


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("break", ("", "==", "0")),
        ("break if n == 0", ("n", "==", "0")),
        ("break if  n<=0", ("n", "<=", "0")),
        ("break if n != -11", ("n", "!=", "-11")),
        ("break if n == EAGAIN", ("n", "==", "EAGAIN")),
    ],
)
@pytest.mark.parametrize(
    "loop", ["- forever: [ n = read(fd, 10), BREAK ]", "- repeat 3: [ n = read(fd, 10), BREAK ]"]
)
def test_a_break_says_when(load_text: Load, loop: str, text: str, meant: tuple[str, str, str]) -> None:
    _, read = script(load_text, "- fd = socket(SOCK_STREAM)", loop.replace("BREAK", text))
    assert isinstance(read, Loop)
    leave = read.body[1]
    assert isinstance(leave, Break)
    assert (leave.variable, leave.comparison, leave.limit) == meant


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("- break", "break stands outside every loop"),
        ("- forever: [ break if m == 0 ]", "'m' has not been given a value"),
        ("- forever: [ break if fd == ENOWAY ]", "'ENOWAY' is neither a number nor an errno name"),
        ("- forever: [ break unless fd ]", "'break unless fd' is no way to leave a loop"),
        ("- forever: [ break if fd == 1e9 ]", "is no way to leave a loop"),
    ],
)
def test_a_break_that_means_nothing_is_refused(load_text: Load, line: str, message: str) -> None:
    with pytest.raises(ScenarioErrors, match=message):
        script(load_text, "- fd = socket(SOCK_STREAM)", line)


def test_anchors_repeat_a_script(load_text: Load) -> None:
    scenario = load_text(
        "programs:\n  - {on: client, name: one, script: &it [ sleep(1ms) ]}\n  - {on: client, name: two, script: *it}\n"
    )
    assert [call.name for program in scenario.programs for call in program.script] == ["sleep", "sleep"]


def test_a_loop_that_contains_itself_is_refused(load_text: Load) -> None:
    with pytest.raises(ScenarioErrors, match="an anchor contains itself"):
        load_text("programs:\n  - on: client\n    script: &it\n      - forever: *it\n")


def test_a_port_in_another_base_is_the_same_port(load_text: Load) -> None:
    calls = script(
        load_text, "- fd = socket(SOCK_STREAM)", '- bind(fd, "client:0x50")', '- connect(fd, "server:0x50")'
    )
    assert [call.args for call in calls[1:]] == [("fd", "client:80"), ("fd", "server:80")]
