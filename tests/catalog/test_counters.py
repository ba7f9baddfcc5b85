from __future__ import annotations

import copy
import pickle
import re

from tests.catalog import recorded
from wireside.catalog.counters import (
    ALL_COUNTERS,
    COUNTER_BY_NAME,
    GAUGES,
    GROUPS,
    NIC_COUNTERS,
    NIC_QUEUES,
    NIC_RX_QUEUES,
    Nic,
    Tcp,
    TcpExt,
    Udp,
)
from wireside.catalog.kinds import Counter


def test_every_counter_is_one_that_nstat_prints():
    ours = {counter.name for counter in ALL_COUNTERS if counter not in GAUGES}
    assert ours <= recorded.kernel_counters(), sorted(ours - recorded.kernel_counters())


def test_nstat_leaves_the_gauges_out():
    assert {gauge.name for gauge in GAUGES}.isdisjoint(recorded.kernel_counters())


def test_an_attribute_is_spelt_as_the_kernel_spells_the_counter():
    for group in GROUPS:
        for attribute, counter in vars(group).items():
            if isinstance(counter, Counter):
                assert counter.name == group.__name__ + attribute


def test_the_counters_of_the_lesson_are_there():
    assert TcpExt.ListenOverflows.name == "TcpExtListenOverflows"
    assert COUNTER_BY_NAME["UdpRcvbufErrors"] is Udp.RcvbufErrors
    assert COUNTER_BY_NAME["TcpCurrEstab"] is Tcp.CurrEstab
    assert len(ALL_COUNTERS) >= 150


def test_counters_that_6_12_does_not_have_say_so():
    newer = {counter.name for counter in ALL_COUNTERS if not counter.exists_in("6.12")}
    assert newer == {
        "TcpExtBeyondWindow", "TcpExtTSEcrRejected", "TcpExtPAWSOldAck", "TcpExtPAWSTimewait",
    }  # fmt: skip


def test_every_counter_is_explained_in_one_sentence_and_has_its_source():
    for counter in (*ALL_COUNTERS, *NIC_COUNTERS):
        assert counter.doc.endswith("."), counter.name
        assert ". " not in counter.doc, counter.name
        assert re.match(r"(net|include|drivers)/\S+\.[ch] \w+\(\)", counter.source), counter.name


def test_a_counter_survives_pickling_as_itself():
    assert pickle.loads(pickle.dumps(TcpExt.TCPWinProbe)) is TcpExt.TCPWinProbe
    assert copy.deepcopy({Nic.rx_missed_errors: 1}) == {Nic.rx_missed_errors: 1}


def test_the_nic_has_counters_for_each_of_its_queues():
    names = {counter.name for counter in NIC_COUNTERS}
    assert len(NIC_RX_QUEUES) == NIC_QUEUES
    assert {f"nic.rx_queue_{n}_drops" for n in range(NIC_QUEUES)} <= names
    assert {f"nic.tx_queue_{n}_packets" for n in range(NIC_QUEUES)} <= names
    assert NIC_RX_QUEUES[3].bytes.printed == "rx_queue_3_bytes"


def test_counters_stand_in_the_order_in_which_nstat_prints_them():
    ours = [counter.name for counter in ALL_COUNTERS if counter not in GAUGES]
    assert ours == [name for name in recorded.counter_order() if name in set(ours)]
