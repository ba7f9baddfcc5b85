"""System calls: where a program enters the kernel, sleeps, and is woken.

`syscall` dispatches, by the table in catalog.syscalls; `read_write` moves bytes of any file, `socket` checks what calls on sockets
are told and hands it on; what a protocol does with it stands in `stream` and `dgram`, one object of operations each. `poll` waits
for several descriptors, `sockopt` and `tcp_sockopt` read and set options. A call returns a number or a negative errno, or says
what it waits for; memory that it fills comes from the program. Calls know the protocols below; nothing below knows who called.
"""
