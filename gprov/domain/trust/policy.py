"""What a unit does with images whose signature is missing or not valid, and the decision about one image."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import StrEnum

from gprov.domain.errors import BadInput
from gprov.domain.formats.image.capture import CapturedNames
from gprov.domain.formats.minisign import parse_signature
from gprov.domain.image.manifest import MANIFEST_SUFFIX, SIGNATURE_SUFFIX, Manifest, parse_manifest
from gprov.domain.trust.chain import CHAIN_FILE, TrustChain
from gprov.domain.trust.keys import Verifier, key_of, signature_problem
from gprov.domain.trust.statement import Statement

_SIGN = "sign it anew"


class TrustPolicy(StrEnum):
    """OFF: signatures are not looked at. WARN: an image without a valid one is reported, and used. ENFORCE: it is
    refused, unless a person at the unit insists on it. ENFORCE_ALWAYS: it is refused."""

    OFF = "off"
    WARN = "warn"
    ENFORCE = "enforce"
    ENFORCE_ALWAYS = "enforce-always"

    @property
    def enforces(self) -> bool:
        return self in (TrustPolicy.ENFORCE, TrustPolicy.ENFORCE_ALWAYS)

    @property
    def may_be_overruled(self) -> bool:
        return self is TrustPolicy.ENFORCE


@dataclass(frozen=True, slots=True)
class Doubtful:
    """Why an image is not trusted."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitTrust:
    """What a unit judges images by. ``chain``: None if it has none that it may believe; ``no_chain``: why.
    ``floor``: lowest security version that is accepted; ``code_name``: the unit's platform, "" if it is not known yet;
    ``names``: of the members that its branding needs."""

    policy: TrustPolicy
    chain: TrustChain | None
    no_chain: str = "this kernel was built without keys"
    floor: int = 0
    code_name: str = ""
    names: CapturedNames


@dataclass(frozen=True, slots=True)
class ManifestFiles:
    """``filename``: name of the image; contents of the two files beside it, None for one that is missing."""

    filename: str
    manifest: bytes | None
    signature: bytes | None


@dataclass(frozen=True, slots=True)
class Accepted:
    """``manifest``: None if the whole image has to be verified. ``warning``: to be reported, "" for none."""

    manifest: Manifest | None = None
    warning: str = ""


@dataclass(frozen=True, slots=True)
class Refused:
    reason: str


def judge(trust: UnitTrust, files: ManifestFiles, verifier: Verifier) -> Accepted | Refused:
    """Reasons begin with a verb whose subject is the image, or with the name of a file."""
    if trust.policy is TrustPolicy.OFF:
        return Accepted()
    found = examine(trust, files, verifier)
    if isinstance(found, Manifest):
        return _above_floor(trust, found)
    if trust.policy.enforces:
        return Refused(found.reason)
    return Accepted(None, found.reason)


def examine(trust: UnitTrust, files: ManifestFiles, verifier: Verifier) -> Manifest | Doubtful:
    """The manifest, if a signer of the owner signed it for this image, platform and branding."""
    if trust.chain is None:
        return Doubtful(f"no signature can be checked: {trust.no_chain}")
    if files.manifest is None or files.signature is None:
        missing = MANIFEST_SUFFIX if files.manifest is None else MANIFEST_SUFFIX + SIGNATURE_SUFFIX
        return Doubtful(f"is not signed: {files.filename}{missing} is missing; gprov image sign makes it")
    doubt = content_doubt(
        trust.chain.current, files.filename + MANIFEST_SUFFIX, files.manifest, files.signature, verifier
    )
    if doubt is not None:
        return doubt
    return _manifest_for(trust, files.filename, files.manifest)


def content_doubt(
    statement: Statement, source: str, content: bytes, signature: bytes, verifier: Verifier
) -> Doubtful | None:
    """Why ``content`` is not what a signer of this statement signed; None if it is. ``source``: name of its file. For
    any file that signers sign; only what a revoked key signed is looked up in the statement's list."""
    try:
        parsed = parse_signature(source + SIGNATURE_SUFFIX, signature)
    except BadInput as error:
        return Doubtful(f"{error}; {_SIGN}")
    revoked = {one.key: one.keep for one in statement.revoked}
    key = key_of(parsed, (*statement.signers, *revoked))
    if key is None:
        reason = (
            f"is signed with {parsed.key_id}, which is no key of the owner in version {statement.version} of the chain"
            f"; the unit needs the owner's present {CHAIN_FILE}"
        )
        return Doubtful(reason)
    if problem := signature_problem(key, parsed, content, verifier):
        return Doubtful(f"{source}: its signature {problem}; copy both files again, or {_SIGN}")
    if key in revoked and hashlib.sha256(content).hexdigest() not in revoked[key]:
        reason = f"is signed with {key.key_id}, which was revoked (trust version {statement.version}); {_SIGN}"
        return Doubtful(reason)
    return None


def _manifest_for(trust: UnitTrust, filename: str, content: bytes) -> Manifest | Doubtful:
    source = filename + MANIFEST_SUFFIX
    try:
        manifest = parse_manifest(source, content)
    except BadInput as error:
        return Doubtful(f"is signed, but {error}; {_SIGN}")
    if manifest.name.filename != filename:
        reason = f"is signed as {manifest.name.filename}: it was renamed, or its manifest was; give it this name again"
        return Doubtful(reason)
    if manifest.names != trust.names:
        return Doubtful(f"{source} was made with the branding of other units; {_SIGN} with --branding of these units")
    if trust.code_name and not manifest.release.is_for(trust.code_name):
        platforms = ", ".join(manifest.release.platforms)
        return Doubtful(
            f"is signed for {platforms}, and this unit is {trust.code_name}; use an image for it, or {_SIGN} with "
            f"--platform {trust.code_name}"
        )
    return manifest


def _above_floor(trust: UnitTrust, manifest: Manifest) -> Accepted | Refused:
    version = manifest.release.security_version
    if version >= trust.floor:
        return Accepted(manifest)
    reason = f"has the security version {version}, below the floor of this unit, {trust.floor}; use a newer image"
    return Refused(reason) if trust.policy.enforces else Accepted(manifest, reason)
