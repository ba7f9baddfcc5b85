"""What an acknowledgement tells the sender: what has arrived, what is lost, and how much may be under way.

`tcp_ack` is the entry; `tcp_clean_rtx` takes acknowledged segments out of the queue, `tcp_sacktag` and `tcp_sack` read SACK
blocks, `tcp_recovery` finds losses by time, `tcp_fastretrans` decides what state the connection is in, `tcp_cubic` how far
its window grows.
"""
