"""Frames as they stand on a wire: one record with every field, its bytes, and the words of tcpdump.

Who taps a link, writes a capture, reads one or sends hand-written segments speaks of a `Frame`. This room knows no
sk_buff, no socket and no clock: it turns numbers into bytes and words, and back.
"""
