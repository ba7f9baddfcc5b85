from __future__ import annotations

import copy
import pickle

import pytest

from tests.catalog import recorded
from wireside.catalog.counters import COUNTER_BY_NAME
from wireside.catalog.drop_reasons import NO_LOSS, DropReason


def test_every_drop_reason_is_one_of_linux_6_18():
    ours = {reason.name for reason in DropReason}
    assert ours <= recorded.kernel_drop_reasons(), sorted(ours - recorded.kernel_drop_reasons())


def test_no_two_reasons_are_one_and_the_same():
    assert len(list(DropReason)) == len(DropReason.__members__)


@pytest.mark.parametrize("reason", DropReason, ids=lambda reason: reason.name)
def test_a_reason_is_explained_and_its_twin_counters_exist(reason):
    assert reason.doc.endswith(".")
    assert reason.visible_to
    for twin in reason.twins:
        assert twin in COUNTER_BY_NAME or twin.startswith(("softnet.", "nic.", "qdisc.")), twin


def test_a_kernel_that_lacks_a_reason_gives_none():
    assert DropReason.TCP_LISTEN_OVERFLOW.shown_on("6.18") is DropReason.TCP_LISTEN_OVERFLOW
    assert DropReason.TCP_LISTEN_OVERFLOW.shown_on("6.12") is DropReason.NOT_SPECIFIED
    assert DropReason.TCP_ZEROWINDOW.shown_on("6.12") is DropReason.TCP_ZEROWINDOW


@pytest.mark.parametrize(
    ("reason", "loss"),
    [
        (DropReason.TCP_OLD_SEQUENCE, False),  # a window probe or a keepalive: answered
        (DropReason.TCP_OLD_DATA, False),  # it is here already
        (DropReason.TCP_RESET, False),  # it did its work
        (DropReason.TCP_OLD_ACK, False),
        (DropReason.TCP_ZEROWINDOW, True),
        (DropReason.SOCKET_RCVBUFF, True),
        (DropReason.TCP_LISTEN_OVERFLOW, True),
        (DropReason.NO_SOCKET, True),
    ],
)
def test_a_reason_tells_whether_something_is_missing(reason, loss):
    assert reason.is_loss == loss
    assert (reason.name in NO_LOSS) != loss


def test_tcpdump_does_not_see_what_the_backlog_lost():
    assert "tcpdump" not in DropReason.CPU_BACKLOG.visible_to
    assert "tcpdump" in DropReason.SOCKET_RCVBUFF.visible_to


def test_a_reason_survives_pickling_and_copying_as_itself():
    assert pickle.loads(pickle.dumps(DropReason.TCP_ZEROWINDOW)) is DropReason.TCP_ZEROWINDOW
    assert copy.deepcopy({DropReason.NO_SOCKET: 2}) == {DropReason.NO_SOCKET: 2}
