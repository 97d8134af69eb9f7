"""The factory's ports over HTTP: client of the factory server's API.

One client is one session. The server hands out passwords only to a session that also sends the log, so there is one
client for each server (``factory_clients``). Clients may be used from several threads if their Http and Clock may.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import TypeVar

from typing_extensions import override

from gprov.domain.erase.signed import SignedCertificate
from gprov.domain.errors import BadInput, NetworkFault
from gprov.domain.events import Event, ProcessState, StateChange
from gprov.domain.factory import replies
from gprov.domain.factory.document_kind import DocumentKind
from gprov.domain.factory.events import describe
from gprov.domain.factory.messages import encode
from gprov.domain.factory.replies import FactoryRefused, Refusal
from gprov.domain.factory.requests import (
    API,
    TIME,
    CodeNameReport,
    CredentialRequest,
    Document,
    ErasureRegistration,
    EventBatch,
    MacReport,
    NamedMac,
    ProvisioningStart,
    Request,
    RunsRequest,
    Sender,
    SessionProof,
    StateReport,
)
from gprov.domain.factory.states import Flow, flow_of
from gprov.domain.factory.syntax import MAX_BATCH_TEXT, MAX_EVENTS
from gprov.domain.mfg.urls import redacted
from gprov.domain.unit.credentials import Credentials, Secret
from gprov.ports.clock import Clock
from gprov.ports.factory import (
    CredentialStore,
    DocumentStore,
    ErasureRegistry,
    RunHistory,
    SessionAccess,
    Start,
    Telemetry,
    TimeSource,
)
from gprov.ports.network import Http, Reply

_SECONDS = 20.0
_REPLY_LIMIT = 64 << 10
_CERTIFICATE_LIMIT = 8 << 20
# A server that has just been asked to restart is back within this many tries.
_ATTEMPTS = 4
# Temporary errors of the server: the same request may succeed later.
_RETRYABLE_STATUS = frozenset({408, 429, *range(500, 600)})
_HEADERS = {"Content-Type": "application/json"}

T = TypeVar("T")


class HttpFactory(SessionAccess, Telemetry, TimeSource, DocumentStore, CredentialStore, ErasureRegistry, RunHistory):
    """``endpoint``: base URL of the server. ``pause``: seconds before the second attempt, doubled for each further one.
    ``session``: 32 hex digits; a new random one unless given."""

    def __init__(self, http: Http, clock: Clock, endpoint: str, *, session: str = "", pause: float = 0.5) -> None:
        self._http = http
        self._clock = clock
        self._endpoint = endpoint
        self._session = session or os.urandom(16).hex()
        self._pause = pause
        # Server that hands out passwords, if it is another one: it seals them at MFG_SUCCEEDED, so it must receive
        # the MFG states as well.
        self._credential_endpoint = ""
        self._start: ProvisioningStart | None = None
        # Sent before the first report; None once the server has taken or refused it.
        self._proof: SessionProof | None = None
        self._proving = threading.Lock()

    @override
    def start(self, serial: str, start: Start) -> None:
        request = ProvisioningStart(
            self._sender(serial), key=start.key, token=start.token, secret=start.secret, lost=start.lost
        )
        self._post(self._endpoint, request)
        self._start = request

    @override
    def prove(self, serial: str, secret: Secret) -> None:
        self._proof = SessionProof(self._sender(serial), secret)

    @override
    def events(self, serial: str, events: Sequence[Event]) -> None:
        """One attempt: the calling sink repeats it."""
        for batch in split(events):
            self._post(self._endpoint, EventBatch(self._sender(serial), tuple(batch)), 1)
            for event in batch:
                if isinstance(event.body, StateChange):
                    self._forward(serial, event.body.state)

    @override
    def state(self, serial: str, state: ProcessState) -> None:
        self._post(self._endpoint, StateReport(self._sender(serial), state))
        self._forward(serial, state)

    @override
    def code_name(self, serial: str, code_name: str) -> None:
        self._post(self._endpoint, CodeNameReport(self._sender(serial), code_name))

    @override
    def macs(self, serial: str, nics: Mapping[str, str], bmc: Sequence[str]) -> None:
        named = tuple(NamedMac(name, mac) for name, mac in nics.items())
        self._post(self._endpoint, MacReport(self._sender(serial), named, tuple(bmc)))

    @override
    def document(self, serial: str, name: str, content: str, kind: DocumentKind = DocumentKind.QA) -> None:
        self._post(self._endpoint, Document(self._sender(serial), name, content, kind))

    @override
    def time_ns(self) -> int:
        url = _url(self._endpoint, TIME)

        def ask() -> int:
            reply = self._http.request("GET", url, limit=_REPLY_LIMIT, seconds=_SECONDS)
            if reply.status != 200:
                raise _fault(url, reply)
            try:
                return replies.decode_time(reply.body)
            except BadInput as exc:
                raise NetworkFault(redacted(url), f"no factory server at this URL (check LogEndpoint): {exc}") from exc

        return self._with_retries(ask)

    @override
    def register(self, report: bytes) -> SignedCertificate:
        from gprov.domain.erase.report_text import serial_of  # no other method needs it

        request = ErasureRegistration(self._sender(serial_of(report)), report.decode())
        url, body = _url(self._endpoint, request.path), encode(request)

        def ask() -> SignedCertificate:
            reply = self._http.request(
                "POST", url, body=body, headers=_HEADERS, limit=_CERTIFICATE_LIMIT, seconds=_SECONDS
            )
            if reply.status != 200:
                raise _fault(url, reply)
            try:
                return replies.decode_certificate(reply.body)
            except BadInput as exc:
                raise NetworkFault(redacted(url), f"the reply has no certificate: {exc}") from exc

        return self._with_retries(ask)

    @override
    def credentials(self, serial: str, endpoint: str = "") -> Credentials:
        if endpoint and base_url(endpoint) != base_url(self._endpoint):
            if self._start is not None and not self._credential_endpoint:
                self._post(endpoint, self._start)
            self._credential_endpoint = endpoint
            self._forward(serial, ProcessState.MFG_STARTED)
        request = CredentialRequest(self._sender(serial))
        url, body = _url(endpoint or self._endpoint, request.path), encode(request)
        return self._with_retries(lambda: self._ask_credentials(url, body))

    @override
    def unfinished_runs(self, serial: str) -> int:
        request = RunsRequest(self._sender(serial))
        url, body = _url(self._endpoint, request.path), encode(request)

        def ask() -> int:
            reply = self._http.request("POST", url, body=body, headers=_HEADERS, limit=_REPLY_LIMIT, seconds=_SECONDS)
            if reply.status != 200:
                raise _fault(url, reply)
            try:
                return replies.decode_runs(reply.body)
            except BadInput as exc:
                raise NetworkFault(redacted(url), f"the reply has no number of runs: {exc}") from exc

        return self._with_retries(ask)

    def _ask_credentials(self, url: str, body: bytes) -> Credentials:
        """Errors contain nothing of the reply: it may hold passwords."""
        reply = self._http.request("POST", url, body=body, headers=_HEADERS, limit=_REPLY_LIMIT, seconds=_SECONDS)
        if reply.status == 200:
            found = replies.decode_credentials(reply.body)
            if found is None:
                raise NetworkFault(redacted(url), "the reply has no credentials")
            return found
        refusal = replies.decode_refusal(reply.body)
        if refusal is Refusal.NOT_STARTED:
            # MFG_STARTED is reported with the log, which may not have been delivered yet: temporary.
            raise NetworkFault(redacted(url), f"status {reply.status}: {refusal.sentence}")
        if reply.status in _RETRYABLE_STATUS:
            raise NetworkFault(redacted(url), f"status {reply.status}")
        raise FactoryRefused(redacted(url), reply.status, refusal.sentence if refusal else "", refusal)

    def _forward(self, serial: str, state: ProcessState) -> None:
        if self._credential_endpoint and flow_of(state) is Flow.MFG:
            self._post(self._credential_endpoint, StateReport(self._sender(serial), state))

    def _post(self, endpoint: str, request: Request, attempts: int = _ATTEMPTS) -> None:
        self._show_proof(attempts)
        self._post_only(endpoint, request, attempts)

    def _show_proof(self, attempts: int) -> None:
        """A server that refuses it has said so in the unit's log; the reports are recorded all the same."""
        with self._proving:
            if self._proof is not None:
                with suppress(FactoryRefused):
                    self._post_only(self._endpoint, self._proof, attempts)
                self._proof = None

    def _post_only(self, endpoint: str, request: Request, attempts: int) -> None:
        url, body = _url(endpoint, request.path), encode(request)

        def post() -> None:
            reply = self._http.request("POST", url, body=body, headers=_HEADERS, limit=_REPLY_LIMIT, seconds=_SECONDS)
            if reply.status not in (200, 204):
                raise _fault(url, reply)

        self._with_retries(post, attempts)

    def _with_retries(self, call: Callable[[], T], attempts: int = _ATTEMPTS) -> T:
        """Repeat a call after temporary faults; raises the last one."""
        pause = self._pause
        for _ in range(attempts - 1):
            try:
                return call()
            except FactoryRefused:
                raise
            except NetworkFault:
                self._clock.sleep(pause)
                pause *= 2
        return call()

    def _sender(self, serial: str) -> Sender:
        return Sender(serial, self._session)


def split(events: Sequence[Event]) -> list[list[Event]]:
    """Split events into batches within the server's limits, in order."""
    batches: list[list[Event]] = []
    free_space = 0
    for event in events:
        size = len(describe(event.body))
        if not batches or len(batches[-1]) == MAX_EVENTS or size > free_space:
            batches.append([])
            free_space = MAX_BATCH_TEXT
        batches[-1].append(event)
        free_space -= size
    return batches


def base_url(endpoint: str) -> str:
    return endpoint.rstrip("/")


def _url(endpoint: str, path: str) -> str:
    return f"{base_url(endpoint)}{API}/{path}"


def _fault(url: str, reply: Reply) -> NetworkFault:
    """The error for an unsuccessful reply. Not for replies that may hold credentials."""
    peer, reason = redacted(url), replies.decode_error(reply.body)
    if reply.status in _RETRYABLE_STATUS:
        return NetworkFault(peer, f"status {reply.status}: {reason}" if reason else f"status {reply.status}")
    return FactoryRefused(peer, reply.status, reason, replies.decode_refusal(reply.body))
