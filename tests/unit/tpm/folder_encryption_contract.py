"""Contract of encrypted folders. The simulated machine keeps it in unit tests, the kernel of this machine, on a loop
device, in tests/integ/tpm: each has a class of tests that inherits these, and a fixture ``site``."""

from __future__ import annotations

from typing import Protocol

import pytest

from gprov.domain.errors import DeviceFault, DeviceMissing
from gprov.ports.file_system_keys import FolderEncryption
from gprov.ports.files import Files

KEY, OTHER_KEY = bytes(range(64)), bytes(64)


class Site(Protocol):
    """An ext4 volume with the feature ``encrypt``, mounted writable at ``mounted``."""

    encryption: FolderEncryption
    files: Files
    mounted: str

    def restart(self) -> None:
        """Unmount it and mount it again."""


class FolderEncryptionContract:
    def test_a_folder_is_encrypted_with_the_key_of_its_identifier(self, site: Site) -> None:
        encryption, folder = site.encryption, f"{site.mounted}/data"
        site.files.make_folder(folder)
        assert encryption.identifier_of(folder) is None
        identifier = encryption.add_key(site.mounted, KEY)
        assert len(identifier) == 16
        encryption.encrypt(folder, identifier)
        assert encryption.identifier_of(folder) == identifier
        site.restart()
        assert encryption.identifier_of(folder) == identifier
        assert encryption.add_key(site.mounted, OTHER_KEY) != identifier
        assert encryption.add_key(site.mounted, KEY) == identifier
        assert encryption.add_key(site.mounted, KEY) == identifier

    def test_a_folder_with_content_is_not_encrypted(self, site: Site) -> None:
        folder = f"{site.mounted}/data"
        site.files.make_folder(folder)
        site.files.replace(f"{folder}/file", b"x")
        identifier = site.encryption.add_key(site.mounted, KEY)
        with pytest.raises(DeviceFault):
            site.encryption.encrypt(folder, identifier)
        assert site.encryption.identifier_of(folder) is None

    def test_what_is_not_there_is_missing(self, site: Site) -> None:
        with pytest.raises(DeviceMissing):
            site.encryption.identifier_of(f"{site.mounted}/data")
        with pytest.raises(DeviceMissing):
            site.encryption.add_key(f"{site.mounted}/elsewhere", KEY)

    @pytest.mark.parametrize("size", [0, 15, 65])
    def test_keys_of_other_sizes_are_refused(self, site: Site, size: int) -> None:
        with pytest.raises(DeviceFault):
            site.encryption.add_key(site.mounted, bytes(size))
