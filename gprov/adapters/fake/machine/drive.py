"""What a simulated disk needs of its simulated drive (gprov.adapters.fake.drives)."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Protocol

from gprov.domain.erase.drive_io import NoReply, NvmeCommand, NvmeReply, ScsiCommand, ScsiReply


class ScsiTarget(Protocol):
    @property
    def has_media(self) -> bool:
        """Whether blocks can be read and written now: the drive is neither locked nor erasing itself."""

    @property
    def states_capacity(self) -> bool:
        """Whether it replies to READ CAPACITY now."""

    @property
    def state(self) -> Hashable:
        """What outlives a power cut, apart from the media."""

    def scsi(self, command: ScsiCommand) -> ScsiReply | NoReply: ...

    def power_cycle(self) -> None: ...


class NvmeTarget(Protocol):
    @property
    def state(self) -> Hashable:
        """What outlives a power cut, apart from the media."""

    def nvme(self, command: NvmeCommand) -> NvmeReply | NoReply: ...

    def power_cycle(self) -> None: ...
