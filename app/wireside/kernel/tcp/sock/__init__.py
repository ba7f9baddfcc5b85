"""The TCP socket: its fields, its states and their transitions, its window arithmetic.

Everything in TCP writes to `TcpSock`, so this room knows none of the others.
"""
