"""The kernel of Debian's package, and the initramfs archives that Debian's own tools make for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from gprov.adapters.linux.system.process import SystemProcesses

PROCESSES = SystemProcesses()
SUITE = "bookworm"
# systemd, since a dracut without it is not what a distribution starts with.
PACKAGES = (
    "linux-image-amd64", "initramfs-tools", "dracut-core", "systemd", "systemd-sysv", "mount", "udev", "kmod",
    "busybox", "zstd", "e2fsprogs", "binutils",
)  # fmt: skip
# The modules of the unit's disk and root, which MODULES=dep would choose on the unit itself.
_MODULES_OF_THE_UNIT = ("ahci", "sd_mod", "ext4")
_HOOK = f"""#!/bin/sh
set -e
root=$1
kernel=$(ls "$root/lib/modules")
echo "LABEL=PRIMARY / ext4 ro 0 1" >"$root/etc/fstab"
chroot "$root" mkinitramfs -o /boot/initramfs-tools "$kernel"
cp -r "$root/etc/initramfs-tools" "$root/tmp/few"
sed -i s/^MODULES=.*/MODULES=list/ "$root/tmp/few/initramfs.conf"
printf '%s\\n' {" ".join(_MODULES_OF_THE_UNIT)} >>"$root/tmp/few/modules"
chroot "$root" mkinitramfs -d /tmp/few -o /boot/initramfs-tools-few "$kernel"
chroot "$root" dracut --no-hostonly --force /boot/dracut "$kernel"
mv "$root/boot/vmlinuz-$kernel" "$root/boot/vmlinuz"
"""
_SECONDS = 3600.0


@dataclass(frozen=True)
class Distribution:
    """Paths. ``archives``: by the name of what made them."""

    kernel: str
    archives: Mapping[str, str]


def distribution(folder: Path) -> Distribution:
    """Made in a Debian root by mmdebstrap, and kept in ``folder``. Needs root, and some minutes the first time."""
    archives = {
        "initramfs-tools, MODULES=most": "initramfs-tools",
        "initramfs-tools, modules of the unit": "initramfs-tools-few",
        "dracut": "dracut",
    }
    if not (folder / "complete").exists():
        folder.mkdir(parents=True, exist_ok=True)
        hook = folder / "hook"
        hook.write_text(_HOOK)
        hook.chmod(0o755)
        command = (
            *("mmdebstrap", "--mode=root", "--variant=apt", "--format=null", f"--include={','.join(PACKAGES)}"),
            *("--aptopt=APT::Install-Recommends false", f"--customize-hook={hook}"),
            *(f"--customize-hook=copy-out /boot/{name} {folder}" for name in ("vmlinuz", *archives.values())),
            *(SUITE, "/dev/null"),
        )
        PROCESSES.run(command, timeout=_SECONDS)
        (folder / "complete").touch()
    return Distribution(str(folder / "vmlinuz"), {name: str(folder / file) for name, file in archives.items()})
