"""TCP's door: who a segment is for, how a connection begins, and what timers and errors do to it.

`tcp_ipv4` looks a segment up; `tcp_listen`, `request_sock`, `tcp_openreq` and `tcp_syncookies` are the two queues of a
listener and the handshake; `tcp_input` is the state machine; `inet_connection_sock` and `inet_hashtables` give out ports;
`sock_reuseport` shares one port among several listeners;
`tcp` is what system calls ask for; `tcp_timer` and `tcp_err` come in from the side. This room may use all the others.
"""
