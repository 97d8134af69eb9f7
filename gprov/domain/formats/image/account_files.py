"""Content of ``/etc/passwd`` and ``/etc/group`` in an archive that streams by, found as verification finds them: by the
place that tar writes a member to, whatever links lead there."""

from __future__ import annotations

from gprov.domain.formats.accounts import ids_by_name
from gprov.domain.formats.image.capture import Capture, CapturedNames
from gprov.domain.formats.image.tar_fields import Malformed
from gprov.domain.formats.image.tar_names import FOLDER, HARD_LINK, SYMLINK, MemberPaths
from gprov.domain.formats.image.tidy_attributes import Accounts

_FILES = frozenset((b"etc/passwd", b"etc/group"))
_WHOLE = b"0\x007"  # regular files that are not stored as sparse ones: verification refuses these in such places


class AccountFiles:
    """Call ``add`` for each member in order. After a member that tar could not write, nothing more is found:
    verification refuses such an archive."""

    def __init__(self) -> None:
        self._paths = MemberPaths()
        self._capture = Capture(CapturedNames(kernel=b"", imgmeta=b"", init=frozenset(), small=_FILES))
        self._usable = True

    def add(self, name: bytes, kind: bytes, target: bytes, size: int) -> bool:
        """``target``: of a link. Returns whether ``store`` wants the content of this member."""
        if not self._usable:
            return False
        try:
            return self._add(name, kind, target, size)
        except Malformed:
            self._usable = False
            return False

    def store(self, content: bytes) -> None:
        """Of the last member."""
        self._capture.store_content(self._paths.last, content)

    def accounts(self) -> Accounts:
        files = self._capture.result()
        return Accounts(ids_by_name(files.passwd or b""), ids_by_name(files.group or b""))

    def _add(self, name: bytes, kind: bytes, target: bytes, size: int) -> bool:
        self._paths.add(name, kind)
        place = self._paths.last
        self._capture.begin_member(place, kind == FOLDER)
        if kind == SYMLINK:
            self._paths.add_symlink(target)
            if place in _FILES:
                self._capture.add_symlink(place, target)
        elif kind == HARD_LINK:
            linked = self._paths.check_hard_link(name, target)
            if place in _FILES:
                self._capture.add_hard_link(place, linked)
        elif kind in _WHOLE and place in _FILES:
            return self._capture.add_file(place, size, 0) > 0
        return False
