"""A simulated SCSI drive with SANITIZE, and with a FORMAT UNIT that leaves the data where they are (SBC-4)."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

from gprov.adapters.fake.drives.direct_access import (
    DirectAccess,
    Handler,
    ScsiIdentity,
    no_such_command,
    supported_codes,
)
from gprov.adapters.fake.drives.faults import NO_FAULTS, DriveFaults
from gprov.adapters.fake.drives.sense import (
    INVALID_FIELD,
    INVALID_OPCODE,
    INVALID_PARAMETER,
    POWER_ON,
    SANITIZE_FAILED,
    SANITIZE_IN_PROGRESS,
    check,
    good,
    illegal,
    sense_data,
)
from gprov.adapters.fake.drives.store import Store
from gprov.adapters.fake.drives.work import Work
from gprov.domain.erase.drive_io import NoReply, ScsiCommand, ScsiReply
from gprov.ports.clock import Clock

_UNIT_ATTENTION = 6
_FORMAT_UNIT = 0x04
_SANITIZE = 0x48
_OVERWRITE, _BLOCK, _CRYPTO, _EXIT_FAILURE = 0x01, 0x02, 0x03, 0x1F
_IMMED = 0x80
_ZNR = 0x40  # reserved unless the drive has zones
_AUSE = 0x20


@dataclass(frozen=True, slots=True, kw_only=True)
class ScsiModel:
    """``sanitize``: service actions that SANITIZE has. ``reports_codes``: REPORT SUPPORTED OPERATION CODES exists.
    ``descriptor_sense``: REQUEST SENSE returns descriptor format if asked to."""

    vendor: str = "GPROV"
    product: str = "Simulated SCSI"
    revision: str = "0001"
    serial: str = "SIMSCSI0001"
    wwn: int = 0x5000C50000000002
    blocks: int = 2048
    block_size: int = 512
    rotation_rate: int = 7200
    sanitize: frozenset[int] = frozenset({_OVERWRITE, _BLOCK, _CRYPTO})
    sanitize_seconds: float = 60.0
    reports_codes: bool = True
    descriptor_sense: bool = True


DEFAULT_SCSI_MODEL = ScsiModel()


class ScsiDrive:
    def __init__(
        self, clock: Clock, store: Store, model: ScsiModel = DEFAULT_SCSI_MODEL, faults: DriveFaults = NO_FAULTS
    ) -> None:
        self.model = model
        self.sanitize_failed = False
        self.received: list[ScsiCommand] = []
        self._clock = clock
        self._store = store
        self._faults = faults
        self._may_die = faults.dies_at is not None
        self._dead = False
        self._attention = False
        self._work: Work | None = None
        self._leaves: int | None = None
        self._unrestricted_exit = False
        identity = ScsiIdentity(
            vendor=model.vendor,
            product=model.product,
            revision=model.revision,
            serial=model.serial,
            wwn=model.wwn,
            rotation_rate=model.rotation_rate,
            block_size=model.block_size,
        )
        self._access = DirectAccess(store, identity, lambda: model.blocks)

    @property
    def in_progress(self) -> bool:
        return self._work is not None

    @property
    def answers(self) -> bool:
        """False while the drive is dead. Brings its state up to date."""
        self._settle()
        return not self._dead

    @property
    def has_media(self) -> bool:
        return self.answers and self._work is None

    @property
    def states_capacity(self) -> bool:
        return self.has_media

    @property
    def state(self) -> Hashable:
        return self._work.fraction if self._work is not None else None

    def power_cycle(self) -> None:
        """A sanitize operation continues."""
        self._dead, self._attention = False, True
        if self._work is not None:
            self._work.continue_after_power_cycle()

    def scsi(self, command: ScsiCommand) -> ScsiReply | NoReply:
        self.received.append(command)
        number, opcode = len(self.received), command.cdb[0]
        if not self.answers:
            return NoReply("the drive does not answer")
        if number in self._faults.aborts_numbers or opcode in self._faults.aborts:
            return illegal(INVALID_OPCODE)
        reply = self._reply(command)
        return NoReply("the reply was lost") if number in self._faults.loses_numbers else reply

    def _reply(self, command: ScsiCommand) -> ScsiReply:
        opcode = command.cdb[0]
        always: dict[int, Handler] = {**self._access.identification(), 0x03: self._request_sense}
        if self.model.reports_codes:
            actions = {_SANITIZE: self.model.sanitize, 0x9E: frozenset({0x10})}
            always[0xA3] = lambda asked: supported_codes(asked, self._opcodes(), actions)
        if opcode in always:
            return always[opcode](command)
        if self._attention:
            self._attention = False
            return check(_UNIT_ATTENTION, POWER_ON)
        if opcode == _SANITIZE and not self.in_progress:
            return self._sanitize(command)
        if (sense := self._not_ready(fixed=True)) is not None:
            return ScsiReply(2, sense)
        if opcode == _FORMAT_UNIT:
            return good()
        return self._access.media().get(opcode, no_such_command)(command)

    def _sanitize(self, command: ScsiCommand) -> ScsiReply:
        action = command.cdb[1] & 0x1F
        if action in self.model.sanitize and (command.cdb[1] & _ZNR or any(command.cdb[2:7])):
            return illegal(INVALID_FIELD)
        if action == _EXIT_FAILURE and self.model.sanitize:
            if self.sanitize_failed and not self._unrestricted_exit:
                return illegal(INVALID_FIELD)
            self.sanitize_failed = False
            return good()
        if action not in self.model.sanitize:
            return illegal(INVALID_FIELD if self.model.sanitize else INVALID_OPCODE)
        leaves = {_BLOCK: 0xFF, _CRYPTO: None}.get(action, 0)
        if action == _OVERWRITE:
            parameters = command.data_out[: int.from_bytes(command.cdb[7:9])]
            if not self._parameters_are_right(parameters):
                return illegal(INVALID_PARAMETER)
            leaves = parameters[4]
        elif int.from_bytes(command.cdb[7:9]):
            return illegal(INVALID_FIELD)
        self._leaves, self._work = leaves, Work(self._clock, self.model.sanitize_seconds)
        self._unrestricted_exit = bool(command.cdb[1] & _AUSE)
        if not command.cdb[1] & _IMMED:
            self._clock.sleep(min(command.seconds, self._work.remaining))
        self._settle()
        return good()

    def _parameters_are_right(self, parameters: bytes) -> bool:
        length = int.from_bytes(parameters[2:4])
        return (
            len(parameters) == 4 + length
            and 0 < length <= self.model.block_size
            and parameters[0] & 0x1F != 0
            and not parameters[0] & 0x60
        )

    def _request_sense(self, command: ScsiCommand) -> ScsiReply:
        descriptors = command.cdb[1] & 1
        if descriptors and not self.model.descriptor_sense:
            return illegal(INVALID_FIELD)
        data = self._not_ready(fixed=not descriptors) or sense_data(0, (0, 0), fixed=not descriptors)
        return good(data[: min(command.cdb[4], command.data_in)])

    def _not_ready(self, *, fixed: bool) -> bytes | None:
        if self._work is not None:
            return sense_data(2, SANITIZE_IN_PROGRESS, progress=self._work.fraction, fixed=fixed)
        return sense_data(3, SANITIZE_FAILED, fixed=fixed) if self.sanitize_failed else None

    def _settle(self) -> None:
        work = self._work
        if work is None or self._dead:
            return
        work.advance()
        if self._may_die and self._faults.dies_at is not None and work.fraction >= self._faults.dies_at:
            self._dead, self._may_die = True, False
        elif work.fraction >= 1.0:
            self._work = None
            self.sanitize_failed = self._faults.sanitize_fails
            if not (self._faults.sanitize_fails or self._faults.erase_does_nothing):
                self._store.erase(self._leaves)

    def _opcodes(self) -> frozenset[int]:
        own = {0x03, _FORMAT_UNIT, 0xA3} | ({_SANITIZE} if self.model.sanitize else set())
        return frozenset({*self._access.identification(), *self._access.media(), *own})
