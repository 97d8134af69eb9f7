"""Operations on single files and folders of mounted volumes (``gprov.domain.plan.operations``)."""

from __future__ import annotations

from dataclasses import dataclass, field

from gprov.domain.formats.owner import ROOT, Owner
from gprov.domain.mfg.urls import redacted


@dataclass(frozen=True, slots=True)
class FetchFile:
    """Download beside the target, check, rename, and check again what the medium gives back. Hashes in lower-case hex;
    an empty one is not checked."""

    url: str
    target: str
    sha1: str
    sha256: str

    def describe(self) -> str:
        return f"fetch {redacted(self.url)} to {self.target}"


@dataclass(frozen=True, slots=True)
class MakeFolder:
    path: str
    mode: int = 0o755
    owner: Owner = ROOT

    def describe(self) -> str:
        return f"make folder {self.path} ({self.mode:o})"


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteFile:
    """Durable and atomic. ``content`` never shows in a description: it may be a secret."""

    path: str
    content: bytes = field(repr=False)
    mode: int = 0o644
    owner: Owner = ROOT
    required: bool = True

    def describe(self) -> str:
        return f"write {self.path} ({len(self.content)} bytes, {self.mode:o})"


@dataclass(frozen=True, slots=True)
class CopyFile:
    """Durable and atomic: the old target stays whole until the new one is."""

    source: str
    target: str
    mode: int = 0o644

    def describe(self) -> str:
        return f"copy {self.source} to {self.target}"


@dataclass(frozen=True, slots=True)
class CopyKernel:
    """Durable, one target after the other: the first failure ends it, so that what the next target holds stays. FAT may
    lose a file that is being replaced, and a boot loader, which replays no journal, may not find it: so each volume is
    flushed before the next target is touched."""

    source: str
    targets: tuple[str, ...]
    required: bool = True

    def describe(self) -> str:
        return f"copy kernel {self.source} to {', then to '.join(self.targets)}"


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
    """The flag file: it vouches for everything written before it, so it comes last and alone."""

    path: str

    def describe(self) -> str:
        return f"set flag file {self.path}"
