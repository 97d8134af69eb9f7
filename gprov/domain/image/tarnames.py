"""Where the members of an archive would be written, and which of them GNU tar would refuse to write.

tar finds out when the disk is already wiped; whoever verifies an image has to know before.

Names may begin with ``/`` or ``./``: tar strips both, so that ``/etc/passwd`` is ``etc/passwd`` below the target.
Refused are ``..`` components, members below a symbolic link that leads out of the target (tar holds such links back as
placeholders until all else is unpacked), and hard links to what the archive does not hold before them.
"""

from __future__ import annotations

from gprov.domain.image.tarfields import Malformed


class Places:
    """The names seen so far, in normal form."""

    def __init__(self) -> None:
        self._seen: set[bytes] = set()
        self._symlinks: dict[bytes, bytes] = {}
        self._folder = b""  # of the last member: its parents were checked

    def add(self, name: bytes) -> bytes:
        """Note a member about to be written; returns its name in normal form, "" for the target itself."""
        clean = normal(name)
        folder = clean[: max(clean.rfind(b"/"), 0)]
        if folder != self._folder:
            self._check_folder(clean, folder)
            self._folder = folder
        if self._symlinks:
            self._symlinks.pop(clean, None)
        self._seen.add(clean)
        return clean

    def add_symlink(self, name: bytes, target: bytes) -> None:
        """Remember where the member ``name`` (in normal form) leads."""
        if not target:
            raise Malformed(f"symbolic link {show(name)} has no target")
        self._symlinks[name] = target

    def check_hard_link(self, name: bytes, target: bytes) -> bytes:
        """``target`` in normal form, if a hard link to it can be made now."""
        clean = normal(target)
        if clean not in self._seen and not self._linked_parent(clean):
            raise Malformed(f"hard link {show(name)} to {show(target)}, which is not in the archive before it")
        return clean

    def _check_folder(self, name: bytes, folder: bytes) -> None:
        parent = self._linked_parent(folder + b"/")
        if parent and _leads_out(self._symlinks[parent]):
            target = show(self._symlinks[parent])
            raise Malformed(f"{show(name)} would be written through the symbolic link {show(parent)} to {target}")

    def _linked_parent(self, name: bytes) -> bytes:
        """The nearest parent of ``name`` that is a symbolic link; empty if none is."""
        while name:
            name = name[: max(name.rfind(b"/"), 0)]
            if name in self._symlinks:
                return name
        return b""


def normal(name: bytes) -> bytes:
    """Without leading ``/`` and ``./``, doubled or trailing ``/``. Raises Malformed for names that leave the target."""
    if name[:2] == b"./":
        name = name[2:]
    if name[-1:] == b"/":
        name = name[:-1]
    if name[:1] in (b"/", b".") or b"/." in name or b"//" in name:
        parts = name.split(b"/")
        if b".." in parts:
            raise Malformed(f"{show(name)} would leave the target")
        name = b"/".join(part for part in parts if part not in (b"", b"."))
    return name


def show(name: bytes) -> str:
    """A name for messages."""
    return repr(name[-200:].decode(errors="replace"))


def _leads_out(target: bytes) -> bool:
    """As GNU tar judges it: absolute, or with a ``..`` anywhere."""
    return target.startswith(b"/") or b".." in target.split(b"/")
