"""TLS contexts of the server's ports. Certificates that were replaced on disk are taken up without a restart."""

from __future__ import annotations

import os
import ssl
from collections.abc import Callable

from gprov.apps.server.tls.certificate_files import (
    CertificatePaths,
    CertificateStatus,
    certificate_status,
    read_bounded,
    read_private,
)
from gprov.domain.errors import BadInput, GprovError, Problem

# iPXE of Debian 12: RSA key exchange, AES-CBC. Newer ones prefer the others.
_IPXE_CIPHERS = "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384:AES128-SHA256:AES256-SHA256"
WARN_DAYS = 30
_DAY_NS = 86400 * 10**9
_Stamp = tuple[int, ...]


class Certificates:
    """The certificate of one port. Opening it raises BadInput, DeviceMissing, DeviceFault, RefusedByPolicy."""

    def __init__(self, paths: CertificatePaths, *, for_ipxe: bool = False) -> None:
        self._paths = paths
        self.context = _context(for_ipxe)
        self.status = self._load()
        self._stamp = self._now_on_disk()

    @property
    def ca_pem(self) -> bytes | None:
        """What is published at /ca.pem."""
        return self.status.ca.pem.encode() if self.status.ca is not None else None

    def refresh(self) -> bool:
        """Whether new ones were taken up. Connections that are open keep theirs. Raises like opening it; then the
        present ones stay, and a later call tries again."""
        stamp = self._now_on_disk()
        if stamp == self._stamp:
            return False
        self.status = self._load()
        self._stamp = stamp
        return True

    def _load(self) -> CertificateStatus:
        read_private(self._paths.key)
        read_bounded(self._paths.certificate)
        probe = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        try:
            # On a context of its own first: a certificate without its key would stay in the one that is used.
            for context in (probe, self.context):
                context.load_cert_chain(self._paths.certificate, self._paths.key, password=_no_passphrase)
        except (ssl.SSLError, ValueError) as exc:
            reason = getattr(exc, "reason", None) or exc
            text = f"certificate and key cannot be used: {reason}"
            raise BadInput(self._paths.certificate, [Problem("", text)]) from exc
        return certificate_status(self._paths)

    def _now_on_disk(self) -> _Stamp:
        found = (os.stat(path) for path in (self._paths.certificate, self._paths.key) if os.path.exists(path))
        return tuple(number for each in found for number in (each.st_mtime_ns, each.st_ino, each.st_size))


class CertificateWatch:
    """Takes up new certificates, and warns before the present ones end: once a day."""

    def __init__(self, certificates: list[Certificates], now: Callable[[], int], warn: Callable[[str], None]) -> None:
        self._certificates = certificates
        self._now = now
        self._warn = warn
        self._warned_ns = -_DAY_NS

    def check(self) -> None:
        for each in self._certificates:
            try:
                if each.refresh():
                    self._warned_ns = -_DAY_NS
            except GprovError as error:
                self._warn(f"new certificates are not used: {error}")
        now = self._now()
        if now - self._warned_ns >= _DAY_NS and self._certificates:
            self._warned_ns = now
            for text in {expiry_warning(each.status, now) for each in self._certificates} - {""}:
                self._warn(text)


def expiry_warning(status: CertificateStatus, now_ns: int) -> str:
    """ "" while the certificate is valid for more than WARN_DAYS."""
    days = status.days_left(now_ns)
    if days >= WARN_DAYS:
        return ""
    how = "run `gprov server certificate renew --data DIR`, or replace the files"
    if days < 0:
        return f"the certificate has expired: units refuse this server; {how}"
    return f"the certificate expires in {days} days; {how}"


def _context(for_ipxe: bool) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_COMPRESSION
    if for_ipxe:
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        context.set_ciphers(_IPXE_CIPHERS)
    return context


def _no_passphrase() -> str:
    raise ValueError("the key has a passphrase, which a server cannot be asked for")
