"""A signed erase certificate, as two files."""

from __future__ import annotations

import re
from dataclasses import dataclass

# Bytes of an Ed25519 signature (RFC 8032).
SIGNATURE_SIZE = 64
SIGNATURE_SUFFIX = ".sig"


@dataclass(frozen=True, slots=True)
class SignedCertificate:
    """``certificate``: the exact bytes that were signed, content of X.json; ``signature``: raw Ed25519 signature of 64
    bytes, content of X.json.sig."""

    certificate: bytes
    signature: bytes


_CERTIFICATE_FILE = re.compile(r"erasure-[0-9]{8,}\.json", re.ASCII)


def is_certificate_file(name: str) -> bool:
    """Whether ``certificate_file`` makes such names."""
    return bool(_CERTIFICATE_FILE.fullmatch(name))


def certificate_file(sequence: int) -> str:
    """Name of a certificate's file in a folder that holds a chain."""
    return f"erasure-{sequence:08d}.json"
