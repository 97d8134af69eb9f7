"""Erase reports as bytes: deterministic to write, strict to read."""

from __future__ import annotations

from gprov.domain.erase.canonical_json import canonical_bytes, read_canonical
from gprov.domain.erase.document_format import refuse_certificate
from gprov.domain.erase.report import ErasureReport
from gprov.domain.erase.report_claims import contradictions
from gprov.domain.formats.json.object import JsonObject
from gprov.domain.formats.json.reading import finish

WHAT = "erase report"


def report_bytes(report: ErasureReport) -> bytes:
    return canonical_bytes(report)


def parse_report(data: bytes, what: str = WHAT) -> ErasureReport:
    """``what``: how errors name it. Raises BadInput with all problems: of the form, and claims that the
    report itself does not support."""
    refuse_certificate(what, data)
    root, report = read_canonical(what, ErasureReport, data)
    return finish(what, root, checked_report(root, report))


def checked_report(root: JsonObject, report: ErasureReport, place: str = "$") -> ErasureReport:
    """Note unsupported claims as problems. ``place``: where the report is in the document."""
    if not root.problems:
        for where, message in contradictions(report):
            root.problem((place + where[1:]).removeprefix("$."), message)
    return report


def serial_of(data: bytes) -> str:
    """Serial number of the machine that a report is about. Raises BadInput."""
    return parse_report(data).unit.serial
