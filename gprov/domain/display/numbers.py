"""Numbers of a menu's items on consoles."""

from __future__ import annotations

from collections.abc import Sequence


def numbered(items: Sequence[str]) -> tuple[int, ...]:
    """Indices of the items that have a number: 1 for the first that is no spacer, and so on."""
    return tuple(index for index, item in enumerate(items) if item)
