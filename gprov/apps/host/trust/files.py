"""Files of an owner: keys, signatures and chains are read whole, and written whole and durably."""

from __future__ import annotations

from collections.abc import Callable

from gprov.adapters.linux.files.private_file import replace_private, replace_public
from gprov.apps.host.image.regular_files import open_regular
from gprov.domain.errors import BadInput, DeviceFault, DeviceMissing, Problem
from gprov.domain.formats.minisign import MAX_FILE, PublicKey, Signature, parse_public_key, parse_signature
from gprov.domain.formats.minisign_secret import is_secret_key
from gprov.domain.trust.chain import MAX_CHAIN, TrustChain, check_chain, parse_chain, serialise_chain
from gprov.domain.trust.statement import MAX_STATEMENT, parse_statement
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
    """Raises BadInput, for a secret key too; DeviceMissing, DeviceFault."""
    content = read_limited(path, MAX_FILE)
    if is_secret_key(content):
        raise BadInput(path, [Problem("", "is a secret key: give the public one (NAME.pub)")])
    return parse_public_key(path, content)


def read_signature(path: str) -> Signature:
    return parse_signature(path, read_limited(path, MAX_FILE))


def read_chain(path: str, verifier: SignatureVerifier) -> TrustChain:
    """Raises BadInput also for a chain whose signatures are not valid."""
    return check_chain(path, parse_chain(path, read_limited(path, MAX_CHAIN)), verifier)


def write_statement(path: str, content: bytes) -> None:
    """An earlier statement of this name is replaced. Raises BadInput for another file, which is left; DeviceFault."""
    _replace_own(path, content, MAX_STATEMENT, _is_statement, "is no trust statement, and is not replaced")


def write_chain(path: str, chain: TrustChain) -> None:
    """A chain of this name is replaced if ``chain`` continues it. Raises BadInput for another file, which is left;
    DeviceFault."""

    def continued(earlier: bytes) -> bool:
        try:
            found = parse_chain(path, earlier)
        except BadInput:
            return False
        return chain.continues(TrustChain(found.statements))

    reason = "holds something else than a beginning of this trust chain, and is not replaced (was --chain left out?)"
    _replace_own(path, serialise_chain(chain), MAX_CHAIN, continued, reason)


def _replace_own(path: str, content: bytes, limit: int, replaceable: Callable[[bytes], bool], reason: str) -> None:
    earlier = read_optional(path, limit)
    if earlier is not None and not replaceable(earlier):
        raise BadInput(path, [Problem("", reason)])
    write_public(path, content)


def _is_statement(content: bytes) -> bool:
    try:
        parse_statement("statement", content)
    except BadInput:
        return False
    return True


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
