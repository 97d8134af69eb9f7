"""The TPM of the simulated machine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from typing_extensions import override

from gprov.adapters.fake.machine.machine import SimulatedMachine
from gprov.adapters.fake.machine.tpm import FakeTpmChip
from gprov.domain.errors import DeviceMissing
from gprov.ports.destructive.tpm import Tpm, TpmChannel


class FakeTpm(Tpm):
    """Power cuts happen before each command."""

    def __init__(self, machine: SimulatedMachine) -> None:
        self._machine = machine

    @override
    def version(self) -> int | None:
        return self._machine.tpm.version if self._machine.tpm is not None else None

    @override
    @contextmanager
    def open(self) -> Iterator[TpmChannel]:
        chip = self._chip()
        try:
            yield _Channel(self._machine, chip)
        finally:
            chip.flush()

    @override
    def request_clear(self) -> str:
        self._machine.begin_write("request to the firmware to clear the TPM")
        chip = self._chip()
        if not chip.presence:
            raise DeviceMissing("TPM", "the firmware has no interface by which it can be cleared at its next start")
        chip.requested = True
        return "physical presence operation 5 is pending; transition: 2: Reboot"

    def _chip(self) -> FakeTpmChip:
        if self._machine.tpm is None:
            raise DeviceMissing("TPM", "there is none")
        return self._machine.tpm


class _Channel(TpmChannel):
    def __init__(self, machine: SimulatedMachine, chip: FakeTpmChip) -> None:
        self._machine = machine
        self._chip = chip

    @override
    def send(self, command: bytes) -> bytes:
        self._machine.begin_write("command to the TPM")
        return self._chip.reply_to(command)
