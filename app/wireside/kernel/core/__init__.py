"""What every layer stands on: packets, sockets, memory, waiting, timers, softirqs and the queues of a device.

`net` is the record of a machine and its network namespaces, `skbuff` a packet, `sock` what all sockets share. The headers of
the kernel include one another, and so do these few; nothing here knows a protocol.
"""
