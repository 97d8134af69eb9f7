"""Signed certificates for tests, with keys that are made for each run."""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from gprov.adapters.linux.system.ed25519 import KeySigner
from gprov.domain.erase.certificate import FIRST_LINK, Issuer, issue, next_link
from gprov.domain.erase.report_making import ErasureFacts, make_report
from gprov.domain.erase.report_text import report_bytes
from gprov.domain.erase.signed import SignedCertificate
from tests.unit.erase.outcomes import NOW_NS

PRIVATE = Ed25519PrivateKey.generate()
PRIVATE_PEM = PRIVATE.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
SIGNER = KeySigner(PRIVATE)
OTHER = KeySigner(Ed25519PrivateKey.generate())


def signed_chain(*reports: ErasureFacts, signer: KeySigner = SIGNER) -> list[SignedCertificate]:
    """One certificate for each, in one chain."""
    found: list[SignedCertificate] = []
    for number, facts in enumerate(reports, 1):
        link = next_link(number - 1, found[-1].certificate) if found else FIRST_LINK
        issuer = Issuer("Factory of tests", signer.public.key_id)
        certificate = issue(report_bytes(make_report(facts)), issuer, link, NOW_NS + number)
        found.append(SignedCertificate(certificate, signer.sign(certificate)))
    return found
