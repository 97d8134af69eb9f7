"""Which HTTPS servers a unit trusts: its factory's own CA, or the CAs of a system bundle.

The kernel argument ``mfgca`` is ``sha256:`` and the fingerprint of the CA certificate (SHA-256 over its DER encoding,
64 hexadecimal digits; colons between bytes, as ``openssl x509 -fingerprint`` prints them, are accepted), or ``system``.
A kernel may hold the certificate itself. On RECOVERY, ``factory_ca.pem`` is that certificate in PEM (RFC 7468), or the
word ``system`` on a line.
"""

from __future__ import annotations

import binascii
import hashlib
import re
from base64 import b64decode, b64encode
from dataclasses import dataclass, field
from urllib.parse import urlsplit, urlunsplit

from gprov.domain.errors import BadInput, IntegrityFault, Problem, RefusedByPolicy

ARGUMENT = "mfgca"
# Path at which a factory server publishes its CA certificate.
CA_PATH = "/ca.pem"
# In an initramfs: the CA certificate that its kernel was built with.
BUILT_IN = "/etc/gprov/ca.pem"
MAX_CA_BYTES = 64 << 10

_SYSTEM = "system"
_DIGEST = re.compile(r"sha256:((?:[0-9a-f]{2}:?){31}[0-9a-f]{2})")
_PEM = re.compile(rb"-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----")
_ANY_BEGIN = b"-----BEGIN "


@dataclass(frozen=True, slots=True)
class OwnCa:
    """A single CA. ``der``: its certificate."""

    der: bytes = field(repr=False)

    @property
    def digest(self) -> str:
        """SHA-256 of the certificate, 64 hexadecimal digits."""
        return hashlib.sha256(self.der).hexdigest()

    @property
    def pem(self) -> str:
        text = b64encode(self.der).decode()
        lines = "\n".join(text[start : start + 64] for start in range(0, len(text), 64))
        return f"-----BEGIN CERTIFICATE-----\n{lines}\n-----END CERTIFICATE-----\n"


@dataclass(frozen=True, slots=True)
class SystemCas:
    """The CAs of the bundle that the software was built with."""


@dataclass(frozen=True, slots=True)
class CaDigest:
    """A CA that is known by its SHA-256 only. ``hexadecimal``: 64 digits."""

    hexadecimal: str


ServerTrust = OwnCa | SystemCas


def parse_argument(text: str) -> CaDigest | SystemCas | None:
    """None for "". Raises BadInput: a wrong value must not weaken the trust."""
    words = text.strip().lower()
    if not words:
        return None
    if words == _SYSTEM:
        return SystemCas()
    match = _DIGEST.fullmatch(words)
    if match is None:
        expected = f"must be sha256: and 64 hexadecimal digits, or {_SYSTEM}, is {text[:80]!r}"
        raise BadInput("kernel arguments", [Problem(ARGUMENT, expected)])
    return CaDigest(match[1].replace(":", ""))


def argument_for(trust: ServerTrust) -> str:
    """The kernel argument that selects this trust."""
    value = f"sha256:{trust.digest}" if isinstance(trust, OwnCa) else _SYSTEM
    return f"{ARGUMENT}={value}"


def parse_ca(source: str, content: bytes) -> OwnCa:
    """The only certificate of a PEM file; text around it is ignored. Raises BadInput. The certificate itself is not
    parsed: it is compared as a whole, and TLS verifies with it."""
    found = _PEM.findall(content)
    if len(found) != 1 or content.count(_ANY_BEGIN) != 1:
        raise BadInput(source, [Problem("", "must hold exactly one certificate in PEM, and nothing else in PEM")])
    try:
        der = b64decode(b"".join(found[0].split()), validate=True)
    except binascii.Error as exc:
        raise BadInput(source, [Problem("", "the certificate is not base64")]) from exc
    if not _is_sequence(der):
        raise BadInput(source, [Problem("", "the certificate is not DER")])
    return OwnCa(der)


def _is_sequence(der: bytes) -> bool:
    """Whether this is one DER SEQUENCE from end to end (X.690, section 8.1.3)."""
    if len(der) < 4 or der[0] != 0x30 or not 0x81 <= der[1] <= 0x83:
        return False
    size = der[1] & 0x7F
    return len(der) == 2 + size + int.from_bytes(der[2 : 2 + size])


def parse_stored(source: str, content: bytes) -> ServerTrust:
    """``factory_ca.pem`` on RECOVERY. Raises BadInput."""
    return SystemCas() if content.strip() == _SYSTEM.encode() else parse_ca(source, content)


def serialise_trust(trust: ServerTrust) -> bytes:
    return (trust.pem if isinstance(trust, OwnCa) else f"{_SYSTEM}\n").encode()


def choose_trust(
    argument: CaDigest | SystemCas | None, built_in: OwnCa | None, stored: ServerTrust | None
) -> ServerTrust | CaDigest | None:
    """Which trust counts; CaDigest: the certificate must be fetched and compared. ``built_in``: of the kernel;
    ``stored``: of RECOVERY.

    A kernel with a CA accepts no other one by argument: arguments may come over the network unverified. Raises
    RefusedByPolicy.
    """
    if argument is None:
        return stored or built_in
    if isinstance(argument, SystemCas):
        if built_in is not None:
            raise RefusedByPolicy(f"{ARGUMENT}={_SYSTEM}: this kernel has a CA of its own and accepts no other")
        return argument
    for known in (built_in, stored):
        if isinstance(known, OwnCa) and known.digest == argument.hexadecimal:
            return known
    if built_in is not None:
        own = f"this kernel accepts only its own CA, sha256:{built_in.digest}"
        raise RefusedByPolicy(f"{ARGUMENT} names another CA, sha256:{argument.hexadecimal}: {own}")
    return argument


def check_fetched(source: str, content: bytes, wanted: CaDigest) -> OwnCa:
    """The certificate that was fetched without verification, if its digest is the wanted one. Raises BadInput,
    IntegrityFault."""
    found = parse_ca(source, content)
    if found.digest != wanted.hexadecimal:
        text = f"its SHA-256 is {found.digest}, but {ARGUMENT} says {wanted.hexadecimal}: nothing of it is used"
        raise IntegrityFault(f"CA certificate of {source}", text)
    return found


def ca_url(endpoint: str) -> str:
    """Where the server of a URL publishes its CA certificate."""
    parts = urlsplit(endpoint)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], CA_PATH, "", ""))


def is_encrypted(url: str) -> bool:
    return url[:6].lower() == "https:"
