"""Ports of a boot of the normal kernel, and the other use cases that it may start."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from gprov.apps.unit.composition.volume_ports import VolumePorts
from gprov.domain.boot.args import PreferredImage
from gprov.domain.boot.survey import TargetSurvey
from gprov.domain.disk.model import Volume
from gprov.ports.attention import Attention
from gprov.ports.operator import Operator
from gprov.ports.power import Power
from gprov.ports.start_display import StartDisplay

if TYPE_CHECKING:  # each import is time on every boot
    from gprov.domain.boot.boot_request import EraseRequested
    from gprov.domain.emergency.request import EmergencyRequest
    from gprov.domain.erase.result import EraseResult
    from gprov.ports.file_system_keys import FileSystemKeys
    from gprov.ports.media import MediaSearch
    from gprov.ports.ratchets import Ratchets


# Looks for the system's root for at most that many seconds and mounts it read-only; None if there is none.
FindRoot = Callable[[float], Volume | None]


class RestoreFlow(Protocol):
    def run(
        self,
        preferred: PreferredImage,
        *,
        named: str = "",
        by_person: bool = False,
        emergency: EmergencyRequest | None = None,
        pause_event: Callable[[float], bool] | None = None,
    ) -> bool:
        """Returns True when the unit is restored and may reboot; False if a person left the menu of images, or an event
        ended the restore backoff: then PRIMARY is as it was. Raises GprovError. A restore that a person requested
        begins at once, without a restore backoff. ``named``: file name of the image that the system requests: PRIMARY
        is changed for no other. ``emergency``: files on removable media to use instead of RECOVERY's,
        which may be missing then. ``pause_event``: waits at most so many seconds for an event during the backoff."""

    @property
    def primary_changed(self) -> bool:
        """Has this restore begun to write to PRIMARY?"""

    def forget_emergency_files(self) -> None:
        """The media with the files of this restore were removed: plugged in again, they are a new request. Never
        raises."""

    @property
    def attempt_recorded(self) -> bool:
        """Is this restore counted in the start budget on RECOVERY?"""


class EraseFlow(Protocol):
    def run(self, *, confirmed: bool = False, request: EraseRequested | None = None) -> EraseResult:
        """Erase all data disks. ``request``: of the running system, in place of the kernel arguments. Raises
        GprovError, already reported: EraseFailed if a disk is not erased."""

    def check_unfinished(self) -> None:
        """Raises EraseUnfinished if an erase of this unit was interrupted or has failed, GprovError if that is not
        known."""


class ShellFlow(Protocol):
    def run(self) -> str:
        """Returns a message about how the session ended. Raises GprovError if there was none."""


class Survey(Protocol):
    def survey_targets(self) -> TargetSurvey:
        """Read what is on the data disks now. Never raises."""


class BootFailures(Protocol):
    def record_failure(self, reason: str) -> float:
        """Count a boot failure. Returns how many seconds to wait before the next boot. Never raises."""

    def reset(self) -> None:
        """Set the count to zero, since a person has taken over. Never raises."""


class ConfirmedSystem(Protocol):
    def record(self) -> None:
        """The system on the mounted root has reported for the first time that it was up. Never raises."""


@dataclass(frozen=True, kw_only=True)
class InitPorts:
    """``restore``, ``erase``, ``shell``, ``survey``, ``boot_failures`` and ``confirmed_system`` make their use case
    when it is needed: a normal boot needs none. ``media_search`` makes its port. ``end_unsealing``:
    ``SecretSealing.end`` on a machine with a TPM, nothing on others. ``ratchets``: makes the stores of numbers besides
    RECOVERY. ``file_system_keys``: None unless an adopter has some."""

    volumes: VolumePorts
    operator: Operator
    attention: Callable[[], Attention]
    start_display: Callable[[], StartDisplay]
    power: Power
    restore: Callable[[], RestoreFlow]
    erase: Callable[[], EraseFlow]
    shell: Callable[[FindRoot], ShellFlow]
    survey: Callable[[], Survey]
    boot_failures: Callable[[], BootFailures]
    confirmed_system: Callable[[], ConfirmedSystem]
    media_search: Callable[[], MediaSearch]
    end_unsealing: Callable[[], None]
    ratchets: Callable[[], Iterable[Ratchets]]
    file_system_keys: Callable[[], FileSystemKeys | None]
