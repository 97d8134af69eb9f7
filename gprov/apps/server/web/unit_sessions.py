"""The API for sessions of units: how they begin, and what they may ask."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi.responses import Response

from gprov.apps.server.access.unit_gate import UnitGate
from gprov.apps.server.web.http import Received, json_body, json_reply
from gprov.apps.server.web.limits.admission import Admission
from gprov.apps.server.web.openapi import POSTED, Outcome, answers, takes
from gprov.domain.factory import requests
from gprov.domain.factory.replies import RunsReply

Body = Annotated[Received, Depends(json_body)]
_REFUSED = Outcome(403, "Not this session: see refusal")


def unit_sessions(gate: UnitGate, admission: Admission) -> APIRouter:
    router = APIRouter(tags=["sessions of units"])

    @router.post(
        f"/{requests.ProvisioningStart.path}",
        status_code=204,
        summary="Begin a provisioning",
        openapi_extra=takes(requests.ProvisioningStart),
        responses=answers(None, *POSTED, _REFUSED),
    )
    def start(body: Body) -> None:
        """With a one-time token, unless the network is isolated. After passwords were handed out to an earlier session,
        also with the secret that it left on RECOVERY. Harmless to repeat."""
        gate.start(admission.decoded(requests.ProvisioningStart, body), body.peer)

    @router.post(
        f"/{requests.SessionProof.path}",
        status_code=204,
        summary="Prove that a later session is the unit",
        openapi_extra=takes(requests.SessionProof),
        responses=answers(None, *POSTED, _REFUSED),
    )
    def prove(body: Body) -> None:
        """Without it, states that the session reports are recorded and change nothing. Harmless to repeat."""
        gate.prove(admission.decoded(requests.SessionProof, body), body.peer)

    @router.post(
        f"/{requests.RunsRequest.path}",
        summary="Provisionings of the unit that began and did not end",
        openapi_extra=takes(requests.RunsRequest),
        responses=answers(RunsReply, *POSTED),
    )
    def runs(body: Body) -> Response:
        return json_reply(RunsReply(gate.runs(admission.decoded(requests.RunsRequest, body))))

    return router
