"""Facts about files, as ports tell them and operations ask for them."""

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
    """Bytes of a mounted volume; ``free`` is what an unprivileged writer can use."""

    total: int
    free: int


@dataclass(frozen=True, slots=True)
class Digests:
    """Of a whole file: ``size`` in bytes, hashes in lower-case hex."""

    size: int
    sha1: str
    sha256: str
