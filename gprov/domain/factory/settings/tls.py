"""[tls]: encrypted connections."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Annotated

from typing_extensions import Doc, override

from gprov.domain.factory.settings.kinds import Checked, Section, Whole


class TlsMode(Enum):
    """OWN_CA: certificates of the CA that ``gprov server certificate create`` made."""

    OFF = "off"
    OWN_CA = "own-ca"
    FILES = "files"


class BootPort(Enum):
    """What is spoken at the port for iPXE."""

    OFF = "off"
    HTTP = "http"
    HTTPS = "https"


_PATH = Checked(empty=True)


@dataclass(frozen=True, kw_only=True)
class Tls(Section):
    mode: Annotated[
        TlsMode,
        Doc("`own-ca`: certificates of the server's own CA, in `tls/`; `files`: those below; `off`: no encryption"),
    ] = TlsMode.OFF
    certificate: Annotated[
        str, _PATH, Doc("with `files`: PEM file of the certificate, followed by those between it and the CA's")
    ] = ""
    key: Annotated[str, _PATH, Doc("with `files`: PEM file of its private key, without a passphrase")] = ""
    ca: Annotated[
        str, _PATH, Doc("with `files`: PEM file of the CA's certificate, for `/ca.pem`; empty: units get it otherwise")
    ] = ""
    boot: Annotated[
        BootPort,
        Doc("a second port, for iPXE alone: `http`, or `https` for an iPXE of `gprov build ipxe`"),
    ] = BootPort.OFF
    boot_port: Annotated[int, Whole(0, 65535), Doc("number of that port; 0: any free one")] = 8900

    @property
    def encrypted(self) -> bool:
        return self.mode is not TlsMode.OFF

    @override
    def problems(self) -> Iterator[tuple[str, str]]:
        given = self.mode is TlsMode.FILES
        for key in ("certificate", "key"):
            if given and not getattr(self, key):
                yield key, 'is missing: mode is "files"'
        for key in ("certificate", "key", "ca"):
            if not given and getattr(self, key):
                yield key, 'belongs to mode = "files"'
        if self.boot is not BootPort.OFF and not self.encrypted:
            yield "boot", 'belongs to encrypted modes: with mode = "off", iPXE uses the server\'s port'
        if self.boot is BootPort.HTTPS and given:
            yield "boot", '"https" belongs to mode = "own-ca": an iPXE of gprov build ipxe knows that CA'
