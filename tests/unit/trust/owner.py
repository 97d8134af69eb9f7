"""Keys of an owner for tests, made from a word, and what they sign. The signatures are those of ``cryptography``."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gprov.domain.formats.minisign import PublicKey, Signature, serialise_signature
from gprov.domain.trust.chain import SignedStatement, UncheckedChain, serialise_chain
from gprov.domain.trust.statement import Revoked, Statement, serialise_statement


class OwnerKey:
    def __init__(self, word: str) -> None:
        seed = hashlib.sha256(word.encode()).digest()
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        self.public = PublicKey(seed[:8], self._key.public_key().public_bytes_raw())

    def signature(self, content: bytes, comment: str = "trusted") -> Signature:
        one = self._key.sign(hashlib.blake2b(content, digest_size=64).digest())
        return Signature(
            number=self.public.number,
            signature=one,
            trusted_comment=comment,
            global_signature=self._key.sign(one + comment.encode()),
        )

    def sign(self, content: bytes, comment: str = "trusted") -> bytes:
        """The content of a ``.minisig`` file."""
        return serialise_signature(self.signature(content, comment))


ROOT_A, ROOT_B, ROOT_C, ROOT_D = (OwnerKey(f"root {name}") for name in "abcd")
SIGNER, SECOND_SIGNER, STRANGER = OwnerKey("signer"), OwnerKey("second signer"), OwnerKey("stranger")
FIRST = Statement(1, (ROOT_A.public, ROOT_B.public), (SIGNER.public,))


def signed(statement: Statement, *roots: OwnerKey) -> SignedStatement:
    content = serialise_statement(statement)
    return SignedStatement(content, tuple(root.signature(content) for root in roots), statement)


def chain_of(*statements: SignedStatement) -> UncheckedChain:
    return UncheckedChain(statements)


def first_chain() -> UncheckedChain:
    return chain_of(signed(FIRST, ROOT_A, ROOT_B))


def chain_bytes(*statements: SignedStatement) -> bytes:
    return serialise_chain(UncheckedChain(statements))


def next_statement(
    before: Statement,
    *,
    roots: tuple[OwnerKey, OwnerKey] | None = None,
    signers: Sequence[OwnerKey] | None = None,
    revoked: Sequence[Revoked] | None = None,
) -> Statement:
    """The statement after ``before``, with what is given changed."""
    return replace(
        before,
        version=before.version + 1,
        roots=before.roots if roots is None else (roots[0].public, roots[1].public),
        signers=before.signers if signers is None else tuple(one.public for one in signers),
        revoked=before.revoked if revoked is None else tuple(revoked),
    )
