"""A signed erase certificate, as two files."""

from __future__ import annotations

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


def certificate_file(sequence: int) -> str:
    """Name of a certificate's file in a folder that holds a chain."""
    return f"erasure-{sequence:08d}.json"
