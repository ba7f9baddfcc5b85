"""The queues of sockets, and the one that stands for all that are empty."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NoReturn, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterator

T = TypeVar("T")


class Queue(Protocol[T]):
    """What sockets ask of a queue: a list and a deque have it, and so has `NO_ENTRIES`."""

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[T]: ...

    def __getitem__(self, index: int, /) -> T: ...

    def __delitem__(self, index: int, /) -> None: ...

    def append(self, entry: T, /) -> None:
        """Put an entry at the end."""

    def insert(self, index: int, entry: T, /) -> None:
        """Put an entry before the one at `index`."""

    def remove(self, entry: T, /) -> None:
        """Take out an entry; ValueError when it is not there."""

    def index(self, entry: T, /) -> int:
        """Where an entry stands; ValueError when it is not there."""

    def clear(self) -> None:
        """Take out all entries."""


class SkBuffHead(Queue[T], Protocol[T]):
    """struct sk_buff_head: a queue of packets, taken out at its head. Linux: include/linux/skbuff.h."""

    def popleft(self) -> T:
        """Take out the first entry."""

    def appendleft(self, entry: T, /) -> None:
        """Put an entry at the head."""


class NoEntries:
    """The empty queue that sockets share until they need one of their own; nothing can be put into it.

    An empty deque takes 760 bytes: of a hundred thousand idle sockets none should hold four.
    """

    __slots__ = ()

    def __len__(self) -> int:
        return 0

    def __iter__(self) -> Iterator[NoReturn]:
        return iter(())

    def __getitem__(self, index: int, /) -> NoReturn:
        raise IndexError("an empty queue has no entries")

    def __delitem__(self, index: int, /) -> NoReturn:
        raise IndexError("an empty queue has no entries")

    def append(self, entry: object, /) -> NoReturn:
        """Whoever wants to put something in gives the socket a queue of its own first."""
        raise TypeError("what sockets share stays empty")

    def appendleft(self, entry: object, /) -> NoReturn:
        """Refuse."""
        self.append(entry)

    def insert(self, index: int, entry: object, /) -> NoReturn:
        """Refuse."""
        self.append(entry)

    def popleft(self) -> NoReturn:
        """There is nothing to take out."""
        raise IndexError("an empty queue has no entries")

    def remove(self, entry: object, /) -> NoReturn:
        """There is nothing to take out."""
        raise ValueError("an empty queue has no entries")

    def index(self, entry: object, /) -> NoReturn:
        """There is nothing to be found."""
        self.remove(entry)

    def clear(self) -> None:
        """It is clear."""

    def __reduce__(self) -> str:
        return "NO_ENTRIES"


NO_ENTRIES: Final = NoEntries()
