"""Scripts: variables, loops, expected results."""

from __future__ import annotations

import pytest

from wireside.catalog.flags import SOCK_STREAM
from wireside.catalog.inet import ip_parse
from wireside.scenario.spec import Break, Call, Loop
from wireside.sim.run import Sleep
from wireside.sim.script import Script

EAGAIN, EPIPE, ECONNRESET = 11, 32, 104
ADDRESS = ip_parse("10.0.0.1")


def resolve(text):
    host, _, port = text.rpartition(":")
    return {"server": ADDRESS}[host], int(port)


def play(script, *results, limit=100):
    """What a script asks for, when its calls give `results` (and 0 after those)."""
    program = Script(script, resolve)
    asked = []
    given = [0, *results]
    while len(asked) < limit:
        step = program.next(1000, given.pop(0) if given else 0)
        if step is None:
            break
        asked.append(("sleep", step.until) if isinstance(step, Sleep) else (step.name, *step.args))
    tally = program.tally
    return asked, tally.unmet and f"{tally.unmet_where} at {tally.unmet_at}: {tally.unmet}"


def test_variables_addresses_and_constants_become_arguments():
    asked, failed = play(
        (
            Call("socket", ("SOCK_STREAM",), "fd"),
            Call("bind", ("fd", 8080)),
            Call("connect", ("fd", "server:80")),
            Call("setsockopt", ("fd", "SO_RCVBUF", 4096)),
            Call("sleep", (500,)),
            Call("close", ("fd",)),
        ),
        7,
    )
    assert asked == [
        ("socket", SOCK_STREAM),
        ("bind", 7, (0, 8080)),
        ("connect", 7, (ADDRESS, 80)),
        ("setsockopt", 7, "SO_RCVBUF", 4096),
        ("sleep", 1500),
        ("close", 7),
    ]
    assert failed == ""


@pytest.mark.parametrize(
    ("expected", "result", "holds"),
    [
        ("1000", 1000, True),
        ("1000", 999, False),
        ("EAGAIN", -EAGAIN, True),
        ("-EAGAIN", -EAGAIN, True),
        ("EPIPE", -EAGAIN, False),
        ("0", -ECONNRESET, False),
        ("-11", -11, True),
        ("", -5, True),
    ],
)
def test_expected_results(expected, result, holds):
    _, failed = play((Call("read", (3, 10), "", expected),), result)
    assert (failed == "") is holds


def test_the_first_failure_is_told_with_place_call_and_result():
    _, failed = play((Call("write", (3, 10), "", "10"), Call("write", (3, 20), "", "20")), -EPIPE, 5)
    assert failed == "<built in code>:1:1 at 1000: write(3, 10) gave -EPIPE, not 10"


def test_a_loop_repeats_and_loops_nest():
    body = Loop((Call("read", (3, 1)), Loop((Call("write", (3, 2)),), 2)), 2)
    asked, _ = play((body, Call("close", (3,))), *[1] * 10)
    assert [name for name, *_ in asked] == ["read", "write", "write"] * 2 + ["close"]


def test_an_endless_loop_goes_on_after_a_read_of_0():
    asked, _ = play((Loop((Call("read", (3, 10)), Call("write", (4, 10))), None),), 5, 5, 0, 5, 0, limit=8)
    assert [name for name, *_ in asked] == ["read", "write"] * 4


def test_break_leaves_the_innermost_loop():
    inner = Loop((Call("read", (3, 10), "n"), Break("n", "==", "0"), Call("write", (4, 10))), None)
    asked, _ = play((Loop((inner, Call("close", (3,))), 2), Call("close", (4,))), 5, 5, 0, 0, 5, 5, 0)
    assert [name for name, *_ in asked] == ["read", "write", "read", "close"] * 2 + ["close"]


@pytest.mark.parametrize(
    ("comparison", "limit", "leaves"),
    [
        ("==", "5", (5,)),
        ("!=", "5", (-11, 0)),
        ("<", "0", (-11,)),
        ("<=", "0", (-11, 0)),
        (">", "0", (5,)),
        (">=", "0", (0, 5)),
        ("==", "EAGAIN", (-11,)),
        ("<", "-11", ()),
    ],
)
@pytest.mark.parametrize("result", [-11, 0, 5])
def test_break_if(comparison, limit, leaves, result):
    body = Loop((Call("read", (3, 10), "n"), Break("n", comparison, limit), Call("write", (4, 1))), None)
    asked, _ = play((body, Call("close", (3,))), result, limit=2)
    assert asked[1][0] == ("close" if result in leaves else "write")


def test_a_loop_that_makes_no_call_is_over():
    asked, _ = play((Loop((Loop((Call("read", (3, 1)),), 0),), None), Call("close", (3,))))
    assert asked == [("close", 3)]
