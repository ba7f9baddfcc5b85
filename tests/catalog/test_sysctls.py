from __future__ import annotations

import pickle

import pytest

from tests.catalog import recorded
from wireside.catalog import sysctls
from wireside.catalog.kinds import Scope
from wireside.catalog.sysctls import (
    ALL_SYSCTLS,
    BY_NAME,
    FLOW_LIMIT_CPU_BITMAP,
    FLOW_LIMIT_TABLE_LEN,
    IP_LOCAL_PORT_RANGE,
    IP_LOCAL_RESERVED_PORTS,
    NETDEV_BUDGET_USECS,
    RMEM_MAX,
    SOMAXCONN,
    TCP_CONGESTION_CONTROL,
    TCP_FIN_TIMEOUT,
    TCP_LIMIT_OUTPUT_BYTES,
    TCP_NOTSENT_LOWAT,
    TCP_RMEM,
    TCP_TW_REUSE,
    TCP_TW_REUSE_DELAY,
    find,
    format_value,
    parse_value,
    port_ranges,
)
from wireside.errors import CommandError

LESSON = (
    "net.core.somaxconn", "net.ipv4.tcp_max_syn_backlog", "net.ipv4.tcp_tw_reuse", "net.ipv4.tcp_fin_timeout",
    "net.core.rmem_max", "net.core.wmem_max", "net.ipv4.tcp_rmem", "net.ipv4.tcp_wmem", "net.ipv4.ip_local_port_range",
    "net.core.netdev_max_backlog", "net.ipv4.tcp_keepalive_time", "net.ipv4.tcp_keepalive_intvl",
    "net.ipv4.tcp_keepalive_probes",
)  # fmt: skip
CHANGED_BY_THE_RECORDED_MACHINE = {"net.ipv4.tcp_congestion_control": "bbr"}
NOT_RECORDED = {"net.ipv4.conf.all.rp_filter": "0"}


def test_the_thirteen_sysctls_of_the_lesson_are_declared():
    assert set(LESSON) <= set(BY_NAME)


@pytest.mark.parametrize("sysctl", ALL_SYSCTLS, ids=lambda sysctl: sysctl.name)
def test_a_default_is_the_one_linux_6_18_has(sysctl):
    kernel = recorded.kernel_sysctls() | NOT_RECORDED
    if sysctl.name in CHANGED_BY_THE_RECORDED_MACHINE:
        assert kernel[sysctl.name] == CHANGED_BY_THE_RECORDED_MACHINE[sysctl.name]
        assert sysctl.default == "cubic"
    else:
        assert format_value(sysctl.default) == kernel[sysctl.name]


@pytest.mark.parametrize("sysctl", ALL_SYSCTLS, ids=lambda sysctl: sysctl.name)
def test_a_sysctl_takes_its_default_its_older_defaults_and_every_step_of_its_knob(sysctl):
    for value in (sysctl.default, *(old for _, old in sysctl.older), *sysctl.steps):
        assert parse_value(sysctl, format_value(value)) == value


@pytest.mark.parametrize("sysctl", ALL_SYSCTLS, ids=lambda sysctl: sysctl.name)
def test_a_sysctl_says_what_it_is_and_when_a_change_acts(sysctl):
    assert sysctl.doc.endswith(".")
    assert sysctl.when
    assert sysctl.source.startswith(("net/", "include/"))
    constant = sysctl.name.rpartition(".")[2].upper()
    assert getattr(sysctls, constant) is sysctl
    assert constant in sysctls.__all__
    assert pickle.loads(pickle.dumps(sysctl)) is sysctl


def test_where_6_12_differs():
    assert RMEM_MAX.default_for("6.12") == 212992
    assert TCP_RMEM.default_for("6.12") == (4096, 131072, 6291456)
    assert TCP_LIMIT_OUTPUT_BYTES.default_for("6.12") == 1048576
    assert {s.name for s in ALL_SYSCTLS if s.since} == {
        "net.ipv4.tcp_tw_reuse_delay",
        "net.ipv4.tcp_rto_max_ms",
    }


def test_who_shares_a_value():
    assert SOMAXCONN.scope is Scope.NETNS
    assert RMEM_MAX.scope is Scope.HOST
    assert find("netdev_max_backlog").scope is Scope.HOST
    assert find("tcp_mem").scope is Scope.HOST


def test_a_sysctl_is_found_by_full_name_last_part_or_path():
    for name in ("net.core.somaxconn", "somaxconn", "/proc/sys/net/core/somaxconn", "net/core/somaxconn"):
        assert find(name) is SOMAXCONN


def test_a_misspelt_sysctl_brings_the_nearest_name():
    with pytest.raises(CommandError) as refused:
        find("net.core.somaxcon")
    assert refused.value.next_step == "Did you mean net.core.somaxconn?"
    with pytest.raises(CommandError, match="tcp_rmen"):
        find("tcp_rmen")


@pytest.mark.parametrize(
    ("sysctl", "text", "reason"),
    [
        (SOMAXCONN, "-1", "at least 0"),
        (SOMAXCONN, "2147483648", "at most 2147483647"),
        (SOMAXCONN, "many", "not a whole number"),
        (SOMAXCONN, "1.5", "not a whole number"),
        (SOMAXCONN, "1 2", "one number, not 2"),
        (SOMAXCONN, "", "one number, not 0"),
        (TCP_TW_REUSE, "3", "at most 2"),
        (TCP_TW_REUSE_DELAY, "0", "at least 1 ms"),
        (TCP_RMEM, "4096 131072", "3 numbers, not 2"),
        (TCP_RMEM, "4096 0 131072", "at least 1 byte"),
        (RMEM_MAX, "2303", "at least 2304 bytes"),
        (NETDEV_BUDGET_USECS, "2000", "at least 8000"),
        (IP_LOCAL_PORT_RANGE, "50000 40000", "must not be above"),
        (IP_LOCAL_PORT_RANGE, "0 40000", "at least 1 port"),
        (IP_LOCAL_PORT_RANGE, "1024 65536", "at most 65535 port"),
        (IP_LOCAL_RESERVED_PORTS, "9000-8000", "must not be above"),
        (IP_LOCAL_RESERVED_PORTS, "80,http", "not a whole number"),
        (TCP_CONGESTION_CONTROL, "vegas", "cubic or reno"),
        (FLOW_LIMIT_TABLE_LEN, "1000", "power of two"),
    ],
)
def test_a_value_the_kernel_would_refuse_is_refused_with_the_reason(sysctl, text, reason):
    with pytest.raises(CommandError) as refused:
        parse_value(sysctl, text)
    assert reason in refused.value.what
    assert "default" in refused.value.next_step


def test_numbers_of_a_list_may_stand_apart_as_sysctl_and_people_write_them():
    assert parse_value(TCP_RMEM, "4096\t131072\t33554432") == TCP_RMEM.default
    assert parse_value(TCP_RMEM, " 4096,8192,16384 ") == (4096, 8192, 16384)
    assert parse_value(TCP_NOTSENT_LOWAT, "4294967295") == 4294967295


def test_port_lists_and_cpu_masks():
    assert parse_value(IP_LOCAL_RESERVED_PORTS, "8080,9000-9100") == "8080,9000-9100"
    assert port_ranges(IP_LOCAL_RESERVED_PORTS, "8080,9000-9100") == ((8080, 8080), (9000, 9100))
    assert port_ranges(IP_LOCAL_RESERVED_PORTS, "") == ()
    assert parse_value(FLOW_LIMIT_CPU_BITMAP, "f") == 15


def test_tcp_fin_timeout_says_that_it_is_not_the_length_of_time_wait():
    assert "TIME-WAIT is not affected" in TCP_FIN_TIMEOUT.doc


@pytest.mark.parametrize("sysctl", ALL_SYSCTLS, ids=lambda sysctl: sysctl.name)
def test_the_steps_of_a_knob_contain_every_default(sysctl):
    if sysctl is IP_LOCAL_RESERVED_PORTS:
        assert sysctl.steps == ()
    else:
        assert {sysctl.default, *(old for _, old in sysctl.older)} <= set(sysctl.steps)
        assert len(set(sysctl.steps)) == len(sysctl.steps)


def test_searching_finds_names_before_descriptions_and_beginnings_first():
    found = [sysctl.name for sysctl in sysctls.matching("tcp_max", "6.18")]
    assert found[0].startswith("net.ipv4.tcp_max")
    assert "net.core.somaxconn" in [sysctl.name for sysctl in sysctls.matching("accept queue", "6.18")]
    assert sysctls.matching("no such thing", "6.18") == ()
    assert set(sysctls.matching("", "6.18")) == set(sysctls.ALL_SYSCTLS)


def test_a_sysctl_says_what_it_can_be_set_to():
    assert sysctls.TCP_SYNCOOKIES.allowed == "0…2"
    assert sysctls.TCP_RMEM.allowed.startswith("3 numbers, ")
    assert sysctls.TCP_CONGESTION_CONTROL.allowed == "cubic or reno"
    assert all(sysctl.allowed for sysctl in sysctls.ALL_SYSCTLS)
