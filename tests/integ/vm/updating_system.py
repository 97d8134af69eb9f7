"""The lab's small system with Python and the agent for updates: files that come on top of it, for an image and for the
PRIMARY of a unit that was restored before.

Its init takes the place of systemd: it confirms the start with gprov-boot-good, runs the agent, and powers the machine
off some time after the agent's answer was taken, so that a second one would be seen.
"""

from __future__ import annotations

import io
import os
import sys
import tarfile
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache

from gprov.apps.host.image.tool_sets import BOOT_GOOD
from gprov.apps.host.image.update_program import MODULE, update_program
from gprov.apps.host.initramfs.bytecode import compiled
from gprov.apps.host.initramfs.closure import Module, module_search_path, modules_of
from gprov.apps.host.initramfs.hostfiles import read_file
from gprov.apps.host.initramfs.libraries import Libraries
from gprov.apps.host.lab.rootfs import EPOCH
from gprov.apps.host.lab.volumes import ExtVolume
from gprov.domain.branding import Branding

_PROGRAM, _DATA = 0o755, 0o644
_NAMES = Branding()
_VERSION = f"{sys.version_info.major}.{sys.version_info.minor}"
_ANSWERED = '"Answered": true'
# Seconds between the answer and the end: some rounds of the agent.
AFTERWARDS = 25

_INIT = f"""#!/bin/busybox sh
b=/bin/busybox
$b mount -t proc proc /proc 2>/dev/null
$b mount -t sysfs sysfs /sys 2>/dev/null
$b mount -t devtmpfs devtmpfs /dev 2>/dev/null
$b mount -o remount,rw /
$b --install -s /bin
export PATH=/usr/sbin:/usr/bin:/bin
for attempt in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do
    node=$(findfs LABEL={_NAMES.recovery_label} 2>/dev/null) && break
    sleep 1
done
mount -t ext4 -o noexec,relatime "$node" /mnt/RECOVERY
ip link set dev lo up
for nic in /sys/class/net/e*; do
    ip link set dev "${{nic##*/}}" up
    ip addr add 10.0.2.15/24 dev "${{nic##*/}}"
done
gprov-boot-good
( while sleep 2; do
    grep -q '{_ANSWERED}' /mnt/RECOVERY/update/state.json 2>/dev/null || continue
    echo "update answered"
    sleep {AFTERWARDS}
    sync
    mount -o remount,ro /mnt/RECOVERY
    poweroff -f
done ) &
gprov-update run
echo "gprov-update ended with $?"
sleep 5
poweroff -f
"""
_SYSTEMCTL = """#!/bin/sh
# For gprov-update: "systemctl reboot".
echo "systemctl $*"
sync
mount -o remount,ro /mnt/RECOVERY 2>/dev/null
mount -o remount,ro / 2>/dev/null
reboot -f
"""


@dataclass(frozen=True, slots=True)
class SystemFile:
    content: bytes
    mode: int


def system_files() -> dict[str, SystemFile]:
    """By path relative to the root."""
    python = os.path.realpath(sys.executable)
    files = {
        "usr/bin/python3": SystemFile(read_file(python), _PROGRAM),
        "usr/sbin/gprov-update": SystemFile(update_program(_NAMES), _PROGRAM),
        "usr/bin/systemctl": SystemFile(_SYSTEMCTL.encode(), _PROGRAM),
        _NAMES.real_init.lstrip("/"): SystemFile(_INIT.encode(), _PROGRAM),
        **{path: SystemFile(content, _PROGRAM) for path, content in BOOT_GOOD.files(_NAMES).items()},
    }
    # What says that starts are confirmed.
    files |= {path: SystemFile(b"", _DATA) for path in BOOT_GOOD.links()}
    extensions = dict(_extensions())
    files |= {path: SystemFile(read_file(source), _DATA) for path, source in extensions.items()}
    files |= {path: SystemFile(read_file(source), _PROGRAM) for path, source in _libraries(python, extensions)}
    short = _VERSION.replace(".", "")
    return {**files, f"usr/lib/python{short}.zip": SystemFile(_standard_library(), _DATA)}


def tar_of(files: Mapping[str, SystemFile]) -> bytes:
    """With the folders that are needed."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for path in _folders(files):
            info = tarfile.TarInfo(path)
            info.type, info.mode, info.mtime = tarfile.DIRTYPE, _PROGRAM, EPOCH
            tar.addfile(info)
        for path, file in files.items():
            info = tarfile.TarInfo(path)
            info.size, info.mode, info.mtime = len(file.content), file.mode, EPOCH
            tar.addfile(info, io.BytesIO(file.content))
    return out.getvalue()


def put_into(root: ExtVolume, files: Mapping[str, SystemFile], work: str) -> None:
    """Into the root file system of a unit. ``work``: path of a file for each in turn."""
    for path in _folders(files):
        if not root.has(f"/{path}"):
            root.make_folder(f"/{path}")
    for path, file in files.items():
        if root.has(f"/{path}"):
            root.remove(f"/{path}")
        with open(work, "wb") as content:
            content.write(file.content)
        os.chmod(work, file.mode)
        root.add(work, f"/{path}")


def _folders(files: Mapping[str, SystemFile]) -> list[str]:
    """Parents before what is in them."""
    found = set()
    for path in files:
        while path := os.path.dirname(path):
            found.add(path)
    return sorted(found)


@cache
def _modules() -> tuple[Module, ...]:
    """Of the standard library, as far as the agent may need it."""
    library = os.path.dirname(os.__file__)
    found = modules_of([MODULE], ["encodings"], module_search_path(), exclude=("pydoc", "test", "unittest"))
    return tuple(one for one in found if one.source.startswith(f"{library}/"))


def _standard_library() -> bytes:
    """Bytecode, stored: the interpreter finds it at this place before anything else."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for module in _modules():
            if not module.is_extension:
                info = zipfile.ZipInfo(module.target, (1980, 1, 1, 0, 0, 0))
                archive.writestr(info, compiled(read_file(module.source), module.target, 0))
    return out.getvalue()


def _extensions() -> Iterator[tuple[str, str]]:
    for module in _modules():
        if module.is_extension:
            yield f"usr/lib/python{_VERSION}/lib-dynload/{os.path.basename(module.source)}", module.source


def _libraries(python: str, extensions: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    libraries = Libraries()
    for path in (python, *extensions.values()):
        libraries.add_dependencies_of(path)
    libraries.add("libcrypto.so.3", "libssl3")
    for target, source in libraries.files().items():
        # The small system has no links from /lib64 to /usr/lib64.
        yield (f"lib64/{os.path.basename(target)}" if target.startswith("usr/lib64/") else target), source
