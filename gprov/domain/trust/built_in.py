"""Trust that a kernel was built with: files in its initramfs. A kernel without any of them has no keys."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gprov.domain.errors import BadInput, Problem
from gprov.domain.image.manifest import MAX_SECURITY_VERSION
from gprov.domain.trust.chain import TrustChain, serialise_chain
from gprov.domain.trust.policy import TrustPolicy
from gprov.domain.trust.published import BUILT_IN_FOLDER, CHAIN, POLICY, SECURITY_VERSION

POLICY_FILE = f"{BUILT_IN_FOLDER}/{POLICY}"
CHAIN_PATH = f"{BUILT_IN_FOLDER}/{CHAIN}"
SECURITY_VERSION_FILE = f"{BUILT_IN_FOLDER}/{SECURITY_VERSION}"
MAX_FILE = 64  # bytes of each


@dataclass(frozen=True, slots=True)
class BuiltInTrust:
    """``policy``: None for the default one; ``security_version``: of the kernel and its programs."""

    chain: TrustChain | None = None
    policy: TrustPolicy | None = None
    security_version: int = 0

    def files(self) -> Mapping[str, bytes]:
        """Content by path; empty if there is nothing to say. Raises BadInput for a policy that refuses all images."""
        if self == BuiltInTrust():
            return {}
        policy = self.policy or default_policy(has_keys=self.chain is not None)
        if self.chain is None and policy.enforces:
            raise BadInput("trust policy", [Problem("", f"{policy} without a trust chain refuses every image")])
        chain = {} if self.chain is None else {CHAIN_PATH: serialise_chain(self.chain)}
        return {
            **chain,
            POLICY_FILE: serialise_policy(policy),
            SECURITY_VERSION_FILE: serialise_security_version(self.security_version),
        }


def default_policy(*, has_keys: bool) -> TrustPolicy:
    return TrustPolicy.ENFORCE if has_keys else TrustPolicy.WARN


def parse_policy(source: str, content: bytes) -> TrustPolicy:
    """Raises BadInput."""
    word = content.decode("ascii", "replace").strip()
    try:
        return TrustPolicy(word)
    except ValueError:
        known = ", ".join(TrustPolicy)
        raise BadInput(source, [Problem("", f"must be one of {known}, is {word[:40]!r}")]) from None


def serialise_policy(policy: TrustPolicy) -> bytes:
    return f"{policy}\n".encode("ascii")


def parse_security_version(source: str, content: bytes) -> int:
    """Of the kernel and its programs. Raises BadInput."""
    digits = content.strip()
    if not (0 < len(digits) <= 10 and digits.isdigit() and int(digits) <= MAX_SECURITY_VERSION):
        raise BadInput(source, [Problem("", f"must be a number from 0 to {MAX_SECURITY_VERSION}, is {digits[:40]!r}")])
    return int(digits)


def serialise_security_version(version: int) -> bytes:
    return f"{version}\n".encode("ascii")
