"""Who has to give way when something is used up: the client that holds most of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

T = TypeVar("T")
# A client with so few connections loses none that is in use.
_FEW = 16


class Holdings(Generic[T]):
    """Amounts that holders have of a limited total, and which client each holder belongs to."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._amounts: dict[T, tuple[str, int]] = {}  # in the order of their beginning
        self._clients: dict[str, int] = {}
        self._used = 0

    @property
    def used(self) -> int:
        return self._used

    def grow(self, client: str, holder: T, amount: int) -> T | None:
        """Add to what a holder has. Returns the holder that must give all of its own back before that, the oldest of
        the client with most; to be repeated until None, which says that it was added. It may be ``holder`` itself."""
        if self._used + amount > self._total:
            return self._victim(client, holder, amount)
        self._amounts[holder] = (client, self._amounts.get(holder, (client, 0))[1] + amount)
        self._clients[client] = self._clients.get(client, 0) + amount
        self._used += amount
        return None

    def release(self, holder: T) -> None:
        client, amount = self._amounts.pop(holder, ("", 0))
        self._used -= amount
        left = self._clients.get(client, 0) - amount
        if left > 0:
            self._clients[client] = left
        else:
            self._clients.pop(client, None)

    def _victim(self, client: str, holder: T, amount: int) -> T:
        own = self._clients.get(client, 0) + amount
        largest = max(self._clients, key=self._clients.__getitem__, default=client)
        if self._clients.get(largest, 0) < own:
            return holder
        return next(each for each, (owner, _) in self._amounts.items() if owner == largest)


@dataclass(frozen=True, slots=True)
class OpenConnection(Generic[T]):
    """``busy``: a request is being received, worked on or answered; else it is idle or sends a head."""

    client: str
    item: T
    busy: bool


@dataclass(slots=True)
class _Client(Generic[T]):
    count: int = 0
    idle: list[T] = field(default_factory=list)
    busy: list[T] = field(default_factory=list)


def to_close(newcomer: str, connections: Iterable[OpenConnection[T]]) -> T | None:
    """Which connection is closed for one of ``newcomer`` if all are taken; None: the new one is refused.

    ``connections``: oldest first. It is one of the client that has most, if that has more than the newcomer: one that
    is idle; if there is none, and the client has many, one in use.
    """
    clients: dict[str, _Client[T]] = {}
    for each in connections:
        found = clients.setdefault(each.client, _Client())
        found.count += 1
        (found.busy if each.busy else found.idle).append(each.item)
    own = clients.get(newcomer, _Client[T]()).count
    for client in sorted(clients.values(), key=lambda each: -each.count):
        if client.count <= own + 1:
            break
        if client.idle:
            return client.idle[0]
        if client.count > _FEW:
            return client.busy[0]
    # All that have more use theirs and have few. What is idle belongs to others.
    idle = (client.idle[0] for client in clients.values() if client.idle)
    return next(idle, None)
