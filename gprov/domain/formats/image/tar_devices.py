"""Device nodes that an image may contain.

A root file system has any of them in ``/dev``, and the roots of jails in it (``/var/spool/postfix/dev/random``) as
well; older systems keep copies in ``…/devices``. Elsewhere an image may contain two kinds:

- character devices that every system lets all users open (``null`` and the like), and 0:0, with which overlay file
  systems mark deleted files: they give access to nothing;
- nodes that only root can open (owner 0, no permissions of others, no access control list), such as Docker's
  ``var/lib/docker/…/backingFsBlockDev``: root can make such nodes at any time.

Any other node would give users access to disks or memory regardless of the permissions in ``/dev``.
"""

from __future__ import annotations

from collections.abc import Iterable

from gprov.domain.formats.image.tar_fields import Malformed, number
from gprov.domain.formats.printable import printable_name

_CHARACTER = b"3"
_DEVICES = (b"3", b"4")
_FOLDERS = frozenset((b"dev", b"devices"))
# dev_t of Linux: 12 bits and 20 bits.
_MAJOR, _MINOR = (1 << 12) - 1, (1 << 20) - 1
# Whiteout; null, zero, full, random, urandom, tty, ptmx (Documentation/admin-guide/devices.txt of Linux).
_HARMLESS = frozenset(((0, 0), (1, 3), (1, 5), (1, 7), (1, 8), (1, 9), (5, 0), (5, 2)))
_OTHERS = 0o077
_ACCESS_LIST = b"acl"  # in the keyword of each form of access control list


class Devices:
    """Device nodes of the members so far that belong into a folder for devices, by place: the names that tar writes
    them to. Hard links are nodes as well."""

    def __init__(self) -> None:
        self._nodes: set[bytes] = set()

    def replace(self, place: bytes) -> None:
        """A member of any type is written at ``place``."""
        self._nodes.discard(place)

    def add(self, header: bytes, kind: bytes, place: bytes, owner: int | None, keywords: Iterable[bytes]) -> None:
        """Add a member without data. ``owner``: its uid, None if it is not known; ``keywords``: of its extended header.
        Raises Malformed if it is a device that an image may not contain."""
        if kind not in _DEVICES:
            return
        major, minor = number(header[329:337]), number(header[337:345])
        if major > _MAJOR or minor > _MINOR:
            raise Malformed(
                f"{printable_name(place)} is a device with the number {major}:{minor}, which Linux does not have"
            )
        if kind == _CHARACTER and (major, minor) in _HARMLESS:
            return
        if owner == 0 and not number(header[100:108]) & _OTHERS and not any(_ACCESS_LIST in key for key in keywords):
            return
        self._add(place)

    def add_hard_link(self, place: bytes, target: bytes) -> None:
        """Add a hard link to the member at the place ``target``. Raises Malformed as ``add``."""
        if target in self._nodes:
            self._add(place)

    def _add(self, place: bytes) -> None:
        if _FOLDERS.isdisjoint(place.split(b"/")[:-1]):
            raise Malformed(
                f"{printable_name(place)} is a device outside of a folder for devices (dev, devices) that others than "
                "root could open"
            )
        self._nodes.add(place)
