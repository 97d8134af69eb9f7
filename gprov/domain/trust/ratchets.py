"""Numbers that a unit remembers and that never go down: the security floor of images, and the version of the trust
chain. ``trust/ratchets.json`` on RECOVERY holds them; a TPM keeps them where no disk can be put back.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from gprov.domain.formats.json.reading import finish, read_object

FORMAT = 1
MAX_RATCHETS = 4 << 10  # bytes


@dataclass(frozen=True, slots=True)
class RatchetValues:
    """``security_floor``: images of a lower security version are refused; ``trust_version``: trust chains of a lower
    version are not believed."""

    security_floor: int = 0
    trust_version: int = 0

    def raised_to(self, other: RatchetValues) -> RatchetValues:
        """The larger one of each."""
        return RatchetValues(
            max(self.security_floor, other.security_floor), max(self.trust_version, other.trust_version)
        )


@dataclass(frozen=True, slots=True)
class StoredRatchets:
    """What a store holds. ``values``: zero for a number that is not stored, or cannot be used. ``problems``: why not,
    one for each number that cannot be used."""

    values: RatchetValues
    problems: tuple[str, ...] = ()


def parse_ratchets(source: str, data: bytes) -> RatchetValues:
    """Raises BadInput."""
    root = read_object(source, data)
    root.integer("Format", required=True, minimum=FORMAT, maximum=FORMAT)
    values = RatchetValues(
        root.integer("SecurityFloor", required=True, minimum=0),
        root.integer("TrustVersion", required=True, minimum=0),
    )
    return finish(source, root, values)


def serialise_ratchets(values: RatchetValues) -> bytes:
    """Inverse of ``parse_ratchets``."""
    value = {"Format": FORMAT, "SecurityFloor": values.security_floor, "TrustVersion": values.trust_version}
    return (json.dumps(value, indent=1) + "\n").encode("ascii")
