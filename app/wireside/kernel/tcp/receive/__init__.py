"""TCP's receiver: whether a segment is acceptable, where its bytes wait, and when they are acknowledged.

`tcp_validate` checks sequence numbers and timestamps, `tcp_rcv` queues, `tcp_ofo` keeps what came too early, `tcp_rmem`
accounts for memory and gives up what does not fit, `tcp_recvmsg` hands bytes to the program.
"""
