"""Factory port over HTTP: the unit's side of the factory server's API.

One object is one session: share it between the event sink and the flow, which must be the same session for the server
to hand out passwords. Safe to use from several threads if its Http is.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from typing_extensions import override

from gprov.domain.errors import BadInput, NetworkFault
from gprov.domain.events import Event, ProcessState, StateChange
from gprov.domain.factory import replies, requests
from gprov.domain.factory.events import describe
from gprov.domain.factory.replies import FactoryRefused, Refusal
from gprov.domain.factory.requests import API, Sender
from gprov.domain.factory.states import Flow, flow_of
from gprov.domain.factory.syntax import MAX_BATCH_TEXT, MAX_EVENTS
from gprov.domain.formats.json.value import Json
from gprov.domain.mfg.urls import redacted
from gprov.domain.unit.credentials import Credentials
from gprov.ports.factory import Factory
from gprov.ports.network import Http, Reply

_SECONDS = 20.0
_REPLY_LIMIT = 64 << 10
# A server that has just been asked to restart is back within this many tries.
_ATTEMPTS = 4
# Statuses that the same message may not get next time: the server took too long, or is not well.
_PASSING = frozenset({408, 429, *range(500, 600)})
_HEADERS = {"Content-Type": "application/json"}

T = TypeVar("T")


class HttpFactory(Factory):
    """``endpoint``: base URL of the server. ``pause``: seconds before the second attempt, doubled for each further.
    ``session``: 32 hex digits; a new random one unless given."""

    def __init__(self, http: Http, endpoint: str, *, session: str = "", pause: float = 0.5) -> None:
        self._http = http
        self._endpoint = endpoint
        self._session = session or os.urandom(16).hex()
        self._pause = pause
        # A server that was asked for passwords must learn how the provisioning ends.
        self._credential_endpoint = ""

    @override
    def events(self, serial: str, events: Sequence[Event]) -> None:
        """One attempt: the sink has its own patience."""
        for batch in split(events):
            self._post(self._endpoint, "events", requests.encode_events(self._sender(serial), batch), 1)
            for event in batch:
                if isinstance(event.body, StateChange):
                    self._inform(serial, event.body.state)

    @override
    def state(self, serial: str, state: ProcessState) -> None:
        self._post(self._endpoint, "state", requests.encode_state(self._sender(serial), state))
        self._inform(serial, state)

    @override
    def code_name(self, serial: str, code_name: str) -> None:
        self._post(self._endpoint, "code-name", requests.encode_code_name(self._sender(serial), code_name))

    @override
    def macs(self, serial: str, nics: Mapping[str, str], bmc: Sequence[str]) -> None:
        self._post(self._endpoint, "macs", requests.encode_macs(self._sender(serial), nics, bmc))

    @override
    def document(self, serial: str, name: str, content: str) -> None:
        self._post(self._endpoint, "document", requests.encode_document(self._sender(serial), name, content))

    @override
    def time_ns(self) -> int:
        url = _url(self._endpoint, "time")

        def ask() -> int:
            reply = self._http.request("GET", url, limit=_REPLY_LIMIT, seconds=_SECONDS)
            if reply.status != 200:
                raise _fault(url, reply)
            try:
                return replies.decode_time(reply.body)
            except BadInput as exc:
                raise NetworkFault(redacted(url), f"no factory server answers there: {exc}") from exc

        return self._patiently(ask)

    @override
    def credentials(self, serial: str, endpoint: str = "") -> Credentials:
        if endpoint and _base(endpoint) != _base(self._endpoint):
            self._credential_endpoint = endpoint
            self._inform(serial, ProcessState.MFG_STARTED)
        url = _url(endpoint or self._endpoint, "credentials")
        body = requests.to_bytes(requests.encode_credential_request(self._sender(serial)))
        return self._patiently(lambda: self._ask_credentials(url, body))

    def _ask_credentials(self, url: str, body: bytes) -> Credentials:
        """Nothing of the reply may get into an error, whatever it is: it may hold passwords."""
        reply = self._http.request("POST", url, body=body, headers=_HEADERS, limit=_REPLY_LIMIT, seconds=_SECONDS)
        if reply.status == 200:
            found = replies.decode_credentials(reply.body)
            if found is None:
                raise NetworkFault(redacted(url), "the reply holds no credentials")
            return found
        why = replies.decode_refusal(reply.body)
        if why is Refusal.NOT_STARTED:
            # The report that it has started goes through the log and may still be on its way.
            raise NetworkFault(redacted(url), f"status {reply.status}: {why.sentence}")
        if reply.status in _PASSING:
            raise NetworkFault(redacted(url), f"status {reply.status}")
        raise FactoryRefused(redacted(url), reply.status, why.sentence if why else "")

    def _inform(self, serial: str, state: ProcessState) -> None:
        if self._credential_endpoint and flow_of(state) is Flow.MFG:
            self._post(self._credential_endpoint, "state", requests.encode_state(self._sender(serial), state))

    def _post(self, endpoint: str, what: str, message: Mapping[str, Json], attempts: int = _ATTEMPTS) -> None:
        url, body = _url(endpoint, what), requests.to_bytes(message)

        def post() -> None:
            reply = self._http.request("POST", url, body=body, headers=_HEADERS, limit=_REPLY_LIMIT, seconds=_SECONDS)
            if reply.status not in (200, 204):
                raise _fault(url, reply)

        self._patiently(post, attempts)

    def _patiently(self, call: Callable[[], T], attempts: int = _ATTEMPTS) -> T:
        """Try again after faults that may pass; the last one is raised."""
        pause = self._pause
        for _ in range(attempts - 1):
            try:
                return call()
            except FactoryRefused:
                raise
            except NetworkFault:
                threading.Event().wait(pause)
                pause *= 2
        return call()

    def _sender(self, serial: str) -> Sender:
        return Sender(serial, self._session)


def split(events: Sequence[Event]) -> list[list[Event]]:
    """Batches that the server takes, in order."""
    batches: list[list[Event]] = []
    room = 0
    for event in events:
        size = len(describe(event.body))
        if not batches or len(batches[-1]) == MAX_EVENTS or size > room:
            batches.append([])
            room = MAX_BATCH_TEXT
        batches[-1].append(event)
        room -= size
    return batches


def _base(endpoint: str) -> str:
    return endpoint.rstrip("/")


def _url(endpoint: str, what: str) -> str:
    return f"{_base(endpoint)}{API}/{what}"


def _fault(url: str, reply: Reply) -> NetworkFault:
    """What a reply that is no success means. Not for replies that may hold credentials."""
    peer, reason = redacted(url), replies.decode_error(reply.body)
    if reply.status in _PASSING:
        return NetworkFault(peer, f"status {reply.status}: {reason}" if reason else f"status {reply.status}")
    return FactoryRefused(peer, reply.status, reason)
