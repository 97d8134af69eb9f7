"""Operations on single files and folders of mounted volumes (``gprov.domain.plan.operations``)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gprov.domain.formats.owner import ROOT, Owner
from gprov.domain.mfg.urls import redacted

if TYPE_CHECKING:  # a start of the system plans without it
    from gprov.domain.mfg.files import RemoteFile


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchFile:
    """Download to a temporary file in the target's folder, verify, rename, and verify again by reading from the medium.
    Hashes in lower-case hex; an empty hash is not checked. ``size``: that the file must have, in bytes; None if it is
    not stated."""

    url: str
    target: str
    sha1: str
    sha256: str
    size: int | None = None

    def describe(self) -> str:
        return f"fetch {redacted(self.url)} to {self.target}"


def fetch_of(file: RemoteFile, target: str) -> FetchFile:
    return FetchFile(url=file.url, target=target, sha1=file.sha1, sha256=file.sha256, size=file.size)


@dataclass(frozen=True, slots=True)
class MakeFolder:
    path: str
    mode: int = 0o755
    owner: Owner = ROOT

    def describe(self) -> str:
        return f"make folder {self.path} ({self.mode:o})"


@dataclass(frozen=True, slots=True)
class SetOwner:
    """The folder or file exists; its mode and contents stay."""

    path: str
    owner: Owner
    required: bool = True

    def describe(self) -> str:
        return f"set owner of {self.path} to {self.owner.uid}:{self.owner.gid}"


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteFile:
    """Durable and atomic. Descriptions never contain ``content``: it may be secret."""

    path: str
    content: bytes = field(repr=False)
    mode: int = 0o644
    owner: Owner = ROOT
    required: bool = True

    def describe(self) -> str:
        return f"write {self.path} ({len(self.content)} bytes, {self.mode:o})"


@dataclass(frozen=True, slots=True)
class CopyFile:
    """Durable and atomic: the old target stays intact until the new one is complete."""

    source: str
    target: str
    mode: int = 0o644

    def describe(self) -> str:
        return f"copy {self.source} to {self.target}"


@dataclass(frozen=True, slots=True)
class CopyKernel:
    """Copy to one target after the other, durably. The first failure ends the operation, so that the next target stays
    intact. Each volume is flushed before the next target is written: a power cut during a replacement can lose a file
    on FAT, and hide it from a boot loader that does not replay journals."""

    source: str
    targets: tuple[str, ...]
    required: bool = True

    def describe(self) -> str:
        return f"copy kernel {self.source} to {', then to '.join(self.targets)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplacePlainText:
    """Store the hash of a password, or a sealed secret, in ``path``, readable by root only and durable, then remove
    ``plain_text``, which held more than that. The first failure ends the operation, so that at least one of the two
    files is there."""

    path: str
    content: bytes = field(repr=False)
    plain_text: str
    required: bool = True

    def describe(self) -> str:
        return f"write {self.path}, then remove {self.plain_text}"


@dataclass(frozen=True, slots=True)
class MakeSymlink:
    path: str
    text: str

    def describe(self) -> str:
        return f"make {self.path} a link to {self.text}"


@dataclass(frozen=True, slots=True)
class RemovePath:
    path: str
    required: bool = True
    reason: str = ""

    def describe(self) -> str:
        return f"remove {self.path}" + (f" ({self.reason})" if self.reason else "")


@dataclass(frozen=True, slots=True)
class SetFlag:
    """Write the flag file. Must follow after all earlier writes were flushed: its presence asserts that they are
    durable."""

    path: str

    def describe(self) -> str:
        return f"set flag file {self.path}"
