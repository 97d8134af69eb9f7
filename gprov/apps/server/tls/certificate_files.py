"""Where a server's own CA and certificates are, below its data folder.

ca/ca.key          private key of the CA (0600, folder 0700): only for new certificates; may be kept elsewhere
tls/ca.pem         its certificate, which the server publishes at /ca.pem
tls/server.pem     certificate of the server, and the CA's
tls/server.key     its private key (0600)
tls/boot.pem, tls/boot.key   the same for iPXE, which needs RSA
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography import x509

from gprov.adapters.linux.files.files import LinuxFiles
from gprov.adapters.linux.files.private_file import replace_private
from gprov.apps.server.tls.authority import Issued, checked_names, issue, new_ca
from gprov.domain.errors import BadInput, DeviceFault, DeviceMissing, Problem, RefusedByPolicy
from gprov.domain.unit.trust import MAX_CA_BYTES, OwnCa, parse_ca

DEFAULT_CA_KEY = "ca/ca.key"
_PRIVATE, _PUBLIC = 0o600, 0o644
_NS = 10**9


@dataclass(frozen=True, slots=True)
class CertificatePaths:
    """``ca``: "" if the server publishes none."""

    certificate: str
    key: str
    ca: str


def own_paths(folder: str) -> CertificatePaths:
    """``folder``: the data folder."""
    return CertificatePaths(*(os.path.join(folder, "tls", name) for name in ("server.pem", "server.key", "ca.pem")))


def boot_paths(folder: str) -> CertificatePaths:
    """Of the certificate for iPXE."""
    return CertificatePaths(*(os.path.join(folder, "tls", name) for name in ("boot.pem", "boot.key", "ca.pem")))


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateStatus:
    """Of a server's certificate. ``begins``, ``ends``: seconds since the epoch. ``ca``: None if none is published."""

    names: tuple[str, ...]
    begins: int
    ends: int
    ca: OwnCa | None

    def days_left(self, now_ns: int) -> int:
        """Negative after its end."""
        return (self.ends - now_ns // _NS) // 86400


def create_own_ca(folder: str, names: Iterable[str], now_ns: int, ca_key: str | None = None) -> CertificateStatus:
    """Make a CA for a data folder, and certificates for a server with these DNS names and addresses. ``ca_key``: where
    the CA's key goes (None: ``ca/ca.key``). Raises RefusedByPolicy if there is one already, BadInput, DeviceFault."""
    paths, key_path = own_paths(folder), ca_key or os.path.join(folder, DEFAULT_CA_KEY)
    for path in (paths.ca, paths.key, key_path):
        if os.path.lexists(path):
            raise RefusedByPolicy(f"{path} exists: another CA would make every unit refuse this server")
    wanted = checked_names(names)
    ca = new_ca(f"gprov factory CA of {wanted[0]}", wanted, _time(now_ns))
    _write(key_path, ca.key, _PRIVATE, folder_mode=0o700)
    _write(paths.ca, ca.certificate, _PUBLIC)
    _write_certificates(folder, ca, wanted, now_ns)
    return certificate_status(paths)


def renew(folder: str, names: Iterable[str] | None, now_ns: int, ca_key: str | None = None) -> CertificateStatus:
    """New keys and certificates of the server, of the same CA. ``names``: None for those of the present certificate.
    A running server takes them up within seconds. Raises BadInput, DeviceMissing, DeviceFault."""
    paths, key_path = own_paths(folder), ca_key or os.path.join(folder, DEFAULT_CA_KEY)
    if os.path.exists(key_path):  # otherwise there may be no CA
        _require(paths.ca, "renewal needs the CA's certificate; units have it as factory_ca.pem on RECOVERY")
        if names is None:
            _require(paths.certificate, "it has the names of the server: give them with --name")
    ca = Issued(read_bounded(paths.ca), read_private(key_path))
    wanted = certificate_status(paths).names if names is None else checked_names(names)
    _write_certificates(folder, ca, wanted, now_ns)
    return certificate_status(paths)


def certificate_status(paths: CertificatePaths) -> CertificateStatus:
    """Raises BadInput, DeviceMissing, DeviceFault."""
    try:
        found = x509.load_pem_x509_certificate(read_bounded(paths.certificate))
        alternative = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (ValueError, x509.ExtensionNotFound) as exc:
        raise BadInput(paths.certificate, [Problem("", f"is not a server's certificate: {exc}")]) from exc
    names = (*alternative.get_values_for_type(x509.DNSName), *alternative.get_values_for_type(x509.IPAddress))
    return CertificateStatus(
        names=tuple(map(str, names)),
        begins=int(found.not_valid_before_utc.timestamp()),
        ends=int(found.not_valid_after_utc.timestamp()),
        ca=parse_ca(paths.ca, read_bounded(paths.ca)) if paths.ca else None,
    )


def read_private(path: str) -> bytes:
    """A private key. Raises DeviceMissing, DeviceFault, RefusedByPolicy if other users can read it."""
    content = read_bounded(path)
    mode = stat.S_IMODE(os.stat(path).st_mode)
    if mode & 0o077:
        raise RefusedByPolicy(f"{path} has mode {mode:04o}: other users could use the key; chmod 600 {path}")
    return content


def _require(path: str, why: str) -> None:
    if not os.path.exists(path):
        raise DeviceMissing(path, f"does not exist: {why}")


def read_bounded(path: str) -> bytes:
    """Raises DeviceMissing, DeviceFault."""
    if not os.path.exists(path):
        raise DeviceMissing(
            path, "does not exist; `gprov server certificate create --data DIR` makes a CA and certificates"
        )
    return LinuxFiles().read(path, MAX_CA_BYTES)


def _write_certificates(folder: str, ca: Issued, names: tuple[str, ...], now_ns: int) -> None:
    """The key first: a server that reads in between finds a certificate that does not fit, and tries again."""
    for paths, for_ipxe in ((own_paths(folder), False), (boot_paths(folder), True)):
        issued = issue(ca, names, _time(now_ns), for_ipxe=for_ipxe)
        _write(paths.key, issued.key, _PRIVATE)
        _write(paths.certificate, issued.certificate, _PUBLIC)


def _write(path: str, content: bytes, mode: int, folder_mode: int = 0o755) -> None:
    path = os.path.abspath(path)
    try:
        os.makedirs(os.path.dirname(path), mode=folder_mode, exist_ok=True)
        replace_private(path, content)
        os.chmod(path, mode)
    except OSError as exc:
        raise DeviceFault(path, f"cannot be written: {exc.strerror}", errno=exc.errno) from exc


def _time(now_ns: int) -> datetime:
    return datetime.fromtimestamp(now_ns // _NS, UTC)
