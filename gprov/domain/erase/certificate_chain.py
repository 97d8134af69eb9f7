"""Checking certificates against a key and against the chain of their issuer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

from gprov.domain.erase.certificate import ErasureCertificate, parse_certificate, sha256_of
from gprov.domain.erase.signed import SignedCertificate
from gprov.domain.errors import BadInput, Problem


class VerifyingKey(Protocol):
    """An Ed25519 public key that the verifier was given."""

    @property
    def key_id(self) -> str:
        """SHA-256 of the raw public key of 32 bytes, in hex."""

    def verifies(self, signature: bytes, data: bytes) -> bool:
        """Whether ``signature`` is that of this key over ``data``."""


@dataclass(frozen=True, slots=True)
class Checked:
    """``certificate``: None if it is not readable. ``problems``: empty if it is valid."""

    certificate: ErasureCertificate | None
    problems: tuple[Problem, ...]


def check_one(name: str, signed: SignedCertificate, key: VerifyingKey) -> Checked:
    """Signature, form and issuer of one certificate. ``name``: its place in problems."""
    if not key.verifies(signed.signature, signed.certificate):
        return Checked(None, (Problem(name, f"the signature is not that of the key {key.key_id} over this file"),))
    try:
        certificate = parse_certificate(signed.certificate, name)
    except BadInput as error:
        return Checked(None, tuple(Problem(f"{name}: {one.place}", one.message) for one in error.problems))
    if certificate.issuer.key_id != key.key_id:
        stated = f"states the key {certificate.issuer.key_id}, but is signed with {key.key_id}"
        return Checked(certificate, (Problem(name, stated),))
    return Checked(certificate, ())


def link_problem(certificate: ErasureCertificate, previous: ErasureCertificate, data: bytes) -> str:
    """Why ``previous``, whose file holds ``data``, is not the certificate before; empty if it is."""
    if certificate.chain.sequence != previous.chain.sequence + 1:
        return f"has the sequence {certificate.chain.sequence}, and the one before has {previous.chain.sequence}"
    if certificate.chain.previous != sha256_of(data):
        return "its hash of the certificate before is that of another file"
    return ""


def check_chain(files: Mapping[str, SignedCertificate], key: VerifyingKey) -> tuple[Problem, ...]:
    """Every certificate of a chain, and that it is complete from the first to the last one. Whether newer ones exist
    cannot be seen."""
    other = _other_key(files, key)
    if other is not None:
        return (other,)
    checked = {name: check_one(name, signed, key) for name, signed in files.items()}
    problems = [problem for one in checked.values() for problem in one.problems]
    found = [(one.certificate, name) for name, one in checked.items() if one.certificate is not None]
    found.sort(key=lambda pair: (pair[0].chain.sequence, pair[1]))
    problems += _link_problems(found, files)
    if not files:
        problems.append(Problem("", "the chain has no certificates"))
    return tuple(problems)


def _other_key(files: Mapping[str, SignedCertificate], key: VerifyingKey) -> Problem | None:
    """One problem in place of one for each certificate, if all of them state other keys."""
    try:
        stated = {parse_certificate(signed.certificate).issuer.key_id for signed in files.values()}
    except BadInput:
        return None
    if not stated or key.key_id in stated:
        return None
    named = ", ".join(sorted(stated))
    return Problem("", f"this chain is that of another key: it states {named}, and the given key is {key.key_id}")


def _link_problems(
    found: list[tuple[ErasureCertificate, str]], files: Mapping[str, SignedCertificate]
) -> Iterator[Problem]:
    if found and found[0][0].chain.sequence != 1:
        yield Problem(found[0][1], f"is number {found[0][0].chain.sequence}: the ones before are missing")
    for (previous, before), (certificate, name) in pairwise(found):
        problem = link_problem(certificate, previous, files[before].certificate)
        if problem:
            yield Problem(name, f"{problem} ({before})")
