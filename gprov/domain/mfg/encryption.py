"""URLs of manufData.json that are not encrypted although the factory's servers are to be verified.

Addresses that get passwords or reports, or whose content has no hash, must be https. A file with its SHA-256 in
manufData.json may come over plain HTTP: what was changed on the way is refused.
"""

from __future__ import annotations

from gprov.domain.errors import BadInput, Problem
from gprov.domain.mfg.manuf import ManufData
from gprov.domain.unit.trust import is_encrypted

_PLAIN = "must be https: the unit verifies its servers"
_UNHASHED = "must be https or have Sha256: the unit verifies its servers"


def require_encryption(source: str, data: ManufData) -> None:
    """``source`` names the file. Raises BadInput with every such URL."""
    problems = unencrypted_urls(data)
    if problems:
        raise BadInput(source, problems)


def unencrypted_urls(data: ManufData) -> tuple[Problem, ...]:
    """Every such URL with its JSON path."""
    urls = (
        ("ApplianceJsonUrl", data.appliance_json_url),
        ("LogEndpoint", data.log_endpoint),
        ("CredentialEndpoint", data.credential_endpoint),
    )
    plain = [Problem(f"$.{key}", _PLAIN) for key, url in urls if url and not is_encrypted(url)]
    unhashed = (
        Problem(f"{place}.Src", _UNHASHED)
        for place, file in data.placed_files()
        if not is_encrypted(file.url) and not file.sha256
    )
    return (*plain, *unhashed)
