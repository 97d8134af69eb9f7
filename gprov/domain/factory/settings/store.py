"""[store]: where records are kept, and for how long."""

from __future__ import annotations

from dataclasses import dataclass

from gprov.domain.factory.settings.kinds import Section


@dataclass(frozen=True, kw_only=True)
class StoreSettings(Section):
    """Has no keys yet."""
