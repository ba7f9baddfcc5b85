"""The largest values of C types where a rule speaks of them. Linux: include/vdso/limits.h, include/linux/limits.h."""

from __future__ import annotations

from typing import Final

INT_MAX: Final = 0x7FFFFFFF
USHRT_MAX: Final = 0xFFFF
