"""What an encrypted password in the store is bound to: it opens for no other unit, kind or version."""

from __future__ import annotations

import json
from dataclasses import dataclass

from gprov.domain.factory.audit import Mark
from gprov.domain.factory.password_rule import PasswordKind


@dataclass(frozen=True, slots=True)
class PasswordPlace:
    """``version``: from 1, one more at each rotation."""

    serial: str
    kind: PasswordKind
    version: int

    @property
    def context(self) -> bytes:
        return json.dumps(["gprov password", self.serial, self.kind.value, self.version]).encode()


def seal_context(mark: Mark) -> bytes:
    """What the seal of the audit trail's last entry is bound to."""
    return json.dumps(["gprov audit trail", mark.number, mark.digest.hex()]).encode()
