"""[access]: who may do what."""

from __future__ import annotations

from dataclasses import dataclass

from gprov.domain.factory.settings.kinds import Section


@dataclass(frozen=True, kw_only=True)
class Access(Section):
    """Has no keys yet."""
