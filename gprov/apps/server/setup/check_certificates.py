"""Checks of the server's certificates: there, private, valid for long enough, and for its names."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass

from gprov.apps.server.setup.hints import own_command
from gprov.apps.server.tls.certificate_files import (
    DEFAULT_CA_KEY,
    CertificatePaths,
    boot_paths,
    certificate_status,
    read_private,
)
from gprov.apps.server.tls.port_certificates import main_paths
from gprov.domain.errors import BadInput, DeviceFault, RefusedByPolicy
from gprov.domain.factory.server_settings import ServerSettings
from gprov.domain.factory.settings.tls import BootPort, TlsMode
from gprov.domain.factory.setup.finding import Finding, problem, problems_of, warning

_SOON_DAYS = 30
_NS = 10**9


@dataclass(frozen=True, slots=True)
class CertificateCheck:
    """``now_ns``: UTC."""

    folder: str
    settings: ServerSettings
    now_ns: int

    def findings(self) -> Iterator[Finding]:
        tls = self.settings.tls
        if tls.mode is TlsMode.OFF:
            return
        yield from self._certificate(main_paths(self.folder, tls))
        if tls.boot is BootPort.HTTPS:
            yield from self._certificate(boot_paths(self.folder))
        ca_key = os.path.join(self.folder, DEFAULT_CA_KEY)
        if os.path.exists(ca_key):
            yield from self._private(ca_key)

    def _certificate(self, paths: CertificatePaths) -> Iterator[Finding]:
        yield from self._private(paths.key)
        own = self.settings.tls.mode is TlsMode.OWN_CA
        renew = own_command("gprov server certificate renew", self.folder) if own else "replace it"
        try:
            status = certificate_status(paths)
        except BadInput as error:
            yield from problems_of(error)
            return
        except DeviceFault as fault:
            yield problem(fault.subject, fault.reason)
            return
        days = status.days_left(self.now_ns)
        if days < 0:
            yield problem(paths.certificate, f"expired {-days} days ago: units refuse it", renew)
        elif status.begins > self.now_ns // _NS:
            yield problem(paths.certificate, "is not valid yet: units refuse it", "set the clock of this host")
        elif days < _SOON_DAYS:
            yield warning(paths.certificate, f"expires in {days} days", renew)
        missing = [name for name in self.settings.listen.all_names if name not in status.names]
        if missing:
            shown = ", ".join(missing)
            yield problem(paths.certificate, f"is not for {shown}, by which clients reach this server", renew)

    def _private(self, path: str) -> Iterator[Finding]:
        try:
            read_private(path)
        except RefusedByPolicy as refusal:
            yield problem(path, str(refusal))
        except DeviceFault as fault:
            yield problem(fault.subject, fault.reason)
