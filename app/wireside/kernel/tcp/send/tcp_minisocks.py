"""Minisocks: what is left of a connection in TIME_WAIT, or in FIN_WAIT2 after its program has gone."""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING, Final

from wireside.catalog.counters import TcpExt
from wireside.catalog.drop_reasons import DropReason
from wireside.catalog.inet import ACK, FIN, MASK, RST, SYN
from wireside.catalog.sysctls import TCP_FIN_TIMEOUT, TCP_INVALID_RATELIMIT, TCP_MAX_TW_BUCKETS, TCP_RFC1337
from wireside.catalog.tcp_states import SS_NAME, TcpState
from wireside.kernel.core.sock import SOCK_CONNECT_BIND
from wireside.kernel.core.timer import TimerList
from wireside.kernel.ip.inet_bind import inet_bind_replace, inet_bind_unhash
from wireside.kernel.tcp.send.tcp_control import tcp_v4_send_ack
from wireside.kernel.tcp.sock.tcp_sock import after, before, tcp_receive_window
from wireside.kernel.tcp.sock.tcp_state import tcp_done

if TYPE_CHECKING:
    from wireside.kernel.core.net import Cpu
    from wireside.kernel.core.skbuff import Flow, SkBuff
    from wireside.kernel.tcp.sock.tcp_sock import TcpSock

TCP_TIMEWAIT_LEN_NS: Final = 60_000_000_000
"""How long TIME_WAIT lasts; no sysctl changes it. Linux: include/net/tcp.h."""
TW_SUCCESS: Final = "success"
TW_RST: Final = "rst"
TW_ACK: Final = "ack"
TW_SYN: Final = "syn"


TW_LAYOUT: Final = Struct("<IIIIIqqBBBBBB")
"""Five 32-bit numbers, two times in ns, six small numbers."""


def tw_get(tw: TimewaitSock, index: int) -> int:
    """Read a packed number."""
    return int(TW_LAYOUT.unpack(tw.tw_packed)[index])


def tw_set(tw: TimewaitSock, index: int, value: int) -> None:
    """Change a packed number."""
    values = list(TW_LAYOUT.unpack(tw.tw_packed))
    values[index] = value
    tw.tw_packed = TW_LAYOUT.pack(*values)


class TimewaitSock(TimerList["TimewaitSock"]):
    """struct tcp_timewait_sock: all that a closed connection must remember, in little memory; its own timer, too.

    Its numbers are packed: each property reads one of them. Linux: include/linux/tcp.h.
    """

    __slots__ = ("flow_in", "id", "net", "tw_packed")

    def __init__(self, tp: TcpSock, substate: TcpState, now: int) -> None:
        super().__init__(tw_timer_handler, self)
        assert tp.flow_in is not None
        self.id = tp.id
        self.net = tp.net
        self.flow_in = tp.flow_in
        self.tw_packed = TW_LAYOUT.pack(
            tp.rcv_nxt,
            tp.snd_nxt,
            tcp_receive_window(tp),
            tp.ts_recent,
            tp.ts_off,
            now,
            0,
            tp.rcv_wscale,
            substate,
            tp.tstamp_ok,
            tp.sk_reuse,
            tp.sk_reuseport,
            bool(tp.sk_userlocks & SOCK_CONNECT_BIND),
        )

    @property
    def flow_out(self) -> Flow:
        """The four numbers of packets that this end sends."""
        saddr, sport, daddr, dport = self.flow_in
        return daddr, dport, saddr, sport

    @property
    def sk_num(self) -> int:
        """The local port."""
        return self.flow_in[3]

    @property
    def tw_rcv_nxt(self) -> int:
        """The sequence number expected next."""
        return tw_get(self, 0)

    @tw_rcv_nxt.setter
    def tw_rcv_nxt(self, value: int) -> None:
        tw_set(self, 0, value)

    @property
    def tw_snd_nxt(self) -> int:
        """The sequence number it would send next."""
        return tw_get(self, 1)

    @property
    def tw_rcv_wnd(self) -> int:
        """The window promised, bytes."""
        return tw_get(self, 2)

    @property
    def tw_ts_recent(self) -> int:
        """The peer's last timestamp."""
        return tw_get(self, 3)

    @tw_ts_recent.setter
    def tw_ts_recent(self, value: int) -> None:
        tw_set(self, 3, value)

    @property
    def tw_ts_off(self) -> int:
        """What is added to its own timestamps."""
        return tw_get(self, 4)

    @property
    def tw_entry_ns(self) -> int:
        """When the peer's last timestamp came, or the entry was made, ns."""
        return tw_get(self, 5)

    @tw_entry_ns.setter
    def tw_entry_ns(self, value: int) -> None:
        tw_set(self, 5, value)

    @property
    def tw_last_oow_ack_ns(self) -> int:
        """When it last answered a segment outside its window, ns; 0: never."""
        return tw_get(self, 6)

    @tw_last_oow_ack_ns.setter
    def tw_last_oow_ack_ns(self, value: int) -> None:
        tw_set(self, 6, value)

    @property
    def tw_rcv_wscale(self) -> int:
        """How far the window is shifted."""
        return tw_get(self, 7)

    @property
    def tw_substate(self) -> int:
        """TIME_WAIT or FIN_WAIT2."""
        return tw_get(self, 8)

    @tw_substate.setter
    def tw_substate(self, value: int) -> None:
        tw_set(self, 8, value)

    @property
    def tw_tstamp_ok(self) -> bool:
        """Both sides send timestamps."""
        return bool(tw_get(self, 9))

    @property
    def sk_reuse(self) -> bool:
        """SO_REUSEADDR."""
        return bool(tw_get(self, 10))

    @property
    def sk_reuseport(self) -> bool:
        """SO_REUSEPORT."""
        return bool(tw_get(self, 11))

    @property
    def tw_connect_bind(self) -> bool:
        """connect() had chosen the port, so that others may get it that way, too."""
        return bool(tw_get(self, 12))


def tw_timer_handler(cpu: Cpu, tw: TimewaitSock) -> None:
    """The waiting is over. Linux: net/ipv4/inet_timewait_sock.c tw_timer_handler()."""
    inet_twsk_kill(tw)


def inet_twsk_kill(tw: TimewaitSock) -> None:
    """Remove a minisock from all tables. Linux: inet_twsk_kill()."""
    net = tw.net
    if net.ehash.get(tw.flow_in) is tw:
        del net.ehash[tw.flow_in]
    net.machine.timers.timer_delete(tw)
    tw.arg = None
    inet_bind_unhash(net, tw.sk_num, tw)
    if net.timewait.pop(tw.id, None) is not None and tw.tw_substate == TcpState.FIN_WAIT2:
        net.fin_wait2_minisocks -= 1


def inet_twsk_schedule(cpu: Cpu, tw: TimewaitSock, timeout_ns: int) -> None:
    """Arm the minisock's timer anew. Linux: __inet_twsk_schedule()."""
    tw.net.machine.timers.mod_timer(tw, cpu.now, cpu.now + timeout_ns)


def tcp_time_wait(cpu: Cpu, tp: TcpSock, substate: TcpState, timeout_ns: int) -> None:
    """Replace a full socket by a minisock for `timeout_ns` (60 s in TIME_WAIT). Linux: tcp_time_wait()."""
    net = tp.net
    if len(net.timewait) >= net.sysctl[TCP_MAX_TW_BUCKETS]:
        net.mib[TcpExt.TCPTimeWaitOverflow] += 1
        tcp_done(cpu, tp)
        return
    rto_ns = (tp.icsk_rto_ns << 2) - (tp.icsk_rto_ns >> 1)
    timeout_ns = TCP_TIMEWAIT_LEN_NS if substate == TcpState.TIME_WAIT else max(timeout_ns, rto_ns)
    tw = TimewaitSock(tp, substate, cpu.now)
    net.timewait[tw.id] = tw
    if substate == TcpState.FIN_WAIT2:
        net.fin_wait2_minisocks += 1
    else:
        net.tcp_entered[TcpState.TIME_WAIT] += 1
    net.ehash[tw.flow_in] = tw
    inet_bind_replace(net, tw.sk_num, tp, tw)
    inet_twsk_schedule(cpu, tw, timeout_ns)
    if net.on_event is not None:
        change = f"{SS_NAME[tp.sk_state]} → {SS_NAME[substate]}"
        if tp.sk_state == substate:
            change = f"{SS_NAME[substate]} without its program is a small entry from now on"
        net.event(cpu, "tcp", f"{net.name}: {change} (port {tw.sk_num}), for {timeout_ns / 10**9:g} s")
    net.mib[TcpExt.TW if timeout_ns > 4_000_000_000 else TcpExt.TWKilled] += 1
    tcp_done(cpu, tp)


def tcp_fin_time_ns(tp: TcpSock) -> int:
    """How long an orphan may stay in FIN_WAIT2. Linux: include/net/tcp.h tcp_fin_time()."""
    timeout = tp.linger2 or tp.net.sysctl[TCP_FIN_TIMEOUT] * 1_000_000_000
    return max(timeout, (tp.icsk_rto_ns << 2) - (tp.icsk_rto_ns >> 1))


def tcp_timewait_ack(cpu: Cpu, tw: TimewaitSock, skb: SkBuff) -> None:
    """Answer on behalf of a minisock. Linux: net/ipv4/tcp_ipv4.c tcp_v4_timewait_ack()."""
    tsval = (cpu.now // 1_000_000 + tw.tw_ts_off) & MASK if tw.tw_tstamp_ok else None
    window = tw.tw_rcv_wnd >> tw.tw_rcv_wscale
    tcp_v4_send_ack(cpu, tw.net, skb, tw.tw_snd_nxt, tw.tw_rcv_nxt, window, tsval, tw.tw_ts_recent)


def tcp_timewait_check_oow_rate_limit(cpu: Cpu, tw: TimewaitSock, skb: SkBuff) -> str:
    """An acknowledgement for something unusual, at most two a second. Linux: same name."""
    counter = (
        TcpExt.TCPACKSkippedFinWait2 if tw.tw_substate == TcpState.FIN_WAIT2 else TcpExt.TCPACKSkippedTimeWait
    )
    if skb.seq == skb.end_seq or skb.tcp_flags & SYN:
        limit = tw.net.sysctl[TCP_INVALID_RATELIMIT] * 1_000_000
        if tw.tw_last_oow_ack_ns and cpu.now - tw.tw_last_oow_ack_ns < limit:
            tw.net.mib[counter] += 1
            return TW_SUCCESS
        tw.tw_last_oow_ack_ns = cpu.now or 1
    return TW_ACK


def tcp_in_window(seq: int, end_seq: int, left: int, right: int) -> bool:
    """Some of the segment lies in the window. Linux: net/ipv4/tcp_minisocks.c tcp_in_window()."""
    if seq == left:
        return True
    if after(end_seq, left) and before(seq, right):
        return True
    return seq == right and seq == end_seq


def tcp_timewait_state_process(cpu: Cpu, tw: TimewaitSock, skb: SkBuff) -> tuple[str, DropReason | None]:
    """A segment hits a minisock: what to do with it, and the reason if it is dropped. Linux: same name."""
    paws = bool(
        tw.tw_tstamp_ok and skb.tsval is not None and tw.tw_ts_recent and before(skb.tsval, tw.tw_ts_recent)
    )
    if tw.tw_substate == TcpState.FIN_WAIT2:
        return tcp_fin_wait2_process(cpu, tw, skb, paws=paws), None
    if not paws:
        return tcp_time_wait_process(cpu, tw, skb), None
    tw.net.mib[TcpExt.PAWSTimewait] += 1
    if skb.tcp_flags & RST:
        return TW_SUCCESS, DropReason.TCP_RFC7323_TW_PAWS
    inet_twsk_schedule(cpu, tw, TCP_TIMEWAIT_LEN_NS)
    return tcp_timewait_check_oow_rate_limit(cpu, tw, skb), DropReason.TCP_RFC7323_TW_PAWS


def tcp_time_wait_process(cpu: Cpu, tw: TimewaitSock, skb: SkBuff) -> str:
    """A segment whose timestamp is good hits TIME_WAIT: the second half of tcp_timewait_state_process()."""
    flags = skb.tcp_flags
    if skb.seq == tw.tw_rcv_nxt and (skb.seq == skb.end_seq or flags & RST):
        if not flags & RST:
            inet_twsk_schedule(cpu, tw, TCP_TIMEWAIT_LEN_NS)
        elif not tw.net.sysctl[TCP_RFC1337]:
            inet_twsk_kill(tw)
            return TW_SUCCESS
        if tw.tw_tstamp_ok and skb.tsval is not None:
            tw.tw_ts_recent = skb.tsval
        return TW_SUCCESS
    newer = after(skb.seq, tw.tw_rcv_nxt) or (
        tw.tw_tstamp_ok and skb.tsval is not None and after(skb.tsval, tw.tw_ts_recent)
    )
    if flags & SYN and not flags & (RST | ACK) and newer:
        return TW_SYN
    if flags & RST:
        return TW_SUCCESS
    if flags & ACK:
        inet_twsk_schedule(cpu, tw, TCP_TIMEWAIT_LEN_NS)
    return tcp_timewait_check_oow_rate_limit(cpu, tw, skb)


def tcp_fin_wait2_process(cpu: Cpu, tw: TimewaitSock, skb: SkBuff, *, paws: bool) -> str:
    """A segment hits a FIN_WAIT2 minisock: its FIN leads to TIME_WAIT, data is answered with RST."""
    flags = skb.tcp_flags
    right = (tw.tw_rcv_nxt + tw.tw_rcv_wnd) & MASK
    if paws or not tcp_in_window(skb.seq, skb.end_seq, tw.tw_rcv_nxt, right):
        return tcp_timewait_check_oow_rate_limit(cpu, tw, skb)
    if flags & RST:
        inet_twsk_kill(tw)
        return TW_SUCCESS
    if flags & SYN and not before(skb.seq, tw.tw_rcv_nxt):
        return TW_RST
    if not flags & ACK or not after(skb.end_seq, tw.tw_rcv_nxt) or skb.end_seq == skb.seq:
        return TW_SUCCESS
    if not flags & FIN or skb.end_seq != (tw.tw_rcv_nxt + 1) & MASK:
        return TW_RST
    tw.tw_substate = TcpState.TIME_WAIT
    tw.net.fin_wait2_minisocks -= 1
    tw.net.tcp_entered[TcpState.TIME_WAIT] += 1
    tw.net.event(cpu, "tcp", f"{tw.net.name}: FIN-WAIT-2 → TIME-WAIT (port {tw.sk_num}), for 60 s")
    tw.tw_rcv_nxt = skb.end_seq
    if tw.tw_tstamp_ok and skb.tsval is not None:
        tw.tw_ts_recent = skb.tsval
        tw.tw_entry_ns = cpu.now
    inet_twsk_schedule(cpu, tw, TCP_TIMEWAIT_LEN_NS)
    return TW_ACK
