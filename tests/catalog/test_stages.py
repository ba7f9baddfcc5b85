from __future__ import annotations

import pytest

from wireside.catalog.counters import COUNTER_BY_NAME, NIC_COUNTERS
from wireside.catalog.kinds import Context
from wireside.catalog.stages import STAGES, Stage, default_costs
from wireside.catalog.sysctls import BY_NAME

KNOWN = {*COUNTER_BY_NAME, *(counter.name for counter in NIC_COUNTERS)}


def cost(*stages: Stage) -> int:
    return sum(STAGES[stage].cost_ns for stage in stages)


def test_there_is_one_entry_per_stage():
    assert len(STAGES) == len(Stage)
    assert [int(stage) for stage in Stage] == list(range(len(STAGES)))
    assert len({info.title for info in STAGES}) == len(STAGES)


@pytest.mark.parametrize("stage", Stage, ids=lambda stage: stage.name)
def test_a_stage_speaks_of_declared_sysctls_and_counters_only(stage):
    info = STAGES[stage]
    assert set(info.sysctls) <= set(BY_NAME)
    assert {name for name in info.counters if not name.startswith("softnet.")} <= KNOWN
    assert info.doc.endswith(".")


def test_every_stage_of_the_cpu_names_its_kernel_functions():
    for stage, info in zip(Stage, STAGES, strict=True):
        assert bool(info.symbols) == (info.context not in {Context.WIRE, Context.HARDWARE}), stage.name


RX = (Stage.NAPI_POLL, Stage.GRO, Stage.NETIF_RECEIVE, Stage.IP_RCV)
TX = (Stage.TCP_WRITE_XMIT, Stage.IP_OUTPUT, Stage.QDISC, Stage.TX_RING, Stage.TX_COMPLETION)


def test_a_small_udp_packet_of_a_flood_costs_a_realistic_share_of_a_cpu():
    assert 600 <= cost(*RX, Stage.UDP_RCV, Stage.RECEIVE_QUEUE) <= 1000


def test_a_tcp_segment_with_its_share_of_an_ack_costs_a_realistic_share_of_a_cpu():
    received = cost(*RX, Stage.TCP_RCV, Stage.RECEIVE_QUEUE)
    assert 1000 <= received + cost(*TX) // 2 <= received + cost(*TX) <= 2000


def test_the_wire_costs_no_cpu():
    assert default_costs()[Stage.WIRE] == 0


def test_a_cost_table_belongs_to_the_one_who_asked():
    table = default_costs()
    table[Stage.GRO] = 0
    assert default_costs()[Stage.GRO] > 0
