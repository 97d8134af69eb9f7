"""[pages]: pages for people."""

from __future__ import annotations

from dataclasses import dataclass

from gprov.domain.factory.settings.kinds import Section


@dataclass(frozen=True, kw_only=True)
class Pages(Section):
    """Has no keys yet."""
