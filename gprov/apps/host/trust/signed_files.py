"""Signing a file that is there: the signature is written beside it, and both are read back."""

from __future__ import annotations

from gprov.adapters.linux.keys.minisign_key import MinisignSigner
from gprov.apps.host.trust.files import read_limited, read_signature, write_public
from gprov.domain.errors import BadInput, IntegrityFault, Problem
from gprov.domain.formats.minisign import serialise_signature
from gprov.domain.image.manifest import SIGNATURE_SUFFIX
from gprov.domain.trust.chain import TrustChain
from gprov.domain.trust.keys import signature_problem
from gprov.ports.signatures import SignatureVerifier


def require_signer(signer: MinisignSigner, chain: TrustChain | None) -> None:
    """Raises BadInput for a key that is no signer of the chain, if one is given."""
    if chain is not None and signer.public not in chain.current.signers:
        reason = f"the key {signer.public.key_id} is no signer in version {chain.version} of the trust chain"
        raise BadInput("--trust", [Problem("", reason)])


def sign_file(
    path: str, content: bytes, signer: MinisignSigner, trusted_comment: str, verifier: SignatureVerifier
) -> str:
    """``content``: what the file must hold; returns the path of the signature. Raises IntegrityFault, DeviceFault."""
    signature = path + SIGNATURE_SUFFIX
    write_public(signature, serialise_signature(signer.sign(content, trusted_comment)))
    if read_limited(path, len(content)) != content:
        raise IntegrityFault(path, "does not hold what was signed")
    if problem := signature_problem(signer.public, read_signature(signature), content, verifier):
        raise IntegrityFault(signature, problem)
    return signature
