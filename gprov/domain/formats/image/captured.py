"""Archive members that were captured while the archive was read."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class CapturedFiles:
    """Content of the few members that a restore plan needs, or None for missing ones.

    Of members with the same name the last one counts, as in unpacking.
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
    module_releases: tuple[str, ...] = ()  # kernel releases (uname -r) of which the image holds modules
