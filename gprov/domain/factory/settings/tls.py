"""[tls]: encrypted connections."""

from __future__ import annotations

from dataclasses import dataclass

from gprov.domain.factory.settings.kinds import Section


@dataclass(frozen=True, kw_only=True)
class Tls(Section):
    """Has no keys yet."""

    @property
    def encrypted(self) -> bool:
        return False
