"""Which messages of units are recorded: those that add rows are bounded in rate and number."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import TypeVar

from gprov.apps.server.store.bounds import BoundedStore, Known
from gprov.apps.server.web.http import Received
from gprov.apps.server.web.limits.room import Room
from gprov.domain.factory.limits.peers import peer_group
from gprov.domain.factory.limits.rates import RateLimiter
from gprov.domain.factory.limits.refusals import NoRoom, TooMany
from gprov.domain.factory.requests import (
    CredentialRequest,
    Document,
    ErasureRegistration,
    EventBatch,
    ProvisioningStart,
    Request,
    Sender,
    SessionProof,
    decode,
)
from gprov.domain.factory.settings.limits import Limits, at_once

# Senders that the store need not be asked about.
_REMEMBERED = 20_000
R = TypeVar("R", bound=Request)
_REMEMBERED_NS = 5 * 10**9
_DISK_FULL = "the server's disk is nearly full: no {} until a person makes room"


class Admission:
    """Threads may share it. ``now``: UTC, ns."""

    def __init__(self, store: BoundedStore, limits: Limits, room: Room, now: Callable[[], int]) -> None:
        self._store = store
        self._room = room
        self._now = now
        self._lock = threading.Lock()
        self._known: OrderedDict[Sender, tuple[Known, int]] = OrderedDict()
        self._new_units = _limiter(limits.new_units_per_minute, limits.all_new_units_per_minute)
        self._scripts = _limiter(limits.new_units_per_minute, limits.all_new_units_per_minute)
        self._new_sessions = _limiter(limits.new_sessions_per_minute, limits.all_new_sessions_per_minute)
        self._documents = _limiter(limits.documents_per_minute, limits.all_documents_per_minute)
        self._credentials = _limiter(limits.credentials_per_minute, limits.all_credentials_per_minute)

    def decoded(self, message: type[R], received: Received) -> R:
        """The message, if it may be recorded. Raises BadInput with every problem; and as ``admit``."""
        request = decode(message, received.data)
        self.admit(request, received.peer)
        return request

    def admit_script(self, peer: str) -> None:
        """A script for network boot, which may have a token that the store keeps. Raises TooMany."""
        self._take(self._scripts, peer_group(peer), "starts over the network from this address")

    def admit(self, request: Request, peer: str) -> None:
        """``peer``: address of the client. Raises TooMany, NoRoom, DeviceFault."""
        client = peer_group(peer)
        known = self._known_sender(request.sender)
        match request:
            case Document() | ErasureRegistration():
                self._require(self._room.for_new(), "new documents")
                self._take(self._documents, client, "documents from this address")
                if isinstance(request, ErasureRegistration) and not known.sealed:
                    self._store.make_room_for_certificate()
            case CredentialRequest() | ProvisioningStart() | SessionProof():
                self._take(self._credentials, client, "requests for passwords from this address")
            case EventBatch():
                self._require(self._room.for_logs(), "events")
            case _:
                pass
        if known.candidate and isinstance(request, Document | EventBatch):
            self._store.make_room_for_content()
        if not known.unit:
            self._require(self._room.for_new(), "new units")
            self._take(self._new_units, client, "new units from this address")
            self._store.make_room_for_unit()
        elif not known.session:
            self._take(self._new_sessions, client, "runs of units from this address")

    def _require(self, room: bool, what: str) -> None:
        if not room:
            raise NoRoom(_DISK_FULL.format(what))

    def _take(self, limiter: RateLimiter, client: str, what: str) -> None:
        with self._lock:
            wait = limiter.take(client, self._now())
        if wait:
            raise TooMany(what, wait)

    def is_known(self, sender: Sender) -> bool:
        """Whether a message of this sender is admitted or refused without asking the store."""
        known = self._remembered(sender)
        return known is not None and not (known.candidate and self._store.asks_for_content)

    def _remembered(self, sender: Sender) -> Known | None:
        with self._lock:
            known, at_ns = self._known.get(sender, (None, 0))
        return known if abs(self._now() - at_ns) < _REMEMBERED_NS else None

    def _known_sender(self, sender: Sender) -> Known:
        found = self._remembered(sender)
        if found is not None:
            return found
        now_ns = self._now()
        known = self._store.known(sender)
        if known.session:
            with self._lock:
                self._known[sender] = (known, now_ns)
                self._known.move_to_end(sender)
                if len(self._known) > _REMEMBERED:
                    self._known.popitem(last=False)
        return known


def _limiter(each: float, total: float) -> RateLimiter:
    return RateLimiter(at_once(each), at_once(total))
