"""Encrypted folders on the kernel of this machine, and one whose key is sealed to the TPM of swtpm; read by
debugfs, and as the bytes of the device."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from typing_extensions import override

from gprov.adapters.fake.system.clock import FakeClock
from gprov.adapters.linux.files.files import LinuxFiles
from gprov.adapters.linux.filesystem.fscrypt import FscryptFolders
from gprov.adapters.linux.filesystem.mounts import LinuxMounts
from gprov.adapters.linux.system.random import SystemRandomness
from gprov.apps.init.encrypted_folder import EncryptedFolder
from gprov.apps.unit.execution.tpm.sealing import TpmSealing
from gprov.domain.disk.model import Contents, Volume
from gprov.domain.errors import DeviceFault
from tests.integ.disk.conftest import MakeDisk, blocks, make_disk, mount_point, run
from tests.integ.tpm.tpm_on_terminal import tpm_on_terminal
from tests.unit.tpm.folder_encryption_contract import FolderEncryptionContract, Site

pytestmark = pytest.mark.device

__all__ = ["blocks", "make_disk", "mount_point"]

SIZE = 64 << 20
SECRET = b"what a customer would not have others read, " * 100


class LoopSite(Site):
    def __init__(self, volume: Volume, mounted: Path) -> None:
        self.volume = volume
        self.encryption = FscryptFolders()
        self.files = LinuxFiles()
        self.mounted = str(mounted)
        self.mount()

    def mount(self, *options: str) -> None:
        LinuxMounts().mount(self.volume.node, self.mounted, "ext4", options)

    def unmount(self) -> None:
        LinuxMounts().unmount(self.mounted)

    @override
    def restart(self) -> None:
        self.unmount()
        self.mount()


@pytest.fixture
def site(make_disk: MakeDisk, mount_point: Path) -> LoopSite:
    disk = make_disk(SIZE)
    run("mkfs.ext4", "-q", "-O", "encrypt", disk.node)
    volume = Volume(
        disk=disk, node=disk.node, device=disk.device, contents=Contents("ext4", "PRIMARY", "aa-bb"), partition=None
    )
    return LoopSite(volume, mount_point)


class TestFolderEncryption(FolderEncryptionContract):
    pass


def folder_on(site: LoopSite, sealing: TpmSealing) -> EncryptedFolder:
    return EncryptedFolder(
        folder="/data",
        key_file="/key",
        sealing=sealing,
        encryption=site.encryption,
        files=site.files,
        mounts=LinuxMounts(),
        randomness=SystemRandomness(),
    )


def test_a_folder_is_read_on_this_unit_only(site: LoopSite, tmp_path: Path) -> None:
    data, file = Path(site.mounted, "data"), Path(site.mounted, "data", "letter.txt")
    with tpm_on_terminal(tmp_path) as tpm:
        sealing = TpmSealing(tpm.adapter, FakeClock())
        site.unmount()
        site.mount("ro")
        folder_on(site, sealing).load(site.volume, site.mounted)
        assert "ro," in run("findmnt", "-n", "-o", "OPTIONS", site.mounted)
        sealing.end()
        # The running system.
        run("mount", "-o", "remount,rw", site.mounted)
        file.write_bytes(SECRET)
        site.unmount()
    assert SECRET[:40] not in Path(site.volume.node).read_bytes()
    assert "letter" not in run("debugfs", "-R", "ls /data", site.volume.node)
    # EXT4_ENCRYPT_FL
    assert "Flags: 0x80800" in run("debugfs", "-R", "stat /data", site.volume.node)
    site.mount("ro")
    assert [name for name in os.listdir(data) if name != "letter.txt"]
    with tpm_on_terminal(tmp_path) as tpm:  # the next start of the machine
        folder_on(site, TpmSealing(tpm.adapter, FakeClock())).load(site.volume, site.mounted)
        assert file.read_bytes() == SECRET
    site.unmount()
    site.mount("ro")
    other = tmp_path / "other"
    other.mkdir()
    with tpm_on_terminal(other) as tpm, pytest.raises(DeviceFault, match="made by another TPM"):
        folder_on(site, TpmSealing(tpm.adapter, FakeClock())).load(site.volume, site.mounted)
    with pytest.raises(OSError, match=r"Required key not available|No such file"):
        file.read_bytes()
