"""Numeric owner of a file."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Owner:
    uid: int = 0
    gid: int = 0


ROOT = Owner()
