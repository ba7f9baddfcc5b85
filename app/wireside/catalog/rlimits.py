"""How many descriptors a program may have."""

from __future__ import annotations

INR_OPEN_CUR = 1024
"""RLIMIT_NOFILE of a program that nobody gave another: the soft limit of a shell or a service. Linux: include/linux/fs.h."""
NR_OPEN = 1 << 20
"""The most that RLIMIT_NOFILE can be raised to. Linux: fs/file.c sysctl_nr_open."""
STDIO = 3
"""Descriptors that every program has from the start: standard input, output and error."""
