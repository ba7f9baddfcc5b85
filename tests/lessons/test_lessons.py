"""The lessons that come with it: what they say comes to pass, their knobs do what they say, and Linux does the same."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tests.lessons.turns import TURNS, Turn
from wireside.out.headless import play
from wireside.scenario import library
from wireside.scenario.load import load
from wireside.scenario.spec import Expectation, Scenario
from wireside.scenario.units import Kind, parse
from wireside.scenario.vary import Setting, settings, timed_settings, vary

if TYPE_CHECKING:
    from wireside.out.headless import Outcome

RESULTS = Path(__file__).parents[1] / "groundtruth/results"
LEAST_LESSONS = 12
WORDS_A_BEAT = 45


@cache
def lesson(name: str) -> Scenario:
    return load(library.resolve(name))


@cache
def outcome(name: str) -> Outcome:
    return play(lesson(name), watch_beats=True)


def answers(
    scenario: Scenario, at_ns: int, asked: tuple[str, ...], turns: tuple[Setting, ...] = ()
) -> list[bool]:
    """Whether each of `asked` is true at a time."""
    expect = tuple(Expectation(each, at_ns) for each in asked)
    played = play(replace(scenario, expect=expect), until_ns=at_ns, turns=turns)
    assert played.results
    return [result.holds is True for result in played.results]


def test_there_are_twelve() -> None:
    assert len(library.index()) >= LEAST_LESSONS


@pytest.mark.parametrize("name", library.index())
def test_readme_lists_every_lesson(name: str) -> None:
    assert f"| `{name}` | " in (RESULTS.parents[2] / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", library.index())
def test_a_lesson_does_what_it_says(name: str) -> None:
    played = outcome(name)
    assert played.broken == ()
    assert played.silent_beats == ()


@pytest.mark.parametrize("name", library.index())
def test_what_a_lesson_expects_is_not_true_before_it_begins(name: str) -> None:
    assert not all(outcome(name).held_at_start)


@pytest.mark.parametrize("name", library.index())
def test_a_beat_is_short_and_points_at_something(name: str) -> None:
    for beat in lesson(name).beats:
        assert len(beat.say.split()) <= WORDS_A_BEAT, beat.say
        assert beat.look_at


@cache
def untouched(name: str, at_ns: int, asked: tuple[str, ...]) -> list[bool]:
    """Whether each of `asked` is true of a lesson as it stands."""
    return answers(lesson(name), at_ns, asked)


@pytest.mark.parametrize("turn", TURNS, ids=lambda turn: f"{turn.lesson} {turn.turn}")
def test_a_turn_changes_the_outcome_or_does_not(turn: Turn) -> None:
    at_ns = int(parse(Kind.TIME, turn.at))
    asked = (turn.that, turn.then) if turn.then else (turn.that,)
    base = lesson(turn.lesson)
    assert untouched(turn.lesson, at_ns, asked) == [True, False][: len(asked)]
    if turn.turn.split(":")[0][0].isdigit():
        found = answers(base, at_ns, asked, timed_settings(base, turn.turn))
    else:
        found = answers(vary(base, settings(base, turn.turn)), at_ns, asked)
    assert found[-1]


@pytest.mark.parametrize("name", library.index())
def test_each_knob_that_a_lesson_offers_is_turned_here(name: str) -> None:
    turned = {each.turn.split("=")[0].split(":")[-1] for each in TURNS if each.lesson == name}
    for knob in lesson(name).knobs:
        assert turned & {knob.name, knob.name.rpartition(".")[2]}, knob.name


def recorded(recording: str, observation: str) -> Any:
    """What Linux 6.18 did."""
    document = yaml.safe_load((RESULTS / f"{recording}.yaml").read_text(encoding="utf-8"))
    return document["observations"][observation]["value"]


def seen(name: str, at: str, *asked: str, turn: str = "") -> list[bool]:
    """Whether each of `asked` is true of a lesson at a time."""
    scenario = lesson(name)
    if turn:
        scenario = vary(scenario, settings(scenario, turn))
    return answers(scenario, int(parse(Kind.TIME, at)), asked)


def test_slow_accept_is_as_recorded() -> None:
    row = recorded("A01", "backlog 5 somaxconn 4096")
    assert all(
        seen(
            "slow-accept",
            "900ms",
            f"client.states.ESTAB == {row['client_ESTABLISHED']}",
            f"server.listener(8080).recv_q == {row['ss_Recv-Q']}",
            f"server.listener(8080).send_q == {row['ss_Send-Q']}",
            f"server.states.SYN-RECV == {row['server_SYN_RECV']}",
        )
    )
    per_syn = recorded("A02", "per_syn")
    assert per_syn == {"TcpExtListenOverflows": 1.0, "TcpExtListenDrops": 1.0}
    assert all(
        seen(
            "slow-accept",
            "7900ms",
            "server.TcpExtListenOverflows == server.TcpExtListenDrops == client.TcpRetransSegs + 5",
            f"client.TcpRetransSegs == {5 * (recorded('A02', 'syns_sent') - 1)}",
        )
    )


def test_the_ladder_of_slow_accept_is_as_recorded() -> None:
    times = recorded("A02", "syn_times_s")
    for number, time in enumerate(times[1:], start=1):
        before, after = (f"{round((time + shift) * 1000)}ms" for shift in (-0.1, 0.45))
        assert seen("slow-accept", before, f"client.TcpRetransSegs == {5 * (number - 1)}") == [True]
        assert seen("slow-accept", after, f"client.TcpRetransSegs == {5 * number}") == [True]


@pytest.mark.parametrize("cookies", [0, 1, 2])
def test_syn_flood_is_as_recorded(cookies: int) -> None:
    row = recorded("B01", f"syncookies={cookies} max_syn_backlog=1024 backlog=8")
    backlog, syns = 8, 200
    remembered = row["SYN_RECV"] - backlog + 4 if row["SYN_RECV"] else 0
    dropped = 60 - remembered if row.get("ListenDrops") else 0
    assert row["SYN_RECV"] + row.get("SyncookiesSent", 0) + row.get("ListenDrops", 0) == syns
    assert all(
        seen(
            "syn-flood",
            "250ms",
            f"server.states.SYN-RECV == {remembered}",
            f"server.TcpExtListenDrops == server.TcpExtTCPReqQFullDrop == {dropped}",
            f"server.TcpExtSyncookiesSent == {60 - remembered - dropped}",
            turn=f"tcp_syncookies={cookies}",
        )
    )


def test_nagle_meets_delayed_ack_is_as_recorded() -> None:
    assert recorded("G01", "nodelay=False quickack=False first_slow_round") == 1
    slow = recorded("G01", "nodelay=False quickack=False rounds_slower_than_20ms")
    assert slow == 40 - 1
    assert all(
        seen(
            "nagle-meets-delayed-ack",
            "1100ms",
            "client.program(caller).answered == 20",
            "server.TcpExtDelayedACKs == 20 - 1",
        )
    )
    a_round = recorded("G01", "nodelay=False quickack=False median_slow_round_s")
    fewest, most = int(0.7 / (1.15 * a_round)), int(0.7 / (0.85 * a_round)) + 1
    assert seen(
        "nagle-meets-delayed-ack", "701ms", f"{fewest} <= client.program(caller).answered <= {most}"
    ) == [True]


def test_time_wait_pile_is_as_recorded() -> None:
    counters = recorded("D07", "counters")
    entries, closed = recorded("D07", "client")["TIME_WAIT"], 30
    assert (counters["TW"], counters["TCPTimeWaitOverflow"]) == (entries, closed - entries)
    assert recorded("D07", "server") == {}
    assert all(
        seen(
            "time-wait-pile",
            "2s",
            "client.states.TIME-WAIT == client.TcpExtTW == 100",
            "client.TcpExtTCPTimeWaitOverflow == client.program(visitors).answered - 100 > 200",
            "server.states.TIME-WAIT == 0",
            turn="client:tcp_max_tw_buckets=100",
        )
    )
    lasts = recorded("D01", "fin_timeout=60 time_wait_s")
    assert 60 <= lasts <= 62


def test_both_piles_of_fin_timeout_myth_last_as_recorded() -> None:
    fin_wait_2 = recorded("D02", "close fin_timeout=5 fin_wait_2_s")
    time_wait = recorded("D01", "fin_timeout=5 time_wait_s")
    begun = 2.0
    assert seen(
        "fin-timeout-myth", f"{round((fin_wait_2 - 0.4) * 1000)}ms", "client.states.FIN-WAIT-2 == 10"
    ) == [True]
    assert seen(
        "fin-timeout-myth", f"{round((fin_wait_2 + begun + 0.5) * 1000)}ms", "client.states.FIN-WAIT-2 == 0"
    ) == [True]
    assert seen(
        "fin-timeout-myth", f"{round((time_wait - 2) * 1000)}ms", "client.states.TIME-WAIT == 10"
    ) == [True]
    assert seen(
        "fin-timeout-myth", f"{round((time_wait + begun + 2) * 1000)}ms", "client.states.TIME-WAIT == 0"
    ) == [True]


def test_close_wait_leak_is_as_recorded() -> None:
    gone_after = recorded("D03", "client_fin_wait_2_gone_after_s")
    assert recorded("D03", "timer_on_close_wait") == ["00"]
    assert recorded("D03", "at_80s") == {"client": {}, "server": {"CLOSE_WAIT": 10}}
    before, after = (f"{round((gone_after + shift) * 1000)}ms" for shift in (-2, 2))
    assert seen("close-wait-leak", before, "client.states.FIN-WAIT-2 == server.states.CLOSE-WAIT") == [True]
    assert seen("close-wait-leak", after, "client.states.FIN-WAIT-2 < server.states.CLOSE-WAIT") == [True]
    assert seen("close-wait-leak", "80s", 'server.sk(8080).timer == ""') == [True]


def test_ports_exhausted_is_as_recorded() -> None:
    same, second = recorded("E01", "same_destination"), recorded("E01", "second_port")
    assert same == second == {"connected": 10, "then": "EADDRNOTAVAIL"}
    assert all(
        seen(
            "ports-exhausted",
            "9s",
            f"client.program(shop).connected == {2 * same['connected']}",
            f'client.program(shop).error == "{same["then"]}"',
            "client.program(audit).connected == 1",
        )
    )


def test_idle_dead_peer_with_keepalive_is_as_recorded() -> None:
    counters = recorded("F01", "silent peer, sysctls counters")
    probes, errno = counters["TCPKeepAlive"], recorded("F01", "silent peer, sysctls errno")
    assert (probes, errno) == (3, "ETIMEDOUT")
    assert all(
        seen(
            "idle-dead-peer",
            "150s",
            f'client.program(careful).error == "{errno}"',
            f"client.TcpExtTCPKeepAlive == {probes + 2}",
            f"client.TcpOutRsts == {recorded('F01', 'silent peer, sysctls rst_sent')}",
            f"client.TcpExtTCPAbortOnTimeout == {counters['TCPAbortOnTimeout']}",
        )
    )
