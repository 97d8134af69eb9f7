"""Which URLs of manufData.json lead to the factory server itself, and to which of its files."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import unquote, urlsplit

from gprov.domain.factory.server_settings import ServerSettings

_FILES = "/files/"
_PORTS = {"http": 80, "https": 443}


def own_addresses(settings: ServerSettings) -> frozenset[tuple[str, int]]:
    """Host and port of each address by which clients reach this server, as far as the settings say."""
    listen = settings.listen
    named = {(host.lower(), listen.port) for host in (listen.host, *listen.names)}
    return frozenset(named | ({_address(listen.public_url)} if listen.public_url else set()))


def is_own(url: str, own: Iterable[tuple[str, int]]) -> bool:
    return _address(url) in own


def own_path(url: str, own: Iterable[tuple[str, int]]) -> str | None:
    """Path below ``files/`` that this server publishes at the URL; None if it is a URL of another server or of
    something else."""
    path = urlsplit(url).path
    if not is_own(url, own) or not path.startswith(_FILES):
        return None
    return unquote(path.removeprefix(_FILES))


def _address(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    return (parts.hostname or "").lower(), parts.port or _PORTS.get(parts.scheme, 0)
