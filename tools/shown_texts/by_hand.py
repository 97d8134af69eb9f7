"""Places that show a text which is made elsewhere, in a way that is not followed: (place, expression) -> what finds
the text."""

from __future__ import annotations

PASSED_ON: dict[tuple[str, str], str] = {}
