"""A small CA for one factory: its certificate, and those of the server (RFC 5280).

The CA is RSA with SHA-256, and its name constraints are not critical: iPXE of Debian 12 verifies no other signatures
and refuses critical extensions that it does not know (its src/crypto/x509.c). Everything else that connects to the
server heeds name constraints, critical or not.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from gprov.domain.errors import BadInput, Problem

CA_DAYS = 7300
# Browsers refuse certificates that are valid for longer, also those of CAs that a person has added.
SERVER_DAYS = 820
# For clients whose clock is late.
_BACKDATED = timedelta(days=1)
_CA_BITS, _BOOT_BITS = 3072, 2048
_MAX_NAMES = 64
# Addresses that a CA of any factory may certify; further ones only if it was made for them.
_PRIVATE = tuple(
    ip_network(text)
    for text in (
        "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "127.0.0.0/8",
        "fc00::/7", "fe80::/10", "::1/128",
    )
)  # fmt: skip
_LOCALHOST = "localhost"
# Not a DNS name: OpenSSL would compare it with the name constraints of a certificate that has addresses only.
_SUBJECT = "gprov factory server"

Address = IPv4Address | IPv6Address
Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


@dataclass(frozen=True, slots=True)
class Issued:
    """PEM. ``certificate``: that of a server is followed by the CA's."""

    certificate: bytes
    key: bytes = field(repr=False)


def new_ca(title: str, names: Sequence[str], now: datetime) -> Issued:
    """``title``: common name. ``names``: DNS names and addresses of servers: the only names that the CA may certify,
    besides private addresses and localhost. Raises BadInput."""
    key = rsa.generate_private_key(65537, _CA_BITS)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, title)])
    builder = (
        _builder(subject, subject, key, now, CA_DAYS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(certificates=True), critical=True)
        .add_extension(_constraints(names), critical=False)
    )
    return Issued(_pem(builder.sign(key, hashes.SHA256())), _key_pem(key))


def issue(ca: Issued, names: Sequence[str], now: datetime, *, for_ipxe: bool = False) -> Issued:
    """A certificate for a server with these DNS names and addresses. ``for_ipxe``: RSA, for key exchange without
    Diffie-Hellman; else ECDSA. Raises BadInput: names that the CA may not certify, or a key that is not the CA's."""
    issuer, issuer_key = load_ca(ca)
    _require_permitted(issuer, names)
    key: Key = rsa.generate_private_key(65537, _BOOT_BITS) if for_ipxe else ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, _SUBJECT)])
    builder = (
        _builder(subject, issuer.subject, key, now, SERVER_DAYS, issuer=issuer)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(certificates=False, key_exchange=for_ipxe), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName(map(_general_name, names)), critical=False)
    )
    return Issued(_pem(builder.sign(issuer_key, hashes.SHA256())) + ca.certificate, _key_pem(key))


def load_ca(ca: Issued) -> tuple[x509.Certificate, CertificateIssuerPrivateKeyTypes]:
    """Raises BadInput."""
    try:
        certificate = x509.load_pem_x509_certificate(ca.certificate)
        key = serialization.load_pem_private_key(ca.key, password=None)
    except ValueError as exc:
        raise BadInput("CA", [Problem("", f"certificate or key cannot be read: {exc}")]) from exc
    if not isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
        raise BadInput("key of the CA", [Problem("", "must be RSA or ECDSA")])
    if key.public_key() != certificate.public_key():
        raise BadInput("key of the CA", [Problem("", "does not belong to the CA's certificate")])
    return certificate, key


def checked_names(names: Iterable[str]) -> tuple[str, ...]:
    """The names without repetition. Raises BadInput."""
    kept = tuple(dict.fromkeys(names))
    if not 0 < len(kept) <= _MAX_NAMES:
        raise BadInput("names of the server", [Problem("", f"must be 1 to {_MAX_NAMES}, are {len(kept)}")])
    return kept


def _builder(
    subject: x509.Name,
    issuer_name: x509.Name,
    key: Key,
    now: datetime,
    days: int,
    *,
    issuer: x509.Certificate | None = None,
) -> x509.CertificateBuilder:
    own = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    above = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value if issuer is not None else own
    ends = now + timedelta(days=days)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer_name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _BACKDATED)
        .not_valid_after(ends if issuer is None else min(ends, issuer.not_valid_after_utc))
        .add_extension(own, critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(above), critical=False)
    )


def _usage(*, certificates: bool, key_exchange: bool = False) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not certificates,
        content_commitment=False,
        key_encipherment=key_exchange,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=certificates,
        crl_sign=certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _constraints(names: Sequence[str]) -> x509.NameConstraints:
    addresses = [each for each in map(_address, names) if each is not None]
    networks = [*_PRIVATE, *(ip_network(each) for each in addresses if not _in_private(each))]
    dns = [name for name in names if _address(name) is None]
    permitted = [*(x509.DNSName(name) for name in dict.fromkeys((_LOCALHOST, *dns))), *map(x509.IPAddress, networks)]
    return x509.NameConstraints(permitted, None)


def _require_permitted(issuer: x509.Certificate, names: Sequence[str]) -> None:
    permitted = issuer.extensions.get_extension_for_class(x509.NameConstraints).value.permitted_subtrees or ()
    domains = [each.value for each in permitted if isinstance(each, x509.DNSName)]
    networks = [each.value for each in permitted if isinstance(each, x509.IPAddress)]
    wrong = [name for name in names if not _is_permitted(name, domains, networks)]
    if wrong:
        text = f"the CA was not made for this name; it may certify {', '.join(domains)} and private addresses"
        raise BadInput("names of the server", [Problem(name, text) for name in wrong])


def _is_permitted(name: str, domains: Sequence[str], networks: Sequence[object]) -> bool:
    address = _address(name)
    if address is None:
        return any(name == domain or name.endswith(f".{domain}") for domain in domains)
    return any(isinstance(each, IPv4Network | IPv6Network) and address in each for each in networks)


def _address(name: str) -> Address | None:
    try:
        return ip_address(name)
    except ValueError:
        return None


def _in_private(address: Address) -> bool:
    return any(address in network for network in _PRIVATE)


def _general_name(name: str) -> x509.GeneralName:
    address = _address(name)
    return x509.DNSName(name) if address is None else x509.IPAddress(address)


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _key_pem(key: Key) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
