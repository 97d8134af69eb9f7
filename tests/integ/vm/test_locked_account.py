"""A unit whose RECOVERY has lost the hash of the administrator's password: restored, with the account locked."""

from __future__ import annotations

import io
import lzma
import re
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from gprov.adapters.linux.system.process import SystemProcesses
from gprov.apps.host.lab.lifecycle import RESTORED, STARTED
from gprov.apps.host.lab.products import Products
from gprov.apps.host.lab.stage import StageResult
from gprov.apps.host.lab.unit import VirtualUnit
from gprov.apps.host.lab.volumes import ext_volume, remove_flag
from tests.integ.vm.unit_disks import newest_log

pytestmark = pytest.mark.vm

RunStage = Callable[..., StageResult]
ROOT, STICK = 1, 2
HASH = "/secrets/admin.hash"
IMAGE = "WIDGET.LNX.SHINY.2024-02-01.0002"
# Of the image, and so of all units that were restored from it.
OWN = "$6$lablablab$" + "x" * 86


def shadow(unit: VirtualUnit) -> str:
    with ext_volume(SystemProcesses(), unit.primary(), ROOT) as root:
        return root.read("/etc/shadow").decode()


def password_field(text: str) -> str:
    (found,) = re.findall(r"^admin:([^:]*):", text, re.MULTILINE)
    return str(found)


def add_shadow(image: Path, content: bytes) -> None:
    """Append an xz stream with one more archive: the account file that counts is the last one."""
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        info = tarfile.TarInfo("etc/shadow")
        info.size, info.mode = len(content), 0o640
        tar.addfile(info, io.BytesIO(content))
    with image.open("ab") as file:
        file.write(lzma.compress(raw.getvalue(), check=lzma.CHECK_SHA256))


def test_without_its_password_hash_a_unit_is_restored_with_a_locked_account(
    overlay: VirtualUnit, run_stage: RunStage, small_products: Products, tmp_path: Path
) -> None:
    before = shadow(overlay)
    assert password_field(before).startswith("$")
    image = tmp_path / "image"
    image.write_bytes(Path(small_products.image).read_bytes())
    add_shadow(image, before.replace(password_field(before), OWN).encode())
    with ext_volume(SystemProcesses(), overlay.recovery, STICK, writable=True) as stick:
        stick.remove(HASH)
        stick.add(str(image), f"/Image/{IMAGE}.upd")
    remove_flag(SystemProcesses(), overlay)

    run_stage("locked", overlay, RESTORED)
    with ext_volume(SystemProcesses(), overlay.primary(), ROOT) as root:
        assert root.has(f"/{IMAGE}.disktag")
    # shadow(5): with such a field no password fits.
    assert password_field(shadow(overlay)) in ("!", "*")
    with ext_volume(SystemProcesses(), overlay.recovery, STICK) as stick:
        assert not stick.has(HASH)
        log = newest_log(stick, "recov")
    console = Path(overlay.serial_log("locked")).read_text(errors="replace")
    for text in (log, console):
        assert re.search(r" ERROR .*admin account .* LOCKED: \S*/secrets/admin\.hash: is not there", text), text[-4000:]
        assert re.search(r"into secrets/admin.hash on RECOVERY, and restore again", text)

    started = run_stage("locked-start", overlay, STARTED)
    assert started.system
    assert started.system.facts["disktag"] == f"{IMAGE}.disktag"
