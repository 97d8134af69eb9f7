"""Device nodes that an image may contain.

A root file system has some in ``/dev``, and the roots of jails in it (``/var/spool/postfix/dev/random``) as well; older
systems keep copies in ``…/devices``. A node anywhere else would give access to disks or memory regardless of file
permissions, and no image needs one: such images are rejected. The exception is the character device 0:0, with which
overlay file systems mark deleted files.
"""

from __future__ import annotations

from gprov.domain.formats.image.tar_fields import Malformed, number
from gprov.domain.formats.printable import printable_name

_CHARACTER = b"3"
_DEVICES = (b"3", b"4")
_FOLDERS = frozenset((b"dev", b"devices"))
# dev_t of Linux: 12 bits and 20 bits.
_MAJOR, _MINOR = (1 << 12) - 1, (1 << 20) - 1


class Devices:
    """Device nodes of the members so far, by place: the names that tar writes them to. Hard links are nodes as well."""

    def __init__(self) -> None:
        self._nodes: set[bytes] = set()

    def replace(self, place: bytes) -> None:
        """A member of any type is written at ``place``."""
        self._nodes.discard(place)

    def add(self, header: bytes, kind: bytes, place: bytes) -> None:
        """Add a member without data. Raises Malformed if it is a device that an image may not contain."""
        if kind not in _DEVICES:
            return
        major, minor = number(header[329:337]), number(header[337:345])
        if major > _MAJOR or minor > _MINOR:
            raise Malformed(
                f"{printable_name(place)} is a device with the number {major}:{minor}, which Linux does not have"
            )
        if kind != _CHARACTER or (major, minor) != (0, 0):
            self._add(place)

    def add_hard_link(self, place: bytes, target: bytes) -> None:
        """Add a hard link to the member at the place ``target``. Raises Malformed as ``add``."""
        if target in self._nodes:
            self._add(place)

    def _add(self, place: bytes) -> None:
        if _FOLDERS.isdisjoint(place.split(b"/")[:-1]):
            raise Malformed(f"{printable_name(place)} is a device outside of a folder for devices (dev, devices)")
        self._nodes.add(place)
