"""Descriptors stand for files, whatever is behind them: a toy counter, as eventfd() makes one, needs no more than FileOps."""

from __future__ import annotations

import pickle

import pytest

from tests.kernel.lab import Lab, two_hosts
from tests.words import syscall
from wireside.catalog.errno import EAGAIN, EBADF, ENOTSOCK
from wireside.catalog.flags import POLLIN, POLLOUT
from wireside.kernel.core.file import File, FileOps
from wireside.kernel.core.task import Task, fd_install, get_unused_fd
from wireside.kernel.core.wait import WaitQueueEntry, wake_up
from wireside.kernel.syscalls.dgram import inet_dgram_ops
from wireside.kernel.syscalls.stream import inet_stream_ops
from wireside.kernel.syscalls.syscall import do_syscall, do_syscall_end, exit_files


class Counter:
    """What is behind the file: a number, who waits for it, and whether it is gone."""

    def __init__(self):
        self.value = 0
        self.wq = []
        self.released = 0


class CounterOps(FileOps):
    """A read takes the number, a write adds to it."""

    def poll(self, file):
        return POLLOUT | (POLLIN if file.private_data.value else 0)

    def poll_wait(self, file):
        return file.private_data.wq

    def read(self, cpu, task, call, file, size):
        counter = file.private_data
        if counter.value:
            taken, counter.value = counter.value, 0
            return taken
        if file.nonblock:
            return -EAGAIN
        task.prepare_to_wait(counter.wq, WaitQueueEntry(task, POLLIN, exclusive=True))
        return None

    def write(self, cpu, task, call, file, size):
        file.private_data.value += size
        wake_up(cpu, file.private_data.wq, POLLIN)
        return size

    def release(self, cpu, task, call, file):
        file.private_data.released += 1
        return 0


class Host:
    """A task with a counter as descriptor 3."""

    def __init__(self):
        self.net, _ = two_hosts(Lab())
        self.cpu = self.net.machine.cpus[0]
        self.task = Task(1, "toy", self.net, 0)
        self.counter = Counter()
        fd_install(self.task, get_unused_fd(self.task), File(CounterOps(), self.counter))

    def sys(self, name, *args):
        call = syscall(name, *args)
        result = do_syscall(self.cpu, self.task, call)
        do_syscall_end(self.cpu, self.task)
        return (result, call.args[0][3].revents) if name == "poll" else result


@pytest.fixture
def host():
    return Host()


def test_it_is_read_written_and_polled_like_any_file(host):
    assert host.sys("poll", 3, "POLLIN|POLLOUT", 0) == (1, POLLOUT)
    assert host.sys("write", 3, 5) == 5
    assert host.sys("write", 3, 2) == 2
    assert host.sys("poll", 3, "POLLIN", 0) == (1, POLLIN)
    assert host.sys("read", 3, 8) == 7
    assert host.sys("fcntl", 3, "F_SETFL", "O_NONBLOCK") == 0
    assert host.sys("read", 3, 8) == -EAGAIN


def test_a_reader_and_a_poller_wait_in_its_queue(host):
    assert host.sys("read", 3, 8) is None
    assert host.sys("poll", 3, "POLLIN", -1) == (None, 0)
    assert [entry.exclusive for entry in host.counter.wq] == [False, True]
    host.task.finish_wait()
    assert host.counter.wq == []


def test_it_goes_with_its_last_descriptor(host):
    assert host.sys("dup", 3) == 4
    assert host.sys("close", 3) == 0
    assert host.sys("read", 3, 8) == -EBADF
    assert host.counter.released == 0
    exit_files(host.cpu, host.task)
    assert host.counter.released == 1


@pytest.mark.parametrize(
    "call",
    [
        ("bind", (0, 80)), ("listen", 1), ("accept",), ("accept4", None, 0), ("connect", (1, 80)), ("getsockname", None),
        ("getpeername", None), ("send", 1, 0), ("sendto", 1, (1, 80)), ("recv", 1, 0), ("recvmsg", (1, None), 0), ("recvmmsg", 1, 1),
        ("shutdown", "SHUT_WR"), ("setsockopt", "SO_RCVBUF", 1), ("getsockopt", "SO_RCVBUF"),
    ],
    ids=lambda call: call[0],
)  # fmt: skip
def test_it_is_no_socket(host, call):
    name, *args = call
    if name == "recvmsg":
        args[0] = (1, type("Message", (), {"msg_name": None}))
    assert host.sys(name, 3, *args) == -ENOTSOCK


@pytest.mark.parametrize("ops", [inet_stream_ops, inet_dgram_ops])
def test_a_kept_world_comes_back_with_the_operations_that_there_are(ops):
    assert pickle.loads(pickle.dumps(ops)) is ops
