"""A simulated NVMe drive: one controller with one or more namespaces, at the level of admin commands."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field, replace

from gprov.adapters.fake.drives.nvme_sanitize import SanitizeFaults, SanitizeMachine
from gprov.adapters.fake.system.clock import FakeClock
from gprov.domain.erase.drive_io import NoReply, NvmeCommand, NvmeReply
from gprov.domain.formats.nvme.commands import (
    SANITIZE_LOG,
    Identify,
    Opcode,
    SanitizeAction,
    SecureErase,
    parse_sanitize_dword10,
    secure_erase_setting,
)
from gprov.domain.formats.nvme.controller import (
    FORMAT_CRYPTO,
    FORMAT_SUPPORTED,
    NAMESPACE_MANAGEMENT,
    SANITIZE_BLOCK,
    SANITIZE_CRYPTO,
    Controller,
    serialise_controller,
)
from gprov.domain.formats.nvme.health_log import HEALTH_LOG, HealthLog, serialise_health_log
from gprov.domain.formats.nvme.namespace import (
    LbaFormat,
    Namespace,
    serialise_namespace,
    serialise_namespace_list,
)
from gprov.domain.formats.nvme.sanitize_log import serialise_sanitize_log
from gprov.domain.formats.nvme.status import Status

# Number of the namespace, and the byte of which it now consists, or None for unpredictable contents.
OnErased = Callable[[int, int | None], None]

FULL_CONTROLLER = Controller(
    serial="GP0001",
    model="SIMULATED NVME",
    firmware="1.0",
    oacs=FORMAT_SUPPORTED | NAMESPACE_MANAGEMENT,
    fna=FORMAT_CRYPTO,
    sanicap=SANITIZE_CRYPTO | SANITIZE_BLOCK,
    namespaces=32,
)
_BLOCK = 512
_FORMATS = (LbaFormat(0, 12), LbaFormat(0, 9), LbaFormat(8, 9))
_PRESENT_FORMAT = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class NvmeBehaviour:
    """``refused_settings``: SES values that are aborted with Invalid Field. ``drops_setting``: Format NVM is carried
    out as if SES were 0, and reported as success. ``dies_at``: seconds of the clock at which the drive stops to reply.
    ``changes_format``: Format NVM ends with another LBA format. ``detached``: further namespaces of the drive that are
    not attached to the controller. ``leaves``: byte that an erase leaves, None for unpredictable contents.
    ``protected``: write protected namespaces."""

    sanitize: SanitizeFaults = field(default_factory=SanitizeFaults)
    sanitize_seconds: float = 60.0
    format_seconds: float = 20.0
    refused_settings: frozenset[int] = frozenset()
    drops_setting: bool = False
    changes_format: bool = False
    dies_at: float | None = None
    detached: frozenset[int] = frozenset()
    leaves: int | None = 0
    protected: frozenset[int] = frozenset()


class SimulatedNvmeDrive:
    """``sizes``: bytes of each attached namespace. ``received``: all commands, in order. ``namespaces``: as they are
    now, by number. ``health``: what its health log states."""

    def __init__(
        self,
        clock: FakeClock,
        sizes: Mapping[int, int],
        on_erased: OnErased,
        *,
        controller: Controller = FULL_CONTROLLER,
        behaviour: NvmeBehaviour | None = None,
    ) -> None:
        self.controller = controller
        self.behaviour = behaviour or NvmeBehaviour()
        self.received: list[NvmeCommand] = []
        self.health = HealthLog(warning_bits=0, temperature=35, media_errors=0)
        self._clock = clock
        self._on_erased = on_erased
        self.namespaces = {number: self._new(number, size) for number, size in sizes.items()}
        seconds, faults = self.behaviour.sanitize_seconds, self.behaviour.sanitize
        self.sanitize = SanitizeMachine(clock, seconds, faults, self._sanitized)

    def nvme(self, command: NvmeCommand) -> NvmeReply | NoReply:
        self.received.append(command)
        if self._dead():
            return NoReply("the drive is gone")
        self.sanitize.advance()
        match command.opcode:
            case Opcode.IDENTIFY:
                return self._identify(command)
            case Opcode.GET_LOG_PAGE if self.controller.sanicap and command.dwords[0] & 0xFF == SANITIZE_LOG:
                return NvmeReply(0, data=serialise_sanitize_log(self.sanitize.log)[: command.data_in])
            case Opcode.GET_LOG_PAGE if command.dwords[0] & 0xFF == HEALTH_LOG:
                return NvmeReply(0, data=serialise_health_log(self.health)[: command.data_in])
            case Opcode.GET_LOG_PAGE:
                return NvmeReply(Status.INVALID_LOG_PAGE)
            case Opcode.SANITIZE if self.controller.sanicap:
                return self._sanitize(command)
            case Opcode.FORMAT_NVM if self.controller.has_format:
                return self._format(command)
            case _:
                return NvmeReply(Status.INVALID_OPCODE)

    @property
    def state(self) -> Hashable:
        return self.sanitize.log.state, self.sanitize.log.sprog, self.sanitize.log.data_erased

    def power_cycle(self) -> None:
        """A sanitize operation continues afterwards, and its failure is kept. To be called before the clock begins
        again."""
        self.sanitize.advance()

    def written(self) -> None:
        """User data were written to a namespace."""
        self.sanitize.written()

    def _new(self, number: int, size: int) -> Namespace:
        blocks = size // _BLOCK
        return Namespace(
            blocks=blocks,
            capacity=blocks,
            used=blocks,
            flbas=_PRESENT_FORMAT,
            fpi=0x80,
            dlfeat=1,
            nsattr=int(number in self.behaviour.protected),
            formats=_FORMATS,
        )

    def _dead(self) -> bool:
        dies_at = self.behaviour.dies_at
        return dies_at is not None and self._clock.monotonic() >= dies_at

    def _identify(self, command: NvmeCommand) -> NvmeReply:
        after = command.namespace
        match command.dwords[0] & 0xFF:
            case Identify.CONTROLLER:
                data = serialise_controller(self.controller)
            case Identify.NAMESPACE if command.namespace in self.namespaces:
                data = serialise_namespace(self.namespaces[command.namespace])
            case Identify.ACTIVE_NAMESPACES:
                data = serialise_namespace_list(number for number in self.namespaces if number > after)
            case Identify.ALLOCATED_NAMESPACES if self.controller.has_namespace_management:
                present = self.namespaces.keys() | self.behaviour.detached
                data = serialise_namespace_list(number for number in present if number > after)
            case Identify.NAMESPACE:
                return NvmeReply(Status.INVALID_NAMESPACE)
            case _:
                return NvmeReply(Status.INVALID_FIELD)
        return NvmeReply(0, data=data[: command.data_in])

    def _sanitize(self, command: NvmeCommand) -> NvmeReply:
        parameters = parse_sanitize_dword10(command.dwords[0])
        needs = {SanitizeAction.CRYPTO_ERASE: SANITIZE_CRYPTO, SanitizeAction.BLOCK_ERASE: SANITIZE_BLOCK}
        if parameters is None or command.namespace:
            return NvmeReply(Status.INVALID_FIELD)
        if parameters.action is not SanitizeAction.EXIT_FAILURE_MODE:
            if not self.controller.sanicap & needs.get(parameters.action, 0):
                return NvmeReply(Status.INVALID_FIELD)
            if any(one.write_protected for one in self.namespaces.values()):
                return NvmeReply(Status.WRITE_PROTECTED)
        return NvmeReply(self.sanitize.command(parameters))

    def _format(self, command: NvmeCommand) -> NvmeReply | NoReply:
        setting = secure_erase_setting(command.dwords[0])
        refusal = self._format_refusal(command, setting)
        if refusal is not Status.SUCCESS:
            return NvmeReply(refusal)
        if command.seconds < self.behaviour.format_seconds:
            self._clock.advance(command.seconds)
            return NoReply("time limit")
        self._clock.advance(self.behaviour.format_seconds)
        if self._dead():
            return NoReply("the drive is gone")
        numbers = [command.namespace]
        if self.controller.format_erases_all_namespaces:
            numbers = sorted(self.namespaces.keys() | self.behaviour.detached)
        if setting and not self.behaviour.drops_setting:
            for number in numbers:
                self._on_erased(number, None if setting == SecureErase.CRYPTO.value else self.behaviour.leaves)
        index = (command.dwords[0] & 0xF) ^ self.behaviour.changes_format
        now = self.namespaces[command.namespace]
        self.namespaces[command.namespace] = replace(now, flbas=index | command.dwords[0] & 0x10)
        return NvmeReply(0)

    def _format_refusal(self, command: NvmeCommand, setting: int) -> Status:
        supported = {0, 1, 2} if self.controller.has_crypto_format else {0, 1}
        if self.sanitize.in_progress:
            return Status.SANITIZE_IN_PROGRESS
        if self.sanitize.locked:
            return Status.SANITIZE_FAILED
        if setting not in supported or setting in self.behaviour.refused_settings:
            return Status.INVALID_FIELD
        if command.namespace not in self.namespaces:
            return Status.INVALID_NAMESPACE
        if command.dwords[0] & 0xF >= len(_FORMATS):
            return Status.INVALID_FORMAT
        if self.namespaces[command.namespace].write_protected:
            return Status.WRITE_PROTECTED
        return Status.SUCCESS

    def _sanitized(self, action: SanitizeAction) -> None:
        leaves = None if action is SanitizeAction.CRYPTO_ERASE else self.behaviour.leaves
        for number in sorted(self.namespaces.keys() | self.behaviour.detached):
            self._on_erased(number, leaves)
