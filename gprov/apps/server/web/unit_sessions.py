"""The API for sessions of units: how they begin, and what they may ask."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from gprov.apps.server.access.unit_gate import UnitGate
from gprov.apps.server.web.http import json_body, json_reply
from gprov.apps.server.web.openapi import POSTED, Outcome, answers, takes
from gprov.domain.factory import requests
from gprov.domain.factory.replies import RunsReply

Body = Annotated[bytes, Depends(json_body)]
_REFUSED = Outcome(403, "Not this session: see refusal")


def unit_sessions(gate: UnitGate) -> APIRouter:
    router = APIRouter(tags=["sessions of units"])

    @router.post(
        f"/{requests.ProvisioningStart.path}",
        status_code=204,
        summary="Begin a provisioning",
        openapi_extra=takes(requests.ProvisioningStart),
        responses=answers(None, *POSTED, _REFUSED),
    )
    def start(body: Body, request: Request) -> None:
        """With a one-time token, unless the network is isolated. After passwords were handed out to an earlier session,
        also with the secret that it left on RECOVERY. Harmless to repeat."""
        gate.start(requests.decode(requests.ProvisioningStart, body), _peer(request))

    @router.post(
        f"/{requests.SessionProof.path}",
        status_code=204,
        summary="Prove that a later session is the unit",
        openapi_extra=takes(requests.SessionProof),
        responses=answers(None, *POSTED, _REFUSED),
    )
    def prove(body: Body, request: Request) -> None:
        """Without it, states that the session reports are recorded and change nothing. Harmless to repeat."""
        gate.prove(requests.decode(requests.SessionProof, body), _peer(request))

    @router.post(
        f"/{requests.RunsRequest.path}",
        summary="Provisionings of the unit that began and did not end",
        openapi_extra=takes(requests.RunsRequest),
        responses=answers(RunsReply, *POSTED),
    )
    def runs(body: Body) -> Response:
        return json_reply(RunsReply(gate.runs(requests.decode(requests.RunsRequest, body))))

    return router


def _peer(request: Request) -> str:
    return request.client.host if request.client else ""
