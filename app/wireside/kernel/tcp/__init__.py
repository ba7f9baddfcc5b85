"""TCP, in five rooms around the socket that all of them write.

`door` finds or makes the socket, `receive` takes data in, `ack` learns what has arrived at the other end, `send` puts segments
on their way, and `sock` is the record itself.
"""
