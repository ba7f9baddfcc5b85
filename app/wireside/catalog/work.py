"""Work that costs CPU time in proportion to what it touches; stages.py has what each step of a journey costs.

Every number is in ns and stands here once, with where it comes from.
"""

from __future__ import annotations

COLLAPSE_PIECE_NS = 2_500
"""tcp_collapse(): a piece of memory (a packet's head or a page fragment) that is copied from and given back.

Measured on real servers with segments of 512 bytes, one piece each: softirqs held the CPU for 0.5, 5.9 and 32 ms when
buffers of 1, 4 and 32 MB were full. At 2304 bytes of truesize that is 1.1 µs a piece in the cache, 2.2 to 3.2 µs out of it.
"""
COLLAPSE_KIB_NS = 200
"""tcp_collapse(): each KiB of that copy: memory that is not in the cache is read at about 5 GB/s. Same source."""
PRUNE_PIECE_NS = 1_000
"""tcp_prune_ofo_queue(): a piece of memory that is given back unread. Same source: what it costs in the cache."""
WALK_SKB_NS = 80
"""An sk_buff of a queue that is only looked at: one read of memory."""
PORT_NS = 75
"""connect(): a port that is found taken. Measured on 6.18.44: 0.65 to 0.73 ms past 9,900 of them, 1.83 ms past 19,802."""
