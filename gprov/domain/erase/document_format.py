"""Names of the formats of reports and certificates, by which one is told apart from the other."""

from __future__ import annotations

import json
from enum import Enum

from gprov.domain.errors import BadInput, Problem


class ReportFormat(Enum):
    FIRST = "gprov-erase-report/1"


class CertificateFormat(Enum):
    FIRST = "gprov-erase-certificate/1"


def refuse_report(what: str, data: bytes) -> None:
    """For readers of certificates. ``what``: how errors name the input. Raises BadInput if ``data`` is a report."""
    if _stated(data) == ReportFormat.FIRST.value:
        raise BadInput(what, [Problem("", "is an erase report, not a certificate: certify it first")])


def refuse_certificate(what: str, data: bytes) -> None:
    """For readers of reports. ``what``: how errors name the input. Raises BadInput if ``data`` is a certificate."""
    if _stated(data) == CertificateFormat.FIRST.value:
        raise BadInput(what, [Problem("", "is an erase certificate already, not a report")])


def _stated(data: bytes) -> object:
    """The member ``format``; None if there is none. Whether the document is valid is the parser's subject."""
    try:
        document = json.loads(data)
    except (ValueError, RecursionError):
        return None
    return document.get("format") if isinstance(document, dict) else None
