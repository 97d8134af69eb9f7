"""Files of an owner: keys, signatures and chains are read whole, and written whole and durably."""

from __future__ import annotations

from gprov.adapters.linux.files.private_file import replace_private, replace_public
from gprov.apps.host.image.regular_files import open_regular
from gprov.domain.errors import DeviceFault, DeviceMissing
from gprov.domain.formats.minisign import MAX_FILE, PublicKey, Signature, parse_public_key, parse_signature
from gprov.domain.trust.chain import MAX_CHAIN, TrustChain, check_chain, parse_chain
from gprov.ports.signatures import SignatureVerifier


def read_limited(path: str, limit: int) -> bytes:
    """At most ``limit`` + 1 bytes, so that a parser can refuse what is too long. Raises DeviceMissing, DeviceFault."""
    with open_regular(path) as file:
        try:
            return file.read(limit + 1)
        except OSError as exc:
            raise DeviceFault(path, f"cannot be read: {exc.strerror}", errno=exc.errno) from exc


def read_optional(path: str, limit: int) -> bytes | None:
    """None if there is no such file."""
    try:
        return read_limited(path, limit)
    except DeviceMissing:
        return None


def read_public_key(path: str) -> PublicKey:
    return parse_public_key(path, read_limited(path, MAX_FILE))


def read_signature(path: str) -> Signature:
    return parse_signature(path, read_limited(path, MAX_FILE))


def read_chain(path: str, verifier: SignatureVerifier) -> TrustChain:
    """Raises BadInput also for a chain whose signatures are not valid."""
    return check_chain(path, parse_chain(path, read_limited(path, MAX_CHAIN)), verifier)


def write_public(path: str, content: bytes) -> None:
    """Raises DeviceFault."""
    _write(path, content, private=False)


def write_private(path: str, content: bytes) -> None:
    """As ``write_public``, with mode 0600."""
    _write(path, content, private=True)


def _write(path: str, content: bytes, *, private: bool) -> None:
    try:
        (replace_private if private else replace_public)(path, content)
    except OSError as exc:
        raise DeviceFault(path, f"cannot be written: {exc.strerror}", errno=exc.errno) from exc
