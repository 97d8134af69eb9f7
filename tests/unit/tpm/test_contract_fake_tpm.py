"""The simulated TPM keeps the contract."""

from __future__ import annotations

import struct

import pytest
from typing_extensions import override

from gprov.adapters.fake.firmware.tpm import FakeTpm
from gprov.adapters.fake.machine.machine import SimulatedMachine
from gprov.adapters.fake.machine.tpm import FakeTpmChip
from gprov.adapters.fake.machine.tpm_memory import FakeNv
from gprov.domain.formats.tpm.objects import STORAGE_ROOT_KEY
from gprov.ports.destructive.tpm import Tpm
from tests.unit.tpm.tpm_contract import RatchetContract, SealingContract, Site

_AUTH_READ_AND_WRITE_WRITTEN = 1 << 2 | 1 << 18 | 1 << 29


class SimulatedSite(Site):
    def __init__(self) -> None:
        self.chip = FakeTpmChip.new()
        self._machine = SimulatedMachine(tpm=self.chip)
        self.tpm: Tpm = FakeTpm(self._machine)

    @override
    def restart(self) -> None:
        self._machine.restart()

    @override
    def set_owner_password(self) -> None:
        self.chip.owned = True

    @override
    def clear(self) -> None:
        self.chip.forget()

    @override
    def lock_out(self) -> None:
        """What is locked are objects without the attribute noDA, of which gprov has none."""

    @override
    def take_root_key_handle(self) -> None:
        self.chip.persistent.append(STORAGE_ROOT_KEY)

    @override
    def drop_root_key(self) -> None:
        self.chip.persistent.remove(STORAGE_ROOT_KEY)

    @override
    def extend(self, pcr: int) -> None:
        with self.tpm.open() as channel:
            content = struct.pack(">IIIHBHIH", pcr, 9, 0x40000009, 0, 0, 0, 1, 0x0B) + bytes(32)
            channel.send(struct.pack(">HII", 0x8002, 10 + len(content), 0x182) + content)

    @override
    def undefine(self, index: int) -> None:
        del self.chip.nv[index]

    @override
    def redefine(self, index: int, value: int) -> None:
        self.chip.nv[index] = FakeNv(
            attributes=_AUTH_READ_AND_WRITE_WRITTEN, policy=b"", size=8, data=value.to_bytes(8, "big")
        )


@pytest.fixture
def site() -> Site:
    return SimulatedSite()


class TestSealing(SealingContract):
    pass


class TestRatchets(RatchetContract):
    pass
