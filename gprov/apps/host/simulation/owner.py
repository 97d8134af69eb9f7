"""The owner of simulated units: roots and signers whose keys follow from names, and all that they sign."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from functools import lru_cache

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gprov.domain.branding import Branding
from gprov.domain.formats.minisign import (
    PublicKey,
    Signature,
    globally_signed,
    serialise_signature,
    signed_digest,
)
from gprov.domain.image.captured_names import captured_names
from gprov.domain.image.manifest import Release, make_manifest, serialise_manifest
from gprov.domain.image.name import parse_image_name
from gprov.domain.image.verify import verify_image
from gprov.domain.trust.chain import SignedStatement, TrustChain, serialise_chain
from gprov.domain.trust.statement import Revoked, Statement, serialise_statement

_COMMENT = "signed by a simulation"


def public_key(name: str) -> PublicKey:
    """Of the key that is called so."""
    return PublicKey(
        hashlib.sha256(f"number {name}".encode()).digest()[:8], _secret(name).public_key().public_bytes_raw()
    )


@lru_cache(maxsize=256)
def sign(name: str, content: bytes) -> bytes:
    """Signature in minisign's format with the key that is called so."""
    return serialise_signature(_signature(name, content))


def _secret(name: str) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(hashlib.sha256(f"key {name}".encode()).digest())


def _signature(name: str, content: bytes) -> Signature:
    secret = _secret(name)
    signature = secret.sign(signed_digest(content))
    return Signature(
        number=public_key(name).number,
        signature=signature,
        trusted_comment=_COMMENT,
        global_signature=secret.sign(globally_signed(signature, _COMMENT)),
    )


class Owner:
    """``name``: of owners whose keys differ. The chain begins with one signer, ``first``."""

    def __init__(self, name: str = "owner") -> None:
        self.name = name
        self.first = f"{name} signer 1"
        self._roots = (f"{name} root 1", f"{name} root 2")
        self._statements: list[SignedStatement] = []
        self.state([self.first])

    @property
    def trust_chain(self) -> TrustChain:
        """All statements so far."""
        return TrustChain(tuple(self._statements))

    @property
    def chain(self) -> bytes:
        """The same as a file."""
        return serialise_chain(self.trust_chain)

    def state(
        self, signers: Iterable[str], revoked: Iterable[str] = (), *, keep: Iterable[bytes] = (), roots: str = ""
    ) -> None:
        """Add a statement with these signers. ``keep``: manifests of the revoked ones that stay good. ``roots``: name
        of two new ones, "" for those before."""
        before = self._roots if self._statements else ()
        if roots:
            self._roots = (f"{roots} 1", f"{roots} 2")
        digests = tuple(hashlib.sha256(manifest).hexdigest() for manifest in keep)
        one, other = self._roots
        statement = Statement(
            version=len(self._statements) + 1,
            roots=(public_key(one), public_key(other)),
            signers=tuple(map(public_key, signers)),
            revoked=tuple(Revoked(public_key(name), digests) for name in revoked),
        )
        content = serialise_statement(statement)
        signatures = tuple(_signature(name, content) for name in dict.fromkeys((*before, *self._roots)))
        self._statements.append(SignedStatement(content, signatures, statement))

    def manifest(
        self, filename: str, image: bytes, release: Release | None = None, branding: Branding | None = None
    ) -> bytes:
        return _manifest(filename, image, release or Release(), branding or Branding())


@lru_cache(maxsize=256)
def _manifest(filename: str, image: bytes, release: Release, branding: Branding) -> bytes:
    name = parse_image_name(filename, branding.image_prefix)
    verified = verify_image(filename, image, branding)
    return serialise_manifest(make_manifest(name, verified, captured_names(branding), release))
