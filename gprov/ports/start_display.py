"""A display while the system starts."""

from __future__ import annotations

from typing import Protocol

from gprov.domain.boot.start_texts import StartTexts


class StartDisplay(Protocol):
    def keep_showing(self, texts: StartTexts) -> None:
        """Show texts on the unit's display after switch root, from a process of its own: until it gets SIGTERM (its
        number is in /run/gprov-display.pid), for START_SECONDS at most. Called just before switch root. Returns at once
        and never raises; if switch root fails, nothing is shown."""
