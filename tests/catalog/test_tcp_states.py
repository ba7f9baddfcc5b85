from __future__ import annotations

from wireside.catalog.tcp_states import SS_NAME, STATE_DOC, TRANSITIONS, TcpState


def test_state_numbers_are_those_of_proc_net_tcp():
    assert [state.name for state in TcpState] == [
        "ESTABLISHED", "SYN_SENT", "SYN_RECV", "FIN_WAIT1", "FIN_WAIT2", "TIME_WAIT",
        "CLOSE", "CLOSE_WAIT", "LAST_ACK", "LISTEN", "CLOSING", "NEW_SYN_RECV",
    ]  # fmt: skip
    assert [int(state) for state in TcpState] == list(range(1, 13))


def test_ss_spells_every_state():
    assert set(SS_NAME) == set(STATE_DOC) == set(TcpState)
    assert SS_NAME[TcpState.ESTABLISHED] == "ESTAB"
    assert SS_NAME[TcpState.CLOSE] == "UNCONN"
    assert SS_NAME[TcpState.NEW_SYN_RECV] == SS_NAME[TcpState.SYN_RECV] == "SYN-RECV"


def test_every_state_can_be_reached_and_left():
    assert {before for before, _ in TRANSITIONS} == set(TcpState)
    assert {after for _, after in TRANSITIONS} == set(TcpState)


def test_every_state_but_close_itself_can_end_at_once():
    assert {before for before, after in TRANSITIONS if after is TcpState.CLOSE} == set(TcpState) - {
        TcpState.CLOSE
    }


def test_an_active_closer_ends_in_time_wait_and_a_passive_one_does_not():
    into_time_wait = {before for before, after in TRANSITIONS if after is TcpState.TIME_WAIT}
    assert into_time_wait == {TcpState.FIN_WAIT1, TcpState.FIN_WAIT2, TcpState.CLOSING}
    assert {after for before, after in TRANSITIONS if before is TcpState.LAST_ACK} == {TcpState.CLOSE}


def test_no_way_leads_back_to_established():
    assert {before for before, after in TRANSITIONS if after is TcpState.ESTABLISHED} == {
        TcpState.SYN_SENT,
        TcpState.SYN_RECV,
    }


def test_every_change_has_its_reason():
    assert all(reason.endswith(".") for reason in TRANSITIONS.values())
