"""What a new factory folder is made for."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import quote, urlsplit

from gprov.domain.branding import Branding
from gprov.domain.factory.dnsmasq import NetbootService


@dataclass(frozen=True, slots=True)
class PublishedFile:
    """A file of ``files/``. ``size`` in bytes; ``sha256`` in hex."""

    name: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FactoryPlan:
    """``folder``: absolute path of the data folder. ``netboot``: DHCP and TFTP of the network with the units, and the
    URL of the server there. ``program``: absolute path of ``gprov``. ``user``: runs the server. ``key_file``: absolute
    path, outside of the folder. ``published``: files that it begins with."""

    folder: str
    netboot: NetbootService
    program: str
    user: str
    key_file: str
    published: tuple[PublishedFile, ...] = ()
    branding: Branding = field(default_factory=Branding)

    @property
    def server(self) -> str:
        """Without a slash at its end."""
        return self.netboot.server.rstrip("/")

    @property
    def files_url(self) -> str:
        return f"{self.server}/files"

    def url_of(self, name: str) -> str:
        return f"{self.files_url}/{quote(name)}"

    @property
    def host(self) -> str:
        return urlsplit(self.server).hostname or ""

    @property
    def port(self) -> int:
        parts = urlsplit(self.server)
        return parts.port or (443 if parts.scheme == "https" else 80)
