"""TCP's sender: which segment leaves when, and how it is built.

`tcp_output` asks the gates one after the other, `tcp_tso` cuts and merges, `tcp_retransmit` sends again, `tcp_control` sends
segments without data, `tcp_rtt` and `tcp_xmit_timer` keep time, `tcp_cong` the congestion window; `tcp_minisocks` makes the
small record that waits out TIME-WAIT. It knows nothing of how segments come in.
"""
