"""Members of an archive that were kept while the archive was read."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class CapturedFiles:
    """Content of the few members that a restore plan needs, captured while the archive was read.

    A member that is not there is None. Later members of the same name win, as they do when unpacked.
    """

    passwd: bytes | None = field(default=None, repr=False)
    group: bytes | None = field(default=None, repr=False)
    shadow: bytes | None = field(default=None, repr=False)
    fstab: bytes | None = field(default=None, repr=False)
    hosts: bytes | None = field(default=None, repr=False)
    imgmeta: bytes | None = None
    kernel_start: bytes | None = field(default=None, repr=False)  # first 64 KiB of /boot/norm_boot
    has_init: bool = False
    has_network: bool = False  # files for systemd-networkd in /etc/systemd/network
