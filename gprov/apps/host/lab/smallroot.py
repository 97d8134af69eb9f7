"""Makes images of a few megabytes (without the kernel) from Debian's busybox-static, for tests with many starts.

Their system reports that it is up and powers the machine off.
"""

from __future__ import annotations

import hashlib
import os
import re
import struct

from gprov.apps.host.image.create import ImageMaker, ImageRequest, RootFolder
from gprov.apps.host.initramfs.cache import Cache, content_key
from gprov.apps.host.initramfs.hostfiles import copy_file, os_errors_translated, write_file
from gprov.apps.host.initramfs.progress import BuildProgress
from gprov.apps.host.lab.machine import REPORT_PORT
from gprov.apps.host.lab.products import file_digest
from gprov.apps.host.lab.rootfs import EPOCH
from gprov.domain.branding import Branding
from gprov.domain.errors import BadInput, Problem, ToolMissing
from gprov.domain.formats.efi.variables import EFI_GLOBAL
from gprov.domain.image.imgmeta import ImageMeta
from gprov.domain.image.name import ImageName
from gprov.domain.unit.cap import CAP_PCR
from gprov.ports.process import Processes

_BUSYBOX = "/bin/busybox"
_KIND = "small-images"
_FORMAT = "4"  # increment when this module makes other images
_PROGRAM = 0o755
_KEPT = 8
_FILES = 120
_VERSION_POINTER = 0x20E  # Linux boot protocol 2.00+: offset of the version string, relative to 0x200

# It mounts RECOVERY by its label, which replays the journal, as other systems do.
_INIT = f"""#!/bin/busybox sh
b=/bin/busybox
$b mount -t proc proc /proc 2>/dev/null
$b mount -t sysfs sysfs /sys 2>/dev/null
$b mount -t devtmpfs devtmpfs /dev 2>/dev/null
read -r uptime _ </proc/uptime
recovery=false
for attempt in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do
    node=$($b findfs LABEL=RECOVERY 2>/dev/null) && break
    $b sleep 1
done
[ -n "$node" ] && $b mount -t ext4 -o noexec,relatime "$node" /mnt/RECOVERY && recovery=true
tags=$(cd / && echo *.disktag)
flag=false
[ -e /{Branding().flag_file} ] && flag=true
$b mount -t securityfs securityfs /sys/kernel/security 2>/dev/null
$b mount -t efivarfs efivarfs /sys/firmware/efi/efivars 2>/dev/null
lockdown=
read -r lockdown 2>/dev/null </sys/kernel/security/lockdown
secured=$($b tail -c 1 /sys/firmware/efi/efivars/SecureBoot-{EFI_GLOBAL} 2>/dev/null | $b od -A n -t u1)
for port in /sys/class/virtio-ports/*; do
    [ "$($b cat "$port/name")" = {REPORT_PORT} ] && out=/dev/${{port##*/}}
done
[ -e /sys/class/tpm/tpm0/pcr-sha256/{CAP_PCR} ] && pcr=$($b cat /sys/class/tpm/tpm0/pcr-sha256/{CAP_PCR})
first='GPROV-LAB {{"verdict":"multi-user","uptime":%s,"disktag":"%s","flag":%s,"recovery":%s,"kernel":"%s"'
$b printf "$first,"'"cap":"%s","secure_boot":"%s","lockdown":"%s"}}\\n' \\
    "$uptime" "$tags" "$flag" "$recovery" "$($b uname -v)" "$pcr" "$($b echo $secured)" "$lockdown" \\
    >"${{out:-/dev/console}}"
$recovery && $b umount /mnt/RECOVERY
$b sync
$b mount -o remount,ro /
$b poweroff -f
"""
_ACCOUNTS = {
    "etc/passwd": (b"root:x:0:0::/:/bin/sh\nadmin:x:1000:1000::/home/admin:/bin/sh\n", 0o644),
    "etc/group": (b"root:x:0:\nshadow:x:42:\nsystemd-journal:x:101:\nadmin:x:1000:\n", 0o644),
    "etc/shadow": (b"root:*:19000:0:99999:7:::\nadmin:!:19000:0:99999:7:::\n", 0o640),
}
_FOLDERS = ("dev", "proc", "sys", "run", "tmp", "mnt/RECOVERY", "home/admin", "var/log", "boot")


class SmallImages:
    def __init__(self, processes: Processes, cache: Cache, progress: BuildProgress, images: ImageMaker) -> None:
        self._processes = processes
        self._cache = cache
        self._progress = progress
        self._images = images

    def image(self, kernel: str, name: ImageName) -> str:
        """Make an image; return its path in the cache. Images of different names differ in the content of most
        files."""
        key = content_key(file_digest(_required(_BUSYBOX)), file_digest(kernel), name.filename, _FORMAT)
        with self._cache.lock(_KIND, lambda: self._progress.note("image: waiting for another build to finish")):
            found = self._cache.find(_KIND, key)
            if found is None:
                with self._progress.phase(f"small image {name.stem}: make"):
                    found = self._cache.publish(_KIND, key, lambda path: self._make(kernel, name, path))
                self._cache.keep_newest(_KIND, _KEPT)
            return os.path.join(found, name.filename)

    def _make(self, kernel: str, name: ImageName, target: str) -> None:
        root = self._cache.path("work", "small-root")
        self._cache.remove(root)
        with os_errors_translated(root):
            os.makedirs(target)
            _fill(root, kernel, name.stem)
        request = ImageRequest(source=RootFolder(root), name=name, output=target, meta=ImageMeta(), preset=0)
        self._images.create(request, lambda line: self._progress.note(f"image: {line}"))
        self._cache.remove(root)


def renumbered(kernel: bytes, number: int) -> bytes:
    """Return the kernel with another build number of the same length in the version string of its header. Raises
    BadInput if the lengths differ."""
    (pointer,) = struct.unpack_from("<H", kernel, _VERSION_POINTER)
    start = 0x200 + pointer
    end = kernel.index(b"\0", start)
    version = kernel[start:end]
    changed = re.sub(rb"#(\d+)", b"#%d" % number, version, count=1)
    if changed == version or len(changed) != len(version):
        raise BadInput("kernel", [Problem("version", f"{version!r} cannot get build number {number}")])
    return kernel[:start] + changed + kernel[end:]


def _required(path: str) -> str:
    if not os.path.exists(path):
        raise ToolMissing("busybox", "apt-get install busybox-static")
    return path


def _fill(root: str, kernel: str, seed: str) -> None:
    """Create files with various owners and modes, hard and symbolic links, empty and large files."""
    branding = Branding()
    for name in _FOLDERS:
        os.makedirs(os.path.join(root, name))
    copy_file(_BUSYBOX, os.path.join(root, "bin/busybox"))
    write_file(os.path.join(root, branding.real_init[1:]), _INIT.encode())
    for path in ("bin/busybox", branding.real_init[1:]):
        os.chmod(os.path.join(root, path), _PROGRAM)
    os.symlink("busybox", os.path.join(root, "bin/sh"))
    for name, (content, mode) in _ACCOUNTS.items():
        write_file(os.path.join(root, name), content)
        os.chmod(os.path.join(root, name), mode)
    copy_file(kernel, os.path.join(root, "boot", branding.boot_kernel))
    for number in range(_FILES):
        _add_file(os.path.join(root, f"srv/{number % 7}/{number:03}"), seed, number)
    for parent, folders, files in os.walk(root):
        for name in (*folders, *files):
            os.utime(os.path.join(parent, name), (EPOCH, EPOCH), follow_symlinks=False)


def _add_file(path: str, seed: str, number: int) -> None:
    digest = hashlib.sha256(f"{seed} {number}".encode()).digest()
    size = int.from_bytes(digest[:2]) * (number % 3)  # 0 to 128 KiB
    write_file(path, hashlib.shake_256(digest).digest(size))
    os.chmod(path, 0o600 | (digest[2] & 0o177))
    os.chown(path, digest[3], digest[4])
    if number % 10 == 0:
        os.symlink(f"{number:03}", f"{path}.link")
        os.link(path, f"{path}.hard")
