"""Erases what a machine holds outside of its disks: variables of its firmware, and its TPM."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from gprov.apps.unit.execution.erase.tpm_clearing import TpmClearing
from gprov.apps.unit.execution.erase.variable_removal import VariableRemoval
from gprov.domain.branding import Branding
from gprov.domain.erase.report import OptionResult
from gprov.domain.erase.variable_choice import VariableChoice
from gprov.domain.formats.efi.variables import VariableName
from gprov.ports.block import BlockDevices
from gprov.ports.clock import Clock
from gprov.ports.destructive.tpm import Tpm
from gprov.ports.destructive.variable_writer import VariableWriter
from gprov.ports.firmware import Firmware


class MachineEraser:
    """Holds the ports that destroy. Neither method raises GprovError for what it cannot remove: the results say so."""

    def __init__(
        self,
        *,
        firmware: Firmware,
        writer: VariableWriter,
        tpm: Tpm,
        blocks: BlockDevices,
        clock: Clock,
        branding: Branding,
    ) -> None:
        own = (branding.normal_entry, branding.restore_entry, branding.erase_entry)
        self._variables = VariableRemoval(firmware, writer, own)
        self._tpm = TpmClearing(tpm, clock)
        self._blocks = blocks

    def remove_variables(
        self,
        choices: Sequence[VariableChoice],
        planned_before: Sequence[VariableName] = (),
        planned: Callable[[tuple[VariableName, ...]], None] = lambda _: None,
    ) -> tuple[OptionResult, ...]:
        """After the disks were erased: boot entries of their partitions are then without one. See
        ``VariableRemoval.run``."""
        partitions = tuple(part.uuid for disk in self._blocks.disks() for part in disk.partitions)
        return self._variables.run(choices, partitions, planned_before, planned)

    def clear_tpm(self) -> OptionResult:
        return self._tpm.run()
