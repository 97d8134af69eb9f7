"""Routes of erase certificates: registration, files, and pages for people."""

from __future__ import annotations

import re
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse, Response
from starlette.exceptions import HTTPException

from gprov.apps.server.store.erasures import ErasureList, Erasures
from gprov.apps.server.web.api import Body, Services, log
from gprov.apps.server.web.http import json_reply
from gprov.apps.server.web.openapi import ASKED, POSTED, Outcome, answers, takes
from gprov.domain.erase.certificate_page import CONTENT_SECURITY_POLICY, certificate_page
from gprov.domain.erase.signed import SIGNATURE_SUFFIX, SignedCertificate, certificate_file
from gprov.domain.errors import DeviceFault
from gprov.domain.factory.replies import CertificateReply, certificate_reply
from gprov.domain.factory.requests import API, ErasureRegistration
from gprov.domain.factory.syntax import MAX_SERIAL

UNKNOWN_CERTIFICATE = Outcome(404, "No such certificate")
_NAME = re.compile(r"erasure-([0-9]{8,18})\.json(\.sig)?")
_PAGE_HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
_FILE_HEADERS = {"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "default-src 'none'"}
Serial = Annotated[str, Query(min_length=1, max_length=MAX_SERIAL)]


def erasure_routes(erasures: Erasures, services: Services, viewing: Any) -> APIRouter:
    """``viewing``: what a request that reads must depend on."""
    router = APIRouter()
    router.include_router(_registering(erasures, services), prefix=API)
    router.include_router(_reading(erasures), prefix=API, dependencies=[viewing])
    router.include_router(_pages(erasures), prefix="/erasure", dependencies=[viewing])
    return router


def write_certificates(erasures: Erasures) -> None:
    """Write the certificates that are due. A failure is logged; the next sweep tries again."""
    try:
        erasures.write_due()
    except DeviceFault as fault:
        log.warning("%s", fault)


def _registering(erasures: Erasures, services: Services) -> APIRouter:
    router = APIRouter(tags=["erase certificates"])

    @router.post(
        f"/{ErasureRegistration.path}",
        summary="Register an erase report",
        openapi_extra=takes(ErasureRegistration),
        responses=answers(CertificateReply, *POSTED),
    )
    def register(body: Body) -> Response:
        """Returns its certificate and the signature. Harmless to repeat: the same report gives the same certificate."""
        signed = erasures.register(services.admission.decoded(ErasureRegistration, body))
        write_certificates(erasures)
        return json_reply(certificate_reply(signed))

    return router


def _reading(erasures: Erasures) -> APIRouter:
    router = APIRouter(tags=["erase certificates"])

    @router.get("/erasures", summary="Erase certificates of one unit", responses=answers(ErasureList, *ASKED))
    def of_unit(serial: Serial) -> Response:
        return json_reply(ErasureList(erasures.of_unit(serial)))

    return router


def _pages(erasures: Erasures) -> APIRouter:
    """Not part of the description of the API: for browsers, curl and auditors."""
    router = APIRouter(include_in_schema=False)

    @router.get("")
    def of_unit(serial: Serial) -> Response:
        """The newest certificate of a unit."""
        found = erasures.of_unit(serial)
        return _page(erasures.certificate(found[0].sequence) if found else None)

    @router.get("/{name}")
    def of_sequence(name: str) -> Response:
        """A page by sequence, or a file by its name."""
        file = _NAME.fullmatch(name)
        if file is None:
            sequence = int(name) if re.fullmatch("[0-9]{1,18}", name) else 0
            return _page(erasures.certificate(sequence))
        signed = erasures.certificate(int(file[1]))
        if signed is None or not name.startswith(certificate_file(int(file[1]))):
            raise HTTPException(404, UNKNOWN_CERTIFICATE.meaning)
        if name.endswith(SIGNATURE_SUFFIX):
            return Response(signed.signature, headers=_FILE_HEADERS, media_type="application/octet-stream")
        return Response(signed.certificate, headers=_FILE_HEADERS, media_type="application/json")

    return router


def _page(signed: SignedCertificate | None) -> Response:
    if signed is None:
        raise HTTPException(404, UNKNOWN_CERTIFICATE.meaning)
    return HTMLResponse(certificate_page(signed.certificate), headers=_PAGE_HEADERS)
