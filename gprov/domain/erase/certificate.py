"""Erase certificates: a report, the registry that issues it, and its place in the registry's chain.

A certificate is signed as a whole: the signature is over the bytes of the file. No key is taken from the document: the
key id only states which key was used.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Annotated

from typing_extensions import Doc

from gprov.domain.erase.canonical_json import canonical_bytes, read_canonical
from gprov.domain.erase.document_format import CertificateFormat, refuse_report
from gprov.domain.erase.report import ErasureReport
from gprov.domain.erase.report_fields import INSTANT, LINE, SHA256
from gprov.domain.erase.report_text import checked_report, parse_report, report_bytes
from gprov.domain.factory.fields import OrNull
from gprov.domain.formats.json.reading import finish

WHAT = "erase certificate"
MAX_CERTIFICATE = 8 << 20  # bytes


@dataclass(frozen=True, slots=True)
class Issuer:
    name: Annotated[str, LINE]
    key_id: Annotated[str, SHA256, Doc("SHA-256 of the raw public key of 32 bytes")]


@dataclass(frozen=True, slots=True)
class Link:
    sequence: Annotated[int, Doc("From 1, one more than that of the certificate before")]
    previous: Annotated[
        str | None, OrNull(SHA256), Doc("SHA-256 of the file of the certificate before; null: the first one")
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class ErasureCertificate:
    format: CertificateFormat
    issuer: Issuer
    chain: Link
    issued: Annotated[int, INSTANT, Doc("By the clock of the issuer")]
    report_sha256: Annotated[str, SHA256, Doc("SHA-256 of the report's own file")]
    report: ErasureReport


FIRST_LINK = Link(1, None)


def sha256_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def next_link(sequence: int, certificate: bytes) -> Link:
    """The link of the certificate that follows. ``sequence``, ``certificate``: of the last one."""
    return Link(sequence + 1, sha256_of(certificate))


def issue(report: bytes, issuer: Issuer, link: Link, now_ns: int) -> bytes:
    """The bytes of a certificate, to be signed. ``now_ns``: UTC. Raises BadInput if ``report`` is not a valid
    report."""
    return canonical_bytes(
        ErasureCertificate(
            format=CertificateFormat.FIRST,
            issuer=issuer,
            chain=link,
            issued=now_ns,
            report_sha256=sha256_of(report),
            report=parse_report(report),
        )
    )


def parse_certificate(data: bytes, what: str = WHAT) -> ErasureCertificate:
    """``what``: how errors name it. Raises BadInput with all problems. The signature is not part of the document."""
    refuse_report(what, data)
    root, certificate = read_canonical(what, ErasureCertificate, data)
    checked_report(root, certificate.report, "$.report")
    if not root.problems:
        if certificate.report_sha256 != sha256_of(report_bytes(certificate.report)):
            root.problem("report_sha256", "is not the SHA-256 of the report")
        if (certificate.chain.sequence == 1) is not (certificate.chain.previous is None):
            root.problem("chain.previous", "must be null for the certificate with the sequence 1, and for no other one")
        if certificate.chain.sequence < 1:
            root.problem("chain.sequence", "must be at least 1")
    return finish(what, root, certificate)
