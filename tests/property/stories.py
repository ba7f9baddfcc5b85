"""Random conditions over the random worlds of the books: what beats of unknown lessons may wait for."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import strategies as st

from tests.property.test_books import scenarios
from wireside.scenario.spec import Beat

MS = 1_000_000
AMOUNTS = {
    "server.TcpInSegs": (0, 1, 7, 40),
    "server.UdpInDatagrams": (1, 25, 300),
    "server.UdpNoPorts": (1, 3),
    "client.TcpRetransSegs": (1, 4),
    "server.IpInReceives": (2, 50),
    "server.sk(80).recv_q": (1, 1448, 20_000),
    "server.sk(80).sk_rmem_alloc": (1, 2304, 60_000),
    "server.sk(80).rcv_wnd_left": (1, 30_000),
    "client.sk(80).cwnd": (1, 10, 12),
    "client.sk(80).in_flight": (1, 9),
    "client.sk(80).srtt_ns": (1, 2 * MS),
    "server.sk(53).receive_queue_skbs": (1, 5),
    "server.listener(80).recv_q": (1,),
    "server.nic.rx_ring_used": (1, 4, 15),
    "server.nic.rx_missed_errors": (1, 10),
    "server.nic.polls": (1, 9, 30),
    "server.nic.rx_rate_pps": (1, 30_000),
    "server.softnet(0).processed": (1, 64),
    "server.cpu(0).softirq_ns": (1, 100_000),
    "server.cpu(0).idle_ns": (3 * MS,),
    "server.program(stream).bytes_read": (1, 10_000, 200_000),
    "server.program(datagrams).calls": (1, 20),
    "client.program(writer).bytes_written": (1, 100_000),
    "server.drops.SOCKET_RCVBUFF": (1, 2),
    "client.wire_drops.link_loss": (1, 5),
    "server.states.ESTAB": (1,),
    "client.states.SYN-SENT": (1,),
    "server.books.queued": (1, 20),
    "server.books.born": (1, 30),
    "server.sks(80)[0].recv_q": (1, 1448),
    "server.sks(80)[1].receive_queue_bytes": (0, 1),
    "client.sks(state=ESTAB)[0].cwnd": (10, 11),
    "server.listeners(80)[0].accept_queue": (0, 1),
    "server.listeners()[1].backlog": (0,),
    "count(server.sks(80))": (1, 2),
    "count(server.sks(80, state=ESTAB))": (0, 1),
    "count(server.sks(state=ESTAB))": (0, 1),
    "count(client.sks(peer=80))": (1,),
    "count(server.listeners())": (1, 2),
    "packet(1).stage": ("WIRE", "TCP_RCV", "RECEIVE_QUEUE"),
    "packet(9).stage": ("TX_RING", "NAPI_POLL", "SYS_READ"),
    "packet(kind=DATA).stage": ("IP_OUTPUT", "RX_RING", "SYS_READ"),
    "packets(kind=UDP)[20].at": (1 * MS, 2 * MS),
    "packets(kind=ACK, source=server)[2].born": (1 * MS,),
    "packets(source=client)[3].length": (0, 1448),
    "count(packets())": (3, 30),
    "count(packets(kind=DATA, destination=server))": (1, 12),
    "time": (0, 1, 500_000, 1 * MS, 3_141_592, "packet(3).at(WIRE) + 100us", "packet(kind=DATA).born"),
}
WORDS_OF = {
    "packet(2).fate": ("delivered", "consumed", "merged", "link_loss", "SOCKET_RCVBUFF"),
    "packets(kind=UDP)[5].fate": ("delivered", "SOCKET_RCVBUFF", "NO_SOCKET", "rx_missed_errors"),
    "packet(4).host": ("server", "client"),
    "packet(3).kind": ("ACK", "UDP", "SYN-ACK"),
    "client.sk(80).state": ("ESTAB", "SYN-SENT", "FIN-WAIT-1"),
}
comparisons = st.sampled_from(sorted(AMOUNTS)).flatmap(
    lambda path: st.builds(
        lambda sign, amount: f"{path} {sign} {amount}",
        st.sampled_from((">=", ">", "==", "!=", "<")),
        st.sampled_from(AMOUNTS[path]),
    )
)
worded = st.sampled_from(sorted(WORDS_OF)).flatmap(
    lambda path: st.builds(
        lambda sign, word: f"{path} {sign} {word}",
        st.sampled_from(("==", "!=")),
        st.sampled_from(WORDS_OF[path]),
    )
)
conditions = st.recursive(
    st.one_of(comparisons, comparisons, worded),
    lambda part: st.one_of(
        st.builds(lambda a, b: f"({a}) and ({b})", part, part),
        st.builds(lambda a, b: f"({a}) or ({b})", part, part),
        st.builds(lambda a: f"not ({a})", part),
    ),
    max_leaves=3,
)
WORDS = ("a", "beat", "is", "said", "and", "stands", "until", "it", "can", "be", "read")
beats = st.builds(
    lambda when, words, scale, pause: Beat(
        say=" ".join(WORDS[:words]),
        at_ns=when if isinstance(when, int) else None,
        when="" if isinstance(when, int) else when,
        scale=scale,
        pause=pause,
    ),
    st.one_of(conditions, conditions, st.integers(0, 6 * MS)),
    st.integers(1, len(WORDS)),
    st.sampled_from((0, 0, 500_000, 3 * MS, 40 * MS)),
    st.booleans(),
)


@st.composite
def stories(draw):
    """A scenario of 8 ms with up to six beats."""
    return replace(
        draw(scenarios()),
        duration_ns=8 * MS,
        scale=draw(st.sampled_from((1 * MS, 20 * MS))),
        beats=tuple(draw(st.lists(beats, min_size=1, max_size=6))),
    )
