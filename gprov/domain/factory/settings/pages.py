"""[pages]: pages for people."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from typing_extensions import Doc

from gprov.domain.factory.settings.kinds import Number, Section, Whole

_MINUTE_NS = 60 * 10**9


@dataclass(frozen=True, kw_only=True)
class Pages(Section):
    silent_minutes: Annotated[
        float,
        Number(0.1, 24 * 60),
        Doc('a unit that is at work and sends nothing for longer is shown as "no report"'),
    ] = 10.0
    line_hours: Annotated[
        float, Number(1, 14 * 24), Doc("the wall screen shows units that have reported within these hours")
    ] = 24.0
    live_pages: Annotated[
        int, Whole(1, 10_000), Doc("pages that are kept up to date at once; further ones ask every 15 seconds")
    ] = 200

    @property
    def silent_ns(self) -> int:
        return round(self.silent_minutes * _MINUTE_NS)

    @property
    def line_ns(self) -> int:
        return round(self.line_hours * 60 * _MINUTE_NS)
