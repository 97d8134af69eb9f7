"""What a new factory folder is made for."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import quote, urlsplit

from gprov.domain.branding import Branding
from gprov.domain.factory.dnsmasq import NetbootService
from gprov.domain.factory.settings.tls import Tls


@dataclass(frozen=True, slots=True)
class PublishedFile:
    """A file of ``files/``. ``size`` in bytes; ``sha256`` in hex."""

    name: str
    size: int
    sha256: str


def boot_url(server: str) -> str:
    """URL from which iPXE gets its script: of a port of its own beside an https server, which Debian's iPXE cannot
    ask."""
    parts = urlsplit(server)
    if parts.scheme != "https":
        return server
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return f"http://{host}:{Tls().boot_port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class FactoryPlan:
    """``folder``: absolute path of the data folder. ``server``: URL at which units reach the server, without a slash at
    its end; https for a server with a CA of its own. ``netboot``: DHCP and TFTP of the network with the units, and the
    URL from which iPXE gets its script. ``isolated``: without accounts and tokens. ``program``: absolute path of
    ``gprov``. ``user``: runs the server. ``key_file``: absolute path, outside of the folder. ``usual_key``: root's
    commands use that file without being told. ``published``: files that it begins with."""

    folder: str
    server: str
    netboot: NetbootService
    isolated: bool
    program: str
    user: str
    key_file: str
    usual_key: bool = True
    published: tuple[PublishedFile, ...] = ()
    branding: Branding = field(default_factory=Branding)

    @property
    def encrypted(self) -> bool:
        return self.server.startswith("https:")

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
