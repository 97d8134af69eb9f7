"""Trust that a kernel was built with: files in its initramfs."""

from __future__ import annotations

from gprov.domain.errors import BadInput, Problem
from gprov.domain.trust.policy import TrustPolicy

FOLDER = "/etc/gprov/trust"
POLICY_FILE = f"{FOLDER}/policy"
CHAIN_PATH = f"{FOLDER}/trust.chain"
SECURITY_VERSION_FILE = f"{FOLDER}/security-version"
MAX_VERSION = 2**31 - 1
MAX_FILE = 64  # bytes of each


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
    if not (0 < len(digits) <= 10 and digits.isdigit() and int(digits) <= MAX_VERSION):
        raise BadInput(source, [Problem("", f"must be a number from 0 to {MAX_VERSION}, is {digits[:40]!r}")])
    return int(digits)


def serialise_security_version(version: int) -> bytes:
    return f"{version}\n".encode("ascii")
