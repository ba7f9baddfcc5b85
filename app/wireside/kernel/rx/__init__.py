"""From the device to the protocol: the softirq's way up.

`dev_rx` runs NAPI rounds within their budget, `backlog` holds the queues of RPS and of devices without NAPI, `netif_receive`
and `ip_input` hand each packet to TCP, UDP or ICMP. This floor counts and drops; it knows no socket.
"""
