"""Hosts on the real kernel: network namespaces joined by a veth pair, or one with a TUN device whose far end we are.

The namespaces have no names: the kernel removes each with the last handle on it, however this process ends.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import select
import socket
import struct
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path

from tests.differential.packets import parse

TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 0x0001, 0x1000
CLONE_NEWUSER, CLONE_NEWNET = 0x10000000, 0x40000000
QUIET = {"net.ipv6.conf.all.disable_ipv6": "1", "net.ipv6.conf.default.disable_ipv6": "1"}
OWN = Path("/proc/thread-self/ns/net")
LIBC = ctypes.CDLL(None, use_errno=True)


class Namespace:
    """One network namespace; it goes with `close()`."""

    def __init__(self, sysctl: dict[str, str]) -> None:
        self.home = os.open(OWN, os.O_RDONLY)
        unshare(CLONE_NEWNET)
        try:
            self.handle = os.open(OWN, os.O_RDONLY)
        finally:
            enter(self.home)
        with self.inside():
            for name, value in (QUIET | sysctl).items():
                Path("/proc/sys", name.replace(".", "/")).write_text(value, encoding="ascii")
        self.ip("link", "set", "lo", "up")

    def ip(self, *words: str, other: Namespace | None = None) -> None:
        """`ip` inside; it may name the other namespace by `other.path`."""
        with self.inside():
            subprocess.run(["ip", *words], check=True, pass_fds=(other.handle,) if other else ())

    @property
    def path(self) -> str:
        """What `ip` calls it, once it has inherited the handle."""
        return f"/proc/self/fd/{self.handle}"

    @contextmanager
    def inside(self):
        """What is opened meanwhile belongs to this namespace."""
        enter(self.handle)
        try:
            yield
        finally:
            enter(self.home)

    def counters(self) -> dict[str, int]:
        """TCP's and UDP's counters by nstat name, zeros left out."""
        found = {}
        for table in ("snmp", "netstat"):
            with self.inside():
                lines = Path(f"/proc/thread-self/net/{table}").read_text(encoding="ascii").splitlines()
            for head, values in zip(lines[::2], lines[1::2], strict=True):
                group, *names = head.split()
                for name, value in zip(names, values.split()[1:], strict=True):
                    if group in ("Tcp:", "TcpExt:", "Udp:") and int(value):
                        found[group[:-1] + name] = int(value)
        return found

    def close(self) -> None:
        """Let go of it."""
        os.close(self.handle)
        os.close(self.home)


class Tun:
    """The far end of a namespace's TUN device: packets in and out, one at a time."""

    def __init__(self, space: Namespace, address: str) -> None:
        with space.inside():
            self.fd = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
            fcntl.ioctl(self.fd, TUNSETIFF, struct.pack("16sH14x", b"tun0", IFF_TUN | IFF_NO_PI))
        space.ip("addr", "add", f"{address}/24", "dev", "tun0")
        space.ip("link", "set", "tun0", "up")

    def send(self, packet: bytes) -> None:
        """A packet for the host."""
        os.write(self.fd, packet)

    def receive(self, seconds: float) -> list[dict]:
        """The TCP segments that come in so many seconds."""
        end, found = time.monotonic() + seconds, []
        while (left := end - time.monotonic()) > 0:
            if select.select([self.fd], [], [], left)[0]:
                segment = parse(os.read(self.fd, 1 << 17))
                if segment is not None:
                    found.append(segment)
        return found

    def close(self) -> None:
        """Let go of the device."""
        os.close(self.fd)


def veth(left: Namespace, right: Namespace) -> None:
    """Join 10.0.0.1 and 10.0.0.2 by a veth pair; both know each other, so no ARP is counted."""
    pair = "eth0", "type", "veth", "peer", "name", "eth0", "netns", right.path
    left.ip("link", "add", *pair, other=right)
    for space, own, other in ((left, 1, 2), (right, 2, 1)):
        space.ip("link", "set", "eth0", "address", f"02:00:00:00:00:0{own}")
        space.ip("addr", "add", f"10.0.0.{own}/24", "dev", "eth0")
        space.ip("link", "set", "eth0", "up")
        neighbour = f"10.0.0.{other}", "lladdr", f"02:00:00:00:00:0{other}", "dev", "eth0"
        space.ip("neigh", "add", *neighbour, "nud", "permanent")


def tcp_info(sock: socket.socket) -> tuple[int, ...]:
    """struct tcp_info: eight bytes, then numbers of 32 bits."""
    return struct.unpack("8B24I", sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 104))


def enter(handle: int) -> None:
    """Go to another network namespace."""
    if LIBC.setns(handle, 0):
        raise OSError(ctypes.get_errno(), "setns")


def unshare(flags: int) -> None:
    """Leave namespaces for new ones."""
    if LIBC.unshare(flags):
        raise OSError(ctypes.get_errno(), "unshare")


def become_root() -> bool:
    """Whether namespaces can be made: as we are, or as root of a user namespace of our own."""
    uid, gid = os.geteuid(), os.getegid()
    try:
        unshare(CLONE_NEWNET)
    except OSError:
        try:
            unshare(CLONE_NEWUSER | CLONE_NEWNET)
            Path("/proc/self/setgroups").write_text("deny", encoding="ascii")
            Path("/proc/self/uid_map").write_text(f"0 {uid} 1", encoding="ascii")
            Path("/proc/self/gid_map").write_text(f"0 {gid} 1", encoding="ascii")
        except OSError:
            return False
    return True
