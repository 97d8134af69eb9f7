"""An encrypted folder of a simulated unit, whose key is sealed to its TPM."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import pytest
from typing_extensions import override

from gprov.adapters.fake.files.files import FakeFiles
from gprov.adapters.fake.filesystem.encryption import FakeFolderEncryption
from gprov.adapters.fake.filesystem.mounts import FakeMounts
from gprov.adapters.fake.machine.machine import SimulatedMachine
from gprov.adapters.fake.machine.stop import StopReason
from gprov.adapters.fake.machine.storage import FakeMount, Node
from gprov.adapters.fake.machine.tpm import FakeTpmChip
from gprov.apps.init.encrypted_folder import EncryptedFolder
from gprov.apps.unit.composition.container import UnitContainer
from gprov.apps.unit.composition.wiring import set_value
from gprov.domain.events import Severity
from gprov.domain.files import FileType
from tests.unit.flow import units
from tests.unit.flow.driver import UnitDriver
from tests.unit.tpm.folder_encryption_contract import FolderEncryptionContract, Site

if TYPE_CHECKING:
    from gprov.apps.init.container import InitContainer

FOLDER, KEY_FILE = "/srv/data", "/etc/provisioning/data.key.sealed"


class Installation:
    """What an adopter's start module does."""

    def __init__(self, machine: SimulatedMachine) -> None:
        self._machine = machine

    def __call__(self, container: UnitContainer) -> None:
        if not hasattr(container, "file_system_keys"):
            return
        keys = EncryptedFolder(
            folder=FOLDER,
            key_file=KEY_FILE,
            sealing=container.sealing(),
            encryption=FakeFolderEncryption(self._machine),
            files=container.files(),
            mounts=container.mounts(),
            randomness=container.randomness(),
        )
        # Instances of containers are not instances of their classes.
        set_value(cast("InitContainer", container).file_system_keys, keys)


def new_unit(tpm: FakeTpmChip | None) -> UnitDriver:
    unit = units.blank()
    unit.machine.tpm = tpm
    unit.world.install = Installation(unit.machine)
    unit.provision()
    assert unit.boot() is StopReason.REBOOT
    return unit


@pytest.fixture
def unit() -> UnitDriver:
    """It was restored, and has not started its system yet."""
    return new_unit(FakeTpmChip.new())


def identifier(unit: UnitDriver) -> bytes:
    return unit.node("PRIMARY", FOLDER).content


def test_the_system_has_the_folder_and_its_key_at_each_start(unit: UnitDriver) -> None:
    assert unit.boot() is StopReason.SWITCHED_ROOT
    first = identifier(unit)
    assert len(first) == 16
    assert unit.machine.kernel_keys == {first}
    assert unit.node("PRIMARY", KEY_FILE).mode == 0o600
    assert unit.node("PRIMARY", FOLDER).mode == 0o700
    assert all(mount.read_only for mount in root_mounts(unit))
    for _ in range(2):
        assert unit.boot() is StopReason.SWITCHED_ROOT
        assert identifier(unit) == first
        assert unit.machine.kernel_keys == {first}


def root_mounts(unit: UnitDriver) -> list[FakeMount]:
    return [mount for mount in unit.machine.mounts if mount.volume.label == "PRIMARY"]


def test_a_restore_begins_with_another_key(unit: UnitDriver) -> None:
    unit.boot()
    first = identifier(unit)
    unit.remove_flag()
    assert unit.settle() == ("reboot", "switched root")
    assert unit.machine.kernel_keys == {identifier(unit)}
    assert identifier(unit) != first


@pytest.mark.parametrize("torn", [False, True])
def test_a_power_cut_anywhere_in_the_first_start_leaves_a_folder_with_its_key(unit: UnitDriver, torn: bool) -> None:
    names = unit.operations()
    assert any(name.startswith("encrypt ") for name in names)
    for at, name in enumerate(names):
        copy = unit.copy()
        copy.machine.torn_cuts = torn
        copy.cut(at)
        assert copy.settle()[-1] == "switched root", name
        assert copy.machine.kernel_keys == {identifier(copy)}, name


def test_without_the_key_the_system_is_started_and_it_is_shown(unit: UnitDriver) -> None:
    unit.boot()
    unit.machine.tpm = FakeTpmChip.new(b"other")
    assert unit.boot() is StopReason.SWITCHED_ROOT
    assert "started without the keys of its encrypted file systems" in unit.log(Severity.ERROR)
    assert unit.machine.kernel_keys == set()


def test_a_key_file_that_was_removed_is_not_replaced(unit: UnitDriver) -> None:
    unit.boot()
    first = identifier(unit)
    unit.remove("PRIMARY", KEY_FILE)
    assert unit.boot() is StopReason.SWITCHED_ROOT
    assert f"its key is gone: there is no {KEY_FILE}" in unit.log(Severity.ERROR)
    assert identifier(unit) == first


def test_a_folder_of_another_key_is_left_as_it_is(unit: UnitDriver) -> None:
    unit.boot()
    unit.put("PRIMARY", FOLDER, Node(type=FileType.FOLDER, content=bytes(16)))
    assert unit.boot() is StopReason.SWITCHED_ROOT
    assert "is encrypted with another key than the unit's" in unit.log(Severity.ERROR)
    assert identifier(unit) == bytes(16)


def test_without_a_tpm_nothing_is_encrypted() -> None:
    unit = new_unit(None)
    assert unit.boot() is StopReason.SWITCHED_ROOT
    assert not unit.exists("PRIMARY", FOLDER)
    assert not unit.exists("PRIMARY", KEY_FILE)
    assert "TPM: there is none" in unit.log(Severity.ERROR)


class SimulatedSite(Site):
    def __init__(self) -> None:
        self._unit = units.running()
        machine = self._unit.machine
        self.encryption = FakeFolderEncryption(machine)
        self.files = FakeFiles(machine)
        self.mounted = "/mnt"
        self.restart()

    @override
    def restart(self) -> None:
        machine = self._unit.machine
        machine.flush()
        machine.restart()
        FakeMounts(machine).mount("/dev/sda1", self.mounted, "ext4", ())


@pytest.fixture
def site() -> Site:
    return SimulatedSite()


class TestFolderEncryption(FolderEncryptionContract):
    pass
