"""Who is served next: clients in turn, however many requests each of them has waiting."""

from __future__ import annotations

from collections import OrderedDict, deque
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Waiting(Generic[T]):
    item: T
    weight: int


class Turns(Generic[T]):
    """``room``: weight that may be in work at once; an item that is heavier is worked on alone."""

    def __init__(self, room: int) -> None:
        self._room = room
        self._used = 0
        self._busy = 0
        self._queues: OrderedDict[str, deque[_Waiting[T]]] = OrderedDict()

    def add(self, client: str, item: T, weight: int) -> None:
        self._queues.setdefault(client, deque()).append(_Waiting(item, weight))

    def remove(self, client: str, item: T) -> None:
        """Of an item that waits no longer."""
        left = deque(each for each in self._queues.pop(client, ()) if each.item is not item)
        if left:
            self._queues[client] = left

    def start(self) -> T | None:
        """The next item, which is in work then; None if there is none, or no room for it. A client that was served
        waits behind all others."""
        if not self._queues:
            return None
        client, queue = next(iter(self._queues.items()))
        first = queue[0]
        if self._busy and self._used + first.weight > self._room:
            return None
        queue.popleft()
        self._queues.move_to_end(client)
        if not queue:
            del self._queues[client]
        self._used += first.weight
        self._busy += 1
        return first.item

    def done(self, weight: int) -> None:
        self._used -= weight
        self._busy -= 1

    def waiting_of(self, client: str) -> int:
        return len(self._queues.get(client, ()))

    @property
    def waiting(self) -> int:
        return sum(len(queue) for queue in self._queues.values())
