"""TIME-WAIT: how long it lasts, and what the segments do that meet it."""

from __future__ import annotations

from functools import partial

import pytest

from tests.groundtruth.pair import MS, SECOND
from tests.groundtruth.raw_peer import RawLab
from tests.groundtruth.states import moved, states
from tests.kernel.closing import Closing


def changes(end):
    """What the events said about states since the last call, without host and port."""
    told = [event.text for event in end.lab.world.events(0) if "→" in event.text or "entry" in event.text]
    return [text.partition(": ")[2].partition(" (port")[0] for text in told if text.startswith("host")]


class TestEvents:
    """A connection that goes on as a minisock is not told as closed."""

    def test_from_an_orphan_in_fin_wait_2(self):
        end = Closing()
        end.close()
        end.say(".", 1, 2)
        end.say("F.", 1, 2)
        assert changes(end)[-4:] == [
            "ESTAB → FIN-WAIT-1",
            "FIN-WAIT-1 → FIN-WAIT-2",
            "FIN-WAIT-2 without its program is a small entry from now on",
            "FIN-WAIT-2 → TIME-WAIT",
        ]

    def test_from_a_socket_that_its_program_holds(self):
        end = Closing()
        end.shutdown()
        end.say(".", 1, 2)
        end.say("F.", 1, 2)
        assert changes(end)[-2:] == ["FIN-WAIT-1 → FIN-WAIT-2", "FIN-WAIT-2 → TIME-WAIT"]

    def test_from_both_closing_at_once(self):
        end = Closing()
        end.shutdown()
        end.say("F.", 1, 1)
        end.say(".", 2, 2)
        assert changes(end)[-2:] == ["FIN-WAIT-1 → CLOSING", "CLOSING → TIME-WAIT"]


class TestTimeWait:
    """Segments that meet a TIME-WAIT entry; it has seen the peer's FIN at 1, so it expects 2."""

    def time_wait(self, sysctl=None):
        end = Closing(sysctl)
        end.close()
        end.say("F.", 1, 2)
        end.heard()
        return end

    @pytest.mark.parametrize("segment", [("P.", 2, 2, 10), ("F.", 1, 2, 0), (".", 1, 2, 0)])
    def test_old_and_odd_segments_are_acknowledged(self, segment):
        end = self.time_wait()
        end.say(*segment)
        assert end.heard() == [". 2 ack 2"]
        assert end.states == {"TIME_WAIT": 1}

    def test_a_repeated_fin_starts_the_minute_anew(self):
        end = self.time_wait()
        end.lab.wait(40 * SECOND)
        end.say("F.", 1, 2)
        assert end.until_gone() >= 60

    def test_an_expected_ack_is_not_answered(self):
        end = self.time_wait()
        end.say(".", 2, 2)
        assert end.heard() == []

    def test_answers_are_rationed(self):
        end = self.time_wait()
        for _ in range(3):
            end.say(".", 1, 2)
        assert end.heard() == [". 2 ack 2"]
        assert end.counted("TCPACKSkippedTimeWait") == {"TCPACKSkippedTimeWait": 2}

    def test_each_repeated_fin_is_answered(self):
        # Measured on 6.18.44: what takes up sequence numbers is no part of a loop of ACKs.
        end = self.time_wait()
        for _ in range(3):
            end.say("F.", 1, 2)
        assert end.heard() == [". 2 ack 2"] * 3
        assert end.counted("TCPACKSkippedTimeWait") == {}

    def test_a_syn_with_fin_ends_it_and_opens_nothing(self):
        end = self.time_wait()
        end.say("SF", 5000, None, mss=1460)
        assert end.heard() == []
        assert end.states == {}

    def test_assassination(self):
        end = self.time_wait()
        end.say("R", 2, None)
        assert end.states == {}

    def test_no_assassination_with_tcp_rfc1337(self):
        end = self.time_wait({"net.ipv4.tcp_rfc1337": "1"})
        end.say("R", 2, None)
        assert end.states == {"TIME_WAIT": 1}

    def test_a_newer_syn_takes_over(self):
        end = self.time_wait()
        end.say("S", 5000, None, mss=1460)
        assert end.states == {"SYN_RECV": 1}

    def test_an_older_syn_is_acknowledged(self):
        end = self.time_wait()
        end.say("S", 0, None, mss=1460)
        assert end.heard() == [". 2 ack 2"]
        assert end.states == {"TIME_WAIT": 1}

    def with_timestamps(self):
        """A TIME-WAIT entry whose peer's last timestamp was 1001."""
        lab = RawLab()
        lab.wait(1 * MS)
        listener = lab.listen()
        say = partial(lab.peer.send, 40000, 8080, win=65535)
        say("S", mss=1460, ts=(1000, 0))
        lab.wait(1 * MS)
        say(".", seq=1, ack=1, ts=(1000, 0))
        lab.wait(1 * MS)
        lab.sys("close", lab.sys("accept", listener))
        lab.wait(1 * MS)
        say("F.", seq=1, ack=2, ts=(1001, 0))
        lab.wait(1 * MS)
        lab.arrivals()
        assert states(lab.world.snapshot().host("host")) == {"TIME_WAIT": 1}
        return lab, say

    @pytest.mark.parametrize(
        ("tsval", "state"), [(1002, "SYN_RECV"), (1000, "TIME_WAIT"), (1001, "TIME_WAIT")]
    )
    def test_of_a_syn_with_an_old_number_the_timestamp_decides(self, tsval, state):
        lab, say = self.with_timestamps()
        before = lab.world.snapshot().host("host")
        say("S", seq=0, mss=1460, ts=(tsval, 0))
        lab.wait(1 * MS)
        host = lab.world.snapshot().host("host")
        assert states(host) == {state: 1}
        assert moved(host, before, ("PAWSTimewait",)) == ({"PAWSTimewait": 1} if tsval < 1001 else {})

    def test_a_reset_with_an_old_timestamp_is_ignored(self):
        lab, say = self.with_timestamps()
        say("R", seq=2, ts=(900, 0))
        lab.wait(1 * MS)
        assert states(lab.world.snapshot().host("host")) == {"TIME_WAIT": 1}

    def test_no_room(self):
        end = Closing({"net.ipv4.tcp_max_tw_buckets": "0"})
        end.close()
        end.say("F.", 1, 2)
        assert end.states == {}
        assert end.counted("TCPTimeWaitOverflow", "TW") == {"TCPTimeWaitOverflow": 1}

    def test_ss_counts_down(self):
        end = self.time_wait()
        end.lab.wait(100 * MS)
        assert end.timer == "timewait,59sec,0"
