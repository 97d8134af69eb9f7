"""A simulated ATA drive behind a translation from SCSI (SAT-5): what libata, SAS controllers and USB bridges make of
it."""

from __future__ import annotations

from collections.abc import Hashable

from gprov.adapters.fake.drives.ata_device import AtaDevice, Media
from gprov.adapters.fake.drives.ata_model import DEFAULT_ATA_MODEL, AtaModel, identify_data
from gprov.adapters.fake.drives.direct_access import (
    DirectAccess,
    Handler,
    ScsiIdentity,
    no_such_command,
    supported_codes,
)
from gprov.adapters.fake.drives.faults import NO_ATA_FAULTS, NO_BRIDGE_FAULTS, AtaFaults, BridgeFaults
from gprov.adapters.fake.drives.sense import (
    INVALID_FIELD,
    POWER_ON,
    SANITIZE_FAILED,
    SANITIZE_IN_PROGRESS,
    SECURITY_CONFLICT,
    ata_reply,
    check,
    good,
    illegal,
    sense_data,
)
from gprov.adapters.fake.drives.store import Store
from gprov.adapters.fake.drives.vital_pages import ata_information
from gprov.domain.erase.drive_io import NoReply, ScsiCommand, ScsiReply
from gprov.domain.errors import BadInput
from gprov.domain.formats.ata.commands import AtaCommand, Transfer
from gprov.domain.formats.ata.registers import AtaRegisters
from gprov.domain.formats.scsi.pass_through import parse_pass_through
from gprov.ports.clock import Clock

_DISABLE_PASSWORD = 0xF6
_IDENTIFY = 0xEC
_UNIT_ATTENTION = 6
_TEST_UNIT_READY = 0x00
# Replied to by the translation from IDENTIFY DEVICE data: MODE SENSE, READ CAPACITY.
_WITHOUT_MEDIUM = (0x1A, 0x25, 0x5A, 0x9E)


class SatDrive:
    """``device``: the drive itself, for assertions on its state."""

    def __init__(
        self,
        clock: Clock,
        store: Store,
        model: AtaModel = DEFAULT_ATA_MODEL,
        faults: AtaFaults = NO_ATA_FAULTS,
        bridge: BridgeFaults = NO_BRIDGE_FAULTS,
    ) -> None:
        self.device = AtaDevice(clock, store, model, faults)
        self._bridge = bridge
        self._refusals = bridge.refuses_disable
        # What the translation read when it found the drive.
        self._first_identify = identify_data(model, self.device.accessible, self.device.security)
        self._access = DirectAccess(store, self._identity(model), self._blocks)
        self._attention = False

    @property
    def has_media(self) -> bool:
        return self.device.answers and self.device.media is Media.READY

    @property
    def state(self) -> Hashable:
        work = self.device.sanitize.work
        return self.device.security.password, self.device.sanitize.state, work.fraction if work is not None else None

    @property
    def states_capacity(self) -> bool:
        """The translation replies from IDENTIFY DEVICE data."""
        return True

    def power_cycle(self) -> None:
        self.device.power_cycle()
        self._attention = True

    def scsi(self, command: ScsiCommand) -> ScsiReply | NoReply:
        opcode = command.cdb[0]
        if opcode in (0x85, 0xA1) and not self._bridge.no_pass_through:
            return self._with_attention() or self._pass_through(command)
        if not self.device.answers:
            return NoReply("the drive does not answer")
        always: dict[int, Handler] = {
            **self._access.identification(),
            0x03: self._request_sense,
            0xA3: lambda asked: supported_codes(asked, self._opcodes(), {0x9E: frozenset({0x10})}),
        }
        if opcode in always:
            return always[opcode](command)
        return self._with_attention() or self._media_command(command)

    def _media_command(self, command: ScsiCommand) -> ScsiReply:
        handler: Handler = self._access.media().get(command.cdb[0], no_such_command)
        if handler is no_such_command or self.device.media is Media.READY:
            return handler(command)
        if command.cdb[0] in _WITHOUT_MEDIUM:
            return handler(command)
        if self.device.media is Media.LOCKED:
            # The translation replies to TEST UNIT READY without asking the device.
            return good() if command.cdb[0] == _TEST_UNIT_READY else check(7, SECURITY_CONFLICT)
        return ScsiReply(2, self._state_sense(fixed=True))

    def _state_sense(self, *, fixed: bool) -> bytes:
        if self.device.media is Media.SANITIZING and self.device.sanitize.work is not None:
            progress = self.device.sanitize.work.fraction
            return sense_data(2, SANITIZE_IN_PROGRESS, progress=progress, fixed=fixed)
        if self.device.media is Media.SANITIZE_FAILED:
            return sense_data(3, SANITIZE_FAILED, fixed=fixed)
        return sense_data(0, (0, 0), fixed=fixed)

    def _request_sense(self, command: ScsiCommand) -> ScsiReply:
        data = self._state_sense(fixed=not command.cdb[1] & 1)
        return good(data[: min(command.cdb[4], command.data_in)])

    def _with_attention(self) -> ScsiReply | None:
        if not self._attention:
            return None
        self._attention = False
        return check(_UNIT_ATTENTION, POWER_ON)

    def _pass_through(self, command: ScsiCommand) -> ScsiReply | NoReply:
        try:
            passed = parse_pass_through(command.cdb)
        except BadInput:
            return illegal(INVALID_FIELD)
        ata = passed.command
        if (ata.transfer is Transfer.PIO_OUT) != bool(command.data_out):
            return illegal(INVALID_FIELD)
        if (reply := self._bridged(ata)) is not None:
            return reply
        result = self.device.execute(ata, command.data_out, command.seconds)
        if result is None:
            return NoReply("time limit")
        data = result.data[: command.data_in]
        if ata.opcode == _IDENTIFY and data and self._bridge.stale_identify:
            data = self._first_identify
        if self._bridge.drops_registers:
            return check(0xB, (0, 0)) if result.registers.failed else good(data)
        if result.registers.failed or passed.check_condition:
            fixed = self._bridge.fixed_sense
            return ata_reply(result.registers, extended=ata.extended, fixed=fixed, data=data)
        return good(data)

    def _bridged(self, ata: AtaCommand) -> ScsiReply | None:
        """What the bridge replies by itself."""
        if ata.opcode in self._bridge.swallows:
            return good()
        if ata.opcode == _DISABLE_PASSWORD and self._refusals:
            self._refusals -= 1
            return ata_reply(AtaRegisters(status=0x51, error=0x04), extended=False)
        return None

    def _blocks(self) -> int:
        return self.device.accessible - self._bridge.hides_sectors

    def _opcodes(self) -> frozenset[int]:
        own = (0x03, 0xA3) if self._bridge.no_pass_through else (0x03, 0x85, 0xA1, 0xA3)
        return frozenset((*self._access.identification(), *self._access.media(), *own))

    def _identity(self, model: AtaModel) -> ScsiIdentity:
        return ScsiIdentity(
            vendor="ATA",
            product=model.model,
            revision=model.firmware,
            serial=model.serial,
            wwn=model.wwn,
            rotation_rate=model.rotation_rate,
            block_size=model.sector_size,
            ata_information=ata_information(self._first_identify),
        )
