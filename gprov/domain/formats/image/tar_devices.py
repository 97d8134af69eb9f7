"""Which device nodes an image may hold.

A root file system has some in ``/dev``, and so have the roots of jails in it (``/var/spool/postfix/dev/random``); older
systems keep copies in ``…/devices``. A node anywhere else gives whoever may open it a disk or memory past all
permissions of files, where nobody looks for it: no image needs one, and one that has it is refused. The exception is
the character device 0:0, by which overlay file systems note that a file is gone.
"""

from __future__ import annotations

from gprov.domain.formats.image.tar_fields import Malformed, number
from gprov.domain.formats.printable import printable_name

_CHARACTER = b"3"
_DEVICES = (b"3", b"4")
_FOLDERS = frozenset((b"dev", b"devices"))
# dev_t of Linux: 12 bits and 20 bits.
_MAJOR, _MINOR = (1 << 12) - 1, (1 << 20) - 1


def check_device(header: bytes, kind: bytes, name: bytes) -> None:
    """Raises Malformed if the member ``name`` is a device that an image may not hold."""
    if kind not in _DEVICES:
        return
    major, minor = number(header[329:337]), number(header[337:345])
    if major > _MAJOR or minor > _MINOR:
        raise Malformed(
            f"{printable_name(name)} is a device with the number {major}:{minor}, which Linux does not have"
        )
    if kind == _CHARACTER and (major, minor) == (0, 0):
        return
    if _FOLDERS.isdisjoint(name.split(b"/")[:-1]):
        raise Malformed(f"{printable_name(name)} is a device outside of a folder for devices (dev, devices)")
