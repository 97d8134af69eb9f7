"""The secret that proves a unit to its factory server, as RECOVERY has it: secret and URL of that server, a line each.

It is shown to no other server: that one could then speak for the unit.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from gprov.domain.errors import BadInput, Problem
from gprov.domain.unit.credentials import Secret

MAX_BYTES = 4096
_SECRET = re.compile("[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class UnitKey:
    """``endpoint``: base URL of the server that knows its SHA-256."""

    secret: Secret
    endpoint: str

    def for_server(self, endpoint: str) -> Secret | None:
        """What to show to the server at this URL."""
        return self.secret if endpoint.rstrip("/") == self.endpoint.rstrip("/") else None


def serialise_key(key: UnitKey) -> bytes:
    return f"{key.secret.reveal()}\n{key.endpoint}\n".encode()


def parse_key(path: str, content: bytes) -> UnitKey:
    """Raises BadInput, without anything of the content."""
    lines = content.decode("utf-8", "replace").splitlines()
    if len(lines) != 2 or not _SECRET.fullmatch(lines[0]) or not lines[1]:
        raise BadInput(path, [Problem("", "must have a secret of 64 hex digits and a URL, a line each")])
    return UnitKey(Secret(lines[0]), lines[1])
