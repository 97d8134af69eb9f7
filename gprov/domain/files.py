"""Attributes of files and volumes, as returned by ports."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class FileType(Enum):
    FILE = "file"
    FOLDER = "folder"
    SYMLINK = "symlink"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class FileStatus:
    """``size`` in bytes; ``mode`` are the permission bits."""

    type: FileType
    size: int
    mode: int
    uid: int
    gid: int


@dataclass(frozen=True, slots=True)
class Usage:
    """Size of a mounted volume in bytes; ``free``: space available to unprivileged writers."""

    total: int
    free: int


@dataclass(frozen=True, slots=True)
class Digests:
    """Digests of a whole file: ``size`` in bytes, hashes in lower-case hex."""

    size: int
    sha1: str
    sha256: str
