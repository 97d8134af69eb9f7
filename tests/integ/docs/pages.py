"""Which pages are run, in which surroundings, and from which files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from gprov.adapters.fake.archive.artifacts import build_image, build_kernel
from gprov.adapters.fake.dmi.tables import FakeSystem, build_table
from gprov.apps.host.simulation.new_worlds import new_world
from gprov.domain.factory.document_kind import DocumentKind
from tests.gprovision.volumes import PLAIN_TEXT
from tests.integ.docs.blocks import Block, Kind, blocks_of
from tests.integ.docs.sandbox import CHECKOUT, Surroundings
from tests.unit.flow.driver import UnitDriver

FOLDERS = ("docs/tutorial", "docs/how-to")
IMAGE = "WIDGET.LNX.SHINY.2026-01-15.0001.upd"
# Nothing is rebuilt for these: the smallest files that gprov takes for an image and a kernel.
_KERNEL_NUMBER = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """``names``: pages that a reader follows one after the other, in one folder. ``nightly``: pages among them that
    are too long for every run. ``prepare`` puts files that the text takes for granted into that folder."""

    names: tuple[str, ...]
    around: Surroundings = field(default_factory=Surroundings)
    nightly: bool = False
    prepare: Callable[[Path], None] = lambda _folder: None


def read(name: str) -> tuple[Block, ...]:
    return blocks_of((CHECKOUT / name).read_text())


def all_pages() -> tuple[str, ...]:
    """Paths of all pages with commands that have to run, relative to the checkout."""
    found = [path for folder in FOLDERS for path in (CHECKOUT / folder).rglob("*.md")]
    return tuple(sorted(str(path.relative_to(CHECKOUT)) for path in found))


def not_run() -> str:
    """What docs/evidence/commands-not-run.md has to hold."""
    lines = []
    for name in all_pages():
        for block in read(name):
            first = block.text.strip().splitlines()[0] if block.text.strip() else ""
            if block.kind is Kind.NOT_RUN:
                lines.append(
                    f"| {name.removeprefix('docs/')} | `{first.replace('|', chr(92) + '|')}` | {block.reason} |"
                )
    return _HEAD + "\n".join(lines) + "\n"


_HEAD = """# Commands that no test runs

All other commands of tutorial and how-to guides run in `tests/integ/docs`. This page is made by `python -m
tests.integ.docs.write_not_run`, and compared by a test. A row has the first line of a block.

| page | block | why it is not run |
|---|---|---|
"""


def built(folder: Path) -> None:
    """The image and both kernels that guides of the factory have in ``built/``."""
    (folder / "built").mkdir()
    kernel = build_kernel(_KERNEL_NUMBER)
    image = build_image(kernel)
    for name, content in ((IMAGE, image), ("norm_boot", kernel), ("provision.pxe", kernel)):
        (folder / "built" / name).write_bytes(content)


def signed_units(folder: Path) -> None:
    """Images and manufData.json for the guide about signing, in the folder itself."""
    kernel = build_kernel(_KERNEL_NUMBER)
    for name in (IMAGE, "WIDGET.LNX.SHINY.2025-06-01.0007.upd"):
        (folder / name).write_bytes(build_image(kernel))
    (folder / "manufData.json").write_text('{"Files": [], "ValidationData": []}\n')


def machine_reports(folder: Path) -> None:
    """What is known of a machine that is not in any table yet: a dump of its SMBIOS table, and what it reported to a
    factory server. A table of platforms and a branding, for pages that take them for granted."""
    acme = FakeSystem(manufacturer="ACME", product="Gateway 1", serial="ACME-0001", board=("ACME", "Gateway 1", "B1"))
    unit = UnitDriver(new_world())
    unit.machine.smbios = build_table(acme)
    (folder / "machine.dmi").write_bytes(unit.machine.smbios)
    unit.provision_fails()
    [name] = unit.factory.serials
    for file, kind in (("smbios.b64", DocumentKind.SMBIOS), ("hardware.json", DocumentKind.HARDWARE)):
        (folder / file).write_text(unit.factory.reports[name, kind])
    (folder / "appliance.json").write_text((CHECKOUT / "tests/integ/docs/gateway.json").read_text())
    (folder / "branding.json").write_text('{"image_prefix": "ACME."}\n')


# Run in the root folder of the sandbox. A disk that holds something:
DISK = """
dd if=/dev/urandom of=root/tutorial/.disk bs=1M count=64 status=none
disk=$(losetup --find --show root/tutorial/.disk)
serial=$disk
export disk serial
"""
# Keys of an owner, without passphrases, and their trust chain:
SIGNER = """
(
cd root/tutorial
for name in a b signer; do gprov keys new --no-passphrase $name; done
gprov keys new-chain --root a.pub --root b.pub --signer signer.pub --output first
gprov keys sign first --key a.key
gprov keys sign first --key b.key
gprov keys join first first.*.minisig --output trust.chain
) >&2
"""
# A stick, already mounted, and files of a signed image as the guide about signing makes them:
STICK = """
mkdir -p media/stick
mount -t tmpfs stick media/stick
touch root/tutorial/trust.chain root/tutorial/WIDGET.LNX.SHINY.2026-01-15.0001.upd.manifest
touch root/tutorial/WIDGET.LNX.SHINY.2026-01-15.0001.upd.manifest.minisig
"""
# A folder of the factory server that was made without https:
SERVED = "mkdir -p srv/factory\n"


def of_gprovision(folder: Path) -> None:
    """An image and a kernel to take a unit over with; ``.unit`` is what the unit has on its RECOVERY."""
    kernel = build_kernel(_KERNEL_NUMBER)
    (folder / "norm_boot").write_bytes(kernel)
    (folder / "WIDGET.LNX.SHINY.2026-01-15.1.upd").write_bytes(build_image(kernel))
    unit = folder / ".unit"
    (unit / "Image").mkdir(parents=True)
    (unit / "Image/WIDGET.LNX.SHINY.2019-05-01.3.upd").write_bytes(build_image(build_kernel(9)))
    (unit / "norm_boot").write_bytes(build_kernel(37))
    (unit / "insecure.storage").write_bytes(PLAIN_TEXT)


# Volumes of a unit of gprovision, as its running system has them: RECOVERY with the ESP in it, and boot partitions.
# (The ESP is ext2, since the kernel of the machine that runs the tests need not have FAT.) A restart does what the
# unit would do: it marks its new system as whole.
UNIT_OF_GPROVISION = """
cd root/tutorial/.unit
truncate --size 64M ../.RECOVERY ../.boot0 ../.boot1 ../.ESP
mkfs.ext3 -q -F -L RECOVERY ../.RECOVERY
mkfs.ext2 -q -F -L boot0 ../.boot0
mkfs.ext2 -q -F -L boot1 ../.boot1
mkfs.ext2 -q -F -L ESP ../.ESP
cd ../../..
mkdir -p mnt/RECOVERY
losetup --find root/tutorial/.boot0
losetup --find root/tutorial/.boot1
mount -o loop root/tutorial/.RECOVERY mnt/RECOVERY
mkdir mnt/RECOVERY/ESP
mount -o loop root/tutorial/.ESP mnt/RECOVERY/ESP
cp --recursive root/tutorial/.unit/. mnt/RECOVERY/
chown --recursive 1001:1001 mnt/RECOVERY/Image mnt/RECOVERY/norm_boot
chown 1001:1001 mnt/RECOVERY
touch boot.normal
rm usr/sbin/reboot
printf '#!/bin/sh\necho "the unit restarts"\ntouch /boot.normal\n' >usr/sbin/reboot
chmod 755 usr/sbin/reboot
"""
