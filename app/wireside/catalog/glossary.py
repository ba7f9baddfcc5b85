"""The words of the trade, explained plainly."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

# fmt: off
GLOSSARY: Final[Mapping[str, str]] = MappingProxyType({
    "accept queue": "Connections whose handshake is over and which no accept() has fetched yet. It holds one more than the listener's limit, because the kernel tests with '>'. In ss, Recv-Q of a LISTEN line is its length and Send-Q its limit.",
    "ACK": "A segment that says up to which byte everything has arrived. It may carry data, too.",
    "backlog (CPU)": "The queue of one CPU for packets that come without a NIC's poll: from loopback, veth, tunnels, or sent over by RPS. netdev_max_backlog limits it. Packets of a plain NIC never wait there.",
    "backlog (listen)": "The second argument of listen(). With somaxconn it sets the accept queue's limit, and with SYN cookies on the limit of half-open connections as well.",
    "backlog (socket)": "While a program has a socket locked, packets for it wait in sk_backlog; whoever holds the lock processes them before letting go.",
    "budget": "How many packets one receive softirq round may take (netdev_budget, 300) before it must let others run. Together with a time limit it keeps a flood from taking over the CPU.",
    "CLOSE-WAIT": "The peer has closed, our program has not. No timer ends this; only the program's close() does. Recv-Q 1 means that it has not even read the end.",
    "coalescing (interrupts)": "The NIC waits a few microseconds or frames before it interrupts, so that one interrupt serves several packets. Saves CPU, costs latency.",
    "congestion window": "How many segments the sender dares to have in flight. It grows while ACKs come and falls after a loss. Also called cwnd.",
    "delayed ACK": "The receiver waits up to 40 ms (at most 200 ms) for data to send along before it sends a bare ACK. A new connection ACKs quickly at first.",
    "descriptor": "A small record in a ring that points to a buffer in memory. The NIC fills the buffer, marks the descriptor, and goes to the next.",
    "DMA": "Direct memory access: the NIC writes into memory by itself; the CPU does not copy.",
    "drop reason": "The name the kernel gives to why it threw a packet away. Tools that watch skb:kfree_skb show it. A frame lost in the NIC has none: no packet existed yet.",
    "ehash": "The one table of all connections of a host, looked up by both addresses and both ports. Half-open connections and TIME-WAIT entries live in it, too.",
    "ephemeral port": "The port the kernel chooses for connect(). There are 28,232 of them by default, for each destination.",
    "epoll": "Lets a program wait for many sockets at once. Each socket announces itself when something happens, so waiting costs as much as there is news, however many sockets there are.",
    "FIN": "The flag that ends one direction: 'I will send no more'. The other direction may go on.",
    "GRO": "Generic receive offload: segments of one flow that follow each other are joined into one large packet before the stack sees them. tcpdump then shows packets larger than the MTU.",
    "hard IRQ": "The interrupt of a device. Its handler only notes that there is work and hands the rest to a softirq.",
    "keepalive": "Probes on a silent connection, only if the program asked for them with SO_KEEPALIVE. By default they begin after two hours of silence: nine of them, 75 s apart.",
    "ksoftirqd": "One thread per CPU that takes over softirq work when there is too much of it. It competes with programs like any thread, so programs get CPU time, too.",
    "MSS": "The largest payload of one TCP segment: 1460 bytes for an MTU of 1500, or 1448 with timestamps.",
    "Nagle's rule": "A small segment waits while an earlier small one is not acknowledged. There is no timer: the ACK releases it. TCP_NODELAY turns the rule off.",
    "NAPI": "How Linux receives packets: after one interrupt the driver's poll takes frames from the ring, with interrupts masked, until the ring is empty. Under load hardly any interrupts remain.",
    "orphan": "A socket whose program has closed it while TCP still has work to do for it.",
    "out-of-order queue": "Where segments wait while earlier ones are missing. SACK tells the sender which have arrived.",
    "PAWS": "Protection against wrapped sequence numbers: a segment with a timestamp older than one already seen is refused.",
    "persist timer": "Runs at a sender facing a zero window with nothing in flight. Each time it fires it sends a window probe and doubles its wait; it goes on for as long as the peer answers.",
    "poll": "One visit of the driver to its ring in softirq: up to 64 frames.",
    "qdisc": "The software queue before a device's transmit ring; pfifo_fast holds 1000 packets.",
    "request sock": "The small record of a handshake that is not finished. It is kept in the ehash, not in a queue of the listener; the listener only counts.",
    "RFS": "Receive flow steering: RPS that picks the CPU on which the program reads.",
    "ring": "A circle of descriptors that driver and NIC share. The NIC fills it, the driver empties and refills it. When the NIC finds no free descriptor the frame is lost, and only the NIC's own counters show it.",
    "rmem": "Receive memory: what a socket's queued packets occupy (sk_rmem_alloc), compared with its receive buffer (sk_rcvbuf). Counted in truesize, not in payload.",
    "RPS": "Receive packet steering: software spreads packets over CPUs by the hash of their addresses and ports. They then go through the other CPU's backlog.",
    "RST": "The flag that ends a connection at once. Sent to a port without a socket, and when a program closes with data unread.",
    "RTO": "Retransmission timeout: how long a sender waits for an ACK before it sends again. At least 200 ms above the round-trip time; doubled after each failure.",
    "SACK": "Selective acknowledgement: the receiver lists the pieces that have arrived beyond a gap, so only the gap is sent again.",
    "scaling ratio": "The share of receive memory that is payload, as the kernel measures it. The window is this share of the buffer; it starts at one half.",
    "skb": "struct sk_buff, the record of one packet. It points to the data; moving it between queues copies nothing.",
    "softirq": "Kernel work put off by an interrupt and done right after it. It comes before programs: a CPU busy with it runs none.",
    "SWS": "Silly window syndrome: a window opened by a few bytes at a time, filled by tiny segments. The receiver therefore stays at zero until it can offer a worthwhile piece.",
    "SYN": "The flag that opens a connection; its segment carries the first sequence number.",
    "SYN cookie": "A SYN-ACK whose sequence number holds all there is to remember about the request, so that nothing needs storing. Used when too many handshakes are open.",
    "SYN queue": "A manner of speaking: the listener only counts its unfinished handshakes. The records themselves are in the ehash.",
    "sysctl": "A kernel setting, readable and writable below /proc/sys. Some act at once, some only on sockets made later.",
    "TIME-WAIT": "The side that closes first remembers the connection for 60 s, so that stray packets cannot harm a later one. The length is fixed; tcp_fin_timeout does not change it.",
    "time_squeeze": "Softirq rounds that ended because budget or time was used up with work left. Not a loss: the work goes on in the next round.",
    "TLP": "Tail loss probe: when ACKs stay away, the last segment is sent again early to provoke one, before the RTO fires.",
    "truesize": "What a packet costs in memory: its buffer plus 576 bytes of records. A frame with 1448 bytes of payload costs 2304 and more.",
    "TSO": "The NIC cuts one large packet into segments. tcpdump on the sender sees the large one.",
    "TSQ": "TCP small queues: a socket may keep only about a millisecond's worth of data below TCP, so the queues there stay short.",
    "window": "How many bytes the receiver will take beyond the last acknowledged one. Its right edge does not move left: a window only shrinks by being filled.",
    "window probe": "An empty segment with an old sequence number; the answer carries the present window. Linux puts no data into it.",
    "window scale": "A factor for the 16-bit window field, agreed in the handshake, because 64 KiB are too few.",
    "wire": "The way between two hosts: first the time to put the bits on it, then the time they travel.",
    "zero window": "The receiver has no room worth offering: the sender must stop and probe. Its memory need not be full to the last byte: below a sixteenth of the buffer, or one segment, is enough.",
})
# fmt: on
"""Term → explanation, in alphabetical order."""
