"""The certificates of a server's ports, as its settings name them."""

from __future__ import annotations

import os
import ssl
from dataclasses import dataclass

from gprov.apps.server.tls.certificate_files import CertificatePaths, boot_paths, own_paths
from gprov.apps.server.tls.contexts import Certificates, expiry_warning
from gprov.domain.factory.settings.tls import BootPort, Tls, TlsMode
from gprov.domain.unit.trust import OwnCa


@dataclass(frozen=True, slots=True)
class PortCertificates:
    """Of the server's port, and of the one for iPXE. None: not encrypted, or there is no such port."""

    main: Certificates | None = None
    boot: Certificates | None = None

    @property
    def all(self) -> list[Certificates]:
        return [each for each in (self.main, self.boot) if each is not None]

    def warnings(self, now_ns: int) -> tuple[str, ...]:
        """About certificates that end soon, or have ended."""
        found = (expiry_warning(each.status, now_ns) for each in self.all)
        return tuple(dict.fromkeys(text for text in found if text))

    @property
    def contexts(self) -> tuple[ssl.SSLContext | None, ssl.SSLContext | None]:
        main, boot = (each.context if each is not None else None for each in (self.main, self.boot))
        return main, boot

    @property
    def ca(self) -> OwnCa | None:
        """The CA that is published."""
        return self.main.status.ca if self.main is not None else None


def port_certificates(folder: str, tls: Tls) -> PortCertificates:
    """``folder``: the data folder, to which paths are relative. Raises BadInput, DeviceMissing, DeviceFault,
    RefusedByPolicy."""
    if tls.mode is TlsMode.OFF:
        return PortCertificates()
    boot = Certificates(boot_paths(folder), for_ipxe=True) if tls.boot is BootPort.HTTPS else None
    return PortCertificates(Certificates(main_paths(folder, tls)), boot)


def main_paths(folder: str, tls: Tls) -> CertificatePaths:
    """Of the certificate of the server's port, if that is encrypted."""
    if tls.mode is TlsMode.FILES:
        return CertificatePaths(*(each and os.path.join(folder, each) for each in (tls.certificate, tls.key, tls.ca)))
    return own_paths(folder)
