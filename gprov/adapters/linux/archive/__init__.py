"""Archives port for .upd files: xz decoded on all cores here, unpacked by GNU tar."""

from gprov.adapters.linux.archive.archives import XzTarArchives

__all__ = ["XzTarArchives"]
