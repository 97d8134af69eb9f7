"""The description of the API that the server publishes, from the messages themselves.

Routes take and return bytes that ``gprov.domain.factory.messages`` reads and writes, so FastAPI is given the schemas.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI
from typing_extensions import override

from gprov.apps.server.store import records
from gprov.apps.server.store.erasures import ErasureList
from gprov.domain.erase.certificate import ErasureCertificate
from gprov.domain.erase.certificate_schema import strict_schema
from gprov.domain.erase.report import ErasureReport
from gprov.domain.factory import replies, requests
from gprov.domain.factory.messages import schema
from gprov.domain.unit.credentials import Credentials

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Description = dict[str, Any]

MESSAGES: tuple[type[DataclassInstance], ...] = (
    *requests.REQUESTS,
    replies.TimeReply,
    replies.StoredReply,
    replies.RunsReply,
    replies.CertificateReply,
    replies.ErrorReply,
    Credentials,
    records.UnitList,
    records.UnitDetail,
    records.EventPage,
    records.KeptDocument,
    ErasureList,
)
# Texts that are JSON documents themselves: message and member, and what the document is.
_DOCUMENTS: tuple[tuple[type[DataclassInstance], str, type[DataclassInstance]], ...] = (
    (requests.ErasureRegistration, "report", ErasureReport),
    (replies.CertificateReply, "certificate", ErasureCertificate),
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a status of a reply means."""

    status: int | str
    meaning: str


INVALID = Outcome(422, "Not valid: all problems")
REFUSED = Outcome(409, "Refused")
UNKNOWN_UNIT = Outcome(404, "No such unit")
UNKNOWN_DOCUMENT = Outcome(404, "No such unit or document, or a QA document")
ANY_ERROR = Outcome("default", "Not a success")
STORE_FAILED = Outcome(503, "The store failed; try again")
ASKED = (INVALID, STORE_FAILED)
POSTED = (
    Outcome(413, "Too large"),
    Outcome(415, "Not application/json"),
    Outcome(429, "Too many of this kind from this address; Retry-After has the seconds to wait"),
    Outcome(507, "No room on the server"),
    *ASKED,
)


class DescribedApp(FastAPI):
    """An application whose description has the schemas of all messages."""

    @override
    def openapi(self) -> Description:
        """Made once: it takes longer than any other reply."""
        if self.openapi_schema is not None:
            return self.openapi_schema
        document = super().openapi()
        schemas: Description = {message.__name__: schema(message) for message in MESSAGES}
        for message, member, inner in _DOCUMENTS:
            content = {"contentMediaType": "application/json", "contentSchema": strict_schema(inner)}
            schemas[message.__name__]["properties"][member].update(content)
        document.setdefault("components", {})["schemas"] = schemas
        return document


def takes(message: type[DataclassInstance]) -> Description:
    """Description of an operation whose request is this message."""
    return {"requestBody": {"required": True, "content": _content(message)}}


def answers(message: type[DataclassInstance] | None, *errors: Outcome) -> dict[int | str, Description]:
    """Descriptions of replies: this message (None: no content), or an error."""
    described: dict[int | str, Description] = {
        error.status: {"description": error.meaning, "content": _content(replies.ErrorReply)} for error in errors
    }
    if message is not None:
        described[200] = {"description": "Done", "content": _content(message)}
    return described


def _content(message: type[DataclassInstance]) -> Description:
    return {"application/json": {"schema": {"$ref": f"#/components/schemas/{message.__name__}"}}}
