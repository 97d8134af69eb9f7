"""The tools for the running system as one file: a tar archive of their paths below the root, or a Debian package.

The same tools, names and date give the same bytes. Formats: deb(5), deb-control(5), ar(5).
"""

from __future__ import annotations

import hashlib
import io
import lzma
import tarfile
from dataclasses import dataclass

from gprov import __version__
from gprov.apps.host.image.tool_sets import ALL_TOOLS, UPDATE, ToolSet, mode_of, parents
from gprov.domain.branding import Branding
from gprov.domain.formats.debian_version import debian_version

PACKAGE = "gprov-tools"
_COPYRIGHT_TEXT = """\
Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: gprov

Files: *
Copyright: the authors of gprov
License: MIT
"""
_CONTROL = """\
Package: {package}
Version: {version}
Architecture: all
Maintainer: gprov <gprov@localhost>
Installed-Size: {size}
Depends: systemd
Recommends: curl, ethtool, ipmitool, systemd-coredump, xz-utils
Section: admin
Priority: optional
Description: tools of gprov for the running system of an appliance
 Shell scripts for units that gprov provisions and restores: identity, kernel
 and image of the unit, its boot entry, requests for a factory restore or data
 erase, confirmation of boots, and the network configuration on RECOVERY.
"""


_UPDATE_CONTROL = """\
Package: {package}
Version: {version}
Architecture: all
Maintainer: gprov <gprov@localhost>
Installed-Size: {size}
Depends: gprov-tools (= {version}), libssl3, python3 (>= 3.11), systemd
Recommends: ca-certificates
Section: admin
Priority: optional
Description: updates over the air for an appliance
 Agent for units that gprov provisions and restores: polls an update server
 with hawkBit's DDI API, downloads signed images to RECOVERY, has the next
 start restore them at a time that the owner allows, and reports the result.
"""


@dataclass(frozen=True, slots=True)
class PackageKind:
    """``tools``: what it holds; ``control``: of the Debian package, but for version and size."""

    name: str
    tools: ToolSet
    control: str


TOOLS_PACKAGE = PackageKind(PACKAGE, ALL_TOOLS, _CONTROL)
UPDATE_PACKAGE = PackageKind("gprov-update", UPDATE, _UPDATE_CONTROL)


def tool_archive(tools: ToolSet, branding: Branding, date: int) -> bytes:
    """A .tar.xz to be unpacked in the root of an image. ``date``: of all files, in seconds of Unix time."""
    return _xz(_tar(_contents(PACKAGE, tools, branding), tools.links(), date))


def tool_members(tools: ToolSet, branding: Branding, date: int) -> bytes:
    """A plain tar archive to be appended to that of a root: its folders stay as they are there."""
    return _tar(_contents(PACKAGE, tools, branding), tools.links(), date, folders=False)


def tool_package(kind: PackageKind, branding: Branding, date: int) -> bytes:
    """A .deb. ``date``: as of ``tool_archive``."""
    contents, links = _contents(kind.name, kind.tools, branding), kind.tools.links()
    sums = "".join(f"{_md5(content)}  {path}\n" for path, content in sorted(contents.items()))
    size = sum(-(-len(content) // 1024) for content in contents.values()) + len(links)
    control = kind.control.format(package=kind.name, version=debian_version(__version__), size=size)
    members = {
        "debian-binary": b"2.0\n",
        "control.tar.xz": _xz(_tar({"control": control.encode(), "md5sums": sums.encode()}, {}, date)),
        "data.tar.xz": _xz(_tar(contents, links, date)),
    }
    return b"!<arch>\n" + b"".join(_ar_member(name, content, date) for name, content in members.items())


def _contents(package: str, tools: ToolSet, branding: Branding) -> dict[str, bytes]:
    return {**tools.files(branding), f"usr/share/doc/{package}/copyright": _COPYRIGHT_TEXT.encode()}


def _tar(contents: dict[str, bytes], links: dict[str, str], date: int, *, folders: bool = True) -> bytes:
    """Names begin with "./", and folders come first, as dpkg-deb has it."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for folder in ("", *parents(iter((*contents, *links)))) if folders else ():
            info = _member(folder, 0o755, date)
            info.type = tarfile.DIRTYPE
            archive.addfile(info)
        for path, content in sorted(contents.items()):
            info = _member(path, mode_of(path), date)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
        for path, target in sorted(links.items()):
            info = _member(path, 0o777, date)
            info.type, info.linkname = tarfile.SYMTYPE, target
            archive.addfile(info)
    return out.getvalue()


def _member(path: str, mode: int, date: int) -> tarfile.TarInfo:
    info = tarfile.TarInfo(f"./{path}")
    info.mode, info.mtime, info.uname, info.gname = mode, date, "root", "root"
    return info


def _xz(content: bytes) -> bytes:
    return lzma.compress(content, preset=6)


def _md5(content: bytes) -> str:
    """dpkg's check against damage."""
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


def _ar_member(name: str, content: bytes, date: int) -> bytes:
    header = f"{name:<16}{date:<12}{0:<6}{0:<6}{100644:<8}{len(content):<10}`\n"
    return header.encode() + content + b"\n" * (len(content) % 2)
