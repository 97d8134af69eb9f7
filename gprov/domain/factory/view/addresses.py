"""Addresses of pages about a unit. Serial numbers hold any printable ASCII: slashes, dots, percent signs."""

from __future__ import annotations

import re
from urllib.parse import quote, urlencode

# A path segment that no browser, proxy or server changes: others merge slashes and resolve "..", escaped or not.
_SEGMENT = re.compile(r"(?!\.{1,2}$)[A-Za-z0-9._~-]+")


def unit_path(page: str, serial: str) -> str:
    """``page``: "view", "unit-state". The serial number as path, or in the query if it would not arrive unchanged."""
    if _SEGMENT.fullmatch(serial):
        return f"/{page}/{quote(serial)}/"
    return f"/{page}/?{urlencode({'serial': serial})}"


def with_query(path: str, **query: str | int) -> str:
    shown = urlencode({key: value for key, value in query.items() if value != ""})
    if not shown:
        return path
    return f"{path}{'&' if '?' in path else '?'}{shown}"
