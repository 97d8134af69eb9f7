"""A simulated ATA drive at the level of ATA commands (ACS-4)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum

from gprov.adapters.fake.drives.ata_model import DEFAULT_ATA_MODEL, AtaModel, configuration_data, identify_data
from gprov.adapters.fake.drives.ata_sanitize import SanitizeUnit
from gprov.adapters.fake.drives.ata_security import SecurityUnit
from gprov.adapters.fake.drives.faults import NO_ATA_FAULTS, AtaFaults
from gprov.adapters.fake.drives.store import Store
from gprov.adapters.fake.drives.work import Work
from gprov.domain.formats.ata.commands import SMART_READ_DATA, AtaCommand
from gprov.domain.formats.ata.registers import AtaRegisters
from gprov.domain.formats.ata.smart import serialise_smart_data
from gprov.ports.clock import Clock

_READY = 0x50
_FAILED = 0x51
_ABORT = 0x04
_USES_LBA = 0x40
_LOW_28 = 0x0FFFFFFF
_SMART_KEY = 0xC24F
_IDLE = 0xFF  # CHECK POWER MODE: active or idle


@dataclass(frozen=True, slots=True)
class AtaResult:
    registers: AtaRegisters
    data: bytes = b""


class Media(Enum):
    """Whether data can be read and written."""

    READY = "ready"
    LOCKED = "locked"
    SANITIZING = "sanitizing"
    SANITIZE_FAILED = "sanitize failed"


class AtaDevice:
    """``clock``: simulated work takes its time. ``store`` has the size of the whole medium. ``smart``: counters of the
    attributes that it states, by id."""

    def __init__(
        self,
        clock: Clock,
        store: Store,
        model: AtaModel = DEFAULT_ATA_MODEL,
        faults: AtaFaults = NO_ATA_FAULTS,
    ) -> None:
        self.model = model
        self.faults = faults
        self.store = store
        self.accessible = model.sectors - model.dco_sectors - model.hpa_sectors
        self.security = SecurityUnit()
        self.sanitize = SanitizeUnit(
            clock, model.sanitize, model.sanitize_seconds, self._sanitized, antifreeze_supported=model.antifreeze
        )
        self.received: list[AtaCommand] = []
        self.smart = {5: 0, 9: 12, 197: 0, 198: 0, 199: 0}
        self._clock = clock
        self._erase: Work | None = None
        self._dead = False
        self._may_die = faults.dies_at is not None
        self.security.password = faults.locked_by or faults.enabled_by
        if self.security.password is not None:
            self.security.password = self.security.password.ljust(32, b"\0")
        self._power_on()
        if faults.enabled_by is not None:
            self.security.locked = False

    def power_cycle(self) -> None:
        """A security erase that was in progress is lost, a sanitize operation continues."""
        self._dead, self._erase = False, None
        self._power_on()

    @property
    def media(self) -> Media:
        if self.security.locked:
            return Media.LOCKED
        if self.sanitize.in_progress:
            return Media.SANITIZING
        return Media.SANITIZE_FAILED if self.sanitize.state == "SD3" else Media.READY

    @property
    def answers(self) -> bool:
        """False while the drive is dead or busy. Brings its state up to date."""
        self._settle()
        return not self._dead and self._erase is None

    def execute(self, command: AtaCommand, data: bytes, seconds: float) -> AtaResult | None:
        """None: no reply within ``seconds``. ``data``: what the host sends."""
        self.received.append(command)
        if not self.answers:
            self._clock.sleep(seconds)
            return None
        number = len(self.received)
        if number in self.faults.aborts_numbers or command.opcode in self.faults.aborts:
            self.security.other_command()
            return _aborted()
        result = self._erase_unit(data, seconds) if command.opcode == 0xF4 else self._quick(command, data)
        return None if number in self.faults.loses_numbers else result

    def _quick(self, command: AtaCommand, data: bytes) -> AtaResult:
        self.security.other_command()
        if self.sanitize.in_progress and command.opcode not in (0xEC, 0xB4, 0xE5):
            return _aborted()
        handler = self._handlers.get(command.opcode)
        return handler(command, data) if handler is not None else _aborted()

    @property
    def _handlers(self) -> Mapping[int, Callable[[AtaCommand, bytes], AtaResult]]:
        security = self.security
        password = {
            0xF1: lambda _command, data: _done(security.set_password(data)),
            0xF2: lambda _command, data: _done(security.unlock(data)),
            0xF3: lambda _command, _data: _done(security.prepare()),
            0xF5: lambda _command, _data: _done(security.freeze()),
            0xF6: lambda _command, data: _done(security.disable(data)),
        }
        return {
            0xEC: lambda _command, _data: AtaResult(_registers(), self._identify()),
            0xE5: lambda _command, _data: AtaResult(_registers(count=_IDLE)),
            0xE7: lambda _command, _data: _done(True),
            0xEA: lambda _command, _data: _done(True),
            0xB0: lambda command, _data: self._smart(command),
            0xB4: lambda command, _data: self._sanitize(command),
            0xB1: lambda command, _data: self._configuration(command),
            0x27: lambda command, _data: self._native(command),
            0xF8: lambda command, _data: self._native(command),
            0x37: lambda command, _data: self._set_max(command),
            0xF9: lambda command, _data: self._set_max(command),
            0x78: lambda command, _data: self._accessible_max(command),
            **(password if self.model.security else {}),
        }

    def _identify(self) -> bytes:
        return identify_data(self.model, self.accessible, self.security)

    def _smart(self, command: AtaCommand) -> AtaResult:
        if command.feature != SMART_READ_DATA or command.lba >> 8 & 0xFFFF != _SMART_KEY:
            return _aborted()
        return AtaResult(_registers(), serialise_smart_data(self.smart))

    def _sanitize(self, command: AtaCommand) -> AtaResult:
        if not self.model.sanitize or (self.security.locked and command.feature in self.model.sanitize):
            return _aborted()
        registers = self.sanitize.execute(command.feature, command.count, command.lba)
        if self.model.sanitize_seconds <= 0:
            self._settle()
        return AtaResult(registers)

    def _configuration(self, command: AtaCommand) -> AtaResult:
        if not self.model.dco or command.feature != 0xC2:
            return _aborted()
        return AtaResult(_registers(), configuration_data(self.model))

    def _native(self, command: AtaCommand) -> AtaResult:
        if not self.model.hpa or (command.opcode == 0x27 and not self.model.wide_addresses):
            return _aborted()
        return self._native_reply(command.opcode == 0x27)

    def _native_reply(self, extended: bool) -> AtaResult:
        last = self.model.sectors - self.model.dco_sectors - 1
        if extended:
            return AtaResult(_registers(lba=last, device=_USES_LBA))
        last = min(last, _LOW_28)
        return AtaResult(_registers(lba=last & 0xFFFFFF, device=_USES_LBA | last >> 24))

    def _set_max(self, command: AtaCommand) -> AtaResult:
        if not self.model.hpa or (command.opcode == 0xF9 and command.feature):
            return _aborted()
        last = command.lba if command.opcode == 0x37 else (command.device & 0x0F) << 24 | command.lba
        return self._set_accessible(last + 1)

    def _accessible_max(self, command: AtaCommand) -> AtaResult:
        if not self.model.accessible_max or command.feature not in (0, 1):
            return _aborted()
        return self._native_reply(True) if command.feature == 0 else self._set_accessible(command.lba + 1)

    def _set_accessible(self, sectors: int) -> AtaResult:
        if sectors > self.model.sectors - self.model.dco_sectors:
            return _aborted()
        self.accessible = sectors
        return _done(True)

    def _erase_unit(self, data: bytes, seconds: float) -> AtaResult | None:
        accepted = self.security.may_erase(data) if not self.sanitize.in_progress else None
        if accepted is None or (accepted.enhanced and not self.model.enhanced):
            return _aborted()
        self._erase = Work(self._clock, self.model.erase_seconds)
        self._clock.sleep(min(seconds, self._time_to_live(self._erase)))
        return _done(True) if self.answers else None

    def _time_to_live(self, work: Work) -> float:
        if self._may_die and self.faults.dies_at is not None:
            return self.faults.dies_at * work.remaining
        return work.remaining

    def _settle(self) -> None:
        """Bring work in progress up to date."""
        work = self._erase or self.sanitize.work
        if work is None or self._dead:
            return
        work.advance()
        if self._may_die and self.faults.dies_at is not None and work.fraction >= self.faults.dies_at:
            self._dead, self._may_die = True, False
            return
        self.sanitize.settle()
        if self._erase is not None and self._erase.fraction >= 1.0:
            self._erase = None
            self._wipe(0x00)
            if not self.faults.keeps_password:
                self.security.erased()

    def _sanitized(self, byte: int | None) -> bool:
        if self.faults.sanitize_fails:
            return False
        self._wipe(byte)
        return True

    def _wipe(self, byte: int | None) -> None:
        if not self.faults.erase_does_nothing:
            self.store.erase(byte)

    def _power_on(self) -> None:
        self.security.power_on(frozen=self.faults.frozen_at_power_on)
        self.sanitize.power_on(frozen=self.faults.sanitize_frozen_at_power_on)


def _registers(count: int = 0, lba: int = 0, device: int = 0) -> AtaRegisters:
    return AtaRegisters(status=_READY, count=count, lba=lba, device=device)


def _done(accepted: bool) -> AtaResult:
    return AtaResult(_registers()) if accepted else _aborted()


def _aborted() -> AtaResult:
    return AtaResult(AtaRegisters(status=_FAILED, error=_ABORT))
