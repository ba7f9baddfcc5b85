"""System calls: where a program enters the kernel, sleeps, and is woken.

`syscall` dispatches; `stream` and `dgram` move bytes, `poll` waits for several descriptors, `sockopt` reads and sets options.
A call returns a number or a negative errno, or says what it waits for. Calls know the protocols below; nothing below knows
who called.
"""
