"""Demands on a manufData.json whose content is authentic, so that nothing that it leads to needs to be trusted: neither
DHCP and DNS nor the servers of files."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit, urlunsplit

from gprov.domain.errors import BadInput, Problem
from gprov.domain.mfg.manuf import ManufData
from gprov.domain.unit.trust import is_encrypted

_WEAK = "must have Sha256: SHA-1 is not collision resistant, and this unit takes only what its owner vouches for"
_TABLE = "must be https, of a server that the kernel's own CA verifies: a platform table has no hash"


def require_hashes(source: str, data: ManufData, *, verified: bool) -> None:
    """``source`` names the file. ``verified``: https servers are verified with the kernel's own CA. Raises BadInput
    with every file that could be exchanged."""
    problems = tuple(_unproven(data, verified=verified))
    if problems:
        raise BadInput(source, problems)


def unverified_endpoints(data: ManufData) -> tuple[str, ...]:
    """URLs of servers that get reports or hand out passwords over a connection that proves nothing."""
    return tuple(url for url in (data.log_endpoint, data.credential_endpoint) if url and not is_encrypted(url))


def url_beside(url: str, name: str = "", *, suffix: str = "") -> str:
    """Address of another file in the folder of this one, with its query: the one called ``name``, or the one of the
    same name with a suffix."""
    parts = urlsplit(url)
    folder, _, own = parts.path.rpartition("/")
    return urlunsplit((parts.scheme, parts.netloc, f"{folder}/{name or own + suffix}", parts.query, ""))


def _unproven(data: ManufData, *, verified: bool) -> Iterator[Problem]:
    if data.appliance_json_url and not (verified and is_encrypted(data.appliance_json_url)):
        yield Problem("$.ApplianceJsonUrl", _TABLE)
    for place, file in data.placed_files():
        if not file.sha256:
            yield Problem(place, _WEAK)
