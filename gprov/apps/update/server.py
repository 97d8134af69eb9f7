"""The update server: its DDI messages as values, with the unit's token where it belongs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from http import HTTPStatus
from urllib.parse import quote, urlsplit

from gprov.apps.update.ports import Identity
from gprov.domain.errors import NetworkFault, RefusedByPolicy
from gprov.domain.mfg.urls import is_same_origin, redacted
from gprov.domain.update.config import UpdateConfig
from gprov.domain.update.feedback import (
    Execution,
    Feedback,
    Finished,
    serialise_attributes,
    serialise_confirmation,
    serialise_feedback,
)
from gprov.domain.update.messages import (
    MAX_MESSAGE,
    Deployment,
    Poll,
    UnreadableDeployment,
    parse_cancel,
    parse_confirmation,
    parse_poll,
    read_deployment,
)
from gprov.domain.update.state import Answer, Result
from gprov.ports.clock import Clock
from gprov.ports.network import Reply
from gprov.ports.update import ArtifactStream, UpdateServer

_JSON = "application/json"
# A later answer to the same message may be another one.
_PASSING = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS)
_FORBIDDEN = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)


class DdiServer:
    """All methods raise NetworkFault, BadInput for a message that does not parse, RefusedByPolicy for a URL of it that
    the configuration does not allow."""

    def __init__(self, http: UpdateServer, config: UpdateConfig, identity: Identity, clock: Clock) -> None:
        self._http = http
        self._config = config
        self._token = identity.token
        self._clock = clock
        self._base = f"{config.server}/{config.tenant}/controller/v1/{quote(identity.controller, safe='')}"

    def poll(self) -> Poll:
        return parse_poll(redacted(self._base), self._get(self._base))

    def deployment(self, url: str) -> Deployment | UnreadableDeployment:
        return read_deployment(redacted(url), self._get(url))

    def cancellation(self, url: str) -> tuple[str, str]:
        """Id of the cancellation, and of the action that it ends."""
        return parse_cancel(redacted(url), self._get(url))

    def confirmation(self, url: str) -> Deployment | None:
        """What waits for a confirmation by the unit; None if nothing does."""
        found = parse_confirmation(redacted(url), self._get(url))
        if isinstance(found, str):
            found = parse_confirmation(redacted(found), self._get(found)) if found else found
        return found if isinstance(found, Deployment) else None

    def put_attributes(self, url: str, attributes: Mapping[str, str]) -> None:
        self._expect_taken("PUT", url, serialise_attributes(attributes))

    def confirm(self, action: str, details: Sequence[str], *, agreed: bool) -> None:
        url = f"{self._base}/confirmationBase/{action}/feedback"
        self._send("POST", url, serialise_confirmation(details, agreed=agreed))

    def report(self, action: str, details: Sequence[str], progress: tuple[int, int] | None = None) -> None:
        """That the unit works on the action."""
        self._post(f"deploymentBase/{action}", Execution.PROCEEDING, Finished.NONE, details, progress)

    def answer(self, action: str, answer: Answer, cancel: str) -> int:
        """How the action ended. When it returns, the server has stored that, or does not want to know; it returns the
        status. ``cancel``: id of the cancellation that ended it."""
        if answer.result is Result.CANCELED:
            return self._post(f"cancelAction/{cancel}", Execution.CLOSED, Finished.SUCCESS, answer.details)
        finished = Finished.SUCCESS if answer.result is Result.SUCCESS else Finished.FAILURE
        return self._post(f"deploymentBase/{action}", Execution.CLOSED, finished, answer.details)

    def reject_cancellation(self, cancel: str, details: Sequence[str]) -> None:
        self._post(f"cancelAction/{cancel}", Execution.REJECTED, Finished.NONE, details)

    def accept_cancellation(self, cancel: str, details: Sequence[str]) -> None:
        """Of an action that this unit has nothing of."""
        self._post(f"cancelAction/{cancel}", Execution.CLOSED, Finished.SUCCESS, details)

    def open(self, url: str, begin: int = 0, proof: str = "") -> AbstractContextManager[ArtifactStream]:
        """A file of a deployment from byte ``begin`` on."""
        self._check(url)
        return self._http.open(url, begin=begin, proof=proof, headers=self._headers(url))

    def _post(
        self,
        path: str,
        execution: Execution,
        finished: Finished,
        details: Sequence[str],
        progress: tuple[int, int] | None = None,
    ) -> int:
        feedback = Feedback(
            execution=execution, finished=finished, details=details, progress=progress, time_ns=self._clock.now_ns()
        )
        return self._send("POST", f"{self._base}/{path}/feedback", serialise_feedback(feedback))

    def _send(self, method: str, url: str, body: bytes) -> int:
        """The server has stored it, or does not want it: the same message would be refused again, and updates would
        end with it. Returns the status."""
        reply = self._request(method, url, body)
        status = reply.status
        if not (400 <= status < 500) or status in _PASSING or status in _FORBIDDEN:
            self._expect(url, reply)
        return status

    def _expect_taken(self, method: str, url: str, body: bytes) -> None:
        self._expect(url, self._request(method, url, body))

    def _get(self, url: str) -> bytes:
        reply = self._request("GET", url, None)
        self._expect(url, reply)
        return reply.body

    def _request(self, method: str, url: str, body: bytes | None) -> Reply:
        self._check(url)
        headers = {"Accept": f"application/hal+json, {_JSON}", **self._headers(url)}
        if body is not None:
            headers["Content-Type"] = _JSON
        return self._http.request(method, url, body=body, headers=headers, limit=MAX_MESSAGE)

    def _expect(self, url: str, reply: Reply) -> None:
        if 200 <= reply.status < 300:
            return
        if reply.status in _FORBIDDEN:
            how = "give the unit a valid token" if self._token is not None else "the configuration names no token file"
            raise NetworkFault(redacted(url), f"refuses this unit (status {reply.status}): {how}")
        raise NetworkFault(redacted(url), f"answered with status {reply.status}")

    def _check(self, url: str) -> None:
        """Links come from the server, but may lead elsewhere."""
        if urlsplit(url).scheme.lower() == "http" and not self._config.allow_http:
            raise RefusedByPolicy(f"{redacted(url)} is not encrypted: the server links to it, and allow_http is false")

    def _headers(self, url: str) -> dict[str, str]:
        """The token goes to its own server alone."""
        is_own = is_same_origin(self._base, url)
        return {"Authorization": self._token.reveal()} if self._token is not None and is_own else {}
