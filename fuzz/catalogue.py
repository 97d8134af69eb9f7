"""All targets."""

from __future__ import annotations

from fuzz import documents, images, machines
from fuzz.harness import Target

TARGETS: tuple[Target, ...] = (*images.TARGETS, *documents.TARGETS, *machines.TARGETS)


def target(name: str) -> Target:
    """Raises KeyError."""
    return {one.name: one for one in TARGETS}[name]
