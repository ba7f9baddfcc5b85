"""The pure model of the network stack, under Linux's names, in folders by the direction of the journey.

A received packet goes down through them: `drivers` take it off the wire, `rx` carries it to its protocol, `tcp.door`
finds its socket, `tcp.receive` and `tcp.ack` take in what it brings, `tcp.send` answers. A system call comes in at
`syscalls`. All of them stand on `tcp.sock`, `udp`, `ip` and, at the bottom, `core`. A folder imports only folders below
it. Nothing here knows a clock, a random source of its own, a generator, or anything that looks at it.
"""
