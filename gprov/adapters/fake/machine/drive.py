"""What a simulated disk needs of its simulated drive (gprov.adapters.fake.drives)."""

from __future__ import annotations

from typing import Protocol

from gprov.domain.erase.drive_io import NoReply, NvmeCommand, NvmeReply, ScsiCommand, ScsiReply


class ScsiTarget(Protocol):
    def scsi(self, command: ScsiCommand) -> ScsiReply | NoReply: ...

    def power_cycle(self) -> None: ...


class NvmeTarget(Protocol):
    def nvme(self, command: NvmeCommand) -> NvmeReply | NoReply: ...

    def power_cycle(self) -> None: ...
